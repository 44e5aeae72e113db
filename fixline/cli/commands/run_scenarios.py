"""`fixline test`: scenarios in virtual time, and what they reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli.heap import at_rest
from fixline.cli.outcome import FOUND


def run_scenarios(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...", help="Scenario files, definitions or folders. [default: the settings' folder]"
        ),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say what no scenario reaches: steps, ways out of them, rungs.")
    ] = False,
    least: Annotated[
        int, typer.Option("--min", min=0, max=100, help="With --coverage: the least per cent of each type.")
    ] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Play scenario files in virtual time; failures show what was expected and what happened, side by side."""
    from fixline.cli import scenario_tables
    from fixline.rehearsal import rehearse
    from fixline.settings import read_settings

    with at_rest():
        report = rehearse(paths or [read_settings().definitions_folder])
    poor = [each for each in report.coverage if each.percent < least] if coverage else []
    if as_json:
        print(json.dumps(scenario_tables.as_json(report, coverage=coverage), indent=2))
    else:
        scenario_tables.print_report(report, coverage=coverage, least=least)
    if report.findings or report.failed or poor:
        raise typer.Exit(FOUND)
