"""The API on a real store: the fixtures `service`, `anywhere` (SQLite, then PostgreSQL) and `away`.

Owns the client that speaks to the app in this process, one key of each role, and two doorbells: one that applies the
inbox right here, so that commands are answered at once, and a real one whose Temporal is away.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from temporalio.client import Client

import api
from fixline.catalog import read_catalog
from fixline.delivery.doorbell import Doorbell
from fixline.domain.commands import Role
from fixline.messages import Advanced
from fixline.settings import Settings
from fixline.store.inbox import Inbox
from fixline.store.keys import create_key
from fixline.store.store import Store
from fixline.store.tables import RequestRow
from fixline.store.versions import Versions
from fixline.temporal import connect
from tests.support.lakeport import LAKEPORT

MORNING = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
"""A Monday, ten o'clock in the city."""
ADMIN_KEY = "the-admin-key-of-the-tests"
DOWNTOWN: dict[str, Any] = {"latitude": 41.881, "longitude": -87.632, "address": "20 N Clark St"}
POTHOLE: dict[str, Any] = {
    "type": "pothole",
    "location": DOWNTOWN,
    "answers": {"lane": "curb", "depth": 4},
    "description": "Deep hole by the kerb",
}
KEYS: dict[str, dict[str, Any]] = {
    "supervisor": {"role": Role.SUPERVISOR, "department": "transportation"},
    "stranger": {"role": Role.SUPERVISOR, "department": "streets-and-sanitation"},
    "inspectors": {"role": Role.CREW, "teams": ["street-inspectors"]},
    "asphalt": {"role": Role.CREW, "teams": ["asphalt-central"]},
    "analyst": {"role": Role.ANALYST},
    "app": {"role": Role.SERVICE},
    "other-app": {"role": Role.SERVICE},
}


READ_ONCE = cache(read_catalog)
"""The definitions, read once per process: they take longer to check than a test to run."""


class HereBell(Doorbell):
    """A doorbell without Temporal: ringing applies the inbox, here and now."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._inbox = Inbox(store, Versions())
        self._now = now

    async def start(self, request_id: str, opened: Advanced | None = None) -> bool:
        """A workflow would take the request up; nothing waits yet."""
        return True

    async def ring(self, request_id: str, kind: str, number: int, *, again: int = 0) -> bool:
        """Whatever waits is applied."""
        self._inbox.advance(request_id, self._now())
        return True

    async def reachable(self) -> bool:
        """It is here."""
        return True

    async def answered_by_worker(self) -> bool:
        """The inbox is applied here."""
        return True


class Service:
    """The app, a client for each key, and the clock of both."""

    def __init__(self, store: Store, doorbell: Doorbell | None = None) -> None:
        self.store = store
        self.now = MORNING
        settings = Settings(admin_key=ADMIN_KEY, answer_within_seconds=0.3, definitions=LAKEPORT)
        self.app: FastAPI = api.create_app(
            settings, store=store, doorbell=doorbell or HereBell(store, lambda: self.now), clock=lambda: self.now
        )
        self.keys = {"admin": ADMIN_KEY}
        self.keys |= store.write(
            lambda s: {name: create_key(s, name, now=MORNING, **limits) for name, limits in KEYS.items()}
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://city"
        )

    async def call(
        self, method: str, path: str, body: Any = None, *, by: str | None = "admin", **options: Any
    ) -> httpx.Response:
        """Any call, with the key of `by`; paths without a leading slash are under /api/v1."""
        headers = {**options.pop("headers", {})}
        if by is not None:
            headers.setdefault("Authorization", f"Bearer {self.keys[by]}")
        if body is not None:
            options["json"] = body
        address = path if path.startswith("/") else f"/api/v1/{path}"
        return await self.http.request(method, address, headers=headers, **options)

    async def get(self, path: str, *, by: str = "admin", **params: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = await self.call("GET", path, by=by, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, by: str = "admin", status: int = 200, **options: Any) -> Any:
        """The body of a POST that must answer with this status."""
        answer = await self.call("POST", path, {} if body is None else body, by=by, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def open(self, *, by: str = "app", **changes: Any) -> str:
        """A pothole is reported; its id."""
        return str((await self.post("requests", {**POTHOLE, **changes}, by=by, status=201))["id"])

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def tick(self, *request_ids: str) -> None:
        """Let what is due by now happen, as the workflow's timer would."""
        for request_id in request_ids:
            Inbox(self.store, Versions()).advance(request_id, self.now)

    def rows(self) -> dict[str, int]:
        """How many rows each table has, and how many commands were given a number."""

        def count(session: Session) -> dict[str, int]:
            tables = SQLModel.metadata.sorted_tables
            found = {t.name: session.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
            return {**found, "numbers": session.execute(select(func.sum(col(RequestRow.inbox)))).scalar_one() or 0}

        return self.store.read(count)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that the answer must be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return found


def fields(found: dict[str, Any]) -> dict[str, str]:
    """The wrong fields of a problem and their codes."""
    return {error["field"]: error["code"] for error in found["errors"]}


@pytest.fixture(autouse=True)
def _definitions_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "read_catalog", READ_ONCE)


@pytest.fixture
async def service(sqlite_store: Store) -> AsyncIterator[Service]:
    """The API on a file; commands are applied at once."""
    made = Service(sqlite_store)
    yield made
    await made.http.aclose()


@pytest.fixture
async def anywhere(store: Store) -> AsyncIterator[Service]:
    """The same on a file, then on PostgreSQL: for whatever has a query of its own."""
    made = Service(store)
    yield made
    await made.http.aclose()


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def away(sqlite_store: Store) -> AsyncIterator[Service]:
    """The API while Temporal is away: nobody listens at the doorbell's address."""
    client: Client = await connect(lazy=True, address=f"127.0.0.1:{_closed_port()}")
    made = Service(sqlite_store, Doorbell(client, task_queue="nobody", ring_timeout=timedelta(seconds=0.2)))
    yield made
    await made.app.state.parts.desk.close()
    await made.http.aclose()


@pytest.fixture
def nothing_written(service: Service) -> Iterator[None]:
    """The test must leave every table as it was."""
    before = service.rows()
    yield
    assert service.rows() == before
