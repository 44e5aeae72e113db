"""`fixline keys`: shown once, kept as a hash, revoked at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from fixline.cli.access import ensure_admin
from fixline.cli.folder import DataFolder
from fixline.identity import find_key
from fixline.store.store import Store
from tests.support.command_line import Fixline


def test_a_key_is_printed_once_and_only_its_hash_kept(fixline: Fixline, data: Path) -> None:
    made = fixline("keys", "create", "north", "--role", "crew", "--team", "asphalt-north", "--data", data)
    key = made.out.strip()
    assert (made.code, len(key) > 40, made.err) == (0, True, "")
    assert key.encode() not in b"".join(path.read_bytes() for path in data.glob("fixline.db*"))
    listed = fixline("keys", "list", "--data", data)
    assert "asphalt-north" in listed.out
    assert key not in listed.out
    store = Store(DataFolder(data).database_url)
    found = store.read(lambda s: find_key(s, key))
    assert found is not None
    assert found.teams == ("asphalt-north",)
    assert fixline("keys", "revoke", "north", "--data", data).code == 0
    assert store.read(lambda s: find_key(s, key)) is None
    store.close()


def test_json(fixline: Fixline, data: Path) -> None:
    made = json.loads(fixline("keys", "create", "app", "--role", "service", "--data", data, "--json").out)
    assert made["role"] == "service"
    (listed,) = json.loads(fixline("keys", "list", "--data", data, "--json").out)["keys"]
    assert (listed["name"], listed["revoked_at"]) == ("app", None)
    assert not {"key", "hash"} & listed.keys()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "x", "--role", "king"], 2, "must be one of admin, supervisor, analyst, crew, service"),
        (["create", "x", "--role", "crew"], 2, "teams"),
        (["create", "x", "--role", "crew", "--team", "no-such-team"], 2, "no such team"),
        (["create", "x", "--role", "supervisor", "--department", "no-such"], 2, "no such department"),
        (["revoke", "nobody"], 1, "no key named 'nobody'"),
    ],
)
def test_what_is_refused(fixline: Fixline, data: Path, arguments: list[str], code: int, said: str) -> None:
    ran = fixline("keys", *arguments, "--data", data)
    assert ran.code == code
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_name_is_taken_once(fixline: Fixline, data: Path) -> None:
    assert fixline("keys", "create", "app", "--role", "service", "--data", data).code == 0
    again = fixline("keys", "create", "app", "--role", "service", "--data", data)
    assert (again.code, again.out) == (1, "")


def test_the_admin_key_is_made_once(sqlite_store: Store) -> None:
    key = ensure_admin(sqlite_store, None)
    assert key is not None
    assert ensure_admin(sqlite_store, None) is None
    assert sqlite_store.read(lambda s: find_key(s, key)) is not None


def test_the_settings_admin_key_holds(sqlite_store: Store) -> None:
    first = ensure_admin(sqlite_store, None)
    assert first is not None
    wanted = "one-chosen-by-the-operator"
    assert ensure_admin(sqlite_store, SecretStr(wanted)) is None
    assert sqlite_store.read(lambda s: find_key(s, wanted)) is not None
    assert sqlite_store.read(lambda s: find_key(s, first)) is None
