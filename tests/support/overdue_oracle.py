"""A slow oracle of what is overdue: every clock of a request counted minute by minute, from what people did.

It is told of a request's journal only what was done and where it stood: opened, held, given, completed, moved ... What
the journal says of clocks, dues, rungs and raised priorities it works out itself, and shares no code with the rules.
Instants are aware UTC; all but the one at which somebody asks are whole minutes.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.support.kinds import Amount, Deadline, Kind
from tests.support.oracle import MINUTE, Plan, open_minutes

RANKS = ("low", "normal", "high", "urgent")


class Fact(NamedTuple):
    """One thing that happened: when, what, and by itself (a wait was over, a timer fired) or by a command."""

    at: dt.datetime
    kind: str
    data: Mapping[str, Any]
    by_itself: bool


class Late(NamedTuple):
    """One line of the list: the clock, when it was due, and for how many whole seconds it is late."""

    due_at: dt.datetime
    request: str
    clock: str
    elapsed: int
    working: int


class Office:
    """When a calendar is open, known for every minute from its plan's start to an end."""

    def __init__(self, plan: Plan, end: dt.datetime) -> None:
        self._minutes = list(open_minutes(plan, end))
        self._open = frozenset(self._minutes)

    def open_at(self, minute: dt.datetime) -> bool:
        """Whether that minute is one of work."""
        return minute in self._open

    def seconds(self, since: dt.datetime, until: dt.datetime) -> float:
        """Working seconds between a whole minute and any instant."""
        whole = until.replace(second=0, microsecond=0)
        minutes = bisect_left(self._minutes, whole) - bisect_left(self._minutes, since)
        return minutes * 60 + (until - whole).total_seconds() * self.open_at(whole)


@dataclass
class _Clock:
    name: str
    budget: Amount
    known_since: dt.datetime
    deadline: Deadline | None = None
    promise: str = ""
    task: str | None = None
    kind: str = "deadline"
    counted: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    full_at: dict[bool, dt.datetime] = field(default_factory=dict)
    due_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    reached: dict[int, dt.datetime] = field(default_factory=dict)
    fired: set[int] = field(default_factory=set)

    @property
    def live(self) -> bool:
        return self.ended_at is None

    @property
    def shares(self) -> set[int]:
        """The shares of its budget at which something happens."""
        return {100, *(share for share, _ in (self.deadline.raises if self.deadline else ()))}

    @property
    def over(self) -> bool:
        """Whether nothing is left that it could reach."""
        return self.due_at is not None and self.reached.keys() >= self.shares

    def stands(self, states: set[str]) -> bool:
        """Whether it is paused while the request is in these states."""
        return bool(states & (self.deadline.pauses if self.deadline else {"on_hold"}))

    def look(self, minute: dt.datetime) -> None:
        """Note what is full by now."""
        amount, working = self.budget
        for share in self.shares - self.reached.keys() - {100}:
            if self.counted[working] * 100 >= amount * share:
                self.reached[share] = minute
        if self.due_at is None and self.counted[working] >= amount:
            self.due_at = minute
            self.reached.setdefault(100, minute)

    def count(self, minute: dt.datetime, *, working: bool) -> None:
        """The minute that begins now runs."""
        for unit in (False, True) if working else (False,):
            self.counted[unit] += 1
            self.full_at[unit] = minute + MINUTE

    def past(self, share: int, now: dt.datetime) -> bool:
        """Whether that share of the budget was full before now."""
        amount, working = self.budget
        spare = self.counted[working] * 100 - amount * share
        return spare > 0 or (spare == 0 and self.full_at[working] < now)


class Life:
    """One request, lived again minute by minute."""

    def __init__(self, request: str, kinds: Mapping[str, Kind], offices: Mapping[str, Office]) -> None:
        """`kinds` are known by version, `offices` by type."""
        self.request = request
        self._kinds, self._offices = kinds, offices
        self._followed: list[tuple[dt.datetime, Office]] = []
        self.clocks: list[_Clock] = []
        self._former = 0  # how many of them are of lives before, or of types before
        self._attached = False
        self.priority = self._floor = ""
        self._answers: dict[str, Any] = {}
        self._hold = False
        self._waiting_as: str | None = None
        self._steps: dict[str, str] = {}  # of each open task
        self._offers: dict[str, int] = {}
        self._held_by: set[str] = set()
        self._completed: set[str] = set()

    def live(self, facts: Iterable[Fact], until: dt.datetime) -> None:
        """Let all of this happen, and time pass until then."""
        for fact in facts:
            if fact.kind == "opened":
                self._now = fact.at
            self._pass_until(fact.at)
            self._catch_up(through=fact.by_itself)
            happening = getattr(self, f"_on_{fact.kind}", None)
            if happening is not None:
                happening(fact.data)
        self._pass_until(until)

    def late_at(self, now: dt.datetime) -> list[Late]:
        """Which of its clocks were late then."""
        late = []
        for clock in self.clocks:
            shown = clock.known_since <= now and (clock.ended_at is None or clock.ended_at > now)
            if shown and clock.due_at is not None and clock.due_at < now:
                working = self._office_at(now).seconds(clock.due_at, now)
                elapsed = (now - clock.due_at).total_seconds()
                late.append(Late(clock.due_at, self.request, clock.name, int(elapsed), int(working)))
        return late

    # Time

    def _pass_until(self, then: dt.datetime) -> None:
        counting = [clock for clock in self._running() if not clock.over]
        while self._now < then and counting:
            working = self._office.open_at(self._now)
            for clock in counting:
                clock.look(self._now)
                clock.count(self._now, working=working)
            if any(clock.over for clock in counting):
                counting = [clock for clock in counting if not clock.over]
            self._now += MINUTE
        self._now = max(self._now, then)

    def _running(self) -> list[_Clock]:
        states = ({"on_hold"} if self._hold else set()) | ({self._waiting_as} if self._waiting_as else set())
        return [clock for clock in self.clocks if clock.live and not clock.stands(states)]

    def _catch_up(self, *, through: bool) -> None:
        """The system looks: what was reached before now (by itself: by now) raises the priority, in order."""
        while True:
            if through:
                for clock in self._running():
                    clock.look(self._now)
            waiting = [
                (at, clock.name, share, clock)
                for clock in self._running()
                for share, at in clock.reached.items()
                if share not in clock.fired and (at < self._now or (through and at == self._now))
            ]
            if not waiting:
                return
            _, _, share, clock = min(waiting, key=lambda each: each[:3])
            clock.fired.add(share)
            raised = dict(clock.deadline.raises).get(share) if clock.deadline else None
            if raised:
                self._floor = max(self._floor, raised, key=_rank)
                self._set_priority()

    def _set_priority(self) -> None:
        priority = max(self._kind.ruled(self._answers), self._floor, key=_rank)
        if priority == self.priority:
            return
        self.priority = priority
        for clock in self.clocks:
            if clock.live and clock.deadline and clock.due_at is None:
                clock.budget = clock.deadline.budget(priority)

    # What people did, and where it stood then

    def _on_opened(self, data: Mapping[str, Any]) -> None:
        self._follow(data["version"])
        self._answers = dict(data["answers"])
        self.priority = self._kind.ruled(self._answers)
        self._counted_from = _instant(data["opened_at"])
        self._start_all(passed=True)

    def _follow(self, version: str) -> None:
        self._kind = self._kinds[version]
        self._office = self._offices[self._kind.type]
        self._followed.append((self._now, self._office))

    def _office_at(self, now: dt.datetime) -> Office:
        return [each for since, each in self._followed if since <= now][-1]

    def _start_all(self, *, passed: bool) -> None:
        self._former = len(self.clocks)
        for promise in self._kind.deadlines:
            self._start(promise, passed=passed)

    def _start(self, promise: str, *, passed: bool) -> None:
        """Start a deadline from when the request counts; the time since then has run. What was reached before now is
        passed and acts no more; with `passed` due may lie before now, else it does not."""
        deadline = self._kind.deadlines[promise]
        names = {clock.name for clock in self.clocks}
        name = next(n for n in (promise, *(f"{promise}.{i}" for i in range(2, 99))) if n not in names)
        clock = _Clock(name, deadline.budget(self.priority), self._now, deadline, promise)
        minute = self._counted_from
        while minute < self._now:
            clock.look(minute)
            clock.count(minute, working=self._office.open_at(minute))
            minute += MINUTE
        clock.fired = set(clock.reached)
        if not passed:
            clock.due_at = None
            clock.reached.pop(100, None)
            clock.fired.discard(100)
        self.clocks.append(clock)

    def _end_all(self, which: Sequence[_Clock] | None = None) -> None:
        for clock in self.clocks if which is None else which:
            if clock.live:
                clock.ended_at = self._now

    def _on_held(self, _data: Mapping[str, Any]) -> None:
        self._hold = True

    def _on_resumed(self, _data: Mapping[str, Any]) -> None:
        self._hold = False

    def _on_step_entered(self, data: Mapping[str, Any]) -> None:
        self._waiting_as = data.get("waiting_as")

    def _on_step_left(self, _data: Mapping[str, Any]) -> None:
        self._waiting_as = None

    def _on_answers_changed(self, data: Mapping[str, Any]) -> None:
        self._answers |= data["answers"]
        self._set_priority()

    def _on_priority_changed(self, data: Mapping[str, Any]) -> None:
        if data.get("by_hand"):
            self._floor = data["floor"] or ""
            self._set_priority()

    def _on_task_offered(self, data: Mapping[str, Any]) -> None:
        task, step = data["id"], data["step"]
        self._steps[task], self._offers[task] = step, 1
        self._start_task_clock(task, "claim", self._kind.claim.get(step))
        self._start_task_clock(task, "due", self._kind.due.get(step))

    def _start_task_clock(self, task: str, kind: str, budget: Amount | None) -> None:
        if budget is None:
            return
        again = f".{self._offers[task]}" if kind == "claim" and self._offers[task] > 1 else ""
        name = f"{task.rsplit('-', 1)[-1]}.{kind}{again}"
        self.clocks.append(_Clock(name, budget, self._now, task=task, kind=kind))

    def _of_task(self, task: str, *kinds: str) -> list[_Clock]:
        return [clock for clock in self.clocks if clock.task == task and clock.kind in kinds]

    def _on_task_claimed(self, data: Mapping[str, Any]) -> None:
        self._held_by.add(data["task"])
        self._end_all(self._of_task(data["task"], "claim"))

    def _on_task_reassigned(self, data: Mapping[str, Any]) -> None:
        task = data["task"]
        self._held_by.discard(task)
        self._end_all(self._of_task(task, "claim"))
        self._offers[task] = self._offers.get(task, 1) + 1
        self._start_task_clock(task, "claim", self._kind.claim.get(self._steps[task]))

    _on_task_released = _on_task_declined = _on_task_reassigned

    def _on_task_completed(self, data: Mapping[str, Any]) -> None:
        step = self._steps[data["task"]]
        self._on_task_withdrawn(data)
        self._completed.add(step)
        self._end_all([clock for clock in self.clocks if clock.deadline and clock.deadline.met_by == step])

    def _on_task_withdrawn(self, data: Mapping[str, Any]) -> None:
        self._end_all(self._of_task(data["task"], "claim", "due"))
        del self._steps[data["task"]]

    def _on_closed(self, _data: Mapping[str, Any]) -> None:
        self._end_all()
        self._hold = False

    def _on_attached(self, _data: Mapping[str, Any]) -> None:
        self._end_all()
        self._hold, self._attached = False, True

    def _on_reopened(self, data: Mapping[str, Any]) -> None:
        self._completed = set()
        self._counted_from = self._now
        self._attached = bool(data.get("attached_to"))
        if not self._attached:
            self._start_all(passed=False)

    def _on_detached(self, _data: Mapping[str, Any]) -> None:
        self._attached = False
        self._counted_from = self._now
        self._start_all(passed=False)

    def _on_recategorised(self, data: Mapping[str, Any]) -> None:
        self._end_all()
        self._completed = set()
        self._follow(data["version"])
        self._answers = dict(data["answers"])
        self.priority = max(self._kind.ruled(self._answers), self._floor, key=_rank)
        self._start_all(passed=True)

    def _on_moved(self, data: Mapping[str, Any]) -> None:
        self._follow(data["version"])
        self.priority = max(self._kind.ruled(self._answers), self._floor, key=_rank)
        own = [clock for clock in self.clocks[self._former :] if clock.deadline]
        for clock in own:
            if clock.live:
                self._move(clock, self._kind.deadlines.get(clock.promise))
        added = self._kind.deadlines.keys() - {clock.promise for clock in own}
        for promise in sorted(added) if not self._attached else ():
            if self._kind.deadlines[promise].met_by not in self._completed:
                self._start(promise, passed=False)
        for task in self._steps:
            self._move_task(task)

    def _move(self, clock: _Clock, deadline: Deadline | None) -> None:
        if deadline is None:
            clock.ended_at = self._now
            return
        before = clock.shares
        clock.deadline = deadline
        if clock.due_at is None:
            clock.budget = deadline.budget(self.priority)
        for share in clock.shares - before:
            if clock.past(share, self._now):
                clock.reached[share] = self._now
                clock.fired.add(share)

    def _move_task(self, task: str) -> None:
        for kind, budgets in (("claim", self._kind.claim), ("due", self._kind.due)):
            budget, own = budgets.get(self._steps[task]), self._of_task(task, kind)
            for clock in own:
                if clock.live and budget is None:
                    clock.ended_at = self._now
                elif clock.live and clock.due_at is None and budget is not None:
                    clock.budget = budget
            if not own and not (kind == "claim" and task in self._held_by):
                self._start_task_clock(task, kind, budget)


def _rank(priority: str) -> int:
    return RANKS.index(priority) if priority else -1


def _instant(value: Any) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
