"""`fixline api`, `fixline worker`, `fixline migrate`: the parts one by one, for a cluster."""

from __future__ import annotations

from typing import Annotated

import typer


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8311,
) -> None:
    """Serve the HTTP API and the pages."""
    from fixline.cli.processes import serve_api
    from fixline.settings import read_settings

    serve_api(read_settings(), host, port)


def worker() -> None:
    """Run requests' workflows and activities, and signal what no workflow was told."""
    from fixline.cli.processes import serve_worker
    from fixline.settings import read_settings

    serve_worker(read_settings())


def migrate() -> None:
    """Bring the database's schema up to this release."""
    from fixline.settings import read_settings
    from fixline.store.schema import migrate as migrate_schema
    from fixline.store.store import Store

    settings = read_settings()
    store = Store(settings.database_url, synchronous=settings.sqlite_synchronous)
    before, after = migrate_schema(store)
    store.close()
    was = f"at {before}" if before else "empty"
    print(f"the schema is at {after}" + ("" if before == after else f", it was {was}"))
