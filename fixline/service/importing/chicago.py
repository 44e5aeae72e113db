"""Chicago's legacy open data: one CSV file per request type, before the city's change of system in 2018.

Owns the spellings of its columns, statuses and types. Two shapes are known: the portal's per-type files (creation
and completion date, status, street address, degrees) and the street light files (dates such as 1-Apr-12, no status,
the place under Location, the crew's outcome, x and y). X and y are feet in Illinois State Plane East (EPSG:3435);
they are kept as facts and not turned into degrees. Dates are local and have no time: an instant is that day's
midnight.
"""

from __future__ import annotations

from collections.abc import Mapping as Cells
from zoneinfo import ZoneInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.service.importing.cells import Unfit, local_instant
from fixline.service.importing.mapping import Mapping, Times, outcome_of

_STATUSES: dict[str, CloseOutcome | None] = {
    "open": None,
    "open - dup": None,
    "completed": CloseOutcome.FIXED,
    "completed - dup": CloseOutcome.DUPLICATE,
}


def _times(cell: Cells[str, str], zone: ZoneInfo) -> Times:
    """Files without a status say by the completion date what it came to."""
    completed = cell.get("completed", "")
    if "status" in cell:
        outcome = outcome_of(cell["status"], _STATUSES)
        if outcome is not None and not completed:
            raise Unfit("the row is completed and has no completion date")
    else:
        outcome = CloseOutcome.FIXED if completed else None
    opened_at = local_instant(cell["created"], zone)
    closed_at = local_instant(completed, zone) if outcome is not None else None
    if closed_at is not None and closed_at < opened_at:
        raise Unfit(f"completed {completed} before it was created {cell['created']}")
    return Times(opened_at, outcome, closed_at)


CHICAGO = Mapping(
    source="chicago",
    columns={
        "number": ("service_request_number", "service_request_no", "service_request_id", "sr_number"),
        "created": ("creation_date", "created_date"),
        "completed": ("completion_date", "completed_date", "closed_date"),
        "type": ("type_of_service_request", "service_request_type", "sr_type", "type"),
        "address": ("street_address", "address"),
        "location": ("location",),
    },
    needed={"number": "Service Request Number", "created": "Creation Date", "type": "Type of Service Request"},
    times=_times,
    types={
        "sanitation-code-violation": ("sanitation-code-violation", {}),
        "street-lights-all-out": ("street-light", {"problem": "several_out"}),
        "street-light-all-out": ("street-light", {"problem": "several_out"}),
        "street-light-1-out": ("street-light", {"problem": "one_out"}),
        "street-light-out": ("street-light", {"problem": "one_out"}),
        "alley-light-out": ("street-light", {"problem": "alley_out"}),
        "pothole-in-street": ("pothole", {}),
        "pot-hole-in-street": ("pothole", {}),
        "graffiti-removal": ("graffiti", {}),
        "rodent-baiting-rat-complaint": ("rodent-baiting", {}),
        "rodent-baiting": ("rodent-baiting", {}),
        "abandoned-vehicle-complaint": ("abandoned-vehicle", {}),
    },
    facts={
        "what_is_the_nature_of_this_code_violation": "nature",
        "zip": "zip_code",
        "x_coord": "x_coordinate",
        "y_coord": "y_coordinate",
    },
    codes={"zip_code", "ward", "police_district", "community_area", "ssa"},
    keeps_all=True,
    labels={"nature": "nature"},
)
