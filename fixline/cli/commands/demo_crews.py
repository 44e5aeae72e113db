"""`fixline demo-crews`: the process that `fixline up --demo` keeps; hidden, since it invents data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo_crews(
    data: Annotated[Path, typer.Option(help="The folder of `fixline up`.")],
    url: Annotated[str, typer.Option(help="Where the API answers.")],
    requests: Annotated[int, typer.Option(min=0, help="How many requests to make, once per folder.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed makes the same day.")] = 311,
) -> None:
    """Make demonstration requests once, and let crews work on what there is."""
    from fixline.cli.first_start import checked_catalog
    from fixline.cli.folder import DataFolder
    from fixline.cli.logs import log_to_stderr
    from fixline.demo import run_demo
    from fixline.settings import read_settings
    from fixline.store.schema import check_schema
    from fixline.store.store import Store

    settings, folder = read_settings(), DataFolder(data)
    log_to_stderr(settings.log_level)
    catalog = checked_catalog(settings.definitions_folder)
    store = Store(folder.database_url, synchronous=settings.sqlite_synchronous)
    check_schema(store)
    run_demo(store, catalog, folder.demo_mark, url, requests, seed)
    store.close()
