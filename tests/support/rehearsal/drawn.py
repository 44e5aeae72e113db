"""Definitions as an author might write them: of every kind of step, leading anywhere, many with mistakes in their flow.

Owns the generator. Each choice asks a question of its own, so that no two conditions exclude each other: chains of
conditions that do are beyond the check. Limits are longer than spans: which branch always wins a race against time
is beyond it, too.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from fixline.catalog import Catalog, read_catalog
from fixline.catalog.catalog import with_offers
from tests.support.lakeport import LAKEPORT

HIGH = 9
"""A choice takes its first branch for answers above it."""
RESTING = ["task", "dispatch", "inspection", "sampled", "wait", "span", "until", "agency", "call", "follow_on"]
KINDS = [*RESTING, "choose", "notify", "together", "together"]
IN_BRANCH = ["task", "sampled", "wait", "span", "until", "agency", "call", "follow_on", "choose", "notify"]
MOST_STEPS = 5
CHILD = """
type: other
title: "Something that another department does"
department: streets-and-sanitation
intake: {location: none}
priority: [{otherwise: normal}]
calendar: public-works
start: work
steps:
  work: {task: "Do it", team: graffiti-desk, then: {done: fixed, nothing: none_found}}
  fixed: {close: fixed}
  none_found: {close: no_problem_found}
"""
CITY: Catalog = with_offers({"streets-and-sanitation/other.yaml": CHILD}, read_catalog(LAKEPORT).catalog)
"""The frozen city, with one type more that can be a follow-on."""

Steps = dict[str, Any]


def question_of(step: str) -> str:
    """The question that a choose step asks about."""
    return f"level_{step}"


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    """A whole definition."""
    names = [f"s{number}" for number in range(draw(st.integers(1, MOST_STEPS)))]
    steps: Steps = {}
    for number, name in enumerate(names):
        onward = [*names[number + 1 :], "end"][0] if draw(st.integers(0, 3)) else None
        targets = st.sampled_from([*names, "end", "end", "gone"])
        kind = draw(st.sampled_from(KINDS))
        if kind == "together":
            steps |= draw(together(name, onward or draw(targets), targets))
        else:
            steps[name] = draw(one_step(kind, name, onward, targets))
    steps["end"] = {"close": "fixed"}
    if '"gone"' in json.dumps(steps):
        steps["gone"] = {"close": draw(st.sampled_from(["declined", "cancelled"]))}
    return draw(around(names[0], steps))


@st.composite
def around(draw: st.DrawFn, start: str, steps: Steps) -> dict[str, Any]:
    """A definition with these steps."""
    levels = {question_of(name): {"kind": "number"} for name, step in steps.items() if "choose" in step}
    within = {"high": "1 working hour", "otherwise": draw(st.sampled_from(["2 working days", "30 calendar minutes"]))}
    rung = {"at": "due", "tell": "supervisor", "raise_priority": "high"}
    rung |= {"reassign_to": "asphalt-central"} if draw(st.booleans()) else {}
    deadline = {"from": "opened", "met_by": "closed", "within": within, "paused_while": ["on_hold"], "escalate": [rung]}
    when = [{"when": f"{name} > {HIGH}", "is": "high"} for name in levels]
    return {
        "type": "random",
        "title": "Drawn",
        "department": "transportation",
        "intake": {"location": "none", "questions": {"day": {"kind": "date"}, **levels}},
        "priority": [*when, {"otherwise": "normal"}],
        "calendar": draw(st.sampled_from(["public-works", "round-the-clock"])),
        **({"deadlines": {"resolve": deadline}} if draw(st.booleans()) else {}),
        "start": start,
        "steps": steps,
        **(
            {"reopen": {"by": ["supervisor"], "within": "90 calendar days", "at": start}} if draw(st.booleans()) else {}
        ),
    }


@st.composite
def together(draw: st.DrawFn, name: str, onward: str, outside: st.SearchStrategy[str]) -> Steps:
    """A together step with the steps of its branches; most of those lead on in their branch."""
    steps: Steps = {}
    branches: dict[str, list[str]] = {}
    for branch in ["left", "right", "middle"][: draw(st.sampled_from([2, 2, 3]))]:
        own = [f"{name}_{branch}{number}" for number in range(draw(st.integers(1, 2)))]
        targets = st.one_of(st.sampled_from([*own, "joined", "joined"]), outside)
        for number, each in enumerate(own):
            ahead = [*own[number + 1 :], "joined"][0] if draw(st.integers(0, 4)) else None
            steps[each] = draw(one_step(draw(st.sampled_from(IN_BRANCH)), each, ahead, targets))
        branches[branch] = own
    join = draw(st.sampled_from(["all", "first"]))
    return {name: {"together": branches, "join": join, "then": {"done": onward}}, **steps}


@st.composite
def one_step(
    draw: st.DrawFn, kind: str, name: str, onward: str | None, targets: st.SearchStrategy[str]
) -> dict[str, Any]:
    """One step of a kind; one way leads onward, or anywhere, the other anywhere."""
    one, other = onward or draw(targets), draw(targets)
    if kind == "choose":
        ways = [one, other] if draw(st.booleans()) else [other, one]
        return {"choose": [{"when": f"{question_of(name)} > {HIGH}", "go": ways[0]}, {"otherwise": ways[1]}]}
    if kind == "notify":
        return {"notify": draw(st.sampled_from(["supervisor", "reporter"])), "say": "So it is.", "then": one}
    if kind in ("wait", "span", "until"):
        return draw(wait(kind, one, other))
    if kind in ("agency", "call", "follow_on"):
        return draw(elsewhere(kind, one, other))
    limits = draw(st.sampled_from([{}, {"claim_within": "1 working hour"}, {"due": "2 working days"}]))
    form = draw(st.sampled_from([{}, {"form": {"day": {"kind": "date"}}}]))
    warned = draw(st.sampled_from([{}, {"warn_after": "2 visits"}]))
    step = {"team": "street-dispatch", **limits, **form, **warned, "then": {"on": one, "other": other}}
    if kind != "sampled":
        return {kind: "Do it", **step}
    then = {"on": one, "other": other, "not_sampled": draw(st.sampled_from([one, other]))}
    return {"inspection": "Do it", **step, "sample": "50%", "then": then}


@st.composite
def wait(draw: st.DrawFn, kind: str, one: str, other: str) -> dict[str, Any]:
    """A step that waits for a signal, for a span, or until a date that may not have been given."""
    if kind == "span":
        return {"wait": {"span": "1 calendar hour"}, "then": {"timeout": one}}
    if kind == "until":
        return {"wait": {"until": "day"}, "waiting_as": "waiting", "then": one}
    limit = {"at_most": "30 calendar days"} if draw(st.booleans()) else {}
    then = {"go_on": one, **({"timeout": other} if limit else {})}
    return {"wait": {"signal": "go_on", **limit}, "waiting_as": "waiting", "then": then}


@st.composite
def elsewhere(draw: st.DrawFn, kind: str, one: str, other: str) -> dict[str, Any]:
    """A step that waits for somebody else."""
    if kind == "call":
        return {"call": "permits-office", "at_most": "30 calendar days", "then": {"granted": one, "timeout": other}}
    if kind == "follow_on":
        named = draw(st.sampled_from([{}, {"fixed": one}, {"fixed": one, "no_problem_found": other}]))
        return {"follow_on": "other", "waiting_as": "waiting", "then": {**named, "otherwise": other if named else one}}
    limit = {"reply_within": "20 working days"} if draw(st.booleans()) else {}
    return {"agency": "lakeport-gas", **limit, "then": {"mended": one, **({"no_reply": other} if limit else {})}}


def as_text(definition: dict[str, Any]) -> str:
    """The file: flow style is YAML, too."""
    return json.dumps(definition, indent=1)
