"""A scenario as it was read: what somebody does to one request, when, and what is expected of it; and the table of
actions, one for every command of the domain: a command that the domain gains is an action without a line here. Instants
are aware UTC, places are those of the scenario file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel

from fixline.catalog.findings import Place
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process import commands
from fixline.domain.process.commands import SYSTEM, Actor, Body, Command, Role

NO_ACTIONS = (
    *(commands.Open, commands.Tick, commands.EffectResult, commands.SourceClosed, commands.Move),
    *(commands.FollowOnClosed, commands.FollowOnReopened, commands.ParentLeft, commands.RelatedNote),
    *(commands.Attach, commands.DuplicateAttached, commands.DuplicateDetached),
    *(commands.OriginalAttached, commands.OriginalClosed, commands.OriginalReopened),
)
"""What nobody does: the opening stands at a scenario's head, ticks come by themselves, reports and imports are the
system's, and so is what requests tell each other (AttachTo, OriginalEnds and OtherReport stand for it); and a scenario
knows one version of each definition, one request."""
VERSION = "rehearsal"
"""What stands for a definition's version in a scenario."""
ORIGINAL = "SR00-00000001"
"""What stands for the request to which that of a scenario is attached."""
TASK = "task"
NOTHING = "none"
LINE_KEYS = frozenset({"at", "by", "refused", "expect"})


class CallAnswer(Body):
    """A department's system, called by a step, answers; `step` says at which step where several have called."""

    kind: Literal["call_answer"] = "call_answer"
    outcome: str
    step: str | None = None


class FollowOnEnds(Body):
    """The follow-on that a step waits for is closed; `step` says which where several are waited for."""

    kind: Literal["follow_on"] = "follow_on"
    outcome: CloseOutcome
    step: str | None = None


class AttachTo(Body):
    """A supervisor attaches the request to an older one, of which a scenario knows no more."""

    kind: Literal["attach"] = "attach"
    reason: str


Came = Literal["fixed", "no_problem_found", "duplicate", "referred", "declined", "cancelled", "reopened"]
"""What the request to which another is attached comes to, in a scenario: every close outcome, or open again."""


class OriginalEnds(Body):
    """The request to which this one is attached is closed with an outcome, or opened again."""

    kind: Literal["original"] = "original"
    outcome: Came


class OtherReport(Body):
    """Another report is attached to the request as its duplicate, or the last such one is detached again."""

    kind: Literal["duplicate"] = "duplicate"
    what: Literal["attached", "detached"]


Simulated = CallAnswer | FollowOnEnds | AttachTo | OriginalEnds | OtherReport
"""What others do in a scenario, whom it does not know by their ids; the player makes commands of it."""


@dataclass(frozen=True)
class Verb:
    """An action: its name, the command it gives, the field that stands at the name, the other fields."""

    name: str
    command: type[BaseModel]
    value: str
    others: tuple[str, ...]


def _verb(command: type[BaseModel]) -> Verb:
    """The action: at its name stands the task, else the first field that must be given and is no reason, else the
    reason."""
    fields = {name: field for name, field in command.model_fields.items() if name not in ("kind", "version")}
    required = [name for name, field in fields.items() if field.is_required() and name != "reason"]
    value = next(name for name in (TASK, *required, "reason", *fields) if name in fields)
    return Verb(command.model_fields["kind"].default, command, value, tuple(each for each in fields if each != value))


_COMMANDS: tuple[type[BaseModel], ...] = (*get_args(get_args(Command)[0]), *get_args(Simulated))
VERBS: Final[dict[str, Verb]] = {
    verb.name: verb for verb in map(_verb, (each for each in _COMMANDS if each not in NO_ACTIONS))
}
"""Every action by its name."""

SUPERVISOR = Actor(name="supervisor", role=Role.SUPERVISOR)
ACTORS: Final[dict[str, Actor]] = {
    role.value: Actor(name=role.value, role=role) for role in Role if role not in (Role.SYSTEM, Role.CREW)
} | {"system": SYSTEM}
"""Who can be named with `by`, besides crew and the members of teams."""


def original_of(opened_at: datetime) -> commands.Original:
    """The request to which one that was opened then is attached: an older one."""
    return commands.Original(id=ORIGINAL, opened_at=opened_at - timedelta(hours=1))


def listed(names: Iterable[str]) -> str:
    """Names as they are shown, in order; the word for nothing where there are none."""
    return ", ".join(sorted(names)) or NOTHING


@dataclass(frozen=True)
class Expected:
    """One thing that is expected: the key, the name below it where there is one, the value, how it is written."""

    key: str
    name: str | None
    value: Any
    text: str
    place: Place

    @property
    def what(self) -> str:
        """Of what it is expected: 'due of resolve'."""
        return f"{self.key} of {self.name}" if self.name else self.key


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
    opened: commands.Open
    actor: Actor
    refused: str | None = None
    lines: tuple[Line, ...] = ()
    sampled: frozenset[str] = frozenset()
    """The sampled inspections that take place at the first visit; the definition's others do not."""
