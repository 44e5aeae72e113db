"""The API on a real store: the fixtures `service`, `anywhere` (SQLite, then PostgreSQL), `away` and `fault`.

Owns the client that speaks to the app in this process, one key of each role, a Temporal that takes every signal and
keeps it, a real client of one that is away, and rules that can be put out of order.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from temporalio.client import Client
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

import api
from fixline.catalog import read_catalog
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import Role
from fixline.identity import create_key
from fixline.messages import DueInput, PendingWork
from fixline.service.commands import Commands
from fixline.settings import Settings
from fixline.store.store import Store
from fixline.store.tables import CommandRow, RequestRow
from fixline.store.versions import Versions
from fixline.temporal.attributes import WANTED
from fixline.temporal.client import DATA_CONVERTER, connect
from tests.support.lakeport import LAKEPORT

MORNING = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
"""A Monday, ten o'clock in the city."""
ADMIN_KEY = "the-admin-key-of-the-tests"
ANSWER_WITHIN_SECONDS = 0.3
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


class Temporal(ServiceClient):
    """A Temporal server as far as the API calls it, in this process: it takes every signal, unless it is `away`.

    `told` has the signals in order: of which request, their names, what they say is left to do. `polled_at` is when a
    worker has polled.
    """

    def __init__(self) -> None:
        super().__init__(ConnectConfig(target_host="in.this.process:0", lazy=True))
        self.told: list[tuple[str, str, PendingWork]] = []
        self.polled_at = datetime.now(UTC)
        self.away = False
        self._running: set[str] = set()

    def names(self, request_id: str) -> list[str]:
        """The names of a request's signals, in order."""
        return [name for told, name, _ in self.told if told == request_id]

    @property
    def worker_service_client(self) -> Any:
        """There is none: no worker is made with it."""
        raise NotImplementedError

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Nobody reads it."""

    def update_api_key(self, api_key: str | None) -> None:
        """Nobody asks for it."""

    async def _rpc_call(self, rpc: str, req: Any, resp_type: type[Any], **_: Any) -> Any:
        if self.away:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        answer = resp_type()
        match rpc:
            case "check":
                answer.status = answer.SERVING
            case "describe_task_queue":
                answer.pollers.add().last_access_time.FromDatetime(self.polled_at)
            case "list_search_attributes":
                answer.custom_attributes.update(WANTED)
            case "signal_with_start_workflow_execution":
                self._running.add(req.workflow_id)
                await self._note(req.workflow_id, req.signal_name, req.signal_input)
            case "signal_workflow_execution":
                if req.workflow_execution.workflow_id not in self._running:
                    raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
                await self._note(req.workflow_execution.workflow_id, req.signal_name, req.input)
            case _:
                raise AssertionError(f"{rpc} is not what the API calls")
        return answer

    async def _note(self, request_id: str, name: str, content: Any) -> None:
        (work,) = await DATA_CONVERTER.decode(content.payloads, [PendingWork])
        self.told.append((request_id, name, work))


class Fault:
    """A fault of ours in the rules, while it is `on`: a decision fails, or only one that catches up with what was due.

    With `of` it is only in decisions about that request. `met` counts how often it was met.
    """

    def __init__(self) -> None:
        self.on = False
        self.catching_up_only = False
        self.of: str | None = None
        self.met = 0

    def advance(self, *arguments: Any, request_id: str, catch_up: bool = True, **options: Any) -> Any:
        """The rules, out of order."""
        if self.on and self.of in (None, request_id) and (catch_up or not self.catching_up_only):
            self.met += 1
            raise ZeroDivisionError
        return advance(*arguments, request_id=request_id, catch_up=catch_up, **options)


class Service:
    """The app, a client for each key, and the clock of both."""

    def __init__(self, store: Store, client: Client | None = None) -> None:
        self.store = store
        self.now = MORNING
        self.temporal = Temporal()
        settings = Settings(admin_key=ADMIN_KEY, answer_within_seconds=ANSWER_WITHIN_SECONDS, definitions=LAKEPORT)
        client = client or Client(self.temporal, data_converter=DATA_CONVERTER)
        self.app: FastAPI = api.create_app(settings, store=store, client=client, clock=lambda: self.now)
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
            Commands(self.store, Versions()).due(DueInput(request_id, self.now))

    async def quiet(self) -> None:
        """Let the signals that are under way arrive, and be noted."""
        await self.app.state.parts.service.close()

    async def close(self) -> None:
        """Leave nothing under way."""
        await self.quiet()
        await self.http.aclose()

    def command(self, command_id: str) -> CommandRow:
        """A command's row."""
        return self.store.read(lambda s: s.get_one(CommandRow, command_id))

    def request(self, request_id: str) -> RequestRow:
        """A request's row."""
        return self.store.read(lambda s: s.get_one(RequestRow, request_id))

    def rows(self) -> dict[str, int]:
        """How many rows each table has, and how many commands were given a number."""

        def count(session: Session) -> dict[str, int]:
            tables = SQLModel.metadata.sorted_tables
            found = {t.name: session.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
            return {
                **found,
                "numbers": session.execute(select(func.sum(col(RequestRow.last_command)))).scalar_one() or 0,
            }

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
    """The API on a file, and a Temporal that takes every signal."""
    made = Service(sqlite_store)
    yield made
    await made.close()


@pytest.fixture
async def anywhere(store: Store) -> AsyncIterator[Service]:
    """The same on a file, then on PostgreSQL: for whatever has a query of its own."""
    made = Service(store)
    yield made
    await made.close()


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def away(sqlite_store: Store) -> AsyncIterator[Service]:
    """The API while Temporal is away: nobody listens at its address."""
    made = Service(sqlite_store, await connect(lazy=True, address=f"127.0.0.1:{_closed_port()}"))
    yield made
    await made.close()


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Fault:
    """A fault of ours in what decides commands; off until the test puts it on."""
    made = Fault()
    monkeypatch.setattr("fixline.service.commands.advance", made.advance)
    return made


@pytest.fixture
def nothing_written(service: Service) -> Iterator[None]:
    """The test must leave every table as it was."""
    before = service.rows()
    yield
    assert service.rows() == before
