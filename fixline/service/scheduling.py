"""Scheduling: when workflows are woken for what falls due at one and the same instant.

When an office opens, thousands of requests may fall due at once. Woken all together they would wait in one queue: those
that are not taken within two seconds are queued anew, which costs as much as half of the work, and every other command
waits behind them. So the first are woken at the instant, and the rest a little later, so many a second. What falls due,
and for which instant, is not touched by it: a rung fires at its instant or after it, never before.

The count is in the memory of one process: a restart or another process only makes it denser. Instants are aware UTC.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, timedelta

DUE_PER_SECOND = 50
"""What one worker does with ease on two cores that it shares with Temporal's server: python -m bench.deadlines."""
INSTANTS = 10_000
"""How many instants are remembered; the one that was not asked for longest is forgotten."""


class Scheduling:
    """Says when to wake, and how effects are taken. Thread-safe; one per process.

    `outside` are kinds of effects that the settings send outside, beside those that always go there.
    """

    def __init__(self, per_second: int = DUE_PER_SECOND, outside: Collection[str] = ()) -> None:
        self._per_second = per_second
        self.outside = frozenset(outside)
        self._armed: OrderedDict[datetime, dict[str, int]] = OrderedDict()
        self._turn = threading.Lock()

    def wake_at(self, due: datetime, request_id: str) -> datetime:
        """When to wake this request for what falls due at this instant: then, or later where many do. A request that
        is asked for again, as while Temporal is away, keeps its place."""
        with self._turn:
            armed = self._armed.pop(due, {})
            self._armed[due] = armed
            before = armed.setdefault(request_id, len(armed))
            if len(self._armed) > INSTANTS:
                self._armed.popitem(last=False)
        return due + timedelta(seconds=before // self._per_second)
