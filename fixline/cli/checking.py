"""`fixline check`: everything wrong in the definitions, at once."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli.outcome import FOUND


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files or folders of definitions. [default: the settings' folder]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Check definitions; print `file:line:column: CODE message` for everything that is wrong."""
    from fixline.catalog import check_paths
    from fixline.settings import read_settings

    wanted = paths or [read_settings().definitions_folder]
    findings = check_paths(wanted)
    if as_json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings" if len(findings) != 1 else "1 finding")
    if findings:
        raise typer.Exit(FOUND)
