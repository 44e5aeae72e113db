"""Definitions out: what can be reported, and by which rules it is worked on."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from fixline.web.schemas.basics import FormFieldOut


class RedirectOut(BaseModel):
    """Whom to turn to instead."""

    to: str = Field(description="emergency, or the name of a body.")
    say: str


class DuplicatesOut(BaseModel):
    """Which open requests a report may repeat, and what then."""

    within_m: float
    opened_in_last: str
    then: str = Field(description="attach or suggest.")


class DefinitionLine(BaseModel):
    """A request type in the list."""

    type: str
    title: str
    department: str
    group: str | None
    keywords: list[str]
    takes_requests: bool = Field(description="False for a type that only says whom to turn to, in redirect.")
    redirect: RedirectOut | None
    version: int
    hash: str
    published_at: datetime


class DefinitionPage(BaseModel):
    """Every request type, those that take no requests included."""

    items: list[DefinitionLine]
    next: str | None = None


class StepOut(BaseModel):
    """One step: dispatch, inspection and task are for people; the other kinds happen by themselves."""

    kind: str
    title: str | None = None
    team: str | None = Field(None, description="The team; with {layer} where the area's key goes.")
    claim_within: str | None = None
    due: str | None = None
    waiting_as: str | None = None
    signal: str | None = None
    at_most: str | None = None
    outcome: str | None = Field(None, description="With which outcome a close step closes.")
    say: str | None = None
    form: dict[str, FormFieldOut] | None = None
    then: dict[str, str] | None = Field(None, description="Each outcome and the step that follows.")
    until: str | None = Field(None, description="The answer until whose date a wait step waits.")
    sample: int | None = Field(None, description="The share of requests that are inspected, in per cent.")
    warn_after: int | None = Field(None, description="The visit at which the supervisor is told.")
    branches: dict[str, list[str]] | None = Field(
        None, description="A together step's branches, each with its steps, the first first."
    )
    join: str | None = Field(None, description="Whether all branches of a together step must end, or the first.")
    role: str | None = Field(None, description="Whom a notify step tells.")
    go: list[str] | None = Field(None, description="The steps that a choose or notify step goes to.")


class RungOut(BaseModel):
    """One rung of a deadline's ladder."""

    when: str = Field(examples=["75%", "1 working hour before due", "due", "after 1 working day"])
    every: str | None
    up_to: int
    tell: str | None
    raise_priority: str | None
    reassign_to: str | None = Field(description="The team that gets the tasks which nobody has begun.")


class DeadlineOut(BaseModel):
    """One promise about the whole request."""

    met_by: str
    within: dict[str, str] = Field(description="The budget by priority, and otherwise.")
    paused_while: list[str]
    escalate: list[RungOut]


class IntakePhotos(BaseModel):
    """How many photos a report may carry."""

    max: int


class DefinitionOut(BaseModel):
    """One request type in its current version."""

    type: str
    title: str
    department: str
    group: str | None
    short_code: str | None
    keywords: list[str]
    takes_requests: bool
    redirect: RedirectOut | None
    version: int
    hash: str
    published_at: datetime
    location: str = Field(description="Whether a report needs a place: required, optional or none.")
    questions: dict[str, FormFieldOut]
    photos: IntakePhotos
    duplicates: DuplicatesOut | None = Field(description="Null where nobody looks for them.")
    start: str | None
    steps: dict[str, StepOut]
    deadlines: dict[str, DeadlineOut]
    holds: dict[str, str] = Field(description="Codes for holds, with their titles; empty where a hold needs none.")
    calendar: str | None
    timezone: str | None
