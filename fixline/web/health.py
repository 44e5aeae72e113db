"""For operators, at the root and without a key: whether the service lives, whether it can work, and its numbers.

Labels of the numbers are kinds, states and route templates; never an id, a name or a text.
"""

from __future__ import annotations

import asyncio
import time
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fixline.store.queries.counts import count_work, has_definitions
from fixline.store.store import Store, StoreAway
from fixline.web.parts import Parts, PartsOf

router = APIRouter(tags=["health"])
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one app: what this process has done, and, read from the store at each look, what waits."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.opened = Counter(
            "fixline_requests_opened", "Requests opened through this process", ["type"], registry=self.registry
        )
        self.commands = Counter(
            "fixline_commands",
            "Commands answered by this process, by kind and state",
            ["kind", "state"],
            registry=self.registry,
        )
        self.durations = Histogram(
            "fixline_http_duration_seconds",
            "How long HTTP requests took",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._store_up = Gauge("fixline_store_up", "1 when the database answers", registry=self.registry)
        self._work = {
            name: Gauge(f"fixline_{name}", text, registry=self.registry)
            for name, text in {
                "commands_waiting": "Commands that a fault of ours keeps from being decided",
                "commands_parked": "Commands parked by a fault of ours",
                "requests_with_fault": "Requests whose due work cannot be decided by a fault of ours",
                "requests_unsignalled": "Requests whose workflow has not been told of the last decision",
                "requests_without_workflow": "Open requests of which no workflow has been told anything yet",
            }.items()
        }

    async def text(self, store: Store) -> bytes:
        """Everything, as Prometheus reads it; the numbers of work keep their last value while the database is away."""
        try:
            counts = await asyncio.to_thread(store.read, count_work)
        except StoreAway:
            self._store_up.set(0)
        else:
            self._store_up.set(1)
            for gauge, count in zip(self._work.values(), counts, strict=True):
                gauge.set(count)
        return generate_latest(self.registry)


class Timing:
    """Measures every HTTP request by its route's template."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with a watch."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # by the route's template; one label for every address that nothing is at
            template = getattr(scope.get("route"), "path", None)
            route = ("any", "unknown") if template is None else (scope["method"], template)
            self._metrics.durations.labels(*route, str(status)).observe(time.perf_counter() - begun)


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
        some = await parts.read(has_definitions)
    except StoreAway:
        return "away", "unknown"
    return "ok", "ok" if some else "none published"


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def numbers(request: Request, parts: PartsOf) -> Response:
    """Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(await metrics.text(parts.store), media_type=CONTENT_TYPE_LATEST)
