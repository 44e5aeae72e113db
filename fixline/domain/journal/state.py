"""The state of one service request: immutable records that `advance` reads and `evolve` makes anew.

A state serialises to JSON and is stored whole with each decision. All instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from msgspec import field
from msgspec.json import Decoder

from fixline.domain.deadlines.span import Span
from fixline.domain.definition.vocabulary import CloseOutcome, Priority
from fixline.domain.process.commands import ParentLink, Place
from fixline.domain.records import Record, from_json

ON_HOLD = "on_hold"


class TaskState(StrEnum):
    """offered -> claimed -> started -> completed | withdrawn; declined and released go back to offered."""

    OFFERED = "offered"
    CLAIMED = "claimed"
    STARTED = "started"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self in _OPEN


_OPEN = frozenset({TaskState.OFFERED, TaskState.CLAIMED, TaskState.STARTED})


def task_id(request_id: str, number: int) -> str:
    """The id of a request's task, by its number: 1, 2, 3 ..."""
    return f"{request_id}-T{number}"


def request_of_task(task: str) -> str:
    """The request that a task's id names; there may be neither."""
    return task.rpartition("-T")[0]


class Task(Record, frozen=True):
    """One piece of work of one visit of a step. `offers` counts how often it was put to its team."""

    id: str
    step: str
    visit: int
    kind: Literal["dispatch", "inspection", "task"]
    title: str
    team: str
    offered_at: datetime
    state: TaskState = TaskState.OFFERED
    assignee: str | None = None
    by_rule: bool = False
    offers: int = 1
    claimed_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    form: dict[str, Any] = field(default_factory=dict)
    photos: tuple[str, ...] = ()


class ClockState(StrEnum):
    """running <-> paused -> met | ended. Breach is an instant on the clock, not a state: a late clock runs on."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    ENDED = "ended"

    @property
    def live(self) -> bool:
        """Whether the clock can still become due."""
        return self in _LIVE


_LIVE = frozenset({ClockState.RUNNING, ClockState.PAUSED})


class ClockKind(StrEnum):
    """What a clock measures: a deadline of the request, a task waiting to be claimed, a task to be done."""

    DEADLINE = "deadline"
    CLAIM = "claim"
    DUE = "due"


class Stretch(Record, frozen=True):
    """A stretch of time during which a clock ran; `until` is None while it runs."""

    since: datetime
    until: datetime | None = None


class Clock(Record, frozen=True):
    """A budget and the ledger of the stretches in which it was spent; `due_at` is derived and recorded.

    `due_at` is None while the clock is paused before its breach. `fired` counts the firings of each rung
    of its ladder, those that had passed before a backlog request came in included. `not_before` keeps a
    changed budget from putting due into the past. `deadline` names the definition's deadline where the
    clock's own name is another: a request that is reopened has a second clock of the same deadline, resolve.2.
    """

    name: str
    kind: ClockKind
    budget: Span
    started_at: datetime
    stretches: tuple[Stretch, ...]
    task: str | None = None
    step: str | None = None
    state: ClockState = ClockState.RUNNING
    due_at: datetime | None = None
    not_before: datetime | None = None
    breached_at: datetime | None = None
    ended_at: datetime | None = None
    fired: tuple[int, ...] = ()
    last_rung: str | None = None
    deadline: str | None = None

    @property
    def promise(self) -> str:
        """The definition's deadline whose clock this is (of a task's clock its own name)."""
        return self.deadline or self.name


class Position(Record, frozen=True):
    """Where the request, or one of its branches, is: the step, which visit of it, and what it waits for."""

    step: str
    visit: int
    entered_at: datetime
    waiting_as: str | None = None
    wait_until: datetime | None = None


class Visit(Record, frozen=True):
    """A step that was entered and left again; outcome None: withdrawn or sent back. `branch`: the one it was in."""

    step: str
    visit: int
    entered_at: datetime
    left_at: datetime
    outcome: str | None = None
    branch: str | None = None


class Child(Record, frozen=True):
    """A follow-on of this request: its type, the step that it was opened for, and what it has come to.

    `entered_at` is when that visit of the step began; None when the step had been left before the follow-on was opened.
    """

    type: str
    step: str
    entered_at: datetime | None = None
    status: Literal["open", "closed"] = "open"
    outcome: CloseOutcome | None = None


class HoldRecord(Record, frozen=True):
    """A hold: since when, why, by whom. `code` is one of the definition's `holds`, where it has any."""

    since: datetime
    reason: str
    by: str
    code: str | None = None


class RequestState(Record, frozen=True):
    """Everything that the next decision about a request depends on.

    `decision` and `seq` are the numbers of the last decision and the last journal entry. `floor` is the
    priority below which recomputation does not go. While a together step runs, `position` is that step,
    `branches` says where each running branch is, and `joined` names those that have come to their end.
    `reopened` counts how often a closed request was opened again,
    last at `reopened_at`; `former_clocks` names the clocks of the lives before and of the types it had before.
    `attached_to` is the request of which this one is a duplicate, and while it is open it is nowhere in its steps;
    `attached` are the duplicates of this one. `detached_at` is when it began to be looked at on its own again.
    """

    id: str
    type: str
    version: str
    opened_at: datetime
    decision: int
    seq: int
    decided_at: datetime
    priority: Priority
    schema_: int = field(default=1, name="schema")
    status: Literal["open", "closed"] = "open"
    outcome: CloseOutcome | None = None
    closed_at: datetime | None = None
    floor: Priority | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    place: Place | None = None
    areas: dict[str, str] = field(default_factory=dict)
    description: str = ""
    photos: tuple[str, ...] = ()
    channel: str = "api"
    external_id: str | None = None
    has_contact: bool = False
    backlog: bool = False
    position: Position | None = None
    branches: dict[str, Position] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    visits: dict[str, int] = field(default_factory=dict)
    taken: tuple[Visit, ...] = ()
    hold: HoldRecord | None = None
    tasks: dict[str, Task] = field(default_factory=dict)
    tasks_made: int = 0
    clocks: dict[str, Clock] = field(default_factory=dict)
    former_clocks: tuple[str, ...] = ()
    reopened: int = 0
    reopened_at: datetime | None = None
    parent: ParentLink | None = None
    children: dict[str, Child] = field(default_factory=dict)
    attached_to: str | None = None
    attached: tuple[str, ...] = ()
    detached_at: datetime | None = None

    @property
    def closed(self) -> bool:
        """Whether the request has been closed."""
        return self.status == "closed"

    @property
    def open_tasks(self) -> list[Task]:
        """The tasks that somebody still has to do something about."""
        return [task for task in self.tasks.values() if task.state in _OPEN]

    @property
    def live_clocks(self) -> list[Clock]:
        """The clocks that can still become due, in the order of their start."""
        return [clock for clock in self.clocks.values() if clock.state in _LIVE]

    @property
    def counted_from(self) -> datetime:
        """From when the request's deadlines count: its opening, or the last time it was opened again or detached."""
        return max(at for at in (self.opened_at, self.reopened_at, self.detached_at) if at)

    @property
    def promises(self) -> dict[str, Clock]:
        """The clocks of the present life's deadlines, by deadline; the last one of each."""
        return {
            clock.promise: clock
            for clock in self.clocks.values()
            if clock.kind is ClockKind.DEADLINE and clock.name not in self.former_clocks
        }

    @property
    def dues(self) -> dict[str, datetime | None]:
        """When the live clocks of the present life's deadlines are due, by deadline."""
        return {name: clock.due_at for name, clock in self.promises.items() if clock.state.live}

    @property
    def deadline_clocks(self) -> tuple[str, ...]:
        """The names of all clocks that deadlines have had so far."""
        return tuple(clock.name for clock in self.clocks.values() if clock.kind is ClockKind.DEADLINE)

    @property
    def conditions(self) -> frozenset[str]:
        """The states the request is in that deadlines may pause for: on_hold, its code, waiting_as names."""
        states = {position.waiting_as for position in self.positions if position.waiting_as}
        if self.hold:
            states |= {ON_HOLD, self.hold.code} if self.hold.code else {ON_HOLD}
        return frozenset(states)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Everywhere that the request is: at its step, and in each running branch of that step."""
        return () if self.position is None else (self.position, *self.branches.values())

    def position_of(self, step: str) -> Position | None:
        """The request's visit of that step; None when it is not there."""
        return next((position for position in self.positions if position.step == step), None)


_DECODER = Decoder(RequestState, dec_hook=from_json)


def read_state(text: str) -> RequestState:
    """A stored state. Raises msgspec.ValidationError for one that this release cannot have written."""
    return _DECODER.decode(text)
