"""A slow oracle of working time and of deadlines, which shares no code with what it judges.

It looks at every minute and asks what an office would: has the wall clock reached the opening, and not yet the closing?
In the night in which the clock is turned back, what it has shown once counts as reached. A deadline counts the minutes
in which its clock ran, one by one. Owns the random calendars, too, of the tests and of `python -m bench.oracle`.
Instants are aware UTC and whole minutes.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from fixline.domain.deadlines.calendar import CalendarException, Holiday, Period, Window, WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import SYSTEM, Actor, Command, Hold, Open, Resume, Role, Tick
from fixline.domain.process.decision import Decision

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
DAY_MINUTES = 1440
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WATCHED_DAYS = 9
"""How long the oracle of deadlines looks: what lies later it does not judge."""

# For each zone the dates around which its clock changes, or any date for a zone that leaves it alone.
ZONES = {
    "America/Chicago": (dt.date(2026, 3, 8), dt.date(2026, 11, 1)),
    "Europe/Berlin": (dt.date(2026, 3, 29), dt.date(2026, 10, 25)),
    "Australia/Lord_Howe": (dt.date(2026, 4, 5), dt.date(2026, 10, 4)),
    "Asia/Kolkata": (dt.date(2026, 1, 1),),
    "UTC": (dt.date(2024, 2, 29),),
}

Hours = list[tuple[int, int]]  # (opens, closes) in minutes after the local midnight
Drawn = tuple[tuple[str, dt.date], list[Hours], int, list[int], dict[int, Hours], tuple[int, int, list[Hours]] | None]
"""A random calendar before its hours are made to fit: zone and date, week, start, holidays, exceptions, period."""


@dataclass
class Plan:
    """A calendar as plain numbers, for the counter and the calendar under test alike."""

    zone: str
    weekly: list[Hours]
    start: dt.datetime
    holidays: set[dt.date] = field(default_factory=set)
    exceptions: dict[dt.date, Hours] = field(default_factory=dict)
    period: tuple[dt.date, dt.date, list[Hours]] | None = None

    def hours(self, date: dt.date) -> Hours:
        """The windows that start on a local date."""
        if date in self.exceptions:
            return self.exceptions[date]
        if date in self.holidays:
            return []
        if self.period and self.period[0] <= date <= self.period[1]:
            return self.period[2][date.weekday()]
        return self.weekly[date.weekday()]

    def calendar(self) -> WorkingCalendar:
        """The calendar under test."""
        first, last, weekly = self.period or (None, None, [])
        return WorkingCalendar.model_validate(
            {
                "name": "random",
                "timezone": self.zone,
                "day": dt.timedelta(hours=8),
                "weekly": _week(self.weekly),
                "periods": [Period.model_validate({"first": first, "last": last, "name": "p", "weekly": _week(weekly)})]
                if self.period
                else [],
                "holidays": [Holiday(date=date, name="holiday") for date in self.holidays],
                "exceptions": [
                    CalendarException(date=date, hours=_windows(hours), name="exception")
                    for date, hours in self.exceptions.items()
                ],
            }
        )


def _windows(hours: Hours) -> tuple[Window, ...]:
    return tuple(Window(opens=opens, closes=closes) for opens, closes in hours)


def _week(weekly: list[Hours]) -> dict[str, tuple[Window, ...]]:
    return {day: _windows(hours) for day, hours in zip(DAYS, weekly, strict=True)}


def open_minutes(plan: Plan, end: dt.datetime) -> Iterator[dt.datetime]:
    """The open minutes from the plan's start to the end, found by looking at each."""
    zone = ZoneInfo(plan.zone)
    now = plan.start - DAY  # the clock's highest reading so far has to be known by the start
    reached = now.astimezone(zone).replace(tzinfo=None, fold=0)
    open_on: dict[dt.date, set[int]] = {}
    while now < end:
        reached = max(reached, now.astimezone(zone).replace(tzinfo=None, fold=0))
        today = reached.date()
        if today not in open_on:
            open_on[today] = _minutes_within_hours(plan, today)
        if now >= plan.start and reached.hour * 60 + reached.minute in open_on[today]:
            yield now
        now += MINUTE


def _minutes_within_hours(plan: Plan, date: dt.date) -> set[int]:
    """The minutes of a wall clock's day that lie in a window of that date or of the evening before."""
    minutes: set[int] = set()
    for opens, closes in plan.hours(date):
        minutes.update(range(opens, min(closes, DAY_MINUTES)))
    for _, closes in plan.hours(date - DAY):
        minutes.update(range(closes - DAY_MINUTES))
    return minutes


def day_hours(times: list[int], overnight: int) -> Hours:
    """Windows between the drawn times of one date, the last one overnight when it lacks a closing."""
    edges = sorted(set(times))
    if not edges and overnight % 2:
        return [(0, DAY_MINUTES)]
    hours = list(zip(edges[::2], edges[1::2], strict=False))
    if len(edges) % 2:
        hours.append((edges[-1], DAY_MINUTES + overnight))
    return hours


def _fitted(hours: Hours, following: Hours) -> Hours:
    """The hours with the last window cut where the following date opens, and to less than 24 hours."""
    if not hours or hours == [(0, DAY_MINUTES)]:
        return hours
    opens, closes = hours[-1]
    limit = DAY_MINUTES + (following[0][0] if following else DAY_MINUTES)
    return [*hours[:-1], (opens, min(closes, limit, opens + DAY_MINUTES - 1))]


def plan_of(drawn: Drawn) -> Plan:
    """A calendar, and a start within days of a change of its clock."""
    (zone, change), weekly, offset, holidays, exceptions, period = drawn
    if not any(weekly):
        weekly[offset % 7] = [(480, 990)]
    start = dt.datetime.combine(change, dt.time(), dt.UTC) + offset * MINUTE
    plan = Plan(zone, _fitted_week(weekly), start)
    if period is not None:
        _add_period(plan, change + period[0] * DAY, period[1], _fitted_week(period[2]))
    plan.holidays = {change + days * DAY for days in holidays}
    for days, hours in exceptions.items():
        _make_exception(plan, change + days * DAY, hours)
    return plan


def _fitted_week(weekly: list[Hours]) -> list[Hours]:
    return [_fitted(hours, weekly[(day + 1) % 7]) for day, hours in enumerate(weekly)]


def _add_period(plan: Plan, first: dt.date, days: int, weekly: list[Hours]) -> None:
    """Other hours for some days, unless an overnight window runs into others' at either end."""
    last = first + days * DAY
    plan.period = (first, last, weekly)
    if any(_runs_into(plan, date) for date in (first, last + DAY)):
        plan.period = None


def _runs_into(plan: Plan, date: dt.date) -> bool:
    before, hours = plan.hours(date - DAY), plan.hours(date)
    return bool(before and hours and before[-1][1] > DAY_MINUTES + hours[0][0])


def _make_exception(plan: Plan, date: dt.date, hours: Hours) -> None:
    """Give a date its own hours, or close it where the evening before runs into them."""
    plan.exceptions[date] = _fitted(hours, plan.hours(date + DAY))
    if _runs_into(plan, date):
        plan.exceptions[date] = []


@dataclass
class Promise:
    """A deadline of a request that is opened at the plan's start, held and resumed at whole minutes.

    `budget`, `after` and `every` are minutes, each working or not; `percent` is the share of the one early rung, which
    comes to whole minutes. `holds` are stretches in minutes after the start, in order; the last one may have no end.
    """

    plan: Plan
    budget: tuple[int, bool]
    percent: int
    after: tuple[int, bool]
    every: tuple[int, bool]
    holds: list[tuple[int, int | None]]


class Fate(NamedTuple):
    """What becomes of a promise within the watched days: when it breaches, and which rungs fire when."""

    breached_at: dt.datetime | None
    rungs: tuple[tuple[str, dt.datetime], ...]


def foretold(promise: Promise) -> Fate:
    """The oracle: every minute that ran is counted, and whatever is full happens at the next instant that is not held.

    What is counted ends with the minute, so what is full at a closing happens at that closing.
    """
    counting = _Counting(promise)
    end = promise.plan.start + WATCHED_DAYS * DAY
    opened = open_minutes(promise.plan, end)
    next_open = next(opened, None)
    now = promise.plan.start
    while now <= end and not counting.over:
        if not _held(promise, now):
            counting.look(now)
            counting.count(working=now == next_open)
        if now == next_open:
            next_open = next(opened, None)
        now += MINUTE
    return Fate(counting.breached_at, tuple(counting.rungs))


def _held(promise: Promise, now: dt.datetime) -> bool:
    minute = (now - promise.plan.start) // MINUTE
    return any(since <= minute and (until is None or minute < until) for since, until in promise.holds)


class _Counting:
    """Minutes counted towards the next rung and the breach; `working` and all of them since the start."""

    def __init__(self, promise: Promise) -> None:
        self.promise = promise
        self.breached_at: dt.datetime | None = None
        self.rungs: list[tuple[str, dt.datetime]] = []
        self.counted = {True: 0, False: 0}
        self.marks: dict[bool, int] = {}
        self.repeats = 0

    @property
    def over(self) -> bool:
        """Whether all has happened that can."""
        return self.repeats == REPEATS

    def look(self, now: dt.datetime) -> None:
        """Note what is full by now."""
        amount, working = self.promise.budget
        spent = self.counted[working]
        if not self.rungs and spent * 100 >= amount * self.promise.percent:
            self.rungs.append((f"{self.promise.percent}%", now))
        if self.breached_at is None and spent >= amount:
            self.breached_at = now
            self.rungs.append(("due", now))
            self.marks = dict(self.counted)
        while self.breached_at and self.repeats < REPEATS:
            left, unit = self.promise.every if self.repeats else self.promise.after
            if self.counted[unit] - self.marks[unit] < left:
                break
            self.repeats += 1
            self.rungs.append(("after", now))
            self.marks = dict(self.counted)

    def count(self, *, working: bool) -> None:
        """The minute that begins now runs."""
        self.counted[False] += 1
        self.counted[True] += working


REPEATS = 3
"""How many times the rung after due fires."""
_CLERK = Actor(name="clerk", role=Role.ADMIN)


def lived(promise: Promise) -> Fate:
    """The same by the rules themselves: commands at their instants, and a tick whenever one is asked for."""
    definition = _definition(promise)
    start, end = promise.plan.start, promise.plan.start + WATCHED_DAYS * DAY
    request = _Request(definition)
    request.give(Open(type="simple", version="v"), start)
    for since, until in promise.holds:
        request.until(start + since * MINUTE)
        request.give(Hold(reason="x"), start + since * MINUTE)
        if until is not None:
            request.until(start + until * MINUTE)
            request.give(Resume(), start + until * MINUTE)
    request.until(end + MINUTE)
    return Fate(request.state.clocks["promise"].breached_at, tuple(request.rungs))


class _Request:
    """A request that is driven through `advance`."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.kept: RequestState | None = None
        self.next_at: dt.datetime | None = None
        self.rungs: list[tuple[str, dt.datetime]] = []

    @property
    def state(self) -> RequestState:
        assert self.kept is not None
        return self.kept

    def give(self, command: Command, now: dt.datetime) -> None:
        actor = SYSTEM if isinstance(command, Tick) else _CLERK
        decision = advance(self.definition, self.kept, command, now, actor=actor, request_id="R-1")
        assert isinstance(decision, Decision), decision
        self.kept, self.next_at = decision.state, decision.next_at
        for entry in decision.entries:
            if entry.kind == "rung_fired":
                which = entry.data["last_rung"].split()[0]
                self.rungs.append((which, dt.datetime.fromisoformat(entry.data["at"])))

    def until(self, instant: dt.datetime) -> None:
        """Let the timer fire at every instant before this one."""
        while self.next_at is not None and self.next_at < instant:
            self.give(Tick(), self.next_at)


def _definition(promise: Promise) -> Definition:
    def span(amount: tuple[int, bool]) -> str:
        return f"{amount[0]} {'working' if amount[1] else 'calendar'} minutes"

    after = {"after": span(promise.after), "every": span(promise.every), "up_to": REPEATS, "tell": "chief"}
    ladder = [{"at_percent": promise.percent, "tell": "lead"}, {"at_due": True, "tell": "supervisor"}, after]
    parts: dict[str, Any] = {
        "type": "simple",
        "title": "Something simple",
        "department": "works",
        "intake": {"location": "none"},
        "priority": [{"is": "normal"}],
        "calendar": promise.plan.calendar(),
        "deadlines": {
            "promise": {
                "met_by": "closed",
                "within": {"otherwise": span(promise.budget)},
                "paused_while": ["on_hold"],
                "escalate": ladder,
            }
        },
        "start": "work",
        "steps": {
            "work": {"kind": "task", "title": "Do it", "team": "crew", "then": {"done": "fixed"}},
            "fixed": {"kind": "close", "outcome": "fixed", "say": "It is done."},
        },
    }
    return Definition.model_validate(parts)


def random_promise(seed: int) -> Promise:
    """A promise on a random calendar; the same seed gives the same one."""
    chance = random.Random(seed)
    near = [chance.choice((chance.randint(-2, 2), chance.randint(-5, 14))) for _ in range(6)]
    drawn: Drawn = (
        chance.choice([(zone, change) for zone, changes in ZONES.items() for change in changes]),
        _random_week(chance),
        chance.randint(-2 * DAY_MINUTES, DAY_MINUTES),
        near[: chance.randint(0, 2)],
        {days: _random_hours(chance) for days in near[3 : 3 + chance.randint(0, 3)]},
        (chance.randint(-3, 4), chance.randint(0, 20), _random_week(chance)) if chance.random() < 0.4 else None,
    )
    return Promise(
        plan=plan_of(drawn),
        budget=(20 * chance.choice((1, chance.randint(1, 12), chance.randint(1, 150))), chance.random() < 0.7),
        percent=5 * chance.randint(1, 19),
        after=(chance.randint(1, 1500), chance.random() < 0.5),
        every=(chance.randint(1, 600), chance.random() < 0.5),
        holds=_random_holds(chance),
    )


def _random_holds(chance: random.Random) -> list[tuple[int, int | None]]:
    """Up to four stretches, some of them one after the other without a minute between, the last sometimes endless."""
    marks: list[int] = []
    for _ in range(2 * chance.randint(0, 4)):
        marks.append(
            (marks[-1] if marks else 0) + chance.choice((0, 1, chance.randint(1, 90), chance.randint(1, 2500)))
        )
    holds: list[tuple[int, int | None]] = [(marks[i], marks[i + 1]) for i in range(0, len(marks), 2)]
    if holds and chance.random() < 0.1:
        holds[-1] = (holds[-1][0], None)
    return holds


def _random_week(chance: random.Random) -> list[Hours]:
    return [_random_hours(chance) for _ in DAYS]


def _random_hours(chance: random.Random) -> Hours:
    times = [chance.choice((chance.randrange(DAY_MINUTES), chance.randrange(180))) for _ in range(chance.randint(0, 5))]
    return day_hours(times, chance.randint(0, 8 * 60))
