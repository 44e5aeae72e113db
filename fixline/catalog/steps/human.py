"""Steps that people carry out: dispatch, inspection, task."""

from __future__ import annotations

import re
from dataclasses import replace

from fixline.catalog.forms import FIELD
from fixline.catalog.grammar import TEXT, Grammar, Values, either, of_section, of_text, reference
from fixline.catalog.shape import KEY, Section, Written
from fixline.catalog.steps.kinds import HUMAN_KINDS, outcomes_shape, read_outcomes
from fixline.domain.definition.conditions import RESERVED_NAMES
from fixline.domain.definition.vocabulary import NOT_SAMPLED
from fixline.domain.process.kinds.human import HumanStep, TeamByArea

LARGEST_SHARE = 99
FEWEST_VISITS, MOST_VISITS = 2, 100
PERCENT_SHAPE = {"type": "string", "pattern": r"^[1-9]\d?%$", "examples": ["10%", "75%"]}
_VISITS_SHAPE = {"type": "string", "pattern": r"^([2-9]|[1-9]\d|100) visits$", "examples": ["3 visits"]}
_SHARE = re.compile(r"(\d{1,3})%")
_VISITS = re.compile(r"(\d{1,4}) visits")
_WITH_SAMPLE = "Each outcome and the step that follows; not_sampled exactly when there is a sample."
_SAMPLED = {
    "if": {"required": ["sample"]},
    "then": {"properties": {"then": {"description": _WITH_SAMPLE, "required": [NOT_SAMPLED], "minProperties": 2}}},
    "else": {"properties": {"then": {"description": _WITH_SAMPLE, "not": {"required": [NOT_SAMPLED]}}}},
}


def _kind_of(section: Section) -> str:
    return next(key for key in HUMAN_KINDS if section.has(key))


def _read_sample(written: Written, section: Section) -> int | None:
    if (kind := _kind_of(section)) != "inspection":
        section.add("FX416", f"a {kind} is done every time: 'sample' stands in inspections", "sample")
    share = _SHARE.fullmatch(written.text)
    if share is not None and 1 <= int(share[1]) <= LARGEST_SHARE:
        return int(share[1])
    section.findings.add("FX417", written.place, f"'sample' is a share from 1% to {LARGEST_SHARE}%, such as 10%")
    return None


def _read_visits(written: Written, section: Section) -> int | None:
    visits = _VISITS.fullmatch(written.text)
    if visits is not None and FEWEST_VISITS <= int(visits[1]) <= MOST_VISITS:
        return int(visits[1])
    message = f"'warn_after' is a number of visits from {FEWEST_VISITS} to {MOST_VISITS}, such as '3 visits'"
    section.findings.add("FX418", written.place, message)
    return None


def _read_then(body: Section, section: Section) -> dict[str, str]:
    if not body.tree.entries.keys() - {NOT_SAMPLED}:
        section.add("FX406", "'then' is empty: name each outcome and its step", "then")
    sampled = section.has("sample")
    found = read_outcomes(body, [NOT_SAMPLED] if sampled else [], "is no outcome that people can give here")
    if sampled and section.has("inspection") and NOT_SAMPLED not in body.tree.entries:
        section.add("FX406", f"'{NOT_SAMPLED}' leads nowhere: name the step that follows it", "then")
    return found


def _check_human(section: Section, found: Values) -> None:
    """Fields are required for outcomes that there are."""
    outcomes = found.get("then", {}).keys() - {NOT_SAMPLED}
    _kind_of(section)  # the kinds that were looked for are words that a misspelt key may have meant
    fits = all(outcomes >= {*field.required_for} for field in found.get("form", {}).values())
    form = None if fits else section.section("form")
    for _, body in form.named() if form is not None else ():
        for named in body.texts("required_for"):
            message = f"'{named.text}' is no outcome of this step"
            section.findings.known("FX215", named.place, named.text, outcomes, message)


_BY_AREA = Grammar(
    TeamByArea,
    "a team chosen by area",
    {"by": reference(KEY), "as_": replace(TEXT, shape={"type": "string", "pattern": r"\{[a-z0-9_-]+\}"})},
    needs={"by", "as_", "elsewhere"},
).below()


def _human(kind: str) -> Grammar[HumanStep]:
    inspection = kind == "inspection"
    return Grammar(
        HumanStep,
        f"a step of kind {kind}",
        {
            "title": replace(TEXT, name=kind),
            "team": either(reference(KEY), _BY_AREA, _BY_AREA),
            "form": FIELD.named(reserved=RESERVED_NAMES),
            "sample": of_text(_read_sample, PERCENT_SHAPE if inspection else None),
            "warn_after": of_text(_read_visits, _VISITS_SHAPE),
            "then": of_section(_read_then, outcomes_shape([NOT_SAMPLED] if inspection else []), {}),
        },
        check=_check_human,
        beside=_SAMPLED if inspection else {},
    )


HUMAN = {kind: _human(kind) for kind in HUMAN_KINDS}
