"""What is overdue, over HTTP: the supervisors' question.

Owns this route. A supervisor of one department sees that department's.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlmodel import Session

from fixline.domain.calendar import CalendarExhausted
from fixline.store.queries.overdue import OverdueFilter, count_overdue, list_overdue
from fixline.web.auth import LEADS, CallerOf, Guarded, allow
from fixline.web.paging import read_cursor, write_cursor
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import described
from fixline.web.schemas.overdue import OverduePage, OverdueQuery
from fixline.web.views import iso_duration

router = APIRouter(prefix="/overdue", tags=["overdue"], route_class=Guarded)


@router.get("", summary="What is overdue", dependencies=[allow(LEADS)], responses=described(403, 422, 503))
async def get_overdue(query: Annotated[OverdueQuery, Query()], parts: PartsOf, caller: CallerOf) -> OverduePage:
    """One item per clock that is past due and not met, the worst first, and totals under the same filters."""
    if query.department is not None:
        caller.check_department(query.department)
    bound = query.bound()
    after = read_cursor(query.cursor, bound)
    wanted = OverdueFilter(
        now=parts.desk.clock(),
        department=query.department or caller.key.department,
        team=query.team,
        type=query.type,
        area=query.area,
        clock=query.clock,
    )

    def read(session: Session) -> OverduePage:
        lines, key = list_overdue(session, wanted, after, query.limit)
        items = [_item(parts, session, line, wanted.now) for line in lines]
        totals = count_overdue(session, wanted)
        return OverduePage.model_validate({"items": items, "next": write_cursor(key, bound), "totals": totals})

    return await asyncio.to_thread(parts.store.read, read)


def _item(parts: Parts, session: Session, line: dict[str, Any], now: datetime) -> dict[str, Any]:
    due_at: datetime = line["clock_due_at"]
    working = _working(parts, session, line["version"], due_at, now)
    return {
        "request": line,
        "clock": line["clock_name"],
        "kind": line["clock_kind"],
        "due_at": due_at,
        "late_by": iso_duration(now - due_at),
        "late_by_seconds": int((now - due_at).total_seconds()),
        "late_working": iso_duration(working, in_days=False) if working is not None else None,
        "late_working_seconds": int(working.total_seconds()) if working is not None else None,
        "holder": line["holder"],
        "last_rung": line["clock_last_rung"],
    }


def _working(parts: Parts, session: Session, version: str | None, due_at: datetime, now: datetime) -> timedelta | None:
    """The opening hours since due, by the calendar that is pinned with the request's definition."""
    if version is None:
        return None
    try:
        return parts.versions.load(session, version).calendar.working_time(due_at, now)
    except CalendarExhausted:
        return None
