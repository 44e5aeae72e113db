"""Reports over HTTP, as JSON or CSV. A supervisor of one department sees that department's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Query, Response
from pydantic import BaseModel, Field, field_validator, model_validator
from sqlmodel import Session

from fixline.store.queries import reports
from fixline.store.queries.reports import Group, Period, ReportFilter
from fixline.web.auth import LEADS, CallerOf, allow, guarded_router
from fixline.web.csv import as_csv, sheet
from fixline.web.parts import PartsOf
from fixline.web.problems import invalid
from fixline.web.schemas import Parameters, Text

router = guarded_router("/reports", "reports")

Report = Literal["sla", "volume", "backlog", "time-to-close"]
MOST_MONTHS = 120
MOST_GROUPS = 3


class ReportQuery(Parameters):
    """Which time a report covers, and how its lines are grouped."""

    from_: date | None = Field(
        None, alias="from", description="The first day, in the city's zone; a year before `to` by default."
    )
    to: date | None = Field(None, description="The last day, in the city's zone; today by default.")
    by: list[Group] = Field(
        default_factory=list,
        max_length=MOST_GROUPS,
        description="How lines are grouped: month, type, department, area, team, priority; `clock` for `sla`. May be "
        "given several times.",
    )
    type: Text | None = None
    department: Text | None = None
    team: Text | None = Field(None, description="The team that had the last task.")
    area: Text | None = None
    format: Literal["json", "csv"] = Field("json", description="How the report is written.")

    @field_validator("by")
    @classmethod
    def _once(cls, by: list[Group]) -> list[Group]:
        if len(set(by)) != len(by):
            raise ValueError("names a group twice")
        return by

    @model_validator(mode="after")
    def _in_order(self) -> ReportQuery:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError("`from` lies after `to`")
        return self


class ReportOut(BaseModel):
    """One report: the days it covers, both included, and its lines, each with its group's names."""

    report: Report
    from_: date = Field(serialization_alias="from")
    to: date
    timezone: str
    by: list[str]
    items: list[dict[str, Any]]


_REPORTS: dict[Report, Callable[[Session, ReportFilter], list[dict[str, Any]]]] = {
    "sla": reports.report_sla,
    "volume": reports.report_volume,
    "backlog": reports.report_backlog,
    "time-to-close": reports.report_time_to_close,
}
_FIRST_DAY, _LAST_DAY = date(1901, 1, 1), date(2199, 12, 31)


@router.get(
    "/{report}",
    summary="A report",
    dependencies=[allow(LEADS)],
    response_model=ReportOut,
    responses={200: {"content": {"text/csv": {}}, "description": "The report"}},
)
async def get_report(
    report: Report, query: Annotated[ReportQuery, Query()], parts: PartsOf, caller: CallerOf
) -> Response:
    """Promises kept (`sla`), `volume` and outcomes, `backlog` at each month's end, or `time-to-close`."""
    department = caller.department(query.department)
    if "clock" in query.by and report != "sla":
        raise invalid("by", "not_for_this_report", "only the report sla is grouped by clock")
    zone = ZoneInfo(parts.organisation.city.timezone)
    to = query.to or parts.service.clock().astimezone(zone).date()
    since = query.from_ or _year_before(to)
    _check_days(since, to)
    narrowed = query.model_dump(include={"by", "type", "team", "area"})
    wanted = ReportFilter(months(since, to, zone), department=department, **narrowed)
    items = await parts.read(lambda s: _REPORTS[report](s, wanted))
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
