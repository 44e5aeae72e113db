"""The work behind `fixline keys`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import Session

from fixline.catalog import read_catalog
from fixline.cli.access import find_place, open_store
from fixline.cli.outcome import Trouble, WrongUse
from fixline.domain.process.commands import Role
from fixline.identity.keys import ROLES, KeyNameTaken, KeyRecord, KeyUnknown, create_key, list_keys, revoke_key
from fixline.service.submissions import utc_now
from fixline.settings import read_settings

T = TypeVar("T")


def make_key(name: str, role: str, teams: list[str], department: str | None, data: Path | None) -> str:
    """Make a key and answer with it. Raises WrongUse, Trouble."""
    if role not in list(ROLES):
        raise WrongUse(f"--role {role}: must be one of {', '.join(ROLES)}")
    _check_known(teams, department)

    def work(session: Session) -> str:
        return create_key(session, name, Role(role), utc_now(), teams=teams, department=department)

    try:
        return _in_store(data, work)
    except KeyNameTaken as error:
        raise Trouble(str(error)) from None
    except ValueError as error:
        raise WrongUse(str(error)) from None


def all_keys(data: Path | None) -> list[KeyRecord]:
    """Every key, by name."""
    return _in_store(data, list_keys, writes=False)


def end_key(name: str, data: Path | None) -> KeyRecord:
    """Revoke a key. Raises Trouble when there is none of that name."""
    try:
        return _in_store(data, lambda session: revoke_key(session, name, utc_now()))
    except KeyUnknown as error:
        raise Trouble(str(error)) from None


def shown(key: KeyRecord) -> dict[str, Any]:
    """What may be told about a key: everything but its hash."""
    return {
        "name": key.name,
        "role": key.role.value,
        "teams": list(key.teams),
        "department": key.department,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }


def _check_known(teams: list[str], department: str | None) -> None:
    """Raise WrongUse for a team or department that organisation.yaml does not have: such a key would see nothing."""
    if not teams and department is None:
        return
    organisation = read_catalog(read_settings().definitions_folder).catalog.organisation
    if organisation is None:
        return
    for team in teams:
        if team not in organisation.teams:
            raise WrongUse(f"--team {team}: organisation.yaml has no such team")
    if department is not None and department not in organisation.departments:
        raise WrongUse(f"--department {department}: organisation.yaml has no such department")


def _in_store(data: Path | None, work: Callable[[Session], T], *, writes: bool = True) -> T:
    settings = read_settings()
    with open_store(settings, find_place(settings, data)) as store:
        return store.write(work) if writes else store.read(work)
