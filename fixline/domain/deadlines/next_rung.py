"""The rung of a clock's ladder that comes next, for whoever looks at the clock.

Owns the question only; the arithmetic is in `fixline.domain.deadlines.clocks`. Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from fixline.domain.deadlines.clocks import next_firing
from fixline.domain.deadlines.timekeeping import TASK_LADDER
from fixline.domain.definition.deadlines import Rung
from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import Clock, ClockKind


class NextRung(NamedTuple):
    """The rung that fires next: when, which (as the definition writes it), and whom it tells."""

    at: datetime
    rung: str
    tell: str | None


def next_rung(definition: Definition, clock: Clock) -> NextRung | None:
    """The next rung of a clock; None when its ladder is at its end, or while the clock stands.

    A rung whose instant is past fires as soon as the system gets to it.
    """
    ladder: tuple[Rung, ...] = TASK_LADDER
    if clock.kind is ClockKind.DEADLINE:
        deadline = definition.deadlines.get(clock.promise)
        ladder = deadline.escalate if deadline is not None else ()
    if len(clock.fired) != len(ladder):
        return None
    firing = next_firing(clock, ladder, definition.calendar)
    if firing is None:
        return None
    rung = ladder[firing.rung]
    return NextRung(firing.at, rung.when, rung.tell)
