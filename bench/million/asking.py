"""What is asked of a large store: the product's own queries behind its lists, totals, searches and reports."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.model import Duplicates, WhenDuplicate
from fixline.store.queries import reports, supervision
from fixline.store.queries.duplicates import find_alike
from fixline.store.queries.places import Circle
from fixline.store.queries.requests import CLOCK, RequestFilter, Sort, late_clocks, list_requests
from fixline.store.queries.supervision import Scope
from fixline.store.queries.tasks import TaskFilter, list_tasks
from fixline.store.store import Store
from fixline.store.versions import Versions
from fixline.web.reports import months

Kind = Literal["page", "totals", "report"]
Lists = Callable[[Session, Sequence[Any] | None, int], tuple[list[dict[str, Any]], list[Any] | None]]
Report = Callable[[Session, reports.ReportFilter], list[dict[str, Any]]]
_GROUPS: tuple[tuple[reports.Group, ...], ...] = ((), ("month",), ("type",), ("month", "department", "area"))
PLACES = 5
"""At how many places is searched: what is near is a matter of the place."""


@dataclass(frozen=True)
class Question:
    """One thing that is asked: `ask` gets the page's size, and answers with how many lines there were."""

    name: str
    kind: Kind
    ask: Callable[[Session, int], int]


@dataclass(frozen=True)
class Narrowed:
    """What the lists are narrowed to: names that both stores have."""

    department: str
    team: str
    type: str
    area: str
    idle_team: str


def narrowed(store: Store, now: datetime) -> Narrowed:
    """Of each kind the name under which the middle one of all overdue clocks stands, when those of the most common come
    first; and the team with the least that is overdue."""
    counts = store.read(lambda s: supervision.OVERDUE.totals(s, Scope(now)))
    middle = {name: _middle(counts[name]) for name in ("department", "team", "type", "area")}
    return Narrowed(**middle, idle_team=list(counts["team"])[-1])


def _middle(counts: dict[str, int]) -> str:
    left = sum(counts.values()) // 2
    for name, count in counts.items():
        left -= count
        if left <= 0:
            return name
    raise ValueError("nothing is overdue")


def questions(store: Store, now: datetime, by: Narrowed) -> Iterator[Question]:
    """Everything that is asked."""
    yield from _supervisors(store, now, by)
    yield from _searches(now, by)
    yield from _totals(now, by)
    yield from _reports(now, by)


def _page(name: str, lists: Lists, after: Sequence[Any] | None = None) -> Question:
    return Question(name, "page", lambda session, limit: len(lists(session, after, limit)[0]))


def _supervisors(store: Store, now: datetime, by: Narrowed) -> Iterator[Question]:
    late = Scope(now)
    deep = store.read(lambda s: _half_way(s, now))

    def list_overdue(wanted: Scope) -> Lists:
        return lambda session, after, limit: supervision.OVERDUE.page(session, wanted, after, limit)

    yield _page("overdue", list_overdue(late))
    yield _page("overdue, half-way", list_overdue(late), deep)
    for name in ("department", "team", "type", "area"):
        yield _page(f"overdue, one {name}", list_overdue(replace(late, **{name: getattr(by, name)})))
    yield _page("overdue of the team with least", list_overdue(replace(late, team=by.idle_team)))
    yield _page("overdue of a type and area", list_overdue(replace(late, type=by.type, area=by.area)))
    yield _page("overdue, one deadline", list_overdue(replace(late, clock="resolve")))
    versions, day, days = Versions(), Span.parse("1 working day"), Span.parse("5 working days")

    def list_due_soon(wanted: Scope) -> Lists:
        return lambda session, after, limit: supervision.DUE_SOON.page(
            session, wanted, after, limit, supervision.cutoffs(session, versions, supervision.ahead(wanted.now, day))
        )

    def list_dormant(wanted: Scope) -> Lists:
        return lambda session, after, limit: supervision.DORMANT.page(
            session, wanted, after, limit, supervision.cutoffs(session, versions, supervision.ago(wanted.now, days))
        )

    yield _page("due soon", list_due_soon(late))
    yield _page("due soon of a team", list_due_soon(replace(late, team=by.team)))
    yield _page("dormant", list_dormant(Scope(now)))
    yield _page("dormant of a team", list_dormant(Scope(now, team=by.team)))
    yield from _resting(now, by)


def _resting(now: datetime, by: Narrowed) -> Iterator[Question]:
    def list_waiting(wanted: Scope) -> Lists:
        return lambda session, after, limit: supervision.WAITING.page(session, wanted, after, limit)

    def list_unclaimed(wanted: Scope) -> Lists:
        return lambda session, after, limit: supervision.UNCLAIMED.page(session, wanted, after, limit)

    def list_own(wanted: TaskFilter) -> Lists:
        return lambda session, after, limit: list_tasks(session, wanted, after, limit)

    yield _page("waiting", list_waiting(Scope(now)))
    yield _page("waiting for a team", list_waiting(Scope(now, kind="team", on=by.team)))
    yield _page("waiting, of a type", list_waiting(Scope(now, type=by.type)))
    yield _page("unclaimed", list_unclaimed(Scope(now)))
    yield _page("unclaimed of a team", list_unclaimed(Scope(now, team=by.team)))
    yield _page("unclaimed of a type", list_unclaimed(Scope(now, type=by.type)))
    yield _page("tasks of a team", list_own(TaskFilter(teams=(by.team,))))


def _half_way(session: Session, now: datetime) -> list[Any]:
    late = late_clocks(now)
    half = session.execute(select(func.count()).select_from(CLOCK.due_at.table).where(late)).scalar_one() // 2
    key = (CLOCK.due_at, CLOCK.request_id, CLOCK.name)
    return list(session.execute(select(*key).where(late).order_by(*key).offset(half).limit(1)).one())


def _searches(now: datetime, by: Narrowed) -> Iterator[Question]:
    wanted = RequestFilter(now)
    near = [RequestFilter(now, near=each) for each in _circles(500)]
    far = [RequestFilter(now, near=each) for each in _circles(5_000)]
    open_near = [replace(each, status="open", type=(by.type,)) for each in near]

    def search(each: Sequence[RequestFilter], sort: Sort = "distance") -> Lists:
        def lists(
            session: Session, after: Sequence[Any] | None, limit: int
        ) -> tuple[list[dict[str, Any]], list[Any] | None]:
            found = [list_requests(session, wanted, sort, after, limit) for wanted in each]
            return max((lines for lines, _ in found), key=len), None

        return lists

    yield _page("requests", search([wanted], "-opened"))
    yield _page("requests, open", search([replace(wanted, status="open")], "-opened"))
    yield _page("requests, open, of a type", search([replace(wanted, status="open", type=(by.type,))], "-opened"))
    yield _page("requests of a team", search([replace(wanted, team=(by.team,))], "-opened"))
    yield _page("requests, overdue", search([replace(wanted, overdue=True)], "-opened"))
    yield _page(f"near {PLACES} places, 500 m", search(near))
    yield _page(f"near {PLACES} places, 500 m, open, of a type", search(open_near))
    yield _page(f"near {PLACES} places, 5 km", search(far))
    rules = Duplicates(within_m=100, opened_in_last=Span.parse("30 calendar days"), then=WhenDuplicate.ATTACH)

    def alike(session: Session, _limit: int) -> int:
        places = [(each.near.latitude, each.near.longitude) for each in near if each.near]
        return sum(len(find_alike(session, by.type, "", rules, *place, now).possible) for place in places)

    yield Question(f"duplicates at {PLACES} places", "page", alike)


def _circles(radius_m: float) -> list[Circle]:
    dice = random.Random(7)
    return [Circle(dice.uniform(41.7, 41.97), dice.uniform(-87.78, -87.58), radius_m) for _ in range(PLACES)]


def _totals(now: datetime, by: Narrowed) -> Iterator[Question]:
    versions, scope = Versions(), Scope(now)
    soon = supervision.ahead(now, Span.parse("1 working day"))
    quiet = supervision.ago(now, Span.parse("5 working days"))
    counts: dict[str, Callable[[Session], dict[str, Any]]] = {
        "overdue": lambda s: supervision.OVERDUE.totals(s, scope),
        "overdue of a department": lambda s: supervision.OVERDUE.totals(s, replace(scope, department=by.department)),
        "overdue of a team": lambda s: supervision.OVERDUE.totals(s, replace(scope, team=by.team)),
        "due soon": lambda s: supervision.DUE_SOON.totals(s, scope, supervision.cutoffs(s, versions, soon)),
        "dormant": lambda s: supervision.DORMANT.totals(s, scope, supervision.cutoffs(s, versions, quiet)),
        "waiting": lambda s: supervision.WAITING.totals(s, Scope(now)),
        "waiting of a department": lambda s: supervision.WAITING.totals(s, Scope(now, department=by.department)),
        "unclaimed": lambda s: supervision.UNCLAIMED.totals(s, scope),
    }
    for name, count in counts.items():
        yield _counted(name, count)


def _counted(name: str, count: Callable[[Session], dict[str, Any]]) -> Question:
    return Question(name, "totals", lambda session, _limit: int(count(session)["count"]))


def _reports(now: datetime, by: Narrowed) -> Iterator[Question]:
    zone = ZoneInfo("America/Chicago")
    to = now.astimezone(zone).date()
    year = reports.ReportFilter(months(to - timedelta(days=364), to, zone))
    made: dict[str, Report] = {
        "sla": reports.report_sla,
        "volume and outcomes": reports.report_volume,
        "backlog": reports.report_backlog,
        "time to close": reports.report_time_to_close,
    }
    for name, report in made.items():
        for groups in _GROUPS:
            by_what = f", by {' and '.join(groups)}" if groups else ""
            yield _reported(f"{name}{by_what}", report, replace(year, by=groups))
    monthly = replace(year, by=("month",), type=by.type)
    yield _reported("volume of one type, by month", reports.report_volume, monthly)
    yield _reported("volume, by month and team", reports.report_volume, replace(year, by=("month", "team")))


def _reported(name: str, report: Report, wanted: reports.ReportFilter) -> Question:
    return Question(name, "report", lambda session, _limit: len(report(session, wanted)))
