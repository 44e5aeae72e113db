"""Versions of definitions over HTTP: checked, published, listed, compared, moved to. Owns these routes.

A definition is checked against the organisation, areas and calendars with which this process started.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from fastapi import Query
from sqlmodel import Session

from fixline.catalog import Reading, check_files, finding_records, name_of
from fixline.domain.definition.differences import differences
from fixline.domain.hints import did_you_mean
from fixline.domain.process.commands import Move, Role
from fixline.domain.process.decision import Refusal
from fixline.service.moving import Planned, Wanted, plan_moves
from fixline.service.publishing import Publication, VersionLine, find_version, list_versions, publish_on_purpose
from fixline.service.submissions import StoredCommand, Submission
from fixline.store.versions import VersionUnknown
from fixline.web.auth import READERS, CallerOf, RepeatOf, allow, guarded_router
from fixline.web.command_handler import well_formed
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described, invalid
from fixline.web.schemas.versions import (
    CheckOut,
    DiffOut,
    FilesIn,
    MovedOut,
    MoveIn,
    MovePage,
    PublicationOut,
    PublishedOut,
    VersionOut,
    VersionPage,
)

router = guarded_router("/definitions", "definitions")
AUTHORS = (Role.ADMIN, Role.ANALYST)
CHECKERS = (*AUTHORS, Role.SUPERVISOR)


@router.post("/check", summary="Check definitions", dependencies=[allow(CHECKERS)], responses=described(422))
async def check(body: FilesIn, parts: PartsOf) -> CheckOut:
    """Everything that is wrong, at once; nothing is published."""
    reading = await asyncio.to_thread(_read, parts, body)
    return CheckOut.model_validate({"findings": finding_records(reading.findings)})


@router.post("", summary="Publish definitions", dependencies=[allow(AUTHORS)], responses=described(422, 503))
async def publish(body: FilesIn, parts: PartsOf, caller: CallerOf) -> PublicationOut:
    """All or none: with any finding nothing is published. New requests follow the new versions at once, in every
    process; open requests keep theirs until they are moved."""
    reading = await asyncio.to_thread(_read, parts, body)
    if reading.findings:
        count = len(reading.findings)
        text = f"the definitions have {count} finding{'s' if count > 1 else ''}; nothing was published"
        raise Problem(422, "definitions_invalid", text, findings=finding_records(reading.findings))
    definitions = list(reading.catalog.definitions.values())
    now, name = parts.service.clock(), caller.actor.name

    def write(session: Session) -> list[Publication]:
        return [publish_on_purpose(session, each, now, name) for each in definitions]

    done = await asyncio.to_thread(parts.store.write, write)
    return PublicationOut(items=[PublishedOut(type=p.type, version=p.number, hash=p.hash, state=p.state) for p in done])


def _read(parts: Parts, body: FilesIn) -> Reading:
    files = {name_of(body.text): body.text} if body.text is not None else body.files
    return check_files(files, parts.catalog)


@router.get(
    "/{type}/versions", summary="A type's versions", dependencies=[allow(READERS)], responses=described(404, 503)
)
async def get_versions(type: str, parts: PartsOf) -> VersionPage:
    """The newest first, each with how many open requests follow it."""
    lines = await _lines(parts, type)
    return VersionPage(
        items=[
            VersionOut(
                version=line.number,
                hash=line.hash,
                title=line.title,
                published_at=line.published_at,
                published_by=line.published_by,
                current=line.current,
                open_requests=line.open,
            )
            for line in lines
        ]
    )


async def _lines(parts: Parts, type_: str) -> list[VersionLine]:
    lines = await asyncio.to_thread(parts.store.read, lambda s: list_versions(s, type_))
    if not lines:
        raise Problem(404, "type_unknown", "there is no such request type")
    return lines


async def _version(parts: Parts, lines: list[VersionLine], type_: str, wanted: str, field: str) -> VersionLine:
    try:
        found = await asyncio.to_thread(parts.store.read, lambda s: find_version(s, type_, wanted))
    except VersionUnknown as error:
        raise invalid(field, "unknown_version", str(error)) from None
    return next(line for line in lines if line.hash == found)


@router.get(
    "/{type}/diff", summary="Compare two versions", dependencies=[allow(READERS)], responses=described(404, 422, 503)
)
async def get_diff(
    type: str,
    parts: PartsOf,
    from_: str = Query(alias="from", max_length=64),
    to: str = Query("current", max_length=64),
) -> DiffOut:
    """What is different, one sentence each."""
    lines = await _lines(parts, type)
    old, new = [await _version(parts, lines, type, *each) for each in ((from_, "from"), (to, "to"))]

    def read(session: Session) -> tuple[str, ...]:
        return differences(*(parts.versions.load(session, each.hash) for each in (old, new)))

    changes = await asyncio.to_thread(parts.store.read, read)
    return DiffOut.model_validate({"type": type, "from": old.number, "to": new.number, "changes": list(changes)})


@router.post(
    "/{type}/move",
    summary="Move open requests to a version",
    dependencies=[allow(AUTHORS)],
    responses=described(404, 409, 422, 503),
)
async def move(type: str, body: MoveIn, parts: PartsOf, caller: CallerOf, repeat: RepeatOf) -> MovePage:
    """Each request moves for itself, or stays and says why. With `dry_run` nothing is written."""
    lines = await _lines(parts, type)
    target = await _version(parts, lines, type, str(body.to), "to")
    await _check_map(parts, target, body.map)
    wanted = Wanted(type, target.hash, body.map, body.reason, body.requests, body.after, body.limit)
    now = parts.service.clock()
    planned = await asyncio.to_thread(
        parts.store.read, lambda s: plan_moves(s, parts.versions, wanted, caller.actor, now)
    )
    numbers = {line.hash: line.number for line in lines}
    rows: dict[str, StoredCommand | Refusal] = {}
    if not body.dry_run:
        command = well_formed(Move, version=target.hash, steps=body.map, reason=body.reason)
        commands = {
            each.request_id: Submission(
                command_id=uuid4().hex,
                command=command,
                actor=caller.actor,
                accepted_at=now,
                caller=caller.id,
                idempotency_key=f"{repeat.key}:{each.request_id}" if repeat.key else None,
                body_hash=repeat.body_hash,
            )
            for each in planned
            if each.refusal is None
        }
        rows = await parts.service.submit_all(commands)
    return MovePage(
        type=type,
        to=target.number,
        hash=target.hash,
        dry_run=body.dry_run,
        items=[_moved(each, rows.get(each.request_id), numbers.get(each.version, 0)) for each in planned],
        next=planned[-1].request_id if len(planned) == body.limit else None,
    )


async def _check_map(parts: Parts, target: VersionLine, steps: dict[str, str]) -> None:
    definition = await asyncio.to_thread(parts.store.read, lambda s: parts.versions.load(s, target.hash))
    for name, step in steps.items():
        if step not in definition.steps:
            near = did_you_mean(step, definition.steps)
            raise invalid(f"map.{name}", "unknown_step", f"version {target.number} has no step {step!r}{near}")


def _moved(planned: Planned, row: StoredCommand | Refusal | None, number: int) -> MovedOut:
    out: dict[str, Any] = {"id": planned.request_id, "from_version": number, "changes": planned.changes}
    refusal = planned.refusal or (row if isinstance(row, Refusal) else None)
    if isinstance(row, StoredCommand):
        out["command_id"] = row.id
        if row.state == "refused":
            refusal = Refusal.model_validate(row.answer)
    if refusal is not None:
        return MovedOut(**{**out, "changes": None}, state="refused", code=refusal.code, message=refusal.message)
    if row is None:
        return MovedOut(**out, state="would_move")
    return MovedOut(**out, state="moved" if isinstance(row, StoredCommand) and row.state == "applied" else "waiting")
