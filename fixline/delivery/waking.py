"""Bells rung by the worker itself: for commands that one request has put into another one's inbox.

Owns rings that nobody waits for. One that goes unheard is the relay's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fixline.delivery.doorbell import Doorbell
from fixline.delivery.heard import Heard
from fixline.store.store import Store
from fixline.store.telling import Told

AT_ONCE = 10


class Waker:
    """Rings in the background. One per worker process."""

    def __init__(self, store: Store, doorbell: Doorbell) -> None:
        self._doorbell = doorbell
        self._heard = Heard(store)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._ringing: set[asyncio.Task[None]] = set()

    def wake(self, told: Sequence[Told]) -> None:
        """Ring for each request's last command: one bell empties the inbox. Called within the event loop."""
        by_request: dict[str, list[Told]] = {}
        for each in told:
            by_request.setdefault(each.request_id, []).append(each)
        for commands in by_request.values():
            ringing = asyncio.create_task(self._ring(commands))
            self._ringing.add(ringing)
            ringing.add_done_callback(self._ringing.discard)

    async def _ring(self, commands: Sequence[Told]) -> None:
        last = commands[-1]
        async with self._at_once:
            if await self._doorbell.ring(last.request_id, last.kind, last.number):
                for each in commands:
                    self._heard.note(each.request_id, each.number)
