"""The commands: everything that can happen to a service request, with the shape of each one's body, and who gives it.

A command is data; what it leads to is decided by `fixline.domain.process.advance`. Instants are aware UTC.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from fixline.domain.deadlines.timeline import FIRST
from fixline.domain.definition.vocabulary import CloseOutcome, Priority

DEEPEST = 8
"""How deep lists and objects of a body may lie in each other."""
_NO_CHARACTER = re.compile("[\\x00\\ud800-\\udfff]")


class Body(BaseModel, frozen=True, extra="forbid"):
    """Base of all command bodies: nothing in one is beyond what JSON and a database can keep."""

    @model_validator(mode="before")
    @classmethod
    def _check_storable(cls, body: Any) -> Any:
        _check_storable(body, DEEPEST)
        return body


def _check_storable(value: Any, deepest: int) -> None:
    """Raise ValueError for half characters, NUL, numbers too large for a float, and depths nobody asks for."""
    if isinstance(value, str):
        if _NO_CHARACTER.search(value):
            raise ValueError("a text has characters that are none")
    elif isinstance(value, float | int):
        if not -sys.float_info.max <= value <= sys.float_info.max:
            raise ValueError("a number is too large, or none")
    elif isinstance(value, dict | list | tuple):
        if not deepest:
            raise ValueError(f"lists and objects lie more than {DEEPEST} deep in each other")
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_storable(item, deepest - 1)


class Role(StrEnum):
    """What an actor may be; `system` is Fixline itself (ticks, reports of effects, imports)."""

    REPORTER = "reporter"
    CREW = "crew"
    ANALYST = "analyst"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    SERVICE = "service"
    SYSTEM = "system"


class Actor(BaseModel, frozen=True):
    """Who gives a command: a name for the journal, a role, and the teams for which a crew may act."""

    name: str
    role: Role
    teams: tuple[str, ...] = ()

    def acts_for(self, team: str) -> bool:
        """Whether the actor may do this team's work: its own crews, supervisors, admins."""
        return self.role is not Role.ANALYST and (self.role is not Role.CREW or team in self.teams)


SYSTEM = Actor(name="fixline", role=Role.SYSTEM)


class Place(Body):
    """Where it is: degrees WGS 84, and an address as text. Either may be missing, not both."""

    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    address: str | None = Field(None, max_length=300)

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude come together")
        return self

    @property
    def located(self) -> bool:
        """Whether it says where."""
        return self.latitude is not None or bool((self.address or "").strip())


class ParentLink(Body):
    """The request that a follow-on was opened for: its id, the step that waits, and how deep the chain is by now."""

    id: str
    step: str
    depth: int = Field(1, ge=1)


class Original(Body):
    """The request of which another is a duplicate: its id, and when it was opened."""

    id: str
    opened_at: AwareDatetime

    def older_than(self, opened_at: datetime, request_id: str) -> bool:
        """Whether it was opened before that request; of those opened at once the lower number is the older."""
        return (self.opened_at, self.id) < (opened_at, request_id)


class Open(Body):
    """A report is accepted.

    `opened_at` is the real opening of a request that comes from another system (`backlog`): its clocks
    run from then, the rungs already past count as passed and nobody is told about them. `areas` are
    the area keys by layer, `outside` whether the place lies outside the city, `attach_to` the request that it
    repeats: all found before.
    """

    kind: Literal["open"] = "open"
    type: str
    version: str
    place: Place | None = None
    areas: dict[str, str] = Field(default_factory=dict)
    answers: dict[str, Any] = Field(default_factory=dict)
    description: str = ""
    photos: tuple[str, ...] = ()
    channel: str = "api"
    external_id: str | None = None
    opened_at: AwareDatetime | None = Field(None, ge=FIRST)
    backlog: bool = False
    has_contact: bool = False
    parent: ParentLink | None = None
    outside: bool = False
    attach_to: Original | None = None


class Claim(Body):
    """Somebody takes an offered task; `assignee` is who, the actor where it is not said."""

    kind: Literal["claim"] = "claim"
    task: str
    assignee: str | None = Field(None, max_length=100)


class Release(Body):
    """The holder gives a claimed task back to its team."""

    kind: Literal["release"] = "release"
    task: str
    assignee: str | None = Field(None, max_length=100)
    reason: str = ""


class Start(Body):
    """The holder begins the work."""

    kind: Literal["start"] = "start"
    task: str
    assignee: str | None = Field(None, max_length=100)


class Complete(Body):
    """The work is done, with an outcome and what the form asks."""

    kind: Literal["complete"] = "complete"
    task: str
    outcome: str
    form: dict[str, Any] = Field(default_factory=dict)
    photos: tuple[str, ...] = ()
    assignee: str | None = Field(None, max_length=100)


class Decline(Body):
    """The crew will not do it: back to the team, with a reason."""

    kind: Literal["decline"] = "decline"
    task: str
    assignee: str | None = Field(None, max_length=100)
    reason: str


class Reassign(Body):
    """A supervisor gives the open task (or the one named) to another team or person."""

    kind: Literal["reassign"] = "reassign"
    task: str | None = None
    team: str | None = None
    assignee: str | None = Field(None, max_length=100)
    reason: str


class Amend(Body):
    """Answers, the place or the description are put right. What is None stays."""

    kind: Literal["amend"] = "amend"
    answers: dict[str, Any] = Field(default_factory=dict)
    place: Place | None = None
    areas: dict[str, str] = Field(default_factory=dict)
    outside: bool = False
    description: str | None = None
    reason: str


class SendBack(Body):
    """A supervisor sends the request to a step, with a reason."""

    kind: Literal["send_back"] = "send_back"
    step: str
    reason: str


class Comment(Body):
    """A remark for the journal; also on a closed request."""

    kind: Literal["comment"] = "comment"
    text: str


class Signal(Body):
    """Something that a waiting step waits for has happened."""

    kind: Literal["signal"] = "signal"
    name: str
    reason: str = ""


class AgencyReply(Body):
    """An outside party has answered, or staff answer in its place; `reference` is the party's own number or text.

    `step` says which step is meant where several wait for a party.
    """

    kind: Literal["agency_reply"] = "agency_reply"
    outcome: str
    step: str | None = None
    reference: str = Field("", max_length=200)
    reason: str = ""


class Hold(Body):
    """The request is put on hold. `code` is one of the definition's `holds`, where it has any."""

    kind: Literal["hold"] = "hold"
    reason: str
    code: str | None = None


class Resume(Body):
    """The hold ends."""

    kind: Literal["resume"] = "resume"
    reason: str = ""


class Cancel(Body):
    """The request is withdrawn."""

    kind: Literal["cancel"] = "cancel"
    reason: str


class Reopen(Body):
    """A closed request is opened again: what was done was not enough, or not done."""

    kind: Literal["reopen"] = "reopen"
    reason: str


class Prioritise(Body):
    """A supervisor sets the least priority by hand; None takes the hand-set or raised one back."""

    kind: Literal["priority"] = "priority"
    priority: Priority | None
    reason: str


class Recategorise(Body):
    """The request is of another type, and goes on as one. `version` is the hash of that type's definition, found
    before; `answers` are those that the new type asks for beside the ones that the request has."""

    kind: Literal["recategorise"] = "recategorise"
    type: str
    version: str
    answers: dict[str, Any] = Field(default_factory=dict)
    reason: str


class Move(Body):
    """An open request goes on by another version of its definition. `version` is its hash; `steps` says which step of
    that version a step of the request's present one has become, where the name is another."""

    kind: Literal["move"] = "move"
    version: str
    steps: dict[str, str] = Field(default_factory=dict)
    reason: str = ""


class Attach(Body):
    """A supervisor says that the request is a duplicate of an older one; what that one is was found before."""

    kind: Literal["attach"] = "attach"
    to: Original
    reason: str


class Detach(Body):
    """A supervisor says that the request is no duplicate after all; it begins at its start."""

    kind: Literal["detach"] = "detach"
    reason: str


class DuplicateAttached(Body):
    """A duplicate tells its original that it has been attached to it."""

    kind: Literal["duplicate_attached"] = "duplicate_attached"
    duplicate: str


class DuplicateDetached(Body):
    """A duplicate tells its original that it goes its own way, or has been closed by itself."""

    kind: Literal["duplicate_detached"] = "duplicate_detached"
    duplicate: str


class OriginalClosed(Body):
    """An original tells its duplicate what it came to."""

    kind: Literal["original_closed"] = "original_closed"
    original: str
    outcome: CloseOutcome


class OriginalReopened(Body):
    """An original tells a duplicate that had closed with it that it has been opened again."""

    kind: Literal["original_reopened"] = "original_reopened"
    original: str


class OriginalAttached(Body):
    """An original tells its duplicate that it has itself been attached to an older request."""

    kind: Literal["original_attached"] = "original_attached"
    original: str
    to: str


class Tick(Body):
    """The timer fired: everything that is due by now happens, in the order of its instants."""

    kind: Literal["tick"] = "tick"


class EffectResult(Body):
    """What an effect learned: who got the work order, who was told, what a system answered at which visit of a step,
    which follow-on was opened or why none was. `step` is given where it is about a step."""

    kind: Literal["effect_result"] = "effect_result"
    effect: str
    effect_kind: str
    task: str | None = None
    assignee: str | None = None
    rule: str | None = None
    audience: str | None = None
    told: str | None = None
    channel: str | None = None
    about: str | None = None
    step: str | None = None
    visit: int | None = None
    outcome: str | None = None
    child: str | None = None
    child_type: str | None = None
    failed: str | None = None


class FollowOnClosed(Body):
    """A follow-on of this request has been closed."""

    kind: Literal["follow_on_closed"] = "follow_on_closed"
    child: str
    outcome: CloseOutcome


class FollowOnReopened(Body):
    """A follow-on of this request that had been closed was opened again."""

    kind: Literal["follow_on_reopened"] = "follow_on_reopened"
    child: str


class ParentLeft(Body):
    """The request for which this follow-on was opened no longer waits for it."""

    kind: Literal["parent_left"] = "parent_left"
    parent: str


class RelatedNote(Body):
    """A remark was left on the parent or on a follow-on of this request; `by` is who left it."""

    kind: Literal["related_note"] = "related_note"
    other: str
    by: str
    text: str


class SourceClosed(Body):
    """The system from which the request was imported says that it is closed."""

    kind: Literal["source_closed"] = "source_closed"
    outcome: CloseOutcome
    closed_at: AwareDatetime
    source: str


Command = Annotated[
    (Open | Claim | Release | Start | Complete | Decline | Reassign)
    | (Amend | SendBack | Comment | Signal | AgencyReply | Hold | Resume | Cancel | Reopen | Prioritise | Recategorise)
    | (Move | Attach | Detach | DuplicateAttached | DuplicateDetached)
    | (OriginalClosed | OriginalReopened | OriginalAttached)
    | (Tick | EffectResult | SourceClosed | FollowOnClosed | FollowOnReopened | ParentLeft | RelatedNote),
    Field(discriminator="kind"),
]

COMMAND: TypeAdapter[Command] = TypeAdapter(Command, config=ConfigDict(defer_build=True))
"""Reads a command from its stored JSON; raises pydantic.ValidationError on anything else. Made when first used."""

WHILE_CLOSED = (
    *(Comment, EffectResult, Reopen, AgencyReply, FollowOnClosed, FollowOnReopened, RelatedNote),
    *(DuplicateAttached, DuplicateDetached, OriginalReopened),
)
"""What a closed request still takes: a remark, the reports of effects that were under way, being opened again, a reply
that comes too late, and what its parent, its follow-ons and its duplicates have to tell."""
WHILE_ATTACHED = (
    *(AgencyReply, Amend, Cancel, Comment, Detach, EffectResult, Move, SourceClosed, Tick),
    *(DuplicateAttached, DuplicateDetached, OriginalAttached, OriginalClosed, OriginalReopened),
    *(FollowOnClosed, FollowOnReopened, ParentLeft, RelatedNote),
)
"""What an attached request still takes; all else is for its original."""
