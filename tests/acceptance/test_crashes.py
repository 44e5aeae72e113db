"""Nothing that the API has acknowledged is lost, doubled or out of order, whatever is killed and whenever.

Real processes (`fixline up`), the real HTTP API, clients that send again until they have an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from fixline.store.store import Store
from tests.support.acceptance.audit import at_rest, check_ledger, make_keys, no_workflow_runs, until
from tests.support.acceptance.cluster import TEAMS
from tests.support.acceptance.crowd import Crowd
from tests.support.acceptance.processes import PARTS, Up

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(600)]

IN_FLIGHT = 300
ENDS_WITHIN_SECONDS = 10.0
A_LITTLE = 3.0
"""What a busy machine may add to a promise in seconds."""


@contextlib.asynccontextmanager
async def crowd_of(up: Up, store: Store, *, clients: int, commenters: int) -> AsyncIterator[Crowd]:
    """Clients of a system that has just been started."""
    crowd = Crowd(up.url, make_keys(store, TEAMS), clients=clients, commenters=commenters)
    try:
        yield crowd
    finally:
        await crowd.close()


async def reached(crowd: Crowd, share: float, *work: asyncio.Task[None]) -> None:
    """Wait until this share of all acknowledgements has been given, or the work has failed."""
    wanted = share * crowd.expected
    while crowd.ledger.acknowledged < wanted and not any(task.done() for task in work):
        await asyncio.sleep(0.05)
    assert not any(task.done() for task in work), "the work was over before the next blow"


async def settle_and_check(up: Up, store: Store, crowd: Crowd) -> None:
    """Wait for rest, then compare store, Temporal and ledger; and stop everything."""
    await at_rest(store)
    await no_workflow_runs(await Client.connect(up.temporal_address))
    check_ledger(store, crowd)
    code, _ = up.stop()
    assert code == 0, up.said()
    assert up.left_over() == []
    check_ledger(store, crowd)


async def test_kill_9_of_every_part_and_of_all_at_once(up: Up) -> None:
    """300 requests in flight; the API, the worker, the Temporal server killed one by one, then everything."""
    up.begin()
    up.wait_until_ready()
    store = Store(up.folder.database_url)
    async with crowd_of(up, store, clients=10, commenters=2) as crowd:
        opening = asyncio.create_task(crowd.open(IN_FLIGHT))
        await reached_opened(crowd, IN_FLIGHT // 3, opening)
        await asyncio.to_thread(up.kill, "api")
        await opening
        listed = await crowd.anyone.get("/api/v1/requests", status="open", limit=200)
        assert len(listed["items"]) == 200
        assert listed["next"] is not None
        assert len(crowd.requests) == len(set(crowd.ledger.opened.values())) == IN_FLIGHT

        work = asyncio.create_task(crowd.work())
        for share, victims in ((0.3, ["api"]), (0.4, ["worker"]), (0.5, ["temporal"]), (0.6, list(PARTS))):
            await reached(crowd, share, work)
            await asyncio.to_thread(up.kill, *victims)
        await reached(crowd, 0.75, work)
        up.kill_all()
        await until(lambda: up.left_over() == [], "nothing is left of a killed `up`", within=10)
        up.begin()
        await work
        up.wait_until_ready()
        await check_repeats(crowd)
        await settle_and_check(up, store, crowd)
        print(f"\nacknowledged {crowd.ledger.acknowledged}, {dict(crowd.ledger.counts)}")
    store.close()


async def test_sigterm_under_load_is_graceful(up: Up) -> None:
    """Ctrl-C in the middle of the work: everything leaves by itself in time, and goes on at the next start."""
    up.begin()
    up.wait_until_ready()
    store = Store(up.folder.database_url)
    async with crowd_of(up, store, clients=10, commenters=1) as crowd:
        await crowd.open(80)
        work = asyncio.create_task(crowd.work())
        await reached(crowd, 0.5, work)
        code, seconds = await asyncio.to_thread(up.stop)
        assert code == 0, up.said()
        assert seconds < ENDS_WITHIN_SECONDS + A_LITTLE, up.said()
        assert "did not leave in time" not in up.said(), up.said()
        assert up.left_over() == []
        up.begin()
        await work
        await settle_and_check(up, store, crowd)
        print(f"\nacknowledged {crowd.ledger.acknowledged}, {dict(crowd.ledger.counts)}")
    store.close()


async def reached_opened(crowd: Crowd, count: int, opening: asyncio.Task[None]) -> None:
    """Wait until so many requests are open."""
    while len(crowd.ledger.opened) < count and not opening.done():
        await asyncio.sleep(0.02)
    assert not opening.done(), "all were open before the blow"


async def check_repeats(crowd: Crowd) -> None:
    """Whoever sends an acknowledged command again is told the same, and nothing happens."""
    before = crowd.ledger.acknowledged
    for sent in random.sample(crowd.ledger.commands, 20):
        assert await crowd.anyone.again(sent) == sent.command_id
    assert crowd.ledger.acknowledged == before
