"""Reads what a report must and may say, what it may repeat, and which reports are not taken.

Owns the keys of `intake` and `redirect`, and the rules that concern them. Must not import anything of Fixline but the
reading of sections and the model.
"""

from __future__ import annotations

import re
from enum import StrEnum

from fixline.catalog.forms import read_fields
from fixline.catalog.reading import Mapping
from fixline.catalog.shape import Section, section_of, word_of
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.model import (
    LARGEST_DISTANCE_M,
    Diversion,
    Duplicates,
    Intake,
    Outside,
    PhotoLimits,
    Redirect,
    WhenDuplicate,
    WhenNothingFound,
)

OF_REQUESTS = ("intake", "priority", "calendar", "deadlines", "start", "steps", "cancel", "holds", "reopen", "notify")
"""The keys that a type with `redirect` has not."""
_MOST_PHOTOS = 20
_DISTANCE = re.compile(r"(\d{1,6}(?:\.\d{1,2})?) (?:metres|metre|meters|meter|m)")
_PLACEHOLDER = Span.parse("30 calendar days")


class _Location(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class _OutsideWord(StrEnum):
    ACCEPT = "accept"


def read_intake(section: Section | None) -> Intake:
    """The intake; values that cannot be read are left out after their finding."""
    if section is None:
        return Intake()
    location = section.word("location", _Location) or _Location.REQUIRED
    questions = read_fields(section.section("questions"))
    photos = _read_photos(section.section("photos"))
    duplicates = _read_duplicates(section.section("duplicates"))
    outside = _read_outside(section)
    divert = _read_divert(section)
    section.finish("'intake'", ("contact", "description"))
    for key in ("duplicates", "outside"):
        if location is _Location.NONE and section.has(key):
            message = f"'{key}' compares places, and with 'location: none' a report has none"
            section.findings.add("FX220", section.key_place(key), message)
    return Intake(
        location=location.value,
        questions=questions,
        photos=photos,
        duplicates=duplicates,
        outside=outside,
        divert=divert,
    )


def read_redirect(section: Section | None) -> Redirect | None:
    """Whom to turn to, for a type that takes no requests."""
    if section is None:
        return None
    to, say = section.text("to", required=True), section.text("say", required=True)
    section.finish("'redirect'")
    return Redirect(to=to.text if to else "", say=say.text if say else "")


def _read_photos(body: Section | None) -> PhotoLimits:
    if body is None:
        return PhotoLimits()
    most = body.number("max", whole=(0, _MOST_PHOTOS))
    body.finish("'photos'", ("min", "required"))
    return PhotoLimits(max=int(most)) if most is not None else PhotoLimits()


def _read_duplicates(body: Section | None) -> Duplicates | None:
    if body is None:
        return None
    within = _read_distance(body)
    opened_in_last = body.span("opened_in_last", required=True)
    if opened_in_last is not None and opened_in_last.working:
        place = body.tree.entries["opened_in_last"].value.place
        message = f"'{opened_in_last}' is working time: say how many calendar days ago a report can have been made"
        body.findings.add("FX221", place, message)
    then = body.word("then", WhenDuplicate, required=True)
    nothing_found = body.word("when_nothing_found", WhenNothingFound)
    body.finish("'duplicates'", ("also", "score"))
    return Duplicates(
        within_m=within or 1.0,
        opened_in_last=opened_in_last or _PLACEHOLDER,
        then=then or WhenDuplicate.SUGGEST,
        when_nothing_found=nothing_found or WhenNothingFound.LOOK,
    )


def _read_distance(body: Section) -> float | None:
    found = body.text("within", required=True)
    if found is None:
        return None
    match = _DISTANCE.fullmatch(found.text)
    if match is None or not 0 < float(match[1]) <= LARGEST_DISTANCE_M:
        message = f"'within' is a distance of at most {LARGEST_DISTANCE_M:g} metres, such as '30 metres'"
        body.findings.add("FX218", found.place, message)
        return None
    return float(match[1])


def _read_outside(section: Section) -> Outside:
    """The word `accept`, or what to say."""
    found = section.entry("outside")
    if found is None:
        return Outside()
    if not isinstance(found.value, Mapping):
        written = section.text("outside")
        chosen = word_of(written, _OutsideWord, section.findings) if written else None
        return Outside(accept=chosen is _OutsideWord.ACCEPT)
    body = Section(found.value, section.findings, found.place)
    say = body.text("say", required=True)
    body.finish("'outside'")
    return Outside(say=say.text if say else None)


def _read_divert(section: Section) -> tuple[Diversion, ...]:
    found: list[Diversion] = []
    for item in section.items("divert") or ():
        body = section_of(item, "an entry of 'divert'", section.findings)
        if body is None:
            continue
        when, to, say = (body.text(key, required=True) for key in ("when", "to", "say"))
        body.finish("an entry of 'divert'")
        if when and to and say:
            found.append(Diversion(when=when.text, to=to.text, say=say.text))
    return tuple(found)
