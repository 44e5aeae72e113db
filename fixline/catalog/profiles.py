"""Reads the profile of a simulation: when requests arrive, how large crews are, how long work takes, its outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fixline.catalog.catalog import Catalog, read_file
from fixline.catalog.findings import Finding, Findings
from fixline.catalog.shape import Section, nearest, section_of, text_of
from fixline.catalog.tree import Entry
from fixline.domain.deadlines.calendar import WEEKDAYS, Span
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.process.kinds import AgencyStep, CallStep, FollowOnStep, HumanStep, WaitStep

LARGEST_WEIGHT = 1_000_000
_TAKING_TIME = HumanStep | WaitStep | AgencyStep | FollowOnStep | CallStep
_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")
_WEIGHT = re.compile(r"\d{1,7}(?:\.\d{1,6})?")


@dataclass(frozen=True)
class Storm:
    """A time with more reports: from which day of the simulation (1 is the first), for how many days, how many times
    as many."""

    day: int
    lasts: int
    times: int


@dataclass(frozen=True)
class StepProfile:
    """How long a step's work takes, and the weights of what it comes to; `otherwise` is shared by those not named."""

    takes: Span | None = None
    outcomes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """A simulation's profile. `days` are weights from Monday to Sunday, `hours` those of the 24 hours of a day."""

    weeks: int = 52
    days: tuple[float, ...] = (18, 17, 17, 17, 16, 8, 7)
    hours: tuple[float, ...] = (0.5,) * 6 + (4, 6, 8) + (7,) * 8 + (4,) * 4 + (2,) * 3
    storm: Storm | None = None
    crews: dict[str, int] = field(default_factory=dict)
    steps: dict[tuple[str, str], StepProfile] = field(default_factory=dict)


def read_profile(path: Path, catalog: Catalog) -> tuple[Profile, tuple[Finding, ...]]:
    """A profile file against the definitions that it speaks of; with findings it is not to be used. Never raises."""
    findings = Findings(str(path))
    tree = read_file(path, findings)
    if tree is None:
        return Profile(), findings.sorted()
    section = Section(tree, findings)
    usual = Profile()
    profile = Profile(
        weeks=int(section.number("weeks", whole=(1, 520)) or usual.weeks),
        days=_days(section.section("days")) or usual.days,
        hours=_hours(section.section("hours")) or usual.hours,
        storm=_storm(section.section("storm")),
        crews=_crews(section.section("crews"), catalog),
        steps=_types(section.section("types"), catalog),
    )
    section.finish("a profile")
    return profile, findings.sorted()


def _weight(entry: Entry, findings: Findings) -> float:
    written = text_of(entry.value, f"'{entry.key}'", findings)
    if written is None:
        return 0
    if not _WEIGHT.fullmatch(written.text):
        findings.add("FX831", written.place, f"'{entry.key}' is a share: a number from 0 to {LARGEST_WEIGHT:,}")
        return 0
    return float(written.text)


def _days(section: Section | None) -> tuple[float, ...]:
    if section is None:
        return ()
    entries = {day: section.entry(day) for day in WEEKDAYS}
    section.finish("'days'")
    found = tuple(_weight(entry, section.findings) if entry else 0.0 for entry in entries.values())
    return _some(found, section)


def _hours(section: Section | None) -> tuple[float, ...]:
    """Weights of parts of the day, such as 09-17: 60, shared by the hours in each."""
    if section is None:
        return ()
    hours, before = [0.0] * 24, len(section.findings)
    for entry in section.tree:
        part = _HOURS.fullmatch(entry.key)
        first, last = (int(part[1]), int(part[2])) if part else (0, 0)
        if not 0 <= first < last <= 24:
            message = f"'{entry.key}' is no part of a day: write for example 09-17, up to 24"
            section.findings.add("FX831", entry.place, message)
            continue
        for hour in range(first, last):
            hours[hour] += _weight(entry, section.findings) / (last - first)
    return _some(tuple(hours), section) if len(section.findings) == before else ()


def _some(weights: tuple[float, ...], section: Section) -> tuple[float, ...]:
    if not any(weights):
        section.findings.add("FX831", section.owner, "all shares are 0: nothing would ever arrive")
        return ()
    return weights


def _storm(section: Section | None) -> Storm | None:
    if section is None:
        return None
    day, lasts = section.number("day", whole=(1, 3640)), section.number("lasts", whole=(1, 60))
    times = section.number("times", whole=(2, 100))
    section.finish("'storm'")
    return Storm(int(day or 1), int(lasts or 1), int(times or 5))


def _crews(section: Section | None, catalog: Catalog) -> dict[str, int]:
    found: dict[str, int] = {}
    teams = catalog.organisation.teams if catalog.organisation else {}
    for body, entry in _entries(section):
        if entry.key in teams:
            found[entry.key] = int(body.number(entry.key, whole=(1, 10_000)) or 1)
        else:
            _unknown(body, entry, "team", teams)
    return found


def _types(section: Section | None, catalog: Catalog) -> dict[tuple[str, str], StepProfile]:
    found: dict[tuple[str, str], StepProfile] = {}
    for types, entry in _entries(section):
        definition = catalog.definitions.get(entry.key)
        if definition is None:
            _unknown(types, entry, "type", catalog.definitions)
        elif (body := section_of(entry.value, f"'{entry.key}'", types.findings, entry.place)) is not None:
            for steps, step in _entries(body.section("steps", required=True)):
                found |= _step(step, definition, steps)
            body.finish("a type of a profile")
    return found


def _entries(section: Section | None) -> Iterator[tuple[Section, Entry]]:
    """Each entry of a section, with the section; none of one that is not written."""
    if section is not None:
        yield from ((section, entry) for entry in section.tree)


def _step(entry: Entry, definition: Definition, steps: Section) -> dict[tuple[str, str], StepProfile]:
    step = definition.steps.get(entry.key)
    if not isinstance(step, _TAKING_TIME):
        names = [name for name, each in definition.steps.items() if isinstance(each, _TAKING_TIME)]
        _unknown(steps, entry, "step that takes time", names)
        return {}
    body = section_of(entry.value, f"'{entry.key}'", steps.findings, entry.place)
    if body is None:
        return {}
    takes = body.span("takes")
    outcomes: dict[str, float] = {}
    listed = body.section("outcomes")
    for shares, outcome in _entries(listed):
        if outcome.key not in {*step.then, OTHERWISE}:
            _unknown(shares, outcome, "outcome", step.then)
        outcomes[outcome.key] = _weight(outcome, steps.findings)
    body.finish("a step of a profile")
    if listed is not None and not any(outcomes.values()):
        steps.findings.add("FX831", listed.owner, "all shares are 0: it would come to nothing")
    return {(definition.type, entry.key): StepProfile(takes, outcomes)}


def _unknown(section: Section, entry: Entry, what: str, names: Iterable[str]) -> None:
    section.findings.add("FX830", entry.place, f"there is no {what} '{entry.key}'{nearest(entry.key, names)}")
