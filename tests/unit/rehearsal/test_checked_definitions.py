"""Whatever passes the check never gets stuck: from every state that commands reach, a close can be reached.

Owns a generator of definitions as they are written, many of them with mistakes in their flow; the real checker says
which are to be believed. A choice leads to no other choice here: conditions that exclude each other along a chain of
choices are beyond the check.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from fixline.catalog import Catalog, check_text, read_catalog
from fixline.catalog.scenarios.instants import first_monday
from fixline.domain.commands import COMMAND, SYSTEM, Actor, Command, Role
from fixline.domain.decision import Decision
from fixline.domain.definition import Definition
from fixline.domain.journal import Entry, rebuild
from fixline.domain.state import Position
from fixline.domain.steps import AgencyStep, CallStep, ChooseStep, CloseStep, HumanStep, NotifyStep, WaitStep
from fixline.domain.virtual import VirtualRequest
from tests.support.lakeport import LAKEPORT

ADMIN = Actor(name="ada", role=Role.ADMIN)
CITY: Catalog = read_catalog(LAKEPORT).catalog
LEVELS = (0, 20)
"""Both sides of the one condition that choices have."""
MOST_MOVES = 300
KINDS = ["task", "dispatch", "inspection", "wait", "span", "agency", "call", "choose"]


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    """A definition as an author might write it; its steps lead anywhere."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 6)))]
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names}
    targets = st.sampled_from([*names, "end", "end", "gone"])
    resting = [name for name in names if kinds[name] != "choose"]
    plain_targets = st.sampled_from([*resting, "end", "gone"])
    steps: dict[str, Any] = {}
    for number, name in enumerate(names):
        onward = [*names[number + 1 :], "end"][0] if draw(st.integers(0, 3)) else None
        if kinds[name] == "choose" and onward not in (*resting, "end"):
            onward = None
        steps[name] = draw(step(kinds[name], onward, plain_targets if kinds[name] == "choose" else targets))
    steps["end"] = {"close": "fixed"}
    if "gone" in json.dumps(steps):
        steps["gone"] = {"close": draw(st.sampled_from(["declined", "cancelled"]))}
    within = {"high": "1 working hour", "otherwise": draw(st.sampled_from(["2 working days", "30 calendar minutes"]))}
    rung = {"at": "due", "tell": "supervisor", "raise_priority": "high"}
    deadline = {"from": "opened", "met_by": "closed", "within": within, "paused_while": ["on_hold"], "escalate": [rung]}
    return {
        "type": "random",
        "title": "Drawn",
        "department": "transportation",
        "intake": {"location": "none", "questions": {"level": {"kind": "number"}}},
        "priority": [{"when": "level > 9", "is": "high"}, {"otherwise": "normal"}],
        "calendar": draw(st.sampled_from(["public-works", "round-the-clock"])),
        **({"deadlines": {"resolve": deadline}} if draw(st.booleans()) else {}),
        "start": names[0],
        "steps": steps,
    }


@st.composite
def step(draw: st.DrawFn, kind: str, onward: str | None, targets: st.SearchStrategy[str]) -> dict[str, Any]:
    """One step of a kind; one way leads onward, or anywhere, the other anywhere."""
    one, other = onward or draw(targets), draw(targets)
    if kind == "choose":
        return {"choose": [{"when": "level > 9", "go": one}, {"otherwise": None, "go": other}]}
    if kind == "wait":
        limit = {"at_most": "3 calendar days"} if draw(st.booleans()) else {}
        then = {"go_on": one, **({"timeout": other} if limit else {})}
        return {"wait": {"signal": "go_on", **limit}, "waiting_as": "waiting", "then": then}
    if kind == "span":
        return {"wait": {"span": "2 working days"}, "then": {"timeout": one}}
    if kind == "agency":
        limit = {"reply_within": "1 working day"} if draw(st.booleans()) else {}
        return {"agency": "lakeport-gas", **limit, "then": {"mended": one, **({"no_reply": other} if limit else {})}}
    if kind == "call":
        return {"call": "permits-office", "at_most": "1 calendar day", "then": {"granted": one, "timeout": other}}
    limits = draw(st.sampled_from([{}, {"claim_within": "1 working hour"}, {"due": "2 working days"}]))
    form = draw(st.sampled_from([{}, {"form": {"level": {"kind": "number"}}}]))
    return {kind: "Do it", "team": "street-dispatch", **limits, **form, "then": {"on": one, "other": other}}


def as_text(definition: dict[str, Any]) -> str:
    """The file: flow style is YAML, too. An `otherwise` stands with the step that it leads to."""
    steps = {
        name: {"choose": [each["choose"][0], {"otherwise": each["choose"][1]["go"]}]} if "choose" in each else each
        for name, each in definition["steps"].items()
    }
    return json.dumps({**definition, "steps": steps}, indent=1)


def settled(definition: Definition, name: str, level: int) -> str:
    """Where one comes to rest who enters a step with this level."""
    for _ in range(len(definition.steps)):
        found = definition.step(name)
        if isinstance(found, ChooseStep):
            name = found.branches[0].go if level > 9 else found.branches[1].go
        elif isinstance(found, NotifyStep):
            name = found.then
        else:
            return name
    raise AssertionError("automatic steps go round in a circle")


def first_moves(definition: Definition) -> dict[str, tuple[str, int]]:
    """For each step at which a request rests, the outcome and the level that begin a shortest way to a close."""
    moves = [
        (name, outcome, level, settled(definition, onward, level))
        for name, each in definition.steps.items()
        if isinstance(each, HumanStep | WaitStep | AgencyStep | CallStep)
        for outcome, onward in each.then.items()
        for level in LEVELS
    ]
    reached = deque(name for name, each in definition.steps.items() if isinstance(each, CloseStep))
    found: dict[str, tuple[str, int]] = {}
    while reached:
        target = reached.popleft()
        for name, outcome, level, onward in moves:
            if onward == target and name not in found:
                found[name] = (outcome, level)
                reached.append(name)
    return found


class Driven:
    """A request that is driven, with its journal."""

    def __init__(self, definition: Definition) -> None:
        self.request = VirtualRequest(definition, "SR26-00000001")
        self.now = first_monday(definition.calendar) + timedelta(hours=9)
        self.journal: list[Entry] = []
        assert self.give(COMMAND.validate_python({"kind": "open", "type": "random", "version": "v"}))

    def give(self, command: Command, actor: Actor = ADMIN) -> bool:
        """Let time pass, then give a command; whether it was taken."""
        for decision in self.request.run_until(self.now, through=False):
            self.journal += decision.entries
        result = self.request.give(command, self.now, actor)
        if isinstance(result, Decision):
            self.journal += result.entries
            return True
        return False

    def do(self, kind: str, **body: Any) -> bool:
        """The same, in short."""
        return self.give(COMMAND.validate_python({"kind": kind, **body}))

    def wait_until(self, at: datetime) -> None:
        """Let time pass."""
        self.now = max(self.now, at)
        for decision in self.request.run_until(self.now):
            self.journal += decision.entries

    @property
    def position(self) -> Position | None:
        """Where it is; None when it is closed."""
        assert self.request.state is not None
        return self.request.state.position

    def come_to(self, outcome: str, level: int) -> None:
        """Let the present step come to an outcome."""
        state, position = self.request.state, self.position
        assert state is not None
        assert position is not None
        if state.hold:
            assert self.do("resume")
        if state.answers.get("level") != level:
            assert self.do("amend", answers={"level": level}, reason="so")
        found = self.request.definition.step(position.step)
        if isinstance(found, HumanStep):
            task = next(task for task in state.open_tasks if task.step == position.step)
            assert self.do("complete", task=task.id, outcome=outcome)
        elif outcome in ("timeout", "no_reply"):
            assert position.wait_until is not None
            self.wait_until(position.wait_until)
        elif isinstance(found, WaitStep):
            assert self.do("signal", name=outcome)
        elif isinstance(found, AgencyStep):
            assert self.do("agency_reply", outcome=outcome)
        else:
            report = {"effect": "e", "effect_kind": "call", "step": position.step, "visit": position.visit}
            assert self.do("report", **report, outcome=outcome)

    def wander(self, walk: list[tuple[str, int, int]]) -> None:
        """Commands at random; refused ones are no matter."""
        for kind, which, hours in walk:
            self.now += timedelta(hours=hours)
            state, position = self.request.state, self.position
            if state is None or position is None:
                return
            found = self.request.definition.step(position.step)
            ways = list(getattr(found, "then", {"x": "x"}))
            outcome, level = ways[which % len(ways)], LEVELS[which % 2]
            task = state.open_tasks[0].id if state.open_tasks else "none"
            names = list(self.request.definition.steps)
            answered = {"effect": "e", "effect_kind": "call", "step": position.step, "visit": position.visit}
            bodies: dict[str, dict[str, Any]] = {
                "complete": {"task": task, "outcome": outcome},
                "decline": {"task": task, "reason": "so"},
                "claim": {"task": task},
                "signal": {"name": outcome},
                "agency_reply": {"outcome": outcome},
                "report": {**answered, "outcome": outcome},
                "amend": {"answers": {"level": level}, "reason": "so"},
                "send_back": {"step": names[which % len(names)], "reason": "so"},
                "hold": {"reason": "so"},
                "resume": {},
                "tick": {},
            }
            self.give(COMMAND.validate_python({"kind": kind, **bodies[kind]}), SYSTEM if kind == "tick" else ADMIN)


MOVES = ["complete", "complete", "signal", "agency_reply", "report", "amend", "send_back", "hold", "resume", "tick"]
MOVES += ["decline", "claim"]
WALKS = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 7), st.integers(0, 60)), max_size=12)


@given(drawn=written(), walk=WALKS)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_passes_the_check_never_gets_stuck(drawn: dict[str, Any], walk: list[tuple[str, int, int]]) -> None:
    """Wherever random commands lead, a shortest way to a close is open, and the journal rebuilds the state."""
    definition, findings = check_text(as_text(drawn), "transportation/random.yaml", CITY)
    assume(definition is not None)
    assert definition is not None, findings
    event(f"steps: {len(definition.steps)}")
    moves = first_moves(definition)
    request = Driven(definition)
    request.wander(walk)
    for _ in range(MOST_MOVES):
        position = request.position
        if position is None:
            break
        assert position.step in moves, f"no way to a close from {position.step}"
        request.come_to(*moves[position.step])
    assert request.request.state is not None
    assert request.request.state.closed
    assert request.request.next_at is None
    assert rebuild(request.journal) == request.request.state


def test_the_generator_draws_both() -> None:
    """Of what is drawn some pass the check and some do not, and those that do not have findings of the flow."""
    codes: set[str] = set()
    passed = 0

    @given(drawn=written())
    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def draw(drawn: dict[str, Any]) -> None:
        nonlocal passed
        definition, findings = check_text(as_text(drawn), "transportation/random.yaml", CITY)
        passed += definition is not None
        codes.update(finding.code for finding in findings)

    draw()
    assert passed >= 5
    assert codes <= {"FX401", "FX402", "FX403", "FX404", "FX601"}, codes
    assert "FX401" in codes
