"""What the reading of one scenario stands on: its definition, the catalog around it, its clock and its findings.

Owns the values that actions, answers and expectations share. Must not import anything of Fixline but the reading of
sections and the domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fixline.catalog.areas import Areas
from fixline.catalog.findings import Findings, Place
from fixline.catalog.organisation import Organisation
from fixline.catalog.scenarios.actions import ACTORS
from fixline.catalog.scenarios.instants import InstantError, instant
from fixline.catalog.shape import Section, Written, nearest
from fixline.catalog.tree import Entry, Mapping, Node, Scalar, Sequence
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import Actor, Role

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?")
_SWITCHES = {"true": True, "false": False}


@dataclass
class Frame:
    """One scenario's surroundings. `now` is the instant that the reading has come to (aware UTC), `definition` the one
    by which the request goes then; `definitions` are all, by type."""

    definition: Definition
    definitions: dict[str, Definition]
    organisation: Organisation | None
    areas: Areas
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

    def actor(self, section: Section) -> tuple[bool, Actor | None]:
        """Whether `by` is written, and who it is; None is a crew of whichever team has the task."""
        by = section.text("by")
        if by is None or by.text == Role.CREW:
            return by is not None, None
        teams = self._teams_of(by.text)
        if teams:
            return True, Actor(name=by.text, role=Role.CREW, teams=teams)
        if by.text not in ACTORS:
            names = [*ACTORS, Role.CREW.value, *self._members()]
            message = f"'{by.text}' is no role and no member of a team{nearest(by.text, names)}"
            self.findings.add("FX809", by.place, message)
        return True, ACTORS.get(by.text)

    def _teams_of(self, person: str) -> tuple[str, ...]:
        teams = self.organisation.teams.values() if self.organisation else ()
        return tuple(team.key for team in teams if person in team.members)

    def _members(self) -> list[str]:
        teams = self.organisation.teams.values() if self.organisation else ()
        return [member for team in teams for member in team.members]


def check_areas(node: Node, frame: Frame) -> None:
    """Findings for areas that are none of their layer's."""
    for entry in node if isinstance(node, Mapping) else ():
        layer = frame.areas.layers.get(entry.key)
        if layer is None and entry.key not in frame.areas.broken:
            message = f"there is no area layer '{entry.key}' in definitions/areas"
            frame.findings.add("FX304", entry.place, message + nearest(entry.key, frame.areas.layers))
        elif layer and isinstance(entry.value, Scalar) and entry.value.text not in layer.keys:
            message = f"there is no {entry.key} '{entry.value.text}'{nearest(entry.value.text, layer.keys)}"
            frame.findings.add("FX805", entry.value.place, message)


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


def read_answers(section: Section | None, fields: dict[str, FormField], findings: Findings, *, strict: bool) -> Any:
    """Answers by name, each in its question's kind; with `strict` a name that is not asked or a value of another
    kind is a finding, otherwise (a refusal is expected) they stay as they look."""
    found: dict[str, Any] = {}
    for entry in section.tree if section else ():
        field = fields.get(entry.key)
        if field is None:
            found[entry.key] = guessed(entry.value)
            if strict:
                message = f"nothing asks for '{entry.key}'{nearest(entry.key, fields)}"
                findings.add("FX806", entry.place, message)
            continue
        found[entry.key] = _answer(entry, field, findings, strict=strict)
    return found


def _answer(entry: Entry, field: FormField, findings: Findings, *, strict: bool) -> Any:
    kinds = _KINDS.get(field.kind)
    value = plain(entry.value) if kinds is None else guessed(entry.value)
    fits = isinstance(value, kinds or str) and not (isinstance(value, bool) and field.kind is FieldKind.NUMBER)
    if not strict:
        return value if fits else guessed(entry.value)
    place = entry.value.place
    if not fits:
        findings.add("FX806", place, f"'{entry.key}' is asked as {field.kind}: '{plain(entry.value)}' is none")
    for option in value if isinstance(value, list) else [value]:
        if fits and field.options and option not in field.options:
            findings.add("FX806", place, f"'{option}' is no option of '{entry.key}'{nearest(option, field.options)}")
    return value


def check_step(name: str, place: Place, frame: Frame) -> bool:
    """Whether the definition has the step; a finding when it has not."""
    if name in frame.definition.steps:
        return True
    frame.findings.add("FX308", place, f"there is no step '{name}'{nearest(name, frame.definition.steps)}")
    return False
