"""Any command on any reachable state gives a valid state or a typed refusal, and never an exception.

Owns the random walks over `advance` and the invariants of every state, decision and journal.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fixline.domain.journal.entry import FACTS, Entry, evolve, read_entry, rebuild
from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.advance import advance, next_instant
from fixline.domain.process.commands import SYSTEM, Actor, Command, SourceClosed
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep
from fixline.domain.records import to_text
from tests.support.domain.branching import all_types
from tests.support.domain.driver import command
from tests.support.domain.inputs import (
    ABOUT_DUPLICATES,
    AMOUNTS,
    ANSWERS,
    AREAS,
    FORMS,
    PLACES,
    other_version,
    with_reopen,
)
from tests.support.domain.samples import ACTORS, ADMIN, SERVICE, at
from tests.support.domain.watched import Watched

TYPES = tuple(with_reopen(kind) for kind in all_types())
TARGETS = {f"{kind.type}-{n}": kind for kind in TYPES for n, kind in enumerate((kind, other_version(kind)))}
amounts = st.sampled_from(AMOUNTS)
actors = st.sampled_from(ACTORS)
indexes = st.integers(0, 9)


class RequestMachine(RuleBasedStateMachine):
    """One request, any commands, any time; `check` holds every decision against the invariants."""

    def __init__(self) -> None:
        super().__init__()
        self.definition = TYPES[0]
        self.now = at("mon 08:00")
        self.state: RequestState | None = None
        self.journal: list[Entry] = []
        self.rebuilt: RequestState | None = None
        self.effects: set[str] = set()
        self.after_close = 0
        self.next_at: dt.datetime | None = None
        self.clocks = Watched()

    @initialize(
        kind=st.sampled_from(TYPES),
        answers=st.sampled_from(ANSWERS),
        place=st.sampled_from(PLACES),
        areas=st.sampled_from(AREAS),
        before=st.sampled_from([None, None, *AMOUNTS]),
        backlog=st.booleans(),
        has_contact=st.booleans(),
    )
    def open(
        self,
        kind: Any,
        answers: dict[str, Any],
        place: Any,
        areas: dict[str, str],
        before: dt.timedelta | None,
        backlog: bool,
        has_contact: bool,
    ) -> None:
        """Open it as told, or, when that is refused, in a way that is not."""
        self.definition = kind
        body: dict[str, Any] = {
            "type": kind.type,
            "version": "v1",
            "areas": areas,
            "backlog": backlog,
            "has_contact": has_contact,
            "opened_at": None if before is None else self.now - before,
        }
        self.give(command("open", **body, answers=answers, place=place), SERVICE)
        if self.state is None:
            good = {"lane": "curb"} if kind.type == "pothole" else {}
            self.give(command("open", **body, answers=good, place=PLACES[2]), SERVICE)
        assert self.state is not None

    @rule(which=indexes, by=amounts, actor=actors, assignee=st.sampled_from([None, "carl", "zoe"]))
    def claim(self, which: int, by: dt.timedelta, actor: Actor, assignee: str | None) -> None:
        """Take a task, or one that there is not."""
        self.after(by, command("claim", task=self.some_task(which), assignee=assignee), actor)

    @rule(which=indexes, by=amounts, actor=actors, kind=st.sampled_from(["start", "release", "decline"]))
    def work(self, which: int, by: dt.timedelta, actor: Actor, kind: str) -> None:
        """Start, release or decline a task."""
        body = {} if kind == "start" else {"reason": "rain"}
        self.after(by, command(kind, task=self.some_task(which), **body), actor)

    @rule(which=indexes, outcome=indexes, form=st.sampled_from(FORMS), by=amounts, actor=actors)
    def complete(self, which: int, outcome: int, form: dict[str, Any], by: dt.timedelta, actor: Actor) -> None:
        """Complete a task with any outcome and any form."""
        task = self.some_task(which)
        what = command("complete", task=task, outcome=self.some_outcome(task, outcome), form=form)
        self.after(by, what, actor)

    @rule(outcome=indexes, by=amounts)
    def finish(self, outcome: int, by: dt.timedelta) -> None:
        """Complete an open task as it should be, so that walks get far."""
        form = {"depth": 3, "photo": "p", "filled": 1, "weight": 5}
        task = self.some_task(outcome % 7)
        step = self.step_of(task)
        if isinstance(step, HumanStep):
            form = {name: value for name, value in form.items() if name in step.form}
        what = command("complete", task=task, outcome=self.some_outcome(task, outcome), form=form)
        self.after(by, what, ADMIN)

    @rule(
        which=st.sampled_from([None, 0, 1]),
        team=st.sampled_from([None, "crew", "asphalt-2", "nowhere"]),
        assignee=st.sampled_from([None, "carl", "zoe"]),
        by=amounts,
        actor=actors,
    )
    def reassign(
        self, which: int | None, team: str | None, assignee: str | None, by: dt.timedelta, actor: Actor
    ) -> None:
        """Give a task to another team or person."""
        task = None if which is None else self.some_task(which)
        self.after(by, command("reassign", task=task, team=team, assignee=assignee, reason="swap"), actor)

    @rule(
        answers=st.sampled_from(ANSWERS),
        place=st.sampled_from(PLACES),
        areas=st.sampled_from(AREAS),
        description=st.sampled_from([None, "", "deep"]),
        by=amounts,
        actor=actors,
    )
    def amend(
        self, answers: Any, place: Any, areas: Any, description: str | None, by: dt.timedelta, actor: Actor
    ) -> None:
        """Put answers, place or description right."""
        body = {"answers": answers, "place": place, "areas": areas, "description": description}
        self.after(by, command("amend", reason="typo", **body), actor)

    @rule(step=indexes, by=amounts, actor=actors)
    def send_back(self, step: int, by: dt.timedelta, actor: Actor) -> None:
        """Send it to any step, also to one that does not exist."""
        names = [*self.definition.steps, "nowhere"]
        self.after(by, command("send_back", step=names[step % len(names)], reason="wrong"), actor)

    @rule(name=st.sampled_from([None, None, "dry_weather", "fog", "timeout", "answer"]), by=amounts, actor=actors)
    def signal(self, name: str | None, by: dt.timedelta, actor: Actor) -> None:
        """The signal that is awaited, or any other."""
        steps = [self.definition.step(position.step) for position in self.state.positions] if self.state else []
        awaited = next((step.signal for step in steps if isinstance(step, WaitStep) and step.signal), None)
        self.after(by, command("signal", name=name or awaited or "answer"), actor)

    @rule(kind=st.sampled_from(["hold", "resume", "resume", "comment"]), by=amounts, actor=actors)
    def plain(self, kind: str, by: dt.timedelta, actor: Actor) -> None:
        """Hold, resume, comment."""
        body = {"text": "hm"} if kind == "comment" else {"reason": "why"}
        self.after(by, command(kind, **body), actor)

    @rule(by=amounts, actor=actors, really=indexes)
    def cancel(self, by: dt.timedelta, actor: Actor, really: int) -> None:
        """Cancel (rarely, or walks would be short)."""
        if really == 0:
            self.after(by, command("cancel", reason="why"), actor)

    @precondition(lambda self: self.state is not None and self.state.closed)
    @rule(by=amounts, actor=actors, really=st.booleans())
    def reopen(self, by: dt.timedelta, actor: Actor, really: bool) -> None:
        """Open it again, or try."""
        who, after = (ADMIN, AMOUNTS[1]) if really else (actor, by)
        self.give(command("reopen", reason="again"), who, self.now + after)
        self.after_close = 0

    @rule(priority=st.sampled_from([None, "low", "normal", "high", "urgent"]), by=amounts, actor=actors)
    def prioritise(self, priority: str | None, by: dt.timedelta, actor: Actor) -> None:
        """Set the priority by hand."""
        self.after(by, command("priority", priority=priority, reason="so"), actor)

    @rule(version=st.sampled_from(sorted(TARGETS)), answers=st.sampled_from([{}, *ANSWERS]), by=amounts, actor=actors)
    def recategorise(self, version: str, answers: Any, by: dt.timedelta, actor: Actor) -> None:
        """Make it another type, or the same."""
        body = {"type": TARGETS[version].type, "version": version, "answers": answers or {"lane": "curb"}}
        self.after(by, command("recategorise", reason="other", **body), actor)

    @rule(which=st.sampled_from([0, 0, 1, 1, 2]), step=indexes, by=amounts, actor=actors)
    def move(self, which: int, step: int, by: dt.timedelta, actor: Actor) -> None:
        """Go on by another version, at the same step or at any other."""
        version = f"{self.definition.type}-{which}" if which < 2 else sorted(TARGETS)[step % len(TARGETS)]
        here = self.state.position if self.state else None
        steps = {here.step: [*self.definition.steps][step % 3]} if here and step % 3 == 0 else {}
        self.after(by, command("move", version=version, steps=steps), actor)

    @rule(
        which=indexes,
        by=amounts,
        kind=st.sampled_from(["dispatch", "order_inspection", "escalate", "notify"]),
        assignee=st.sampled_from([None, "carl", "zoe"]),
    )
    def report(self, which: int, by: dt.timedelta, kind: str, assignee: str | None) -> None:
        """What an effect learned."""
        task = self.some_task(which)
        body = {"effect": "R-1:1:1", "effect_kind": kind, "task": task, "assignee": assignee}
        self.after(by, command("effect_result", rule="round_robin", **body), SYSTEM)

    @rule(by=amounts, outcome=st.sampled_from(["fixed", "duplicate", "cancelled"]), ago=amounts, really=indexes)
    def source_closed(self, by: dt.timedelta, outcome: Any, ago: dt.timedelta, really: int) -> None:
        """The source says that it is closed (rarely, or walks would be short)."""
        if really == 0:
            what = SourceClosed(outcome=outcome, closed_at=self.now - ago, source="legacy")
            self.after(by, what, SYSTEM)

    @rule(which=st.sampled_from(ABOUT_DUPLICATES), by=amounts)
    def duplicate(self, which: tuple[str, dict[str, Any]], by: dt.timedelta) -> None:
        """It is attached to another, or hears from others."""
        self.after(by, command(which[0], **which[1]), ADMIN)

    @rule(by=amounts)
    def tick(self, by: dt.timedelta) -> None:
        """A timer that fires at any time."""
        self.after(by, command("tick"), SYSTEM)

    @precondition(lambda self: self.next_at is not None)
    @rule(late=st.sampled_from([AMOUNTS[0], AMOUNTS[0], *AMOUNTS[:9]]))
    def tick_when_due(self, late: dt.timedelta) -> None:
        """The timer at the instant for which it was armed, or late: it always finds something to decide."""
        assert self.next_at is not None
        self.now = self.next_at + late
        result = self.give(command("tick"), SYSTEM)
        assert isinstance(result, Decision)
        assert result.next_at is None or result.next_at > result.at

    @precondition(lambda self: self.next_at is not None)
    @rule(kind=st.sampled_from(["hold", "resume", "comment"]), short=st.sampled_from([0, 0, 1]))
    def just_in_time(self, kind: str, short: int) -> None:
        """A command at the very instant at which something falls due, or just before."""
        assert self.next_at is not None
        self.now = self.next_at - dt.timedelta(microseconds=short)
        self.give(command(kind, **({"text": "hm"} if kind == "comment" else {"reason": "why"})), ADMIN)

    def some_task(self, index: int) -> str:
        """Mostly an open task, else an old one or one that never was."""
        tasks = [task.id for task in self.state.open_tasks] if self.state else []
        if tasks and index < 7:
            return tasks[index % len(tasks)]
        return f"R-1-T{index - 6}"

    def step_of(self, task: str) -> object:
        """The step of a task."""
        found = self.state.tasks.get(task) if self.state else None
        return self.definition.steps.get(found.step) if found else None

    def some_outcome(self, task: str, index: int) -> str:
        """Mostly an outcome of the task's step, sometimes none."""
        step = self.step_of(task)
        outcomes = [*step.then, "moon"] if isinstance(step, HumanStep) else ["moon"]
        return outcomes[index % len(outcomes)]

    def after(self, by: dt.timedelta, what: Command, actor: Actor) -> None:
        """Let time go by (or say an earlier instant), then give the command; a closed request gets a few more."""
        if self.state and self.state.closed:
            self.after_close += 1
            if self.after_close > 4:
                return
        now = self.now + by
        self.now = max(self.now, now)
        self.give(what, actor, now)

    def give(self, what: Command, actor: Actor, now: dt.datetime | None = None) -> Decision | Refusal:
        """Decide, and check what came of it."""
        before = self.state
        kept = to_text(before) if before else None
        target = TARGETS.get(getattr(what, "version", ""))
        result = advance(self.definition, before, what, now or self.now, actor=actor, request_id="R-1", target=target)
        assert (to_text(before) if before else None) == kept
        if isinstance(result, Refusal):
            assert result.code
            assert result.message
            assert Refusal.model_validate_json(result.model_dump_json()) == result
            return result
        note(f"decision {result.number} at {result.at}: {[e.text for e in result.entries]}")
        self.state = result.state
        self.definition = TARGETS.get(result.state.version, self.definition)
        self.now = max(self.now, result.at)
        self.check_decision(before, result, now or self.now)
        self.check_state(result)
        self.check_journal(result)
        self.clocks.check(self.definition, before, result)
        self.next_at = result.next_at
        return result

    def check_decision(self, before: RequestState | None, result: Decision, now: dt.datetime) -> None:
        """Numbers and instants of a decision go forward; it says exactly what changed."""
        state = result.state
        assert result.number == state.decision == (before.decision if before else 0) + 1
        assert result.at == state.decided_at == (max(now, before.decided_at) if before else now)
        assert result.next_at == next_instant(self.definition, state)
        assert result.next_at is None or result.next_at >= result.at
        ids = [effect.id for effect in result.effects]
        assert ids == [f"R-1:{result.number}:{n + 1}" for n in range(len(ids))]
        assert not self.effects & set(ids)
        self.effects |= set(ids)
        old_tasks, old_clocks = (before.tasks, before.clocks) if before else ({}, {})
        changed = {name: task for name, task in state.tasks.items() if old_tasks.get(name) != task}
        assert changed.items() <= {task.id: task for task in result.tasks}.items()
        moved = {name: clock for name, clock in state.clocks.items() if old_clocks.get(name) != clock}
        assert moved.items() <= {clock.name: clock for clock in result.clocks}.items()

    def check_state(self, result: Decision) -> None:
        """A closed request is at rest; an open one is somewhere, with one task for each human step."""
        state = result.state
        assert read_state(to_text(state)) == state
        assert state.floor is None or state.priority.rank >= state.floor.rank
        if state.closed:
            assert not state.open_tasks
            assert not state.live_clocks
            assert (state.positions, state.joined, state.hold, result.next_at) == ((), (), None, None)
            assert not state.branches
            assert state.outcome is not None
            assert state.closed_at is not None
            assert state.opened_at <= state.closed_at <= state.decided_at
            return
        assert (state.outcome, state.closed_at) == (None, None)
        if state.attached_to:
            assert (state.positions, state.attached, state.hold, result.next_at) == ((), (), None, None)
            assert (state.open_tasks, state.live_clocks, state.joined) == ([], [], ())
            return
        assert state.position is not None
        wanted = []
        for position in state.positions:
            step = self.definition.step(position.step)
            assert isinstance(step, HumanStep | WaitStep | TogetherStep)
            assert state.visits[position.step] == position.visit
            wanted += [(position.step, position.visit)] if isinstance(step, HumanStep) else []
        assert sorted((task.step, task.visit) for task in state.open_tasks) == sorted(wanted)
        self.check_branches(state)

    def check_branches(self, state: RequestState) -> None:
        """While a together step runs, each of its branches is at one of its own steps or has joined, not both."""
        assert state.position is not None
        together = self.definition.step(state.position.step)
        branches = together.branches if isinstance(together, TogetherStep) else {}
        assert sorted([*state.branches, *state.joined]) == sorted(branches)
        assert not branches or state.branches
        for name, position in state.branches.items():
            assert position.step in branches[name]

    def check_journal(self, result: Decision) -> None:
        """The journal has no gap, goes forward in time, and alone rebuilds the state, also from JSON."""
        assert result.entries
        for entry in result.entries:
            assert entry.seq == (self.journal[-1].seq if self.journal else 0) + 1
            assert entry.decision == result.number
            assert not self.journal or entry.at >= self.journal[-1].at
            assert entry.kind in FACTS
            self.journal.append(entry)
            read = read_entry(**{**entry.columns(), "data": json.loads(json.dumps(entry.data))})
            assert read == entry
            self.rebuilt = evolve(self.rebuilt, read)
        assert self.rebuilt == result.state
        # ... and every value is of the type that its field says, not only equal to one of it
        assert to_text(self.rebuilt) == to_text(result.state)

    def teardown(self) -> None:
        """At the end the whole journal leads to the state once more."""
        if self.journal:
            assert rebuild(self.journal) == self.state


TestMachine = RequestMachine.TestCase
TestMachine.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
