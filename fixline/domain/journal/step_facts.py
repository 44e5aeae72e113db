"""What journal entries say of steps and their tasks: entered, left, waited at; offered, claimed, done, taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import field
from msgspec.structs import asdict

from fixline.domain.journal.facts import Changes, Fact
from fixline.domain.journal.state import Position, RequestState, Task, TaskState, Visit
from fixline.domain.records import change


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


class AgencyAsked(Fact, frozen=True):
    """An outside party was asked."""

    agency: str
    step: str
    visit: int
    channel: str | None


class AgencyReplied(Fact, frozen=True):
    """The outside party has answered."""

    agency: str
    step: str
    outcome: str
    reference: str = ""
    reason: str = ""


class LateReply(AgencyReplied, frozen=True):
    """The outside party answered when nobody waited for it any more."""


class CallAnswered(Fact, frozen=True):
    """A department's system has answered."""

    system: str
    step: str
    visit: int
    outcome: str


class TaskOffered(Fact, frozen=True):
    """A task was put to its team; stored as the task is."""

    task: Task
    whole = "task"

    def changes(self, state: RequestState, _at: datetime, _actor: str) -> Changes:
        return {"tasks": {**state.tasks, self.task.id: self.task}, "tasks_made": state.tasks_made + 1}


_SINCE = {TaskState.OFFERED: "offered_at", TaskState.CLAIMED: "claimed_at", TaskState.STARTED: "started_at"}
"""The field of a task that keeps when its state began; `ended_at` for the others."""


class _OfTask(Fact, frozen=True):
    """Something that changes a task: what it says of it holds from then on, and so does `becomes`."""

    task: str

    becomes: ClassVar[TaskState | None] = None

    def of_task(self, _task: Task) -> Changes:
        """What is different in the task."""
        different = asdict(self)
        del different["task"]
        return different

    def changes(self, state: RequestState, at: datetime, _actor: str) -> Changes:
        task = state.tasks[self.task]
        different = self.of_task(task)
        if self.becomes is not None:
            different["state"] = self.becomes
            different[_SINCE.get(self.becomes, "ended_at")] = at
        return {"tasks": {**state.tasks, self.task: change(task, **different)}}


class TaskClaimed(_OfTask, frozen=True):
    """Somebody has the task, whom the team's rule may have given it to."""

    assignee: str
    by_rule: bool = False
    becomes = TaskState.CLAIMED


class TaskStarted(_OfTask, frozen=True):
    """The holder has begun."""

    becomes = TaskState.STARTED


class _OfferedAgain(_OfTask, frozen=True):
    """The task is its team's again."""

    reason: str = ""
    becomes = TaskState.OFFERED

    def of_task(self, task: Task) -> Changes:
        nobody = {"assignee": None, "by_rule": False, "claimed_at": None, "started_at": None}
        return {**nobody, "offers": task.offers + 1}


class TaskReleased(_OfferedAgain, frozen=True):
    """The holder gave the task back."""


class TaskDeclined(_OfferedAgain, frozen=True):
    """The crew will not do it."""


class TaskReassigned(_OfferedAgain, frozen=True, kw_only=True):
    """The task was put to another team, or to the same one anew."""

    team: str

    def of_task(self, task: Task) -> Changes:
        return {**super().of_task(task), "team": self.team}


class TaskMoved(_OfTask, frozen=True):
    """The task is of another step in another version."""

    step: str
    title: str
    kind_: Literal["dispatch", "inspection", "task"] = field(name="kind")

    def of_task(self, _task: Task) -> Changes:
        return {"step": self.step, "title": self.title, "kind": self.kind_}


class TaskCompleted(_OfTask, frozen=True):
    """The work is done."""

    outcome: str
    form: dict[str, Any] = field(default_factory=dict)
    photos: tuple[str, ...] = ()
    becomes = TaskState.COMPLETED


class TaskWithdrawn(_OfTask, frozen=True):
    """The task was taken back."""

    becomes = TaskState.WITHDRAWN
