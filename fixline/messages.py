"""The messages that cross Temporal: what the workflow, its activities and whoever signals it say to each other.

Dataclasses of the standard library, because the workflow's sandbox loads this module. They carry numbers, instants and
names; never free text, contact data or a rule. Fields are only ever added, with a default, so that the histories of
earlier releases still decode.
"""

from dataclasses import dataclass, field
from datetime import datetime

MESSAGE_SCHEMA = 1

WORKFLOW_NAME = "ServiceRequest"
DECIDE_DUE_ACTIVITY = "decide_due"


@dataclass(frozen=True)
class PendingEffect:
    """One effect that has not been taken yet: its id (request:decision:n), the activity that takes it, its reach.

    `reach` is "store" for effects that stay within the store (run as local activities) and "outside" for
    those that leave it (run as regular activities with a retry policy). Effects of one kind with the same `batch` are
    taken by one activity, unless it is empty.
    """

    effect_id: str
    kind: str
    reach: str
    batch: str = ""


@dataclass(frozen=True)
class Summary:
    """A few words about the request for whoever looks in Temporal's own UI; no free text, no contact data."""

    type: str = ""
    status: str = ""
    outcome: str | None = None
    step: str | None = None
    priority: str = ""


@dataclass(frozen=True)
class Attributes:
    """By what Temporal's own lists find the request: its search attributes. `due` (aware UTC) is the promised date."""

    type: str | None = None
    department: str | None = None
    team: str | None = None
    area: str | None = None
    status: str | None = None
    priority: str | None = None
    due: datetime | None = None


@dataclass(frozen=True)
class PendingWork:
    """What is left to do for a request after its last decision: the content of a signal, and of an activity's answer.

    It says the state, never a difference: of two the one with the higher `decision` holds, whichever comes first.
    `effects` are all that have not been taken, `next_at` is the next instant (aware UTC) at which something falls due,
    None when nothing does; `wake_at` is when the timer for it should fire, a little later where many fall due at once,
    None at that instant. A `closed` request with no effect left has nothing more to do. `waiting` commands are those
    that a fault of ours has kept from being decided: the activity that decides what is due tries them.
    `attributes` are the search attributes that the workflow should have by now; None leaves those that it has.
    """

    decision: int
    closed: bool
    next_at: datetime | None
    wake_at: datetime | None = None
    effects: list[PendingEffect] = field(default_factory=list)
    waiting: int = 0
    summary: Summary = field(default_factory=Summary)
    attributes: Attributes | None = None
    schema: int = MESSAGE_SCHEMA

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.closed and not self.effects and not self.waiting


@dataclass(frozen=True)
class WorkflowInput:
    """The workflow's argument: which request it runs, and what it carries over `continue as new`.

    `runs` counts the runs before this one. `armed_at` (aware UTC) is the instant for which the previous run's timer
    was set: an instant, never a duration. `known` is the highest decision that the runs before have seen. `look` says
    that the signal it comes with may be late: the run looks into the store first.
    """

    request_id: str
    runs: int = 0
    armed_at: datetime | None = None
    known: int = 0
    look: bool = False
    schema: int = MESSAGE_SCHEMA


@dataclass(frozen=True)
class DueInput:
    """Ask the store to decide what is due by now.

    `now` is the workflow's time, `armed_at` the instant for which its timer was set (both aware UTC). `unarmed` says
    that the run has no timer: the answer says when to wake, also where the next instant is the same. `known` is the
    highest decision that the workflow has seen: a store that is behind it was restored from an old backup.
    """

    request_id: str
    now: datetime
    armed_at: datetime | None = None
    unarmed: bool = False
    known: int = 0
    schema: int = MESSAGE_SCHEMA


@dataclass(frozen=True)
class EffectInput:
    """Ask for an effect to be taken: which one of which request, and the workflow's time (aware UTC).

    `also` are others of its kind and batch, to be taken with it.
    """

    request_id: str
    effect_id: str
    now: datetime
    also: list[str] = field(default_factory=list)
    schema: int = MESSAGE_SCHEMA

    @property
    def effect_ids(self) -> list[str]:
        """All that are to be taken."""
        return [self.effect_id, *self.also]


@dataclass(frozen=True)
class WorkflowSignal:
    """A signal on its way to a request's workflow: named after the command that led to it, saying what is left to do.

    `starts` says that the request has just been opened: there is no workflow yet.
    """

    request_id: str
    name: str
    work: PendingWork
    starts: bool = False
