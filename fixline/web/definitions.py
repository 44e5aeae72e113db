"""Definitions over HTTP: what can be reported, by which rules it is worked on, and the picture of its process."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field, field_validator
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.deadlines import Budget
from fixline.drawing import NotDrawn, svg_of
from fixline.store.versions import Published, VersionUnknown
from fixline.web.auth import READERS, allow, guarded_router
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described
from fixline.web.schemas import FormFieldOut, Length, Shown

router = guarded_router("/definitions", "definitions")

SVG = "image/svg+xml"
MOST_KEPT = 256
_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
_drawn: dict[str, str] = {}


class RedirectOut(Shown):
    """Whom to turn to instead."""

    to: str = Field(description="emergency, or the name of a body.")
    say: str


class DuplicatesOut(Shown):
    """Which open requests a report may repeat, and what then."""

    within_m: float
    opened_in_last: Length
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
    claim_within: Length | None = None
    due: Length | None = None
    waiting_as: str | None = None
    signal: str | None = None
    at_most: Length | None = None
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


class RungOut(Shown):
    """One rung of a deadline's ladder."""

    when: str = Field(examples=["75%", "1 working hour before due", "due", "after 1 working day"])
    every: Length | None
    up_to: int
    tell: str | None
    raise_priority: str | None
    reassign_to: str | None = Field(description="The team that gets the tasks which nobody has begun.")


class DeadlineOut(Shown):
    """One promise about the whole request."""

    met_by: str
    within: dict[str, Length] = Field(description="The budget by priority, and otherwise.")
    paused_while: list[str]
    escalate: list[RungOut]

    @field_validator("within", mode="before")
    @classmethod
    def _by_priority(cls, within: Budget) -> dict[str, Span]:
        return {**{name.value: span for name, span in within.by_priority.items()}, "otherwise": within.otherwise}


class IntakePhotos(Shown):
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


@router.get("", summary="List request types", dependencies=[allow(READERS)])
async def get_definitions(parts: PartsOf) -> DefinitionPage:
    """Every request type, by type. One that takes no requests says whom to turn to."""
    found = await parts.read(parts.versions.all_current)
    return DefinitionPage.model_validate({"items": [_shown(each) for each in found]})


def _shown(published: Published) -> dict[str, Any]:
    definition = published.definition
    found = {"version": published.number, "hash": published.hash, "published_at": published.published_at}
    return {**vars(definition), "takes_requests": definition.takes_requests, **found}


@router.get("/{type}", summary="One request type", dependencies=[allow(READERS)], responses=described(404))
async def get_definition(type: str, parts: PartsOf) -> DefinitionOut:
    """The current version: the questions as a form, the steps, the deadlines."""
    found = await _current(parts, type)
    definition = found.definition
    calendar = definition.calendar if definition.takes_requests else None
    return DefinitionOut.model_validate(
        {
            **_shown(found),
            **vars(definition.intake),
            "start": definition.start or None,
            "steps": {name: {"kind": step.kind, **step.shown} for name, step in definition.steps.items()},
            "calendar": calendar.name if calendar else None,
            "timezone": calendar.timezone if calendar else None,
        }
    )


async def _current(parts: Parts, type_: str) -> Published:
    """The current version. Raises Problem (404)."""

    def read(session: Session) -> Published | None:
        try:
            return parts.versions.current(session, type_)
        except VersionUnknown:
            return None

    return await parts.find(read, "type_unknown", "request type")


@router.get(
    "/{type}/graph.svg",
    summary="The process as a picture",
    dependencies=[allow(READERS)],
    response_class=Response,
    responses={200: {"content": {SVG: {}}}, **described(404)},
)
async def get_graph(type: str, parts: PartsOf) -> Response:
    """The current version as SVG: steps by kind, outcomes on arrows, deadlines, waiting states."""
    found = await _current(parts, type)
    try:
        picture = await asyncio.to_thread(_picture, found)
    except NotDrawn as problem:
        raise Problem(422, "not_drawn", str(problem)) from None
    return Response(picture, media_type=SVG, headers={**_HEADERS, "ETag": f'"{found.hash}"'})


def _picture(published: Published) -> str:
    """The version's picture, drawn once per process; the oldest of those kept goes when there are many."""
    found = _drawn.get(published.hash)
    if found is None:
        found = svg_of(published.definition)
        while len(_drawn) >= MOST_KEPT:
            _drawn.pop(next(iter(_drawn)), None)
        _drawn[published.hash] = found
    return found
