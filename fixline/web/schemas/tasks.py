"""Tasks out: lists for crews, and one task with its form."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from fixline.web.schemas.basics import FormFieldOut, Instant, Page, Text

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
