"""The relay, in every worker: signals again what no workflow is known to have been told, for ever.

The process that decided has ended before Temporal had taken its signal, or Temporal was away, or nobody signals at all,
as after an import. Work is claimed per request (SKIP LOCKED on PostgreSQL; one relay on SQLite, whose claims are serial
anyway). It also goes on with a bulk whose process has ended. Instants are aware UTC.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fixline.messages import WorkflowSignal
from fixline.service.bulk import claim_bulk, hand_in
from fixline.service.commands import Commands
from fixline.service.pending import claim_signals
from fixline.service.submissions import utc_now
from fixline.store.store import Store, StoreAway
from fixline.temporal.signals import Signals

log = logging.getLogger(__name__)

PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=15)
PATIENCE = timedelta(seconds=4)
"""How long a decision is left to the signal of the process that made it: a call's own time, and a little."""
LEAVE_WITHIN = timedelta(seconds=1)
BATCH = 50
AT_ONCE = 10


@dataclass
class Relay:
    """One relay per worker process."""

    store: Store
    signals: Signals
    commands: Commands
    clock: Callable[[], datetime] = utc_now

    async def run(self) -> None:
        """Go round until cancelled; the longer Temporal or the database is away, the slower. At the end what is on its
        way to workflows arrives."""
        try:
            await self._go_round()
        finally:
            await self.signals.close(LEAVE_WITHIN)

    async def _go_round(self) -> None:
        pause = PAUSE
        while True:
            try:
                found, delivered = await self.round()
            except StoreAway as error:
                log.warning("the relay cannot read the database: %s", error)
                found, delivered = 1, 0
            except Exception:  # a fault of ours in one round is no reason to end the worker
                log.exception("a round of the relay failed")
                found, delivered = 1, 0
            pause = min(pause * 2, LONGEST_PAUSE) if found and not delivered else PAUSE
            if not (delivered and found == BATCH):
                await asyncio.sleep(pause.total_seconds())

    async def round(self) -> tuple[int, int]:
        """Claim what is behind and signal it; answers how many were found, and how many signals were delivered."""
        now = self.clock()
        await asyncio.to_thread(self._go_on_with_bulk, now)
        signals = await asyncio.to_thread(
            self.store.write, lambda s: claim_signals(s, now, PATIENCE, BATCH, self.commands.scheduling)
        )
        at_once = asyncio.Semaphore(AT_ONCE)

        async def deliver(signal: WorkflowSignal) -> bool:
            async with at_once:
                return await self.signals.deliver(signal)

        delivered = await asyncio.gather(*map(deliver, signals))
        await self.signals.mark()
        return len(signals), sum(delivered)

    def _go_on_with_bulk(self, now: datetime) -> None:
        """Give what is left of a bulk whose process has ended; the workflows are then behind, as any other's."""
        bulk_id = self.store.write(lambda s: claim_bulk(s, now, PATIENCE))
        while bulk_id is not None and hand_in(self.store, self.commands, bulk_id, now, BATCH) is not None:
            log.info("bulk %s: %d more requests have their command", bulk_id, BATCH)
