"""`fixline doctor`: is every part reachable, what is wrong, and the two things it can mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli.outcome import FOUND


def doctor(
    restart_missing: Annotated[
        bool, typer.Option("--restart-missing", help="Have workflows started again for open requests without one.")
    ] = False,
    retry_parked: Annotated[
        bool, typer.Option("--retry-parked", help="Let commands wait again that were parked by a fault of ours.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="A folder of `fixline up`. [default: the settings' database]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Look at every part; exit 1 when something is wrong."""
    from fixline.cli.diagnosis import examine

    report = examine(data, restart_missing=restart_missing, retry_parked=retry_parked)
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        for check in report["checks"]:
            print(f"{'ok   ' if check['ok'] else 'WRONG'}  {check['name']:<22} {check['text']}")
            for each in check["examples"]:
                print(f"{'':31}{each}")
        print("all is well" if report["healthy"] else "something is wrong")
    if not report["healthy"]:
        raise typer.Exit(FOUND)
