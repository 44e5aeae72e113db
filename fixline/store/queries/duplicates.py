"""Open requests that a new report may repeat: of its type, near its place, opened of late.

The search runs within the transaction of an opening, so its statements are built once, and the index
`ix_request_open_place` holds nothing but open requests that are attached to no other. Instants are aware UTC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select
from sqlmodel import Session

from fixline.domain.definition.model import Duplicates, WhenDuplicate
from fixline.domain.process.commands import Original
from fixline.store.instants import UtcDateTime
from fixline.store.queries.places import METRES_PER_DEGREE, Circle, haversine_m
from fixline.store.queries.requests import REQUEST

MOST = 5
"""How many a report is answered with."""
_SPARE = 3
"""Rows on the edge that the databases' plain arithmetic lets in and the distance on the sphere does not."""

_up: Any = REQUEST.latitude - bindparam("latitude_")
_east: Any = (REQUEST.longitude - bindparam("longitude_")) * bindparam("cosine_")
_square: Any = (_up * _up + _east * _east) * (METRES_PER_DEGREE**2)
_ALIKE: Any = select(
    REQUEST.id, REQUEST.opened_at, REQUEST.status, REQUEST.step, REQUEST.latitude, REQUEST.longitude
).where(
    REQUEST.status == literal_column("'open'"),  # spelled as in the index
    REQUEST.attached_to.is_(None),
    REQUEST.type == bindparam("type_"),
    REQUEST.latitude.between(bindparam("south_"), bindparam("north_")),
    REQUEST.longitude.between(bindparam("west_"), bindparam("east_")),
    REQUEST.opened_at >= bindparam("since_", type_=UtcDateTime()),
    _square <= bindparam("square_"),
)
NEAREST: Any = _ALIKE.order_by(_square, REQUEST.opened_at, REQUEST.id).limit(MOST + _SPARE)
# A bare opened_at would lead SQLite to the index of all requests of the type, since that is in this order.
OLDEST: Any = _ALIKE.order_by(func.coalesce(REQUEST.opened_at, REQUEST.opened_at), REQUEST.id).limit(1 + _SPARE)


@dataclass(frozen=True)
class Alike:
    """What a report may repeat: at most MOST requests, the nearest first, and the one that it is attached to.

    Each of `possible` has id, distance_m, opened_at, status, step and title: what the public may know.
    """

    possible: tuple[dict[str, Any], ...] = ()
    attach_to: Original | None = None


NOTHING = Alike()


def find_alike(
    session: Session, type_: str, title: str, rules: Duplicates, latitude: float, longitude: float, now: datetime
) -> Alike:
    """The open requests that a report at this place (degrees) may repeat, by its type's rules."""
    wanted = parameters(type_, rules, latitude, longitude, now)

    def within(statement: Any) -> list[tuple[float, Any]]:
        rows = session.connection().execute(statement, wanted)
        found = [(haversine_m(latitude, longitude, row.latitude, row.longitude), row) for row in rows]
        return [(distance, row) for distance, row in found if distance <= rules.within_m]

    nearest = within(NEAREST)[:MOST]
    if not nearest:
        return NOTHING
    attach_to = None
    if rules.then is WhenDuplicate.ATTACH:
        attach_to = next((Original(id=row.id, opened_at=row.opened_at) for _, row in within(OLDEST)), None)
    possible = [
        {
            "id": row.id,
            "distance_m": round(distance, 1),
            "opened_at": row.opened_at.isoformat(),
            "status": row.status,
            "step": row.step,
            "title": title,
        }
        for distance, row in nearest
    ]
    return Alike(tuple(possible), attach_to)


def parameters(type_: str, rules: Duplicates, latitude: float, longitude: float, now: datetime) -> dict[str, Any]:
    """What the statements are given."""
    box = Circle(latitude, longitude, rules.within_m).box
    return {
        "type_": type_,
        "latitude_": latitude,
        "longitude_": longitude,
        "cosine_": math.cos(math.radians(latitude)),
        "south_": box.south,
        "north_": box.north,
        "west_": box.west,
        "east_": box.east,
        "since_": now - rules.elapsed,
        "square_": (rules.within_m * 1.001 + 0.01) ** 2,
    }


def original_of(session: Session, request_id: str) -> dict[str, Any] | None:
    """What must be known of the request to which another is attached; None when there is none, or it is history."""
    wanted = (REQUEST.id, REQUEST.department, REQUEST.status, REQUEST.outcome, REQUEST.opened_at, REQUEST.attached_to)
    statement = select(*wanted).where(REQUEST.id == request_id, REQUEST.state.is_not(None))
    row = session.execute(statement).mappings().first()
    return dict(row) if row is not None else None
