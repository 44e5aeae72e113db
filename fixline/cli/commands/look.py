"""`fixline show`: one request in full; and `fixline doctor`: every part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from fixline.cli.common import FOUND, AsJson, Data, Trouble, put

LONGEST_JOURNAL = 10_000


def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, such as SR26-00000001.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    from sqlmodel import Session  # with the store's modules, which the command's help need not wait for

    from fixline.cli.access import find_place
    from fixline.service.request_view import request_out
    from fixline.service.submissions import utc_now
    from fixline.store.queries.detail import read_journal
    from fixline.store.versions import Versions

    def read(session: Session) -> dict[str, Any]:
        """The request as GET /requests/{id} shows it, with its journal."""
        found = request_out(session, Versions(), request_id, utc_now())
        if found is None:
            raise Trouble(f"there is no request {request_id}")
        journal = read_journal(session, request_id, 0, LONGEST_JOURNAL) or []
        return {**found.model_dump(mode="json"), "journal": journal}

    with find_place(data).open() as store:
        found = store.read(read)
    put(found, _in_words(found), as_json=as_json)


def _in_words(found: dict[str, Any]) -> Iterator[str]:
    head = f"{found['id']}  {found['type']}  {found['status']}"
    yield head + (f" ({found['outcome']})" if found["outcome"] else f", at {found['step'] or '-'}")
    for name in ("address", "priority", "department", "opened_at", "promised_at", "closed_at", "external_id"):
        if found.get(name) is not None:
            yield f"  {name.replace('_', ' '):<13} {found[name]}"
    for clock in found["clocks"]:
        yield f"  clock  {clock['name']:<24} {clock['state']:<8} due {clock['due_at'] or '-'}"
    for task in found["tasks"]:
        outcome = f": {task['outcome']}" if task["outcome"] else ""
        yield f"  task   {task['step']:<24} {task['state']:<10} {task['assignee'] or task['team']}{outcome}"
    for entry in found["journal"]:
        yield f"  {entry['seq']:>4}  {entry['at']:%Y-%m-%dT%H:%M:%S}Z  {entry['actor']:<20} {entry['text']}"


def doctor(
    restart_missing: Annotated[
        bool, typer.Option("--restart-missing", help="Have workflows started again for open requests without one.")
    ] = False,
    retry_parked: Annotated[
        bool, typer.Option("--retry-parked", help="Let commands wait again that were parked by a fault of ours.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    from fixline.cli.diagnosis import examine

    report = examine(data, restart_missing=restart_missing, retry_parked=retry_parked)
    put(report, _checks(report), as_json=as_json)
    if not report["healthy"]:
        raise typer.Exit(FOUND)


def _checks(report: dict[str, Any]) -> Iterator[str]:
    for check in report["checks"]:
        yield f"{'ok   ' if check['ok'] else 'WRONG'}  {check['name']:<22} {check['text']}"
        yield from (f"{'':31}{each}" for each in check["examples"])
    yield "all is well" if report["healthy"] else "something is wrong"
