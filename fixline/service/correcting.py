"""Calendars corrected for open requests: which versions hold the wrong one, and the same with the right one.

Owns the finding and keeping of those versions; that a request goes on by one is a move (`fixline.service.moving`).
Instants are aware UTC; every function works in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.service.publishing import PUBLISHED
from fixline.store.tables import DefinitionVersionRow, RequestRow, table_of
from fixline.store.versions import Versions, keep, publish

_REQUEST = table_of(RequestRow).c
_VERSION = table_of(DefinitionVersionRow).c


class Correction(NamedTuple):
    """One version with another calendar: its type, its hash and number, whether it is current, and what it becomes."""

    type: str
    source: str
    number: int
    current: bool
    definition: Definition

    @property
    def target(self) -> str:
        """The version that it becomes."""
        return self.definition.version


def plan_corrections(session: Session, versions: Versions, calendar: WorkingCalendar) -> list[Correction]:
    """Each version that open requests follow, or new ones would, and that holds another calendar of this name; by type
    and number. Nothing is written, but `versions` knows what is planned."""
    followed = select(_REQUEST.version).where(_REQUEST.status == "open").distinct()
    statement = select(_VERSION.hash, _VERSION.number, _VERSION.current)
    rows = session.execute(
        statement.where(or_(_VERSION.current.is_(True), _VERSION.hash.in_(followed))).order_by(
            _VERSION.type, _VERSION.number
        )
    ).all()
    found: list[Correction] = []
    for version, number, current in rows:
        definition = versions.load(session, version)
        if definition.takes_requests and definition.calendar.name == calendar.name and definition.calendar != calendar:
            corrected = definition.model_copy(update={"calendar": calendar})
            versions.remember(corrected)
            found.append(Correction(definition.type, version, number, current, corrected))
    return found


def keep_corrections(session: Session, corrections: list[Correction], now: datetime, by: str) -> None:
    """Keep the corrected versions; the one of a current version becomes current, as published or of the folder as that
    one was."""
    for each in corrections:
        if not each.current:
            keep(session, each.definition, now)
            continue
        origin = session.get_one(DefinitionVersionRow, each.source).origin
        publish(session, each.definition, now)
        row = session.get_one(DefinitionVersionRow, each.target)
        row.origin, row.published_by = origin, by if origin == PUBLISHED else row.published_by
        session.add(row)
        session.flush()
