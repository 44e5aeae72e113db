"""A scenario as it was read: what happens to one request, when, and what is expected of it.

Owns the records that the reading makes and that the player plays. Instants are aware UTC, places are those of
the scenario file. Must not import anything of Fixline but findings' places and the domain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fixline.catalog.findings import Place
from fixline.catalog.scenarios.actions import Simulated
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import Actor, Command, Open


@dataclass(frozen=True)
class Expected:
    """One thing that is expected: the key, the name below it where there is one, the value, how it is written."""

    key: str
    name: str | None
    value: Any
    text: str
    place: Place


@dataclass(frozen=True)
class Notice:
    """One entry of a list of what was told: what is None is not looked at. `at` is aware UTC."""

    text: str
    at: datetime | None = None
    role: str | None = None
    clock: str | None = None
    rung: str | None = None
    event: str | None = None


@dataclass(frozen=True)
class Action:
    """What somebody does. `task_step` names the step whose open task is meant: its id stands in the command only
    when it is played. `actor` is None for a crew of the task's team. `target` is the definition to which it leads."""

    command: Command | Simulated
    actor: Actor | None
    task_step: str | None
    text: str
    target: Definition | None = None


@dataclass(frozen=True)
class Line:
    """One line of a scenario: an instant, what is done then, whether that is refused, what is expected after it."""

    place: Place
    at: datetime
    action: Action | None = None
    refused: str | None = None
    expect: tuple[Expected, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One story of one request. `opened` is its first line's command; `lines` come after it in order."""

    file: str
    type: str
    name: str
    place: Place
    opened_at: datetime
    opened: Open
    actor: Actor
    refused: str | None = None
    lines: tuple[Line, ...] = field(default=())
    sampled: frozenset[str] = frozenset()
    """The sampled inspections that take place at the first visit; the definition's others do not."""
