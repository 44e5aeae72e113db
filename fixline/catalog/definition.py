"""How a whole definition is written: its reading, and the JSON Schema (draft 7) for editors that complete and explain.
What analysts write differs from the model that it is read into: a step is keyed by its kind, a length of time is a
text, a team a name or a choice by area. Words, limits and descriptions are the model's own."""

from __future__ import annotations

from dataclasses import replace

from fixline.catalog import grammar
from fixline.catalog.deadlines import DEADLINES, PRIORITY
from fixline.catalog.findings import TOP, Findings
from fixline.catalog.intake import INTAKE, REDIRECT
from fixline.catalog.parsed import ParsedDefinition
from fixline.catalog.shape import KEY, NAME, Section, Written, check_name, one_word
from fixline.catalog.steps import STEPS
from fixline.catalog.steps.kinds import ON_HOLD
from fixline.catalog.tree import Mapping
from fixline.domain.definition.model import Cancel, Definition, Reopen, ReopenedBy
from fixline.domain.definition.vocabulary import NotifyEvent

_OF_REQUESTS = ("intake", "priority", "calendar", "deadlines", "start", "steps", "cancel", "holds", "reopen", "notify")
"""The keys that a type with `redirect` has not."""
_NEEDED_FOR_REQUESTS = ("priority", "calendar", "start", "steps")
_ALWAYS = ("always", "never")
_TOLD_OF_IT: grammar.Shape = {"contains": {"const": NotifyEvent.REOPENED.value}}
_REOPENED: grammar.Shape = {
    "if": {"required": ["reopen"]},
    "else": {"properties": {"notify": {"properties": {"reporter": {"type": "array", "not": _TOLD_OF_IT}}}}},
}
"""Whoever is told of a reopening is one whose request can be reopened."""


def definition_schema() -> grammar.Shape:
    """The JSON Schema, draft 7, of `<department>/<type>.yaml`; the same at every call."""
    dialect, title = "http://json-schema.org/draft-07/schema#", "Fixline: the definition of a request type"
    return {"$schema": dialect, "title": title, **_DEFINITION.shape()}


def read_draft(tree: Mapping, findings: Findings) -> ParsedDefinition:
    """Read the whole file, with a finding for every key and value that does not fit."""
    if "redirect" in tree.entries:
        top = Section(_without_requests(tree, findings), findings, TOP)
        return ParsedDefinition(top.tree, findings, **_REDIRECTED.values(top))
    return ParsedDefinition(tree, findings, **_DEFINITION.values(Section(tree, findings, TOP), _NEEDED_FOR_REQUESTS))


def _without_requests(tree: Mapping, findings: Findings) -> Mapping:
    """The file of a type that takes no requests, without the keys that only requests need; those are findings."""
    for key in _OF_REQUESTS:
        found = tree.entries.get(key)
        if found is not None:
            message = f"a type with 'redirect' takes no requests and has no '{key}': delete one of the two"
            findings.add("FX219", found.place, message)
    return replace(tree, entries={key: entry for key, entry in tree.entries.items() if key not in _OF_REQUESTS})


def _read_always(written: Written, section: Section) -> str | None:
    return "always" if one_word(written, _ALWAYS, section.findings) == "always" else None


def _read_until(body: Section, _: Section) -> str | None:
    until = body.string("until", required=True)
    body.finish("'reporter'")
    return until


def _check_cancel(_: Section, found: grammar.Values) -> None:
    if found.get("supervisor") == "never":
        found["supervisor"] = None


def _read_holds(body: Section, _: Section) -> dict[str, str]:
    for entry in body.tree:
        check_name(entry.key, entry.place, NAME, body.findings)
    return {code: body.string(code, required=True) or "" for code in body.tree.entries}


def _check_by(section: Section, _: grammar.Values) -> None:
    if section.items("by") == ():
        section.add("FX451", "'by' names nobody: write reporter, supervisor or both", "by")


def _read_notify(body: Section, _: Section) -> tuple[str, ...]:
    told: tuple[str, ...] = _EVENTS.read(body, "reporter") if body.has("reporter") else ()
    body.finish("'notify'", ("supervisor", "crew", "alderman"))
    return told


_EVENTS = grammar.texts(words=NotifyEvent)
_TOLD = Definition.model_fields["notify"].description or ""
_IN_ALL = grammar.of_text(_read_always, {"enum": [*_ALWAYS]})
_UNTIL = grammar.reference().shown("The step until whose first entry it may be cancelled.")
_UNTIL_SHAPE = grammar.section_shape({"until": _UNTIL}, ["until"])
_CANCEL = grammar.Grammar(
    Cancel,
    "'cancel'",
    {
        "reporter": grammar.either(_IN_ALL, grammar.of_section(_read_until, _UNTIL_SHAPE), _IN_ALL),
        "supervisor": grammar.word(_ALWAYS),
    },
    later=("crew",),
    check=_check_cancel,
)
_BY = grammar.texts(words=ReopenedBy, least=1)
_REOPEN = grammar.Grammar(Reopen, "'reopen'", {"by": _BY, "at": grammar.reference()}, check=_check_by)
_DEFINITION = grammar.Grammar(
    Definition,
    "a definition",
    {
        "schema_": None,
        "type": grammar.own_name(KEY),
        "department": grammar.reference(KEY),
        "intake": INTAKE.below(),
        "redirect": REDIRECT.below(),
        "priority": PRIORITY,
        "calendar": grammar.reference(KEY),
        "deadlines": DEADLINES,
        "start": grammar.reference(),
        "steps": STEPS,
        "cancel": _CANCEL.below(),
        "holds": grammar.of_section(_read_holds, grammar.mapped(grammar.TEXT_SHAPE, reserved=[ON_HOLD])),
        "reopen": _REOPEN.below(),
        "notify": grammar.of_section(_read_notify, grammar.section_shape({"reporter": _EVENTS.shown(_TOLD)})),
    },
    later=("agency", "outcomes", "responsibility", "private", "boundary"),
    beside={
        "if": {"required": ["redirect"]},
        "then": {"not": {"anyOf": [{"required": [key]} for key in _OF_REQUESTS]}},
        "else": {"required": [*_NEEDED_FOR_REQUESTS]},
        "allOf": [_REOPENED],
    },
)
_REDIRECTED = replace(_DEFINITION, written={**_DEFINITION.written, "priority": None})
