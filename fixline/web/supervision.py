"""The supervisors' questions over HTTP: what is overdue or will be, what rests, on whom requests wait.

Owns these routes, as pages with totals or as one CSV. A supervisor of one department sees that department's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlmodel import Session

from fixline.domain.calendar import Span
from fixline.store.queries import dormant, overdue, waiting
from fixline.store.queries.overdue import OverdueFilter, Page
from fixline.store.queries.scope import Scope
from fixline.store.queries.waiting import WaitingFilter
from fixline.web.auth import LEADS, Caller, CallerOf, Guarded, allow
from fixline.web.lines import (
    Shape,
    Sight,
    dormant_line,
    due_soon_line,
    overdue_line,
    unclaimed_line,
    waiting_line,
)
from fixline.web.paging import LARGEST_LIMIT, read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import described
from fixline.web.schemas.overdue import (
    DormantOut,
    DormantPage,
    DormantQuery,
    DueSoonOut,
    DueSoonPage,
    DueSoonQuery,
    OverdueOut,
    OverduePage,
    OverdueQuery,
    ScopeQuery,
    UnclaimedOut,
    UnclaimedPage,
    WaitingOut,
    WaitingPage,
    WaitingQuery,
)
from fixline.web.sheets import long_sheet

router = APIRouter(tags=["overdue"], route_class=Guarded)
ANSWERS: dict[int | str, dict[str, Any]] = {
    **described(403, 422, 503),
    200: {"content": {"text/csv": {}}, "description": "A page, or all of it as CSV"},
}
After = Sequence[Any] | None


@dataclass(frozen=True)
class Asked:
    """One list as it is asked for: how a page of it is read, its totals, and what its lines become."""

    name: str
    page: Callable[[Session, After, int], Page]
    totals: Callable[[Session], dict[str, Any]]
    shape: Shape
    line: type[BaseModel]
    whole: type[BaseModel]


@router.get(
    "/overdue",
    summary="What is overdue",
    dependencies=[allow(LEADS)],
    response_model=OverduePage,
    responses=ANSWERS,
)
async def get_overdue(query: Annotated[OverdueQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per clock that is past due and not met, the worst first, and totals under the same filters."""
    wanted = OverdueFilter(**_scope(parts, caller, query), clock=query.clock)
    asked = Asked(
        "overdue",
        lambda s, after, limit: overdue.list_overdue(s, wanted, after, limit),
        lambda s: overdue.count_overdue(s, wanted),
        overdue_line,
        OverdueOut,
        OverduePage,
    )
    return await _answer(parts, query, wanted, asked)


@router.get(
    "/due-soon",
    summary="What will be overdue soon",
    dependencies=[allow(LEADS)],
    response_model=DueSoonPage,
    responses=ANSWERS,
)
async def get_due_soon(query: Annotated[DueSoonQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per clock that runs and is due within that time, by its request's own calendar; the next first."""
    wanted = OverdueFilter(**_scope(parts, caller, query), clock=query.clock)
    within = Span.parse(query.within)
    until = await asyncio.to_thread(parts.store.read, lambda s: overdue.soon(s, parts.versions, wanted, within))
    asked = Asked(
        "due-soon",
        lambda s, after, limit: overdue.list_due_soon(s, wanted, until, after, limit),
        lambda s: overdue.count_due_soon(s, wanted, until),
        due_soon_line,
        DueSoonOut,
        DueSoonPage,
    )
    return await _answer(parts, query, wanted, asked)


@router.get(
    "/dormant",
    summary="Where nothing happens",
    dependencies=[allow(LEADS)],
    response_model=DormantPage,
    responses=ANSWERS,
)
async def get_dormant(query: Annotated[DormantQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per open request to which nothing has happened for that long; clocks and reminders do not count."""
    wanted = Scope(**_scope(parts, caller, query))
    quiet_for = Span.parse(query.quiet_for)
    since = await asyncio.to_thread(
        parts.store.read, lambda s: dormant.quiet_since(s, parts.versions, wanted, quiet_for)
    )
    asked = Asked(
        "dormant",
        lambda s, after, limit: dormant.list_dormant(s, wanted, since, after, limit),
        lambda s: dormant.count_dormant(s, wanted, since),
        dormant_line,
        DormantOut,
        DormantPage,
    )
    return await _answer(parts, query, wanted, asked)


@router.get(
    "/waiting",
    summary="On whom requests wait",
    dependencies=[allow(LEADS)],
    response_model=WaitingPage,
    responses=ANSWERS,
)
async def get_waiting(query: Annotated[WaitingQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per open request, those that have waited longest first: for a team, a person, an agency, a hold ..."""
    wanted = WaitingFilter(**_scope(parts, caller, query), kind=query.kind, on=query.on)
    asked = Asked(
        "waiting",
        lambda s, after, limit: waiting.list_waiting(s, wanted, after, limit),
        lambda s: waiting.count_waiting(s, wanted),
        waiting_line,
        WaitingOut,
        WaitingPage,
    )
    return await _answer(parts, query, wanted, asked)


@router.get(
    "/unclaimed",
    summary="Which tasks nobody has",
    dependencies=[allow(LEADS)],
    response_model=UnclaimedPage,
    responses=ANSWERS,
)
async def get_unclaimed(query: Annotated[ScopeQuery, Query()], parts: PartsOf, caller: CallerOf) -> Response:
    """One item per task that is offered and not claimed, those offered first first; `team` is the task's own."""
    wanted = Scope(**_scope(parts, caller, query))
    asked = Asked(
        "unclaimed",
        lambda s, after, limit: waiting.list_unclaimed(s, wanted, after, limit),
        lambda s: waiting.count_unclaimed(s, wanted),
        unclaimed_line,
        UnclaimedOut,
        UnclaimedPage,
    )
    return await _answer(parts, query, wanted, asked)


def _scope(parts: Parts, caller: Caller, query: ScopeQuery) -> dict[str, Any]:
    """What the query and the key narrow the list to. Raises Problem (403) for another department."""
    if query.department is not None:
        caller.check_department(query.department)
    department = query.department or caller.key.department
    narrowed = {"team": query.team, "type": query.type, "area": query.area}
    return {"now": parts.desk.clock(), "department": department, **narrowed}


async def _answer(parts: Parts, query: ScopeQuery, wanted: Scope, asked: Asked) -> Response:
    if query.format == "csv":
        pages = _pages(parts, wanted, asked)
        first = await asyncio.to_thread(next, pages)
        return long_sheet(asked.line, chain([first], pages), f"{asked.name}-{wanted.now:%Y-%m-%d}.csv")
    bound = query.bound()
    after = read_cursor(query.cursor, bound)

    def read(session: Session) -> BaseModel:
        lines, key = asked.page(session, after, query.limit)
        sight = Sight(session, parts.versions, wanted.now)
        items = [asked.shape(sight, line) for line in lines]
        totals = asked.totals(session)
        return asked.whole.model_validate({"items": items, "next": write_cursor(key, bound), "totals": totals})

    found = await asyncio.to_thread(parts.store.read, read)
    return Response(found.model_dump_json(), media_type="application/json")


def _pages(parts: Parts, wanted: Scope, asked: Asked) -> Iterator[list[BaseModel]]:
    """Every line, page by page, each page in a transaction of its own; the first page may be empty."""
    after: After = None
    while True:

        def read(session: Session, after: After = after) -> tuple[list[BaseModel], After]:
            lines, key = asked.page(session, after, LARGEST_LIMIT)
            sight = Sight(session, parts.versions, wanted.now)
            return [asked.line.model_validate(asked.shape(sight, line)) for line in lines], key

        page, after = parts.store.read(read)
        yield page
        if after is None:
            return
