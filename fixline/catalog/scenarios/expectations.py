"""Reads what a scenario expects: each key of `expect` with the kind of value that it has.

Owns the keys of `expect`. What they are compared with is `fixline.rehearsal.look`'s. Must not import anything of
Fixline but the reading of sections and the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from fixline.catalog.findings import Place
from fixline.catalog.scenarios.frame import Frame, check_step, plain, read_answers
from fixline.catalog.scenarios.model import Expected, Notice
from fixline.catalog.shape import Section, Written, nearest, section_of, text_of, word_of
from fixline.catalog.tree import Mapping, Scalar, Sequence
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent, Priority
from fixline.domain.process.effects import EFFECTS
from fixline.domain.process.kinds.human import HumanStep

NOTHING = "none"
CLAIM, DUE = "claim", "due"


class Status(StrEnum):
    """Open or closed."""

    OPEN = "open"
    CLOSED = "closed"


class ClockWord(StrEnum):
    """What a clock has come to: overdue is breached and not met, met_late is met after its breach."""

    RUNNING = "running"
    PAUSED = "paused"
    OVERDUE = "overdue"
    MET = "met"
    MET_LATE = "met_late"
    ENDED = "ended"


class _Switch(StrEnum):
    TRUE = "true"
    FALSE = "false"


Reader = Callable[[str, Section, Frame], Iterator[Expected]]


def read_expectations(section: Section | None, frame: Frame) -> tuple[Expected, ...]:
    """Everything that a section `expect` asks for."""
    if section is None:
        return ()
    found = [each for key in section.written(READERS) for each in READERS[key](key, section, frame)]
    section.finish("'expect'")
    if not section.tree.entries:
        frame.findings.add("FX810", section.owner, f"nothing is expected: there are {', '.join(READERS)}")
    return tuple(found)


def _word(kind: type[StrEnum]) -> Reader:
    def read(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
        written = section.text(key)
        word = word_of(written, kind, frame.findings) if written else None
        if written and word is not None:
            yield Expected(key, None, word.value, word.value, written.place)

    return read


def _names(key: str, section: Section, _frame: Frame) -> Iterator[Expected]:
    """One name or a list of them, in any order."""
    node = section.tree.entries[key].value
    if isinstance(node, Sequence):
        names = tuple(each.text for each in section.texts(key))
    else:
        one = section.text(key)
        names = () if one is None or one.text == NOTHING else (one.text,)
    yield Expected(key, None, frozenset(names), ", ".join(sorted(names)) or NOTHING, node.place)


def _steps(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    for each in _names(key, section, frame):
        for name in sorted(each.value):
            check_step(name, each.place, frame)
        yield each


def _clock_names(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    for each in _names(key, section, frame):
        for name in sorted(each.value):
            _check_clock(name, each.place, frame)
        yield each


def _check_clock(name: str, place: Place, frame: Frame) -> bool:
    clocks = clock_names(frame)
    if name in clocks:
        return True
    message = f"there is no clock '{name}'{nearest(name, clocks)}"
    frame.findings.add("FX808", place, message)
    return False


def clock_names(frame: Frame) -> list[str]:
    """The definition's deadlines, and `<step>.claim` and `<step>.due` of its tasks."""
    found = list(frame.definition.deadlines)
    for name, step in frame.definition.steps.items():
        if isinstance(step, HumanStep):
            found += [f"{name}.{CLAIM}"] if step.claim_within else []
            found += [f"{name}.{DUE}"] if step.due else []
    return found


def _pairs(key: str, section: Section) -> Iterator[tuple[Written, str, Place]]:
    """The names below a key, each with its text."""
    body = section.section(key)
    for entry in body.tree if body else ():
        value = text_of(entry.value, f"'{entry.key}'", section.findings)
        if value is not None:
            yield value, entry.key, entry.place


def _clock_words(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    for value, name, place in _pairs(key, section):
        word = word_of(value, ClockWord, frame.findings)
        if _check_clock(name, place, frame) and word is not None:
            yield Expected(key, name, word.value, word.value, value.place)


def _due(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    """Due dates, counted from the opening."""
    for value, name, place in _pairs(key, section):
        at = None if value.text == NOTHING else frame.instant(value, frame.opened_at)
        if _check_clock(name, place, frame) and (at is not None or value.text == NOTHING):
            yield Expected(key, name, at, value.text, value.place)


def _tasks(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    """The open tasks and their teams, all of them."""
    node = section.tree.entries[key].value
    if isinstance(node, Scalar) and node.text == NOTHING:
        yield Expected(key, None, {}, NOTHING, node.place)
        return
    found = {}
    for team, step, place in _pairs(key, section):
        check_step(step, place, frame)
        if frame.organisation is not None and team.text not in frame.organisation.teams:
            message = f"there is no team '{team.text}'{nearest(team.text, frame.organisation.teams)}"
            frame.findings.add("FX303", team.place, message)
        found[step] = team.text
    yield Expected(key, None, found, ", ".join(f"{step}: {team}" for step, team in sorted(found.items())), node.place)


def _by_step(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    for value, step, place in _pairs(key, section):
        if check_step(step, place, frame):
            yield Expected(key, step, value.text, value.text, value.place)


def _counts(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    for each in _by_step(key, section, frame):
        if each.text.isascii() and each.text.isdigit():
            yield Expected(key, each.name, int(each.text), each.text, each.place)
        else:
            frame.findings.add("FX205", each.place, f"'{each.name}' is a number of visits, written in digits")


def _count(key: str, section: Section, _frame: Frame) -> Iterator[Expected]:
    found, written = section.number(key, whole=(0, 1000)), section.text(key)
    if found is not None and written is not None:
        yield Expected(key, None, int(found), written.text, written.place)


def _answers(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    body = section.section(key)
    values = read_answers(body, frame.definition.fields, frame.findings, strict=True)
    for entry in body.tree if body else ():
        yield Expected(key, entry.key, values[entry.key], str(plain(entry.value)), entry.value.place)


def _effects(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    kinds = tuple(EFFECTS)
    for each in _names(key, section, frame):
        for name in sorted(each.value):
            if name not in kinds:
                frame.findings.add("FX204", each.place, f"'{name}' is none of {', '.join(kinds)}{nearest(name, kinds)}")
        yield each


def _told(key: str, section: Section, frame: Frame) -> Iterator[Expected]:
    """A list of what was told since the last such list. Weekdays and times count from the entry before."""
    node = section.tree.entries[key].value
    if isinstance(node, Scalar) and node.text == NOTHING:
        yield Expected(key, None, (), NOTHING, node.place)
        return
    since, found = frame.opened_at, []
    for item in section.items(key) or ():
        told, times = (_event(item, frame), 1) if isinstance(item, Scalar) else _entry(key, item, frame, since)
        if told is not None:
            since = told.at or since
            found += [told, *[replace(told, at=None)] * (times - 1)]
    yield Expected(key, None, tuple(found), "; ".join(each.text for each in found) or NOTHING, node.place)


def _event(node: Scalar, frame: Frame) -> Notice | None:
    event = word_of(Written(node.text, node), NotifyEvent, frame.findings)
    return Notice(event.value, event=event.value) if event else None


def _entry(key: str, node: Mapping | Sequence, frame: Frame, since: datetime) -> tuple[Notice | None, int]:
    """One entry, and how often it comes; `at` is the instant of the first."""
    section = section_of(node, f"an entry of '{key}'", frame.findings)
    if section is None:
        return None, 1
    at, clock = section.text("at"), section.text("clock")
    role, rung, event = section.text("role"), section.text("rung"), section.word("event", NotifyEvent)
    moment = frame.instant(at, since) if at else None
    if clock is not None:
        _check_clock(clock.text, clock.place, frame)
    times = section.number("times", whole=(1, 100))
    section.finish(f"an entry of '{key}'")
    parts = [each.text for each in (at, role, clock, rung) if each] + ([event.value] if event else [])
    told = Notice(
        " ".join(parts),
        moment,
        role=role.text if role else None,
        clock=clock.text if clock else None,
        rung=rung.text if rung else None,
        event=event.value if event else None,
    )
    return told, int(times or 1)


READERS: Final[dict[str, Reader]] = {
    "step": _steps,
    "status": _word(Status),
    "closed": _word(CloseOutcome),
    "priority": _word(Priority),
    "waiting_as": _names,
    "on_hold": _word(_Switch),
    "attached": _word(_Switch),
    "duplicates": _count,
    "due": _due,
    "clocks": _clock_words,
    "overdue": _clock_names,
    "tasks": _tasks,
    "holders": _by_step,
    "visits": _counts,
    "answers": _answers,
    "escalations": _told,
    "notifications": _told,
    "effects": _effects,
}
"""Every key of `expect` and how its value is read."""
