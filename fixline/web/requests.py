"""Requests over HTTP: reporting, lists, one in full, its journal.

Owns these routes; what they show is built in `fixline.web.views`, what they find in the store's queries.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.hints import did_you_mean
from fixline.domain.process.commands import Open, Place
from fixline.domain.process.decision import Decision, Refusal
from fixline.service.opening import Contact, Report
from fixline.service.submissions import StoredCommand, Submission
from fixline.service.views.request import RequestOut, request_out
from fixline.store.projection import promised_at
from fixline.store.queries.detail import read_journal, read_request
from fixline.store.queries.duplicates import Alike
from fixline.store.queries.places import Box, Circle
from fixline.store.queries.requests import RequestFilter, Sort, list_requests
from fixline.store.versions import Published, VersionUnknown
from fixline.web.auth import CLIENTS, READERS, Caller, CallerOf, Repeat, RepeatOf, allow, guarded_router
from fixline.web.command_handler import well_formed
from fixline.web.metrics import MetricsOf
from fixline.web.paging import read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described, invalid, of_refusal
from fixline.web.schemas.basics import LocationIn
from fixline.web.schemas.requests import (
    ClockPlan,
    ContactIn,
    DryRunOut,
    DuplicateOut,
    JournalPage,
    JournalQuery,
    OpenedOut,
    ReportIn,
    RequestPage,
    RequestQuery,
    TaskPlan,
)

router = guarded_router("/requests", "requests")


@router.post(
    "",
    summary="Report something",
    status_code=201,
    response_model=OpenedOut,
    dependencies=[allow(CLIENTS)],
    responses={200: {"model": DryRunOut, "description": "What would happen (dry_run)"}, **described(409, 422, 503)},
)
async def open_request(
    body: ReportIn, response: Response, parts: PartsOf, caller: CallerOf, repeat: RepeatOf, metrics: MetricsOf
) -> OpenedOut | JSONResponse:
    """Open a request. The answer is final at once, also while Temporal is away; its workflow starts behind it."""
    published = await published_of(parts, body.type)
    report = _report(parts, caller, repeat, body, published)
    if body.dry_run:
        decided = await parts.service.preview(report)
        if isinstance(decided, Refusal):
            raise of_refusal(decided)
        return JSONResponse(dry_run_out(published.definition, decided.decision, decided.alike).model_dump(mode="json"))
    row = await parts.service.open(report, caller.patience)
    if isinstance(row, Refusal):
        raise of_refusal(row)
    if row.id == report.submission.command_id:
        metrics.opened(published.definition.type)
    response.headers["Location"] = f"/api/v1/requests/{row.request_id}"
    return opened_out(row)


async def published_of(parts: Parts, type_: str) -> Published:
    """The current definition of a type. Raises Problem (422), with the nearest type where one is near."""

    def read(session: Session) -> Published | list[str]:
        try:
            return parts.versions.current(session, type_)
        except VersionUnknown:
            return [each.definition.type for each in parts.versions.all_current(session)]

    found = await parts.store.in_turn(parts.store.read, read)
    if isinstance(found, Published):
        return found
    raise invalid("type", "unknown_type", f"there is no such request type{did_you_mean(type_, found)}")


def _report(parts: Parts, caller: Caller, repeat: Repeat, body: ReportIn, published: Published) -> Report:
    contact = _contact(body.contact)
    command = well_formed(
        Open,
        type=body.type,
        version=published.hash,
        place=place_of(body.location),
        areas=areas_of(parts, body.location),
        outside=outside_of(parts, body.location),
        answers=body.answers,
        description=body.description,
        photos=tuple(body.photos),
        channel=body.channel,
        has_contact=contact is not None,
    )
    submission = Submission(
        command_id=uuid4().hex,
        command=command,
        actor=caller.actor,
        accepted_at=parts.service.clock(),
        caller=caller.id,
        idempotency_key=repeat.key,
        body_hash=repeat.body_hash,
    )
    return Report(submission, published.definition, contact=contact, on_behalf_of=body.on_behalf_of)


def _contact(body: ContactIn | None) -> Contact | None:
    if body is None or not (body.name or body.email or body.phone):
        return None
    return Contact(name=body.name, email=body.email, phone=body.phone)


def place_of(location: LocationIn | None) -> Place | None:
    """The place that a body names."""
    if location is None:
        return None
    return well_formed(Place, **location.model_dump())


def outside_of(parts: Parts, location: LocationIn | None) -> bool:
    """Whether the place lies outside the city; an address alone cannot tell."""
    if location is None or location.latitude is None or location.longitude is None:
        return False
    return parts.areas.outside(location.latitude, location.longitude)


def areas_of(parts: Parts, location: LocationIn | None) -> dict[str, str]:
    """The areas in which the place lies."""
    if location is None or location.latitude is None or location.longitude is None:
        return {}
    return parts.areas.locate(location.latitude, location.longitude)


@router.get(
    "",
    summary="List requests",
    dependencies=[allow(READERS)],
    responses=described(422, 503),
)
async def get_requests(query: Annotated[RequestQuery, Query()], parts: PartsOf) -> RequestPage:
    """Requests, newest first unless `sort` or `near` says otherwise."""
    check_near(query)
    sort: Sort = query.sort or ("distance" if query.near else "-opened")
    if sort == "distance" and query.near is None:
        raise invalid("sort", "without_near", "distance goes with near")
    bound = query.bound()
    after = read_cursor(query.cursor, bound)
    wanted = filter_of(query, parts.service.clock())
    lines, key = await asyncio.to_thread(parts.store.read, lambda s: list_requests(s, wanted, sort, after, query.limit))
    return RequestPage.model_validate({"items": lines, "next": write_cursor(key, bound)})


def check_near(query: RequestQuery) -> None:
    """Raise Problem (422) for a radius around nothing."""
    if "radius_m" in query.model_fields_set and query.near is None:
        raise invalid("radius_m", "without_near", "goes with near")


def filter_of(query: RequestQuery, now: datetime) -> RequestFilter:
    """What the store looks for."""
    latitude, longitude = map(float, query.near.split(",")) if query.near else (0.0, 0.0)
    return RequestFilter(
        now=now,
        status=query.status,
        type=query.type,
        department=query.department,
        team=query.team,
        area=query.area,
        priority=query.priority,
        overdue=query.overdue,
        due_before=query.due_before,
        near=Circle(latitude, longitude, query.radius_m) if query.near else None,
        bbox=Box(*map(float, query.bbox.split(","))) if query.bbox else None,
        q=query.q,
        opened_after=query.opened_after,
        updated_after=query.updated_after,
        external_id=query.external_id,
    )


@router.get(
    "/{request_id}",
    summary="One request in full",
    dependencies=[allow(READERS)],
    responses=described(404, 503),
)
async def get_request(request_id: str, parts: PartsOf) -> RequestOut:
    """Facts, clocks, tasks, the steps taken and those that can remain. Contact data is never part of it."""
    now = parts.service.clock()

    def read(session: Session) -> RequestOut | None:
        row = read_request(session, request_id)
        if row is None:
            return None
        definition = parts.versions.load(session, row["version"]) if row["version"] else None
        return request_out(row, definition, now)

    found = await asyncio.to_thread(parts.store.read, read)
    if found is None:
        raise Problem(404, "request_unknown", "there is no such request")
    return found


@router.get(
    "/{request_id}/journal",
    summary="A request's journal",
    dependencies=[allow(READERS)],
    responses=described(404, 422, 503),
)
async def get_journal(request_id: str, query: Annotated[JournalQuery, Query()], parts: PartsOf) -> JournalPage:
    """What happened, entry by entry, in order."""
    bound = {"request": request_id}
    after = read_cursor(query.cursor, bound)
    seq = max(query.after_seq, after[0] if after else 0)
    entries = await asyncio.to_thread(parts.store.read, lambda s: read_journal(s, request_id, seq, query.limit))
    if entries is None:
        raise Problem(404, "request_unknown", "there is no such request")
    key = [entries[query.limit - 1]["seq"]] if len(entries) > query.limit else None
    return JournalPage.model_validate({"items": entries[: query.limit], "next": write_cursor(key, bound)})


def opened_out(row: StoredCommand) -> OpenedOut:
    """The answer to a report, from the command's own row: the same for a repeated key."""
    request = row.answer["request"]
    shown = {name: request[name] for name in ("id", "status", "step", "priority", "promised_at")}
    alike = row.answer.get("possible_duplicates", [])  # requests of earlier releases do not have it
    return OpenedOut.model_validate({**shown, "attached_to": request.get("attached_to"), "possible_duplicates": alike})


def dry_run_out(definition: Definition, decision: Decision, alike: Alike) -> DryRunOut:
    """What opening would lead to."""
    state = decision.state
    return DryRunOut(
        status=state.status,
        step=state.position.step if state.position else None,
        priority=state.priority,
        promised_at=promised_at(definition, state),
        attached_to=state.attached_to,
        possible_duplicates=[DuplicateOut.model_validate(each) for each in alike.possible],
        areas=state.areas,
        tasks=[TaskPlan(step=t.step, kind=t.kind, title=t.title, team=t.team) for t in state.open_tasks],
        clocks=[ClockPlan(name=c.name, budget=str(c.budget), due_at=c.due_at) for c in state.live_clocks],
    )
