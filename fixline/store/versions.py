"""Definition versions, content-addressed, immutable, cached: publishing one (a new hash is a new version, the same hash
changes nothing) and loading the one that a request is pinned to."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from fixline.domain.definition.model import Definition
from fixline.errors import FixlineError
from fixline.store.prepared import Prepared
from fixline.store.tables import DefinitionVersionRow, table_of

_VERSION = table_of(DefinitionVersionRow).c
_CURRENT = Prepared(
    select_columns(_VERSION.hash, _VERSION.number, _VERSION.published_at).where(
        bindparam("type_") == _VERSION.type, _VERSION.current.is_(True)
    )
)


class VersionUnknown(FixlineError, LookupError):
    """The store has no such version, or no version of such a type."""


class VersionAltered(FixlineError, RuntimeError):
    """What the store keeps under a version is not that version: somebody, or another release, has changed it."""


class Published(NamedTuple):
    """A version as the store knows it: the definition, its number within the type (1, 2, 3 ...), since when."""

    definition: Definition
    number: int
    published_at: datetime

    @property
    def hash(self) -> str:
        """The version."""
        return self.definition.version


class Versions:
    """Loads versions once per process: a version never changes, so a cached one is never stale. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, Definition] = {}

    def load(self, session: Session, version: str) -> Definition:
        """The definition of this version. Raises VersionUnknown, and VersionAltered for a body that is another's."""
        found = self._known.get(version)
        if found is None:
            row = session.get(DefinitionVersionRow, version)
            if row is None:
                raise VersionUnknown(f"the store has no definition version {version}")
            found = Definition.model_validate_json(row.body)
            if found.version != version:
                raise VersionAltered(f"what the store keeps as version {version} of {row.type} is {found.version}")
            self._known[version] = found
        return found

    def remember(self, definition: Definition) -> None:
        """Know a version, also one that the store does not have yet: for a plan of what moving to it would come to."""
        self._known[definition.version] = definition

    def current(self, session: Session, type_: str) -> Published:
        """The version that new requests of a type get. Raises VersionUnknown."""
        row = _CURRENT.first(session, {"type_": type_})
        if row is None:
            raise VersionUnknown(f"there is no request type {type_!r}")
        version, number, published_at = row
        return Published(self.load(session, version), number, published_at)

    def all_current(self, session: Session) -> list[Published]:
        """The current version of every type, by type."""
        rows = session.exec(
            select(DefinitionVersionRow)
            .where(col(DefinitionVersionRow.current).is_(True))
            .order_by(DefinitionVersionRow.type)
        )
        return [Published(self.load(session, row.hash), row.number, row.published_at) for row in rows]


def publish(session: Session, definition: Definition, now: datetime) -> bool:
    """Make this the current version of its type. True when the store had not known it.

    A version published before becomes current again without a new row.
    """
    row = _locked(session, definition)
    if row is not None and row.current:
        return False
    session.execute(update(DefinitionVersionRow).where(_of_type(definition)).values(current=False))
    if row is None:
        _add(session, definition, now, current=True)
        return True
    row.current = True
    return False


def keep(session: Session, definition: Definition, now: datetime) -> bool:
    """Keep a version that is not the current one. True when the store had not known it."""
    if _locked(session, definition) is not None:
        return False
    _add(session, definition, now, current=False)
    return True


def _of_type(definition: Definition) -> ColumnElement[bool]:
    return col(DefinitionVersionRow.type) == definition.type


def _locked(session: Session, definition: Definition) -> DefinitionVersionRow | None:
    """The row of this version, where there is one; of a type one publishes at a time."""
    session.exec(select(DefinitionVersionRow.hash).where(_of_type(definition)).with_for_update()).all()
    return session.get(DefinitionVersionRow, definition.version)


def _add(session: Session, definition: Definition, now: datetime, *, current: bool) -> None:
    last = session.exec(select(func.max(DefinitionVersionRow.number)).where(_of_type(definition))).one()
    row = DefinitionVersionRow(
        hash=definition.version,
        type=definition.type,
        number=(last or 0) + 1,
        title=definition.title,
        department=definition.department,
        body=definition.body,
        published_at=now,
        current=current,
    )
    session.add(row)
    session.flush()
