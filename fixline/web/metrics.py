"""Numbers for operators, in Prometheus' text format.

Owns the registry of one app: what this process has done, and, read from the store at each look, what waits. Labels
are kinds, states and route templates; never an id, a name or a text.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fixline.store.queries.counts import count_work
from fixline.store.store import Store, StoreAway

API = "/api/v1"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._opened = Counter(
            "fixline_requests_opened", "Requests opened through this process", ["type"], registry=self.registry
        )
        self._commands = Counter(
            "fixline_commands",
            "Commands answered by this process, by kind and state",
            ["kind", "state"],
            registry=self.registry,
        )
        self._durations = Histogram(
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

    def opened(self, type_: str) -> None:
        """A request was opened."""
        self._opened.labels(type_).inc()

    def command(self, kind: str, state: str) -> None:
        """A command was answered."""
        self._commands.labels(kind, state).inc()

    def took(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered."""
        self._durations.labels(method, route, str(status)).observe(seconds)

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
            self._metrics.took(*_labels(scope), status, time.perf_counter() - begun)


def _labels(scope: Scope) -> tuple[str, str]:
    """The method and the route's template; one label for every address that nothing is at."""
    template = getattr(scope.get("route"), "path", None)
    if template is None:
        return "any", "unknown"
    return scope["method"], template


def metrics_of(request: Request) -> Metrics:
    """The numbers of the app that was called."""
    metrics = request.app.state.metrics
    assert isinstance(metrics, Metrics)  # noqa: S101 - the app is built with them
    return metrics


async def _metrics_of(request: Request) -> Metrics:  # a plain function would run on a thread
    return metrics_of(request)


MetricsOf = Annotated[Metrics, Depends(_metrics_of)]
"""A route's access to the numbers."""
