"""Requests in and out: reports, lists, one request in full, its journal."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from fixline.store.queries.places import LARGEST_RADIUS_M
from fixline.web.schemas.basics import MAX_DESCRIPTION, Body, Instant, LocationIn, Name, Page, Photo, Text

DEFAULT_RADIUS_M = 500.0


class ContactIn(Body):
    """How to reach whoever reports. Kept apart from the request, shown in no answer."""

    name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str | None = Field(None, max_length=40, pattern=r"^[0-9+()/. -]*$")


class ReportIn(Body):
    """A report."""

    type: Name = Field(description="The request type, from GET /api/v1/definitions.", examples=["pothole"])
    location: LocationIn | None = None
    answers: dict[str, Any] = Field(default_factory=dict, examples=[{"lane": "traffic", "depth": 12}])
    description: str = Field("", max_length=MAX_DESCRIPTION)
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


class TaskPlan(BaseModel):
    """A task that would be offered."""

    step: str
    kind: str
    title: str
    team: str


class ClockPlan(BaseModel):
    """A clock that would start."""

    name: str
    budget: str
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
    priority: list[Literal["low", "normal", "high", "urgent"]] = Field(default_factory=list, max_length=4)
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
