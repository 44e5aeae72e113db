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
    from fixline.cli.demo.running import run_demo
    from fixline.settings import read_settings

    run_demo(read_settings(), data, url, requests, seed)
