"""`fixline keys`: bearer keys for people's programs, made, listed and revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from fixline.catalog import read_catalog
from fixline.cli.access import find_place
from fixline.cli.common import AsJson, Data, Trouble, WrongUse, put
from fixline.domain.process.commands import Role
from fixline.identity import ROLES, KeyNameTaken, KeyRecord, KeyUnknown, create_key, list_keys, revoke_key
from fixline.service.submissions import utc_now
from fixline.settings import read_settings

Name = Annotated[str, typer.Argument(help="The key's name.")]

app = typer.Typer()


@app.command()
def create(
    name: Name,
    role: Annotated[str, typer.Option(help="What it may do: admin, supervisor, analyst, crew or service.")],
    team: Annotated[list[str] | None, typer.Option(help="For a crew: a team it acts for; may be repeated.")] = None,
    department: Annotated[str | None, typer.Option(help="For a supervisor: the one department.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: this is the only time that it is shown."""
    if role not in list(ROLES):
        raise WrongUse(f"--role {role}: must be one of {', '.join(ROLES)}")
    _check_known(team or [], department)
    made = partial(create_key, name=name, role=Role(role), now=utc_now(), teams=team or [], department=department)
    try:
        with find_place(data).open() as store:
            key = store.write(made)
    except KeyNameTaken as error:
        raise Trouble(str(error)) from None
    except ValueError as error:
        raise WrongUse(str(error)) from None
    print(json.dumps({"name": name, "role": role, "key": key}) if as_json else key)


@app.command("list")
def list_all(data: Data = None, as_json: AsJson = False) -> None:
    """List all keys; never the keys themselves."""
    with find_place(data).open() as store:
        keys = store.read(list_keys)
    shown = [key.model_dump(exclude={"id", "hash"}) for key in keys]
    put({"keys": shown}, _in_words(keys), as_json=as_json)


@app.command()
def revoke(name: Name, data: Data = None) -> None:
    """End a key at once."""
    try:
        with find_place(data).open() as store:
            revoked = store.write(partial(revoke_key, name=name, now=utc_now()))
    except KeyUnknown as error:
        raise Trouble(str(error)) from None
    print(f"{revoked.name} is revoked")


def _in_words(keys: list[KeyRecord]) -> Iterator[str]:
    for key in keys:
        limits = ", ".join(key.teams) or key.department or "-"
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}Z" if key.revoked_at else "works"
        yield f"{key.name:<24} {key.role.value:<11} {state:<26} {limits}"


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
