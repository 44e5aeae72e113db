"""The parts that the routers work with, made by the composition root and found on the app's state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlmodel import Session

from fixline.catalog import Catalog, Organisation
from fixline.service.requests import RequestService
from fixline.store.store import Store
from fixline.store.versions import Versions
from fixline.temporal.health import TaskQueueHealth
from fixline.web.problems import Problem

T = TypeVar("T")


@dataclass(frozen=True)
class Parts:
    """Everything that the web needs of the other parts, and the values of settings that concern it."""

    store: Store
    service: RequestService
    temporal: TaskQueueHealth
    versions: Versions
    organisation: Organisation
    catalog: Catalog
    max_body_bytes: int = 1_000_000

    async def read(self, work: Callable[[Session], T]) -> T:
        """Read the store without stopping the event loop. Raises StoreAway."""
        return await asyncio.to_thread(self.store.read, work)

    async def find(self, work: Callable[[Session], T | None], code: str, what: str) -> T:
        """The same where there may be nothing. Raises Problem (404, with this code)."""
        found = await self.read(work)
        if found is None:
            raise Problem(404, code, f"there is no such {what}")
        return found


async def parts_of(request: Request) -> Parts:  # a plain function would run on a thread
    """The parts of the app that was called."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]
"""A route's access to the parts."""
