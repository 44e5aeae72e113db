"""`fixline overdue` and `fixline show`: the supervisor's question, and one request in full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[Path | None, typer.Option(help="A folder of `fixline up`. [default: the settings' database]")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


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
    """List what is overdue, worst first."""
    from fixline.cli.listings import list_late
    from fixline.cli.outcome import WrongUse
    from fixline.cli.overdue_table import console_of, print_late, watch_late
    from fixline.service.submissions import utc_now
    from fixline.store.queries.supervision import OverdueFilter

    def look(most: int) -> dict[str, Any]:
        wanted = OverdueFilter(utc_now(), department=department, team=team, type=type_, area=area, clock=clock)
        return list_late(wanted, most, data)

    if watch and as_json:
        raise WrongUse("--watch is for people: ask with --json as often as you like")
    if watch:
        watch_late(console_of(), look, limit, every, utc_now)
    elif as_json:
        print(json.dumps(look(limit), indent=2))
    else:
        print_late(console_of(), look(limit))


def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, such as SR26-00000001.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show one request: facts, clocks, tasks, journal. Contact data is never part of it."""
    from fixline.cli.listings import read_one

    found = read_one(request_id, data)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    head = f"{found['id']}  {found['type']}  {found['status']}"
    print(head + (f" ({found['outcome']})" if found["outcome"] else f", at {found['step'] or '-'}"))
    for name in ("address", "priority", "department", "opened_at", "promised_at", "closed_at", "external_id"):
        if found.get(name) is not None:
            print(f"  {name.replace('_', ' '):<13} {found[name]}")
    for clock in found["clocks"]:
        print(f"  clock  {clock['name']:<24} {clock['state']:<8} due {clock['due_at'] or '-'}")
    for task in found["tasks"]:
        holder = task["assignee"] or task["team"]
        print(
            f"  task   {task['step']:<24} {task['state']:<10} {holder}"
            + (f": {task['outcome']}" if task["outcome"] else "")
        )
    for entry in found["journal"]:
        print(f"  {entry['seq']:>4}  {entry['at'][:19]}Z  {entry['actor']:<20} {entry['text']}")
