"""`python -m bench.walk`: the way of "complete a task" through our own code, from the route to the answer and on to the
effect that it causes.

Counts our functions that are called outside the rules (`fixline.domain`), each once, in the order of their first call.
Conversions are those of what the caller sent, named in docs/architecture.md.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from activities.crews import Crews
from fixline.messages import EffectInput
from fixline.service.commands import Commands
from fixline.service.effects import Effects
from fixline.store.schema import migrate
from fixline.store.store import Store
from fixline.store.versions import Versions
from tests.support.api import POTHOLE, Service

ROOT = Path(__file__).resolve().parent.parent
RULES = "fixline/domain"


class Walk:
    """The functions that were called, by the files and names of their code."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """What the interpreter tells of every call."""
        if event == "call":
            self._note(frame.f_code)

    def _note(self, code: CodeType) -> None:
        path = Path(code.co_filename)
        if not path.is_relative_to(ROOT) or code.co_name.startswith("<"):
            return
        file = path.relative_to(ROOT).as_posix()
        if file.startswith(("fixline/", "activities/")) and not file.startswith(RULES):
            self.found.setdefault(f"{file}:{code.co_qualname}", file)


@contextmanager
def followed(walk: Walk) -> Iterator[None]:
    """Follow the calls of this thread."""
    follow: Callable[..., Any] = walk
    sys.setprofile(follow)
    try:
        yield
    finally:
        sys.setprofile(None)


async def main() -> None:
    """Complete a task twice, so that everything has been read; follow the second."""
    with tempfile.TemporaryDirectory(prefix="fixline-walk-") as folder:
        store = Store(f"sqlite:///{folder}/fixline.db")
        migrate(store)
        service = Service(store)
        walk = Walk()
        done, request_id = {"outcome": "pothole", "form": {"depth": 12}}, ""
        for following in (False, True):
            request_id = (await service.post("requests", POTHOLE, status=201))["id"]
            with followed(walk) if following else nullcontext():
                await service.post(f"tasks/{request_id}-T1/complete", done)
        route = list(walk.found)
        effects = Effects(store, Commands(store, Versions()))
        crews = Crews(effects, service.app.state.parts.organisation)
        with followed(walk):
            await crews.dispatch(EffectInput(request_id, f"{request_id}:2:1", service.now))
        await service.close()
        store.close()
    for number, name in enumerate(walk.found, 1):
        print(f"{number:4} {'answer' if name in route else 'effect'}  {name}")
    print(f"{len(walk.found)} of our functions outside the rules")


if __name__ == "__main__":
    asyncio.run(main())
