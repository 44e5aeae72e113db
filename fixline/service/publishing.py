"""The versions of a type: published on purpose, taken from the folder at a start, or corrected in their calendar.

Whoever publishes decides; a start takes the folder's definitions, but never puts an older file in the place of what was
published since. That a request goes on by a corrected version is a move (`fixline.service.moving`). Instants are aware
UTC; every function works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, or_, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.store.tables import DefinitionVersionRow, RequestRow, table_of
from fixline.store.versions import Versions, VersionUnknown, keep, publish

FOLDER, PUBLISHED = "folder", "published"
LEAST_HASH = 8
"""How much of a hash says which one is meant."""
State = Literal["published", "current_again", "unchanged"]
_REQUEST = table_of(RequestRow).c
_VERSION = table_of(DefinitionVersionRow).c


class Publication(NamedTuple):
    """What publishing one definition came to."""

    type: str
    number: int
    hash: str
    state: State

    @property
    def warning(self) -> str:
        """What a start says of a version that stays although the folder has another content."""
        return (
            f"{self.type}: version {self.number} was published since and stays current, the folder has another "
            f"content; `fixline publish` makes the folder's current"
        )


@dataclass(frozen=True)
class Taken:
    """What a start came to: the types that got a version new to the store, and the versions that stay current
    although the folder has another content."""

    published: tuple[str, ...]
    kept: tuple[Publication, ...]


class VersionLine(NamedTuple):
    """One version of a type, without its content; `open` counts the open requests that follow it."""

    number: int
    hash: str
    title: str
    published_at: datetime
    published_by: str | None
    current: bool
    open: int


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


def publish_on_purpose(session: Session, definition: Definition, now: datetime, by: str) -> Publication:
    """Make this the current version of its type until somebody publishes another."""
    before, version = _current(session, definition.type), definition.version
    new = publish(session, definition, now)
    row = session.get_one(DefinitionVersionRow, version)
    if before is not None and before.hash == version:
        return Publication(definition.type, row.number, version, "unchanged")
    row.origin, row.published_by = PUBLISHED, by
    session.flush()
    return Publication(definition.type, row.number, version, "published" if new else "current_again")


def take_folder(session: Session, definitions: Iterable[Definition], now: datetime) -> Taken:
    """Take the folder's definitions at a start.

    A version that was published on purpose stays current until the folder has the same content: from then on the
    folder is followed again.
    """
    published: list[str] = []
    kept: list[Publication] = []
    for definition in definitions:
        current = _current(session, definition.type)
        if current is not None and current.hash == definition.version:
            current.origin = FOLDER
        elif current is not None and current.origin == PUBLISHED:
            kept.append(Publication(definition.type, current.number, current.hash, "unchanged"))
        elif publish(session, definition, now):
            published.append(definition.type)
        else:
            session.get_one(DefinitionVersionRow, definition.version).origin = FOLDER
    return Taken(tuple(published), tuple(kept))


def list_versions(session: Session, type_: str) -> list[VersionLine]:
    """The versions of a type, the newest number first; empty for a type that nobody has published."""
    names = ("number", "hash", "title", "published_at", "published_by", "current")
    is_open = (_REQUEST.version == _VERSION.hash) & (_REQUEST.status == "open")
    count = select(func.count()).where(is_open).scalar_subquery()
    statement = select(*(_VERSION[name] for name in names), count).where(_VERSION.type == type_)
    return [VersionLine(*row) for row in session.execute(statement.order_by(_VERSION.number.desc()))]


def find_version(lines: Sequence[VersionLine], type_: str, wanted: str) -> VersionLine:
    """Of the versions of a type (not empty) the one named by its number, by its hash or the beginning of one, or as
    `current`. Raises VersionUnknown."""
    if wanted.isdecimal() and len(wanted) < LEAST_HASH:
        found = [line for line in lines if line.number == int(wanted)]
    elif wanted == "current":
        found = [line for line in lines if line.current]
    else:
        found = [line for line in lines if len(wanted) >= LEAST_HASH and line.hash.startswith(wanted)]
    if len(found) != 1:
        raise VersionUnknown(f"{type_} has no version {wanted!r}; it has 1 to {lines[0].number}")
    return found[0]


def _current(session: Session, type_: str) -> DefinitionVersionRow | None:
    of_type = (DefinitionVersionRow.type == type_, col(DefinitionVersionRow.current).is_(True))
    return session.exec(select_rows(DefinitionVersionRow).where(*of_type)).first()


def plan_corrections(session: Session, versions: Versions, calendar: WorkingCalendar) -> list[Correction]:
    """Each version that open requests follow, or new ones would, and that holds another calendar of this name; by type
    and number. Nothing is written, but `versions` knows what is planned."""
    followed = select(_REQUEST.version).where(_REQUEST.status == "open").distinct()
    held = or_(_VERSION.current.is_(True), _VERSION.hash.in_(followed))
    statement = select(_VERSION.hash, _VERSION.number, _VERSION.current).where(held)
    rows = session.execute(statement.order_by(_VERSION.type, _VERSION.number)).all()
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
        session.flush()
