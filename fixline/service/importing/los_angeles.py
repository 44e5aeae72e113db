"""Los Angeles' open data (MyLA311): one CSV file a year, all request types, instants to the second.

Owns the spellings of its columns, statuses and types, and what happens to dates that cannot be. Dates are local
to Los Angeles, whatever city imports them.

Rules for dates that contradict each other (docs/operations.md, section Importing):
- closed before it was created, on the same day, and the closing has no time (midnight): the source has kept the
  day alone. The request counts as closed at its creation, and the fact `repaired` says so;
- closed before it was created otherwise: rejected;
- the planned service date is a day (midnight) or an instant. A day is promised to its end. One that lies before the
  creation promises nothing; the fact `repaired` says so, and the fact `service_date` keeps what was written.
"""

from __future__ import annotations

from collections.abc import Mapping as Columns
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.service.importing.cells import clean, code, coordinates, find_column, local_instant, slug
from fixline.service.importing.records import MAX_ADDRESS, MAX_NUMBER, HeaderUnfit, Reader, Record, Unfit

ZONE = ZoneInfo("America/Los_Angeles")

_COLUMNS = {
    "number": ("srnumber", "sr_number"),
    "status": ("status",),
    "created": ("createddate", "created_date"),
    "closed": ("closeddate", "closed_date"),
    "service": ("servicedate", "service_date"),
    "type": ("requesttype", "request_type"),
    "address": ("address",),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
}
_NEEDED = {"number": "SRNumber", "created": "CreatedDate", "type": "RequestType", "status": "Status"}
_FACTS = {
    "owner": "owner",
    "requestsource": "request_source",
    "assignto": "assigned_to",
    "actiontaken": "action_taken",
    "zipcode": "zip_code",
    "apc": "planning_area",
    "cd": "council_district",
    "ncname": "neighborhood_council",
    "policeprecinct": "police_precinct",
}
"""The other columns worth keeping, by our names. Parts of the address and map pages are not."""
_CODES = {"zip_code", "council_district"}

_STATUS: dict[str, CloseOutcome | None] = {
    "open": None,
    "pending": None,
    "in progress": None,
    "forward": None,
    "future": None,
    "closed": CloseOutcome.FIXED,
    "cancelled": CloseOutcome.CANCELLED,
    "canceled": CloseOutcome.CANCELLED,
    "referred out": CloseOutcome.REFERRED,
    "duplicate": CloseOutcome.DUPLICATE,
}
_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "graffiti-removal": ("graffiti", {}),
    "single-streetlight-issue": ("street-light", {"problem": "one_out"}),
    "multiple-streetlight-issue": ("street-light", {"problem": "several_out"}),
}
"""Our type by the slug of the source's, and the answers that the source's type implies."""


class LosAngeles:
    """The mapping `la`."""

    source = "los-angeles"

    def reader(self, header: Sequence[str], zone: ZoneInfo) -> Reader:  # noqa: ARG002 - the source has a zone of its own
        """A reader for a file with this header. Raises HeaderUnfit."""
        names = [slug(clean(name), "_") for name in header]
        found = {ours: find_column(names, spellings) for ours, spellings in _COLUMNS.items()}
        missing = [title for ours, title in _NEEDED.items() if found[ours] is None]
        if missing:
            raise HeaderUnfit(f"the file has no column {', '.join(missing)}; it has {', '.join(header)[:300]}")
        columns = {ours: place for ours, place in found.items() if place is not None}
        facts = {ours: names.index(theirs) for theirs, ours in _FACTS.items() if theirs in names}
        number = columns["number"]
        return Reader(lambda cells: clean(cells[number]), partial(_record, columns, facts))


def _record(columns: Columns[str, int], facts: Columns[str, int], cells: Sequence[str]) -> Record:
    cell = {ours: clean(cells[place]) for ours, place in columns.items()}
    number, source_type = cell["number"], cell["type"]
    if not number:
        raise Unfit("the row has no number")
    if len(number) > MAX_NUMBER:
        raise Unfit(f"the number has more than {MAX_NUMBER} characters")
    if not source_type:
        raise Unfit("the row has no type")
    if not cell["created"]:
        raise Unfit("the row has no creation date")
    kept = {name: text for name, place in facts.items() if (text := clean(cells[place]))}
    kept = {name: code(text) if name in _CODES else text for name, text in kept.items()}
    kept["status"] = cell["status"]
    if cell.get("service"):
        kept["service_date"] = cell["service"]
    repaired: list[str] = []
    opened_at = local_instant(cell["created"], ZONE)
    outcome = _outcome(cell["status"])
    closed_at = None if outcome is None else _closed_at(cell, opened_at, repaired)
    promised_at = _promised_at(cell.get("service", ""), opened_at, repaired)
    if repaired:
        kept["repaired"] = "; ".join(repaired)
    point = coordinates(cell.get("latitude", ""), cell.get("longitude", ""))
    ours, answers = _TYPES.get(slug(source_type), (None, {}))
    return Record(
        number=number,
        type=ours or slug(source_type),
        known=ours is not None,
        source_type=source_type,
        opened_at=opened_at,
        outcome=outcome,
        closed_at=closed_at,
        promised_at=promised_at,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        address=_address(cell.get("address", "")),
        answers=answers,
        facts=kept,
    )


def _outcome(written: str) -> CloseOutcome | None:
    """What it came to; None while it is open. The source tells closed from cancelled, not fixed from unfixed."""
    status = " ".join(written.lower().split())
    if status not in _STATUS:
        raise Unfit(f"the status {written[:40]!r} is unknown")
    return _STATUS[status]


def _closed_at(cell: Columns[str, str], opened_at: datetime, repaired: list[str]) -> datetime:
    written = cell.get("closed", "")
    if not written:
        raise Unfit("the row is closed and has no closing date")
    closed_at = local_instant(written, ZONE)
    if closed_at >= opened_at:
        return closed_at
    if not (_is_day(closed_at) and _day(closed_at) == _day(opened_at)):
        raise Unfit(f"closed {written} before it was created {cell['created']}")
    repaired.append("closed on the day of its creation, without a time: counted as closed at its creation")
    return opened_at


def _promised_at(written: str, opened_at: datetime, repaired: list[str]) -> datetime | None:
    if not written:
        return None
    planned = local_instant(written, ZONE)
    if _is_day(planned):
        planned = datetime.combine(_day(planned) + timedelta(days=1), time(), ZONE).astimezone(UTC)
    if planned < opened_at:
        repaired.append("the planned service date lies before the creation: it promises nothing")
        return None
    return planned


def _day(instant: datetime) -> date:
    return instant.astimezone(ZONE).date()


def _is_day(instant: datetime) -> bool:
    """Whether an instant is a local midnight: the source has written a day."""
    return instant.astimezone(ZONE).time() == time()


def _address(written: str) -> str | None:
    if len(written) > MAX_ADDRESS:
        raise Unfit(f"the address has more than {MAX_ADDRESS} characters")
    return " ".join(written.split()) or None
