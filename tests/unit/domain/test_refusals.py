"""Every refusal that the rules know is produced by a case here, and leaves the request as it was.

Owns the table of refusals; the sources are read for their codes, so a new one cannot stay untested.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import fixline.domain
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import SYSTEM, Actor
from fixline.domain.process.decision import Refusal
from fixline.domain.records import to_text
from tests.support.domain.driver import PLACE, Driven, command
from tests.support.domain.inputs import OLDER
from tests.support.domain.samples import ADMIN, CREW, MATE, REPORTER, STRANGER, at, pothole, simple, vehicle

T1 = "R-1-T1"
Given = tuple[str, Actor, dict[str, Any]]
WAIT = {"kind": "wait", "span": "1 calendar day", "then": {"timeout": "fixed"}}


class Case(NamedTuple):
    """A refusal: its code, what comes before, the command that is refused, the type."""

    code: str
    before: tuple[Given, ...]
    last: Given
    definition: Definition = simple()


def sleeping() -> Definition:
    """A type that closes by itself after a day."""
    return simple(start="sleep", steps={"sleep": WAIT, "fixed": {"kind": "close", "outcome": "fixed"}})


def reopens(within: str = "2 working days") -> Definition:
    """The simple type, that its reporter may open again."""
    return simple(reopen={"by": ["reporter"], "within": within, "at": "work"})


def two_agencies() -> Definition:
    """A type that asks two parties side by side."""
    agency = {"kind": "agency", "agency": "x", "then": {"done": "joined"}}
    both = {"kind": "together", "branches": {"a": ["ask_a"], "b": ["ask_b"]}, "then": {"done": "fixed"}}
    fixed = {"kind": "close", "outcome": "fixed"}
    return simple(start="both", steps={"both": both, "ask_a": agency, "ask_b": agency, "fixed": fixed})


OPEN: Given = ("open", REPORTER, {"type": "t", "version": "v"})
OPEN_HOLE: Given = ("open", REPORTER, {"type": "t", "version": "v", "place": PLACE, "answers": {"lane": "curb"}})
OPEN_BIKE: Given = ("open", REPORTER, {"type": "t", "version": "v", "place": PLACE, "answers": {"lane": "bike"}})
REOPEN: Given = ("reopen", REPORTER, {"reason": "x"})
CLAIM: Given = ("claim", CREW, {"task": T1})
START: Given = ("start", CREW, {"task": T1})
HOLD: Given = ("hold", ADMIN, {"reason": "x"})
CLOSE: Given = ("complete", CREW, {"task": T1, "outcome": "done"})
CALLED = {"effect": "R-1:1:1", "effect_kind": "call", "step": "work"}
DISPATCHED: dict[str, Any] = {"effect": "R-1:1:1", "effect_kind": "dispatch", "task": T1}
NO_LANE: dict[str, Any] = {"type": "t", "version": "v", "place": PLACE}

ATTACH: Given = ("attach", ADMIN, {"to": OLDER, "reason": "x"})
LATER = {"id": "R-2", "opened_at": "2030-01-01T00:00:00Z"}
NOWHERE = Definition.model_validate(
    {"type": "t", "title": "T", "department": "works", "redirect": {"to": "emergency", "say": "Call 911 now."}}
)


def burning() -> Definition:
    """A type that is not for fires."""
    divert = [{"when": "on_fire == true", "to": "emergency", "say": "Call 911 now."}]
    return simple(intake={"location": "none", "questions": {"on_fire": {"kind": "yes_no"}}, "divert": divert})


CASES = [
    Case("not_opened", (), CLAIM),
    Case("not_opened", (), ("tick", SYSTEM, {})),
    Case("already_opened", (OPEN,), OPEN),
    Case("already_opened", (OPEN, CLOSE), OPEN),
    Case("location_missing", (), OPEN, pothole()),
    Case("location_missing", (OPEN_HOLE,), ("amend", ADMIN, {"place": {}, "reason": "x"}), pothole()),
    Case("too_many_photos", (), ("open", REPORTER, {**OPEN_HOLE[2], "photos": ["1", "2", "3"]}), pothole()),
    Case("answers_invalid", (), ("open", REPORTER, NO_LANE), pothole()),
    Case("answers_invalid", (OPEN,), ("amend", ADMIN, {"answers": {"x": 1}, "reason": "x"})),
    Case("nothing_changed", (OPEN,), ("amend", ADMIN, {"reason": "x"})),
    Case("nothing_changed", (OPEN,), ("reassign", ADMIN, {"reason": "x", "team": "crew"})),
    Case("nothing_due", (OPEN,), ("tick", SYSTEM, {})),
    Case("request_closed", (OPEN, CLOSE), ("tick", SYSTEM, {})),
    Case("request_closed", (OPEN, CLOSE), CLAIM),
    Case("request_closed", (OPEN,), ("hold", ADMIN, {"reason": "x"}), sleeping()),
    Case("unknown_step", (OPEN,), ("send_back", ADMIN, {"step": "nowhere", "reason": "x"})),
    Case("unknown_step", (OPEN,), ("send_back", ADMIN, {"step": "fixed", "reason": "x"})),
    Case("signal_not_awaited", (OPEN,), ("signal", SYSTEM, {"name": "dry_weather"})),
    Case("already_on_hold", (OPEN, HOLD), HOLD),
    Case("hold_code", (OPEN,), ("hold", ADMIN, {"reason": "x", "code": "permit"})),
    Case("not_on_hold", (OPEN,), ("resume", ADMIN, {})),
    Case("not_cancellable", (OPEN,), ("cancel", REPORTER, {"reason": "x"})),
    Case("not_cancellable", (OPEN,), ("cancel", CREW, {"reason": "x"}), vehicle()),
    Case("on_hold", (OPEN, HOLD), CLAIM),
    Case("on_hold", (OPEN, HOLD), START),
    Case("task_not_open", (OPEN,), ("claim", CREW, {"task": "R-1-T9"})),
    Case("task_not_open", (OPEN,), ("reassign", ADMIN, {"team": "x", "reason": "x"}), sleeping()),
    Case("task_state", (OPEN, CLAIM), ("claim", MATE, {"task": T1})),
    Case("task_state", (OPEN, START), START),
    Case("task_state", (OPEN,), ("release", CREW, {"task": T1})),
    Case("task_holder", (OPEN, CLAIM), ("start", MATE, {"task": T1})),
    Case("task_holder", (OPEN, CLAIM), ("complete", MATE, {"task": T1, "outcome": "done"})),
    Case("not_closed", (OPEN,), REOPEN, reopens()),
    Case("not_reopenable", (OPEN, CLOSE), REOPEN),
    Case("not_reopenable", (OPEN, CLOSE), ("reopen", CREW, {"reason": "x"}), reopens()),
    Case("reopen_too_late", (OPEN, CLOSE), REOPEN, reopens(within="10 working minutes")),
    Case("priority_ruled", (OPEN_BIKE,), ("priority", ADMIN, {"priority": "normal", "reason": "x"}), pothole()),
    Case("nothing_changed", (OPEN,), ("priority", ADMIN, {"priority": None, "reason": "x"})),
    Case("wrong_version", (OPEN,), ("move", ADMIN, {"version": "nowhere"})),
    Case("wrong_version", (OPEN,), ("recategorise", ADMIN, {"type": "x", "version": "nowhere", "reason": "x"})),
    Case("nothing_changed", (OPEN,), ("move", ADMIN, {"version": "v"})),
    Case("nothing_changed", (OPEN,), ("recategorise", ADMIN, {"type": "simple", "version": "v", "reason": "x"})),
    Case("step_missing", (OPEN,), ("move", ADMIN, {"version": "other", "steps": {"work": "rest"}})),
    Case("step_missing", (OPEN,), ("move", ADMIN, {"version": "other", "steps": {"work": "fixed"}})),
    Case("location_missing", (OPEN,), ("recategorise", ADMIN, {"type": "pothole", "version": "hole", "reason": "x"})),
    Case("diverted", (), OPEN, NOWHERE),
    Case("diverted", (OPEN,), ("recategorise", ADMIN, {"type": "t", "version": "gone", "reason": "x"})),
    Case("diverted", (), ("open", REPORTER, {**OPEN[2], "answers": {"on_fire": True}}), burning()),
    Case("outside_city", (), ("open", REPORTER, {**OPEN_HOLE[2], "outside": True}), pothole()),
    Case(
        "outside_city", (OPEN_HOLE,), ("amend", REPORTER, {"place": PLACE, "outside": True, "reason": "x"}), pothole()
    ),
    Case("request_attached", (OPEN, ATTACH), HOLD),
    Case("request_attached", (OPEN, ATTACH), ATTACH),
    Case("attached_to_itself", (OPEN,), ("attach", ADMIN, {"to": {**OLDER, "id": "R-1"}, "reason": "x"})),
    Case("original_not_older", (OPEN,), ("attach", ADMIN, {"to": LATER, "reason": "x"})),
    Case("not_attached", (OPEN,), ("detach", ADMIN, {"reason": "x"})),
    Case("not_attached", (OPEN,), ("original_closed", SYSTEM, {"original": "R-0", "outcome": "fixed"})),
    Case("nothing_changed", (OPEN,), ("duplicate_detached", SYSTEM, {"duplicate": "R-3"})),
    Case("wrong_team", (OPEN,), ("claim", STRANGER, {"task": T1})),
    Case("unknown_outcome", (OPEN,), ("complete", CREW, {"task": T1, "outcome": "moon"})),
    Case("form_invalid", (OPEN_HOLE,), ("complete", CREW, {"task": T1, "outcome": "pothole"}), pothole()),
    Case("task_moved_on", (OPEN, CLAIM), ("effect_result", SYSTEM, {**DISPATCHED, "assignee": "mia"})),
    Case("task_moved_on", (OPEN,), ("effect_result", SYSTEM, DISPATCHED)),
    Case("unknown_follow_on", (OPEN,), ("follow_on_reopened", SYSTEM, {"child": "R-9"})),
    Case("no_agency_awaited", (OPEN,), ("agency_reply", ADMIN, {"outcome": "x"})),
    Case("several_agencies", (OPEN,), ("agency_reply", ADMIN, {"outcome": "done"}), two_agencies()),
    Case(
        "step_moved_on",
        (OPEN,),
        ("effect_result", SYSTEM, {"effect": "R-1:1:1", "effect_kind": "call", "step": "work"}),
    ),
    Case("task_moved_on", (OPEN, CLOSE), ("effect_result", SYSTEM, {**DISPATCHED, "assignee": "mia"})),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.last[0]}")
def test_refused(case: Case) -> None:
    """The command is refused with its code and words, and nothing has changed."""
    request = Driven(case.definition)
    request.targets = {"v": case.definition, "other": simple(title="Other"), "hole": pothole(), "gone": NOWHERE}
    for kind, actor, body in case.before:
        request.do(kind, at("mon 08:00"), actor, **body)
    before = to_text(request.state) if case.before else None
    kind, actor, body = case.last
    late = at("wed 08:00") if case.code == "request_closed" else at("mon 08:30")
    result = request.give(command(kind, **body), late, actor)
    assert isinstance(result, Refusal)
    assert result.code == case.code
    assert len(result.message) > 10
    assert (to_text(request.state) if case.before else None) == before


def raised_codes() -> set[str]:
    """The codes in the sources: of every `refuse("code", ...)` and `Refusal(code="code", ...)`."""
    found: set[str] = set()
    for path in sorted(Path(*fixline.domain.__path__).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                codes = node.args[:1] if node.func.id == "refuse" else []
                if node.func.id == "Refusal":
                    codes = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                found |= {str(code.value) for code in codes if isinstance(code, ast.Constant)}
    return found


def test_every_code_has_a_case() -> None:
    """No refusal without a case, no case without a refusal."""
    assert raised_codes() == {case.code for case in CASES}
