"""Reports against a plain count in Python, on both databases, and the indexes that they come from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlmodel import Session

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.store.queries.reports import (
    ReportFilter,
    report_backlog,
    report_sla,
    report_time_to_close,
    report_volume,
)
from fixline.store.schema import migrate
from fixline.store.store import Store
from fixline.store.tables import ClockRow, JournalRow, RequestRow, TaskRow, table_of
from tests.support.report_rows import AREAS, PERIODS, TYPES, clock_of, made, task_of


@pytest.fixture
def reported(store: Store) -> tuple[Store, list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Six hundred requests, each with a task and a clock; twenty were closed after two days and opened again after
    three."""
    dice = random.Random(7)
    requests = [made(number, dice) for number in range(600)]
    tasks, clocks = [task_of(each, dice) for each in requests], [clock_of(each) for each in requests]

    def write(session: Session) -> None:
        connection = session.connection()
        connection.execute(insert(table_of(RequestRow)), requests)
        connection.execute(insert(table_of(TaskRow)), tasks)
        connection.execute(insert(table_of(ClockRow)), clocks)
        entries = [
            {
                "request_id": each["id"],
                "seq": seq,
                "decision": seq,
                "actor": "x",
                "text": "",
                "data": {},
                "at": each["opened_at"] + timedelta(days=1 + seq),
                "kind": kind if number < 20 else "commented",
            }
            for number, each in enumerate(requests[:40])
            for seq, kind in ((1, "closed"), (2, "reopened"))
        ]
        connection.execute(insert(table_of(JournalRow)), entries)

    store.write(write)
    return store, requests, tasks, clocks


def month_of(instant: datetime | None) -> str | None:
    return next((p.name for p in PERIODS if instant and p.since <= instant < p.until), None)


City = tuple[Store, list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def test_volume_by_month_and_type(reported: City) -> None:
    store, requests, tasks, _ = reported
    found = store.read(lambda s: report_volume(s, ReportFilter(PERIODS, ("month", "type"))))
    opened = Counter((month_of(r["opened_at"]), r["type"]) for r in requests)
    closed = Counter((month_of(r["closed_at"]), r["type"]) for r in requests)
    outcome = Counter((month_of(r["closed_at"]), r["type"], r["outcome"]) for r in requests)
    again = Counter((month_of(r["opened_at"] + timedelta(days=3)), r["type"]) for r in requests[:20])
    once = Counter(
        (month_of(r["closed_at"]), r["type"])
        for r, task in list(zip(requests, tasks, strict=True))[20:]  # the first twenty were opened again
        if r["outcome"] == "fixed" and task["visit"] == 1
    )
    assert [(line["month"], line["type"]) for line in found] == [(p.name, t) for p in PERIODS for t in sorted(TYPES)]
    for line in found:
        key = line["month"], line["type"]
        assert (line["opened"], line["closed"], line["reopened"]) == (opened[key], closed[key], again[key])
        assert [line[each.value] for each in CloseOutcome] == [outcome[(*key, each.value)] for each in CloseOutcome]
        assert (line["fixed_by_crews"], line["first_visit"]) == (line["fixed"], once[key])
    assert sum(again[each] for each in again if each[0]) > 5


@pytest.mark.parametrize("by", [(), ("area",), ("team",)])
def test_time_to_close_is_the_nearest_rank(reported: City, by: Sequence[Any]) -> None:
    store, requests, tasks, _ = reported
    found = store.read(lambda s: report_time_to_close(s, ReportFilter(PERIODS, by)))
    groups: dict[Any, list[int]] = {}
    for request, task in zip(requests, tasks, strict=True):
        if month_of(request["closed_at"]) and request["outcome"] not in ("cancelled", "duplicate"):
            key = {(): None, ("area",): request["area"], ("team",): task["team"]}[tuple(by)]
            took = request["closed_at"] - request["opened_at"]
            groups.setdefault(key, []).append(int(took.total_seconds()))
    assert len(found) == len(groups)
    for line in found:
        values = sorted(groups[line[by[0]] if by else None])
        assert line["closed"] == len(values)
        assert line["median_seconds"] == values[ceil(len(values) * 0.5) - 1]
        assert line["p90_seconds"] == values[ceil(len(values) * 0.9) - 1]


def test_promises_kept(reported: City) -> None:
    """A reopened request's second clock counts under its deadline's name; no verdict for cancelled ones met early."""
    store, _, _, clocks = reported
    (line,) = store.read(lambda s: report_sla(s, ReportFilter(PERIODS, ("clock",))))
    met = sum(1 for c in clocks if c["state"] == "met" and c["breached_at"] is None and month_of(c["ended_at"]))
    late = [c for c in clocks if month_of(c["breached_at"])]
    assert line["clock"] == "resolve"
    assert (line["met"], line["breached"]) == (met, len(late))
    assert line["met_late"] == sum(1 for c in late if c["state"] == "met")
    assert line["attainment"] == round(met / (met + len(late)), 4)


@pytest.mark.parametrize(("by", "names"), [("type", TYPES), ("area", AREAS)])
def test_the_backlog_at_each_months_end(reported: City, by: Any, names: Sequence[Any]) -> None:
    store, requests, _, _ = reported
    found = store.read(lambda s: report_backlog(s, ReportFilter(PERIODS, (by,))))
    assert len(found) == len(PERIODS) * len(names)
    ends = {p.name: p.until for p in PERIODS}
    for line in found:
        end = ends[line["month"]]
        mine = [r for r in requests if r[by] == line[by]]
        still = [r for r in mine if r["opened_at"] < end and (r["closed_at"] is None or r["closed_at"] >= end)]
        ages = [end - r["opened_at"] for r in requests[:20] if r[by] == line[by]]
        closed_then = sum(1 for age in ages if timedelta(days=2) < age <= timedelta(days=3))
        assert line["open_at_end"] == len(still) - closed_then


@pytest.mark.parametrize(
    ("narrowed", "fits"),
    [
        ({"type": "pothole"}, lambda request, _: request["type"] == "pothole"),
        ({"area": "north"}, lambda request, _: request["area"] == "north"),
        ({"team": "red"}, lambda _, task: task["team"] == "red"),
        ({"department": "nowhere"}, lambda *_: False),
    ],
)
def test_what_it_is_narrowed_to(reported: City, narrowed: dict[str, str], fits: Any) -> None:
    store, requests, tasks, _ = reported
    found = store.read(lambda s: report_volume(s, ReportFilter(PERIODS, (), **narrowed)))
    mine = [r for r, task in zip(requests, tasks, strict=True) if fits(r, task)]
    assert sum(line["opened"] for line in found) == sum(1 for r in mine if month_of(r["opened_at"]))
    assert sum(line["closed"] for line in found) == sum(1 for r in mine if month_of(r["closed_at"]))


def test_an_empty_city(store: Store) -> None:
    whole = ReportFilter(PERIODS)
    assert store.read(lambda s: report_time_to_close(s, whole)) == []
    assert store.read(lambda s: report_backlog(s, whole)) == [
        {"month": p.name, "opened": 0, "reopened": 0, "closed": 0, "open_at_end": 0} for p in PERIODS
    ]
    (sla,) = store.read(lambda s: report_sla(s, whole))
    assert (sla["met"], sla["breached"], sla["attainment"]) == (0, 0, None)
    (volume,) = store.read(lambda s: report_volume(s, whole))
    assert set(volume.values()) == {0, None}


def test_reports_come_from_the_indexes_on_instants(tmp_path: Path) -> None:
    """SQLite's plan names the index of each instant; nothing is read from end to end for one month.

    (PostgreSQL reads tables of a few rows whole whatever indexes there are.)
    """
    store = Store(f"sqlite:///{tmp_path / 'plans.db'}")
    migrate(store)
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    def plans(session: Session) -> str:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        for report in (report_volume, report_time_to_close, report_sla):
            report(session, ReportFilter(PERIODS[:1]))
        event.remove(connection, "before_cursor_execute", note)
        lines: list[str] = []
        for statement, parameters in list(asked):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines += [str(row[-1]) for row in rows]
        return "\n".join(lines)

    plan = store.read(plans)
    store.close()
    for index in (
        "ix_request_opened",
        "ix_request_closed",
        "ix_clock_ended",
        "ix_clock_breached",
        "ix_journal_reopened",
    ):
        assert index in plan
    assert "SCAN request" not in plan
    assert "SCAN clock" not in plan
