"""Requests over HTTP: reporting, lists, one in full, its journal."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import Open, Place
from fixline.domain.process.decision import Decision
from fixline.errors import did_you_mean
from fixline.service.opening import Contact, Report
from fixline.service.request_view import RequestOut, request_out
from fixline.store.projection import promised_at
from fixline.store.queries.detail import read_journal
from fixline.store.queries.duplicates import Alike
from fixline.store.queries.places import LARGEST_RADIUS_M, Box, Circle
from fixline.store.queries.requests import RequestFilter, Sort, list_requests
from fixline.store.versions import Published, VersionUnknown
from fixline.web.auth import CLIENTS, READERS, allow, guarded_router
from fixline.web.command_handler import HandlerOf
from fixline.web.paging import Page, read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import described, invalid, well_formed
from fixline.web.schemas import Body, Description, Instant, Length, LocationIn, Name, Photo, PriorityName, Shown, Text

router = guarded_router("/requests", "requests")
DEFAULT_RADIUS_M = 500.0


class ContactIn(Body):
    """How to reach whoever reports. Kept apart from the request, shown in no answer."""

    name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str | None = Field(None, max_length=40, pattern=r"^[0-9+()/. -]*$")

    @property
    def given(self) -> Contact | None:
        """What is kept; None where nothing was said."""
        return Contact(**vars(self)) if any(vars(self).values()) else None


class ReportIn(Body):
    """A report."""

    type: Name = Field(description="The request type, from GET /api/v1/definitions.", examples=["pothole"])
    location: LocationIn | None = None
    answers: dict[str, Any] = Field(default_factory=dict, examples=[{"lane": "traffic", "depth": 12}])
    description: Description = ""
    contact: ContactIn | None = None
    photos: list[Photo] = Field(default_factory=list, max_length=20)
    channel: str = Field("api", pattern=r"^[a-z0-9_-]{1,40}$", description="How the report came in.")
    on_behalf_of: Name | None = Field(None, description="For whom a service or an office reports.")
    dry_run: bool = Field(False, description="Answer what would happen; write nothing.")


class DuplicateOut(BaseModel):
    """An open request that a report may repeat."""

    id: str
    distance_m: float = Field(description="On the sphere, in metres.")
    opened_at: datetime
    status: str
    step: str | None
    title: str


_DUPLICATES: Any = Field(
    default_factory=list, description="Open requests of the type near by, the nearest first, at most 5."
)


class OpenedOut(BaseModel):
    """A request has been opened."""

    id: str = Field(examples=["SR26-00000001"])
    status: str
    step: str | None
    priority: str
    promised_at: datetime | None = Field(
        description="When it should be closed; null where no deadline says, or it stands."
    )
    expected_at: datetime | None = Field(None, description="Null until estimates exist.")
    track_url: str | None = Field(None, description="Null until tracking pages exist.")
    attached_to: str | None = Field(None, description="The older request of which it is a duplicate.")
    possible_duplicates: list[DuplicateOut] = _DUPLICATES


class TaskPlan(Shown):
    """A task that would be offered."""

    step: str
    kind: str
    title: str
    team: str


class ClockPlan(Shown):
    """A clock that would start."""

    name: str
    budget: Length
    due_at: datetime | None


class DryRunOut(BaseModel):
    """What opening would lead to; nothing was written."""

    dry_run: Literal[True] = True
    id: None = None
    status: str
    step: str | None
    priority: str
    promised_at: datetime | None
    expected_at: datetime | None = None
    track_url: str | None = None
    attached_to: str | None = Field(None, description="The older request of which it would be a duplicate.")
    possible_duplicates: list[DuplicateOut] = _DUPLICATES
    areas: dict[str, str] = Field(description="The area of each layer in which the place lies.")
    tasks: list[TaskPlan]
    clocks: list[ClockPlan]


def _numbers(text: str, count: int, names: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise ValueError(f"must be {names}, in degrees")
    return found


def _check_near(text: str) -> str:
    latitude, longitude = _numbers(text, 2, "latitude,longitude")
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError("must be a place on earth, latitude first")
    return text


def _check_bbox(text: str) -> str:
    west, south, east, north = _numbers(text, 4, "west,south,east,north")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("must be west,south,east,north in this order, on earth")
    return text


class RequestQuery(Page):
    """Which requests are listed, and in which order."""

    status: Literal["open", "closed"] | None = None
    type: list[Text] = Field(default_factory=list, max_length=50, description="May be given several times.")
    department: list[Text] = Field(default_factory=list, max_length=50, description="May be given several times.")
    team: list[Text] = Field(default_factory=list, max_length=50, description="May be given several times.")
    area: list[Text] = Field(default_factory=list, max_length=50, description="May be given several times.")
    priority: list[PriorityName] = Field(default_factory=list, max_length=4)
    overdue: bool | None = Field(None, description="Whether a live clock is past its due instant.")
    due_before: Instant | None = Field(None, description="Open, and promised before this instant.")
    near: Annotated[str, AfterValidator(_check_near)] | None = Field(
        None, description="latitude,longitude: within radius_m of this place.", examples=["41.881,-87.632"]
    )
    radius_m: float = Field(DEFAULT_RADIUS_M, gt=0, le=LARGEST_RADIUS_M, allow_inf_nan=False)
    bbox: Annotated[str, AfterValidator(_check_bbox)] | None = Field(
        None, description="west,south,east,north in degrees.", examples=["-87.7,41.8,-87.6,41.9"]
    )
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Text within the address, the description or a number."
    )
    opened_after: Instant | None = None
    updated_after: Instant | None = None
    external_id: Text | None = None
    sort: Literal["opened", "-opened", "updated", "-updated", "due", "distance"] | None = Field(
        None, description="Newest first (-opened) by default; nearest first (distance) with near."
    )


class RequestLine(BaseModel):
    """A request in a list."""

    id: str
    type: str
    title: str | None
    status: str
    outcome: str | None
    step: str | None
    waiting_as: str | None
    on_hold: bool
    priority: str | None
    department: str | None
    team: str | None
    area: str | None
    latitude: float | None
    longitude: float | None
    address: str | None
    external_id: str | None
    attached_to: str | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    promised_at: datetime | None
    overdue: bool
    distance_m: float | None = Field(description="From `near`; null without it.")


class RequestPage(BaseModel):
    """A page of requests."""

    items: list[RequestLine]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


class EntryOut(BaseModel):
    """One journal entry."""

    seq: int = Field(description="The entry's own number: 1, 2, 3 ... per request, without gaps.")
    decision: int
    at: datetime
    actor: str
    kind: str
    text: str
    data: dict[str, Any]


class JournalPage(BaseModel):
    """A page of a journal."""

    items: list[EntryOut]
    next: str | None


class JournalQuery(Page):
    """Which entries are listed."""

    after_seq: int = Field(0, ge=0, le=2**31 - 1, description="Entries with a higher number only.")


@router.post(
    "",
    summary="Report something",
    status_code=201,
    response_model=OpenedOut,
    dependencies=[allow(CLIENTS)],
    responses={200: {"model": DryRunOut, "description": "What would happen (dry_run)"}, **described(409)},
)
async def open_request(body: ReportIn, response: Response, handler: HandlerOf) -> OpenedOut | JSONResponse:
    """Open a request. The answer is final at once, also while Temporal is away; its workflow starts behind it."""
    service = handler.parts.service
    published = await published_of(handler.parts, body.type)
    contact = body.contact.given if body.contact else None
    command = well_formed(
        Open,
        {
            **{name: getattr(body, name) for name in ("type", "answers", "description", "photos", "channel")},
            **located(handler.parts, body.location),
            "version": published.hash,
            "has_contact": contact is not None,
        },
    )
    report = Report(handler.submission(command), published.definition, contact=contact, on_behalf_of=body.on_behalf_of)
    if body.dry_run:
        decided = await service.preview(report)
        return JSONResponse(_dry_run_out(published.definition, decided.decision, decided.alike).model_dump(mode="json"))
    row = await service.open(report, handler.caller.patience)
    if row.id == report.submission.command_id:
        handler.metrics.opened.labels(published.definition.type).inc()
    response.headers["Location"] = f"/api/v1/requests/{row.request_id}"
    # From the command's own row: the same for a repeated key. Requests of earlier releases have no duplicates there.
    alike = row.answer.get("possible_duplicates", [])
    return OpenedOut.model_validate({**row.answer["request"], "possible_duplicates": alike})


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


def located(parts: Parts, location: LocationIn | None) -> dict[str, Any]:
    """What a command says of the place that a body names: its areas, too, and whether it lies outside the city; an
    address alone cannot tell."""
    if location is None:
        return {}
    found = {"place": well_formed(Place, vars(location))}
    if location.latitude is None or location.longitude is None:
        return found
    degrees, areas = (location.latitude, location.longitude), parts.catalog.areas
    return {**found, "areas": areas.locate(*degrees), "outside": areas.outside(*degrees)}


def _dry_run_out(definition: Definition, decision: Decision, alike: Alike) -> DryRunOut:
    """What opening would lead to."""
    state = decision.state
    return DryRunOut.model_validate(
        {
            **{name: getattr(state, name) for name in ("status", "priority", "attached_to", "areas")},
            "step": state.position.step if state.position else None,
            "promised_at": promised_at(definition, state),
            "possible_duplicates": alike.possible,
            "tasks": state.open_tasks,
            "clocks": state.live_clocks,
        }
    )


@router.get("", summary="List requests", dependencies=[allow(READERS)])
async def get_requests(query: Annotated[RequestQuery, Query()], parts: PartsOf) -> RequestPage:
    """Requests, newest first unless `sort` or `near` says otherwise."""
    check_near(query)
    sort: Sort = query.sort or ("distance" if query.near else "-opened")
    if sort == "distance" and query.near is None:
        raise invalid("sort", "without_near", "distance goes with near")
    bound = query.bound()
    after = read_cursor(query.cursor, bound)
    wanted = filter_of(query, parts.service.clock())
    lines, key = await parts.read(lambda s: list_requests(s, wanted, sort, after, query.limit))
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
        near=Circle(latitude, longitude, query.radius_m) if query.near else None,
        bbox=Box(*map(float, query.bbox.split(","))) if query.bbox else None,
        **query.model_dump(exclude={"limit", "cursor", "sort", "near", "radius_m", "bbox"}),
    )


@router.get("/{request_id}", summary="One request in full", dependencies=[allow(READERS)], responses=described(404))
async def get_request(request_id: str, parts: PartsOf) -> RequestOut:
    """Facts, clocks, tasks, the steps taken and those that can remain. Contact data is never part of it."""
    now = parts.service.clock()
    return await parts.find(lambda s: request_out(s, parts.versions, request_id, now), "request_unknown", "request")


@router.get(
    "/{request_id}/journal", summary="A request's journal", dependencies=[allow(READERS)], responses=described(404)
)
async def get_journal(request_id: str, query: Annotated[JournalQuery, Query()], parts: PartsOf) -> JournalPage:
    """What happened, entry by entry, in order."""
    bound = {"request": request_id}
    after = read_cursor(query.cursor, bound)
    seq = max(query.after_seq, after[0] if after else 0)
    entries = await parts.find(lambda s: read_journal(s, request_id, seq, query.limit), "request_unknown", "request")
    key = [entries[query.limit - 1]["seq"]] if len(entries) > query.limit else None
    return JournalPage.model_validate({"items": entries[: query.limit], "next": write_cursor(key, bound)})
