"""The work behind `fixline overdue` and `fixline show`: the store's queries, shaped as the HTTP API shapes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlmodel import Session

from fixline.cli.access import find_place, open_store
from fixline.cli.outcome import Trouble
from fixline.service.request_view import request_out
from fixline.service.submissions import utc_now
from fixline.service.supervision_view import OverdueOut, Sight
from fixline.settings import read_settings
from fixline.store.queries.detail import read_journal
from fixline.store.queries.supervision import OverdueFilter, count_overdue, list_overdue
from fixline.store.versions import Versions

LONGEST_JOURNAL = 10_000


def list_late(wanted: OverdueFilter, limit: int, data: Path | None) -> dict[str, Any]:
    """Overdue clocks as `GET /overdue` shows them, worst first, and the totals under the same filters."""
    versions = Versions()

    def read(session: Session) -> dict[str, Any]:
        lines, _ = list_overdue(session, wanted, None, limit)
        sight = Sight(session, versions, wanted.now)
        items = [OverdueOut.seen(sight, line).model_dump(mode="json") for line in lines]
        return {"items": items, "totals": count_overdue(session, wanted)}

    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        return store.read(read)


def read_one(request_id: str, data: Path | None) -> dict[str, Any]:
    """A request as GET /requests/{id} shows it, with its journal. Raises Trouble when there is none."""

    def read(session: Session) -> dict[str, Any] | None:
        found = request_out(session, Versions(), request_id, utc_now())
        if found is None:
            return None
        journal = read_journal(session, request_id, 0, LONGEST_JOURNAL) or []
        entries = [{**entry, "at": entry["at"].isoformat()} for entry in journal]
        return {**found.model_dump(mode="json"), "journal": entries}

    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        found = store.read(read)
    if found is None:
        raise Trouble(f"there is no request {request_id}")
    return found
