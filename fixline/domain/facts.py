"""What journal entries say: one class for each kind, with its fields and how it changes the state.

Owns the kinds. A fact says what happened, instants included, and never what a reader can tell from its kind; the
entry that it stands in (`fixline.domain.journal`) says when, and who did it. A kind keeps its meaning for ever: a new
meaning is a new kind. A field that is as by default is left out of what is stored.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import field

from fixline.domain.calendar import Span
from fixline.domain.commands import ParentLink, Place
from fixline.domain.definition import Priority
from fixline.domain.records import Record, change, from_data, to_data
from fixline.domain.state import (
    Child,
    Clock,
    ClockKind,
    ClockState,
    HoldRecord,
    Position,
    RequestState,
    Stretch,
    Task,
    TaskState,
    Visit,
)
from fixline.domain.steps import CloseOutcome

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


class RelatedCommented(Fact, frozen=True):
    """A remark was left on the parent or a follow-on."""

    other: str
    by: str
    text: str


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
        lives = {"reopened": state.reopened + 1, "reopened_at": at, "former_clocks": _deadlines_so_far(state)}
        return {**open_again, **lives, "attached_to": self.attached_to}


def _deadlines_so_far(state: RequestState) -> tuple[str, ...]:
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
        return {**fresh, "visits": {}, "former_clocks": _deadlines_so_far(state)}


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


class SentBack(Fact, frozen=True):
    """A supervisor sent the request to a step."""

    step: str
    reason: str


class StepEntered(Fact, frozen=True):
    """A step was entered; `waiting_as` and `wait_until` where it waits, `branch` where it stands in one."""

    step: str
    visit: int
    waiting_as: str | None = None
    wait_until: datetime | None = None
    branch: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        position = Position(self.step, self.visit, at, self.waiting_as, self.wait_until)
        return {**_placed(state, self.branch, position), "visits": {**state.visits, self.step: self.visit}}


def _placed(state: RequestState, branch: str | None, position: Position) -> Changes:
    if branch is None:
        return {"position": position}
    return {"branches": {**state.branches, branch: position}}


class StepLeft(Fact, frozen=True):
    """A step was left; without an outcome it was taken back."""

    step: str
    outcome: str | None
    branch: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        position = state.branches.get(self.branch) if self.branch else state.position
        if position is None:
            return {}
        visit = Visit(position.step, position.visit, position.entered_at, at, self.outcome, self.branch)
        taken = {"taken": (*state.taken, visit)}
        if self.branch is None:
            return {"position": None, "branches": {}, "joined": (), **taken}
        return {"branches": {name: each for name, each in state.branches.items() if name != self.branch}, **taken}


class BranchJoined(Fact, frozen=True):
    """A branch has come to its end."""

    branch: str

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"joined": (*state.joined, self.branch)}


class WaitMoved(Fact, frozen=True):
    """A wait ends at another instant, because its date was answered anew."""

    step: str
    wait_until: datetime | None
    branch: str | None = None

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        position = state.branches.get(self.branch) if self.branch else state.position
        return {} if position is None else _placed(state, self.branch, change(position, wait_until=self.wait_until))


class WaitUndated(Fact, frozen=True):
    """A wait ends by an answer that nobody has given yet."""

    step: str
    answer: str


class VisitsWarned(Fact, frozen=True):
    """A step was entered as often as its supervisor wants to be told of."""

    step: str
    visit: int


class SignalReceived(Fact, frozen=True):
    """What a step waited for has happened."""

    name: str


class TaskOffered(Fact, frozen=True):
    """A task was put to its team; stored as the task is."""

    task: Task

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"tasks": {**state.tasks, self.task.id: self.task}, "tasks_made": state.tasks_made + 1}

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = to_data(self.task)
        return found

    @classmethod
    def read(cls, data: dict[str, Any]) -> TaskOffered:
        return cls(from_data(Task, data))


class _OfTask(Fact, frozen=True):
    """Something that changes a task."""

    task: str

    def of_task(self, _task: Task, _at: datetime) -> Changes:
        """What is different in the task."""
        return {}

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        task = state.tasks[self.task]
        return {"tasks": {**state.tasks, self.task: change(task, **self.of_task(task, at))}}


class TaskClaimed(_OfTask, frozen=True):
    """Somebody has the task, whom the team's rule may have given it to."""

    assignee: str
    by_rule: bool = False

    def of_task(self, _task: Task, at: datetime) -> Changes:
        return {"state": TaskState.CLAIMED, "assignee": self.assignee, "by_rule": self.by_rule, "claimed_at": at}


class TaskStarted(_OfTask, frozen=True):
    """The holder has begun."""

    def of_task(self, _task: Task, at: datetime) -> Changes:
        return {"state": TaskState.STARTED, "started_at": at}


class _OfferedAgain(_OfTask, frozen=True):
    """The task is its team's again."""

    reason: str = ""

    def of_task(self, task: Task, at: datetime) -> Changes:
        nobody = {"assignee": None, "by_rule": False, "claimed_at": None, "started_at": None}
        return {"state": TaskState.OFFERED, **nobody, "offered_at": at, "offers": task.offers + 1}


class TaskReleased(_OfferedAgain, frozen=True):
    """The holder gave the task back."""


class TaskDeclined(_OfferedAgain, frozen=True):
    """The crew will not do it."""


class TaskReassigned(_OfferedAgain, frozen=True, kw_only=True):
    """The task was put to another team, or to the same one anew."""

    team: str

    def of_task(self, task: Task, at: datetime) -> Changes:
        return {**_OfferedAgain.of_task(self, task, at), "team": self.team}


class TaskMoved(_OfTask, frozen=True):
    """The task is of another step in another version."""

    step: str
    title: str
    kind_: Literal["dispatch", "inspection", "task"] = field(name="kind")

    def of_task(self, _task: Task, _at: datetime) -> Changes:
        return {"step": self.step, "title": self.title, "kind": self.kind_}


class TaskCompleted(_OfTask, frozen=True):
    """The work is done."""

    outcome: str
    form: dict[str, Any] = field(default_factory=dict)
    photos: tuple[str, ...] = ()

    def of_task(self, _task: Task, at: datetime) -> Changes:
        done = {"outcome": self.outcome, "form": self.form, "photos": self.photos}
        return {"state": TaskState.COMPLETED, "ended_at": at, **done}


class TaskWithdrawn(_OfTask, frozen=True):
    """The task was taken back."""

    def of_task(self, _task: Task, at: datetime) -> Changes:
        return {"state": TaskState.WITHDRAWN, "ended_at": at}


class ClockStarted(Fact, frozen=True):
    """A clock was started; stored as the clock is."""

    clock: Clock

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"clocks": {**state.clocks, self.clock.name: self.clock}}

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = to_data(self.clock)
        return found

    @classmethod
    def read(cls, data: dict[str, Any]) -> ClockStarted:
        return cls(from_data(Clock, data))


class _OfClock(Fact, frozen=True):
    """Something that changes a clock."""

    clock: str

    def of_clock(self, _at: datetime) -> Changes:
        """What is different on the clock."""
        return {}

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        clock = change(state.clocks[self.clock], **self.of_clock(at))
        return {"clocks": {**state.clocks, clock.name: clock}}


class ClockPaused(_OfClock, frozen=True):
    """The clock stands; one that is overdue keeps its due."""

    stretches: tuple[Stretch, ...]
    due_at: datetime | None

    def of_clock(self, _at: datetime) -> Changes:
        return {"state": ClockState.PAUSED, "stretches": self.stretches, "due_at": self.due_at}


class ClockResumed(_OfClock, frozen=True):
    """The clock runs again."""

    stretches: tuple[Stretch, ...]
    due_at: datetime | None

    def of_clock(self, _at: datetime) -> Changes:
        return {"state": ClockState.RUNNING, "stretches": self.stretches, "due_at": self.due_at}


class ClockRebudgeted(_OfClock, frozen=True):
    """Another priority has another budget."""

    budget: Span
    not_before: datetime
    due_at: datetime | None

    def of_clock(self, _at: datetime) -> Changes:
        return {"budget": self.budget, "not_before": self.not_before, "due_at": self.due_at}


class ClockBreached(_OfClock, frozen=True):
    """The budget was spent before the promise was kept."""

    breached_at: datetime | None

    def of_clock(self, _at: datetime) -> Changes:
        return {"breached_at": self.breached_at}


class ClockMet(_OfClock, frozen=True):
    """The promise was kept, perhaps late."""

    stretches: tuple[Stretch, ...]

    def of_clock(self, at: datetime) -> Changes:
        return {"state": ClockState.MET, "stretches": self.stretches, "ended_at": at}


class ClockEnded(_OfClock, frozen=True):
    """The clock ended without having been met."""

    stretches: tuple[Stretch, ...]

    def of_clock(self, at: datetime) -> Changes:
        return {"state": ClockState.ENDED, "stretches": self.stretches, "ended_at": at}


class RungFired(_OfClock, frozen=True):
    """A rung of a ladder: which, for the how-manieth time, at what instant it should have been, and whether late."""

    fired: tuple[int, ...]
    last_rung: str
    rung: int
    time: int
    at: datetime
    late: bool

    def of_clock(self, _at: datetime) -> Changes:
        return {"fired": self.fired, "last_rung": self.last_rung}


class RungsPassed(_OfClock, frozen=True):
    """Rungs that were past when the clock began, of which nobody is told."""

    fired: tuple[int, ...]
    last_rung: str

    def of_clock(self, _at: datetime) -> Changes:
        return {"fired": self.fired, "last_rung": self.last_rung}


class ClockMoved(_OfClock, frozen=True):
    """The clock goes on by another version."""

    budget: Span
    fired: tuple[int, ...]
    not_before: datetime | None
    due_at: datetime | None

    def of_clock(self, _at: datetime) -> Changes:
        return {name: getattr(self, name) for name in ("budget", "fired", "not_before", "due_at")}


class Told(Fact, frozen=True):
    """Whoever holds a role was told of a clock or a step; `person` is None where nobody holds it."""

    role: str
    person: str | None
    clock: str | None = None
    step: str | None = None


class Notified(Fact, frozen=True):
    """An audience was told of an event."""

    event: str
    audience: str
    channel: str | None
    person: str | None = None


class AgencyAsked(Fact, frozen=True):
    """An outside party was asked."""

    agency: str
    step: str
    visit: int
    channel: str | None


class _Reply(Fact, frozen=True):
    """What an outside party has answered."""

    agency: str
    step: str
    outcome: str
    reference: str = ""
    reason: str = ""


class AgencyReplied(_Reply, frozen=True):
    """The outside party has answered."""


class LateReply(_Reply, frozen=True):
    """The outside party answered when nobody waited for it any more."""


class CallAnswered(Fact, frozen=True):
    """A department's system has answered."""

    system: str
    step: str
    visit: int
    outcome: str


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


class Attached(Fact, frozen=True):
    """The request is a duplicate of an older one."""

    to: str
    reason: str | None = None

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached_to": self.to, "attached": (), "hold": None}


class Reattached(Fact, frozen=True):
    """Its original is itself a duplicate: the request follows to that one's."""

    to: str

    def changes(self, _state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"attached_to": self.to}


class Detached(Fact, frozen=True):
    """The request is looked at on its own again."""

    original: str | None
    reason: str | None = None

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        return {"attached_to": None, "detached_at": at, "former_clocks": _deadlines_so_far(state)}


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
