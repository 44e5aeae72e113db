"""The request service: where reports and commands are decided, and their workflows told behind the answer.

Owns the promise that nothing accepted is lost: the answer is what one transaction has committed, whether or not
Temporal can be reached. Knows no HTTP; its caller is the web.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fixline.domain.process.decision import Refusal, Refused
from fixline.messages import WorkflowSignal
from fixline.service.bulk import BulkOrder, accept_bulk, hand_in
from fixline.service.commands import Check, Commands
from fixline.service.opening import Preview, Report, open_request, preview
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import StoredCommand, Submission, read_command, utc_now
from fixline.store.store import Store, StoreAway
from fixline.store.versions import Versions

log = logging.getLogger(__name__)
FIRST_LOOK_SECONDS = 0.05
LONGEST_LOOK_SECONDS = 0.5
HANDED_AT_ONCE = 10
"""Requests of a bulk that are given their command before others have a turn."""


class Signals(Protocol):
    """Tells workflows what is left to do, behind the answer."""

    def send(self, signals: Iterable[WorkflowSignal | None]) -> None:
        """Have each workflow told, None being no news; returns at once, raises nothing."""

    async def close(self, within: timedelta) -> None:
        """Let those that are under way arrive."""


@dataclass
class RequestService:
    """Accepts for one city. `clock` gives the instant of acceptance (aware UTC); tests may own it."""

    store: Store
    signals: Signals
    zone: ZoneInfo
    versions: Versions
    answer_within_seconds: float = 3.0
    clock: Callable[[], datetime] = utc_now
    scheduling: Scheduling | None = None

    def __post_init__(self) -> None:
        self._commands = Commands(self.store, self.versions, self.scheduling)
        self._background: set[asyncio.Task[Any]] = set()

    async def preview(self, report: Report) -> Preview:
        """What opening would lead to; nothing is written. Raises Refused, StoreAway."""
        return await self.store.in_turn(self.store.read, lambda s: preview(s, report, "SR99-99999999"))

    async def open(self, report: Report, patience: float | None = None) -> StoredCommand:
        """Open a request: decided and committed here; its workflow starts behind it.

        Raises Refused, KeyReused, StoreAway, and StoreBusy where the store does not begin within `patience` seconds;
        then nothing was accepted.
        """
        work = partial(open_request, report=report, zone=self.zone, scheduling=self._commands.scheduling)
        row, signal = await self.store.in_turn(self.store.write, work, patience=patience)
        self.signals.send([signal])
        return row

    async def submit(
        self, request_id: str, submission: Submission, check: Check | None = None, patience: float | None = None
    ) -> StoredCommand:
        """Decide a command; its row with the final answer. Where a fault of ours keeps it from being decided, the row
        is waited for as long as an answer may take, and may be waiting still.

        Raises RequestUnknown, Refused, KeyReused, StoreAway, StoreBusy as `open`, and what `check` says; then nothing
        was accepted.
        """
        row, signal = await self.store.in_turn(self._commands.submit, request_id, submission, check, patience=patience)
        self.signals.send([signal])
        return row if row.state != "waiting" else await self._answer(row)

    async def submit_all(self, commands: Mapping[str, Submission]) -> dict[str, StoredCommand | Refusal]:
        """Decide a command for each of these requests, each by itself; what came of them.

        Raises RequestUnknown, KeyReused, StoreAway; then those before have been decided.
        """
        found: dict[str, StoredCommand | Refusal] = {}
        for request_id, submission in sorted(commands.items()):
            try:
                found[request_id], signal = await self.store.in_turn(self._commands.submit, request_id, submission)
                self.signals.send([signal])
            except Refused as refused:
                found[request_id] = refused.refusal
        return found

    async def submit_bulk(self, order: BulkOrder) -> str:
        """Keep one command for many requests; its id. Behind it, each request gets its own.

        Raises KeyReused, StoreAway; then nothing was accepted.
        """
        bulk_id = await asyncio.to_thread(self.store.write, lambda s: accept_bulk(s, order))
        if bulk_id == order.given.command_id:
            task = asyncio.create_task(self._hand_in(bulk_id))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
        return bulk_id

    async def _hand_in(self, bulk_id: str) -> None:
        """A few requests at a time."""
        signals: list[WorkflowSignal] | None = []
        while signals is not None:
            self.signals.send(signals)
            try:
                signals = await asyncio.to_thread(
                    hand_in, self.store, self._commands, bulk_id, self.clock(), HANDED_AT_ONCE
                )
            except StoreAway as error:
                log.warning("bulk %s is left to the relay: %s", bulk_id, error)
                return

    async def _answer(self, waiting: StoredCommand) -> StoredCommand:
        """The row of a command that waits, once it is answered or the time is up. It is kept, whatever happens now."""
        deadline = asyncio.get_running_loop().time() + self.answer_within_seconds
        pause = FIRST_LOOK_SECONDS
        while True:
            try:
                row = await self.store.in_turn(self.store.read, lambda s: read_command(s, waiting.id)) or waiting
            except StoreAway:
                row = waiting
            left = deadline - asyncio.get_running_loop().time()
            if row.state != "waiting" or left <= 0:
                return row
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_LOOK_SECONDS)

    async def close(self) -> None:
        """Let the signals that are under way arrive."""
        if self._background:
            await asyncio.wait(self._background, timeout=self.answer_within_seconds)
        await self.signals.close(timedelta(seconds=self.answer_within_seconds))
