"""The desk: where reports and commands are accepted, and where their answers are fetched.

Owns the promise that nothing accepted is lost: first the row is committed, then the bell is rung, then the
answer is read from the row. Knows no HTTP; its callers are the web, the command line and the importer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from fixline.delivery.doorbell import Doorbell
from fixline.delivery.heard import Heard
from fixline.domain.decision import Decision, Refusal
from fixline.domain.definition import Definition
from fixline.messages import Advanced, Attributes, EffectOrder, Summary
from fixline.store.arrivals import Arrival, Received, accept, read_command, utc_now
from fixline.store.bulk import BulkOrder, accept_bulk, hand_in
from fixline.store.moves import accept_moves, read_answers_of
from fixline.store.opening import OpeningRefused, Preview, Report, open_request, preview
from fixline.store.pacing import Pacing
from fixline.store.projection import REACH, described
from fixline.store.store import Store, StoreAway

log = logging.getLogger(__name__)
T = TypeVar("T")
FIRST_LOOK_SECONDS = 0.05
LONGEST_LOOK_SECONDS = 0.5
HANDED_AT_ONCE = 10
"""Requests of a bulk that get their command in one transaction, and are rung together."""
BELLS_AT_ONCE = 2
"""Doorbells of one request that this process has in flight. The store's own cap does not see a bell whose command has
just been applied and whose answer is still on its way through Temporal."""


def first_orders(definition: Definition, decision: Decision, pacing: Pacing) -> Advanced | None:
    """What the shell of a new request may begin with, sparing it the first look into the store.

    None when decision 1 has no effects: then the shell looks, and the store learns that there is one.
    """
    if not decision.effects:
        return None
    state = decision.state
    effects = [EffectOrder(effect.id, effect.kind, REACH[effect.kind]) for effect in decision.effects]
    summary = Summary(
        state.type, state.status, None, state.position.step if state.position else None, state.priority.value
    )
    attributes = Attributes(**described(definition, state))
    wake_at = pacing.wake_at(decision.next_at) if decision.next_at is not None else None
    return Advanced(
        *(decision.number, state.closed, decision.next_at, effects, summary), attributes=attributes, wake_at=wake_at
    )


class Desk:
    """Accepts for one city. `clock` gives the instant of acceptance (aware UTC); tests may own it."""

    def __init__(
        self,
        store: Store,
        doorbell: Doorbell,
        zone: ZoneInfo,
        *,
        answer_within_seconds: float = 3.0,
        clock: Callable[[], datetime] = utc_now,
        pacing: Pacing | None = None,
    ) -> None:
        self._store = store
        self._doorbell = doorbell
        self._zone = zone
        self._answer_within = answer_within_seconds
        self._heard = Heard(store)
        self._pacing = pacing or Pacing()
        self._background: set[asyncio.Task[Any]] = set()
        self._bells: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._starting: WeakValueDictionary[str, asyncio.Task[bool]] = WeakValueDictionary()
        self.clock = clock

    async def preview(self, report: Report) -> Preview | Refusal:
        """What opening would lead to; nothing is written. Raises StoreAway."""
        return await self._store.in_turn(self._store.read, lambda s: preview(s, report, "SR99-99999999"))

    async def open(self, report: Report) -> Received | Refusal:
        """Open a request: decided and committed here, whether or not Temporal is up; its workflow starts behind it.

        Raises KeyReused, StoreAway; then nothing was accepted.
        """
        try:
            opened = await self._store.in_turn(self._store.write, lambda s: open_request(s, report, self._zone))
        except OpeningRefused as refused:
            return refused.refusal
        if opened.decision is not None:
            request_id = opened.command.request_id
            orders = first_orders(report.definition, opened.decision, self._pacing)
            start = self._doorbell.start(request_id, orders)
            self._starting[request_id] = self._behind(start)
        return opened.command

    async def submit(self, request_id: str, arrival: Arrival) -> Received:
        """Put a command into the request's inbox, ring, and give back its row: answered, or still waiting.

        Raises RequestUnknown, RefusedAtDoor, KeyReused, StoreAway; then nothing was accepted.
        """
        row = await self._store.in_turn(self._store.write, lambda s: accept(s, request_id, arrival))
        if row.state != "waiting":
            return row
        mine = row.id == arrival.command_id
        if mine and row.rung_at is not None:
            ringing = self._behind(self._ring_and_note(row))
            await asyncio.wait({ringing}, timeout=self._answer_within)
        return await self.answer(row.id)

    async def submit_all(self, arrivals: Mapping[str, Arrival]) -> dict[str, Received | Refusal]:
        """Put a command into the inbox of each of these requests, ring, and give back what they have come to.

        All are accepted in one transaction. What has no answer within the time of one command is still waiting.
        Raises RequestUnknown, KeyReused, StoreAway; then nothing was accepted.
        """
        found = await self._store.in_turn(self._store.write, lambda s: accept_moves(s, arrivals))
        rows = [row for row in found.values() if isinstance(row, Received)]
        ringing = [self._behind(self._ring_and_note(row)) for row in rows if row.rung_at and row.state == "waiting"]
        if ringing:
            await asyncio.wait(ringing, timeout=self._answer_within)
        ids = [row.id for row in rows]
        return {**found, **await self._store.in_turn(self._store.read, lambda s: read_answers_of(s, ids))}

    async def submit_bulk(self, order: BulkOrder) -> str:
        """Keep one command for many requests; its id. Behind it, each request gets its own.

        Raises KeyReused, StoreAway; then nothing was accepted.
        """
        bulk_id = await asyncio.to_thread(self._store.write, lambda s: accept_bulk(s, order))
        if bulk_id == order.id:
            self._behind(self._hand_in(bulk_id))
        return bulk_id

    async def _hand_in(self, bulk_id: str) -> None:
        """A few requests at a time. When Temporal does not answer, the rest is not rung for: the relay does it."""
        answers = True
        while True:
            try:
                rows = await asyncio.to_thread(
                    self._store.write, lambda s: hand_in(s, bulk_id, self.clock(), HANDED_AT_ONCE)
                )
            except StoreAway as error:
                log.warning("bulk %s is left to the relay: %s", bulk_id, error)
                return
            if rows is None:
                return
            waiting = [row for row in rows if row.rung_at and row.state == "waiting"]
            if answers and waiting:
                answers = any(await asyncio.gather(*(self._ring_and_note(row) for row in waiting)))

    async def _ring_and_note(self, row: Received) -> bool:
        heard = await self._ring(row)
        if heard:
            self._heard.note(row.request_id, row.number)
        return heard

    async def _ring(self, row: Received) -> bool:
        """Ring for a command; not for one that an earlier bell has had answered while this one waited its turn.

        A bell does not overtake the start of its own workflow: it would find nobody, and start it once more.
        """
        starting = self._starting.get(row.request_id)
        if starting is not None and not starting.done():
            await asyncio.wait({starting})
        bells = self._bells.setdefault(row.request_id, asyncio.Semaphore(BELLS_AT_ONCE))
        waits = bells.locked()
        async with bells:
            if waits:
                now = await self._store.in_turn(self._store.read, lambda s: read_command(s, row.id))
                if now is not None and now.state != "waiting":
                    return True
            return await self._doorbell.ring(row.request_id, row.kind, row.number)

    async def answer(self, command_id: str) -> Received:
        """The command's row, once it is answered or the time is up."""
        deadline = asyncio.get_running_loop().time() + self._answer_within
        pause = FIRST_LOOK_SECONDS
        while True:
            row = await self._store.in_turn(self._store.read, lambda s: read_command(s, command_id))
            if row is None:
                raise LookupError(f"the store has no command {command_id}")
            left = deadline - asyncio.get_running_loop().time()
            if row.state != "waiting" or left <= 0:
                return row
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_LOOK_SECONDS)

    async def close(self) -> None:
        """Let the rings and starts that are under way end."""
        if self._background:
            await asyncio.wait(self._background, timeout=self._answer_within)
        await self._heard.flush()

    def _behind(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
