"""From every reachable state of every well-formed definition a close can be reached.

Owns a generator of random definitions and a driver that takes the shortest way to a close, and within a
together step the shortest way to the end of each branch.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixline.domain.definition.conditions import evaluate
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import DONE, JOINED, NOT_SAMPLED
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.kinds.choose import ChooseStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep
from tests.support.domain.branching import all_types
from tests.support.domain.driver import Driven, command
from tests.support.domain.samples import ADMIN, ALWAYS, OFFICE, at, simple

KINDS = ("task", "task", "inspection", "sampled", "choose", "wait", "until", "notify", "together")
AUTOMATIC = ("sampled", "choose", "until", "notify", "together")
"""The kinds that can go on at once; nothing leads back to them."""
LEVELS = (0, 20)
"""The two answers to the generated question: chooses go on to the next steps for 0."""

Wish = dict[str, Any]
Way = tuple[str, Wish]
"""An outcome and the answers that have to be given for it to lead the right way."""


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Random steps; the first outcome of each leads on, the others anywhere."""
    count = draw(st.integers(1, 6))
    names = [f"s{n}" for n in range(count)]
    closes = [f"end{n}" for n in range(draw(st.integers(1, 2)))]
    kinds = [draw(st.sampled_from(KINDS)) for _ in names]
    steps: dict[str, Any] = {name: {"kind": "close", "outcome": "fixed"} for name in closes}
    for number, name in enumerate(names):
        onward = draw(st.sampled_from([*names[number + 1 :], *closes]))
        anywhere = [n for n, kind in zip(names, kinds, strict=True) if kind not in AUTOMATIC or n > name]
        others = draw(st.lists(st.sampled_from([*anywhere, *closes]), max_size=3))
        if kinds[number] == "together":
            steps |= draw(together(name, onward, others))
        else:
            steps[name] = draw(one_step(kinds[number], onward, others))
    return simple(
        intake={"location": "none", "questions": {"level": {"kind": "number"}, "day": {"kind": "date"}}},
        calendar=draw(st.sampled_from([OFFICE, ALWAYS])),
        deadlines=draw(deadlines(names)),
        start=names[0],
        steps=steps,
    )


@st.composite
def together(draw: st.DrawFn, name: str, onward: str, outside: list[str]) -> dict[str, Any]:
    """A together step and the steps of its branches; the first outcome of each of those leads on in its branch."""
    steps: dict[str, Any] = {}
    branches: dict[str, list[str]] = {}
    for branch in ("left", "right"):
        names = [f"{name}_{branch}{n}" for n in range(draw(st.integers(1, 2)))]
        kinds = [draw(st.sampled_from(["task", "choose", "wait", "until", "notify", "sampled"])) for _ in names]
        for number, each in enumerate(names):
            ahead = names[number + 1 :]
            back = [n for n, kind in zip(names, kinds, strict=True) if kind not in AUTOMATIC]
            others = draw(st.lists(st.sampled_from([*ahead, *back, *outside, JOINED]), max_size=2))
            steps[each] = draw(one_step(kinds[number], [*ahead, JOINED][0], others))
        branches[branch] = names
    join = draw(st.sampled_from(["all", "first"]))
    steps[name] = {"kind": "together", "branches": branches, "join": join, "then": {DONE: onward}}
    return steps


@st.composite
def one_step(draw: st.DrawFn, kind: str, onward: str, others: list[str]) -> dict[str, Any]:
    """One step with a way on and ways anywhere."""
    if kind == "choose":
        return {"kind": kind, "branches": [*({"when": "level > 9", "go": name} for name in others), {"go": onward}]}
    if kind == "notify":
        return {"kind": kind, "role": draw(st.sampled_from(["boss", "reporter"])), "say": "So it is.", "then": onward}
    if kind == "until":
        return {"kind": "wait", "until": "day", "waiting_as": "waiting", "then": {"timeout": onward}}
    if kind == "wait":
        other = [*others, onward][0]
        shape = draw(st.sampled_from(["signal", "span", "both"]))
        wait: dict[str, Any] = {"kind": kind, "waiting_as": draw(st.sampled_from([None, "waiting"]))}
        if shape == "span":
            return {**wait, "span": "7 calendar days", "then": {"timeout": onward}}
        if shape == "signal":
            return {**wait, "signal": "go", "then": {"go": onward}}
        ways = [onward, other] if draw(st.booleans()) else [other, onward]
        then = dict(zip(("go", "timeout"), ways, strict=True))
        return {**wait, "signal": "go", "at_most": "3 working hours", "then": then}
    sampled = kind == "sampled"
    return {
        "kind": "inspection" if sampled else kind,
        "sample": 50 if sampled else None,
        "warn_after": draw(st.sampled_from([None, 2])),
        "title": "Do it",
        "team": "crew",
        "claim_within": draw(st.sampled_from([None, "1 working hour"])),
        "due": draw(st.sampled_from([None, "2 working days"])),
        "form": draw(st.sampled_from([{}, {"level": {"kind": "number"}}])),
        "then": {
            "on": onward,
            **{f"other{n}": name for n, name in enumerate(others)},
            **({"not_sampled": onward} if sampled else {}),
        },
    }


@st.composite
def deadlines(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """No deadline, or one with a small ladder."""
    if not draw(st.booleans()):
        return {}
    rungs = [{"at_due": True, "tell": "boss", "raise_priority": "high"}, {"after": "1 calendar day", "tell": "boss"}]
    return {
        "resolve": {
            "met_by": draw(st.sampled_from(["closed", *names])),
            "within": {"by_priority": {"high": "1 working hour"}, "otherwise": "2 working days"},
            "paused_while": draw(st.sampled_from([[], ["on_hold"], ["waiting", "on_hold"]])),
            "escalate": rungs,
        }
    }


def settled(definition: Definition, name: str, answers: Wish) -> str:
    """Where one comes to rest who enters a step with these answers."""
    while name != JOINED and isinstance(step := definition.step(name), ChooseStep | NotifyStep):
        if isinstance(step, NotifyStep):
            name = step.then
        else:
            name = next(b.go for b in step.branches if b.when is None or evaluate(b.when, answers).holds)
    return name


def wishes(definition: Definition) -> list[Wish]:
    """Answers worth trying: for the samples the questions that their conditions ask about."""
    samples: dict[str, list[Wish]] = {
        "pothole": [{"depth": 0}],
        "looping": [{"weight": 0, "sure": False}],
        "vehicle": [{}],
        "hearing": [{}],
        "market": [{"weight": 0}],
        "race": [{"weight": 0}],
    }
    return samples.get(definition.type, [{"level": level} for level in LEVELS])


def ways_to_close(definition: Definition) -> dict[str, Way]:
    """For each step at which requests rest, the first move of a shortest way to a close (in a branch: to its end).

    Together steps are passed by their branches' ends, with the first of the answers worth trying.
    """
    within = definition.in_branches
    resting = {n: s for n, s in definition.steps.items() if isinstance(s, HumanStep | WaitStep | TogetherStep)}
    moves = [
        (name, outcome, wish, settled(definition, onward, wish))
        for name, step in resting.items()
        for outcome, onward in step.then.items()
        if outcome != NOT_SAMPLED
        for wish in wishes(definition)[: None if name not in within and not isinstance(step, TogetherStep) else 1]
    ]
    main = [move for move in moves if move[0] not in within]
    closing = [name for name, step in definition.steps.items() if isinstance(step, CloseStep)]
    ends = [move for move in moves if move[0] in within and within.get(move[3]) in (None, within[move[0]])]
    return shortest(main, closing) | shortest(ends, [JOINED])


def shortest(moves: list[tuple[str, str, Wish, str]], goals: list[str]) -> dict[str, Way]:
    """The first move of a shortest way to one of the goals, from each step that has one."""
    reached = deque(goals)
    ways: dict[str, Way] = {}
    while reached:
        target = reached.popleft()
        for name, outcome, wish, onward in moves:
            if onward == target and name not in ways:
                ways[name] = (outcome, wish)
                reached.append(name)
    return ways


def good_form(step: HumanStep, wish: Wish) -> dict[str, Any]:
    """A form that fits, with the answers wished for."""
    plain = {"photo": "p", "filled": 1, "depth": 0, "weight": 0, **wish}
    return {name: plain[name] for name in step.form if name in plain}


def drive_to_close(request: Driven, now: dt.datetime) -> int:
    """Go the shortest way to a close; how many steps it took."""
    ways = ways_to_close(request.definition)
    request.give(command("tick"), now, SYSTEM)
    for moves in range(len(request.definition.steps) + 1):
        if request.state.closed:
            return moves
        now = max(now, request.state.decided_at)
        position = request.state.positions[-1]
        outcome, wish = ways[position.step]
        step = request.definition.step(position.step)
        if any(request.state.answers.get(name) != value for name, value in wish.items()):
            request.do("amend", now, answers=wish, reason="looked again")
        if isinstance(step, HumanStep):
            (task,) = [task for task in request.state.open_tasks if task.step == position.step]
            request.do("complete", now, task=task.id, outcome=outcome, form=good_form(step, wish))
        elif isinstance(step, WaitStep) and outcome == step.signal:
            request.do("signal", now, name=outcome)
        else:
            if position.wait_until is None and isinstance(step, WaitStep) and step.until is not None:
                said = {"day": now.date().isoformat(), "moment": now.isoformat()}
                request.do("amend", now, answers={step.until: said[step.until]}, reason="it was said")
            (position,) = [each for each in request.state.positions if each.step == position.step]
            assert position.wait_until is not None
            now = max(now, position.wait_until)
            request.do("tick", now, SYSTEM)
    raise AssertionError(f"no close after {len(request.definition.steps)} moves at {request.state.position}")


MOVES = ["complete", "complete", "complete", "signal", "tick", "hold", "resume", "send_back", "decline", "amend"]
walks = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 5), st.integers(0, 72)), max_size=12)


def wander(request: Driven, walk: list[tuple[str, int, int]], now: dt.datetime) -> dt.datetime:
    """Give commands at random; refused ones are no matter."""
    names = list(request.definition.steps)
    for kind, which, hours in walk:
        now += dt.timedelta(hours=hours)
        tasks = request.state.open_tasks
        step = request.definition.step(tasks[0].step) if tasks else None
        body: dict[str, Any] = {"reason": "so"}
        if kind in ("complete", "decline"):
            body["task"] = tasks[0].id if tasks else "none"
        if kind == "complete":
            outcomes = list(step.outcomes) if isinstance(step, HumanStep) else ["none"]
            form = good_form(step, {"level": LEVELS[which % 2]}) if isinstance(step, HumanStep) else {}
            body = {"task": body["task"], "outcome": outcomes[which % len(outcomes)], "form": form}
        elif kind == "signal":
            body["name"] = ["go", "dry_weather", "answer", "wake"][which % 4]
        elif kind == "send_back":
            body["step"] = names[which % len(names)]
        elif kind == "amend":
            day = {"day": f"2026-06-{1 + which:02}"} if "day" in request.definition.fields else {}
            body["answers"] = {**wishes(request.definition)[-1], **day}
        elif kind == "tick":
            body = {}
        request.give(command(kind, **body), now, ADMIN)
    return now


@given(definition=definitions(), walk=walks)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_definitions(definition: Definition, walk: list[tuple[str, int, int]]) -> None:
    """Whatever has happened under a random definition, the request can still be closed."""
    request = Driven.opened(definition, at("mon 08:00"))
    now = wander(request, walk, at("mon 08:00"))
    drive_to_close(request, now)
    assert not request.state.open_tasks
    assert not request.state.live_clocks
    assert request.next_at is None


@pytest.mark.parametrize("definition", all_types(), ids=lambda definition: definition.type)
@given(walk=walks)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_sample_definitions(definition: Definition, walk: list[tuple[str, int, int]]) -> None:
    """The same for the samples."""
    request = Driven.opened(definition, at("mon 08:00"))
    now = wander(request, walk, at("mon 08:00"))
    drive_to_close(request, now)
    assert request.state.outcome is not None
