"""`fixline up`: the whole system in one command, its data in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def up(
    data: Annotated[Path, typer.Option(help="Folder for all data and logs.")] = Path("fixline-data"),
    host: Annotated[str, typer.Option(help="Address the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the API.")] = 8311,
    temporal_port: Annotated[
        int | None,
        typer.Option(min=1, max=64_535, help="Port of the Temporal server; its UI is 1000 higher. [default: 7233]"),
    ] = None,
    demo: Annotated[int, typer.Option(min=0, max=100_000, help="Make that many demonstration requests, once.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many worker processes.")] = 1,
) -> None:
    """Run everything in one: Temporal server with its UI, workers, API. Ctrl-C stops all."""
    from fixline.cli.up.running import run_up
    from fixline.settings import read_settings

    run_up(read_settings(), data, host, port, temporal_port, demo, workers)
