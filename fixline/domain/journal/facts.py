"""What journal entries say: one class for each kind, with its fields and how it changes the state.

Owns the kinds. A fact says what happened, instants included, and never what a reader can tell from its kind; the entry
that it stands in (`fixline.domain.journal.entry`) says when, and who did it. A kind keeps its meaning for ever: a new
meaning is a new kind. A field that is as by default is left out of what is stored.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from msgspec import field

from fixline.domain.definition.vocabulary import CloseOutcome, Priority
from fixline.domain.journal.state import (
    ClockKind,
    HoldRecord,
    Position,
    RequestState,
)
from fixline.domain.process.commands import ParentLink, Place
from fixline.domain.records import Record, from_data, to_data

Changes = dict[str, Any]
"""Fields of a record, with other values."""

FACTS: dict[str, type[Fact]] = {}
"""The class of each kind of entry."""


class Fact(Record, frozen=True, omit_defaults=True):
    """Base of all; by itself it changes nothing. `kind` is the class's name in small letters: `task_claimed`."""

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **_: Any) -> None:
        if not cls.__name__.startswith("_"):
            cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
            FACTS[cls.kind] = cls

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        """What is different in the state after it happened, then (aware UTC), by that actor."""
        return {}

    def data(self) -> dict[str, Any]:
        """The fact as JSON; `from_data` of its class reads it again."""
        found: dict[str, Any] = to_data(self)
        return found

    @classmethod
    def read(cls, data: dict[str, Any]) -> Fact:
        """The fact that `data` was made of. Raises msgspec.ValidationError."""
        return from_data(cls, data)


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
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        return RequestState(**said, decision=decision, seq=seq, decided_at=at)


class AnswersChanged(Fact, frozen=True):
    """Answers were given or put right."""

    answers: dict[str, Any]
    reason: str = ""

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"answers": {**state.answers, **self.answers}}


class PlaceChanged(Fact, frozen=True):
    """The place was put right."""

    place: Place
    areas: dict[str, str]
    reason: str
    outside: bool = False

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"place": self.place, "areas": self.areas}


class DescriptionChanged(Fact, frozen=True):
    """The description was put right."""

    description: str
    reason: str

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"description": self.description}


class PriorityChanged(Fact, frozen=True):
    """The priority is another: by the answers, a rung, or a person (`by_hand`)."""

    priority: Priority
    floor: Priority | None
    reason: str = ""
    by_hand: bool = False

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"priority": self.priority, "floor": self.floor}


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


class Resumed(Fact, frozen=True):
    """The hold has ended."""

    reason: str

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"hold": None}


class Closed(Fact, frozen=True):
    """The request was closed."""

    outcome: CloseOutcome
    closed_at: datetime

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"status": "closed", "outcome": self.outcome, "closed_at": self.closed_at, "hold": None}


class Reopened(Fact, frozen=True):
    """A closed request was opened again; `attached_to` says of which it still is a duplicate."""

    outcome_before: CloseOutcome | None
    reason: str = ""
    attached_to: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        open_again: Changes = {"status": "open", "outcome": None, "closed_at": None, "visits": {}}
        lives = {"reopened": state.reopened + 1, "reopened_at": at, "former_clocks": deadlines_so_far(state)}
        return {**open_again, **lives, "attached_to": self.attached_to}


def deadlines_so_far(state: RequestState) -> tuple[str, ...]:
    return tuple(clock.name for clock in state.clocks.values() if clock.kind is ClockKind.DEADLINE)


class Recategorised(Fact, frozen=True):
    """The request goes on as another type."""

    type: str
    version: str
    from_type: str
    from_version: str
    answers: dict[str, Any]
    dropped: list[str]
    priority: Priority
    reason: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        fresh = {name: getattr(self, name) for name in ("type", "version", "answers", "priority")}
        return {**fresh, "visits": {}, "former_clocks": deadlines_so_far(state)}


class Moved(Fact, frozen=True):
    """The request goes on by another version: where it stands then, and how its steps are called there."""

    version: str
    from_version: str
    steps: dict[str, str]
    position: Position | None
    branches: dict[str, Position]
    visits: dict[str, int]
    reason: str

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {name: getattr(self, name) for name in ("version", "visits", "position", "branches")}
