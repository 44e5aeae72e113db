"""`fixline show`: one request in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from sqlmodel import Session

from fixline.cli.access import find_place
from fixline.cli.common import AsJson, Data, Trouble, put
from fixline.service.request_view import request_out
from fixline.service.submissions import utc_now
from fixline.store.queries.detail import read_journal
from fixline.store.versions import Versions

LONGEST_JOURNAL = 10_000


def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, such as SR26-00000001.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    with find_place(data).open() as store:
        found = store.read(lambda session: _read(session, request_id))
    put(found, _in_words(found), as_json=as_json)


def _read(session: Session, request_id: str) -> dict[str, Any]:
    """A request as GET /requests/{id} shows it, with its journal. Raises Trouble when there is none."""
    found = request_out(session, Versions(), request_id, utc_now())
    if found is None:
        raise Trouble(f"there is no request {request_id}")
    journal = read_journal(session, request_id, 0, LONGEST_JOURNAL) or []
    entries = [{**entry, "at": entry["at"].isoformat()} for entry in journal]
    return {**found.model_dump(mode="json"), "journal": entries}


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
        yield f"  {entry['seq']:>4}  {entry['at'][:19]}Z  {entry['actor']:<20} {entry['text']}"
