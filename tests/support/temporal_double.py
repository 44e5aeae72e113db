"""A Temporal server as far as delivery calls it, in this process; the fixtures `temporal`, `client`, `errands`, `made`.

Owns `Temporal`: it notes every signal, holds calls up, fails them, or does not know the workflow, as the test says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from temporalio.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

from fixline.catalog import Catalog
from fixline.messages import PendingWork, WorkflowInput, WorkflowSignal
from fixline.store.store import Store
from fixline.temporal.attributes import WANTED
from fixline.temporal.client import DATA_CONVERTER
from fixline.temporal.signals import Signals
from tests.support.city import City
from tests.support.types import errand, promised

QUEUE = "queue"
MakeSignals = Callable[..., Signals]


class Told(NamedTuple):
    """A signal that the server has taken; `started`: it came with the start of the workflow."""

    request_id: str
    name: str
    work: PendingWork
    started: bool


class Temporal(ServiceClient):
    """The server. `told` has the signals in order, `starts` what workflows were started with.

    Calls wait for `open`, fail with `error`, and signals to requests that are not `running` find no workflow.
    `attributes` are the search attributes that it knows; it takes no others unless it is `obliging`.
    """

    def __init__(self) -> None:
        super().__init__(ConnectConfig(target_host="in.this.process:0", lazy=True))
        self.told: list[Told] = []
        self.starts: list[SignalWithStartWorkflowExecutionRequest] = []
        self.running: set[str] = set()
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.attributes: dict[str, Any] = dict(WANTED)
        self.obliging = False
        self.looks = self.calls = self.under_way = self.most = 0

    def names(self, request_id: str) -> list[str]:
        """The names of a request's signals, in order."""
        return [each.name for each in self.told if each.request_id == request_id]

    @property
    def worker_service_client(self) -> Any:
        """There is none: no worker is made with it."""
        raise NotImplementedError

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Nobody reads it."""

    def update_api_key(self, api_key: str | None) -> None:
        """Nobody asks for it."""

    async def _rpc_call(self, rpc: str, req: Any, resp_type: type[Any], **_: Any) -> Any:
        answer = resp_type()
        match rpc:
            case "list_search_attributes":
                self.looks += 1
                answer.custom_attributes.update(self.attributes)
            case "add_search_attributes":
                if not self.obliging:
                    raise RPCError("not allowed", RPCStatusCode.PERMISSION_DENIED, b"")
                self.attributes |= req.search_attributes
            case "signal_with_start_workflow_execution":
                await self._pass()
                self.running.add(req.workflow_id)
                self.starts.append(req)
                await self._note(req.workflow_id, req.signal_name, req.signal_input, started=True)
            case "signal_workflow_execution":
                await self._pass()
                if req.workflow_execution.workflow_id not in self.running:
                    raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
                await self._note(req.workflow_execution.workflow_id, req.signal_name, req.input, started=False)
            case _:
                raise AssertionError(f"{rpc} is not what delivery calls")
        return answer

    async def _pass(self) -> None:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error

    async def _note(self, request_id: str, name: str, content: Any, *, started: bool) -> None:
        (work,) = await DATA_CONVERTER.decode(content.payloads, [PendingWork])
        self.told.append(Told(request_id, name, work, started))


async def input_of(start: SignalWithStartWorkflowExecutionRequest) -> WorkflowInput:
    """What a workflow was started with."""
    (given,) = await DATA_CONVERTER.decode(start.input.payloads, [WorkflowInput])
    assert isinstance(given, WorkflowInput)
    return given


@pytest.fixture
async def temporal() -> Temporal:
    """A server that takes everything."""
    return Temporal()


@pytest.fixture
async def client(temporal: Temporal) -> Client:
    """A client of it."""
    return Client(temporal, data_converter=DATA_CONVERTER)


@pytest.fixture
def errands(sqlite_store: Store, catalog: Catalog) -> City:
    """The city with errands, with and without a deadline, on a file."""
    city = City(sqlite_store, catalog)
    city.publish(errand(), promised())
    return city


@pytest.fixture
async def made(client: Client, sqlite_store: Store) -> AsyncIterator[MakeSignals]:
    """Makes signals on the test's server and store; they are closed at the end."""
    found: list[Signals] = []

    def make(**options: Any) -> Signals:
        found.append(Signals(client, sqlite_store, task_queue=QUEUE, **options))
        return found[-1]

    yield make
    for each in found:
        await each.close(timedelta(0))


def word(request_id: str, decision: int, name: str = "comment", *, starts: bool = False, **left: Any) -> WorkflowSignal:
    """A signal after that decision."""
    work = PendingWork(**{"decision": decision, "closed": False, "next_at": None, **left})
    return WorkflowSignal(request_id, name, work, starts=starts)
