"""Reads questions and form fields.

Owns the keys of one field and the rules that concern it alone. Must not import anything of Fixline but the
reading of sections and the model.
"""

from __future__ import annotations

from fixline.catalog.findings import Place
from fixline.catalog.shape import KEY, NAME, Section, Written, check_name, nearest, section_of, text_of
from fixline.domain.conditions.evaluation import RESERVED_NAMES
from fixline.domain.definition.fields import FieldKind, FormField

_LATER = ("default", "hint", "private", "pattern", "unit")
_WITH_OPTIONS = {FieldKind.CHOICE, FieldKind.CHOICES}


def read_fields(section: Section | None, *, outcomes: frozenset[str] | None = None) -> dict[str, FormField]:
    """The fields of a section by name. `outcomes` are the step's; None at the intake, which has none."""
    found: dict[str, FormField] = {}
    if section is None:
        return found
    for entry in section.tree:
        check_name(entry.key, entry.place, NAME, section.findings, RESERVED_NAMES)
        body = section_of(entry.value, f"'{entry.key}'", section.findings, entry.place)
        if body is not None:
            found[entry.key] = _read_field(body, outcomes)
    return found


def _read_field(section: Section, outcomes: frozenset[str] | None) -> FormField:
    kind = section.word("kind", FieldKind, required=True)
    ask = section.text("ask")
    options = _read_options(section, kind)
    least, most = _read_limits(section, kind)
    required_for = () if outcomes is None else _read_required_for(section, outcomes)
    field = FormField(
        kind=kind or FieldKind.TEXT,
        ask=ask.text if ask else None,
        options=options,
        min=least,
        max=most,
        required=section.switch("required"),
        required_for=required_for,
    )
    section.finish("a field of a form" if outcomes is not None else "a question", _LATER)
    return field


def _read_options(section: Section, kind: FieldKind | None) -> dict[str, str]:
    body = section.section("options")
    place = section.key_place("options")
    if kind in _WITH_OPTIONS and not section.has("options"):
        section.findings.add("FX212", place, f"'{kind}' needs options, such as options: {{curb: Curb lane}}")
    if kind is not None and kind not in _WITH_OPTIONS and section.has("options"):
        section.findings.add("FX212", place, f"'{kind}' has no options: use choice or choices, or leave them out")
    if body is None:
        return {}
    if not body.tree.entries:
        section.findings.add("FX212", place, "the options are empty")
    found: dict[str, str] = {}
    for entry in body.tree:
        check_name(entry.key, entry.place, KEY, section.findings)
        label = text_of(entry.value, f"the label of '{entry.key}'", section.findings)
        found[entry.key] = label.text if label else entry.key
    return found


def _read_limits(section: Section, kind: FieldKind | None) -> tuple[float | None, float | None]:
    least, most = section.number("min"), section.number("max")
    for key in ("min", "max"):
        if section.has(key) and kind not in {FieldKind.NUMBER, None}:
            message = f"'{key}' limits numbers; '{kind}' has no limits"
            section.findings.add("FX213", section.key_place(key), message)
    if least is not None and most is not None and least > most:
        section.findings.add("FX213", _value_place(section, "max"), f"max {most:g} is below min {least:g}")
    return least, most


def _value_place(section: Section, key: str) -> Place:
    return section.tree.entries[key].value.place


def _read_required_for(section: Section, outcomes: frozenset[str]) -> tuple[str, ...]:
    named: tuple[Written, ...] = section.texts("required_for")
    for outcome in named:
        if outcome.text not in outcomes:
            message = f"'{outcome.text}' is no outcome of this step{nearest(outcome.text, outcomes)}"
            section.findings.add("FX215", outcome.place, message)
    return tuple(outcome.text for outcome in named)
