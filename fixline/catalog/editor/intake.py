"""The intake as it is written, and what a type needs that takes requests.

Owns the written form of `intake` and the keys that exclude each other. Must not import anything of Fixline but the
shapes, the words of steps and the model.
"""

from __future__ import annotations

from fixline.catalog.editor.shapes import CONDITION, TEXT, Shape, described, listed, of_model, section, words
from fixline.catalog.editor.steps import form_schema
from fixline.catalog.intake import OF_REQUESTS
from fixline.domain.definition.model import Diversion, Duplicates, Intake, Outside

NEEDED = ("type", "title", "department")
NEEDED_FOR_REQUESTS = ("priority", "calendar", "start", "steps")
_DISTANCE: Shape = {
    "type": "string",
    "pattern": r"^(1000|\d{1,3}(\.\d{1,2})?) (metres?|meters?|m)$",
    "examples": ["30 metres"],
}
_CALENDAR_SPAN: Shape = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d{1,2})? ?calendar +(minute|hour|day)s?\s*$",
    "examples": ["30 calendar days"],
}


def intake_schema() -> Shape:
    """The section `intake`."""
    outside = section({"say": described(TEXT, Outside.model_fields["say"].description or "")}, ("say",))
    shape = of_model(
        Intake,
        {
            "questions": form_schema(of_a_step=False),
            "duplicates": _duplicates(),
            "outside": {"anyOf": [words(["accept"]), outside]},
            "divert": listed(of_model(Diversion, {"when": CONDITION}), unique=False),
        },
    )
    no_places = {"properties": {"location": {"const": "none"}}, "required": ["location"]}
    compared = {"anyOf": [{"required": ["duplicates"]}, {"required": ["outside"]}]}
    return {**shape, "if": no_places, "then": {"not": compared}}


def either_requests_or_redirect() -> Shape:
    """The conditions on a whole definition: with `redirect` it has nothing of requests, else all that they need."""
    none_of_these: Shape = {"not": {"anyOf": [{"required": [key]} for key in OF_REQUESTS]}}
    return {
        "if": {"required": ["redirect"]},
        "then": none_of_these,
        "else": {"required": list(NEEDED_FOR_REQUESTS)},
    }


def _duplicates() -> Shape:
    shape = of_model(Duplicates, {"within_m": None, "opened_in_last": _CALENDAR_SPAN}, required=("then",))
    within = described(_DISTANCE, Duplicates.model_fields["within_m"].description or "")
    return {
        **shape,
        "properties": {"within": within, **shape["properties"]},
        "required": sorted(["within", *shape["required"]]),
    }
