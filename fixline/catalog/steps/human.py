"""Reads the steps that people carry out: dispatch, inspection, task."""

from __future__ import annotations

from typing import Literal, cast

from fixline.catalog.forms import read_fields
from fixline.catalog.reading import Scalar
from fixline.catalog.shape import NAME, Section, check_name, section_of, text_of
from fixline.catalog.steps.kinds import HUMAN_KINDS, LATER_KEYS
from fixline.domain.steps import RESERVED_OUTCOMES, HumanStep, TeamByArea, TeamChoice


def read_human(section: Section) -> HumanStep:
    """A step that people carry out."""
    kind = next(key for key in HUMAN_KINDS if section.has(key))
    title = section.text(kind, required=True)
    then = _read_then(section)
    step = HumanStep(
        kind=cast(Literal["dispatch", "inspection", "task"], kind),
        title=title.text if title else "",
        team=_read_team(section) or "",
        claim_within=section.span("claim_within"),
        due=section.span("due"),
        form=read_fields(section.section("form"), outcomes=frozenset(then or {})),
        then=then or {},
    )
    section.finish(f"a step of kind {kind}", LATER_KEYS)
    return step


def _read_then(section: Section) -> dict[str, str] | None:
    """Each outcome with its step; None after a finding that leaves no way on."""
    body = section.section("then", required=True)
    if body is None:
        return None
    if not body.tree.entries:
        section.findings.add("FX406", section.key_place("then"), "'then' is empty: name each outcome and its step")
    found: dict[str, str] = {}
    for entry in body.tree:
        if entry.key in RESERVED_OUTCOMES:
            message = f"'{entry.key}' is no outcome that people can give here: use another name"
            section.findings.add("FX405", entry.place, message)
        else:
            check_name(entry.key, entry.place, NAME, section.findings)
        target = text_of(entry.value, f"the step after '{entry.key}'", section.findings)
        if target is not None:
            found[entry.key] = target.text
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
