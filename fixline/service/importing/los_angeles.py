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

from collections.abc import Mapping as Cells
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.service.importing.cells import Unfit, local_instant
from fixline.service.importing.mapping import Mapping, Times, outcome_of

ZONE = ZoneInfo("America/Los_Angeles")

_STATUSES: dict[str, CloseOutcome | None] = {
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
"""The source tells closed from cancelled, not fixed from unfixed."""


def _times(cell: Cells[str, str], _zone: ZoneInfo) -> Times:
    repaired: list[str] = []
    opened_at = local_instant(cell["created"], ZONE)
    outcome = outcome_of(cell["status"], _STATUSES)
    closed_at = None if outcome is None else _closed_at(cell, opened_at, repaired)
    planned = cell.get("service", "")
    promised_at = _promised_at(planned, opened_at, repaired)
    facts = {"status": cell["status"]}
    if planned:
        facts["service_date"] = planned
    if repaired:
        facts["repaired"] = "; ".join(repaired)
    return Times(opened_at, outcome, closed_at, promised_at, facts)


def _closed_at(cell: Cells[str, str], opened_at: datetime, repaired: list[str]) -> datetime:
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


LOS_ANGELES = Mapping(
    source="los-angeles",
    columns={
        "number": ("srnumber", "sr_number"),
        "created": ("createddate", "created_date"),
        "closed": ("closeddate", "closed_date"),
        "service": ("servicedate", "service_date"),
        "type": ("requesttype", "request_type"),
    },
    needed={"number": "SRNumber", "created": "CreatedDate", "type": "RequestType", "status": "Status"},
    times=_times,
    types={
        "graffiti-removal": ("graffiti", {}),
        "single-streetlight-issue": ("street-light", {"problem": "one_out"}),
        "multiple-streetlight-issue": ("street-light", {"problem": "several_out"}),
    },
    facts={  # parts of the address and map pages are not worth keeping
        "owner": "owner",
        "requestsource": "request_source",
        "assignto": "assigned_to",
        "actiontaken": "action_taken",
        "zipcode": "zip_code",
        "apc": "planning_area",
        "cd": "council_district",
        "ncname": "neighborhood_council",
        "policeprecinct": "police_precinct",
    },
    codes={"zip_code", "council_district"},
)
