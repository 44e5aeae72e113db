"""Tasks over HTTP: what crews list, claim, start, complete, decline and give back.

A crew sees and does its own teams' tasks, a supervisor those of the department's teams.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import TaskState
from fixline.domain.process.commands import Claim, Complete, Decline, Reassign, Release, Start
from fixline.domain.process.kinds.human import HumanStep
from fixline.service.request_view import NO_STATE
from fixline.store.queries.tasks import OPEN_STATES, TaskFilter, list_tasks, read_task
from fixline.web.auth import LEADS, STAFF, CallerOf, allow, guarded_router
from fixline.web.command_handler import Answer, HandlerOf
from fixline.web.commands import ToSomebody, verb
from fixline.web.paging import Page, read_cursor, write_cursor
from fixline.web.parts import PartsOf
from fixline.web.problems import described
from fixline.web.schemas import Body, FormFieldOut, Instant, Name, Photo, Reason, Remark, Text

router = guarded_router("/tasks", "tasks")
StateName = Literal["offered", "claimed", "started", "completed", "withdrawn", "open", "any"]


def _open() -> list[StateName]:
    return ["open"]


class TaskQuery(Page):
    """Which tasks are listed, those offered first first."""

    team: list[Text] = Field(default_factory=list, max_length=50, description="May be given several times.")
    state: list[StateName] = Field(
        default_factory=_open,
        max_length=7,
        description="`open` (offered, claimed, started) by default; `any` for all; may be given several times.",
    )
    assignee: Text | None = None
    due_before: Instant | None = None

    @property
    def states(self) -> list[str]:
        """The states that are meant."""
        if "any" in self.state:
            return [state.value for state in TaskState]
        states = {state for state in self.state if state != "open"}
        return sorted(states | set(OPEN_STATES) if "open" in self.state else states)


class TaskRequestLine(BaseModel):
    """The request that a task is about."""

    id: str
    type: str
    title: str | None
    status: str
    priority: str | None
    address: str | None
    latitude: float | None
    longitude: float | None
    description: str


class TaskRequestOut(TaskRequestLine):
    """The same, with what its reporter answered and where it is."""

    department: str | None
    answers: dict[str, Any]
    areas: dict[str, str]
    photos: list[str]


class TaskLine(BaseModel):
    """A task in a list."""

    id: str
    state: str
    step: str
    kind: str
    title: str
    team: str
    assignee: str | None
    offered_at: datetime
    due_at: datetime | None
    request: TaskRequestLine


class TaskPage(BaseModel):
    """A page of tasks."""

    items: list[TaskLine]
    next: str | None


class TaskOut(BaseModel):
    """One task: what is asked of the crew, and what it recorded."""

    id: str
    state: str
    step: str
    visit: int
    kind: str
    title: str
    team: str
    assignee: str | None
    offered_at: datetime
    claimed_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None
    outcomes: list[str] = Field(description="The outcomes with which it can be completed.")
    form: dict[str, FormFieldOut]
    outcome: str | None = Field(description="The outcome with which it was completed.")
    recorded: dict[str, Any] = Field(description="What was answered in the form.")
    photos: list[str]
    request: TaskRequestOut


@router.get("", summary="List tasks", dependencies=[allow(STAFF)])
async def get_tasks(query: Annotated[TaskQuery, Query()], parts: PartsOf, caller: CallerOf) -> TaskPage:
    """The open tasks that the caller may see, those offered first first."""
    for team in query.team:
        caller.check_team(team, parts.organisation)
    bound = query.bound()
    after = read_cursor(query.cursor, bound)
    teams = query.team or caller.teams(parts.organisation)
    wanted = TaskFilter(query.states, teams, query.assignee, query.due_before)
    lines, key = await parts.read(lambda s: list_tasks(s, wanted, after, query.limit))
    return TaskPage.model_validate({"items": lines, "next": write_cursor(key, bound)})


@router.get("/{task_id}", summary="One task", dependencies=[allow(STAFF)], responses=described(404))
async def get_task(task_id: str, parts: PartsOf, caller: CallerOf) -> TaskOut:
    """What is asked: the outcomes, the form of each, and the request that it is about."""

    def read(session: Session) -> TaskOut | None:
        row = read_task(session, task_id)
        if row is None:
            return None
        caller.check_team(row["team"], parts.organisation)
        version = row["request"]["version"]
        return _task_out(row, parts.versions.load(session, version) if version else None)

    return await parts.find(read, "task_unknown", "task")


def _task_out(row: dict[str, Any], definition: Definition | None) -> TaskOut:
    """One task, with its outcomes and its form."""
    step = definition.steps.get(row["step"]) if definition else None
    human = step if isinstance(step, HumanStep) else None
    state = json.loads(row["request"]["state"]) if row["request"]["state"] else NO_STATE
    found = {name: state.get(name, {}) for name in ("answers", "areas")}
    return TaskOut.model_validate(
        {
            **row,
            "outcomes": list(human.outcomes) if human else [],
            "form": human.form if human else {},
            "recorded": row["form"],
            "request": {**row["request"], **found, "photos": state.get("photos", [])},
        }
    )


class ClaimIn(Body):
    """Take a task."""

    assignee: Name | None = Field(None, description="Who takes it; the key's own name by default.")


@verb("/{task_id}/claim", "Take a task", STAFF, router)
async def claim(task_id: str, handler: HandlerOf, body: ClaimIn | None = None) -> Answer:
    """Take an offered task, for oneself or for `assignee`."""
    return await handler.to_task(task_id, Claim, body)


class ReleaseIn(Body):
    """Give a task back to its team."""

    assignee: Name | None = Field(None, description="Who gives it back; the key's own name by default.")
    reason: Remark = ""


@verb("/{task_id}/release", "Give a task back", STAFF, router)
async def release(task_id: str, handler: HandlerOf, body: ReleaseIn | None = None) -> Answer:
    """The team has it again."""
    return await handler.to_task(task_id, Release, body)


class StartIn(Body):
    """Begin the work."""

    assignee: Name | None = Field(None, description="Who begins; the key's own name by default.")


@verb("/{task_id}/start", "Begin the work", STAFF, router)
async def start(task_id: str, handler: HandlerOf, body: StartIn | None = None) -> Answer:
    """Optional; starting an offered task claims it."""
    return await handler.to_task(task_id, Start, body)


class CompleteIn(Body):
    """The work is done."""

    outcome: Name = Field(examples=["done"])
    form: dict[str, Any] = Field(default_factory=dict, examples=[{"potholes_filled": 1, "photo_after": "IMG_0042"}])
    photos: list[Photo] = Field(default_factory=list, max_length=20)
    assignee: Name | None = Field(None, description="Who has done it; the key's own name by default.")


@verb("/{task_id}/complete", "Report the outcome", STAFF, router)
async def complete(task_id: str, body: CompleteIn, handler: HandlerOf) -> Answer:
    """The form is checked for the outcome, and the request goes on. Completing an offered task claims it."""
    return await handler.to_task(task_id, Complete, body)


class DeclineIn(Body):
    """Refuse a task; its team has it again."""

    assignee: Name | None = Field(None, description="Who refuses; the key's own name by default.")
    reason: Reason


@verb("/{task_id}/decline", "Refuse a task", STAFF, router)
async def decline(task_id: str, body: DeclineIn, handler: HandlerOf) -> Answer:
    """Back to the team, with the reason."""
    return await handler.to_task(task_id, Decline, body)


class TaskReassignIn(ToSomebody):
    """Give this task to another team, another person, or both."""

    reason: Reason


@verb("/{task_id}/reassign", "Give a task to another team or person", LEADS, router)
async def reassign(task_id: str, body: TaskReassignIn, handler: HandlerOf) -> Answer:
    """The task is offered anew, or goes straight to one person."""
    body.check_team(handler.parts)
    return await handler.to_task(task_id, Reassign, body)
