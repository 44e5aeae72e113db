"""The store may be ahead of a workflow: what was committed before Temporal had taken or recorded it is told again.

A decision is its caller's answer as soon as the store has it. When Temporal ends before it has taken the signal, only
the relay can tell the workflow; when it ends before it has recorded what an activity answered, the activity runs again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from fixline.catalog import Catalog
from fixline.domain.process.commands import COMMAND
from fixline.messages import DECIDE_DUE_ACTIVITY, WorkflowSignal
from fixline.service.pending import claim_signals, mark_signalled
from fixline.service.requests import RequestService
from fixline.store.store import Store
from fixline.temporal.client import connect
from fixline.temporal.relay import PATIENCE, Relay
from fixline.temporal.signals import Signals
from tests.support.acceptance.audit import at_rest, no_workflow_runs
from tests.support.acceptance.cluster import Cluster
from tests.support.city import City
from tests.support.consistency import assert_consistent
from tests.support.dying_worker import EXIT_CODE
from tests.support.shop import Shop
from tests.support.types import IN_TURN, errand, promised

A_WHILE = timedelta(seconds=10)
ROOT = Path(__file__).resolve().parents[2]


class Fuse:
    """Ends Temporal, once for each time that it is armed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.armed = False

    def burn(self) -> None:
        """End it now, if armed."""
        if self.armed:
            self.armed = False
            self._cluster.temporal.end(signal.SIGKILL)

    @property
    def blown(self) -> bool:
        """Whether Temporal is gone."""
        return self._cluster.temporal.process is None


class FusedSignals(Signals):
    """Signals before whose sending, behind the store's commit, a fuse burns."""

    fuse: Fuse | None = None

    def send(self, signals: Iterable[WorkflowSignal | None]) -> None:
        """Burn, then try."""
        told = list(signals)
        if self.fuse is not None and told != [None]:
            self.fuse.burn()
        super().send(told)


@contextlib.asynccontextmanager
async def at_work(shop: Shop) -> AsyncIterator[None]:
    """A worker with its relay."""
    relay = asyncio.create_task(shop.relay.run())
    try:
        async with shop.worker():
            yield
    finally:
        relay.cancel()


@pytest.mark.temporal
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_temporal_ends_between_the_commit_and_the_signal(cluster: Cluster, catalog: Catalog) -> None:
    """The caller has the answer, nobody calls again: the relay tells the workflow, which goes on, and in the end ends.

    Of a request that has just been reported there is no workflow yet: the relay starts it.
    """
    cluster.start_temporal()
    shop, fuse = Shop(await cluster.client(), cluster.store, catalog), Fuse(cluster)
    shop.city.publish(errand(IN_TURN))
    signals = FusedSignals(shop.client, shop.store, task_queue=shop.queue, attributes=shop.attributes)
    signals.fuse = fuse
    shop.service = RequestService(shop.store, signals, shop.city.zone, shop.city.versions)
    async with at_work(shop):
        known = await shop.open()
        await shop.settled(known, within=30)
        fuse.armed = True
        unknown = await shop.open(begun=False)
        await back(shop, cluster, fuse)
        for outcome in ("again", "done"):
            await shop.settled(known, within=60)
            fuse.armed = True
            assert (await shop.complete(known, outcome)).state == "applied"
            request = shop.city.request(known)
            assert request.signalled < request.decision
            await back(shop, cluster, fuse)
        await shop.settled(unknown, within=60)
        assert shop.city.task(unknown).assignee is not None, "its work order was given to somebody"
        await shop.complete(unknown, "done")
        await at_rest(cluster.store)
        await no_workflow_runs(await cluster.client())
        for request_id in (known, unknown):
            assert (await shop.handle(request_id).describe()).status is WorkflowExecutionStatus.COMPLETED
    await signals.close(A_WHILE)
    orders = [(row.request_id, row.state, row.attempts) for row in shop.city.effects_of(known, "dispatch")]
    assert orders == [(known, "done", 1)] * 2
    assert [row.kind for row in shop.city.commands(known)] == [
        "open",
        "effect_result",
        "complete",
        "effect_result",
        "complete",
    ]
    assert_consistent(cluster.store, settled=True)


async def back(shop: Shop, cluster: Cluster, fuse: Fuse) -> None:
    """Temporal has ended; it comes back after a moment."""
    await shop.until(lambda: fuse.blown, "Temporal's end", within=30)
    await asyncio.sleep(1)
    cluster.start_temporal()


@pytest.mark.temporal
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", ["dispatch", DECIDE_DUE_ACTIVITY])
async def test_worker_and_temporal_end_between_an_activitys_commit_and_its_record(
    cluster: Cluster, catalog: Catalog, victim: str
) -> None:
    """The signal had been taken, what the activity did was not recorded: it runs again, and finds it done."""
    cluster.start_temporal()
    shop = Shop(await cluster.client(), cluster.store, catalog)
    shop.city.publish(promised("0.1 calendar minutes", team=IN_TURN))
    async with dying_worker(shop, cluster, victim) as dead:
        request_id = await shop.open("promise", begun=False)
        assert await asyncio.wait_for(dead.wait(), 60) == EXIT_CODE
    cluster.temporal.end(signal.SIGKILL)
    assert shop.city.task(request_id).assignee is not None
    assert len(shop.city.journal(request_id, "rung_fired")) == (victim == DECIDE_DUE_ACTIVITY)
    cluster.start_temporal()
    async with at_work(shop):
        await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 2, "both rungs", within=60)
        await shop.settled(request_id, within=60)
        await shop.complete(request_id, "done")
        await at_rest(cluster.store)
        await no_workflow_runs(await cluster.client())
        assert (await shop.handle(request_id).describe()).status is WorkflowExecutionStatus.COMPLETED
    assert len(shop.city.journal(request_id, "rung_fired")) == 2
    assert len(shop.city.journal(request_id, "task_claimed")) == 1
    effects = [(row.kind, row.state, row.attempts) for row in shop.city.effects_of(request_id)]
    assert effects == [("dispatch", "done", 1), ("escalate", "done", 1), ("escalate", "done", 1)]
    assert len({notice.key for notice in shop.notices.sent}) == len(shop.notices.sent) == 2
    assert_consistent(cluster.store, settled=True)


@contextlib.asynccontextmanager
async def dying_worker(shop: Shop, cluster: Cluster, victim: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process that dies after the first commit of one activity."""
    parts = (cluster.temporal_address, cluster.store.url, shop.queue, victim)
    command = (sys.executable, "-m", "tests.support.dying_worker", *parts)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"polling\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# -- what the relay finds --------------------------------------------------------------------------------------------


@pytest.fixture
def errands(city: City) -> City:
    """The city with the type `errand`."""
    city.publish(errand())
    return city


def found(city: City, limit: int = 50) -> list[tuple[str, str, int]]:
    """What has to be signalled now: of which request, named after which command, saying which decision."""
    signals = city.store.write(lambda s: claim_signals(s, city.now, A_WHILE, limit, city.scheduling))
    return [(signal.request_id, signal.name, signal.work.decision) for signal in signals]


def test_a_decision_is_signalled_until_the_workflow_is_known_to_know(errands: City) -> None:
    """After the patience, again after the patience, and never once it is noted."""
    request_id = errands.open()
    errands.do(request_id, "comment", text="a")
    assert found(errands) == []
    errands.later(seconds=10)
    assert found(errands) == [(request_id, "comment", 2)]
    assert found(errands) == []
    errands.later(seconds=10)
    assert found(errands) == [(request_id, "comment", 2)]
    errands.store.write(lambda s: mark_signalled(s, {request_id: 2}))
    errands.later(hours=1)
    assert found(errands) == []
    errands.store.write(lambda s: mark_signalled(s, {request_id: 1}))
    assert errands.request(request_id).signalled == 2, "a note that comes late takes nothing back"


def test_the_last_decision_of_a_request_speaks_for_those_before(errands: City) -> None:
    """One signal for each request, closed ones included."""
    first, second = errands.open(), errands.open()
    for number in range(3):
        errands.do(first, "comment", text=f"{number}")
    errands.do(second, "cancel", reason="x")
    errands.later(hours=1)
    assert found(errands, limit=0) == []
    assert sorted(found(errands)) == [(first, "comment", 4), (second, "cancel", 2)]
    errands.store.write(lambda s: mark_signalled(s, {first: 4, second: 2}))
    errands.later(hours=1)
    assert found(errands) == []


def test_a_command_that_waits_is_signalled_until_it_is_decided(errands: City) -> None:
    """Also where the workflow knows the last decision: it is to have the command tried."""
    request_id = errands.open()
    errands.waiting(request_id, "comment", text="a")
    errands.store.write(lambda s: mark_signalled(s, {request_id: 1}))
    for _ in range(2):
        errands.later(hours=1)
        assert found(errands) == [(request_id, "comment", 1)]
    errands.due(request_id)
    errands.later(hours=1)
    assert found(errands) == []
    assert errands.request(request_id).signalled == 2


class Line(Signals):
    """Signals on a line that the test takes down; `sent` are those that went on it, delivered or not."""

    def __init__(self, client: Client, store: Store) -> None:
        super().__init__(client, store, task_queue="nobody")
        self.up = True
        self.sent: list[tuple[str, int]] = []

    async def _deliver(self, signal: WorkflowSignal) -> None:
        self.sent.append((signal.name, signal.work.decision))
        if not self.up:
            raise TimeoutError


async def test_what_could_not_be_delivered_the_relay_delivers_once(sqlite_store: Store, catalog: Catalog) -> None:
    """And notes it; of what arrived at once it knows, too."""
    city = City(sqlite_store, catalog)
    city.publish(errand())
    request_id = city.open()
    line = Line(await connect(lazy=True, address="127.0.0.1:1"), sqlite_store)
    desk = RequestService(sqlite_store, line, city.zone, city.versions)
    for line.up in (True, False):
        command = COMMAND.validate_python({"kind": "comment", "text": "a"})
        assert (await desk.submit(request_id, city.submission(command))).state == "applied"
        await desk.close()
        assert city.request(request_id).signalled == 2
    relay = Relay(sqlite_store, line, city.rules, clock=lambda: city.now + PATIENCE)
    assert await relay.round() == (1, 0)
    assert await relay.round() == (0, 0)
    city.now += PATIENCE
    line.up = True
    assert await relay.round() == (1, 1)
    city.now += PATIENCE
    assert await relay.round() == (0, 0)
    assert city.request(request_id).signalled == 3
    assert line.sent == [("comment", 2), ("comment", 3), ("comment", 3), ("comment", 3)]
