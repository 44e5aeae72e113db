"""`fixline overdue`: the supervisor's question, as a table, once or again and again; with colours unless NO_COLOR is
set or nobody looks: a pipe, a file."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fixline.cli.common import AsJson, Data, WrongUse, console_of

WIDTH = 200
"""In columns, where the output is no terminal."""
FRAME_LINES = 5
"""Lines of a watched screen that are no clocks: heading, rule, totals, time."""
_DAY = 86_400
_COLOURS = ((3 * _DAY, "bold red"), (_DAY, "red"), (0, "yellow"))
_PRIORITIES = {"urgent": "bold red", "high": "red", "low": "dim"}
_UNITS = ((_DAY, "d"), (3_600, "h"), (60, "min"))


def overdue(
    department: Annotated[str | None, typer.Option(help="Only this department's.")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team's.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only this request type.")] = None,
    area: Annotated[str | None, typer.Option(help="Only this area.")] = None,
    clock: Annotated[str | None, typer.Option(help="Only clocks of this name, such as resolve.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many lines at most.")] = 50,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=1, max=3_600, help="With --watch: seconds between two looks.")] = 5,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    from sqlmodel import Session  # with the store's modules, which the command's help need not wait for

    from fixline.cli.access import find_place
    from fixline.service.submissions import utc_now
    from fixline.service.supervision_view import OverdueOut, Sight
    from fixline.store.queries.supervision import OVERDUE, Scope
    from fixline.store.versions import Versions

    def read(session: Session, most: int) -> dict[str, Any]:
        """Overdue clocks as `GET /overdue` shows them, worst first, and the totals under the same filters."""
        wanted = Scope(utc_now(), department=department, team=team, type=type_, area=area, clock=clock)
        lines, _ = OVERDUE.page(session, wanted, None, most)
        sight = Sight(session, Versions(), wanted.now)
        items = [OverdueOut.seen(sight, line).model_dump(mode="json") for line in lines]
        return {"items": items, "totals": OVERDUE.totals(session, wanted)}

    def look(most: int) -> dict[str, Any]:
        with find_place(data).open() as store:
            return store.read(partial(read, most=most))

    if watch and as_json:
        raise WrongUse("--watch is for people: ask with --json as often as you like")
    if watch:
        watch_late(console_of(WIDTH), look, limit, every, utc_now)
    elif as_json:
        print(json.dumps(look(limit), indent=2))
    else:
        console_of(WIDTH).print(late_table(look(limit)))


def watch_late(
    console: Console,
    look: Callable[[int], dict[str, Any]],
    limit: int,
    every_seconds: float,
    clock: Callable[[], datetime],
) -> None:
    """Show the table again and again until it is interrupted; a database that is away is named, and asked again.

    `look` answers what is overdue now: `items`, at most so many, and `totals`. On a terminal the table has the screen,
    and as many lines as fit; elsewhere one table follows the other.
    """
    from fixline.store.store import StoreAway

    screen = console.is_terminal
    shown = max(min(limit, console.height - FRAME_LINES), 1) if screen else limit

    def frame() -> RenderableType:
        at = Text(f"{clock():%Y-%m-%d %H:%M:%S}Z, again every {every_seconds:g} s; Ctrl-C ends", style="dim")
        try:
            return Group(late_table(look(shown)), at)
        except StoreAway as error:
            return Group(Text(f"the database does not answer: {error}", style="bold red"), at)

    with contextlib.suppress(KeyboardInterrupt):
        if not screen:
            while True:
                console.print(frame())
                time.sleep(every_seconds)
        with Live(frame(), console=console, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(every_seconds)
                live.update(frame(), refresh=True)


def late_table(found: dict[str, Any]) -> RenderableType:
    """The clocks, worst first, and how many there are."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("request", "clock", "late", "working", "priority", "type", "holder", "last rung", "next rung"):
        table.add_column(heading, no_wrap=True, justify="right" if heading in ("late", "working") else "left")
    table.add_column("address", overflow="ellipsis", no_wrap=True)
    for item in found["items"]:
        table.add_row(*_cells(item))
    return Group(table, _totals(found)) if found["items"] else _totals(found)


def _cells(item: dict[str, Any]) -> list[Text]:
    request, holder = item["request"], item["holder"]
    seconds = item["late_by_seconds"]
    colour = next((colour for least, colour in _COLOURS if seconds >= least), "")
    rung = item["next_rung"]
    return [
        Text(request["id"]),
        Text(item["clock"]),
        Text(in_words(seconds), style=colour),
        Text(in_words(item["late_working_seconds"], days=False), style=colour),
        Text(request["priority"] or "", style=_PRIORITIES.get(request["priority"], "")),
        Text(request["type"]),
        Text(holder["assignee"] or holder["team"] or "-"),
        Text(item["last_rung"] or "-"),
        Text(f"{rung['rung']}, {rung['at'][:16].replace('T', ' ')}Z" if rung else "-", style="dim"),
        Text(request["address"] or ""),
    ]


def _totals(found: dict[str, Any]) -> Text:
    """How many clocks are overdue, and how many of them are not shown; then by department."""
    totals = found["totals"]
    left = totals["count"] - len(found["items"])
    line = Text(f"{totals['count']} overdue", style="bold" if totals["count"] else "green")
    line.append(f", {left} not shown (--limit)" if left else "", style="dim")
    by_department = ", ".join(f"{name} {count}" for name, count in totals["department"].items())
    line.append(f"  {by_department}" if by_department else "", style="not bold")
    return line


def in_words(seconds: int | None, *, days: bool = True) -> str:
    """A length of time by its two largest units: `3 d 2 h`, `5 h 10 min`; working time has no days of 24 hours."""
    if seconds is None:
        return "-"
    left = seconds
    parts: list[tuple[int, str]] = []
    for size, unit in _UNITS if days else _UNITS[1:]:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "under 1 min"
