"""Whether the service lives, whether it can work, and its numbers; at the root, without a key. Owns these routes."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from fixline.store.queries.counts import has_definitions
from fixline.store.store import StoreAway
from fixline.web.metrics import MetricsOf
from fixline.web.parts import Parts, PartsOf

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether a request would be accepted and started now, part by part."""

    ready: bool
    parts: dict[str, str] = Field(
        examples=[{"database": "ok", "definitions": "ok", "temporal": "ok", "workers": "none polls"}]
    )
    missing: list[str]


@router.get("/healthz", summary="Is the process alive")
async def alive() -> Alive:
    """200 as long as the process answers."""
    return Alive()


@router.get(
    "/readyz",
    summary="Would a request be accepted and started now",
    responses={503: {"model": Readiness, "description": "A part is missing"}},
)
async def ready(response: Response, parts: PartsOf) -> Readiness:
    """200 when database, definitions, Temporal and a worker are there; else 503 and what is missing."""
    (database, definitions), temporal, worker = await asyncio.gather(
        _database(parts), parts.temporal.reachable(), parts.temporal.polled()
    )
    found = {
        "database": database,
        "definitions": definitions,
        "temporal": "ok" if temporal else "away",
        "workers": "ok" if worker else "none polls" if temporal else "unknown",
    }
    missing = [name for name, state in found.items() if state != "ok"]
    if missing:
        response.status_code = 503
    return Readiness(ready=not missing, parts=found, missing=missing)


async def _database(parts: Parts) -> tuple[str, str]:
    try:
        some = await asyncio.to_thread(parts.store.read, has_definitions)
    except StoreAway:
        return "away", "unknown"
    return "ok", "ok" if some else "none published"


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def numbers(parts: PartsOf, metrics: MetricsOf) -> Response:
    """Prometheus' text format."""
    return Response(await metrics.text(parts.store), media_type=CONTENT_TYPE_LATEST)
