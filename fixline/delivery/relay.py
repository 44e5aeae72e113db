"""The relay: rings again for what Temporal has not answered, for ever.

Owns the loop in every worker that finds waiting commands whose doorbell went unheard, and open requests that
no workflow has taken up. Work is claimed per request (SKIP LOCKED on PostgreSQL; one relay on SQLite, whose
claims are serial anyway), so the order within a request holds. Instants are aware UTC.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from fixline.delivery.doorbell import Doorbell
from fixline.store.arrivals import utc_now
from fixline.store.relaying import Call, claim_calls
from fixline.store.store import Store, StoreAway

log = logging.getLogger(__name__)

PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=15)
PATIENCE = timedelta(seconds=4)
"""How long a ring is left alone before the relay rings again: the doorbell's own time, and a little."""
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
        calls = await asyncio.to_thread(self._store.write, lambda s: claim_calls(s, now, PATIENCE, BATCH))
        heard = await asyncio.gather(*(self._call(call) for call in calls))
        return len(calls), sum(heard)

    async def _call(self, call: Call) -> bool:
        async with self._at_once:
            if call.kind is None or call.number is None:
                return await self._doorbell.start(call.request_id)
            return await self._doorbell.ring(call.request_id, call.kind, call.number, again=call.again)
