"""Reports over HTTP, as JSON or CSV.

Owns this route: which days become which periods, and how lines are written. A supervisor of one department sees
that department's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Response
from sqlmodel import Session

from fixline.store.queries.reports import (
    Period,
    ReportFilter,
    report_backlog,
    report_sla,
    report_time_to_close,
    report_volume,
)
from fixline.web.auth import LEADS, CallerOf, allow, guarded_router
from fixline.web.csv import as_csv, sheet
from fixline.web.parts import PartsOf
from fixline.web.problems import described, invalid
from fixline.web.schemas.reports import MOST_MONTHS, Report, ReportOut, ReportQuery

router = guarded_router("/reports", "reports")

_REPORTS: dict[Report, Callable[[Session, ReportFilter], list[dict[str, Any]]]] = {
    "sla": report_sla,
    "volume": report_volume,
    "backlog": report_backlog,
    "time-to-close": report_time_to_close,
}
_FIRST_DAY, _LAST_DAY = date(1901, 1, 1), date(2199, 12, 31)


@router.get(
    "/{report}",
    summary="A report",
    dependencies=[allow(LEADS)],
    response_model=ReportOut,
    responses={**described(403, 422, 503), 200: {"content": {"text/csv": {}}, "description": "The report"}},
)
async def get_report(
    report: Report, query: Annotated[ReportQuery, Query()], parts: PartsOf, caller: CallerOf
) -> Response:
    """Promises kept (`sla`), `volume` and outcomes, `backlog` at each month's end, or `time-to-close`."""
    if query.department is not None:
        caller.check_department(query.department)
    if "clock" in query.by and report != "sla":
        raise invalid("by", "not_for_this_report", "only the report sla is grouped by clock")
    zone = ZoneInfo(parts.organisation.city.timezone)
    to = query.to or parts.service.clock().astimezone(zone).date()
    since = query.from_ or _year_before(to)
    _check_days(since, to)
    wanted = ReportFilter(
        periods=months(since, to, zone),
        by=query.by,
        type=query.type,
        department=query.department or caller.key.department,
        team=query.team,
        area=query.area,
    )
    items = await asyncio.to_thread(parts.store.read, lambda s: _REPORTS[report](s, wanted))
    if query.format == "csv":
        return sheet(as_csv(items), f"{report}-{since}-{to}.csv")
    found = ReportOut(report=report, from_=since, to=to, timezone=zone.key, by=list(query.by), items=items)
    return Response(found.model_dump_json(by_alias=True), media_type="application/json")


def _year_before(day: date) -> date:
    """The day after the same day of the year before: 365 days, or 366, with `day` itself."""
    try:
        return day.replace(year=day.year - 1) + timedelta(days=1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28) + timedelta(days=1)


def _check_days(since: date, to: date) -> None:
    if not (since >= _FIRST_DAY and to <= _LAST_DAY):
        raise invalid("from", "too_small", f"must lie between {_FIRST_DAY} and {_LAST_DAY}")
    if since > to:
        raise invalid("from", "too_large", f"must not lie after {to}")
    if (to.year - since.year) * 12 + to.month - since.month >= MOST_MONTHS:
        raise invalid("from", "too_small", f"a report covers {MOST_MONTHS} months at most")


def months(since: date, to: date, zone: ZoneInfo) -> list[Period]:
    """The calendar months from one local day to another, both included; the first and last may be cut short."""
    found: list[Period] = []
    day = since
    while day <= to:
        following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        after = min(following, to + timedelta(days=1))
        found.append(Period(f"{day:%Y-%m}", _midnight(day, zone), _midnight(after, zone)))
        day = following
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
