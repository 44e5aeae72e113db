"""`fixline simulate`: many requests, crews and hours in virtual time; tables, JSON, a progress bar on standard error.
Durations are elapsed days."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fixline.catalog import read_catalog
from fixline.catalog.checking import shown
from fixline.catalog.profiles import Profile, read_profile
from fixline.cli.common import AsJson, Trouble, WrongUse, at_rest, console_of, put
from fixline.rehearsal.simulation import Simulation, TypeFigures, percentile
from fixline.settings import read_settings

DEFAULT = "default"
WIDTH = 150
_BARS = " ▁▂▃▄▅▆▇█"


def simulate(
    types: Annotated[
        list[str] | None, typer.Argument(metavar="[TYPE]...", help="Request types. [default: all]")
    ] = None,
    requests: Annotated[int, typer.Option("--requests", min=1, max=1_000_000, help="How many of each type.")] = 20_000,
    profile: Annotated[
        str, typer.Option("--profile", help="A file that says when requests arrive and how long work takes.")
    ] = DEFAULT,
    crews: Annotated[
        list[str] | None, typer.Option("--crews", metavar="TEAM=SIZE", help="A team's crews; may be repeated.")
    ] = None,
    weeks: Annotated[int, typer.Option("--weeks", min=0, max=520, help="Weeks of arrivals. 0: the profile's.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same simulation.")] = 1,
    as_json: AsJson = False,
) -> None:
    with at_rest():
        simulation = _prepare(types or [], requests, profile, crews or [], weeks, seed)
        began = time.perf_counter()
        with progress(sys.stderr) as hear:
            simulation.run(hear)
    seconds = time.perf_counter() - began
    if as_json:
        put(_as_json(simulation, seconds), (), as_json=True)
        return
    console = console_of(WIDTH)
    for table in (_types(simulation), _deadlines(simulation), _teams(simulation)):
        console.print(table)
    console.print(
        f"{simulation.total:,} requests, {simulation.decisions:,} decisions in {seconds:.1f} s "
        f"({simulation.total / seconds:,.0f} requests a second)"
    )


def _prepare(types: list[str], requests: int, profile: str, crews: list[str], weeks: int, seed: int) -> Simulation:
    """The simulation that the options ask for. Raises WrongUse, and Trouble for what is wrong in files."""
    reading = read_catalog(shown(read_settings().definitions_folder))
    if reading.findings:
        raise Trouble(f"the definitions have {len(reading.findings)} findings; the first: {reading.findings[0]}")
    catalog = reading.catalog
    for name in types:
        if name not in catalog.definitions:
            raise WrongUse(f"there is no type {name!r}; there are {', '.join(sorted(catalog.definitions))}")
    used = Profile()
    if profile != DEFAULT:
        used, findings = read_profile(Path(profile), catalog)
        if findings:
            raise Trouble(f"{len(findings)} findings in the profile; the first: {findings[0]}")
    teams = set(catalog.organisation.teams if catalog.organisation else ())
    sizes = dict(_size(each, teams) for each in crews)
    used = used.model_copy(update={"crews": {**used.crews, **sizes}, "weeks": weeks or used.weeks})
    wanted = [catalog.definitions[name] for name in dict.fromkeys(types or sorted(catalog.definitions))]
    if not wanted:
        raise WrongUse("there are no definitions to simulate")
    return Simulation(catalog, wanted, used, requests, seed)


def _size(text: str, teams: set[str]) -> tuple[str, int]:
    team, _, size = text.partition("=")
    if team not in teams:
        raise WrongUse(f"there is no team {team!r}: write --crews TEAM=SIZE")
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= 10_000):
        raise WrongUse(f"--crews {text}: a team has 1 to 10,000 crews")
    return team, int(size)


@contextmanager
def progress(stream: TextIO) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not stream.isatty():
        yield lambda _done, _total: None
        return
    with Progress(console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("Requests closed")
        yield lambda done, total: bar.update(task, completed=done, total=total)


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


def _as_json(simulation: Simulation, seconds: float) -> dict[str, Any]:
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
