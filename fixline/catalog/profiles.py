"""Reads the profile of a simulation: when requests arrive, how large crews are, how long work takes, its outcomes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from fixline.catalog.catalog import Catalog, read_file
from fixline.catalog.findings import Finding, Findings
from fixline.catalog.grammar import Grammar, of_section
from fixline.catalog.shape import Section, section_of, text_of
from fixline.catalog.tree import Entry
from fixline.domain.deadlines.calendar import WEEKDAYS, Span
from fixline.domain.definition.fields import Part
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.process.kinds import AgencyStep, CallStep, FollowOnStep, HumanStep, WaitStep

LARGEST_WEIGHT = 1_000_000
_TAKING_TIME = HumanStep | WaitStep | AgencyStep | FollowOnStep | CallStep
_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")
_WEIGHT = re.compile(r"\d{1,7}(?:\.\d{1,6})?")


class Storm(Part):
    """A time with more reports: from which day of the simulation (1 is the first), for how many days, how many times
    as many."""

    day: int = Field(1, ge=1, le=3640)
    lasts: int = Field(1, ge=1, le=60)
    times: int = Field(5, ge=2, le=100)


class StepProfile(Part):
    """How long a step's work takes, and the weights of what it comes to; `otherwise` is shared by those not named."""

    takes: Span | None = None
    outcomes: dict[str, float] = Field(default_factory=dict)


class Profile(Part):
    """A simulation's profile. `days` are weights from Monday to Sunday, `hours` those of the 24 hours of a day."""

    weeks: int = Field(52, ge=1, le=520)
    days: tuple[float, ...] = (18, 17, 17, 17, 16, 8, 7)
    hours: tuple[float, ...] = (0.5,) * 6 + (4, 6, 8) + (7,) * 8 + (4,) * 4 + (2,) * 3
    storm: Storm | None = None
    crews: dict[str, int] = Field(default_factory=dict)
    steps: dict[tuple[str, str], StepProfile] = Field(default_factory=dict)


def read_profile(path: Path, catalog: Catalog) -> tuple[Profile, tuple[Finding, ...]]:
    """A profile file against the definitions that it speaks of; with findings it is not to be used. Never raises."""
    findings = Findings(str(path))
    tree = read_file(path, findings)
    teams = catalog.organisation.teams if catalog.organisation else {}
    grammar = Grammar(
        Profile,
        "a profile",
        {
            "days": of_section(_read_days),
            "hours": of_section(_read_hours),
            "storm": Grammar(Storm, "'storm'").below(),
            "crews": of_section(lambda body, _: _read_crews(body, teams)),
            "steps": replace(of_section(lambda body, _: _read_types(body, catalog.definitions)), name="types"),
        },
    )
    profile = Profile() if tree is None else grammar.made(Section(tree, findings))
    return profile, findings.sorted()


def _weight(entry: Entry, findings: Findings) -> float:
    written = text_of(entry.value, f"'{entry.key}'", findings)
    if written is None:
        return 0
    if not _WEIGHT.fullmatch(written.text):
        findings.add("FX831", written.place, f"'{entry.key}' is a share: a number from 0 to {LARGEST_WEIGHT:,}")
        return 0
    return float(written.text)


def _read_days(body: Section, _: Section) -> tuple[float, ...] | None:
    entries = [body.entry(day) for day in WEEKDAYS]
    body.finish("'days'")
    return _some(tuple(_weight(entry, body.findings) if entry else 0.0 for entry in entries), body)


def _read_hours(body: Section, _: Section) -> tuple[float, ...] | None:
    """Weights of parts of the day, such as 09-17: 60, shared by the hours in each."""
    hours, before = [0.0] * 24, len(body.findings)
    for entry in body.tree:
        part = _HOURS.fullmatch(entry.key)
        first, last = (int(part[1]), int(part[2])) if part else (0, 0)
        if not 0 <= first < last <= 24:
            message = f"'{entry.key}' is no part of a day: write for example 09-17, up to 24"
            body.findings.add("FX831", entry.place, message)
            continue
        for hour in range(first, last):
            hours[hour] += _weight(entry, body.findings) / (last - first)
    return _some(tuple(hours), body) if len(body.findings) == before else None


def _some(weights: tuple[float, ...], section: Section) -> tuple[float, ...] | None:
    if not any(weights):
        section.add("FX831", "all shares are 0: nothing would ever arrive")
        return None
    return weights


def _read_crews(body: Section, teams: Collection[str]) -> dict[str, int]:
    known = [entry.key for entry in body.tree if _is_known(entry, body.findings, "team", teams)]
    return {team: int(body.number(team, whole=(1, 10_000)) or 1) for team in known}


def _read_types(section: Section, definitions: Mapping[str, Definition]) -> dict[tuple[str, str], StepProfile]:
    found: dict[tuple[str, str], StepProfile] = {}
    for entry in section.tree:
        if not _is_known(entry, section.findings, "type", definitions):
            continue
        body = section_of(entry.value, f"'{entry.key}'", section.findings, entry.place)
        if body is not None:
            steps = body.section("steps", required=True)
            for step in steps.tree if steps is not None else ():
                found |= _read_step(step, definitions[entry.key], body.findings)
            body.finish("a type of a profile")
    return found


def _read_step(entry: Entry, definition: Definition, findings: Findings) -> dict[tuple[str, str], StepProfile]:
    steps = {name: step for name, step in definition.steps.items() if isinstance(step, _TAKING_TIME)}
    if not _is_known(entry, findings, "step that takes time", steps):
        return {}
    body, then = section_of(entry.value, f"'{entry.key}'", findings, entry.place), steps[entry.key].then
    if body is None:
        return {}
    outcomes = of_section(lambda shares, _: _read_outcomes(shares, then))
    step = Grammar(StepProfile, "a step of a profile", {"outcomes": outcomes}).made(body)
    return {(definition.type, entry.key): step}


def _read_outcomes(body: Section, then: Collection[str]) -> dict[str, float]:
    for entry in body.tree:
        if entry.key != OTHERWISE:
            _is_known(entry, body.findings, "outcome", then)
    found = {entry.key: _weight(entry, body.findings) for entry in body.tree}
    if not any(found.values()):
        body.add("FX831", "all shares are 0: it would come to nothing")
    return found


def _is_known(entry: Entry, findings: Findings, what: str, names: Collection[str]) -> bool:
    return findings.known("FX830", entry.place, entry.key, names, f"there is no {what} '{entry.key}'")
