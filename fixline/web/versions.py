"""Versions of definitions over HTTP: checked, published, listed, compared, moved to.

A definition is checked against the organisation, areas and calendars with which this process started.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import uuid4

from fastapi import Query
from pydantic import BaseModel, Field, model_validator
from sqlmodel import Session

from fixline.catalog import FindingOut, Reading, check_files, finding_records, name_of
from fixline.domain.definition.differences import differences
from fixline.domain.process.commands import Role
from fixline.domain.process.decision import Refusal
from fixline.errors import did_you_mean
from fixline.service.moving import Wanted, outcome_of, plan_moves
from fixline.service.publishing import Publication, VersionLine, find_version, list_versions, publish_on_purpose
from fixline.service.submissions import StoredCommand
from fixline.store.versions import VersionUnknown
from fixline.web.auth import READERS, CallerOf, allow, guarded_router
from fixline.web.command_handler import HandlerOf
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described, invalid
from fixline.web.schemas import Body, Name, Remark, Shown

router = guarded_router("/definitions", "definitions")
AUTHORS = (Role.ADMIN, Role.ANALYST)
CHECKERS = (*AUTHORS, Role.SUPERVISOR)
MOST_FILES = 200
DefinitionText = Annotated[str, Field(min_length=1, max_length=512_000)]
Path = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class FilesIn(Body):
    """Definitions as texts: one in `text`, or several in `files` by their paths."""

    text: DefinitionText | None = Field(None, description="One definition, as it stands in its file.")
    files: dict[Path, DefinitionText] = Field(
        default_factory=dict,
        description="Each file's text by its path: <department>/<type>.yaml.",
        max_length=MOST_FILES,
    )

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.text is None) == (not self.files):
            raise ValueError("give either text or files")
        return self

    def read_for(self, parts: Parts) -> Reading:
        """What they are, checked against the city's."""
        return check_files({name_of(self.text): self.text} if self.text is not None else self.files, parts.catalog)


class CheckOut(BaseModel):
    """What is wrong; nothing when the list is empty."""

    findings: list[FindingOut]


class PublishedOut(Shown):
    """What publishing one definition came to."""

    type: str
    version: int = Field(validation_alias="number")
    hash: str
    state: str = Field(description="published, current_again (an older version), or unchanged.")


class PublicationOut(BaseModel):
    """Every definition that was sent."""

    items: list[PublishedOut]


class VersionOut(Shown):
    """One version of a type."""

    version: int = Field(validation_alias="number")
    hash: str
    title: str
    published_at: datetime
    published_by: str | None = Field(description="Null for one that a start took from the folder.")
    current: bool
    open_requests: int = Field(validation_alias="open", description="How many open requests follow it.")


class VersionPage(BaseModel):
    """A type's versions, the newest first."""

    items: list[VersionOut]
    next: str | None = None


class DiffOut(BaseModel):
    """What is different between two versions, in plain words."""

    type: str
    from_: int = Field(alias="from")
    to: int
    changes: list[str]


class MoveIn(Body):
    """Let open requests go on by another version."""

    to: Annotated[str, Field(max_length=64)] | int = Field(description="A version's number or hash, or current.")
    dry_run: bool = Field(False, description="Say what would change; write nothing.")
    map: dict[Name, Name] = Field(
        default_factory=dict, description="Which step of that version a step has become, where the name is another."
    )
    requests: list[Name] | None = Field(None, max_length=500, description="Only these.")
    reason: Remark = ""
    after: str = Field("", max_length=100, description="`next` of the answer before.")
    limit: int = Field(100, ge=1, le=500, description="How many requests at once.")


class MovedOut(BaseModel):
    """One request: what changes, or why it stays."""

    id: str
    from_version: int
    state: str = Field(description="would_move (dry_run), moved, waiting (accepted, not applied yet), or refused.")
    changes: dict[str, Any] | None = Field(
        description="Step, priority, waits, clocks, tasks, each before and after; the step entered anew; effects."
    )
    code: str | None = None
    message: str | None = None
    command_id: str | None = None


class MovePage(BaseModel):
    """What became of the requests on other versions; `next`: go on with it as `after`."""

    type: str
    to: int
    hash: str
    dry_run: bool
    items: list[MovedOut]
    next: str | None


@router.post("/check", summary="Check definitions", dependencies=[allow(CHECKERS)])
async def check(body: FilesIn, parts: PartsOf) -> CheckOut:
    """Everything that is wrong, at once; nothing is published."""
    reading = await asyncio.to_thread(body.read_for, parts)
    return CheckOut.model_validate({"findings": finding_records(reading.findings)})


@router.post("", summary="Publish definitions", dependencies=[allow(AUTHORS)])
async def publish(body: FilesIn, parts: PartsOf, caller: CallerOf) -> PublicationOut:
    """All or none: with any finding nothing is published. New requests follow the new versions at once, in every
    process; open requests keep theirs until they are moved."""
    reading = await asyncio.to_thread(body.read_for, parts)
    if reading.findings:
        count = len(reading.findings)
        text = f"the definitions have {count} finding{'s' if count > 1 else ''}; nothing was published"
        raise Problem(422, "definitions_invalid", text, findings=finding_records(reading.findings))
    definitions = list(reading.catalog.definitions.values())
    now, name = parts.service.clock(), caller.actor.name

    def write(session: Session) -> list[Publication]:
        return [publish_on_purpose(session, each, now, name) for each in definitions]

    return PublicationOut.model_validate({"items": await asyncio.to_thread(parts.store.write, write)})


@router.get("/{type}/versions", summary="A type's versions", dependencies=[allow(READERS)], responses=described(404))
async def get_versions(type: str, parts: PartsOf) -> VersionPage:
    """The newest first, each with how many open requests follow it."""
    return VersionPage.model_validate({"items": await _lines(parts, type)})


async def _lines(parts: Parts, type_: str) -> list[VersionLine]:
    return await parts.find(lambda s: list_versions(s, type_) or None, "type_unknown", "request type")


def _version(lines: list[VersionLine], type_: str, wanted: str, field: str) -> VersionLine:
    try:
        return find_version(lines, type_, wanted)
    except VersionUnknown as error:
        raise invalid(field, "unknown_version", str(error)) from None


@router.get("/{type}/diff", summary="Compare two versions", dependencies=[allow(READERS)], responses=described(404))
async def get_diff(
    type: str,
    parts: PartsOf,
    from_: str = Query(alias="from", max_length=64),
    to: str = Query("current", max_length=64),
) -> DiffOut:
    """What is different, one sentence each."""
    lines = await _lines(parts, type)
    old, new = [_version(lines, type, *each) for each in ((from_, "from"), (to, "to"))]

    def read(session: Session) -> tuple[str, ...]:
        return differences(*(parts.versions.load(session, each.hash) for each in (old, new)))

    changes = await parts.read(read)
    return DiffOut.model_validate({"type": type, "from": old.number, "to": new.number, "changes": list(changes)})


@router.post(
    "/{type}/move",
    summary="Move open requests to a version",
    dependencies=[allow(AUTHORS)],
    responses=described(404, 409),
)
async def move(type: str, body: MoveIn, handler: HandlerOf) -> MovePage:
    """Each request moves for itself, or stays and says why. With `dry_run` nothing is written."""
    parts, key = handler.parts, handler.repeat.key
    lines = await _lines(parts, type)
    target = _version(lines, type, str(body.to), "to")
    await _check_map(parts, target, body.map)
    wanted = Wanted(type, target.hash, body.map, body.reason, body.requests, body.after, body.limit)
    given = handler.submission(wanted.command)
    planned = await parts.read(lambda s: plan_moves(s, parts.versions, wanted, given.actor, given.accepted_at))
    rows: dict[str, StoredCommand | Refusal] = {}
    if not body.dry_run:
        moving = [each.request_id for each in planned if each.refusal is None]
        keys = {request_id: f"{key}:{request_id}" if key else None for request_id in moving}
        rows = await parts.service.submit_all(
            {each: replace(given, command_id=uuid4().hex, idempotency_key=keys[each]) for each in moving}
        )
    numbers = {line.hash: line.number for line in lines}
    return MovePage(
        type=type,
        to=target.number,
        hash=target.hash,
        dry_run=body.dry_run,
        items=[
            MovedOut(**outcome_of(each, rows.get(each.request_id), numbers.get(each.version, 0))) for each in planned
        ],
        next=planned[-1].request_id if len(planned) == body.limit else None,
    )


async def _check_map(parts: Parts, target: VersionLine, steps: dict[str, str]) -> None:
    definition = await parts.read(lambda s: parts.versions.load(s, target.hash))
    for name, step in steps.items():
        if step not in definition.steps:
            near = did_you_mean(step, definition.steps)
            raise invalid(f"map.{name}", "unknown_step", f"version {target.number} has no step {step!r}{near}")
