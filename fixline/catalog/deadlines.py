"""How deadlines with their ladders, and the priority list, are written, and the rules that concern one alone."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from fixline.catalog import grammar
from fixline.catalog.findings import nearest
from fixline.catalog.shape import KEY, Section, Written, section_of, span_of
from fixline.catalog.steps.automatic import ending_otherwise
from fixline.catalog.steps.human import PERCENT_SHAPE
from fixline.catalog.tree import Scalar
from fixline.domain.deadlines.calendar import Unit
from fixline.domain.definition.deadlines import Budget, Deadline, Rung
from fixline.domain.definition.model import NO_HOURS, PriorityRule
from fixline.domain.definition.vocabulary import Priority

MOST_FIRINGS = 100
DUE = "due"
MOMENTS = ("at", "before", "after")
_PERCENT = re.compile(r"(\d{1,4})%")
_ACTS = ("tell", "raise_priority", "reassign_to")


_PRIORITY = grammar.word(Priority)


def _read_is(body: Section, key: str) -> object:
    """Required where there is a condition; `otherwise` has the priority itself."""
    return _PRIORITY.read(body, key) if body.has(key) or body.text("when") is not None else None


def _read_otherwise(_: Section, found: grammar.Values) -> None:
    fixed = found.pop("otherwise", None)
    if fixed is not None:
        found.setdefault("is_", fixed)


_RULE = grammar.Grammar(
    PriorityRule,
    "an entry of 'priority'",
    {"is_": grammar.Key(_read_is)},
    others={"otherwise": _PRIORITY},
    needs={"is_"},
    check=_read_otherwise,
)
_WHEN = 'A condition (CEL) on the answers, such as "depth >= 10".'
PRIORITY = ending_otherwise(_RULE, "an entry of 'priority'", "is", {"enum": [*Priority]}, _WHEN)


def _read_from(start: Written, section: Section) -> str:
    if start.text != "opened":
        section.findings.add("FX204", start.place, f"'{start.text}' starts no deadline: write 'opened'")
    return "opened"


def _read_budget(section: Section, key: str) -> Budget:
    found = section.entry(key, required=True)
    if found is not None and isinstance(found.value, Scalar):
        return Budget(otherwise=span_of(found.value, section.findings) or grammar.PLACEHOLDER)
    body = None if found is None else section_of(found.value, "'within'", section.findings, found.place)
    return Budget(otherwise=grammar.PLACEHOLDER) if body is None else _BUDGET.made(body, otherwise=grammar.PLACEHOLDER)


def _check_budget(body: Section, found: grammar.Values) -> None:
    found["by_priority"] = {priority: found.pop(priority) for priority in Priority if priority in found}
    if not body.has("otherwise"):
        body.add("FX407", "'within' needs 'otherwise': the budget of every other priority")


_BUDGET = grammar.Grammar(
    Budget,
    "'within'",
    {"by_priority": None, "otherwise": replace(grammar.SPAN, required=False)},
    others={each.value: replace(grammar.SPAN, told=f"The budget of priority {each.value}.") for each in Priority},
    check=_check_budget,
)


def _budget_shape() -> grammar.Shape:
    return {"anyOf": [grammar.SPAN.shape, {**_BUDGET.keys(), "required": ["otherwise"]}]}


def _check_order(rungs: grammar.Pairs[Rung]) -> None:
    for (_, previous), (body, rung) in pairwise(rungs):
        if _is_before(rung, previous):
            body.add("FX603", f"'{rung.when}' comes before '{previous.when}': put the rungs in the order of time")


def _read_up_to(found: Written, body: Section) -> int:
    if not found.plain or not re.fullmatch(r"\d{1,6}", found.text) or not 1 <= int(found.text) <= MOST_FIRINGS:
        body.findings.add("FX604", found.place, f"'up_to' is a whole number from 1 to {MOST_FIRINGS}")
        return 1
    return int(found.text)


def _read_moment(body: Section, found: grammar.Values) -> None:
    """A rung has one moment, and does something; `at_due` is known where there is a moment that can be read."""
    at = found.pop("at", None)
    written = body.written(MOMENTS)
    if len(written) != 1:
        place = body.key_place(written[-1]) if written else body.owner
        body.findings.add("FX216", place, "a rung has one of 'at' (75%, due), 'before' and 'after' (1 working day)")
        return
    _check_repeating(body)
    if not body.written(_ACTS):
        body.add("FX607", "the rung does nothing: give 'tell', 'raise_priority' or 'reassign_to'")
    percent = None if at is None or at == DUE else _percent(at, body)
    if percent is not None:
        found["at_percent"] = percent
    if at == DUE or found.keys() & {"at_percent", "before", "after"}:
        found["at_due"] = at == DUE


def _percent(text: str, body: Section) -> int | None:
    match, place = _PERCENT.fullmatch(text), body.value_place("at")
    if match is None:
        near = nearest(text, (DUE,)) if not text[:1].isdigit() else ""
        body.findings.add("FX204", place, f"'at' is a share of the time such as 75%, or 'due'{near}")
        return None
    percent = int(match[1])
    if not 1 <= percent <= 99:
        hint = ": write 'due' for 100%" if percent == 100 else ""
        body.findings.add("FX604", place, f"a share lies between 1% and 99%{hint}")
        return None
    return percent


def _check_repeating(body: Section) -> None:
    if body.has("every") and not body.has("up_to"):
        body.add("FX605", "'every' needs 'up_to': how many times the rung fires in all", "every")
    if body.has("up_to") and not body.has("every"):
        body.add("FX605", "'up_to' belongs to 'every'", "up_to")
    if body.has("every") and not body.has("after"):
        body.add("FX605", "'every' belongs to 'after', which counts from due", "every")


def _is_before(rung: Rung, previous: Rung) -> bool:
    """Whether a rung surely fires earlier; what is measured differently compares by before, at and after due only."""
    (stage, measure, value), (other_stage, other_measure, other) = _moment(rung), _moment(previous)
    return stage < other_stage or (stage == other_stage and measure == other_measure and value < other)


def _moment(rung: Rung) -> tuple[int, object, float]:
    """Whether before, at or after due, in which measure, and how late; working days and hours are two measures."""
    if rung.at_percent is not None:
        return 0, "percent", rung.at_percent
    span = rung.before or rung.after
    if span is None:
        return 1, "due", 0
    length = span.length(NO_HOURS.day).total_seconds()  # compared with its like, whatever the calendar says
    measure = span.working, span.unit is Unit.WORKING_DAYS
    return (0, measure, -length) if rung.before is not None else (2, measure, length)


_RUNG = grammar.Grammar(
    Rung,
    "a rung",
    {
        "at_percent": None,
        "at_due": None,
        "up_to": grammar.of_text(_read_up_to, {"type": "integer", "minimum": 1, "maximum": MOST_FIRINGS}),
        "tell": grammar.reference(),
        "reassign_to": grammar.reference(KEY),
    },
    others={
        "at": replace(
            grammar.TEXT,
            shape={"anyOf": [{"enum": [DUE]}, PERCENT_SHAPE]},
            told="When it fires: a share of the budget such as 75%, or due.",
        )
    },
    needs={"at_due"},
    check=_read_moment,
    beside={
        "description": "One rung of the ladder: when, whom it tells, what it changes.",
        "oneOf": [{"required": [each]} for each in ("at", "before", "after")],
        "anyOf": [{"required": [each]} for each in _ACTS],
        "dependencies": {"every": ["up_to", "after"], "up_to": ["every"]},
    },
)
_DEADLINE = grammar.Grammar(
    Deadline,
    "a deadline",
    {
        "from_": replace(grammar.of_text(_read_from, {"enum": ["opened"]}, "opened"), required=True),
        "met_by": grammar.reference(),
        "within": grammar.Key(_read_budget, _budget_shape),
        "paused_while": grammar.texts(grammar.name_shape()),
        "escalate": _RUNG.listed("a rung", _check_order),
    },
    later=("sample", "warn", "say"),
)
DEADLINES = _DEADLINE.named("deadline '{}'")
