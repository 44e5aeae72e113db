"""Reads the steps that people carry out: dispatch, inspection, task."""

from __future__ import annotations

import re
from typing import Literal, cast

from fixline.catalog.forms import read_fields
from fixline.catalog.reading import Scalar
from fixline.catalog.shape import NAME, Section, check_name, section_of, text_of
from fixline.catalog.steps.kinds import HUMAN_KINDS
from fixline.domain.definition.vocabulary import NOT_SAMPLED, RESERVED_OUTCOMES
from fixline.domain.process.kinds.human import HumanStep, TeamByArea, TeamChoice

LARGEST_SHARE = 99
FEWEST_VISITS, MOST_VISITS = 2, 100
_SHARE = re.compile(r"(\d{1,3})%")
_VISITS = re.compile(r"(\d{1,4}) visits")


def read_human(section: Section) -> HumanStep:
    """A step that people carry out."""
    kind = next(key for key in HUMAN_KINDS if section.has(key))
    title = section.text(kind, required=True)
    sample = _read_sample(section, kind)
    then = _read_then(section, sampled=section.has("sample"))
    step = HumanStep(
        kind=cast(Literal["dispatch", "inspection", "task"], kind),
        title=title.text if title else "",
        team=_read_team(section) or "",
        claim_within=section.span("claim_within"),
        due=section.span("due"),
        form=read_fields(section.section("form"), outcomes=frozenset(then or {}) - {NOT_SAMPLED}),
        sample=sample,
        warn_after=_read_visits(section),
        then=then or {},
    )
    section.finish(f"a step of kind {kind}")
    return step


def _read_sample(section: Section, kind: str) -> int | None:
    """The share that is inspected, in per cent."""
    written = section.text("sample")
    if written is None:
        return None
    if kind != "inspection":
        message = f"a {kind} is done every time: 'sample' stands in inspections"
        section.findings.add("FX416", section.key_place("sample"), message)
    share = _SHARE.fullmatch(written.text)
    if share is None or not 1 <= int(share[1]) <= LARGEST_SHARE:
        section.findings.add("FX417", written.place, f"'sample' is a share from 1% to {LARGEST_SHARE}%, such as 10%")
        return None
    return int(share[1])


def _read_visits(section: Section) -> int | None:
    """The visit at which the supervisor is told."""
    written = section.text("warn_after")
    if written is None:
        return None
    visits = _VISITS.fullmatch(written.text)
    if visits is None or not FEWEST_VISITS <= int(visits[1]) <= MOST_VISITS:
        message = f"'warn_after' is a number of visits from {FEWEST_VISITS} to {MOST_VISITS}, such as '3 visits'"
        section.findings.add("FX418", written.place, message)
        return None
    return int(visits[1])


def _read_then(section: Section, *, sampled: bool) -> dict[str, str] | None:
    """Each outcome with its step; None after a finding that leaves no way on."""
    body = section.section("then", required=True)
    if body is None:
        return None
    if not body.tree.entries.keys() - {NOT_SAMPLED}:
        section.findings.add("FX406", section.key_place("then"), "'then' is empty: name each outcome and its step")
    found: dict[str, str] = {}
    for entry in body.tree:
        if entry.key in RESERVED_OUTCOMES and not (sampled and entry.key == NOT_SAMPLED):
            message = f"'{entry.key}' is no outcome that people can give here: use another name"
            section.findings.add("FX405", entry.place, message)
        else:
            check_name(entry.key, entry.place, NAME, section.findings)
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            found[entry.key] = target.text
    if sampled and section.has("inspection") and NOT_SAMPLED not in body.tree.entries:
        message = f"'{NOT_SAMPLED}' leads nowhere: name the step that follows it"
        section.findings.add("FX406", section.key_place("then"), message)
    return found


def _read_team(section: Section) -> TeamChoice | None:
    found = section.entry("team", required=True)
    if found is None:
        return None
    if isinstance(found.value, Scalar):
        name = text_of(found.value, "'team'", section.findings)
        return name.text if name else None
    body = section_of(found.value, "'team'", section.findings, found.place)
    if body is None:
        return None
    layer, pattern = body.text("by", required=True), body.text("as", required=True)
    elsewhere = body.text("elsewhere", required=True)
    body.finish("a team chosen by area")
    if layer is None or pattern is None or elsewhere is None:
        return None
    return TeamByArea.model_validate({"by": layer.text, "as": pattern.text, "elsewhere": elsewhere.text})
