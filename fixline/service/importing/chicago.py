"""Chicago's legacy open data: one CSV file per request type, before the city's change of system in 2018.

Owns the spellings of its columns, statuses and types. Two shapes are known: the portal's per-type files (creation
and completion date, status, street address, degrees) and the street light files (dates such as 1-Apr-12, no status,
the place under Location, the crew's outcome, x and y). X and y are feet in Illinois State Plane East (EPSG:3435);
they are kept as facts and not turned into degrees. Dates are local and have no time: an instant is that day's
midnight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Columns
from collections.abc import Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.service.importing.cells import clean, code, coordinates, find_column, local_instant, slug
from fixline.service.importing.records import MAX_ADDRESS, MAX_NUMBER, HeaderUnfit, Reader, Record, Unfit

_COLUMNS = {
    "number": ("service_request_number", "service_request_no", "service_request_id", "sr_number"),
    "status": ("status",),
    "created": ("creation_date", "created_date"),
    "completed": ("completion_date", "completed_date", "closed_date"),
    "type": ("type_of_service_request", "service_request_type", "sr_type", "type"),
    "address": ("street_address", "address"),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
    "location": ("location",),
}
_NEEDED = {"number": "Service Request Number", "created": "Creation Date", "type": "Type of Service Request"}
_FACT_NAMES = {
    "what_is_the_nature_of_this_code_violation": "nature",
    "zip": "zip_code",
    "x_coord": "x_coordinate",
    "y_coord": "y_coordinate",
}
_CODES = {"zip_code", "ward", "police_district", "community_area", "ssa"}
_LABELS = {"nature": "nature"}
"""Facts that answer a question of ours: the question's name, and the fact with the option's label."""

_STATUS: dict[str, CloseOutcome | None] = {
    "open": None,
    "open - dup": None,
    "completed": CloseOutcome.FIXED,
    "completed - dup": CloseOutcome.DUPLICATE,
}
_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
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
}
"""Our type by the slug of the source's, and the answers that the source's type implies."""
_POINT = re.compile(r"\(\s*-?\d+(?:\.\d+)?\s*,\s*-?\d+(?:\.\d+)?\s*\)|POINT\b", re.IGNORECASE)


class Chicago:
    """The mapping `chicago`."""

    source = "chicago"

    def reader(self, header: Sequence[str], zone: ZoneInfo) -> Reader:
        """A reader for a file of either shape. Raises HeaderUnfit."""
        names = [slug(clean(name), "_") for name in header]
        found = {ours: find_column(names, spellings) for ours, spellings in _COLUMNS.items()}
        missing = [title for ours, title in _NEEDED.items() if found[ours] is None]
        if missing:
            raise HeaderUnfit(f"the file has no column {', '.join(missing)}; it has {', '.join(header)[:300]}")
        columns = {ours: place for ours, place in found.items() if place is not None}
        facts = {
            _FACT_NAMES.get(name, name): place
            for place, name in enumerate(names)
            if name and name != "location" and place not in columns.values()
        }
        number = columns["number"]
        return Reader(lambda cells: clean(cells[number]), partial(_record, columns, facts, zone))


def _record(columns: Columns[str, int], facts: Columns[str, int], zone: ZoneInfo, cells: Sequence[str]) -> Record:
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
    outcome = _outcome(cell)
    opened_at = local_instant(cell["created"], zone)
    closed_at = local_instant(cell["completed"], zone) if outcome is not None else None
    if closed_at is not None and closed_at < opened_at:
        raise Unfit(f"completed {cell['completed']} before it was created {cell['created']}")
    point = coordinates(cell.get("latitude", ""), cell.get("longitude", ""))
    kept = {name: text for name, place in facts.items() if (text := clean(cells[place]))}
    kept = {name: code(text) if name in _CODES else text for name, text in kept.items()}
    ours, answers = _TYPES.get(slug(source_type), (None, {}))
    return Record(
        number=number,
        type=ours or slug(source_type),
        known=ours is not None,
        source_type=source_type,
        opened_at=opened_at,
        outcome=outcome,
        closed_at=closed_at,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        address=_address(cell),
        answers=answers,
        labels={question: kept[fact] for question, fact in _LABELS.items() if fact in kept},
        facts=kept,
    )


def _outcome(cell: Columns[str, str]) -> CloseOutcome | None:
    """What it came to; None while it is open. Files without a status say it by the completion date."""
    completed = cell.get("completed", "")
    if "status" not in cell:
        return CloseOutcome.FIXED if completed else None
    status = " ".join(cell["status"].lower().split())
    if status not in _STATUS:
        raise Unfit(f"the status {cell['status'][:40]!r} is unknown")
    outcome = _STATUS[status]
    if outcome is not None and not completed:
        raise Unfit("the row is completed and has no completion date")
    return outcome


def _address(cell: Columns[str, str]) -> str | None:
    """The street address; in the street light files it stands under Location, where others have the point."""
    address = cell.get("address", "")
    if not address and not _POINT.search(cell.get("location", "")):
        address = cell.get("location", "")
    if len(address) > MAX_ADDRESS:
        raise Unfit(f"the address has more than {MAX_ADDRESS} characters")
    return " ".join(address.split()) or None
