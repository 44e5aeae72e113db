"""How `fixline test` shows what it found: failures with both timelines side by side, coverage, JSON.

Owns the words and tables. Times are local to each definition's calendar.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fixline.rehearsal import Report
from fixline.rehearsal.coverage import Coverage
from fixline.rehearsal.look import local
from fixline.rehearsal.playing import Played, Scene

WIDTH = 150
MOST_UNREACHED = 20
"""How many of a type's unreached places are listed."""


def print_report(report: Report, *, coverage: bool, least: int) -> None:
    """Print findings, failures and, where it is asked for, the coverage."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False, emoji=False)
    for finding in report.findings:
        _line(console, str(finding))
    for played in report.failed:
        _print_failure(console, played)
    if coverage:
        for each in report.coverage:
            _print_coverage(console, each, least)
    _line(console, _summary(report))


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _summary(report: Report) -> str:
    count, failed = len(report.played), len(report.failed)
    rate = f", {count / report.seconds:,.0f} a second" if report.seconds else ""
    findings = f", {len(report.findings)} findings in files" if report.findings else ""
    return f"{count} scenarios, {failed} failed{findings} ({report.seconds:.2f} s{rate})"


def _print_failure(console: Console, played: Played) -> None:
    scenario = played.scenario
    for each in played.mismatches:
        _line(console, f"{scenario.file}:{each.line}:{each.column}: {scenario.name}: {each}")
    table = Table(title=f"{scenario.type}: {scenario.name}", title_justify="left", show_lines=True)
    for column in ("When (local)", "Expected", "Happened"):
        table.add_column(column, overflow="fold", no_wrap=column.startswith("When"))
    for scene in played.scenes:
        table.add_row(Text(local(scene.at, played.definition.calendar)), _expected(scene), _happened(played, scene))
    console.print(table)


def _expected(scene: Scene) -> Text:
    wrong = {(each.what, each.expected) for each in scene.mismatches}
    lines = [scene.text] if scene.text else []
    for each in scene.expected:
        what, _, text = each.partition(": ")
        lines.append(f"{'NOT ' if (what, text) in wrong else ''}{each}")
    return Text("\n".join(lines))


def _happened(played: Played, scene: Scene) -> Text:
    calendar = played.definition.calendar
    lines = [f"{local(entry.at, calendar)[4:]}  {entry.text}" for entry in scene.entries]
    lines += [scene.note] if scene.note else []
    lines += [f"! {each}" for each in scene.mismatches]
    return Text("\n".join(lines))


def _print_coverage(console: Console, coverage: Coverage, least: int) -> None:
    parts = ", ".join(f"{kind} {coverage.reached[kind]}/{total}" for kind, total in coverage.there.items())
    below = "" if coverage.percent >= least else f", less than {least}"
    _line(console, f"{coverage.type}: {shown_percent(coverage.percent)} % ({parts}){below}")
    for each in coverage.unreached[:MOST_UNREACHED]:
        _line(console, f"  {each}")
    left = len(coverage.unreached) - MOST_UNREACHED
    if left > 0:
        _line(console, f"  and {left} more")


def shown_percent(percent: float) -> str:
    """One decimal, never rounded up to 100."""
    return "100" if percent == 100 else f"{min(percent, 99.9):.1f}"


def as_json(report: Report, *, coverage: bool) -> dict[str, Any]:
    """The whole report as one JSON object; instants are ISO texts in UTC."""
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
                "at": scene.at.isoformat(),
                "action": scene.text or None,
                "expected": list(scene.expected),
                "refused": scene.note.removeprefix("refused: ") or None,
                "happened": [
                    {"at": entry.at.isoformat(), "kind": entry.kind, "text": entry.text} for entry in scene.entries
                ],
            }
            for scene in played.scenes
        ]
    return shown
