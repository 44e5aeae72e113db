"""Bells that Temporal has answered, noted in the store a batch at a time.

Owns the notes of one process. A bell without a note (the process was killed, or Temporal was before it recorded
what the bell came to) is rung once more by the relay; so a note may be lost, but none may be made too early.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from fixline.store.relaying import mark_heard
from fixline.store.store import Store, StoreAway

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)


class Heard:
    """Collects answered bells and writes them down, all of a moment's in one transaction."""

    def __init__(self, store: Store, *, every: timedelta = EVERY) -> None:
        self._store = store
        self._every = every
        self._noted: set[tuple[str, int]] = set()
        self._writing: asyncio.Task[None] | None = None

    def note(self, request_id: str, number: int) -> None:
        """The workflow knows what this command came to."""
        self._noted.add((request_id, number))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def flush(self) -> None:
        """Write down what has been noted. A database that is away costs the relay a few more bells."""
        noted, self._noted = self._noted, set()
        if not noted:
            return
        try:
            await asyncio.to_thread(self._store.write, lambda s: mark_heard(s, noted))
        except StoreAway as error:
            log.warning("%d answered bells could not be noted: %s", len(noted), error)

    async def _write_soon(self) -> None:
        while self._noted:
            await asyncio.sleep(self._every.total_seconds())
            await self.flush()
