"""`fixline keys`: bearer keys for people's programs, made, listed and revoked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(help="A folder of `fixline up`. [default: the settings' database]")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Name = Annotated[str, typer.Argument(help="The key's name.")]

app = typer.Typer(help="Make, list and revoke keys of the HTTP API.", no_args_is_help=True)


@app.command("create")
def create(
    name: Name,
    role: Annotated[str, typer.Option(help="What it may do: admin, supervisor, analyst, crew or service.")],
    team: Annotated[list[str] | None, typer.Option(help="For a crew: a team it acts for; may be repeated.")] = None,
    department: Annotated[str | None, typer.Option(help="For a supervisor: the one department.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: this is the only time that it is shown."""
    from fixline.cli.key_admin import make_key

    key = make_key(name, role, team or [], department, data)
    print(json.dumps({"name": name, "role": role, "key": key}) if as_json else key)


@app.command("list")
def list_all(data: Data = None, as_json: AsJson = False) -> None:
    """List all keys; never the keys themselves."""
    from fixline.cli.key_admin import all_keys, shown

    keys = all_keys(data)
    if as_json:
        print(json.dumps({"keys": [shown(key) for key in keys]}, indent=2))
        return
    for key in keys:
        limits = ", ".join(key.teams) or key.department or "-"
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}Z" if key.revoked_at else "works"
        print(f"{key.name:<24} {key.role.value:<11} {state:<26} {limits}")


@app.command("revoke")
def revoke(name: Name, data: Data = None) -> None:
    """End a key at once."""
    from fixline.cli.key_admin import end_key

    print(f"{end_key(name, data).name} is revoked")
