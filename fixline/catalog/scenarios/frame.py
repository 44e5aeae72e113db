"""What the reading of one scenario stands on: its definition, the catalog around it, its clock and its findings; and
the values that actions, answers and expectations share."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fixline.catalog.catalog import Catalog
from fixline.catalog.findings import Findings, Place
from fixline.catalog.scenarios.instants import InstantError, instant
from fixline.catalog.scenarios.model import ACTORS
from fixline.catalog.shape import Section, Written
from fixline.catalog.tree import Entry, Mapping, Node, Scalar, Sequence
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import Actor, Role

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?")
_SWITCHES = {"true": True, "false": False}


@dataclass
class Frame:
    """One scenario's surroundings. `now` is the instant that the reading has come to (aware UTC), `definition` the one
    of the catalog by which the request goes then."""

    definition: Definition
    catalog: Catalog
    findings: Findings
    opened_at: datetime
    now: datetime

    def instant(self, written: Written, since: datetime) -> datetime | None:
        """The instant that is written, counted from `since`; a finding when it is none."""
        try:
            return instant(written.text, self.definition.calendar, since)
        except InstantError as problem:
            self.findings.add("FX802", written.place, str(problem))
            return None

    def actor(self, section: Section, otherwise: Actor | None) -> Actor | None:
        """Who is written at `by`, if anybody; None is a crew of whichever team has the task."""
        by = section.text("by")
        if by is None or by.text == Role.CREW:
            return otherwise if by is None else None
        organisation = self.catalog.organisation
        teams = organisation.teams.values() if organisation else ()
        if of := tuple(team.key for team in teams if by.text in team.members):
            return Actor(name=by.text, role=Role.CREW, teams=of)
        names = [*ACTORS, Role.CREW.value, *(member for team in teams for member in team.members)]
        self.findings.known("FX809", by.place, by.text, names, f"'{by.text}' is no role and no member of a team")
        return ACTORS.get(by.text)


def check_step(name: str, place: Place, frame: Frame) -> bool:
    """Whether the definition has the step; a finding when it has not."""
    return frame.findings.known("FX308", place, name, frame.definition.steps, f"there is no step '{name}'")


def read_values(section: Section, keys: Collection[str], frame: Frame) -> dict[str, Any]:
    """What is written at those of the keys that have a value; a finding for an area that is none of its layer's."""
    entries = {key: entry for key in keys if (entry := section.entry(key)) is not None}
    if "areas" in entries:
        _check_areas(entries["areas"].value, frame)
    return {key: plain(entry.value) for key, entry in entries.items()}


def _check_areas(node: Node, frame: Frame) -> None:
    areas = frame.catalog.areas
    for entry in node if isinstance(node, Mapping) else ():
        layer = areas.layers.get(entry.key)
        if layer is None and entry.key not in areas.broken:
            message = f"there is no area layer '{entry.key}' in definitions/areas"
            frame.findings.known("FX304", entry.place, entry.key, areas.layers, message)
        elif layer and isinstance(entry.value, Scalar):
            area = entry.value.text
            frame.findings.known("FX805", entry.value.place, area, layer.keys, f"there is no {entry.key} '{area}'")


def plain(node: Node) -> Any:
    """What is written, as texts, lists and sections of texts."""
    if isinstance(node, Mapping):
        return {entry.key: plain(entry.value) for entry in node}
    return [plain(item) for item in node.items] if isinstance(node, Sequence) else node.text


def guessed(node: Node) -> Any:
    """What is written, with unquoted numbers, true and false as what they look like."""
    if isinstance(node, Scalar) and node.plain:
        if _NUMBER.fullmatch(node.text):
            return float(node.text) if "." in node.text else int(node.text)
        return _SWITCHES.get(node.text, node.text)
    if isinstance(node, Sequence):
        return [guessed(item) for item in node.items]
    return plain(node)


_KINDS: dict[FieldKind, tuple[type, ...]] = {
    FieldKind.NUMBER: (int, float),
    FieldKind.YES_NO: (bool,),
    FieldKind.CHOICES: (list,),
}


def read_answers(section: Section | None, fields: dict[str, FormField], frame: Frame, *, strict: bool) -> Any:
    """Answers by name, each in its question's kind; with `strict` a name that is not asked or a value of another
    kind is a finding, otherwise (a refusal is expected) they stay as they look."""
    found: dict[str, Any] = {}
    for entry in section.tree if section else ():
        field = fields.get(entry.key)
        if field is not None:
            found[entry.key] = _answer(entry, field, frame, strict=strict)
            continue
        found[entry.key] = guessed(entry.value)
        if strict:
            frame.findings.known("FX806", entry.place, entry.key, fields, f"nothing asks for '{entry.key}'")
    return found


def _answer(entry: Entry, field: FormField, frame: Frame, *, strict: bool) -> Any:
    kinds = _KINDS.get(field.kind)
    value = plain(entry.value) if kinds is None else guessed(entry.value)
    fits = isinstance(value, kinds or str) and not (isinstance(value, bool) and field.kind is FieldKind.NUMBER)
    if not strict:
        return value if fits else guessed(entry.value)
    place = entry.value.place
    if not fits:
        frame.findings.add("FX806", place, f"'{entry.key}' is asked as {field.kind}: '{plain(entry.value)}' is none")
    for option in value if isinstance(value, list) else [value]:
        if fits and field.options:
            frame.findings.known("FX806", place, option, field.options, f"'{option}' is no option of '{entry.key}'")
    return value
