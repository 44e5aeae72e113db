"""One command for many requests, over HTTP: hold, reassign, cancel two hundred, and see how far it is.

Owns these routes. Which requests are meant is settled when the bulk is accepted; each then gets a command of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from fixline.domain.process.commands import Cancel, Command, Comment, Hold, Prioritise, Reassign, Resume, Role
from fixline.service.bulk import BulkOrder, BulkProgress, find_bulk, plan_bulk, read_bulk, read_failures
from fixline.store.queries.requests import find_ids
from fixline.web.auth import LEADS, Caller, CallerOf, Repeat, RepeatOf, allow, guarded_router
from fixline.web.command_handler import well_formed
from fixline.web.commands import known_team
from fixline.web.paging import read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described, invalid, of_validation
from fixline.web.requests import check_near, filter_of
from fixline.web.schemas.bulk import MOST_REQUESTS, BulkIn, BulkKind, BulkOut, BulkPage, BulkPlan, BulkQuery
from fixline.web.schemas.commands import CancelIn, CommentIn, HoldIn, PriorityIn, ReassignIn, ResumeIn
from fixline.web.schemas.requests import RequestQuery

router = guarded_router("", "commands")
_OF_PAGES = ("limit", "cursor", "sort")
_SEVERAL = ("type", "department", "team", "area", "priority")
_BODIES: dict[BulkKind, tuple[type[BaseModel], Callable[[Any], Command]]] = {
    "hold": (HoldIn, lambda body: well_formed(Hold, reason=body.reason, code=body.code)),
    "resume": (ResumeIn, lambda body: well_formed(Resume, reason=body.reason)),
    "cancel": (CancelIn, lambda body: well_formed(Cancel, reason=body.reason)),
    "comment": (CommentIn, lambda body: well_formed(Comment, text=body.remark)),
    "priority": (PriorityIn, lambda body: well_formed(Prioritise, priority=body.priority, reason=body.reason)),
    "reassign": (
        ReassignIn,
        lambda body: well_formed(Reassign, team=body.team, assignee=body.assignee, reason=body.reason),
    ),
}


@router.post(
    "/requests/bulk",
    summary="One command for many requests",
    status_code=202,
    response_model=BulkOut,
    dependencies=[allow(LEADS)],
    responses={200: {"model": BulkPlan, "description": "What would happen (dry_run)"}, **described(403, 409, 422, 503)},
)
async def post_bulk(body: BulkIn, parts: PartsOf, caller: CallerOf, repeat: RepeatOf) -> JSONResponse:
    """Each request gets a command of its own, as if it were given alone; one that refuses does not stop the others."""
    command = _command(parts, body)
    if not body.dry_run:
        known = await asyncio.to_thread(
            parts.store.read, lambda s: find_bulk(s, caller.id, repeat.key, repeat.body_hash)
        )
        if known is not None:
            return await _accepted(parts, known)
    order = _order(parts, caller, repeat, command, body.ids or await _selected(parts, caller, body.filter or {}))
    if body.dry_run:
        return await _planned(parts, body.command, order)
    return await _accepted(parts, await parts.service.submit_bulk(order))


@router.get(
    "/bulk/{bulk_id}",
    summary="How far a bulk is",
    dependencies=[allow(LEADS)],
    responses=described(404, 422, 503),
)
async def get_bulk(bulk_id: str, query: Annotated[BulkQuery, Query()], parts: PartsOf, caller: CallerOf) -> BulkPage:
    """Counts, and a page of the requests that did not take the command. Supervisors see their own, admins all."""
    bound = {"bulk": bulk_id}
    after = read_cursor(query.cursor, bound)

    def read(session: Session) -> tuple[BulkProgress, list[dict[str, Any]], int | None] | None:
        found = read_bulk(session, bulk_id)
        if found is None or (caller.role is not Role.ADMIN and found.caller != caller.id):
            return None
        return found, *read_failures(session, bulk_id, after[0] if after else 0, query.limit)

    seen = await asyncio.to_thread(parts.store.read, read)
    if seen is None:
        raise Problem(404, "bulk_unknown", "there is no such bulk")
    progress, failures, last = seen
    key = [last] if last is not None else None
    return BulkPage.model_validate({**_told(progress), "items": failures, "next": write_cursor(key, bound)})


def _command(parts: Parts, body: BulkIn) -> Command:
    """The command for each. Raises Problem (422) for what is missing, and for what is not of this command."""
    model, make = _BODIES[body.command]
    try:
        own = model.model_validate(body.own)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise of_validation([{**each, "loc": each["loc"] or ("body",)} for each in found]) from None
    if isinstance(own, ReassignIn):
        known_team(parts.organisation, own.team)
    return make(own)


async def _selected(parts: Parts, caller: Caller, wanted: dict[str, Any]) -> list[str]:
    """The requests that a filter selects now. Raises Problem (422, 403)."""
    query = _query(wanted)
    for department in query.department:
        caller.check_department(department)
    if caller.key.department is not None:
        query.department = [caller.key.department]
    query.status = query.status or "open"
    filter_ = filter_of(query, parts.service.clock())
    ids = await asyncio.to_thread(parts.store.read, lambda s: find_ids(s, filter_, MOST_REQUESTS + 1))
    if len(ids) > MOST_REQUESTS:
        text = f"selects more than {MOST_REQUESTS} requests: narrow it, and give the command several times"
        raise invalid("filter", "too_large", text)
    return ids


def _query(wanted: dict[str, Any]) -> RequestQuery:
    if not wanted:
        raise invalid("filter", "missing", "must name at least one thing: a bulk is not for every request there is")
    for name in _OF_PAGES:
        if name in wanted:
            raise invalid(f"filter.{name}", "unknown_field", "a bulk has no pages and no order")
    given = {name: [value] if name in _SEVERAL and isinstance(value, str) else value for name, value in wanted.items()}
    try:
        query = RequestQuery.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise of_validation([{**each, "loc": ("filter", *each["loc"])} for each in found]) from None
    check_near(query)
    return query


def _order(parts: Parts, caller: Caller, repeat: Repeat, command: Command, ids: list[str]) -> BulkOrder:
    return BulkOrder(
        id=uuid4().hex,
        command=command,
        request_ids=ids,
        actor=caller.actor,
        caller=caller.id,
        accepted_at=parts.service.clock(),
        department=caller.key.department if caller.role is Role.SUPERVISOR else None,
        idempotency_key=repeat.key,
        body_hash=repeat.body_hash,
    )


async def _planned(parts: Parts, kind: BulkKind, order: BulkOrder) -> JSONResponse:
    refusing = await asyncio.to_thread(parts.store.read, lambda s: plan_bulk(s, parts.versions, order))
    total = len(set(order.request_ids))
    items = [
        {
            "request": each.request_id,
            **each.refusal.model_dump(include={"code", "message"}),
            "data": each.refusal.data or None,
        }
        for each in refusing
    ]
    plan = BulkPlan.model_validate(
        {
            "command": kind,
            "total": total,
            "would_apply": total - len(items),
            "would_refuse": len(items),
            "items": items,
        }
    )
    return JSONResponse(plan.model_dump(mode="json"), 200)


async def _accepted(parts: Parts, bulk_id: str) -> JSONResponse:
    progress = await asyncio.to_thread(parts.store.read, lambda s: read_bulk(s, bulk_id))
    assert progress is not None  # noqa: S101 - it has just been written, and is never deleted
    told = BulkOut.model_validate(_told(progress))
    return JSONResponse(told.model_dump(mode="json"), 202, {"Location": told.poll_url})


def _told(progress: BulkProgress) -> dict[str, Any]:
    return {
        "id": progress.id,
        "command": progress.kind,
        "state": "running" if progress.counts["waiting"] else "done",
        "accepted_at": progress.accepted_at,
        "counts": {"total": progress.total, **progress.counts},
        "poll_url": f"/api/v1/bulk/{progress.id}",
    }
