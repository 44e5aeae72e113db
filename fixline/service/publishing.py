"""Which version of a type is current: published on purpose, or taken from the folder at a start.

Owns the rule between the two. Whoever publishes decides; a start takes the folder's definitions, but never puts an
older file in the place of what was published since. Instants are aware UTC; every function works in the caller's
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from fixline.domain.definition.model import Definition
from fixline.store.tables import DefinitionVersionRow, RequestRow, table_of
from fixline.store.versions import VersionUnknown, publish

FOLDER, PUBLISHED = "folder", "published"
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


def publish_on_purpose(session: Session, definition: Definition, now: datetime, by: str) -> Publication:
    """Make this the current version of its type until somebody publishes another."""
    before, version = _current(session, definition.type), definition.version
    new = publish(session, definition, now)
    row = session.get_one(DefinitionVersionRow, version)
    if before is not None and before.hash == version:
        return Publication(definition.type, row.number, version, "unchanged")
    row.origin, row.published_by = PUBLISHED, by
    session.add(row)
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
            session.add(current)
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


def find_version(session: Session, type_: str, wanted: str) -> str:
    """The hash of a version named by its number, by its hash or the beginning of one, or as `current`.

    Raises VersionUnknown.
    """
    lines = list_versions(session, type_)
    if not lines:
        raise VersionUnknown(f"there is no request type {type_!r}")
    found = {line.hash for line in lines if _is_meant(line, wanted)}
    if len(found) != 1:
        raise VersionUnknown(f"{type_} has no version {wanted!r}; it has 1 to {lines[0].number}")
    return found.pop()


def _is_meant(line: VersionLine, wanted: str) -> bool:
    if wanted.isdecimal() and len(wanted) < LEAST_HASH:
        return line.number == int(wanted)
    return line.current if wanted == "current" else len(wanted) >= LEAST_HASH and line.hash.startswith(wanted)


LEAST_HASH = 8
"""How much of a hash says which one is meant."""


def _current(session: Session, type_: str) -> DefinitionVersionRow | None:
    of_type = (DefinitionVersionRow.type == type_, col(DefinitionVersionRow.current).is_(True))
    return session.exec(select_rows(DefinitionVersionRow).where(*of_type)).first()
