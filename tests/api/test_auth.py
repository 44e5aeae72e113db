"""Keys and roles: every route asks for a key, and says whose."""

from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from fixline.domain.process.commands import Role
from fixline.identity import (
    KeyNameTaken,
    KeyUnknown,
    create_key,
    ensure_admin_key,
    find_key,
    list_keys,
    revoke_key,
)
from fixline.store.store import Store
from fixline.store.tables import ApiKeyRow
from fixline.web.auth import ALL, Guarded, allow
from tests.support.api import MORNING, POTHOLE, Service, problem

WHY = {"reason": "as said"}
READERS = {"admin", "supervisor", "analyst", "service", "crew"}
ROUTES: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("POST", "requests", {**POTHOLE, "dry_run": True}, {"admin", "supervisor", "service"}),
    ("GET", "requests", None, READERS),
    ("GET", "requests/{id}", None, READERS),
    ("GET", "requests/{id}/journal", None, READERS),
    ("GET", "requests/{id}/events?seconds=0", None, READERS),
    ("POST", "requests/{id}/hold", WHY, {"admin", "supervisor"}),
    ("POST", "requests/{id}/resume", WHY, {"admin", "supervisor"}),
    ("POST", "requests/{id}/cancel", WHY, {"admin", "supervisor", "service"}),
    ("POST", "requests/{id}/reopen", WHY, {"admin", "supervisor", "service"}),
    ("POST", "requests/{id}/priority", {**WHY, "priority": None}, {"admin", "supervisor"}),
    ("POST", "requests/{id}/recategorise", {**WHY, "type": "x"}, {"admin", "supervisor"}),
    ("POST", "requests/{id}/amend", {**WHY, "description": "x"}, {"admin", "supervisor"}),
    ("POST", "requests/{id}/send-back", {**WHY, "step": "repair"}, {"admin", "supervisor"}),
    ("POST", "requests/{id}/comment", WHY, {"admin", "supervisor", "service", "crew"}),
    ("POST", "requests/{id}/reassign", {**WHY, "assignee": "x"}, {"admin", "supervisor"}),
    ("POST", "requests/{id}/signal", {"name": "x"}, {"admin", "supervisor", "service"}),
    ("POST", "requests/{id}/agency-reply", {"outcome": "x"}, {"admin", "supervisor", "service"}),
    ("POST", "requests/{id}/attach", {**WHY, "to": "SR26-99999999"}, {"admin", "supervisor"}),
    ("POST", "requests/{id}/detach", WHY, {"admin", "supervisor"}),
    ("GET", "commands/none", None, READERS),
    ("GET", "tasks", None, {"admin", "supervisor", "crew"}),
    ("GET", "tasks/{id}-T1", None, {"admin", "supervisor", "crew"}),
    ("POST", "tasks/{id}-T1/claim", {}, {"admin", "supervisor", "crew"}),
    ("POST", "tasks/{id}-T1/release", {}, {"admin", "supervisor", "crew"}),
    ("POST", "tasks/{id}-T1/start", {}, {"admin", "supervisor", "crew"}),
    ("POST", "tasks/{id}-T1/complete", {"outcome": "x"}, {"admin", "supervisor", "crew"}),
    ("POST", "tasks/{id}-T1/decline", WHY, {"admin", "supervisor", "crew"}),
    ("POST", "tasks/{id}-T1/reassign", {**WHY, "assignee": "x"}, {"admin", "supervisor"}),
    ("GET", "overdue", None, {"admin", "supervisor"}),
    ("GET", "due-soon", None, {"admin", "supervisor"}),
    ("GET", "dormant", None, {"admin", "supervisor"}),
    ("GET", "waiting", None, {"admin", "supervisor"}),
    ("GET", "unclaimed", None, {"admin", "supervisor"}),
    ("POST", "requests/bulk", {**WHY, "kind": "hold", "ids": ["SR26-99999999"]}, {"admin", "supervisor"}),
    ("GET", "bulk/none", None, {"admin", "supervisor"}),
    ("GET", "reports/sla", None, {"admin", "supervisor"}),
    ("GET", "definitions", None, READERS),
    ("GET", "definitions/pothole", None, READERS),
    ("GET", "definitions/pothole/graph.svg", None, READERS),
    ("POST", "definitions", {"text": "x"}, {"admin", "analyst"}),
    ("POST", "definitions/check", {"text": "x"}, {"admin", "analyst", "supervisor"}),
    ("GET", "definitions/pothole/versions", None, READERS),
    ("GET", "definitions/pothole/diff?from=1", None, READERS),
    ("POST", "definitions/pothole/move", {"to": 1, "dry_run": True}, {"admin", "analyst"}),
]
KEY_OF = {"admin": "admin", "analyst": "analyst", "supervisor": "supervisor", "service": "app", "crew": "inspectors"}


@pytest.mark.parametrize(("method", "path", "body", "roles"), ROUTES, ids=[" ".join(r[:2]) for r in ROUTES])
async def test_who_may_call_what(
    service: Service, method: str, path: str, body: dict[str, Any] | None, roles: set[str]
) -> None:
    request_id = await service.open()
    address = path.format(id=request_id)
    for role in sorted(set(KEY_OF) - roles):
        before = service.rows()
        found = problem(await service.call(method, address, body, by=KEY_OF[role]), 403, "wrong_role")
        assert found["data"] == {"role": role}
        assert service.rows() == before
    for role in sorted(roles):
        answer = await service.call(method, address, body, by=KEY_OF[role])
        assert answer.status_code not in (401, 403), (role, answer.text)


async def test_the_table_above_has_every_route(service: Service) -> None:
    document = (await service.call("GET", "/openapi.json", by=None)).json()
    routes = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method in methods
    }
    names = [
        ("{id}-T1", "{task_id}"),
        ("{id}", "{request_id}"),
        ("commands/none", "commands/{command_id}"),
        ("bulk/none", "bulk/{bulk_id}"),
        ("/pothole", "/{type}"),
        ("/sla", "/{report}"),
    ]
    tested = set()
    for method, path, _, _ in ROUTES:
        address = path.partition("?")[0]
        for mine, theirs in names:
            address = address.replace(mine, theirs)
        tested.add((method, address))
    assert tested == routes


async def test_no_key_no_answer(service: Service, nothing_written: None) -> None:
    for method, path, body, _ in ROUTES:
        answer = await service.call(method, path.format(id="SR26-00000001"), body, by=None)
        problem(answer, 401, "unauthorised")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic {key}", "{key}", "Bearer {key}x"])
async def test_what_is_no_key(service: Service, header: str) -> None:
    headers = {"Authorization": header.format(key=service.keys["admin"])}
    problem(await service.call("GET", "requests", by=None, headers=headers), 401, "unauthorised")


async def test_the_key_comes_before_the_body(service: Service) -> None:
    problem(await service.call("POST", "requests", by=None, content=b"{"), 401, "unauthorised")
    problem(await service.call("POST", "requests", by="inspectors", content=b"{"), 403, "wrong_role")


async def test_a_revoked_key_ends_within_seconds(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.get("requests", by="app")
    service.store.write(lambda s: revoke_key(s, "app", service.now))
    await service.get("requests", by="app")
    monkeypatch.setattr("fixline.web.auth.time.monotonic", lambda: 10.0**9)
    problem(await service.call("GET", "requests", by="app"), 401, "unauthorised")


def test_a_route_without_roles_cannot_be_built() -> None:
    router = APIRouter(route_class=Guarded)
    with pytest.raises(TypeError, match="which roles"):
        router.get("/open")(lambda: None)
    with pytest.raises(TypeError, match="which roles"):
        router.get("/twice", dependencies=[allow(ALL), allow(ALL)])(lambda: None)


def test_keys(store: Store) -> None:
    key = store.write(lambda s: create_key(s, "crew", Role.CREW, MORNING, teams=["asphalt-north"]))
    assert key.startswith("fx_")
    assert len(key) > 40
    found = store.read(lambda s: find_key(s, key))
    assert found is not None
    assert (found.name, found.role, found.teams, found.department) == ("crew", Role.CREW, ("asphalt-north",), None)
    row = store.read(lambda s: s.get_one(ApiKeyRow, found.id))
    assert key not in row.model_dump_json()
    assert store.read(lambda s: find_key(s, key + "x")) is None
    with pytest.raises(KeyNameTaken):
        store.write(lambda s: create_key(s, "crew", Role.SERVICE, MORNING))
    assert [each.name for each in store.read(list_keys)] == ["crew"]
    revoked = store.write(lambda s: revoke_key(s, "crew", MORNING))
    assert revoked.revoked_at == MORNING
    assert store.read(lambda s: find_key(s, key)) is None
    with pytest.raises(KeyUnknown):
        store.write(lambda s: revoke_key(s, "nobody", MORNING))


@pytest.mark.parametrize(
    ("role", "limits"),
    [
        (Role.CREW, {}),
        (Role.SERVICE, {"teams": ["a"]}),
        (Role.CREW, {"teams": ["a"], "department": "d"}),
        (Role.SYSTEM, {}),
        (Role.REPORTER, {}),
    ],
)
def test_limits_go_with_roles(sqlite_store: Store, role: Role, limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="key"):
        sqlite_store.write(lambda s: create_key(s, "x", role, MORNING, **limits))


def test_the_admin_key_is_the_settings(store: Store) -> None:
    for key in ("first-key-of-the-city", "second-key-of-the-city"):
        store.write(lambda s, k=key: ensure_admin_key(s, k, MORNING))  # type: ignore[misc]
        store.write(lambda s, k=key: ensure_admin_key(s, k, MORNING))  # type: ignore[misc]
    assert store.read(lambda s: find_key(s, "first-key-of-the-city")) is None
    found = store.read(lambda s: find_key(s, "second-key-of-the-city"))
    assert found is not None
    assert (found.name, found.role) == ("admin", Role.ADMIN)
    store.write(lambda s: revoke_key(s, "admin", MORNING))
    store.write(lambda s: ensure_admin_key(s, "second-key-of-the-city", MORNING))
    assert store.read(lambda s: find_key(s, "second-key-of-the-city")) is not None
    assert len(store.read(list_keys)) == 1


def test_a_server_serves_it(service: Service) -> None:
    with TestClient(service.app) as client:
        assert client.get("/healthz").status_code == 200
