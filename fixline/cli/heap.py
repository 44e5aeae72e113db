"""The garbage collector at rest, for commands that build much, leave no cycles behind, and end."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_rest() -> Iterator[None]:
    """Within it no cycles are looked for: what such a command reads lives to its end, and to go through all of it again
    and again frees nothing, nor does it among thousands of requests in virtual time. What nothing refers to any more
    is freed at once, as ever."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
