"""The relay: rings again for what Temporal has not answered, for ever.

Owns the loop in every worker that finds waiting commands whose doorbell went unheard, answered ones that the workflow
may not know of (Temporal ended before it had recorded them), and open requests that no workflow has taken up. Work is
claimed per request (SKIP LOCKED on PostgreSQL; one relay on SQLite, whose claims are serial anyway), so the order
within a request holds. Instants are aware UTC.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from fixline.delivery.doorbell import Doorbell
from fixline.store.arrivals import utc_now
from fixline.store.bulk import claim_bulk, hand_in
from fixline.store.relaying import Call, claim_calls, claim_unheard, mark_heard
from fixline.store.store import Store, StoreAway

log = logging.getLogger(__name__)

PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=15)
PATIENCE = timedelta(seconds=4)
"""How long a ring is left alone before the relay rings again: the doorbell's own time, and a little."""
UNHEARD_PATIENCE = timedelta(seconds=10)
"""The same for a command that has been answered: the note of an answered bell takes a moment to be written."""
BATCH = 50
AT_ONCE = 10


class Relay:
    """One relay per worker process."""

    def __init__(self, store: Store, doorbell: Doorbell, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._doorbell = doorbell
        self._clock = clock
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Go round until cancelled; the longer Temporal or the database is away, the slower."""
        pause = PAUSE
        while True:
            try:
                found, heard = await self.round()
            except StoreAway as error:
                log.warning("the relay cannot read the database: %s", error)
                found, heard = 1, 0
            pause = min(pause * 2, LONGEST_PAUSE) if found and not heard else PAUSE
            if not (heard and found == BATCH):
                await asyncio.sleep(pause.total_seconds())

    async def round(self) -> tuple[int, int]:
        """Claim what waits and ring for it; answers how many were found and how many rings were heard."""
        now = self._clock()
        await asyncio.to_thread(self._go_on_with_bulk, now)
        calls = await asyncio.to_thread(self._store.write, lambda s: self._claim(s, now))
        heard = await asyncio.gather(*(self._call(call) for call in calls))
        bells = [(c.request_id, c.number) for c, answered in zip(calls, heard, strict=True) if answered and c.number]
        if bells:
            await asyncio.to_thread(self._store.write, lambda s: mark_heard(s, bells))
        return len(calls), sum(heard)

    def _go_on_with_bulk(self, now: datetime) -> None:
        """Put into the inboxes what is left of a bulk whose process has ended; the bells are this relay's own."""
        bulk_id = self._store.write(lambda s: claim_bulk(s, now, PATIENCE))
        while bulk_id is not None and self._store.write(lambda s: hand_in(s, bulk_id, now, BATCH)) is not None:
            log.info("bulk %s: %d more requests have their command", bulk_id, BATCH)

    def _claim(self, session: Session, now: datetime) -> list[Call]:
        calls = claim_calls(session, now, PATIENCE, BATCH)
        return calls + claim_unheard(session, now, UNHEARD_PATIENCE, BATCH - len(calls))

    async def _call(self, call: Call) -> bool:
        async with self._at_once:
            if call.kind is None or call.number is None:
                return await self._doorbell.start(call.request_id)
            return await self._doorbell.ring(call.request_id, call.kind, call.number, again=call.again)
