"""Runs a simulation: one queue of events for all requests, in the order of time.

Owns the events and who acts at each. A request's rules are `advance`'s alone. Instants are aware UTC; the same seed
gives the same simulation.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from fixline.catalog import Catalog
from fixline.catalog.profiles import Profile
from fixline.catalog.scenarios.instants import first_monday
from fixline.domain.deadlines.calendar import CalendarExhausted, WorkingCalendar
from fixline.domain.definition.fields import FieldKind
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE, CloseOutcome
from fixline.domain.journal.state import Position, TaskState
from fixline.domain.journal.step_facts import StepEntered
from fixline.domain.process.commands import (
    SYSTEM,
    Actor,
    AgencyReply,
    Amend,
    Claim,
    Command,
    Complete,
    EffectResult,
    FollowOnClosed,
    Role,
    Signal,
)
from fixline.domain.process.decision import Decision
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.follow_on import FollowOnStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.wait import WaitStep
from fixline.domain.process.virtual import VirtualRequest, follow_on_results
from fixline.rehearsal.simulation.chance import Chance
from fixline.rehearsal.simulation.crews import Job, Team
from fixline.rehearsal.simulation.figures import TypeFigures

WEEK = timedelta(days=7)
DRAIN = 26 * WEEK
"""How long after the last arrivals the crews go on at most."""
CREW = Actor(name="crew", role=Role.ADMIN)
OUTSIDE = Actor(name="outside", role=Role.SERVICE)


class Kind(IntEnum):
    """What an event is."""

    ARRIVE = 0
    TICK = 1
    DONE = 2
    ANSWER = 3
    WAKE = 4
    COUNT = 5


class Event(NamedTuple):
    """Something at an instant; `number` keeps those of one instant in their order."""

    at: datetime
    number: int
    kind: Kind
    request: int
    name: str
    visit: int
    job: Job | None


def _undated(request: VirtualRequest, position: Position, step: WaitStep) -> bool:
    """Whether a wait goes on until a date that nobody has given yet; the supervisor has been told."""
    answers = request.state.answers if request.state else {}
    return step.until is not None and position.wait_until is None and answers.get(step.until) is None


def _dated(definition: Definition, step: WaitStep, at: datetime) -> Amend:
    """The missing date is given: the day (or the instant) at which the wait is over."""
    name = step.until or ""
    day = definition.fields[name].kind is FieldKind.DATE
    answer = definition.calendar.local(at).date().isoformat() if day else at.isoformat()
    return Amend(answers={name: answer}, reason="the date was given")


class Simulation:
    """Many requests of some types, and the teams that work on them."""

    def __init__(
        self, catalog: Catalog, types: Iterable[Definition], profile: Profile, requests: int, seed: int
    ) -> None:
        self._definitions = list(types)
        self._versions = {each.type: each.version for each in self._definitions}
        self._chance = Chance(profile, catalog.areas, seed)
        self._catalog = catalog
        self._profile = profile
        self._events: list[Event] = []
        self._numbers = 0
        self._requests: list[VirtualRequest | None] = []
        self._of: list[Definition] = []
        self.teams: dict[str, Team] = {}
        self.figures = {each.type: TypeFigures(each.type) for each in self._definitions}
        self.ends_at = self._plan(requests)
        self.total = len(self._requests)
        self._closed = 0
        self.decisions = 0

    def _plan(self, requests: int) -> datetime:
        ends_at = first_monday(self._definitions[0].calendar) + self._profile.weeks * WEEK
        for definition in self._definitions:
            for at in self._chance.arrivals(definition, requests):
                self._requests.append(None)
                self._of.append(definition)
                self._put(at, Kind.ARRIVE, len(self._requests) - 1)
                ends_at = max(ends_at, at)
        first = first_monday(self._definitions[0].calendar)
        for week in range(1, (ends_at + DRAIN - first) // WEEK + 1):
            self._put(first + week * WEEK, Kind.COUNT)
        return ends_at + DRAIN

    def _put(
        self, at: datetime, kind: Kind, request: int = -1, name: str = "", visit: int = 0, job: Job | None = None
    ) -> None:
        self._numbers += 1
        heapq.heappush(self._events, Event(at, self._numbers, kind, request, name, visit, job))

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Play until every request is closed, or the time is over; `progress` hears how many of how many are closed."""
        while self._events and self._closed < self.total:
            event = heapq.heappop(self._events)
            if event.at > self.ends_at:
                break
            self._happen(event)
            if progress and self._numbers % 4096 == 0:
                progress(self._closed, self.total)
        if progress:
            progress(self._closed, self.total)

    def _happen(self, event: Event) -> None:
        if event.kind is Kind.ARRIVE:
            self._arrive(event)
        elif event.kind is Kind.TICK:
            self._tick(event)
        elif event.kind is Kind.DONE:
            self._done(event)
        elif event.kind is Kind.ANSWER:
            self._answer(event)
        elif event.kind is Kind.WAKE:
            self._work(self.teams[event.name], event.at)
        else:
            for figures in self.figures.values():
                figures.backlog.append(figures.open)

    def _arrive(self, event: Event) -> None:
        definition = self._of[event.request]
        request = VirtualRequest(definition, f"SR26-{event.request + 1:08d}")
        self._requests[event.request] = request
        self.figures[definition.type].opened += 1
        report = self._chance.report(definition, self._versions[definition.type])
        self._give(event.request, report, event.at, OUTSIDE)

    def _tick(self, event: Event) -> None:
        request = self._requests[event.request]
        if request is None or request.next_at != event.at:
            return
        decision = request.tick(event.at)
        if decision is not None:
            self._see(event.request, request, decision)
        elif request.next_at is not None:
            self._put(request.next_at, Kind.TICK, event.request)

    def _give(self, number: int, command: Command, at: datetime, actor: Actor) -> Decision | None:
        request = self._requests[number]
        if request is None or (request.state is not None and request.state.closed):
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
        self.figures[state.type].see(decision, state.opened_at)
        if state.closed:
            self._closed += 1
            self._requests[number] = None
            return
        if request.next_at is not None and request.next_at != before:
            self._put(request.next_at, Kind.TICK, number)
        for entry in decision.entries:
            if isinstance(entry.fact, StepEntered):
                position = state.position_of(entry.fact.step)
                if position is not None and position.visit == entry.fact.visit:
                    self._entered(number, request, position, decision.at)
        for task in decision.tasks:
            if task.state is TaskState.OFFERED:
                team = self._team(task.team, request.definition.calendar)
                self._numbers += 1
                team.put(state.priority, task.offered_at, self._numbers, number, task.id, task.step)
                self._work(team, decision.at)
        for report in follow_on_results(decision):
            self._give(number, report, decision.at, SYSTEM)

    def _entered(self, number: int, request: VirtualRequest, position: Position, now: datetime) -> None:
        step = request.definition.step(position.step)
        waits = isinstance(step, WaitStep) and (step.signal or _undated(request, position, step))
        if waits or isinstance(step, AgencyStep | CallStep | FollowOnStep):
            told = self._chance.told(request.definition.type, position.step).takes
            try:
                span = request.definition.calendar.add(now, told) - now if told else None
                at = self._chance.answer_after(now, position.wait_until, span)
            except (CalendarExhausted, OverflowError):
                return
            self._put(at, Kind.ANSWER, number, position.step, position.visit)

    def _answer(self, event: Event) -> None:
        """Somebody outside answers, if the request still waits for it."""
        request = self._requests[event.request]
        position = request.state.position_of(event.name) if request and request.state else None
        if request is None or position is None or position.visit != event.visit:
            return
        step = request.definition.step(event.name)
        command: Command | None = None
        if isinstance(step, WaitStep) and step.signal:
            command = Signal(name=step.signal)
        elif isinstance(step, WaitStep) and _undated(request, position, step):
            command = _dated(request.definition, step, event.at)
        elif isinstance(step, AgencyStep | CallStep):
            outcome = self._chance.outcome(request.definition, event.name, step)
            if isinstance(step, AgencyStep):
                command = AgencyReply(outcome=outcome, step=event.name)
            else:
                command = EffectResult(
                    effect="", effect_kind="call", step=event.name, visit=event.visit, outcome=outcome
                )
        elif isinstance(step, FollowOnStep):
            command = self._follow_on_ends(request, event.name, step)
        if command is not None:
            self._give(event.request, command, event.at, SYSTEM)

    def _follow_on_ends(self, request: VirtualRequest, name: str, step: FollowOnStep) -> Command | None:
        """The follow-on of a step is closed; `otherwise` stands for an outcome that the step does not name."""
        outcome = self._chance.outcome(request.definition, name, step)
        children = request.state.children if request.state else {}
        child = next((each for each, facts in children.items() if facts.status == "open" and facts.step == name), None)
        if child is None:
            return None
        ended = CloseOutcome.CANCELLED if outcome == OTHERWISE else CloseOutcome(outcome)
        return FollowOnClosed(child=child, outcome=ended)

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
            self._put(opening, Kind.WAKE, name=team.key)

    def _begin(self, team: Team, job: Job, now: datetime) -> bool:
        """A crew begins; whether there was still something to do. It claims where a claim has a limit: else the
        completion claims."""
        request = self._requests[job.request]
        task = request.state.tasks.get(job.task) if request and request.state else None
        if request is None or task is None or not task.state.open:
            return False
        step = request.definition.step(job.step)
        if not isinstance(step, HumanStep):
            return False
        if step.claim_within and self._give(job.request, Claim(task=job.task), now, CREW) is None:
            return False
        amount, working = self._chance.duration(request.definition, job.step, step)
        try:
            done_at = team.calendar.add_working(now, amount) if working else now + amount
        except CalendarExhausted:
            return False
        team.busy += amount
        self._put(done_at, Kind.DONE, job.request, team.key, job=job)
        return True

    def _done(self, event: Event) -> None:
        team, job, request = self.teams[event.name], event.job, self._requests[event.request]
        team.at_work -= 1
        team.done += 1
        if request is not None and job is not None:
            step = request.definition.step(job.step)
            if isinstance(step, HumanStep):
                outcome = self._chance.outcome(request.definition, job.step, step)
                form = self._chance.form(step, outcome)
                self._give(event.request, Complete(task=job.task, outcome=outcome, form=form), event.at, CREW)
        self._work(team, event.at)
