"""A worker that dies between the store's commit and Temporal's record: `python -m tests.support.dying_worker`.

Arguments: Temporal's address, the database, the task queue, the activity after whose first commit the process ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client

import worker
from fixline.catalog import read_catalog
from fixline.messages import DueInput, EffectInput, PendingWork
from fixline.store.store import Store
from tests.support.lakeport import LAKEPORT

EXIT_CODE = 9


def dying(work: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The same activity, after whose commit nothing follows."""
    if name == "decide_due":

        @activity.defn(name=name)
        async def decide_due(given: DueInput) -> PendingWork:
            await work(given)
            os._exit(EXIT_CODE)

        return decide_due

    @activity.defn(name=name)
    async def effect(given: EffectInput) -> PendingWork:
        done = work(given)
        if asyncio.iscoroutine(done):
            await done
        os._exit(EXIT_CODE)

    return effect


async def main(address: str, database: str, queue: str, victim: str) -> None:
    """Work until the victim has committed."""
    organisation = read_catalog(LAKEPORT).catalog.organisation
    assert organisation is not None
    found: list[Callable[..., Any]] = []
    for each in worker.build_activities(Store(database), organisation):
        found.append(dying(each, victim) if each.__name__ == victim else each)
    client = await Client.connect(address, identity="dying")
    async with worker.build_worker(client, found, task_queue=queue, slots=4):
        print("polling", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
