"""The parts that the routers work with, made by the composition root and found on the app's state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from fixline.catalog import Areas, Catalog, Organisation
from fixline.service.requests import RequestService
from fixline.store.store import Store
from fixline.store.versions import Versions
from fixline.temporal.health import TaskQueueHealth


@dataclass(frozen=True)
class Parts:
    """Everything that the web needs of the other parts, and the values of settings that concern it."""

    store: Store
    service: RequestService
    temporal: TaskQueueHealth
    versions: Versions
    organisation: Organisation
    areas: Areas
    catalog: Catalog
    max_body_bytes: int = 1_000_000


def parts_of(request: Request) -> Parts:
    """The parts of the app that was called."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)  # noqa: S101 - the app is built with them
    return parts


async def _parts_of(request: Request) -> Parts:  # a plain function would run on a thread
    return parts_of(request)


PartsOf = Annotated[Parts, Depends(_parts_of)]
"""A route's access to the parts."""
