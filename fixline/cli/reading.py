"""The work behind `fixline overdue` and `fixline show`: the store's queries, shaped as the HTTP API shapes them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from fixline.cli.access import find_place, open_store
from fixline.cli.outcome import Trouble
from fixline.domain.calendar import CalendarExhausted
from fixline.settings import read_settings
from fixline.store.arrivals import utc_now
from fixline.store.queries.detail import read_journal, read_request
from fixline.store.queries.overdue import OverdueFilter, count_overdue, list_overdue
from fixline.store.versions import Versions
from fixline.web.views import iso_duration, request_out

_REQUEST = ("id", "type", "status", "step", "priority", "department", "team", "area", "address", "external_id")
LONGEST_JOURNAL = 10_000


def list_late(wanted: OverdueFilter, limit: int, data: Path | None) -> dict[str, Any]:
    """Overdue clocks, worst first, and the totals under the same filters; instants as ISO texts."""
    versions = Versions()

    def read(session: Session) -> dict[str, Any]:
        lines, _ = list_overdue(session, wanted, None, limit)
        items = [_late(session, versions, line, wanted.now) for line in lines]
        return {"items": items, "totals": count_overdue(session, wanted)}

    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        return store.read(read)


def _late(session: Session, versions: Versions, line: dict[str, Any], now: datetime) -> dict[str, Any]:
    due_at: datetime = line["clock_due_at"]
    return {
        "request": {name: line[name] for name in _REQUEST} | {"opened_at": line["opened_at"].isoformat()},
        "clock": line["clock_name"],
        "due_at": due_at.isoformat(),
        "late_by": iso_duration(now - due_at),
        "late_working": _late_working(session, versions, line["version"], due_at, now),
        "holder": line["holder"],
        "last_rung": line["clock_last_rung"],
    }


def _late_working(
    session: Session, versions: Versions, version: str | None, due_at: datetime, now: datetime
) -> str | None:
    if version is None:
        return None
    try:
        return iso_duration(versions.load(session, version).calendar.working_time(due_at, now), in_days=False)
    except CalendarExhausted:
        return None


def read_one(request_id: str, data: Path | None) -> dict[str, Any]:
    """A request as GET /requests/{id} shows it, with its journal. Raises Trouble when there is none."""

    def read(session: Session) -> dict[str, Any] | None:
        row = read_request(session, request_id)
        if row is None:
            return None
        definition = Versions().load(session, row["version"]) if row["version"] else None
        journal = read_journal(session, request_id, 0, LONGEST_JOURNAL) or []
        entries = [{**entry, "at": entry["at"].isoformat()} for entry in journal]
        return {**request_out(row, definition, utc_now()).model_dump(mode="json"), "journal": entries}

    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        found = store.read(read)
    if found is None:
        raise Trouble(f"there is no request {request_id}")
    return found
