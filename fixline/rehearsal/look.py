"""Compares what a scenario expects with what there is, for each key of `expect`. Instants are aware UTC; what is shown
to people is local to the definition's calendar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fixline.catalog.scenarios.expectations import ClockWord
from fixline.catalog.scenarios.model import NOTHING, Expected, Notice, listed
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.journal.state import Clock, ClockKind, ClockState, RequestState
from fixline.domain.process.decision import Decision
from fixline.domain.process.effects import Escalate, Notify

MINUTE = timedelta(minutes=1)
NO_CLOCK = "no such clock yet"


@dataclass(frozen=True)
class Mismatch:
    """One expectation that is not met: where it stands, what was expected, what there is."""

    line: int
    column: int
    what: str
    expected: str
    actual: str

    def __str__(self) -> str:
        """In words: 'step: expected repair, got inspect'."""
        return f"{self.what}: expected {self.expected}, got {self.actual}"


@dataclass
class World:
    """What has come of a request so far: every clock it ever had, what was told since the last look."""

    calendar: WorkingCalendar
    clocks: dict[str, Clock] = field(default_factory=dict)
    told: dict[str, list[Notice]] = field(default_factory=lambda: {"escalations": [], "notifications": []})
    effects: list[str] = field(default_factory=list)

    def see(self, decision: Decision) -> None:
        """Take in one decision."""
        self.clocks |= {clock.name: clock for clock in decision.clocks}
        for effect in decision.effects:
            self.effects.append(effect.kind)
            if isinstance(effect, Escalate):
                known = self.clocks.get(effect.clock or "")
                clock = shown_name(known) if known else effect.clock
                self._tell("escalations", decision.at, role=effect.role, clock=clock, rung=effect.rung)
            elif isinstance(effect, Notify):
                self._tell("notifications", decision.at, event=effect.event)

    def _tell(self, key: str, at: datetime, **facts: Any) -> None:
        words = " ".join(str(each) for each in facts.values() if each)
        self.told[key].append(Notice(f"{local(at, self.calendar)} {words}", at, **facts))

    def clock(self, name: str) -> Clock | None:
        """The last clock of the deadline of that name, or of `<step>.claim` or `<step>.due`."""
        return next((clock for clock in reversed(self.clocks.values()) if shown_name(clock) == name), None)


def local(at: datetime, calendar: WorkingCalendar) -> str:
    """An instant as people there would write it: 'Mon 2026-09-14 08:00', with seconds where there are any."""
    there = calendar.local(at)
    return there.strftime("%a %Y-%m-%d %H:%M" + (":%S" if there.second else ""))


def shown_name(clock: Clock) -> str:
    """A clock's name as a scenario writes it."""
    return clock.promise if clock.kind is ClockKind.DEADLINE else f"{clock.step}.{clock.kind.value}"


def word_of(clock: Clock) -> ClockWord:
    """What a clock has come to."""
    late = clock.breached_at is not None
    if clock.state is ClockState.MET:
        return ClockWord.MET_LATE if late else ClockWord.MET
    if clock.state is ClockState.ENDED:
        return ClockWord.ENDED
    return ClockWord.OVERDUE if late else ClockWord(clock.state.value)


def look(expected: Expected, world: World, state: RequestState) -> Mismatch | None:
    """The expectation against the world; None when it is met. What was told and caused has been looked at then."""
    actual = _actual(expected, world, state)
    if _same(expected.value, actual):
        return None
    place, shown = expected.place, _shown(actual, world.calendar)
    return Mismatch(place.line, place.column, expected.what, expected.text, shown)


def _actual(expected: Expected, world: World, state: RequestState) -> Any:
    """What there is, in the kind of the value that is expected; else a text that nobody can expect."""
    name = expected.name or ""
    match expected.key:
        case "step":
            return frozenset(position.step for position in state.positions)
        case "status":
            return state.status
        case "closed":
            return state.outcome.value if state.outcome else "it is open"
        case "priority":
            return state.priority.value
        case "waiting_as":
            return state.conditions - {"on_hold"}
        case "on_hold":
            return "true" if state.hold else "false"
        case "attached":
            return "true" if state.attached_to and not state.closed else "false"
        case "duplicates":
            return len(state.attached)
        case "due":
            return _due(world.clock(name), expected.value)
        case "clocks":
            clock = world.clock(name)
            return word_of(clock) if clock else NO_CLOCK
        case "overdue":
            return frozenset(shown_name(clock) for clock in state.live_clocks if clock.breached_at)
        case "tasks":
            return {task.step: task.team for task in state.open_tasks}
        case "holders":
            holders = [task.assignee or NOTHING for task in state.open_tasks if task.step == name]
            return holders[-1] if holders else "no open task"
        case "visits":
            return state.visits.get(name, 0)
        case "answers":
            return state.answers.get(name)
        case "escalations" | "notifications" as key:
            told, world.told[key] = world.told[key], []
            return tuple(told)
        case "effects":  # others than those expected do not matter
            effects, world.effects = frozenset(world.effects), []
            return expected.value if expected.value and expected.value <= effects else effects
    raise LookupError(f"nothing can be looked at for {expected.key!r}")


def _due(clock: Clock | None, wanted: datetime | str) -> datetime | str:
    if clock is None:
        return NO_CLOCK
    return clock.due_at or (NOTHING if wanted == NOTHING else f"{NOTHING} ({word_of(clock)})")


def _same(expected: Any, actual: Any) -> bool:
    """Whether there is what is expected: instants to the minute, notices in what is said of them."""
    match expected, actual:
        case datetime(), datetime():
            return abs(expected - actual) < MINUTE
        case Notice(), Notice():
            names = ("at", "role", "clock", "rung", "event")
            pairs = ((getattr(expected, name), getattr(actual, name)) for name in names)
            return all(wanted is None or _same(wanted, there) for wanted, there in pairs)
        case tuple(), tuple():
            return len(expected) == len(actual) and all(map(_same, expected, actual))
    return bool(expected == actual)


def _shown(actual: Any, calendar: WorkingCalendar) -> str:
    match actual:
        case datetime():
            return local(actual, calendar)
        case frozenset():
            return listed(actual)
        case dict():
            return ", ".join(f"{step}: {team}" for step, team in sorted(actual.items())) or NOTHING
        case tuple():
            return "; ".join(each.text for each in actual) or NOTHING
    return NOTHING if actual is None else str(actual)
