"""The API's pages at /docs, from files of our own: they work where nothing but the city's network is reached.

Owns these routes and `assets/swagger-ui` (its README says where that is from).
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

ASSETS = Path(__file__).parent / "assets"
_SWAGGER = "/assets/swagger-ui"


def install(app: FastAPI) -> None:
    """Serve /docs and the assets it needs."""
    app.mount("/assets", StaticFiles(directory=ASSETS), name="assets")
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
