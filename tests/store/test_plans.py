"""The queries behind lists, searches and reports are answered from indexes, on both databases: their plans say so.

How long that takes with a million requests is measured by `python -m bench.million`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.store.queries import reports, supervision
from fixline.store.queries.places import Circle, haversine_m
from fixline.store.queries.reports import ReportFilter
from fixline.store.queries.requests import RequestFilter, list_requests
from fixline.store.queries.supervision import Scope
from fixline.store.store import Store
from fixline.store.tables import ClockRow, JournalRow, RequestRow, TaskRow, table_of
from fixline.store.versions import Versions, publish
from tests.support.domain.samples import pothole
from tests.support.plans import plans, read_whole
from tests.support.report_rows import PERIODS, clock_of, made, task_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HERE = Circle(41.9, -87.7, 2_000)
HOWEVER_SMALL = ("SET LOCAL enable_seqscan = off",)
"""PostgreSQL reads small tables whole whatever indexes there are; so it is told not to where it can do otherwise."""
VERSIONS, DAY, YEAR = Versions(), Span.parse("1 working day"), ReportFilter(PERIODS)
ALL = Scope(NOW)
POTHOLE = pothole()
VERSION = POTHOLE.version
UNTIL = ((NOW, (VERSION,)),)
Work = Callable[[Session], Any]
PAGES: dict[str, tuple[str, Work]] = {
    "overdue": ("ix_clock_live_due", lambda s: supervision.OVERDUE.page(s, ALL, None, 50)),
    "overdue, later": (
        "ix_clock_live_due",
        lambda s: supervision.OVERDUE.page(s, ALL, [NOW, "SR26-00000001", "a"], 50),
    ),
    "due soon": ("ix_clock_live_due", lambda s: supervision.DUE_SOON.page(s, ALL, None, 50, UNTIL)),
    "dormant": ("ix_request_dormant", lambda s: supervision.DORMANT.page(s, ALL, None, 50, UNTIL)),
    "waiting": ("ix_request_waiting", lambda s: supervision.WAITING.page(s, Scope(NOW), None, 50)),
    "waiting for": (
        "ix_request_waits_on",
        lambda s: supervision.WAITING.page(s, Scope(NOW, kind="team", on="red"), None, 50),
    ),
    "unclaimed": ("ix_task_state", lambda s: supervision.UNCLAIMED.page(s, ALL, None, 50)),
    "requests": ("ix_request_opened", lambda s: list_requests(s, RequestFilter(NOW), "-opened", None, 50)),
    "requests, overdue": (
        "ix_request_status_opened",
        lambda s: list_requests(s, RequestFilter(NOW, overdue=True), "-opened", None, 50),
    ),
    "near": ("ix_request_place", lambda s: list_requests(s, RequestFilter(NOW, near=HERE), "distance", None, 50)),
}
REPORTS: dict[str, tuple[str, Work]] = {
    "opened": ("ix_request_opened", lambda s: reports.report_volume(s, ReportFilter(PERIODS[:1]))),
    "closed": ("ix_request_closed", lambda s: reports.report_volume(s, YEAR)),
    "reopened": ("ix_journal_reopened", lambda s: reports.report_volume(s, YEAR)),
    "took": ("ix_request_closed", lambda s: reports.report_time_to_close(s, YEAR)),
    "kept": ("ix_clock_ended", lambda s: reports.report_sla(s, YEAR)),
    "breached": ("ix_clock_breached", lambda s: reports.report_sla(s, YEAR)),
    "backlog": ("ix_request_closed", lambda s: reports.report_backlog(s, YEAR)),
}
PLANS = PAGES | REPORTS


@pytest.fixture
def two_thousand(store: Store) -> Store:
    """Two thousand requests, one in five open, each with a place, a task and a clock; the database knows how many."""
    dice = random.Random(11)
    rows = [made(number, dice) | _rest(number, dice) for number in range(2_000)]
    for row in rows:
        waits = row["status"] == "open"
        row |= {"acted_at": row["opened_at"], "waits_for": "team" if waits else None, "waits_on": row["team"]}
        row |= {"waits_since": row["opened_at"] if waits else None, "version": VERSION}
        row |= {"late_from": row["opened_at"] if waits else None}

    def write(session: Session) -> None:
        connection = session.connection()
        publish(session, POTHOLE, NOW)
        connection.execute(insert(table_of(RequestRow)), rows)
        connection.execute(insert(table_of(TaskRow)), [task_of(row, dice) for row in rows])
        connection.execute(insert(table_of(ClockRow)), [clock_of(row) for row in rows])
        entries = [_entry(row["id"], number, row["opened_at"]) for row in rows for number in range(1, 4)]
        connection.execute(insert(table_of(JournalRow)), entries)

    store.write(write)
    if not store.sqlite:  # as its autovacuum does
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
    return store


def _rest(number: int, dice: random.Random) -> dict[str, Any]:
    return {
        "latitude": 41.9 + dice.uniform(-0.03, 0.03),
        "longitude": -87.7 + dice.uniform(-0.03, 0.03),
        "department": ("transportation", "sanitation")[number % 2],
    }


def planned(store: Store, work: Work) -> list[str]:
    return plans(store, work, before=() if store.sqlite else HOWEVER_SMALL)


def test_pages_and_reports_come_from_their_indexes(two_thousand: Store) -> None:
    found = {name: planned(two_thousand, work) for name, (_, work) in PLANS.items()}
    without = {name: plan for name, plan in found.items() if not [line for line in plan if PLANS[name][0] in line]}
    assert without == {}
    assert {name: plan for name, plan in found.items() if read_whole(plan)} == {}


@pytest.mark.parametrize("index", sorted({index for index, _ in PLANS.values()}))
def test_without_its_index_a_plan_is_another(two_thousand: Store, index: str) -> None:
    """What the test above looks at tells whether the index is there."""
    two_thousand.write(lambda s: s.execute(text(f"DROP INDEX {index}")))
    for name, (wanted, work) in PLANS.items():
        if wanted == index:
            assert not [line for line in planned(two_thousand, work) if index in line], name


def _entry(request_id: str, number: int, at: datetime) -> dict[str, Any]:
    kind = "reopened" if number == 3 and request_id.endswith("00") else "commented"
    entry = {"request_id": request_id, "seq": number, "decision": number, "at": at, "kind": kind}
    return entry | {"actor": "test", "text": "", "data": {}}


def asking(query: Callable[..., Any], *details: Any) -> Work:
    return lambda session: query(session, *details)


def narrowed() -> list[tuple[str, Work]]:
    found: list[tuple[str, Work]] = []
    for name, value in (("department", "sanitation"), ("team", "red"), ("type", "pothole"), ("area", "north")):
        scope = Scope(NOW, **{name: value})
        found += [
            (f"ix_clock_live_{name}", asking(supervision.OVERDUE.page, scope, None, 50)),
            (f"ix_clock_live_{name}", asking(supervision.DUE_SOON.page, scope, None, 50, UNTIL)),
            (f"COVERING INDEX ix_clock_live_{name}", asking(supervision.OVERDUE.totals, scope)),
            ("ix_request_dormant", asking(supervision.DORMANT.page, scope, None, 50, UNTIL)),
            ("ix_request_waiting", asking(supervision.WAITING.page, scope, None, 50)),
        ]
    near = RequestFilter(NOW, near=HERE, status="open", type=("pothole",))
    of_type = ReportFilter(PERIODS, ("month", "area"), type="pothole")
    closed = (reports.report_volume, reports.report_time_to_close, reports.report_backlog)
    found += [("ix_request_closed", asking(report, of_type)) for report in closed]
    found.append(("ix_task_team_state", asking(supervision.UNCLAIMED.page, Scope(NOW, team="red"), None, 50)))
    found.append(("ix_request_open_version", asking(supervision.cutoffs, VERSIONS, supervision.ahead(NOW, DAY))))
    return [*found, ("ix_request_place", asking(list_requests, near, "distance", None, 50))]


@pytest.mark.parametrize(("index", "work"), narrowed())
def test_sqlite_begins_with_what_is_asked_for(sqlite_store: Store, index: str, work: Work) -> None:
    """And not with everything that a department, a type or an area ever had: it keeps no statistics.

    (PostgreSQL does, and begins with whichever is less.)
    """
    plan = planned(sqlite_store, work)
    assert [line for line in plan if index in line], plan
    for column in ("type", "department", "team", "area", "status"):
        others = [line for line in plan if f"ix_request_{column}_opened" in line and "opened_at" not in line]
        assert others == [], plan


@pytest.mark.parametrize(
    ("by", "index"),
    [
        ({"type": ("pothole",), "area": ("north",)}, "ix_request_open_type (status=? AND type=?)"),
        ({"type": ("pothole", "graffiti")}, "ix_request_status_opened (status=?)"),
        ({"department": ("sanitation",), "team": ("red",)}, "ix_request_team_opened (team=?)"),
    ],
)
def test_sqlite_begins_with_what_is_open(sqlite_store: Store, by: dict[str, Any], index: str) -> None:
    """And not with what a type or an area ever had, most of which is closed; a closed request has no team."""
    for wanted in (RequestFilter(NOW, status="open", **by), RequestFilter(NOW, overdue=True, **by)):
        plan = planned(sqlite_store, asking(list_requests, wanted, "-opened", None, 50))
        assert index in plan[0]


def test_reports_of_closed_requests_and_verdicts_read_their_indexes_alone(sqlite_store: Store) -> None:
    by_type = ReportFilter(PERIODS, ("month", "type", "area"))
    plan = planned(sqlite_store, lambda s: reports.report_time_to_close(s, by_type))
    assert [line for line in plan if "COVERING INDEX ix_request_closed" in line], plan
    by_clock = ReportFilter(PERIODS, ("month", "clock", "type", "department", "area"), type="pothole")
    plan = planned(sqlite_store, lambda s: reports.report_sla(s, by_clock))
    for index in ("ix_clock_ended", "ix_clock_breached"):
        assert [line for line in plan if f"COVERING INDEX {index}" in line], plan
    assert not [line for line in plan if " request " in line], plan
    plan = planned(sqlite_store, lambda s: reports.report_backlog(s, by_type))
    for index in ("ix_request_opened", "ix_request_closed"):
        assert [line for line in plan if f"COVERING INDEX {index}" in line], plan


def test_the_nearest_come_first_whatever_the_circle(two_thousand: Store) -> None:
    """Pages of a wide circle, which are found by narrower ones, are those that all of its requests make."""
    wanted = RequestFilter(NOW, near=HERE)
    whole, rest = two_thousand.read(lambda s: list_requests(s, wanted, "distance", None, 2_000))
    assert rest is None
    assert len(whole) > 700
    distances = [haversine_m(HERE.latitude, HERE.longitude, row["latitude"], row["longitude"]) for row in whole]
    assert all(one <= other + 0.5 for one, other in pairwise(distances))
    found: list[str] = []
    key: list[Any] | None = None
    while True:
        page, key = two_thousand.read(asking(list_requests, wanted, "distance", key, 40))
        found += [row["id"] for row in page]
        if key is None:
            break
    assert found == [row["id"] for row in whole]
