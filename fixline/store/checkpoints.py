"""SQLite's log, written back into the database's file by the worker, so that no caller's commit has to.

A commit that writes back thousands of pages takes twenty milliseconds and more. With no worker there, commits do it
once the log is `store.CHECKPOINT_PAGES` long.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from fixline.store.store import Store

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=0.5)
LONG_PAGES = 8_000
"""A log of this length begins anew even where somebody writes all the time: writers then wait for what is left."""
LET_FINISH_MS = 100
"""How long those who write or read may take before a log goes on as it is."""


class Checkpoint(NamedTuple):
    """What one left: whether it had to give way, the pages in the log, and those of them that are written back."""

    gave_way: bool
    pages: int
    written: int


async def keep_checkpointing(store: Store, every: timedelta = EVERY) -> None:
    """Write the log back now and then, until cancelled. On another database than SQLite there is nothing to do."""
    while store.sqlite:
        await asyncio.sleep(every.total_seconds())
        try:
            await asyncio.to_thread(checkpoint, store)
        except DBAPIError as error:  # such as a full disk: whoever writes says so, too
            log.warning("the log was not written back: %s", error.orig)


def checkpoint(store: Store, long_pages: int = LONG_PAGES) -> Checkpoint:
    """Write back what nobody needs from the log any more, beside those who write. Raises DBAPIError."""
    with store.engine.connect() as connection, closing(connection.connection.cursor()) as cursor:

        def asked(mode: str) -> Checkpoint:
            gave_way, pages, written = cursor.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            return Checkpoint(bool(gave_way), pages, written)

        done = asked("PASSIVE")
        if done.pages < long_pages:
            return done
        waits_for = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={LET_FINISH_MS}")
        try:
            return asked("RESTART")
        finally:
            cursor.execute(f"PRAGMA busy_timeout={waits_for}")
