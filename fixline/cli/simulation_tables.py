"""How `fixline simulate` shows what came of it: tables, JSON, a progress bar on standard error.

Owns the words and tables. Durations are elapsed days.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fixline.rehearsal.simulation import Simulation, TypeFigures, percentile

WIDTH = 150
_BARS = " ▁▂▃▄▅▆▇█"


@contextmanager
def progress(stream: TextIO) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not stream.isatty():
        yield lambda _done, _total: None
        return
    with Progress(console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("Requests closed")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_figures(simulation: Simulation, seconds: float) -> None:
    """The tables: types, deadlines, rungs, teams; then how long it took."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False, emoji=False)
    for table in (_types(simulation), _deadlines(simulation), _teams(simulation)):
        console.print(table)
    console.print(
        f"{simulation.total:,} requests, {simulation.decisions:,} decisions in {seconds:.1f} s "
        f"({simulation.total / seconds:,.0f} requests a second)"
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _types(simulation: Simulation) -> Table:
    table = _table("Types", "Type", "Opened", "Closed", "Median days", "90 % within", "Most open", "Open, week by week")
    for each in simulation.figures.values():
        days = [percentile(each.days_to_close, percent) for percent in (50, 90)]
        shown = ["-" if day is None else f"{day:.1f}" for day in days]
        most = max(each.backlog, default=0)
        table.add_row(each.type, f"{each.opened:,}", f"{each.closed:,}", *shown, f"{most:,}", spark(each.backlog))
    return table


def spark(values: list[int]) -> str:
    """A line of bars, one for each value."""
    most = max(values, default=0)
    return "".join(_BARS[-(-value * 8 // most) if most else 0] for value in values)


def _deadlines(simulation: Simulation) -> Table:
    table = _table("Deadlines and rungs", "Deadline or rung", "Type", "Times", "Overdue")
    for each in simulation.figures.values():
        for name, started in each.started.items():
            table.add_row(name, each.type, f"{started:,}", f"{100 * each.overdue_share(name):.1f} %")
        for rung, times in each.rungs.items():
            table.add_row(f"  {rung}", each.type, f"{times:,}", "")
    return table


def _teams(simulation: Simulation) -> Table:
    table = _table("Teams", "Team", "Crews", "Tasks done", "Hours of work", "Longest queue", "In the queue")
    for team in sorted(simulation.teams.values(), key=lambda each: each.key):
        hours = team.busy.total_seconds() / 3600
        counts = [f"{count:,}" for count in (team.size, team.done, round(hours), team.longest, len(team.queue))]
        table.add_row(team.key, *counts)
    return table


def as_json(simulation: Simulation, seconds: float) -> dict[str, Any]:
    """All figures as one JSON object."""
    return {
        "requests": simulation.total,
        "decisions": simulation.decisions,
        "seconds": round(seconds, 3),
        "types": [_type(each) for each in simulation.figures.values()],
        "teams": [
            {
                "team": team.key,
                "crews": team.size,
                "tasks_done": team.done,
                "hours_of_work": round(team.busy.total_seconds() / 3600, 1),
                "longest_queue": team.longest,
                "in_queue": len(team.queue),
            }
            for team in sorted(simulation.teams.values(), key=lambda each: each.key)
        ],
    }


def _type(each: TypeFigures) -> dict[str, Any]:
    return {
        "type": each.type,
        "opened": each.opened,
        "closed": each.closed,
        "outcomes": dict(sorted(each.outcomes.items())),
        "days_to_close": {"median": percentile(each.days_to_close, 50), "p90": percentile(each.days_to_close, 90)},
        "overdue_share": {name: each.overdue_share(name) for name in each.started},
        "rungs": each.rungs,
        "open_by_week": each.backlog,
    }
