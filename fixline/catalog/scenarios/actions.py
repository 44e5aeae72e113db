"""What somebody can do in a scenario: one action for every command of the domain.

Owns the table from an action's name to its command and to the field that its value fills. A command that the domain
gains is an action without a line here. Must not import anything of Fixline but the domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process.body import Body
from fixline.domain.process.commands import (
    SYSTEM,
    Actor,
    Command,
    EffectResult,
    FollowOnClosed,
    FollowOnReopened,
    Move,
    Open,
    ParentLeft,
    RelatedNote,
    Role,
    SourceClosed,
    Tick,
)
from fixline.domain.relations.commands import (
    Attach,
    DuplicateAttached,
    DuplicateDetached,
    Original,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)

NO_ACTIONS = (
    *(Open, Tick, EffectResult, SourceClosed, Move),
    *(FollowOnClosed, FollowOnReopened, ParentLeft, RelatedNote),
    *(Attach, DuplicateAttached, DuplicateDetached, OriginalAttached, OriginalClosed, OriginalReopened),
)
"""What nobody does: the opening stands at a scenario's head, ticks come by themselves, reports and imports are the
system's, and so is what requests tell each other (AttachTo, OriginalEnds and OtherReport stand for it); and a scenario
knows one version of each definition, one request."""
VERSION = "rehearsal"
"""What stands for a definition's version in a scenario."""
ORIGINAL = "SR00-00000001"
"""What stands for the request to which that of a scenario is attached."""
TASK = "task"
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

    @property
    def needs_value(self) -> bool:
        """Whether the command cannot be without what stands at the action's name."""
        return self.command.model_fields[self.value].is_required()

    @property
    def by_crew(self) -> bool:
        """Whether the crew that has the task does this; else it is a supervisor, when nobody is named."""
        return self.value == TASK and self.command.model_fields[TASK].is_required()


def original_of(opened_at: datetime) -> Original:
    """The request to which one that was opened then is attached: an older one."""
    return Original(id=ORIGINAL, opened_at=opened_at - timedelta(hours=1))


def _fields(command: type[BaseModel]) -> dict[str, FieldInfo]:
    return {name: field for name, field in command.model_fields.items() if name not in ("kind", "version")}


def _value_of(fields: dict[str, FieldInfo]) -> str:
    """The field at the action's name: the task, else the first that must be given and is no reason, else the reason."""
    if TASK in fields:
        return TASK
    required = [name for name, field in fields.items() if field.is_required() and name != "reason"]
    return required[0] if required else "reason" if "reason" in fields else next(iter(fields))


def _verbs() -> dict[str, Verb]:
    found = {}
    commands: tuple[Any, ...] = get_args(get_args(Command)[0])
    for command in (*commands, *get_args(Simulated)):
        if command in NO_ACTIONS:
            continue
        fields = _fields(command)
        name, value = str(command.model_fields["kind"].default), _value_of(fields)
        found[name] = Verb(name, command, value, tuple(each for each in fields if each != value))
    return found


VERBS: Final[dict[str, Verb]] = _verbs()
"""Every action by its name."""

SUPERVISOR = Actor(name="supervisor", role=Role.SUPERVISOR)
REPORTER = Actor(name="reporter", role=Role.REPORTER)
ACTORS: Final[dict[str, Actor]] = {
    role.value: Actor(name=role.value, role=role) for role in Role if role not in (Role.SYSTEM, Role.CREW)
} | {"system": SYSTEM}
"""Who can be named with `by`, besides crew and the members of teams."""
