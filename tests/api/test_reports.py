"""GET /reports/...: periods, groups, CSV, who may ask, and what is refused."""

from __future__ import annotations

import csv
import io
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fixline.web.csv import as_csv
from fixline.web.reports import months
from tests.support.api import Service, problem


async def report_of(service: Service, report: str, *, who: str = "admin", **params: Any) -> Any:
    """A report that must be answered."""
    answer = await service.call("GET", f"reports/{report}", by=who, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_day_of_the_city(service: Service) -> None:
    """Opened in June by the city's own clock; cancelled is closed, not fixed."""
    first = await service.open()
    await service.open()
    await service.post(f"requests/{first}/cancel", {"reason": "twice"})
    found = await report_of(service, "volume", by="month", **{"from": "2026-05-01", "to": "2026-06-30"})
    assert (found["report"], found["by"]) == ("volume", ["month"])
    assert (found["from"], found["to"]) == ("2026-05-01", "2026-06-30")
    assert found["timezone"] == "America/Chicago"
    (june,) = found["items"]
    assert june["month"] == "2026-06"
    assert (june["opened"], june["closed"], june["cancelled"], june["fixed"]) == (2, 1, 1, 0)


@pytest.mark.parametrize("report", ["sla", "volume", "backlog", "time-to-close"])
async def test_every_report_as_json_and_as_csv(service: Service, report: str) -> None:
    await service.open()
    service.later(days=20)
    service.tick("SR26-00000001")
    found = await report_of(service, report, by="type")
    answer = await service.call("GET", f"reports/{report}", params={"by": "type", "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{report}-2025-06-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    expected = [{name: "" if value is None else str(value) for name, value in item.items()} for item in found["items"]]
    assert rows == expected
    assert bool(rows) == (report != "time-to-close")


async def test_promises_by_clock(service: Service) -> None:
    await service.open()
    service.later(days=20)
    service.tick("SR26-00000001")
    found = (await report_of(service, "sla", by="clock"))["items"]
    assert {line["clock"]: (line["met"], line["breached"], line["attainment"]) for line in found} == {
        "first_look": (0, 1, 0.0),
        "resolve": (0, 1, 0.0),
    }


async def test_a_supervisor_sees_the_own_department(service: Service) -> None:
    await service.open()
    assert (await report_of(service, "volume", who="supervisor"))["items"][0]["opened"] == 1
    assert (await report_of(service, "volume", who="stranger"))["items"][0]["opened"] == 0
    refused = await service.call("GET", "reports/volume", by="stranger", params={"department": "transportation"})
    problem(refused, 403, "wrong_department")
    for by in ("app", "inspectors"):
        assert (await service.call("GET", "reports/volume", by=by)).status_code == 403


@pytest.mark.parametrize(
    ("report", "params"),
    [
        ("volume", {"from": "2026-06-02", "to": "2026-06-01"}),
        ("volume", {"from": "2027-06-02"}),
        ("volume", {"from": "1900-01-01"}),
        ("volume", {"to": "9999-01-01"}),
        ("volume", {"from": "2000-01-01"}),
        ("volume", {"from": "June"}),
        ("volume", {"by": ["type", "type"]}),
        ("volume", {"by": ["type", "month", "area", "team"]}),
        ("volume", {"by": "colour"}),
        ("volume", {"by": "clock"}),
        ("volume", {"format": "pdf"}),
        ("volume", {"colour": "red"}),
        ("moods", {}),
    ],
)
async def test_wrong_questions_are_named(service: Service, report: str, params: dict[str, Any]) -> None:
    answer = await service.call("GET", f"reports/{report}", params=params)
    problem(answer, 422, "invalid")


def test_months_are_local_and_cut_at_both_ends() -> None:
    """March has 23 hours less than its days where summer time begins."""
    zone = ZoneInfo("America/Chicago")
    found = months(date(2026, 2, 27), date(2026, 4, 1), zone)
    assert [each.name for each in found] == ["2026-02", "2026-03", "2026-04"]
    assert [f"{each.since:%m-%d %H}" for each in found] == ["02-27 06", "03-01 06", "04-01 05"]
    assert f"{found[-1].until:%m-%d %H}" == "04-02 05"
    assert all(a.until == b.since for a, b in pairwise(found))


def test_no_cell_is_a_formula() -> None:
    assert as_csv([{"type": "=1+1", "opened": -3}]).splitlines() == ["type,opened", "'=1+1,-3"]
    assert as_csv([]) == ""
