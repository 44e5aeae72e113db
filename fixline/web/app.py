"""The HTTP application: routers, errors, limits and OpenAPI, around the parts that it is given.

Owns how they are put together. It makes none of the parts: the composition root does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fixline import __version__
from fixline.web import (
    apidocs,
    bulk,
    commands,
    definitions,
    events,
    graphs,
    health,
    problems,
    reports,
    requests,
    supervision,
    tasks,
    versions,
)
from fixline.web.auth import SECURITY_SCHEMES, Keyring
from fixline.web.metrics import Metrics, Timing
from fixline.web.parts import Parts
from fixline.web.request_body import BodyLimit

__all__ = ["Parts", "build_app"]

_ABOUT = """Runs a city's service requests from the first report to the verified fix.

Every address under /api/v1 takes a key: `Authorization: Bearer KEY`. Errors are RFC 9457 problems with a stable
`code`; 422 lists each field. Lists answer `{items, next}`; give `next` as `cursor` for the next page. Every write may
carry an `Idempotency-Key`: sent again with the same body it gets the same answer and happens once.
A command answers 200 with what came of it; 202 with a place to look only where a fault of ours keeps it from being
decided.
"""
_TAGS = [
    {"name": "requests", "description": "Reports, lists, one request, its journal."},
    {"name": "commands", "description": "What may be done about a request, and the answers to it."},
    {"name": "tasks", "description": "What crews see and do."},
    {"name": "overdue", "description": "What is late, what will be, what rests, on whom requests wait."},
    {"name": "reports", "description": "Promises kept, volume, backlog, time to close; as JSON or CSV."},
    {"name": "definitions", "description": "Request types: questions, steps, deadlines."},
    {"name": "health", "description": "For operators; no key."},
]


def build_app(parts: Parts) -> FastAPI:
    """The application. When it stops, signals that are under way arrive and the store's connections are given back."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await parts.service.close()
        parts.store.close()

    app = FastAPI(
        title="Fixline",
        version=__version__,
        description=_ABOUT,
        openapi_tags=_TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.state.keyring = Keyring(parts.store)
    app.state.metrics = Metrics()
    problems.install(app)
    for router in _ROUTERS:  # as one list: FastAPI's own inclusion looks router by router, a tenth of a call's time
        app.router.routes.extend(router.routes)
    apidocs.install(app)
    app.add_middleware(BodyLimit, max_bytes=parts.max_body_bytes)
    app.add_middleware(Timing, metrics=app.state.metrics)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way to change it
    return app


_ROUTERS = (
    tasks.router,
    commands.verbs,
    bulk.router,
    requests.router,
    events.router,
    commands.router,
    supervision.router,
    reports.router,
    versions.router,
    definitions.router,
    graphs.router,
    health.router,
)
"""Those of most calls first: an address is looked for in this order."""


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with the one shape of every error in it."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        components = document.setdefault("components", {})
        components["securitySchemes"] = SECURITY_SCHEMES
        schemas = components.setdefault("schemas", {})
        problem = problems.ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {})
        schemas["ProblemOut"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
