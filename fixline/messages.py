"""The messages that cross Temporal: what the workflow, its activities and the doorbell say to each other.

Owns plain dataclasses of the standard library and nothing else, because the workflow's sandbox loads
this module. It must not import any other module of Fixline. Every message carries numbers, instants and
names; never free text, contact data or a rule. Fields are only ever added, with a default, so that the
histories of earlier releases still decode.
"""

from dataclasses import dataclass, field
from datetime import datetime

MESSAGE_SCHEMA = 1

WORKFLOW_NAME = "ServiceRequest"
ADVANCE_ACTIVITY = "advance"


@dataclass(frozen=True)
class Bell:
    """What a doorbell says: a command of this kind waits in the inbox under this number."""

    kind: str
    number: int
    schema: int = MESSAGE_SCHEMA


@dataclass(frozen=True)
class Rung:
    """A doorbell's answer: the number of the last decision when the inbox had been emptied."""

    decision: int
    schema: int = MESSAGE_SCHEMA


@dataclass(frozen=True)
class AdvanceOrder:
    """Ask the store to apply whatever waits in the request's inbox.

    `now` is the workflow's time, `armed_at` the instant for which its timer was set (both aware UTC).
    `first` is true for the first call of a run: the store then notes that the request has a shell. `known`
    is the highest decision the workflow has seen: a store that is behind it was restored from an old backup.
    """

    request_id: str
    now: datetime
    armed_at: datetime | None = None
    first: bool = False
    known: int = 0
    schema: int = MESSAGE_SCHEMA


@dataclass(frozen=True)
class EffectOrder:
    """One effect that has not been taken yet: its id (request:decision:n), the activity that takes it, its reach.

    `reach` is "store" for effects that stay within the store (run as local activities) and "outside" for
    those that leave it (run as regular activities with a retry policy).
    """

    effect_id: str
    kind: str
    reach: str
    schema: int = MESSAGE_SCHEMA


@dataclass(frozen=True)
class EffectTask:
    """An effect's activity's argument: which effect of which request, and the workflow's time (aware UTC)."""

    request_id: str
    effect_id: str
    now: datetime
    schema: int = MESSAGE_SCHEMA


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
class Advanced:
    """What the workflow needs to know after the store has decided.

    `decision` is the number of the last decision, `effects` every effect not yet taken, `next_at` the next
    instant (aware UTC) at which something falls due, None when nothing does. A `closed` request with no
    effect left has nothing more to do. `attributes` are the search attributes that the workflow should have by now;
    None (also of earlier releases) leaves those that it has. `wake_at` is when the timer for `next_at` should fire: a
    little later than that where many fall due at once; None (also of earlier releases) is at `next_at`.
    """

    decision: int
    closed: bool
    next_at: datetime | None
    effects: list[EffectOrder] = field(default_factory=list)
    summary: Summary = field(default_factory=Summary)
    schema: int = MESSAGE_SCHEMA
    attributes: Attributes | None = None
    wake_at: datetime | None = None


@dataclass(frozen=True)
class Shell:
    """The workflow's argument: which request it is the shell of, and what it carries over `continue as new`.

    `armed_at` (aware UTC) is the instant for which the previous run's timer was set: an instant, never a
    duration. `runs` counts the runs of this request that continued as new. `opened` is what the opening, decided
    at the door, asks for: with it the shell need not look into the store before it takes the first effects.
    `known` is the highest decision that the runs before have seen, `attributes` the search attributes that they set.
    """

    request_id: str
    armed_at: datetime | None = None
    runs: int = 0
    opened: Advanced | None = None
    known: int = 0
    schema: int = MESSAGE_SCHEMA
    attributes: Attributes | None = None
