"""Compares what a scenario expects with what there is.

Owns one comparison for each key of `expect`. Instants are aware UTC; what is shown to people is local to the
definition's calendar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fixline.catalog.scenarios import NOTHING, ClockWord, Expected, Notice
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.journal.state import Clock, ClockKind, ClockState, RequestState
from fixline.domain.process.decision import Decision
from fixline.domain.process.effects import Escalate, Notify

MINUTE = 60


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
    """What has come of a request so far: its state, every clock it ever had, what was told since the last look."""

    calendar: WorkingCalendar
    state: RequestState | None = None
    clocks: dict[str, Clock] = field(default_factory=dict)
    told: dict[str, list[Notice]] = field(default_factory=lambda: {"escalations": [], "notifications": []})
    effects: list[str] = field(default_factory=list)

    def see(self, decision: Decision) -> None:
        """Take in one decision."""
        self.state = decision.state
        self.clocks |= {clock.name: clock for clock in decision.clocks}
        for effect in decision.effects:
            self.effects.append(effect.kind)
            if isinstance(effect, Escalate):
                known = self.clocks.get(effect.clock or "")
                clock = shown_name(known) if known else effect.clock
                told = self._told(decision.at, role=effect.role, clock=clock, rung=effect.rung)
                self.told["escalations"].append(told)
            elif isinstance(effect, Notify):
                self.told["notifications"].append(self._told(decision.at, event=effect.event))

    def _told(self, at: datetime, **facts: Any) -> Notice:
        words = " ".join(str(each) for each in facts.values() if each)
        return Notice(f"{local(at, self.calendar)} {words}", at, **facts)

    def clock(self, name: str) -> Clock | None:
        """The last clock of the deadline of that name, or of `<step>.claim` or `<step>.due`."""
        found = [clock for clock in self.clocks.values() if shown_name(clock) == name]
        return found[-1] if found else None


def local(at: datetime, calendar: WorkingCalendar) -> str:
    """An instant as people there would write it: 'Mon 2026-09-14 08:00', with seconds where there are any."""
    there = calendar.local(at)
    return there.strftime("%a %Y-%m-%d %H:%M" + (":%S" if there.second else ""))


def shown_name(clock: Clock) -> str:
    """A clock's name as a scenario writes it."""
    return clock.promise if clock.kind is ClockKind.DEADLINE else f"{clock.step}.{clock.kind.value}"


def look(expected: Expected, world: World, state: RequestState) -> Mismatch | None:
    """The expectation against the world; None when it is met."""
    actual, shown = _LOOKS[expected.key](expected, world, state)
    if _same(expected.value, actual):
        return None
    what = expected.key if expected.name is None else f"{expected.key} of {expected.name}"
    return Mismatch(expected.place.line, expected.place.column, what, expected.text, shown)


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, datetime) and isinstance(actual, datetime):
        return abs((expected - actual).total_seconds()) < MINUTE
    return bool(expected == actual)


Look = Callable[[Expected, World, RequestState], tuple[Any, str]]
"""Gives the actual value and how it is shown."""


def _names(names: frozenset[str]) -> tuple[frozenset[str], str]:
    return names, ", ".join(sorted(names)) or NOTHING


def _step(_expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    return _names(frozenset(position.step for position in state.positions))


def _waiting(_expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    return _names(state.conditions - {"on_hold"})


def _text(value: object) -> tuple[str, str]:
    return str(value), str(value)


def _closed(_expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    return (state.outcome.value, state.outcome.value) if state.outcome else (None, "it is open")


def _due(expected: Expected, world: World, _state: RequestState) -> tuple[Any, str]:
    clock = world.clock(expected.name or "")
    if clock is None:
        return NOTHING, "no such clock yet"
    at = clock.due_at
    return at, local(at, world.calendar) if at else f"{NOTHING} ({word_of(clock)})"


def word_of(clock: Clock) -> ClockWord:
    """What a clock has come to."""
    late = clock.breached_at is not None
    if clock.state is ClockState.MET:
        return ClockWord.MET_LATE if late else ClockWord.MET
    if clock.state is ClockState.ENDED:
        return ClockWord.ENDED
    return ClockWord.OVERDUE if late else ClockWord(clock.state.value)


def _clock(expected: Expected, world: World, _state: RequestState) -> tuple[Any, str]:
    clock = world.clock(expected.name or "")
    return (None, "no such clock yet") if clock is None else _text(word_of(clock).value)


def _overdue(_expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    return _names(frozenset(shown_name(clock) for clock in state.live_clocks if clock.breached_at))


def _tasks(_expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    found = {task.step: task.team for task in state.open_tasks}
    return found, ", ".join(f"{step}: {team}" for step, team in sorted(found.items())) or NOTHING


def _holder(expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    tasks = [task for task in state.open_tasks if task.step == expected.name]
    return _text((tasks[-1].assignee or NOTHING) if tasks else "no open task")


def _visits(expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    count = state.visits.get(expected.name or "", 0)
    return count, str(count)


def _answer(expected: Expected, _world: World, state: RequestState) -> tuple[Any, str]:
    value = state.answers.get(expected.name or "")
    return value, NOTHING if value is None else str(value)


def _told(expected: Expected, world: World, _state: RequestState) -> tuple[Any, str]:
    """What was told since the last such list; from now on that has been looked at."""
    actual = world.told[expected.key]
    world.told[expected.key] = []
    shown = "; ".join(each.text for each in actual) or NOTHING
    if len(actual) != len(expected.value):
        return None, shown
    fits = all(_fits(wanted, each) for wanted, each in zip(expected.value, actual, strict=True))
    return expected.value if fits else None, shown


def _fits(wanted: Notice, actual: Notice) -> bool:
    pairs = [(getattr(wanted, key), getattr(actual, key)) for key in ("at", "role", "clock", "rung", "event")]
    return all(want is None or _same(want, there) for want, there in pairs)


def _effects(expected: Expected, world: World, _state: RequestState) -> tuple[Any, str]:
    """Which kinds of effects there were since the last such look; others than those expected do not matter."""
    found = frozenset(world.effects)
    world.effects = []
    return (expected.value if expected.value <= found and expected.value else found), _names(found)[1]


_LOOKS: Final[dict[str, Look]] = {
    "step": _step,
    "status": lambda _e, _w, state: _text(state.status),
    "closed": _closed,
    "priority": lambda _e, _w, state: _text(state.priority.value),
    "waiting_as": _waiting,
    "on_hold": lambda _e, _w, state: _text("true" if state.hold else "false"),
    "attached": lambda _e, _w, state: _text("true" if state.attached_to and not state.closed else "false"),
    "duplicates": lambda _e, _w, state: (len(state.attached), str(len(state.attached))),
    "due": _due,
    "clocks": _clock,
    "overdue": _overdue,
    "tasks": _tasks,
    "holders": _holder,
    "visits": _visits,
    "answers": _answer,
    "escalations": _told,
    "notifications": _told,
    "effects": _effects,
}
"""One look for every key of `expect`."""
