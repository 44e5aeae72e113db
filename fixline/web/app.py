"""The HTTP application: routers, errors, limits and OpenAPI, around the parts that it is given.

It makes none of the parts: the composition root does. The API's pages at /docs are files of our own
(`assets/swagger-ui`; its README says where that is from): they work where nothing but the city's network is reached.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from fixline import __version__
from fixline.web import bulk, commands, definitions, events, health, reports, requests, supervision, tasks, versions
from fixline.web.auth import SECURITY_SCHEMES, Keyring
from fixline.web.parts import Parts
from fixline.web.problems import ProblemOut, install
from fixline.web.request_body import BodyLimit

_SWAGGER = "/assets/swagger-ui"
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


class _App(FastAPI):
    """FastAPI, with the one shape of every error in its document."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            components = super().openapi().setdefault("components", {})
            components["securitySchemes"] = SECURITY_SCHEMES
            schemas = components.setdefault("schemas", {})
            problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs", {})
            schemas["ProblemOut"] = problem
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return super().openapi()


def build_app(parts: Parts) -> FastAPI:
    """The application. When it stops, signals that are under way arrive and the store's connections are given back."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await parts.service.close()
        parts.store.close()

    app = _App(
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
    app.state.metrics = health.Metrics()
    install(app)
    for router in _ROUTERS:  # as one list: FastAPI's own inclusion looks router by router, a tenth of a call's time
        app.router.routes.extend(router.routes)
    _serve_docs(app)
    app.add_middleware(BodyLimit, max_bytes=parts.max_body_bytes)
    app.add_middleware(health.Timing, metrics=app.state.metrics)
    return app


_ROUTERS = (
    *(tasks.router, commands.verbs, bulk.router, requests.router, events.router, commands.router),
    *(supervision.router, reports.router, versions.router, definitions.router, health.router),
)
"""Those of most calls first: an address is looked for in this order."""


def _serve_docs(app: FastAPI) -> None:
    """Serve /docs and the assets it needs."""
    app.mount("/assets", StaticFiles(directory=Path(__file__).parent / "assets"), name="assets")
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "/openapi.json",
        title=f"{app.title} API",
        swagger_js_url=f"{_SWAGGER}/swagger-ui-bundle.js",
        swagger_css_url=f"{_SWAGGER}/swagger-ui.css",
        swagger_favicon_url=f"{_SWAGGER}/favicon-32x32.png",
    )

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """The API, to read and to try."""
        return page
