"""Bearer keys: made, found, listed and revoked; only their SHA-256 is kept.

A key is 32 random bytes, so a plain hash protects it as well as a slow one would. No key is ever logged or shown again
after it was made. Instants are aware UTC.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic import BaseModel
from sqlmodel import Session, col, select

from fixline.domain.process.commands import Role
from fixline.errors import FixlineError
from fixline.store.tables import ApiKeyRow

PREFIX = "fx_"
ADMIN_NAME = "admin"
ROLES = (Role.ADMIN, Role.SUPERVISOR, Role.ANALYST, Role.CREW, Role.SERVICE)
"""The roles that a key can have."""


class KeyNameTaken(FixlineError, ValueError):
    """There is a key of that name already."""


class KeyUnknown(FixlineError, LookupError):
    """There is no key of that name."""


class KeyRecord(BaseModel, frozen=True, from_attributes=True):
    """What a key allows. `teams` limits a crew, `department` a supervisor (None: every department)."""

    id: str
    name: str
    role: Role
    teams: tuple[str, ...]
    department: str | None
    created_at: datetime
    revoked_at: datetime | None
    hash: str


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    session: Session,
    name: str,
    role: Role,
    now: datetime,
    *,
    teams: Iterable[str] = (),
    department: str | None = None,
    key: str | None = None,
) -> str:
    """Make a key (or keep the one given) and answer with it: this is the only time that it is shown.

    Raises KeyNameTaken, and ValueError for a role that no key can have, a crew without teams, teams or a department
    for a role that has none.
    """
    _check_limits(role, tuple(teams := list(teams)), department)
    if _named(session, name) is not None:
        raise KeyNameTaken(f"there is a key named {name!r} already")
    key = key or PREFIX + secrets.token_urlsafe(32)
    limits: dict[str, Any] = {"role": role.value, "teams": teams, "department": department}
    session.add(ApiKeyRow(id=uuid4().hex, name=name, hash=hash_of(key), created_at=now, **limits))
    session.flush()
    return key


def _check_limits(role: Role, teams: tuple[str, ...], department: str | None) -> None:
    if role not in ROLES:
        raise ValueError(f"a key's role is one of {', '.join(ROLES)}, not {role.value}")
    if role is Role.CREW and not teams:
        raise ValueError("a crew's key names the teams that it may act for")
    if role is not Role.CREW and teams:
        raise ValueError(f"a key of role {role.value} has no teams")
    if role is not Role.SUPERVISOR and department is not None:
        raise ValueError(f"a key of role {role.value} has no department")


def find_key(session: Session, key: str) -> KeyRecord | None:
    """The key that works: known and not revoked."""
    wanted = hash_of(key)
    row = session.exec(select(ApiKeyRow).where(ApiKeyRow.hash == wanted, col(ApiKeyRow.revoked_at).is_(None))).first()
    if row is None or not hmac.compare_digest(row.hash, wanted):
        return None
    return KeyRecord.model_validate(row)


def list_keys(session: Session) -> list[KeyRecord]:
    """Every key, revoked ones included, by name."""
    return [KeyRecord.model_validate(row) for row in session.exec(select(ApiKeyRow).order_by(ApiKeyRow.name))]


def revoke_key(session: Session, name: str, now: datetime) -> KeyRecord:
    """End a key; one that has ended stays as it is. Raises KeyUnknown."""
    row = _named(session, name)
    if row is None:
        raise KeyUnknown(f"there is no key named {name!r}")
    row.revoked_at = row.revoked_at or now
    session.flush()
    return KeyRecord.model_validate(row)


def ensure_admin_key(session: Session, key: str, now: datetime) -> None:
    """Make this the admin key: the one named `admin` gets it, whatever key it had before."""
    row = _named(session, ADMIN_NAME)
    wanted = hash_of(key)
    if row is None:
        create_key(session, ADMIN_NAME, Role.ADMIN, now, key=key)
    elif row.hash != wanted or row.revoked_at is not None or row.role != Role.ADMIN:
        row.hash, row.revoked_at, row.role = wanted, None, Role.ADMIN.value
        row.teams, row.department = [], None
        session.flush()


def _named(session: Session, name: str) -> ApiKeyRow | None:
    return session.exec(select(ApiKeyRow).where(ApiKeyRow.name == name)).first()
