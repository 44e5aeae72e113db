"""What journal entries say of tasks: offered, claimed, begun, done, taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import field

from fixline.domain.journal.facts import Changes, Fact
from fixline.domain.journal.state import RequestState, Task, TaskState
from fixline.domain.records import change, from_data, to_data


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
