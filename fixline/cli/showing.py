"""`fixline overdue` and `fixline show`: the supervisor's question, and one request in full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

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
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List what is overdue, worst first."""
    from fixline.cli.reading import list_late
    from fixline.store.arrivals import utc_now
    from fixline.store.queries.overdue import OverdueFilter

    wanted = OverdueFilter(utc_now(), department=department, team=team, type=type_, area=area, clock=clock)
    found = list_late(wanted, limit, data)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for item in found["items"]:
        request, holder = item["request"], item["holder"]
        who = holder["assignee"] or holder["team"] or "-"
        print(
            f"{request['id']}  {item['clock']:<22} due {item['due_at'][:16]}Z  late {item['late_by']:<16} "
            f"{request['type']:<26} {who:<24} {request['address'] or ''}"
        )
    left = found["totals"]["count"] - len(found["items"])
    print(f"{found['totals']['count']} overdue" + (f", {left} not shown (--limit)" if left else ""))


def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, such as SR26-00000001.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show one request: facts, clocks, tasks, journal. Contact data is never part of it."""
    from fixline.cli.reading import read_one

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
