"""A whole definition as it is written.

Owns the written form of everything but steps. Must not import anything of Fixline but the shapes, the words of
steps and the model.
"""

from __future__ import annotations

from fixline.catalog.deadlines import MOST_FIRINGS
from fixline.catalog.editor.intake import either_requests_or_redirect, intake_schema
from fixline.catalog.editor.shapes import (
    SPAN,
    TEXT,
    Shape,
    Written,
    described,
    fields_of,
    listed,
    mapped,
    name,
    of_model,
    section,
    words,
)
from fixline.catalog.editor.steps import PERCENT, conditions, step_schema
from fixline.catalog.shape import KEY
from fixline.catalog.steps.kinds import ON_HOLD, RESERVED_STEPS
from fixline.domain.definition.deadlines import Budget, Deadline, Rung
from fixline.domain.definition.model import Cancel, Definition, PriorityRule, Reopen, ReopenedBy
from fixline.domain.definition.vocabulary import NotifyEvent, Priority

DIALECT = "http://json-schema.org/draft-07/schema#"
TITLE = "Fixline: the definition of a request type"
_TOLD_OF_IT: Shape = {"contains": {"const": NotifyEvent.REOPENED.value}}
_REOPENED: Shape = {
    "if": {"required": ["reopen"]},
    "else": {"properties": {"notify": {"properties": {"reporter": {"type": "array", "not": _TOLD_OF_IT}}}}},
}
"""Whoever is told of a reopening is one whose request can be reopened."""


def definition_schema() -> Shape:
    """The JSON Schema, draft 7, of `<department>/<type>.yaml`; the same at every call."""
    written: dict[str, Written] = {
        "schema_": None,
        "type": name(KEY),
        "department": name(KEY),
        "calendar": name(KEY),
        "keywords": listed(TEXT),
        "intake": intake_schema(),
        "priority": _priority(),
        "deadlines": mapped(_deadline()),
        "start": name(),
        "steps": mapped(step_schema(), reserved=RESERVED_STEPS, least=1),
        "cancel": _cancel(),
        "holds": mapped(TEXT, reserved=[ON_HOLD]),
        "reopen": of_model(Reopen, {"at": name(), "by": {**listed(words(ReopenedBy)), "minItems": 1}}),
        "notify": _notify(),
    }
    shape = of_model(Definition, written)
    return {"$schema": DIALECT, "title": TITLE, **shape, **either_requests_or_redirect(), "allOf": [_REOPENED]}


def _priority() -> Shape:
    told = fields_of(PriorityRule, {})
    return conditions(
        "is", words(Priority), 'A condition (CEL) on the answers, such as "depth >= 10".', told["is"]["description"]
    )


def _deadline() -> Shape:
    states = listed(name())
    written: dict[str, Written] = {
        "met_by": name(),
        "within": _budget(),
        "paused_while": states,
        "escalate": listed(_rung(), unique=False),
    }
    return of_model(Deadline, written, required=("from",))


def _budget() -> Shape:
    told = fields_of(Budget, {"by_priority": {}})
    spans = {each.value: described(SPAN, f"The budget of priority {each.value}.") for each in Priority}
    by_priority = section({**spans, "otherwise": told["otherwise"]}, ("otherwise",))
    return {"anyOf": [SPAN, by_priority]}


def _rung() -> Shape:
    whole: Shape = {"type": "integer", "minimum": 1, "maximum": MOST_FIRINGS}
    fields = fields_of(
        Rung, {"at_percent": None, "at_due": None, "tell": name(), "reassign_to": name(KEY), "up_to": whole}
    )
    at = {"anyOf": [words(["due"]), PERCENT]}
    moment = "When it fires: a share of the budget such as 75%, or due."
    rung = section({"at": described(at, moment), **fields})
    return {
        **described(rung, "One rung of the ladder: when, whom it tells, what it changes."),
        "oneOf": [{"required": ["at"]}, {"required": ["before"]}, {"required": ["after"]}],
        "anyOf": [{"required": [each]} for each in ("tell", "raise_priority", "reassign_to")],
        "dependencies": {"every": ["up_to", "after"], "up_to": ["every"]},
    }


def _cancel() -> Shape:
    until = section({"until": described(name(), "The step until whose first entry it may be cancelled.")}, ("until",))
    always = words(["always", "never"])
    return of_model(Cancel, {"reporter": {"anyOf": [always, until]}, "supervisor": always})


def _notify() -> Shape:
    told = Definition.model_fields["notify"].description or ""
    return section({"reporter": described(listed(words(NotifyEvent)), told)})
