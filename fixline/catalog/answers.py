"""Checks what is asked, what is made of the answers, and what deadlines stand on: what meets them, where they pause.
The rules FX214, FX419, FX5xx, FX601, FX602, FX608 and FX609."""

from __future__ import annotations

import re
from collections.abc import Collection

from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.steps.kinds import ON_HOLD
from fixline.catalog.tree import Mapping, Scalar
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.conditions import UNKNOWN_NAME, ConditionProblem, check
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process.kinds import ChooseStep, CloseStep, HumanStep, WaitStep
from fixline.domain.process.kinds.base import WaitingPart

CLOSED = "closed"
_NAME = re.compile(r"\w+")
_KINDS = frozenset(FieldKind)
_DATES = (FieldKind.DATE, FieldKind.DATETIME)
DIVERT = ("intake", "divert")
_NOT_MEETING = {CloseOutcome.CANCELLED, CloseOutcome.DUPLICATE}


def check_answers(parsed: ParsedDefinition) -> None:
    """The checks of fields, of conditions, of dates that are waited for, and of the codes of holds."""
    _check_fields(parsed)
    _check_conditions(parsed)
    _check_dates(parsed)
    _check_holds(parsed)


def _check_fields(parsed: ParsedDefinition) -> None:
    """A name that is asked twice asks the same kind of question."""
    asked: dict[str, FormField] = dict(parsed.intake.questions)
    for step_name, step in parsed.human_steps.items():
        for name, field in step.form.items():
            first = asked.setdefault(name, field)
            path = ("steps", step_name, "form", name)
            if field.kind != first.kind:
                message = f"'{name}' is asked elsewhere as {first.kind}: use that kind, or another name"
                parsed.add("FX214", message, *path, "kind")
            elif field.options.keys() != first.options.keys():
                message = f"'{name}' is asked elsewhere with other options: use the same, or another name"
                parsed.add("FX214", message, *path, "options")


def _check_conditions(parsed: ParsedDefinition) -> None:
    """Every condition can be decided for any answers."""
    everything = parsed.fields
    unread = _of_unread_kind(parsed) if len(parsed.findings) else set()
    choosing = [name for name, step in parsed.steps.items() if step is None or isinstance(step, ChooseStep)]
    places = [("priority",), *(("steps", name, "choose") for name in choosing), DIVERT]
    for path in places:
        fields = parsed.intake.questions if path == DIVERT else everything  # a report has its own answers only
        later = everything.keys() - fields.keys()
        for item in parsed.items(*path):
            when = item.entries.get("when") if isinstance(item, Mapping) else None
            if when is not None and isinstance(when.value, Scalar) and when.value.text.strip():
                if unread & set(_NAME.findall(when.value.text)):  # what it may be compared with is not known yet
                    continue
                for problem in check(when.value.text, fields):
                    message = _asked_later(when.value.text, problem, later) or problem.message
                    parsed.findings.add(problem.code, when.value.at(problem.offset), message)


def _of_unread_kind(parsed: ParsedDefinition) -> set[str]:
    """The names of questions whose kind has a finding of its own."""
    paths = [("intake", "questions"), *(("steps", name, "form") for name in parsed.steps)]
    found = set()
    for node in (parsed.node(*path) for path in paths):
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


def _check_dates(parsed: ParsedDefinition) -> None:
    """A wait until an answer waits until a date."""
    dates = {name for name, field in parsed.fields.items() if field.kind in _DATES}
    for name, step in parsed.steps.items():
        if isinstance(step, WaitStep) and step.until is not None:
            asked = parsed.fields.get(step.until)
            problem = f"'{step.until}' is a {asked.kind}" if asked else f"nothing asks for '{step.until}'"
            message = f"{problem}: name a question of kind date or datetime"
            parsed.findings.known("FX419", parsed.place("steps", name, "wait", "until"), step.until, dates, message)


def check_promises(parsed: ParsedDefinition, reached: frozenset[str]) -> None:
    """Something meets every deadline, and something enters every state in which it pauses; `reached` are the steps that
    a request can come to."""
    states = {step.waiting_as for step in parsed.steps.values() if isinstance(step, WaitingPart)}
    names = {ON_HOLD, *parsed.holds, *(state for state in states if state is not None)}
    unknown = None in parsed.steps.values()
    for name, deadline in parsed.deadlines.items():
        if deadline.met_by:
            _check_met_by(parsed, name, deadline.met_by, reached)
        for item in parsed.items("deadlines", name, "paused_while"):
            if isinstance(item, Scalar) and item.text and not unknown:
                message = f"no step waits as '{item.text}', and no hold has that code"
                parsed.findings.known("FX602", item.place, item.text, names, message)


def check_warnings(parsed: ParsedDefinition, calendar: WorkingCalendar) -> None:
    """What fires before due is measured as the budget is, and fires after the clock has started."""
    for name, deadline in parsed.deadlines.items():
        before = [rung.before for rung in deadline.escalate if rung.before is not None]
        places = [node.place for node in parsed.in_rungs(name, "before") if node is not None]
        if len(places) != len(before):  # some could not be read
            continue
        budgets = [*deadline.within.by_priority.values(), deadline.within.otherwise]
        for span, place in zip(before, places, strict=True):
            budget = min(budgets, key=lambda each: each.length(calendar.day))
            other = next((each for each in budgets if each.working != span.working), None)
            if other is not None:
                measure = "working" if other.working else "calendar"
                message = f"'{span}' cannot be counted against the budget of {other}: give {measure} time"
                parsed.findings.add("FX608", place, message)
            elif span.length(calendar.day) >= budget.length(calendar.day):
                parsed.findings.add("FX608", place, f"'{span}' is not less than the budget of {budget}")


def _check_met_by(parsed: ParsedDefinition, name: str, met_by: str, reached: frozenset[str]) -> None:
    path = ("deadlines", name, "met_by")
    if met_by == CLOSED:
        outcomes = {step.outcome for step_name in reached if isinstance(step := parsed.steps.get(step_name), CloseStep)}
        if outcomes and outcomes <= _NOT_MEETING:
            message = "every close is 'cancelled' or 'duplicate', and those end the deadline without meeting it"
            parsed.add("FX601", message, *path)
    elif not parsed.has("FX308", "step", met_by, [*parsed.steps, CLOSED], *path):
        return
    elif not isinstance(parsed.steps[met_by], HumanStep | None):
        message = f"people do not complete step '{met_by}': name an inspection, dispatch or task, or 'closed'"
        parsed.add("FX601", message, *path)


def _check_holds(parsed: ParsedDefinition) -> None:
    """A code is not the name of another state."""
    states = {getattr(step, "waiting_as", None) for step in parsed.steps.values()} | {ON_HOLD}
    for code in parsed.holds:
        if code in states:
            whose = "any hold" if code == ON_HOLD else "a step that waits"
            parsed.add_key("FX609", f"'{code}' is the state of {whose}: use another code", "holds", code)
