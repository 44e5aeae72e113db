"""How questions and form fields are written, and the rules that concern one alone."""

from __future__ import annotations

from dataclasses import replace

from fixline.catalog.grammar import TEXT_SHAPE, Grammar, Shape, Values, mapped, name_shape, of_section, texts
from fixline.catalog.shape import KEY, Section
from fixline.domain.definition.fields import FieldKind, FormField

_WITH_OPTIONS = [FieldKind.CHOICE.value, FieldKind.CHOICES.value]
_CHOOSING: Shape = {"properties": {"kind": {"enum": _WITH_OPTIONS}}, "required": ["kind"]}
_NUMBERS: Shape = {"properties": {"kind": {"const": FieldKind.NUMBER.value}}}


def _read_options(body: Section, section: Section) -> dict[str, str]:
    if not body.tree.entries:
        section.add("FX212", "the options are empty", "options")
    return {option: label or option for option, label in body.labels("the label of '{}'", KEY)}


def _check_field(section: Section, found: Values) -> None:
    """What has options, and what has limits, is told by the kind."""
    kind = found.get("kind")
    place = section.key_place("options")
    if kind in _WITH_OPTIONS and not section.has("options"):
        section.findings.add("FX212", place, f"'{kind}' needs options, such as options: {{curb: Curb lane}}")
    if kind is not None and kind not in _WITH_OPTIONS and section.has("options"):
        section.findings.add("FX212", place, f"'{kind}' has no options: use choice or choices, or leave them out")
    for key in ("min", "max"):
        if section.has(key) and kind not in {FieldKind.NUMBER, None}:
            section.add("FX213", f"'{key}' limits numbers; '{kind}' has no limits", key)
    least, most = found.get("min"), found.get("max")
    if least is not None and most is not None and least > most:
        section.findings.add("FX213", section.value_place("max"), f"max {most:g} is below min {least:g}")


FIELD = Grammar(
    FormField,
    "a field of a form",
    {"options": of_section(_read_options, mapped(TEXT_SHAPE, KEY, least=1)), "required_for": texts(name_shape())},
    later=("default", "hint", "private", "pattern", "unit"),
    check=_check_field,
    beside={
        "allOf": [
            {"if": _CHOOSING, "then": {"required": ["options"]}, "else": {"not": {"required": ["options"]}}},
            {"if": _NUMBERS, "else": {"not": {"anyOf": [{"required": ["min"]}, {"required": ["max"]}]}}},
        ],
    },
)
"""A field of a step's form, which may be required for some outcomes only."""
QUESTION = replace(FIELD, what="a question", written={**FIELD.written, "required_for": None})
