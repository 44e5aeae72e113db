"""Checks what is asked and what is made of the answers: fields, conditions, what meets a deadline.

Owns the rules FX214, FX419, FX5xx, FX601, FX602 and FX608. Must not import anything of Fixline but the draft,
conditions and the model.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from fixline.catalog.draft import Draft
from fixline.catalog.findings import Place
from fixline.catalog.reading import Mapping, Scalar, Sequence
from fixline.catalog.shape import nearest
from fixline.catalog.steps.kinds import ON_HOLD
from fixline.domain.calendar import WorkingCalendar
from fixline.domain.conditions import UNKNOWN_NAME, ConditionProblem, check
from fixline.domain.fields import FieldKind, FormField
from fixline.domain.steps import WAITING, ChooseStep, CloseOutcome, CloseStep, HumanStep, WaitStep

CLOSED = "closed"
_NAME = re.compile(r"\w+")
_KINDS = frozenset(FieldKind)
_DATES = (FieldKind.DATE, FieldKind.DATETIME)
DIVERT = ("intake", "divert")
_NOT_MEETING = {CloseOutcome.CANCELLED, CloseOutcome.DUPLICATE}


def check_fields(draft: Draft) -> None:
    """A name that is asked twice asks the same kind of question."""
    asked: dict[str, FormField] = dict(draft.intake.questions)
    for step_name, step in draft.human_steps.items():
        for name, field in step.form.items():
            first = asked.setdefault(name, field)
            path = ("steps", step_name, "form", name)
            if field.kind != first.kind:
                message = f"'{name}' is asked elsewhere as {first.kind}: use that kind, or another name"
                draft.findings.add("FX214", draft.place(*path, "kind"), message)
            elif field.options.keys() != first.options.keys():
                message = f"'{name}' is asked elsewhere with other options: use the same, or another name"
                draft.findings.add("FX214", draft.place(*path, "options"), message)


def check_conditions(draft: Draft) -> None:
    """Every condition can be decided for any answers."""
    everything = draft.fields
    unread = _of_unread_kind(draft) if len(draft.findings) else set()
    choosing = [name for name, step in draft.steps.items() if step is None or isinstance(step, ChooseStep)]
    places = [("priority",), *(("steps", name, "choose") for name in choosing), DIVERT]
    for path in places:
        node = draft.node(*path)
        fields = draft.intake.questions if path == DIVERT else everything  # a report has its own answers only
        later = everything.keys() - fields.keys()
        for item in node.items if isinstance(node, Sequence) else ():
            when = item.entries.get("when") if isinstance(item, Mapping) else None
            if when is not None and isinstance(when.value, Scalar) and when.value.text.strip():
                if unread & set(_NAME.findall(when.value.text)):  # what it may be compared with is not known yet
                    continue
                for problem in check(when.value.text, fields):
                    message = _asked_later(when.value.text, problem, later) or problem.message
                    draft.findings.add(problem.code, when.value.at(problem.offset), message)


def _of_unread_kind(draft: Draft) -> set[str]:
    """The names of questions whose kind has a finding of its own."""
    paths = [("intake", "questions"), *(("steps", name, "form") for name in draft.steps)]
    found = set()
    for node in (draft.node(*path) for path in paths):
        for entry in node if isinstance(node, Mapping) else ():
            kind = entry.value.entries.get("kind") if isinstance(entry.value, Mapping) else None
            if kind is None or not isinstance(kind.value, Scalar) or kind.value.text not in _KINDS:
                found.add(entry.key)
    return found


def _asked_later(text: str, problem: ConditionProblem, later: Collection[str]) -> str | None:
    """The words for a name that a form of a step asks for, where only what was reported is known."""
    name = _NAME.match(text, problem.offset)
    if problem.code != UNKNOWN_NAME or name is None or name[0] not in later:
        return None
    return f"'{name[0]}' is asked in a form, after the report: use a question of the intake"


def check_dates(draft: Draft) -> None:
    """A wait until an answer waits until a date."""
    dates = {name for name, field in draft.fields.items() if field.kind in _DATES}
    for name, step in draft.steps.items():
        if isinstance(step, WaitStep) and step.until is not None and step.until not in dates:
            asked = draft.fields.get(step.until)
            problem = f"'{step.until}' is a {asked.kind}" if asked else f"nothing asks for '{step.until}'"
            message = f"{problem}: name a question of kind date or datetime{nearest(step.until, dates)}"
            draft.findings.add("FX419", draft.place("steps", name, "wait", "until"), message)


def check_promises(draft: Draft, reached: frozenset[str]) -> None:
    """Something meets every deadline, and something enters every state in which it pauses.

    `reached` are the steps that a request can come to.
    """
    states = {step.waiting_as for step in draft.steps.values() if isinstance(step, WAITING)}
    names = {ON_HOLD, *draft.holds, *(state for state in states if state is not None)}
    unknown = None in draft.steps.values()
    for name, deadline in draft.deadlines.items():
        if deadline.met_by:
            _check_met_by(draft, name, deadline.met_by, reached)
        node = draft.node("deadlines", name, "paused_while")
        for item in node.items if isinstance(node, Sequence) else ():
            if isinstance(item, Scalar) and item.text and item.text not in names and not unknown:
                message = f"no step waits as '{item.text}', and no hold has that code{nearest(item.text, names)}"
                draft.findings.add("FX602", item.place, message)


def check_warnings(draft: Draft, calendar: WorkingCalendar) -> None:
    """What fires before due is measured as the budget is, and fires after the clock has started."""
    for name, deadline in draft.deadlines.items():
        before = [rung.before for rung in deadline.escalate if rung.before is not None]
        places = _places_of_before(draft, name)
        if len(places) != len(before):  # some could not be read
            continue
        budgets = [*deadline.within.by_priority.values(), deadline.within.otherwise]
        for span, place in zip(before, places, strict=True):
            budget = min(budgets, key=lambda each: each.length(calendar))
            other = next((each for each in budgets if each.working != span.working), None)
            if other is not None:
                measure = "working" if other.working else "calendar"
                message = f"'{span}' cannot be counted against the budget of {other}: give {measure} time"
                draft.findings.add("FX608", place, message)
            elif span.length(calendar) >= budget.length(calendar):
                draft.findings.add("FX608", place, f"'{span}' is not less than the budget of {budget}")


def _places_of_before(draft: Draft, deadline: str) -> list[Place]:
    node = draft.node("deadlines", deadline, "escalate")
    rungs = [item.entries for item in (node.items if isinstance(node, Sequence) else ()) if isinstance(item, Mapping)]
    return [entries["before"].value.place for entries in rungs if "before" in entries]


def _check_met_by(draft: Draft, name: str, met_by: str, reached: frozenset[str]) -> None:
    path = ("deadlines", name, "met_by")
    if met_by == CLOSED:
        outcomes = {step.outcome for step_name in reached if isinstance(step := draft.steps.get(step_name), CloseStep)}
        if outcomes and outcomes <= _NOT_MEETING:
            message = "every close is 'cancelled' or 'duplicate', and those end the deadline without meeting it"
            draft.findings.add("FX601", draft.place(*path), message)
    elif met_by not in draft.steps:
        near = nearest(met_by, [*draft.steps, CLOSED])
        draft.findings.add("FX308", draft.place(*path), f"there is no step '{met_by}'{near}")
    elif not isinstance(draft.steps[met_by], HumanStep | None):
        message = f"people do not complete step '{met_by}': name an inspection, dispatch or task, or 'closed'"
        draft.findings.add("FX601", draft.place(*path), message)
