"""What is different between two versions of a definition, in sentences for analysts who publish or move. Two versions
that are not equal always differ in at least one: what has no words of its own is named with both values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from fixline.domain.deadlines.calendar import CalendarException, Holiday, Period
from fixline.domain.definition.deadlines import Budget, Deadline, Rung
from fixline.domain.definition.fields import FormField, Part
from fixline.domain.definition.model import Definition, Reopen
from fixline.domain.process.kinds import AnyStep

LONGEST_VALUE = 120
_Lines = Iterator[str]


def differences(old: Definition, new: Definition) -> tuple[str, ...]:
    """One sentence per difference, in the order of the definition's parts; empty for equal definitions."""
    lines: list[str] = []
    for name in Definition.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            lines += _WORDS.get(name, partial(_plain, name.rstrip("_")))(before, after)
    return tuple(lines)


def _plain(what: str, before: Any, after: Any) -> _Lines:
    yield _changed(what, before, after)


def _changed(what: str, before: Any, after: Any) -> str:
    if _empty(before):
        return f"{what}: {_shown(after)} added"
    if _empty(after):
        return f"{what}: {_shown(before)} removed"
    return f"{what}: {_shown(before)} -> {_shown(after)}"


def _empty(value: Any) -> bool:
    return value is None or value in ((), [], {}, "")


def _shown(value: Any) -> str:
    """A value as the language writes it, shortened."""
    if isinstance(value, Part | Mapping):
        text = json.dumps(_jsonable(value), ensure_ascii=False)
    elif isinstance(value, tuple | list):
        text = ", ".join(_shown(each) for each in value) or "nothing"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _jsonable(value: Any) -> Any:
    if isinstance(value, Part):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_jsonable(each) for each in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _attributes(what: str, before: Part, after: Part, but: frozenset[str] = frozenset()) -> _Lines:
    """The fields of one part that differ, also where the two are of different classes."""
    names = dict.fromkeys([*type(before).model_fields, *type(after).model_fields])
    for name in names:
        one, other = getattr(before, name, None), getattr(after, name, None)
        if name not in but and one != other:
            yield _changed(f"{what}: {name.rstrip('_')}", one, other)


def _added_and_removed(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> _Lines:
    yield from (f"{what} {name} removed" for name in before if name not in after)
    yield from (f"{what} {name} added" for name in after if name not in before)


def _fields(what: str, before: Mapping[str, FormField], after: Mapping[str, FormField]) -> _Lines:
    yield from _added_and_removed(what, before, after)
    for name in (name for name in before if name in after):
        yield from _attributes(f"{what} {name}", before[name], after[name])
    yield from _order(f"{what}s are asked", before, after)


def _intake(before: Any, after: Any) -> _Lines:
    yield from _fields("question", before.questions, after.questions)
    if before.photos != after.photos:
        yield _changed("photos at most", before.photos.max, after.photos.max)
    yield from _attributes("intake", before, after, frozenset({"questions", "photos"}))


def _priority(before: Any, after: Any) -> _Lines:
    def listed(rules: Any) -> str:
        return "; ".join(f"{rule.is_} when {rule.when}" if rule.when else f"otherwise {rule.is_}" for rule in rules)

    yield f"priority: {listed(before)} -> {listed(after)}"


def _calendar(before: Any, after: Any) -> _Lines:
    if before.name != after.name:
        yield f"calendar: {before.name} -> {after.name}"
        return
    what, lists = f"calendar {after.name}", {"holidays": "holiday", "exceptions": "exception", "periods": "period"}
    said: list[str] = []
    for name, one in lists.items():
        had, has = getattr(before, name), getattr(after, name)
        said += [f"{what}: {one} removed: {_dated(each)}" for each in had if each not in has]
        said += [f"{what}: {one} added: {_dated(each)}" for each in has if each not in had]
    said += _attributes(what, before, after, frozenset(lists))
    yield from said or [f"{what}: an entry stands there more often, or less"]


def _dated(each: Holiday | CalendarException | Period) -> str:
    """An entry of a calendar: its dates, its name, its hours."""
    match each:
        case Holiday():
            return " and ".join(str(date) for date in each.dates) + f", {each.name}"
        case CalendarException():
            return f"{each.date}, {each.name}, {', '.join(map(str, each.hours)) or 'closed'}"
        case Period():
            hours = [f"{day} {', '.join(map(str, windows))}" for day, windows in each.weekly.items() if windows]
            return f"{each.first} to {each.last}, {each.name}, {'; '.join(hours) or 'closed'}"


def _deadlines(before: Mapping[str, Deadline], after: Mapping[str, Deadline]) -> _Lines:
    yield from (f"deadline {name} removed" for name in before if name not in after)
    for name, deadline in after.items():
        if name not in before:
            yield f"deadline {name} added: {deadline.within.otherwise}, met by {deadline.met_by}"
        else:
            yield from _deadline(f"deadline {name}", before[name], deadline)
    yield from _order("deadlines stand", before, after)


def _order(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> _Lines:
    if list(before) != list(after) and set(before) == set(after):
        yield f"{what} in another order: {', '.join(after)}"


def _deadline(what: str, before: Deadline, after: Deadline) -> _Lines:
    yield from _budget(what, before.within, after.within)
    if before.escalate != after.escalate:
        yield from _ladder(what, before.escalate, after.escalate)
    yield from _attributes(what, before, after, frozenset({"within", "escalate"}))


def _budget(what: str, before: Budget, after: Budget) -> _Lines:
    if before.otherwise != after.otherwise:
        yield f"{what}: {before.otherwise} -> {after.otherwise}"
    for priority in dict.fromkeys([*before.by_priority, *after.by_priority]):
        one, other = before.by_priority.get(priority), after.by_priority.get(priority)
        if one != other:
            yield _changed(f"{what}, {priority}", one, other)


def _ladder(what: str, before: tuple[Rung, ...], after: tuple[Rung, ...]) -> _Lines:
    one, other = [_rung(rung) for rung in before], [_rung(rung) for rung in after]
    gone, new = [text for text in one if text not in other], [text for text in other if text not in one]
    yield from (f"{what}: rung removed: {text}" for text in gone)
    yield from (f"{what}: rung added: {text}" for text in new)
    if not gone and not new:
        yield f"{what}: rungs in another order: {'; '.join(other)}"


def _rung(rung: Rung) -> str:
    repeated = f", every {rung.every} up to {rung.up_to} times" if rung.every else ""
    told = f", tells {rung.tell}" if rung.tell else ""
    raised = f", raises the priority to {rung.raise_priority}" if rung.raise_priority else ""
    given = f", gives the work to {rung.reassign_to}" if rung.reassign_to else ""
    return f"{rung.when}{repeated}{told}{raised}{given}"


def _steps(before: Mapping[str, AnyStep], after: Mapping[str, AnyStep]) -> _Lines:
    yield from _added_and_removed("step", before, after)
    for name in (name for name in before if name in after):
        if before[name] != after[name]:
            yield from _step(name, before[name], after[name])
    yield from _order("steps stand", before, after)


def _step(name: str, before: AnyStep, after: AnyStep) -> _Lines:
    said = [f"step {name}: {before.kind} -> {after.kind}"] if before.kind != after.kind else []
    said += _attributes(f"step {name}", before, after, frozenset({"kind", "form", "then"}))
    said += _fields(f"step {name}, question", getattr(before, "form", {}), getattr(after, "form", {}))
    said += _ways(name, dict(before.ways), dict(after.ways))
    yield from said or [_changed(f"step {name}", before, after)]


def _ways(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> _Lines:
    for outcome in dict.fromkeys([*before, *after]):
        one, other = before.get(outcome), after.get(outcome)
        if other is None:
            yield f"outcome {outcome} of {name} removed (it led to {one})"
        elif one is None:
            yield f"outcome {outcome} of {name} added, leads to {other}"
        elif one != other:
            yield f"outcome {outcome} of {name} now leads to {other} (was {one})"


def _reopen(before: Reopen | None, after: Reopen | None) -> _Lines:
    if before is None and after is not None:
        yield f"reopen added: by {_shown(after.by)}, within {after.within}, at {after.at}"
    elif after is None:
        yield "reopen removed"
    elif before is not None:
        yield from _attributes("reopen", before, after)


_WORDS: dict[str, Callable[[Any, Any], _Lines]] = {
    "intake": _intake,
    "priority": _priority,
    "calendar": _calendar,
    "deadlines": _deadlines,
    "steps": _steps,
    "cancel": partial(_attributes, "cancel"),
    "reopen": _reopen,
    "start": partial(_plain, "starts at"),
}
