"""`fixline import`: a backlog or history from another system."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli.outcome import FOUND


def import_file(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    mapping: Annotated[str, typer.Option(help="How the source writes its records: chicago, la.")],
    data: Annotated[
        Path | None,
        typer.Option(help="A folder of `fixline up`, also while it runs. [default: the settings' database]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go. [default: FILE.rejects.csv beside the data folder]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Import requests: closed rows become history, open rows running requests. Again is harmless."""
    from fixline.cli.import_run import run_import

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    told = run_import(file, mapping, data, rejects, dry_run=dry_run, tell=tell)
    if as_json:
        print(json.dumps(told))
    else:
        counts = ("imported", "updated", "unchanged", "rejected")
        print(f"{told['rows']:,} rows: " + ", ".join(f"{told[name]:,} {name}" for name in counts))
        print(f"{told['repeated']:,} of the unchanged are earlier rows of a repeated number")
        print(f"{told['seconds']} s, {told['peak_mb']} MB at most" + (", nothing written" if dry_run else ""))
        if told["rejects"]:
            print(f"rejected rows: {told['rejects']}")
    if told["rejected"]:
        raise typer.Exit(FOUND)
