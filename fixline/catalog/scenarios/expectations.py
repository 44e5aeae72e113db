"""Reads what a scenario expects: each key of `expect` with the kind of value that it has. What the keys are compared
with is `fixline.rehearsal.look`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

from fixline.catalog.findings import Place
from fixline.catalog.scenarios.frame import Frame, check_step, plain, read_answers
from fixline.catalog.scenarios.model import NOTHING, Expected, Notice, listed
from fixline.catalog.shape import Section, Written, one_word, section_of, text_of
from fixline.catalog.tree import Mapping, Scalar, Sequence
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent, Priority
from fixline.domain.process.effects import EFFECTS
from fixline.domain.process.kinds.human import HumanStep

_Status = StrEnum("_Status", "OPEN CLOSED")
_Switch = StrEnum("_Switch", "TRUE FALSE")


class ClockWord(StrEnum):
    """What a clock has come to: overdue is breached and not met, met_late is met after its breach."""

    RUNNING = "running"
    PAUSED = "paused"
    OVERDUE = "overdue"
    MET = "met"
    MET_LATE = "met_late"
    ENDED = "ended"


Reader = Callable[[str, Section, Frame], Iterator[Expected]]
Check = Callable[[str, Place, Frame], bool]
"""Whether there is something of that name; a finding when there is not."""


def read_expectations(section: Section | None, frame: Frame) -> tuple[Expected, ...]:
    """Everything that a section `expect` asks for."""
    if section is None:
        return ()
    found = [each for key in section.written(READERS) for each in READERS[key](key, section, frame)]
    section.finish("'expect'")
    if not section.tree.entries:
        frame.findings.add("FX810", section.owner, f"nothing is expected: there are {', '.join(READERS)}")
    return tuple(found)


def _word(key: str, section: Section, frame: Frame, kind: type[StrEnum]) -> Iterator[Expected]:
    written = section.text(key)
    if written and one_word(written, [*kind], frame.findings) is not None:
        yield Expected(key, None, written.text, written.text, written.place)


def _count(key: str, section: Section, _frame: Frame) -> Iterator[Expected]:
    found, written = section.number(key, whole=(0, 1000)), section.text(key)
    if found is not None and written is not None:
        yield Expected(key, None, int(found), written.text, written.place)


def _names(key: str, section: Section, frame: Frame, check: Check | None = None) -> Iterator[Expected]:
    """One name or a list of them, in any order."""
    node = section.tree.entries[key].value
    if isinstance(node, Sequence):
        names = frozenset(each.text for each in section.texts(key))
    else:
        one = section.text(key)
        names = frozenset() if one is None or one.text == NOTHING else frozenset({one.text})
    if check is not None:
        for name in names:
            check(name, node.place, frame)
    yield Expected(key, None, names, listed(names), node.place)


def _pairs(key: str, section: Section) -> Iterator[tuple[str, Place, Written]]:
    body = section.section(key)
    for entry in body.tree if body else ():
        value = text_of(entry.value, f"'{entry.key}'", section.findings)
        if value is not None:
            yield entry.key, entry.place, value


def _by_name(
    key: str, section: Section, frame: Frame, check: Check, read: Callable[[Written, Frame], Any]
) -> Iterator[Expected]:
    """Something of each of some names, each for itself."""
    for name, place, written in _pairs(key, section):
        value = read(written, frame)
        if check(name, place, frame) and value is not None:
            yield Expected(key, name, value, written.text, written.place)


def _check_clock(name: str, place: Place, frame: Frame) -> bool:
    """The definition's deadlines, and `<step>.claim` and `<step>.due` of its tasks."""
    clocks = list(frame.definition.deadlines)
    for step_name, step in frame.definition.steps.items():
        if isinstance(step, HumanStep):
            clocks += [f"{step_name}.claim"] if step.claim_within else []
            clocks += [f"{step_name}.due"] if step.due else []
    return frame.findings.known("FX808", place, name, clocks, f"there is no clock '{name}'")


def _check_effect(name: str, place: Place, frame: Frame) -> bool:
    return frame.findings.known("FX204", place, name, EFFECTS, f"'{name}' is none of {', '.join(EFFECTS)}")


def _due(written: Written, frame: Frame) -> datetime | str | None:
    """A due date, counted from the opening, or the word for none."""
    return NOTHING if written.text == NOTHING else frame.instant(written, frame.opened_at)


def _clock_word(written: Written, frame: Frame) -> ClockWord | None:
    found = one_word(written, [*ClockWord], frame.findings)
    return None if found is None else ClockWord(found)


def _text(written: Written, _frame: Frame) -> str:
    return written.text


def _visits(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    for each in _by_name(key, section, frame, check_step, _text):
        if each.text.isascii() and each.text.isdigit():
            yield replace(each, value=int(each.text))
        else:
            frame.findings.add("FX205", each.place, f"'{each.name}' is a number of visits, written in digits")


def _tasks(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    """The open tasks and their teams, all of them."""
    node = section.tree.entries[key].value
    nothing = isinstance(node, Scalar) and node.text == NOTHING
    found: dict[str, str] = {}
    for step, place, team in () if nothing else _pairs(key, section):
        check_step(step, place, frame)
        if organisation := frame.catalog.organisation:
            frame.findings.known("FX303", team.place, team.text, organisation.teams, f"there is no team '{team.text}'")
        found[step] = team.text
    text = NOTHING if nothing else ", ".join(f"{step}: {team}" for step, team in sorted(found.items()))
    yield Expected(key, None, found, text, node.place)


def _answers(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    body = section.section(key)
    values = read_answers(body, frame.definition.fields, frame, strict=True)
    for entry in body.tree if body else ():
        yield Expected(key, entry.key, values[entry.key], str(plain(entry.value)), entry.value.place)


def _told(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    """A list of what was told since the last such list. Weekdays and times count from the entry before."""
    node = section.tree.entries[key].value
    nothing = isinstance(node, Scalar) and node.text == NOTHING
    since, found = frame.opened_at, []
    for item in () if nothing else section.items(key) or ():
        told, times = (_event(item, frame), 1) if isinstance(item, Scalar) else _entry(key, item, frame, since)
        if told is not None:
            since = told.at or since
            found += [told, *[replace(told, at=None)] * (times - 1)]
    yield Expected(key, None, tuple(found), "; ".join(each.text for each in found) or NOTHING, node.place)


def _event(node: Scalar, frame: Frame) -> Notice | None:
    event = one_word(node, [*NotifyEvent], frame.findings)
    return Notice(event, event=event) if event else None


def _entry(key: str, node: Mapping | Sequence, frame: Frame, since: datetime) -> tuple[Notice | None, int]:
    """One entry, and how often it comes; `at` is the instant of the first."""
    section = section_of(node, f"an entry of '{key}'", frame.findings)
    if section is None:
        return None, 1
    at = section.text("at")
    said = {name: found for name in ("role", "clock", "rung", "event") if (found := section.text(name))}
    facts = {name: each.text for name, each in said.items()}
    if clock := said.get("clock"):
        _check_clock(clock.text, clock.place, frame)
    if event := said.get("event"):
        one_word(event, [*NotifyEvent], frame.findings)
    times = section.number("times", whole=(1, 100))
    section.finish(f"an entry of '{key}'")
    text = " ".join([*([at.text] if at else []), *facts.values()])
    return Notice(text, frame.instant(at, since) if at else None, **facts), int(times or 1)


READERS: Final[dict[str, Reader]] = {
    "step": partial(_names, check=check_step),
    "status": partial(_word, kind=_Status),
    "closed": partial(_word, kind=CloseOutcome),
    "priority": partial(_word, kind=Priority),
    "waiting_as": _names,
    "on_hold": partial(_word, kind=_Switch),
    "attached": partial(_word, kind=_Switch),
    "duplicates": _count,
    "due": partial(_by_name, check=_check_clock, read=_due),
    "clocks": partial(_by_name, check=_check_clock, read=_clock_word),
    "overdue": partial(_names, check=_check_clock),
    "tasks": _tasks,
    "holders": partial(_by_name, check=check_step, read=_text),
    "visits": _visits,
    "answers": _answers,
    "escalations": _told,
    "notifications": _told,
    "effects": partial(_names, check=_check_effect),
}
"""Every key of `expect` and how its value is read."""
