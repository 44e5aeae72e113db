"""`fixline test`: scenarios in virtual time, and what they reach: failures with both timelines side by side, coverage.
Times are local to each definition's calendar; those of the JSON are ISO texts in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fixline.cli.common import FOUND, AsJson, at_rest, console_of, put
from fixline.rehearsal import Report, rehearse
from fixline.rehearsal.coverage import Coverage
from fixline.rehearsal.look import local
from fixline.rehearsal.playing import Played, Scene
from fixline.settings import read_settings

WIDTH = 150
MOST_UNREACHED = 20
"""How many of a type's unreached places are listed."""


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
    as_json: AsJson = False,
) -> None:
    with at_rest():
        report = rehearse(paths or [read_settings().definitions_folder])
    if not coverage:
        report.coverage = []
    if as_json:
        put(_as_json(report, coverage=coverage), (), as_json=True)
    else:
        _print_report(report, least)
    if report.findings or report.failed or any(each.percent < least for each in report.coverage):
        raise typer.Exit(FOUND)


def _print_report(report: Report, least: int) -> None:
    console = console_of(WIDTH)
    for finding in report.findings:
        _line(console, str(finding))
    for played in report.failed:
        for mismatch in played.mismatches:
            place = f"{played.scenario.file}:{mismatch.line}:{mismatch.column}"
            _line(console, f"{place}: {played.scenario.name}: {mismatch}")
        console.print(_timelines(played))
    for each in report.coverage:
        for line in _coverage(each, least):
            _line(console, line)
    count = len(report.played)
    rate = f", {count / report.seconds:,.0f} a second" if report.seconds else ""
    findings = f", {len(report.findings)} findings in files" if report.findings else ""
    _line(console, f"{count} scenarios, {len(report.failed)} failed{findings} ({report.seconds:.2f} s{rate})")


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _timelines(played: Played) -> Table:
    """What was expected and what happened, side by side."""
    table = Table(title=f"{played.scenario.type}: {played.scenario.name}", title_justify="left", show_lines=True)
    for column in ("When (local)", "Expected", "Happened"):
        table.add_column(column, overflow="fold", no_wrap=column.startswith("When"))
    for scene in played.scenes:
        table.add_row(Text(local(scene.at, played.definition.calendar)), _expected(scene), _happened(played, scene))
    return table


def _expected(scene: Scene) -> Text:
    wrong = {f"{each.what}: {each.expected}" for each in scene.mismatches}
    lines = [scene.text] if scene.text else []
    return Text("\n".join([*lines, *(f"NOT {each}" if each in wrong else each for each in scene.expected)]))


def _happened(played: Played, scene: Scene) -> Text:
    calendar = played.definition.calendar
    lines = [f"{local(entry.at, calendar)[4:]}  {entry.text}" for entry in scene.entries]
    lines += [scene.note] if scene.note else []
    lines += [f"! {each}" for each in scene.mismatches]
    return Text("\n".join(lines))


def _coverage(coverage: Coverage, least: int) -> Iterator[str]:
    parts = ", ".join(f"{kind} {coverage.reached[kind]}/{total}" for kind, total in coverage.there.items())
    below = "" if coverage.percent >= least else f", less than {least}"
    # One decimal, never rounded up to 100.
    percent = "100" if coverage.percent == 100 else f"{min(coverage.percent, 99.9):.1f}"
    yield f"{coverage.type}: {percent} % ({parts}){below}"
    for each in coverage.unreached[:MOST_UNREACHED]:
        yield f"  {each}"
    left = len(coverage.unreached) - MOST_UNREACHED
    if left > 0:
        yield f"  and {left} more"


def _as_json(report: Report, *, coverage: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "passed": len(report.played) - len(report.failed),
        "failed": len(report.failed),
        "seconds": round(report.seconds, 3),
        "findings": [asdict(finding) for finding in report.findings],
        "scenarios": [_scenario(played) for played in report.played],
    }
    if coverage:
        found["coverage"] = [{**asdict(each), "percent": each.percent} for each in report.coverage]
    return found


def _scenario(played: Played) -> dict[str, Any]:
    scenario = played.scenario
    shown: dict[str, Any] = {
        "file": scenario.file,
        "line": scenario.place.line,
        "type": scenario.type,
        "name": scenario.name,
        "passed": played.passed,
        "mismatches": [asdict(each) for each in played.mismatches],
    }
    if not played.passed:
        shown["timeline"] = [
            {
                "at": scene.at,
                "action": scene.text or None,
                "expected": scene.expected,
                "refused": scene.note.removeprefix("refused: ") or None,
                "happened": [{"at": entry.at, "kind": entry.kind, "text": entry.text} for entry in scene.entries],
            }
            for scene in played.scenes
        ]
    return shown
