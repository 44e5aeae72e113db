"""How the steps of a definition are written: a grammar for each kind, told apart by the key that names the kind. What
needs other steps or other files is checked later (`flow`, `references`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fixline.catalog.grammar import Grammar, Key, Shape, mapped
from fixline.catalog.shape import NAME, Section, check_name, section_of
from fixline.catalog.steps.automatic import CHOOSE, CLOSE, NOTIFY, TOGETHER, WAIT
from fixline.catalog.steps.human import HUMAN
from fixline.catalog.steps.kinds import KIND_WORDS, KINDS, RESERVED_STEPS, SHARED_KEYS
from fixline.catalog.steps.outside import AGENCY, CALL, FOLLOW_ON
from fixline.domain.process.kinds import AnyStep
from fixline.errors import did_you_mean

_WRITTEN: dict[str, Grammar[Any]] = {
    **HUMAN,
    "choose": CHOOSE,
    "wait": WAIT,
    "agency": AGENCY,
    "follow_on": FOLLOW_ON,
    "together": TOGETHER,
    "call": CALL,
    "notify": NOTIFY,
    "close": CLOSE,
}
_GRAMMARS = {kind: replace(each, written={"kind": None, **each.written}) for kind, each in _WRITTEN.items()}
"""Which kind a step is stands nowhere: its key says it."""


def _read_steps(section: Section, key: str) -> dict[str, AnyStep | None]:
    """The steps by name, in order; None stands for a step whose kind cannot be told. A human or waiting step without
    any outcome was refused: its way on is unknown."""
    found: dict[str, AnyStep | None] = {}
    steps = section.section(key, required=True)
    for entry in steps.tree if steps is not None else ():
        check_name(entry.key, entry.place, NAME, section.findings, RESERVED_STEPS)
        body = section_of(entry.value, f"step '{entry.key}'", section.findings, entry.place)
        kind = None if body is None else _kind(body)
        found[entry.key] = None if body is None or kind is None else _GRAMMARS[kind].read(body, kind=kind)
    return found


def _kind(section: Section) -> str | None:
    written = [entry for entry in section.tree if entry.key in KINDS]
    if len(written) == 1:
        return written[0].key
    if written:
        message = f"a step is one thing: '{written[0].key}' and '{written[1].key}' exclude each other"
        section.findings.add("FX216", written[1].place, message)
        return None
    for entry in section.tree:
        near = "" if entry.key in SHARED_KEYS else did_you_mean(entry.key, KINDS)
        if near:
            section.findings.add("FX201", entry.place, f"a step has no key '{entry.key}'{near}")
            return None
    section.add("FX216", f"the step does not say what it is: give one of {', '.join(KINDS)}")
    return None


def _step_shape() -> Shape:
    """A step: exactly one of the kinds, with that kind's keys and no others."""
    kinds = {kind: grammar.shape() for kind, grammar in _GRAMMARS.items()}
    for kind, shape in kinds.items():
        shape["properties"][kind]["description"] = KIND_WORDS[kind]
    return {
        "description": "A step: the key that names its kind says what it is.",
        "type": "object",
        "properties": {kind: {"description": KIND_WORDS[kind]} for kind in kinds},
        "oneOf": [{"required": [kind]} for kind in kinds],
        "allOf": [{"if": {"required": [kind]}, "then": shape} for kind, shape in kinds.items()],
    }


STEPS = Key(_read_steps, lambda: mapped(_step_shape(), reserved=RESERVED_STEPS, least=1), {})
