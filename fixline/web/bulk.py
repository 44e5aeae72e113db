"""One command for many requests, over HTTP: hold, reassign, cancel two hundred, and see how far it is.

Which requests are meant is settled when the bulk is accepted; each then gets a command of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, model_validator
from sqlmodel import Session

from fixline.domain.process import commands
from fixline.domain.process.commands import Command, Role
from fixline.service.bulk import BulkOrder, BulkProgress, find_bulk, plan_bulk, read_bulk, read_failures
from fixline.store.queries.requests import find_ids
from fixline.web.auth import LEADS, Caller, CallerOf, allow, guarded_router
from fixline.web.command_handler import HandlerOf
from fixline.web.commands import CancelIn, CommentIn, HoldIn, PriorityIn, ReassignIn, ResumeIn, ToSomebody
from fixline.web.paging import Page, read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import described, invalid, well_formed
from fixline.web.requests import RequestQuery, check_near, filter_of
from fixline.web.schemas import Body, Name, PriorityName, Remark

router = guarded_router("", "commands")
_OF_PAGES = ("limit", "cursor", "sort")
_SEVERAL = ("type", "department", "team", "area", "priority")
MOST_REQUESTS = 2_000
BulkKind = Literal["hold", "resume", "reassign", "cancel", "comment", "priority"]


class BulkIn(Body):
    """One command for the requests that are named, or that a filter selects. The other fields are the command's own."""

    command: BulkKind
    ids: list[Name] | None = Field(None, min_length=1, max_length=MOST_REQUESTS, examples=[["SR26-00000001"]])
    filter: dict[str, Any] | None = Field(
        None,
        description="The parameters of GET /requests, without pages and order; open requests unless `status` says so.",
        examples=[{"type": ["pothole"], "area": ["north"]}],
    )
    dry_run: bool = Field(False, description="Answer what would happen, and write nothing.")
    reason: Remark | None = None
    text: str | None = Field(None, max_length=4000)
    team: Name | None = None
    assignee: Name | None = None
    priority: PriorityName | None = None

    @model_validator(mode="after")
    def _check_which(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("say which requests: either ids or filter")
        return self

    @property
    def own(self) -> dict[str, Any]:
        """What was given for the command itself: all but what says which command for which requests."""
        return self.model_dump(include=self.model_fields_set - {"command", "ids", "filter", "dry_run"})


class BulkCounts(BaseModel):
    """How many requests there are, and how many have come to what."""

    total: int
    waiting: int = Field(description="Not answered yet.")
    applied: int
    refused: int = Field(description="By the rules, or not the caller's, or there is no such request.")
    failed: int = Field(description="Parked by a fault of ours, and kept.")


class BulkFailure(BaseModel):
    """A request that did not take the command, and why."""

    request: str
    code: str
    message: str
    data: dict[str, Any] | None = Field(None, description="Facts behind the refusal.")
    command_id: str | None = Field(None, description="Null where the command was not accepted at all.")


class BulkOut(BaseModel):
    """A bulk and how far it is."""

    id: str
    command: BulkKind
    state: Literal["running", "done"] = Field(description="done: every request has answered.")
    accepted_at: datetime
    counts: BulkCounts
    poll_url: str


class BulkPage(BulkOut):
    """The same, with those that did not take the command."""

    items: list[BulkFailure]
    next: str | None


class BulkPlan(BaseModel):
    """What a bulk would come to as things stand; nothing was written."""

    dry_run: Literal[True] = True
    command: BulkKind
    total: int
    would_apply: int
    would_refuse: int
    items: list[BulkFailure] = Field(description="Those that would refuse.")


_BODIES: dict[BulkKind, tuple[type[Body], type[Command]]] = {
    "hold": (HoldIn, commands.Hold),
    "resume": (ResumeIn, commands.Resume),
    "cancel": (CancelIn, commands.Cancel),
    "comment": (CommentIn, commands.Comment),
    "priority": (PriorityIn, commands.Prioritise),
    "reassign": (ReassignIn, commands.Reassign),
}


@router.post(
    "/requests/bulk",
    summary="One command for many requests",
    status_code=202,
    response_model=BulkOut,
    dependencies=[allow(LEADS)],
    responses={200: {"model": BulkPlan, "description": "What would happen (dry_run)"}, **described(409)},
)
async def post_bulk(body: BulkIn, handler: HandlerOf) -> JSONResponse:
    """Each request gets a command of its own, as if it were given alone; one that refuses does not stop the others."""
    parts, caller, repeat = handler.parts, handler.caller, handler.repeat
    command = _command(parts, body)
    if not body.dry_run:
        known = await parts.read(lambda s: find_bulk(s, caller.id, repeat.key, repeat.body_hash))
        if known is not None:
            return await _accepted(parts, known)
    ids = body.ids or await _selected(parts, caller, body.filter or {})
    department = caller.key.department if caller.role is Role.SUPERVISOR else None
    order = BulkOrder(handler.submission(command), ids, department)
    if body.dry_run:
        return await _planned(parts, body.command, order)
    return await _accepted(parts, await parts.service.submit_bulk(order))


@router.get("/bulk/{bulk_id}", summary="How far a bulk is", dependencies=[allow(LEADS)], responses=described(404))
async def get_bulk(bulk_id: str, query: Annotated[Page, Query()], parts: PartsOf, caller: CallerOf) -> BulkPage:
    """Counts, and a page of the requests that did not take the command. Supervisors see their own, admins all."""
    bound = {"bulk": bulk_id}
    after = read_cursor(query.cursor, bound)

    def read(session: Session) -> tuple[BulkProgress, list[dict[str, Any]], int | None] | None:
        found = read_bulk(session, bulk_id)
        if found is None or (caller.role is not Role.ADMIN and found.caller != caller.id):
            return None
        return found, *read_failures(session, bulk_id, after[0] if after else 0, query.limit)

    progress, failures, last = await parts.find(read, "bulk_unknown", "bulk")
    key = [last] if last is not None else None
    return BulkPage.model_validate({**_told(progress), "items": failures, "next": write_cursor(key, bound)})


def _command(parts: Parts, body: BulkIn) -> Command:
    """The command for each. Raises Problem (422) for what is missing, and for what is not of this command."""
    model, kind = _BODIES[body.command]
    own = well_formed(model, body.own, "body")
    if isinstance(own, ToSomebody):
        own.check_team(parts)
    return well_formed(kind, own.said())


async def _selected(parts: Parts, caller: Caller, wanted: dict[str, Any]) -> list[str]:
    """The requests that a filter selects now. Raises Problem (422, 403)."""
    query = _query(wanted)
    for department in query.department:
        caller.check_department(department)
    if caller.key.department is not None:
        query.department = [caller.key.department]
    query.status = query.status or "open"
    filter_ = filter_of(query, parts.service.clock())
    ids = await parts.read(lambda s: find_ids(s, filter_, MOST_REQUESTS + 1))
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
    query = well_formed(RequestQuery, given, "filter")
    check_near(query)
    return query


async def _planned(parts: Parts, kind: BulkKind, order: BulkOrder) -> JSONResponse:
    refusing = await parts.read(lambda s: plan_bulk(s, parts.versions, order))
    total = len(set(order.request_ids))
    items = [
        BulkFailure(request=request_id, code=refusal.code, message=refusal.message, data=refusal.data or None)
        for request_id, refusal in refusing.items()
    ]
    apply, refuse = total - len(items), len(items)
    plan = BulkPlan(command=kind, total=total, would_apply=apply, would_refuse=refuse, items=items)
    return JSONResponse(plan.model_dump(mode="json"), 200)


async def _accepted(parts: Parts, bulk_id: str) -> JSONResponse:
    progress = await parts.read(lambda s: read_bulk(s, bulk_id))
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
