"""What journal entries say of clocks: started, paused, breached, met; rungs that fired, and who was told."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec.structs import asdict

from fixline.domain.deadlines.span import Span
from fixline.domain.journal.facts import Changes, Fact
from fixline.domain.journal.state import Clock, ClockState, RequestState, Stretch
from fixline.domain.records import change


class ClockStarted(Fact, frozen=True):
    """A clock was started; stored as the clock is."""

    clock: Clock
    whole = "clock"

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"clocks": {**state.clocks, self.clock.name: self.clock}}


class _OfClock(Fact, frozen=True):
    """Something that changes a clock: what it says of it holds from then on, and so does `becomes`."""

    clock: str

    becomes: ClassVar[ClockState | None] = None
    aside: ClassVar[tuple[str, ...]] = ("clock",)
    """The fields that say nothing of the clock itself."""

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        different = asdict(self)
        for name in self.aside:
            del different[name]
        if self.becomes is not None:
            different |= {"state": self.becomes} if self.becomes.live else {"state": self.becomes, "ended_at": at}
        return {"clocks": {**state.clocks, self.clock: change(state.clocks[self.clock], **different)}}


class ClockPaused(_OfClock, frozen=True):
    """The clock stands; one that is overdue keeps its due."""

    stretches: tuple[Stretch, ...]
    due_at: datetime | None
    becomes = ClockState.PAUSED


class ClockResumed(_OfClock, frozen=True):
    """The clock runs again."""

    stretches: tuple[Stretch, ...]
    due_at: datetime | None
    becomes = ClockState.RUNNING


class ClockRebudgeted(_OfClock, frozen=True):
    """Another priority has another budget."""

    budget: Span
    not_before: datetime
    due_at: datetime | None


class ClockBreached(_OfClock, frozen=True):
    """The budget was spent before the promise was kept."""

    breached_at: datetime | None


class ClockMet(_OfClock, frozen=True):
    """The promise was kept, perhaps late."""

    stretches: tuple[Stretch, ...]
    becomes = ClockState.MET


class ClockEnded(_OfClock, frozen=True):
    """The clock ended without having been met."""

    stretches: tuple[Stretch, ...]
    becomes = ClockState.ENDED


class RungFired(_OfClock, frozen=True):
    """A rung of a ladder: which, for the how-manieth time, at what instant it should have been, and whether late."""

    fired: tuple[int, ...]
    last_rung: str
    rung: int
    time: int
    at: datetime
    late: bool
    aside = ("clock", "rung", "time", "at", "late")


class RungsPassed(_OfClock, frozen=True):
    """Rungs that were past when the clock began, of which nobody is told."""

    fired: tuple[int, ...]
    last_rung: str


class ClockMoved(_OfClock, frozen=True):
    """The clock goes on by another version."""

    budget: Span
    fired: tuple[int, ...]
    not_before: datetime | None
    due_at: datetime | None


class Told(Fact, frozen=True):
    """Whoever holds a role was told of a clock or a step; `person` is None where nobody holds it."""

    role: str
    person: str | None
    clock: str | None = None
    step: str | None = None


class Notified(Fact, frozen=True):
    """An audience was told of an event."""

    event: str
    audience: str
    channel: str | None
    person: str | None = None
