"""Reads deadlines with their ladders, and the priority list.

Owns the keys of both and the rules that concern one deadline alone. Must not import anything of Fixline but
the reading of sections and the model.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from fixline.catalog.reading import Scalar
from fixline.catalog.shape import NAME, Section, Written, check_name, nearest, section_of, span_of
from fixline.catalog.steps.automatic import check_otherwise
from fixline.domain.deadlines.calendar import Span, Unit
from fixline.domain.definition.deadlines import Budget, Deadline, Rung
from fixline.domain.definition.model import PriorityRule
from fixline.domain.definition.vocabulary import Priority

MOST_FIRINGS = 100
MOMENTS = ("at", "before", "after")
_PERCENT = re.compile(r"(\d{1,4})%")
_PLACEHOLDER = Span.parse("1 calendar day")


def read_priority(section: Section) -> tuple[PriorityRule, ...]:
    """The priority list, first match wins."""
    rules: list[PriorityRule] = []
    items = section.items("priority", required=True)
    entries = [section_of(item, "an entry of 'priority'", section.findings) for item in items or ()]
    check_otherwise(section, "priority", "is", entries)
    for body in entries:
        if body is None:
            continue
        when = body.text("when")
        fixed = body.word("otherwise", Priority)
        chosen = body.word("is", Priority, required=when is not None) or fixed
        body.finish("an entry of 'priority'")
        if chosen is not None:
            rules.append(PriorityRule.model_validate({"when": when.text if when else None, "is": chosen}))
    return tuple(rules)


def read_deadlines(section: Section | None) -> dict[str, Deadline]:
    """The deadlines by name; values that cannot be read are replaced after their finding."""
    found: dict[str, Deadline] = {}
    for entry in section.tree if section else ():
        if section is None:
            break
        check_name(entry.key, entry.place, NAME, section.findings)
        body = section_of(entry.value, f"deadline '{entry.key}'", section.findings, entry.place)
        if body is not None:
            found[entry.key] = _read_deadline(body)
    return found


def _read_deadline(section: Section) -> Deadline:
    start = section.text("from", required=True)
    if start is not None and start.text != "opened":
        section.findings.add("FX204", start.place, f"'{start.text}' starts no deadline: write 'opened'")
    met_by = section.text("met_by", required=True)
    budget = _read_budget(section)
    paused_while = tuple(state.text for state in section.texts("paused_while"))
    escalate = _read_ladder(section)
    section.finish("a deadline", ("sample", "warn", "say"))
    return Deadline.model_validate(
        {
            "from": "opened",
            "met_by": met_by.text if met_by else "",
            "within": budget,
            "paused_while": paused_while,
            "escalate": escalate,
        }
    )


def _read_budget(section: Section) -> Budget:
    found = section.entry("within", required=True)
    if found is None:
        return Budget(otherwise=_PLACEHOLDER)
    if isinstance(found.value, Scalar):
        span = span_of(Written(found.value.text, found.value), section.findings)
        return Budget(otherwise=span or _PLACEHOLDER)
    body = section_of(found.value, "'within'", section.findings, found.place)
    if body is None:
        return Budget(otherwise=_PLACEHOLDER)
    spans: dict[Priority, Span] = {}
    for priority in Priority:
        span = body.span(priority.value)
        if span is not None:
            spans[priority] = span
    otherwise = body.span("otherwise")
    if not body.has("otherwise"):
        body.findings.add("FX407", found.place, "'within' needs 'otherwise': the budget of every other priority")
    body.finish("'within'")
    return Budget(by_priority=spans, otherwise=otherwise or _PLACEHOLDER)


def _read_ladder(section: Section) -> tuple[Rung, ...]:
    rungs: list[Rung] = []
    previous: Rung | None = None
    for item in section.items("escalate") or ():
        body = section_of(item, "a rung", section.findings)
        rung = None if body is None else _read_rung(body)
        if rung is None or body is None:
            continue
        if previous is not None and _is_before(rung, previous):
            message = f"'{rung.when}' comes before '{previous.when}': put the rungs in the order of time"
            body.findings.add("FX603", body.owner, message)
        previous = rung
        rungs.append(rung)
    return tuple(rungs)


def _read_rung(body: Section) -> Rung | None:
    at, before, after = body.text("at"), body.span("before"), body.span("after")
    every, up_to = body.span("every"), _read_up_to(body)
    tell, raised, team = body.text("tell"), body.word("raise_priority", Priority), body.text("reassign_to")
    body.finish("a rung")
    if [body.has(key) for key in MOMENTS].count(True) != 1:
        place = next((body.key_place(key) for key in reversed(MOMENTS) if body.has(key)), body.owner)
        body.findings.add("FX216", place, "a rung has one of 'at' (75%, due), 'before' and 'after' (1 working day)")
        return None
    _check_repeating(body)
    if not any(body.has(key) for key in ("tell", "raise_priority", "reassign_to")):
        body.findings.add("FX607", body.owner, "the rung does nothing: give 'tell', 'raise_priority' or 'reassign_to'")
    moment = _read_moment(body, at, before, after)
    if moment is None:
        return None
    acts = {"tell": tell.text if tell else None, "raise_priority": raised, "reassign_to": team.text if team else None}
    return Rung.model_validate({**moment, **acts, "every": every, "up_to": up_to})


def _read_up_to(body: Section) -> int:
    found = body.text("up_to")
    if found is None:
        return 1
    if not found.node.plain or not re.fullmatch(r"\d{1,6}", found.text) or not 1 <= int(found.text) <= MOST_FIRINGS:
        body.findings.add("FX604", found.place, f"'up_to' is a whole number from 1 to {MOST_FIRINGS}")
        return 1
    return int(found.text)


def _read_moment(body: Section, at: Written | None, before: Span | None, after: Span | None) -> dict[str, Any] | None:
    if before is not None:
        return {"before": before}
    if at is None:
        return None if after is None else {"after": after}
    if at.text == "due":
        return {"at_due": True}
    match = _PERCENT.fullmatch(at.text)
    if match is None:
        near = nearest(at.text, ("due",)) if not at.text[:1].isdigit() else ""
        body.findings.add("FX204", at.place, f"'at' is a share of the time such as 75%, or 'due'{near}")
        return None
    percent = int(match[1])
    if not 1 <= percent <= 99:
        hint = ": write 'due' for 100%" if percent == 100 else ""
        body.findings.add("FX604", at.place, f"a share lies between 1% and 99%{hint}")
        return None
    return {"at_percent": percent}


def _check_repeating(body: Section) -> None:
    if body.has("every") and not body.has("up_to"):
        message = "'every' needs 'up_to': how many times the rung fires in all"
        body.findings.add("FX605", body.key_place("every"), message)
    if body.has("up_to") and not body.has("every"):
        body.findings.add("FX605", body.key_place("up_to"), "'up_to' belongs to 'every'")
    if body.has("every") and not body.has("after"):
        body.findings.add("FX605", body.key_place("every"), "'every' belongs to 'after', which counts from due")


def _is_before(rung: Rung, previous: Rung) -> bool:
    """Whether a rung surely fires earlier; working and calendar time compare by the date only, and so do a share and a
    time before due."""
    if _stage(rung) != _stage(previous):
        return _stage(rung) < _stage(previous)
    if rung.at_percent is not None and previous.at_percent is not None:
        return rung.at_percent < previous.at_percent
    if rung.before is not None and previous.before is not None:
        return _is_shorter(previous.before, rung.before)
    return rung.after is not None and previous.after is not None and _is_shorter(rung.after, previous.after)


def _is_shorter(span: Span, other: Span) -> bool:
    """Whether a length of time is surely the shorter one, however long a working day is."""
    if span.working != other.working or (span.unit is Unit.WORKING_DAYS) != (other.unit is Unit.WORKING_DAYS):
        return False
    return span.length(_NominalDay()) < other.length(_NominalDay())


def _stage(rung: Rung) -> int:
    return 1 if rung.at_due else 2 if rung.after is not None else 0


class _NominalDay:
    """A day length that compares spans of one unit alike whatever the calendar says."""

    day = dt.timedelta(hours=8)
