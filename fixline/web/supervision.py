"""The supervisors' questions over HTTP: what is overdue or will be, what rests, on whom requests wait.

As pages with totals or as one CSV. A supervisor of one department sees that department's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple, Self

from fastapi import Query, Response
from pydantic import AfterValidator, BaseModel, Field, model_validator
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.domain.process.kinds.base import WaitKind
from fixline.service import supervision_view as views
from fixline.store.queries import supervision
from fixline.store.store import Store
from fixline.web.auth import LEADS, Caller, CallerOf, allow, guarded_router
from fixline.web.csv import long_sheet
from fixline.web.paging import LARGEST_LIMIT, Page, read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.schemas import Text

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}}, "description": "A page, or all of it as CSV"}
}
router = guarded_router("", "overdue", dependencies=[allow(LEADS)], responses=ANSWERS)
After = Sequence[Any] | None


def _as_span(text: str) -> str:
    return str(Span.parse(text))


SpanText = Annotated[str, Field(max_length=50), AfterValidator(_as_span)]
"""A length of time as definitions write it, such as `3 working days`."""


class ScopeQuery(Page):
    """Whose lines are listed, and how the list is written."""

    department: Text | None = None
    team: Text | None = None
    type: Text | None = None
    area: Text | None = None
    format: Literal["json", "csv"] = Field("json", description="`csv` has every line, and neither pages nor totals.")

    @model_validator(mode="after")
    def _check_csv(self) -> Self:
        if self.format == "csv" and self.model_fields_set & {"limit", "cursor"}:
            raise ValueError("csv has every line: leave limit and cursor out")
        return self


class OverdueQuery(ScopeQuery):
    """Which overdue clocks are listed."""

    clock: Text | None = Field(None, description="The name of a clock, or of a definition's deadline.")


class DueSoonQuery(OverdueQuery):
    """Which clocks are listed that will be due."""

    within: SpanText = Field("1 working day", description="How soon, by each request's own calendar.")


class DormantQuery(ScopeQuery):
    """Which requests are listed to which nothing happens."""

    quiet_for: SpanText = Field("5 working days", description="For how long, by each request's own calendar.")


class WaitingQuery(ScopeQuery):
    """Which waiting requests are listed."""

    kind: WaitKind | None = Field(None, description="What is waited for.")
    on: Text | None = Field(None, description="Who or what: a team, a person, an agency ...")


class Totals(BaseModel):
    """How many lines there are, in all and by group, under the same filters."""

    count: int
    department: dict[str, int]
    team: dict[str, int]
    type: dict[str, int]
    area: dict[str, int]


class ClockTotals(Totals):
    """The same, by clock, too."""

    clock: dict[str, int]


class WaitingTotals(Totals):
    """The same, by what is waited for, too."""

    kind: dict[str, int]
    on: dict[str, int]


class OverduePage(BaseModel):
    """A page of overdue clocks, worst first, and the totals."""

    items: list[views.OverdueOut]
    next: str | None
    totals: ClockTotals


class DueSoonPage(BaseModel):
    """A page of clocks that will be due, the next first, and the totals."""

    items: list[views.DueSoonOut]
    next: str | None
    totals: ClockTotals


class DormantPage(BaseModel):
    """A page of requests to which nothing happens, the quietest first, and the totals."""

    items: list[views.DormantOut]
    next: str | None
    totals: Totals


class WaitingPage(BaseModel):
    """A page of waiting requests, the longest first, and the totals."""

    items: list[views.WaitingOut]
    next: str | None
    totals: WaitingTotals


class UnclaimedPage(BaseModel):
    """A page of unclaimed tasks, the longest first, and the totals."""

    items: list[views.UnclaimedOut]
    next: str | None
    totals: Totals


class Asked(NamedTuple):
    """A list that can be asked for, and the models of a line and of the whole."""

    name: str
    listing: supervision.Listing
    line: type[views.Supervised]
    whole: type[BaseModel]


OVERDUE = Asked("overdue", supervision.OVERDUE, views.OverdueOut, OverduePage)
DUE_SOON = Asked("due-soon", supervision.DUE_SOON, views.DueSoonOut, DueSoonPage)
DORMANT = Asked("dormant", supervision.DORMANT, views.DormantOut, DormantPage)
WAITING = Asked("waiting", supervision.WAITING, views.WaitingOut, WaitingPage)
UNCLAIMED = Asked("unclaimed", supervision.UNCLAIMED, views.UnclaimedOut, UnclaimedPage)


@router.get("/overdue", summary="What is overdue", response_model=OverduePage)
async def get_overdue(query: Annotated[OverdueQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per clock that is past due and not met, the worst first, and totals under the same filters."""
    return await _answer(parts, OVERDUE, query, _narrowed(query, parts, caller))


@router.get("/due-soon", summary="What will be overdue soon", response_model=DueSoonPage)
async def get_due_soon(query: Annotated[DueSoonQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per clock that runs and is due within that time, by its request's own calendar; the next first."""
    wanted = _narrowed(query, parts, caller)
    reach = supervision.ahead(wanted.now, Span.parse(query.within))
    until = await parts.read(lambda s: supervision.cutoffs(s, parts.versions, reach))
    return await _answer(parts, DUE_SOON, query, wanted, until)


@router.get("/dormant", summary="Where nothing happens", response_model=DormantPage)
async def get_dormant(query: Annotated[DormantQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per open request to which nothing has happened for that long; clocks and reminders do not count."""
    wanted = _narrowed(query, parts, caller)
    reach = supervision.ago(wanted.now, Span.parse(query.quiet_for))
    since = await parts.read(lambda s: supervision.cutoffs(s, parts.versions, reach))
    return await _answer(parts, DORMANT, query, wanted, since)


@router.get("/waiting", summary="On whom requests wait", response_model=WaitingPage)
async def get_waiting(query: Annotated[WaitingQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per open request, those that have waited longest first: for a team, a person, an agency, a hold ..."""
    return await _answer(parts, WAITING, query, _narrowed(query, parts, caller))


@router.get("/unclaimed", summary="Which tasks nobody has", response_model=UnclaimedPage)
async def get_unclaimed(query: Annotated[ScopeQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per task that is offered and not claimed, those offered first first; `team` is the task's own."""
    return await _answer(parts, UNCLAIMED, query, _narrowed(query, parts, caller))


def _narrowed(query: ScopeQuery, parts: Parts, caller: Caller) -> supervision.Scope:
    """What the query and the key narrow a list to. Raises Problem (403) for another department."""
    asked = query.model_dump(include={"team", "type", "area", "clock", "kind", "on"})
    return supervision.Scope(parts.service.clock(), caller.department(query.department), **asked)


async def _answer(
    parts: Parts, asked: Asked, query: ScopeQuery, wanted: supervision.Scope, reached: supervision.Cutoffs = ()
) -> Response:
    """The page with totals, or every line as CSV; `reached` are the instants that bound the list, where some do."""

    def page(session: Session, after: After, limit: int) -> tuple[list[views.Supervised], After]:
        lines, key = asked.listing.page(session, wanted, after, limit, reached)
        sight = views.Sight(session, parts.versions, wanted.now)
        return [asked.line.seen(sight, line) for line in lines], key

    if query.format == "csv":
        pages = _pages(parts.store, page)
        first = await asyncio.to_thread(next, pages)
        return long_sheet(asked.line, chain([first], pages), f"{asked.name}-{wanted.now:%Y-%m-%d}.csv")
    bound = query.bound()
    after = read_cursor(query.cursor, bound)

    def read(session: Session) -> BaseModel:
        items, key = page(session, after, query.limit)
        totals = asked.listing.totals(session, wanted, reached)
        return asked.whole.model_validate({"items": items, "next": write_cursor(key, bound), "totals": totals})

    found = await parts.read(read)
    return Response(found.model_dump_json(), media_type="application/json")


def _pages(store: Store, page: Callable[..., tuple[list[views.Supervised], After]]) -> Iterator[list[views.Supervised]]:
    """Every line, page by page, each page in a transaction of its own; the first page may be empty."""
    after: After = None
    while True:
        lines, after = store.read(partial(page, after=after, limit=LARGEST_LIMIT))
        yield lines
        if after is None:
            return
