"""The event loop of Fixline's own processes: uvloop where there is one, asyncio's elsewhere.

uvicorn runs the API on uvloop by itself when it is installed; the worker has it from here. It takes a tenth off a
worker's processor time (python -m bench); nothing depends on which of the two it is.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, on the faster loop."""
    if sys.platform == "win32":  # uvloop is not for Windows
        return asyncio.run(main)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
