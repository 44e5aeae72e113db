"""What can happen to a request next, tried out on the rules themselves, until it is closed.

Owns a search through the states that commands and time lead to. It plans nothing: every state that it comes to was
made by `advance`. Instants are aware UTC.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fixline.catalog.scenarios.instants import first_monday
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import DONE, JOINED, NO_REPLY, OTHERWISE, TIMEOUT
from fixline.domain.journal.entry import Entry
from fixline.domain.journal.state import Position, RequestState
from fixline.domain.process.commands import COMMAND, SYSTEM, Actor, Role
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.choose import ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.follow_on import FollowOnStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep
from fixline.domain.process.virtual import VirtualRequest
from tests.support.rehearsal.drawn import HIGH, question_of

ADMIN = Actor(name="ada", role=Role.ADMIN)
LEVELS = (0, HIGH + 11)
"""Both sides of the condition of a choice."""
MOST_LOOKS = 3000
"""How many states a search looks at. More than there are of any definition that is drawn, but for visits."""


@dataclass
class Explorer:
    """A request that can be copied, with its journal. Commands that are refused change nothing."""

    request: VirtualRequest
    now: datetime
    journal: list[Entry] = field(default_factory=list)

    @classmethod
    def opened(cls, definition: Definition) -> Explorer:
        """A request that has just been opened, on a Monday at nine."""
        made = cls(VirtualRequest(definition, "SR26-00000001"), first_monday(definition.calendar) + timedelta(hours=9))
        assert made.do("open", type="random", version="v", has_contact=True)
        return made

    def copy(self) -> Explorer:
        """The same request, which goes its own way from here."""
        twin = VirtualRequest(self.request.definition, self.request.id)
        twin.state, twin.next_at = self.request.state, self.request.next_at
        return Explorer(twin, self.now, list(self.journal))

    @property
    def state(self) -> RequestState:
        """Its state."""
        assert self.request.state is not None
        return self.request.state

    def do(self, kind: str, actor: Actor = ADMIN, **body: Any) -> bool:
        """Let the time pass that has passed, then give a command; whether it was taken."""
        self._keep(self.request.run_until(self.now, through=False))
        result: Decision | Refusal = self.request.give(COMMAND.validate_python({"kind": kind, **body}), self.now, actor)
        self._keep([result] if isinstance(result, Decision) else [])
        return isinstance(result, Decision)

    def wait_until(self, at: datetime) -> bool:
        """Let time pass."""
        self.now = max(self.now, at)
        self._keep(self.request.run_until(self.now))
        return True

    def _keep(self, decisions: list[Decision]) -> None:
        self.journal += [entry for decision in decisions for entry in decision.entries]

    def end(self, position: Position, outcome: str) -> bool:
        """Let the step of a position come to an outcome, as whoever does it would; whether it did."""
        found = self.request.definition.step(position.step)
        match found:
            case HumanStep():
                tasks = [task.id for task in self.state.open_tasks if task.step == position.step]
                return bool(tasks) and self.do("complete", task=tasks[0], outcome=outcome)
            case AgencyStep() if outcome != NO_REPLY:
                return self.do("agency_reply", step=position.step, outcome=outcome)
            case CallStep() if outcome != TIMEOUT:
                return self.do("effect_result", SYSTEM, **_about(position, "call"), outcome=outcome)
            case FollowOnStep():
                return self._follow_on(position, outcome)
            case WaitStep() if outcome != TIMEOUT:
                return self.do("signal", name=outcome)
            case _:
                return self._time_over(position)

    def _time_over(self, position: Position) -> bool:
        if position.wait_until is not None:
            return self.wait_until(position.wait_until)
        past = (self.now - timedelta(days=2)).date().isoformat()  # whatever the zone
        return self.do("amend", answers={"day": past}, reason="so") and self.wait_until(self.now)

    def _follow_on(self, position: Position, outcome: str) -> bool:
        """Its follow-on is opened and closed, or for `otherwise` cannot be opened."""
        about = {**_about(position, "open_follow_on"), "child_type": "other"}
        asked = [
            name
            for name, each in self.state.children.items()
            if (each.step, each.entered_at) == (position.step, position.entered_at)
        ]
        child = asked[-1] if asked else f"C-{len(self.state.children) + 1}"
        if not asked:
            if outcome == OTHERWISE:
                return self.do("effect_result", SYSTEM, **about, failed="nobody is there")
            self.do("effect_result", SYSTEM, **about, child=child)
        closed = "declined" if outcome == OTHERWISE else outcome
        return self.do("follow_on_closed", SYSTEM, child=child, outcome=closed)


def _about(position: Position, kind: str) -> dict[str, Any]:
    return {"effect": "e", "effect_kind": kind, "step": position.step, "visit": position.visit}


def distances(definition: Definition) -> dict[str, int]:
    """How many steps there are from each to a close, whatever the conditions say: what the search tries first."""
    far = dict.fromkeys((name for name, step in definition.steps.items() if isinstance(step, CloseStep)), 0)
    for _ in definition.steps:
        for name, step in definition.steps.items():
            where = definition.in_branches.get(name)
            together = definition.step(where.together) if where else None
            onward = together.then[DONE] if isinstance(together, TogetherStep) else ""
            ahead = [far[onward if target == JOINED else target] + 1 for _, target in step.exits
                     if (onward if target == JOINED else target) in far]  # fmt: skip
            if ahead:
                far[name] = min([*ahead, far.get(name, len(definition.steps) + 1)])
    return far


def closing(explorer: Explorer) -> Explorer | None:
    """The same request after it has been closed; None when no way leads there.

    The next state looked at is one whose positions are nearest to a close. States are told apart by where the request
    is, by its answers to choices, and by the visits of steps with a sample: the next one may be in it.
    """
    definition = explorer.request.definition
    far = distances(definition)
    order = itertools.count()
    start = explorer.copy()
    start.do("resume")
    waiting = [(0, 0, start)]
    seen: set[object] = set()
    for _ in range(MOST_LOOKS):
        if not waiting:
            return None
        _, _, here = heapq.heappop(waiting)
        if here.state.closed:
            return here
        for there in _next(here):
            key = _key(there.state, definition)
            if key not in seen:
                seen.add(key)
                cost = sum(far[position.step] for position in there.state.positions)
                heapq.heappush(waiting, (cost, next(order), there))
    raise AssertionError("too many states")


def _next(here: Explorer) -> Iterator[Explorer]:
    for position in here.state.positions:
        step = here.request.definition.step(position.step)
        for outcome in getattr(step, "then", {}) if not isinstance(step, TogetherStep) else ():
            there = here.copy()
            if there.end(position, outcome):
                yield there
    for name, step in here.request.definition.steps.items():
        if isinstance(step, ChooseStep):
            there, known = here.copy(), here.state.answers.get(question_of(name))
            level = LEVELS[1] if known != LEVELS[1] else LEVELS[0]
            if there.do("amend", answers={question_of(name): level}, reason="so"):
                yield there


def _key(state: RequestState, definition: Definition) -> object:
    sampled = [name for name, step in definition.steps.items() if isinstance(step, HumanStep) and step.sample]
    return (
        state.status,
        frozenset(position.step for position in state.positions),
        frozenset(state.joined),
        frozenset((name, value) for name, value in state.answers.items() if name.startswith("level_")),
        frozenset((name, state.visits.get(name, 0)) for name in sampled),
    )
