"""What a simulation came to: backlog, time to close, overdue shares, rungs, by type and by team.

Owns the counting. Durations are elapsed time in days.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fixline.domain.journal import clock_facts, facts
from fixline.domain.journal.state import ClockKind
from fixline.domain.process.decision import Decision

DAY = timedelta(days=1)


@dataclass
class TypeFigures:
    """One type's figures. `backlog` has the open requests at the end of each week; `fired` counts rungs by the name of
    their clock, their place in its ladder, and their moment in the language's words."""

    type: str
    opened: int = 0
    closed: int = 0
    days_to_close: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    started: Counter[str] = field(default_factory=Counter)
    breached: Counter[str] = field(default_factory=Counter)
    fired: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    backlog: list[int] = field(default_factory=list)

    @property
    def open(self) -> int:
        """How many are open now."""
        return self.opened - self.closed

    @property
    def rungs(self) -> dict[str, int]:
        """How often each rung fired, in the order of the ladders."""
        return {f"{clock} {when}": times for (clock, _, when), times in sorted(self.fired.items())}

    def see(self, decision: Decision, opened_at: datetime) -> None:
        """Count what one decision did."""
        for entry in decision.entries:
            match entry.fact:
                case facts.Closed(outcome):
                    self.closed += 1
                    self.outcomes[outcome] += 1
                    self.days_to_close.append((decision.at - opened_at) / DAY)
                case clock_facts.RungFired(clock=name, rung=rung, last_rung=when):
                    self.fired[_name(name, decision), rung, when] += 1
                case clock_facts.ClockBreached(name):
                    self.breached[_name(name, decision)] += 1
                case clock_facts.ClockStarted(clock) if clock.kind is ClockKind.DEADLINE:
                    self.started[clock.name] += 1

    def overdue_share(self, deadline: str) -> float:
        """The share of requests that missed a deadline, 0 to 1."""
        started = self.started[deadline]
        return self.breached[deadline] / started if started else 0.0


def _name(clock: str, decision: Decision) -> str:
    found = decision.state.clocks.get(clock)
    return clock if found is None or found.step is None else f"{found.step}.{found.kind.value}"


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
