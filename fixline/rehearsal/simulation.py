"""Simulations of many requests in virtual time: the queue of events, the queues of crews that have hands and hours, and
the figures that come of it; what people and weather do is `chance`'s, what happens to a request is decided by
`advance`. Instants are aware UTC, durations elapsed time; the same seed gives the same simulation.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from fixline.catalog import Catalog
from fixline.catalog.profiles import Profile
from fixline.catalog.scenarios.instants import first_monday
from fixline.domain.deadlines.calendar import CalendarExhausted, WorkingCalendar
from fixline.domain.definition.fields import FieldKind
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE, CloseOutcome
from fixline.domain.journal import clock_facts, facts
from fixline.domain.journal.state import ClockKind, Position, RequestState, TaskState
from fixline.domain.journal.step_facts import StepEntered
from fixline.domain.process import commands
from fixline.domain.process.commands import SYSTEM, Actor, Command, Role
from fixline.domain.process.decision import Decision
from fixline.domain.process.kinds import AgencyStep, CallStep, FollowOnStep, HumanStep, WaitStep
from fixline.domain.process.virtual import VirtualRequest, follow_on_results
from fixline.rehearsal.chance import Chance

DAY, WEEK = timedelta(days=1), timedelta(days=7)
DRAIN = 26 * WEEK
"""How long after the last arrivals the crews go on at most."""
CREW = Actor(name="crew", role=Role.ADMIN)
OUTSIDE = Actor(name="outside", role=Role.SERVICE)


class Event(NamedTuple):
    """Something at an instant; `number` keeps those of one instant in their order."""

    at: datetime
    number: int
    happen: Callable[[datetime], None]


class Job(NamedTuple):
    """A task that waits in a queue; no two have the same `number`."""

    rank: int
    offered_at: datetime
    number: int
    request: int
    task: str
    step: str


@dataclass
class Team:
    """One team with so many crews, each with one task at a time, in the hours of its calendar: the most urgent first,
    of those the oldest. `busy` is the working time that its crews have spent."""

    key: str
    size: int
    calendar: WorkingCalendar
    queue: list[Job] = field(default_factory=list)
    at_work: int = 0
    done: int = 0
    longest: int = 0
    busy: timedelta = timedelta()
    wakes_at: datetime | None = None

    def put(self, job: Job) -> None:
        """A task is offered to the team."""
        heapq.heappush(self.queue, job)
        self.longest = max(self.longest, len(self.queue))

    def next(self, now: datetime) -> Job | None:
        """The job that a free crew takes now; None when there is neither crew nor job, or the team is closed."""
        if not self.queue or self.at_work >= self.size or not self.calendar.is_open(now):
            return None
        self.at_work += 1
        return heapq.heappop(self.queue)

    def opening(self, now: datetime) -> datetime | None:
        """When the team has to be woken: at its next opening, if work waits and nothing wakes it before."""
        if not self.queue or self.calendar.is_open(now) or (self.wakes_at is not None and self.wakes_at > now):
            return None
        self.wakes_at = self.calendar.next_opening(now)
        return self.wakes_at


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

    def see(self, decision: Decision) -> None:
        """Count what one decision did."""
        for entry in decision.entries:
            match entry.fact:
                case facts.Closed(outcome):
                    self.closed += 1
                    self.outcomes[outcome] += 1
                    self.days_to_close.append((decision.at - decision.state.opened_at) / DAY)
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


def _undated(state: RequestState, position: Position, step: WaitStep) -> bool:
    """Whether a wait goes on until a date that nobody has given yet; the supervisor has been told."""
    return step.until is not None and position.wait_until is None and state.answers.get(step.until) is None


class Simulation:
    """Many requests of some types, and the teams that work on them."""

    def __init__(
        self, catalog: Catalog, types: Sequence[Definition], profile: Profile, requests: int, seed: int
    ) -> None:
        self._chance = Chance(profile, catalog.areas, seed)
        self._catalog = catalog
        self._profile = profile
        self._events: list[Event] = []
        self._numbers = 0
        self._requests: dict[int, VirtualRequest] = {}  # those that have arrived and are not closed
        self._closed = 0
        self.total = 0
        self.decisions = 0
        self.teams: dict[str, Team] = {}
        self.figures = {each.type: TypeFigures(each.type) for each in types}
        self.ends_at = self._plan(types, requests)

    def _plan(self, definitions: Sequence[Definition], requests: int) -> datetime:
        """Arrivals, and a count at the end of each week; the instant at which the simulation is over."""
        first = first_monday(definitions[0].calendar)
        ends_at = first + self._profile.weeks * WEEK
        for definition in definitions:
            for at in self._chance.arrivals(definition, requests):
                self._put(at, partial(self._arrive, definition, self.total))
                self.total += 1
                ends_at = max(ends_at, at)
        ends_at += DRAIN
        for week in range(1, (ends_at - first) // WEEK + 1):
            self._put(first + week * WEEK, self._count)
        return ends_at

    def _put(self, at: datetime, happen: Callable[[datetime], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._events, Event(at, self._numbers, happen))

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Play until every request is closed, or the time is over; `progress` hears how many of how many are closed."""
        while self._events and self._closed < self.total:
            event = heapq.heappop(self._events)
            if event.at > self.ends_at:
                break
            event.happen(event.at)
            if progress and self._numbers % 4096 == 0:
                progress(self._closed, self.total)
        if progress:
            progress(self._closed, self.total)

    def _count(self, _at: datetime) -> None:
        for figures in self.figures.values():
            figures.backlog.append(figures.open)

    def _arrive(self, definition: Definition, number: int, at: datetime) -> None:
        self._requests[number] = VirtualRequest(definition, f"SR26-{number + 1:08d}")
        self.figures[definition.type].opened += 1
        self._give(number, self._chance.report(definition), at, OUTSIDE)

    def _tick(self, number: int, at: datetime) -> None:
        request = self._requests.get(number)
        if request is None or request.next_at != at:
            return
        decision = request.tick(at)
        if decision is not None:
            self._see(number, request, decision)
        elif request.next_at is not None:
            self._put(request.next_at, partial(self._tick, number))

    def _give(self, number: int, command: Command, at: datetime, actor: Actor) -> Decision | None:
        request = self._requests.get(number)
        if request is None:
            return None
        before = request.next_at
        result = request.give(command, at, actor)
        if not isinstance(result, Decision):
            return None
        self._see(number, request, result, before)
        return result

    def _see(self, number: int, request: VirtualRequest, decision: Decision, before: datetime | None = None) -> None:
        """Take in a decision: count, arm the next tick, put tasks to their teams, let those outside think."""
        self.decisions += 1
        state = decision.state
        self.figures[state.type].see(decision)
        if state.closed:
            self._closed += 1
            del self._requests[number]
            return
        if request.next_at is not None and request.next_at != before:
            self._put(request.next_at, partial(self._tick, number))
        for entry in decision.entries:
            if isinstance(entry.fact, StepEntered):
                position = state.position_of(entry.fact.step)
                if position is not None and position.visit == entry.fact.visit:
                    self._entered(number, request, state, position, decision.at)
        for task in decision.tasks:
            if task.state is TaskState.OFFERED:
                team = self._team(task.team, request.definition.calendar)
                self._numbers += 1
                team.put(Job(-state.priority.rank, task.offered_at, self._numbers, number, task.id, task.step))
                self._work(team, decision.at)
        for report in follow_on_results(decision):
            self._give(number, report, decision.at, SYSTEM)

    def _entered(
        self, number: int, request: VirtualRequest, state: RequestState, position: Position, now: datetime
    ) -> None:
        step = request.definition.step(position.step)
        waits = isinstance(step, WaitStep) and (step.signal or _undated(state, position, step))
        if waits or isinstance(step, AgencyStep | CallStep | FollowOnStep):
            told = self._chance.told(request.definition.type, position.step).takes
            try:
                span = request.definition.calendar.add(now, told) - now if told else None
                at = self._chance.answer_after(now, position.wait_until, span)
            except (CalendarExhausted, OverflowError):
                return
            self._put(at, partial(self._answer, number, position.step, position.visit))

    def _answer(self, number: int, name: str, visit: int, at: datetime) -> None:
        """Somebody outside answers, if the request still waits for it."""
        request = self._requests.get(number)
        state = request.state if request else None
        position = state.position_of(name) if state else None
        if request is None or state is None or position is None or position.visit != visit:
            return
        command = self._command(request.definition, state, position, at)
        if command is not None:
            self._give(number, command, at, SYSTEM)

    def _command(self, definition: Definition, state: RequestState, position: Position, at: datetime) -> Command | None:
        """What whoever is waited for at a position says; a date that was missing is the day, or the instant, on which
        it is given."""
        name, visit, step = position.step, position.visit, definition.step(position.step)
        if isinstance(step, WaitStep):
            if step.signal:
                return commands.Signal(name=step.signal)
            if step.until is None or not _undated(state, position, step):
                return None
            day = definition.fields[step.until].kind is FieldKind.DATE
            answer = definition.calendar.local(at).date().isoformat() if day else at.isoformat()
            return commands.Amend(answers={step.until: answer}, reason="the date was given")
        outcome = self._chance.outcome(definition, name, step)
        if isinstance(step, AgencyStep):
            return commands.AgencyReply(outcome=outcome, step=name)
        if isinstance(step, CallStep):
            return commands.EffectResult(effect="", effect_kind="call", step=name, visit=visit, outcome=outcome)
        # The follow-on of the step is closed; `otherwise` stands for an outcome that the step does not name.
        children = (each for each, child in state.children.items() if child.status == "open" and child.step == name)
        ended = CloseOutcome.CANCELLED if outcome == OTHERWISE else CloseOutcome(outcome)
        waited = next(children, None)
        return None if waited is None else commands.FollowOnClosed(child=waited, outcome=ended)

    def _team(self, key: str, calendar: WorkingCalendar) -> Team:
        """The team; its hours are those of the first type that gives it work."""
        team = self.teams.get(key)
        if team is None:
            known = self._catalog.organisation.teams.get(key) if self._catalog.organisation else None
            size = self._profile.crews.get(key) or (len(known.members) if known else 1)
            team = self.teams[key] = Team(key, size, calendar)
        return team

    def _work(self, team: Team, now: datetime) -> None:
        """Free crews take what waits; a closed team is woken at its opening."""
        while job := team.next(now):
            if not self._begin(team, job, now):
                team.at_work -= 1
        opening = team.opening(now)
        if opening is not None:
            self._put(opening, partial(self._work, team))

    def _begin(self, team: Team, job: Job, now: datetime) -> bool:
        """A crew begins; whether there was still something to do. It claims where a claim has a limit: else the
        completion claims."""
        request = self._requests.get(job.request)
        task = request.state.tasks.get(job.task) if request and request.state else None
        if request is None or task is None or not task.state.open:
            return False
        step = request.definition.step(job.step)
        if not isinstance(step, HumanStep):
            return False
        if step.claim_within and self._give(job.request, commands.Claim(task=job.task), now, CREW) is None:
            return False
        amount, working = self._chance.duration(request.definition, job.step, step)
        try:
            done_at = team.calendar.add_working(now, amount) if working else now + amount
        except CalendarExhausted:
            return False
        team.busy += amount
        self._put(done_at, partial(self._done, team, job))
        return True

    def _done(self, team: Team, job: Job, at: datetime) -> None:
        team.at_work -= 1
        team.done += 1
        request = self._requests.get(job.request)
        step = request.definition.step(job.step) if request else None
        if request is not None and isinstance(step, HumanStep):
            outcome = self._chance.outcome(request.definition, job.step, step)
            complete = commands.Complete(task=job.task, outcome=outcome, form=self._chance.form(step, outcome))
            self._give(job.request, complete, at, CREW)
        self._work(team, at)
