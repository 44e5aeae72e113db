"""What journal entries say of a request and of its kin: one class for each kind, and how it changes the state.

A fact says what happened, instants included, and never what a reader can tell from its kind; the entry that it stands
in says when, and who did it. A kind keeps its meaning for ever: a new meaning is a new kind.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from msgspec import field
from msgspec.structs import asdict

from fixline.domain.definition.vocabulary import CloseOutcome, Priority
from fixline.domain.journal.state import Child, HoldRecord, Position, RequestState
from fixline.domain.process.commands import ParentLink, Place
from fixline.domain.records import OfKinds, change, to_data

Changes = dict[str, Any]
"""Fields of a record, with other values."""


class Fact(OfKinds, frozen=True):
    """Base of all; by itself it changes nothing."""

    whole: ClassVar[str] = ""
    """The field as which it is stored, where it has that one alone."""

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        """What is different in the state after it happened, then (aware UTC), by that actor."""
        return {}

    def data(self) -> dict[str, Any]:
        """The fact as JSON; `read` of its class reads it again."""
        found: dict[str, Any] = to_data(getattr(self, self.whole) if self.whole else self)
        return found

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        return super().read({cls.whole: data} if cls.whole else data)


class _OfRequest(Fact, frozen=True):
    """What it says in the state's own words, the fields that both have, holds from then on, and so does `also`."""

    also: ClassVar[Changes] = {}

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        said = {name: value for name, value in asdict(self).items() if name in RequestState.__struct_fields__}
        return said | self.also


class Opened(Fact, frozen=True):
    """A report was accepted: the journal's first entry."""

    id: str
    type: str
    version: str
    opened_at: datetime
    priority: Priority
    answers: dict[str, Any]
    place: Place | None = None
    areas: dict[str, str] = field(default_factory=dict)
    description: str = ""
    photos: tuple[str, ...] = ()
    channel: str = "api"
    external_id: str | None = None
    has_contact: bool = False
    backlog: bool = False
    parent: ParentLink | None = None

    def state(self, decision: int, seq: int, at: datetime) -> RequestState:
        """The first state."""
        return RequestState(**asdict(self), decision=decision, seq=seq, decided_at=at)


class AnswersChanged(Fact, frozen=True):
    """Answers were given or put right."""

    answers: dict[str, Any]
    reason: str = ""

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"answers": {**state.answers, **self.answers}}


class PlaceChanged(_OfRequest, frozen=True):
    """The place was put right."""

    place: Place
    areas: dict[str, str]
    reason: str
    outside: bool = False


class DescriptionChanged(_OfRequest, frozen=True):
    """The description was put right."""

    description: str
    reason: str


class PriorityChanged(_OfRequest, frozen=True):
    """The priority is another: by the answers, a rung, or a person (`by_hand`)."""

    priority: Priority
    floor: Priority | None
    reason: str = ""
    by_hand: bool = False


class ConditionUndecided(Fact, frozen=True):
    """A condition counted as false for want of these answers."""

    missing: tuple[str, ...]


class Commented(Fact, frozen=True):
    """A remark."""


class Held(Fact, frozen=True):
    """The request was put on hold."""

    reason: str
    code: str | None = None

    def changes(self, _state: RequestState, at: datetime, actor: str) -> Changes:
        return {"hold": HoldRecord(since=at, by=actor, reason=self.reason, code=self.code)}


class Resumed(_OfRequest, frozen=True):
    """The hold has ended."""

    reason: str
    also: ClassVar[Changes] = {"hold": None}


class Closed(_OfRequest, frozen=True):
    """The request was closed."""

    outcome: CloseOutcome
    closed_at: datetime
    also: ClassVar[Changes] = {"status": "closed", "hold": None}


class Reopened(Fact, frozen=True):
    """A closed request was opened again; `attached_to` says of which it still is a duplicate."""

    outcome_before: CloseOutcome | None
    reason: str = ""
    attached_to: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        open_again: Changes = {"status": "open", "outcome": None, "closed_at": None, "visits": {}}
        lives = {"reopened": state.reopened + 1, "reopened_at": at, "former_clocks": state.deadline_clocks}
        return {**open_again, **lives, "attached_to": self.attached_to}


class Recategorised(_OfRequest, frozen=True):
    """The request goes on as another type."""

    type: str
    version: str
    from_type: str
    from_version: str
    answers: dict[str, Any]
    dropped: list[str]
    priority: Priority
    reason: str

    def changes(self, state: RequestState, at: datetime, actor: str) -> Changes:
        return {**super().changes(state, at, actor), "visits": {}, "former_clocks": state.deadline_clocks}


class Moved(_OfRequest, frozen=True):
    """The request goes on by another version: where it stands then, and how its steps are called there."""

    version: str
    from_version: str
    steps: dict[str, str]
    position: Position | None
    branches: dict[str, Position]
    visits: dict[str, int]
    reason: str


class RelatedCommented(Fact, frozen=True):
    """A remark was left on the parent or a follow-on."""

    other: str
    by: str
    text: str


class FollowOnOpened(Fact, frozen=True):
    """A follow-on was opened; `entered_at`: when the step began that waits for it, None when it was left meanwhile."""

    child: str
    type: str
    step: str
    entered_at: datetime | None = None

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"children": {**state.children, self.child: Child(self.type, self.step, self.entered_at)}}


class FollowOnFailed(Fact, frozen=True):
    """No follow-on could be opened."""

    type: str
    step: str
    reason: str


class FollowOnClosed(Fact, frozen=True):
    """A follow-on has ended."""

    child: str
    outcome: CloseOutcome

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        child = change(state.children[self.child], status="closed", outcome=self.outcome)
        return {"children": {**state.children, self.child: child}}


class FollowOnReopened(Fact, frozen=True):
    """A follow-on that had ended was opened again."""

    child: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        child = change(state.children[self.child], status="open", outcome=None)
        return {"children": {**state.children, self.child: child}}


class ParentLeft(Fact, frozen=True):
    """The request for which this one was opened no longer waits for it."""

    parent: str


class Attached(_OfRequest, frozen=True):
    """The request is a duplicate of an older one."""

    attached_to: str = field(name="to")
    reason: str | None = None
    also: ClassVar[Changes] = {"attached": (), "hold": None}


class Reattached(_OfRequest, frozen=True):
    """Its original is itself a duplicate: the request follows to that one's."""

    attached_to: str = field(name="to")


class Detached(Fact, frozen=True):
    """The request is looked at on its own again."""

    original: str | None
    reason: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        return {"attached_to": None, "detached_at": at, "former_clocks": state.deadline_clocks}


class DuplicateAttached(Fact, frozen=True):
    """Another request was found to be a duplicate of this one."""

    duplicate: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached": (*state.attached, self.duplicate)}


class DuplicateDetached(Fact, frozen=True):
    """A duplicate goes its own way."""

    duplicate: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached": tuple(each for each in state.attached if each != self.duplicate)}


class DuplicateSentOn(Fact, frozen=True):
    """A duplicate was told of the older request of which this one is a duplicate itself."""

    duplicate: str
    to: str


class OriginalClosed(Fact, frozen=True):
    """The original has closed."""

    original: str
    outcome: CloseOutcome
