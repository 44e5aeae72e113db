"""Polling only while the database answers.

Owns the watch of a worker over its database: a worker that cannot write should not take work from those that
can, so it stops polling after a few failed looks and starts again when the database is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text
from temporalio.worker import Worker

from fixline.store.store import Store, StoreAway

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=2)
FAILED_LOOKS = 3


async def database_answers(store: Store) -> bool:
    """Whether the database answers now."""
    try:
        await asyncio.to_thread(store.read, lambda session: session.execute(text("SELECT 1")).scalar_one())
    except StoreAway:
        return False
    return True


async def while_database_answers(
    store: Store, new_worker: Callable[[], Worker], *, look_every: timedelta = LOOK_EVERY
) -> None:
    """Run workers one after the other, each as long as the database answers; until cancelled."""
    pause = look_every.total_seconds()
    while True:
        while not await database_answers(store):
            log.warning("the database does not answer; not polling")
            await asyncio.sleep(pause)
        async with new_worker():
            log.info("polling")
            failed = 0
            while failed < FAILED_LOOKS:
                await asyncio.sleep(pause)
                failed = 0 if await database_answers(store) else failed + 1
        log.error("the database has not answered %d times; polling stopped", FAILED_LOOKS)
