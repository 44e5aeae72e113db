"""The supervisors' questions over HTTP: what is overdue or will be, what rests, on whom requests wait.

Owns these routes, as pages with totals or as one CSV. A supervisor of one department sees that department's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Response
from pydantic import BaseModel
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.service.views.supervision import (
    DormantOut,
    DueSoonOut,
    OverdueOut,
    Shape,
    Sight,
    UnclaimedOut,
    WaitingOut,
    dormant_line,
    due_soon_line,
    overdue_line,
    unclaimed_line,
    waiting_line,
)
from fixline.store.queries import dormant, overdue, waiting
from fixline.store.queries.overdue import OverdueFilter, Page
from fixline.store.queries.scope import Scope
from fixline.store.queries.waiting import WaitingFilter
from fixline.web.auth import LEADS, CallerOf, allow, guarded_router
from fixline.web.csv import long_sheet
from fixline.web.paging import LARGEST_LIMIT, read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import described
from fixline.web.schemas.supervision import (
    DormantPage,
    DormantQuery,
    DueSoonPage,
    DueSoonQuery,
    OverduePage,
    OverdueQuery,
    ScopeQuery,
    UnclaimedPage,
    WaitingPage,
    WaitingQuery,
)

ANSWERS: dict[int | str, dict[str, Any]] = {
    **described(403, 422, 503),
    200: {"content": {"text/csv": {}}, "description": "A page, or all of it as CSV"},
}
router = guarded_router("", "overdue", dependencies=[allow(LEADS)], responses=ANSWERS)
After = Sequence[Any] | None
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """One list as it is asked for: how a page of it is read, its totals, and what its lines become."""

    name: str
    page: Callable[[Session, After, int], Page]
    totals: Callable[[Session], dict[str, Any]]
    shape: Shape
    line: type[BaseModel]
    whole: type[BaseModel]


class Asker:
    """Who asks for a list, and where it is read: what every list route depends on."""

    def __init__(self, parts: PartsOf, caller: CallerOf) -> None:
        self.parts = parts
        self._caller = caller

    def scope(self, query: ScopeQuery) -> dict[str, Any]:
        """What the query and the key narrow a list to. Raises Problem (403) for another department."""
        if query.department is not None:
            self._caller.check_department(query.department)
        department = query.department or self._caller.key.department
        narrowed = {"team": query.team, "type": query.type, "area": query.area}
        return {"now": self.parts.service.clock(), "department": department, **narrowed}

    async def read(self, work: Callable[[Session], T]) -> T:
        """Read the store without stopping the event loop."""
        return await asyncio.to_thread(self.parts.store.read, work)

    async def answer(self, query: ScopeQuery, wanted: Scope, asked: Asked) -> Response:
        """The page with totals, or every line as CSV."""
        if query.format == "csv":
            pages = _pages(self.parts, wanted, asked)
            first = await asyncio.to_thread(next, pages)
            return long_sheet(asked.line, chain([first], pages), f"{asked.name}-{wanted.now:%Y-%m-%d}.csv")
        bound = query.bound()
        after = read_cursor(query.cursor, bound)

        def read(session: Session) -> BaseModel:
            lines, key = asked.page(session, after, query.limit)
            sight = Sight(session, self.parts.versions, wanted.now)
            items = [asked.shape(sight, line) for line in lines]
            totals = asked.totals(session)
            return asked.whole.model_validate({"items": items, "next": write_cursor(key, bound), "totals": totals})

        found = await self.read(read)
        return Response(found.model_dump_json(), media_type="application/json")


AskerOf = Annotated[Asker, Depends()]


@router.get("/overdue", summary="What is overdue", response_model=OverduePage)
async def get_overdue(query: Annotated[OverdueQuery, Query()], asker: AskerOf) -> Response:
    """One item per clock that is past due and not met, the worst first, and totals under the same filters."""
    wanted = OverdueFilter(**asker.scope(query), clock=query.clock)
    asked = Asked(
        "overdue",
        lambda s, after, limit: overdue.list_overdue(s, wanted, after, limit),
        lambda s: overdue.count_overdue(s, wanted),
        overdue_line,
        OverdueOut,
        OverduePage,
    )
    return await asker.answer(query, wanted, asked)


@router.get("/due-soon", summary="What will be overdue soon", response_model=DueSoonPage)
async def get_due_soon(query: Annotated[DueSoonQuery, Query()], asker: AskerOf) -> Response:
    """One item per clock that runs and is due within that time, by its request's own calendar; the next first."""
    wanted = OverdueFilter(**asker.scope(query), clock=query.clock)
    within = Span.parse(query.within)
    until = await asker.read(lambda s: overdue.soon(s, asker.parts.versions, wanted, within))
    asked = Asked(
        "due-soon",
        lambda s, after, limit: overdue.list_due_soon(s, wanted, until, after, limit),
        lambda s: overdue.count_due_soon(s, wanted, until),
        due_soon_line,
        DueSoonOut,
        DueSoonPage,
    )
    return await asker.answer(query, wanted, asked)


@router.get("/dormant", summary="Where nothing happens", response_model=DormantPage)
async def get_dormant(query: Annotated[DormantQuery, Query()], asker: AskerOf) -> Response:
    """One item per open request to which nothing has happened for that long; clocks and reminders do not count."""
    wanted = Scope(**asker.scope(query))
    quiet_for = Span.parse(query.quiet_for)
    since = await asker.read(lambda s: dormant.quiet_since(s, asker.parts.versions, wanted, quiet_for))
    asked = Asked(
        "dormant",
        lambda s, after, limit: dormant.list_dormant(s, wanted, since, after, limit),
        lambda s: dormant.count_dormant(s, wanted, since),
        dormant_line,
        DormantOut,
        DormantPage,
    )
    return await asker.answer(query, wanted, asked)


@router.get("/waiting", summary="On whom requests wait", response_model=WaitingPage)
async def get_waiting(query: Annotated[WaitingQuery, Query()], asker: AskerOf) -> Response:
    """One item per open request, those that have waited longest first: for a team, a person, an agency, a hold ..."""
    wanted = WaitingFilter(**asker.scope(query), kind=query.kind, on=query.on)
    asked = Asked(
        "waiting",
        lambda s, after, limit: waiting.list_waiting(s, wanted, after, limit),
        lambda s: waiting.count_waiting(s, wanted),
        waiting_line,
        WaitingOut,
        WaitingPage,
    )
    return await asker.answer(query, wanted, asked)


@router.get("/unclaimed", summary="Which tasks nobody has", response_model=UnclaimedPage)
async def get_unclaimed(query: Annotated[ScopeQuery, Query()], asker: AskerOf) -> Response:
    """One item per task that is offered and not claimed, those offered first first; `team` is the task's own."""
    wanted = Scope(**asker.scope(query))
    asked = Asked(
        "unclaimed",
        lambda s, after, limit: waiting.list_unclaimed(s, wanted, after, limit),
        lambda s: waiting.count_unclaimed(s, wanted),
        unclaimed_line,
        UnclaimedOut,
        UnclaimedPage,
    )
    return await asker.answer(query, wanted, asked)


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
