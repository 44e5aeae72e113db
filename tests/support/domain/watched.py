"""A request's clocks, watched over all of its decisions.

Owns what must hold of clocks whatever happens: what they have promised they keep, and nothing fires in a pause.
"""

from __future__ import annotations

import datetime as dt

from fixline.domain.deadlines.timekeeping import TASK_LADDER
from fixline.domain.definition.deadlines import Rung
from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import Entry
from fixline.domain.journal.state import Clock, ClockState, RequestState
from fixline.domain.process.decision import Decision

ENDED = (ClockState.MET, ClockState.ENDED)


class Watched:
    """Pauses and firings so far, by clock; `check` is given every decision in turn."""

    def __init__(self) -> None:
        self.fired: dict[str, list[dt.datetime]] = {}
        self.paused: dict[str, dt.datetime] = {}
        self.pauses: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}

    def _ladder(self, definition: Definition, clock: Clock) -> tuple[Rung, ...]:
        """A clock's ladder by the definition."""
        deadline = definition.deadlines.get(clock.promise)
        return deadline.escalate if deadline else TASK_LADDER

    def check(self, definition: Definition, before: RequestState | None, result: Decision) -> None:
        """Clocks keep what they have promised: breaches stay, the ended rest, no rung fires in a pause."""
        old = before.clocks if before else {}
        for name, clock in result.state.clocks.items():
            known = old.get(name)
            if known and known.state in ENDED:
                assert clock == known
            if known and known.breached_at:
                assert clock.breached_at == known.breached_at
            if clock.breached_at:
                assert clock.due_at == clock.breached_at
            if clock.state.live:
                pairs = zip(self._ladder(definition, clock), clock.fired, strict=True)
                assert all(0 <= fired <= rung.up_to for rung, fired in pairs)
            for earlier, later in zip(clock.stretches, clock.stretches[1:], strict=False):
                assert earlier.until is not None
                assert earlier.since <= earlier.until <= later.since
            assert (clock.stretches[-1].until is None) == (clock.state is ClockState.RUNNING)
        fresh = (
            before is None or before.type != result.state.type
        )  # a new type's deadlines may have been missed already
        for entry in result.entries:
            self._follow(None if fresh else before, entry)

    def _follow(self, before: RequestState | None, entry: Entry) -> None:
        """One entry of a clock's life: pauses are noted, breaches and firings held against them."""
        name = entry.data.get("clock", "")
        if entry.kind == "clock_paused":
            self.paused[name] = entry.at
        elif entry.kind == "clock_resumed":
            self.pauses.setdefault(name, []).append((self.paused.pop(name), entry.at))
        elif entry.kind in ("clock_breached", "rung_fired") and before is not None and before.decision > 1:
            self._happened(before, name, entry)

    def _happened(self, before: RequestState, name: str, entry: Entry) -> None:
        """A breach or a firing: not in a pause, not in a time already decided, in order."""
        instant = dt.datetime.fromisoformat(entry.data["breached_at" if "breached_at" in entry.data else "at"])
        assert name not in self.paused
        assert not any(since < instant < until for since, until in self.pauses.get(name, []))
        assert before.decided_at <= instant <= entry.at
        if entry.kind == "rung_fired":
            assert all(earlier <= instant for earlier in self.fired.get(name, []))
            self.fired.setdefault(name, []).append(instant)
            assert entry.data["late"] == (entry.at - instant > dt.timedelta(minutes=1))
