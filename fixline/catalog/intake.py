"""How `intake` and `redirect` are written: what a report must and may say, what it may repeat, which are not taken."""

from __future__ import annotations

import re
from dataclasses import replace

from fixline.catalog.forms import QUESTION
from fixline.catalog.grammar import CONDITION, PLACEHOLDER, TEXT, Grammar, Values, either, of_text, word
from fixline.catalog.shape import Section, Written, one_word, span_of
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition import model
from fixline.domain.definition.conditions import RESERVED_NAMES

_DISTANCE = re.compile(r"(\d{1,6}(?:\.\d{1,2})?) (?:metres|metre|meters|meter|m)")
_DISTANCE_SHAPE = {
    "type": "string",
    "pattern": r"^(1000|\d{1,3}(\.\d{1,2})?) (metres?|meters?|m)$",
    "examples": ["30 metres"],
}
_CALENDAR_SPAN_SHAPE = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d{1,2})? ?calendar +(minute|hour|day)s?\s*$",
    "examples": ["30 calendar days"],
}


def _read_distance(written: Written, body: Section) -> float | None:
    match = _DISTANCE.fullmatch(written.text)
    if match is None or not 0 < float(match[1]) <= model.LARGEST_DISTANCE_M:
        message = f"'within' is a distance of at most {model.LARGEST_DISTANCE_M:g} metres, such as '30 metres'"
        body.findings.add("FX218", written.place, message)
        return None
    return float(match[1])


def _read_calendar_span(written: Written, body: Section) -> Span | None:
    span = span_of(written, body.findings)
    if span is not None and span.working:
        message = f"'{span}' is working time: say how many calendar days ago a report can have been made"
        body.findings.add("FX221", written.place, message)
    return span


def _read_accept(written: Written, section: Section) -> model.Outside:
    return model.Outside(accept=one_word(written, ["accept"], section.findings) is not None)


def _check_places(section: Section, found: Values) -> None:
    for key in ("duplicates", "outside"):
        if found.get("location") == "none" and section.has(key):
            section.add("FX220", f"'{key}' compares places, and with 'location: none' a report has none", key)


_DUPLICATES = Grammar(
    model.Duplicates,
    "'duplicates'",
    {
        "within_m": replace(of_text(_read_distance, _DISTANCE_SHAPE, 1.0), name="within"),
        "opened_in_last": of_text(_read_calendar_span, _CALENDAR_SPAN_SHAPE, PLACEHOLDER),
        "then": replace(word(model.WhenDuplicate), required=True),
    },
    later=("also", "score"),
)
_OUTSIDE = Grammar(model.Outside, "'outside'", {"accept": None, "say": replace(TEXT, required=True)})
_ACCEPT = of_text(_read_accept, {"enum": ["accept"]})
INTAKE = Grammar(
    model.Intake,
    "'intake'",
    {
        "questions": QUESTION.named(reserved=RESERVED_NAMES),
        "photos": Grammar(model.PhotoLimits, "'photos'", later=("min", "required")).below(),
        "duplicates": _DUPLICATES.below(),
        "outside": either(_ACCEPT, replace(_OUTSIDE.below(), shape=_OUTSIDE.keys), _ACCEPT),
        "divert": Grammar(model.Diversion, "an entry of 'divert'", {"when": CONDITION}).listed("an entry of 'divert'"),
    },
    later=("contact", "description"),
    check=_check_places,
    beside={
        "if": {"properties": {"location": {"const": "none"}}, "required": ["location"]},
        "then": {"not": {"anyOf": [{"required": ["duplicates"]}, {"required": ["outside"]}]}},
    },
)
REDIRECT = Grammar(model.Redirect, "'redirect'")
