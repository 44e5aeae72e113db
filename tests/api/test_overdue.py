"""GET /overdue: one item per breached unmet clock, worst first, with totals; on both databases."""

from typing import Any

import pytest
from sqlalchemy import event

from fixline.store.queries.supervision import OVERDUE, Scope
from fixline.store.store import Store
from tests.support.api import MORNING, POTHOLE, Service, fields, problem


@pytest.fixture
async def late(anywhere: Service) -> Service:
    """A pothole, a day later a graffiti; ten days after that both are late, and the pothole's ladder has fired."""
    await anywhere.open()
    anywhere.later(days=1)
    body = {**POTHOLE, "type": "graffiti", "answers": {"surface": "brick"}, "location": {"address": "1 Main Street"}}
    await anywhere.post("requests", body, status=201)
    anywhere.later(days=10)
    anywhere.tick("SR26-00000001")
    return anywhere


async def names(service: Service, by: str = "admin", **params: Any) -> list[str]:
    """The number and clock of each item."""
    found = (await service.get("overdue", by=by, **params))["items"]
    return [f"{item['request']['id'][-1]} {item['clock']}" for item in found]


async def test_the_worst_comes_first_with_holder_rung_and_lateness(late: Service) -> None:
    found = await late.get("overdue")
    lateness = [item["late_by_seconds"] for item in found["items"]]
    assert lateness == sorted(lateness, reverse=True)
    assert lateness[0] > 0
    first = found["items"][0]
    assert (first["request"]["id"], first["clock"], first["kind"]) == ("SR26-00000001", "T1.claim", "claim")
    assert first["due_at"] == "2026-06-01T19:00:00Z"
    assert first["late_by"] == "P10DT20H"
    assert first["late_by_seconds"] == (10 * 24 + 20) * 3600
    # Monday 14:00 to Friday of the next week, 10:00: two hours, eight whole days, two hours.
    assert (first["late_working"], first["late_working_seconds"]) == ("PT68H", 68 * 3600)
    assert first["holder"] == {"task": "SR26-00000001-T1", "team": "street-inspectors", "assignee": None}
    assert first["last_rung"] == "due"
    (resolve,) = (await late.get("overdue", type="pothole", clock="resolve"))["items"]
    assert resolve["last_rung"] == "after 1 working day"
    assert resolve["request"]["priority"] == "high"


async def test_totals_stand_beside_the_items(late: Service) -> None:
    found = await late.get("overdue", limit=1)
    totals = found["totals"]
    everything = (await late.get("overdue"))["items"]
    assert totals["count"] == len(everything)
    assert sum(totals["type"].values()) == sum(totals["clock"].values()) == totals["count"]
    assert totals["department"].keys() == {"transportation", "streets-and-sanitation"}
    assert totals["area"] == {"central": totals["department"]["transportation"]}
    assert (await late.get("overdue", type="pothole"))["totals"]["type"] == {"pothole": totals["type"]["pothole"]}


async def test_filters(late: Service) -> None:
    potholes = await names(late, type="pothole")
    assert potholes == ["1 T1.claim", "1 first_look", "1 resolve"]
    assert await names(late, department="transportation") == potholes
    assert await names(late, team="street-inspectors") == potholes
    assert await names(late, area="central") == potholes
    assert await names(late, clock="first_look") == ["1 first_look"]
    assert await names(late, clock="none") == []


async def test_pages_hold_every_clock_once(late: Service) -> None:
    whole = await names(late)
    found: list[str] = []
    page = await late.get("overdue", limit=1)
    while True:
        found += [f"{item['request']['id'][-1]} {item['clock']}" for item in page["items"]]
        if page["next"] is None:
            break
        page = await late.get("overdue", limit=1, cursor=page["next"])
    assert found == whole
    assert len(whole) >= 4


async def test_nothing_is_overdue_that_is_met_closed_or_not_due(late: Service) -> None:
    await late.post("requests/SR26-00000001/cancel", {"reason": "gone"})
    assert await names(late, type="pothole") == []
    await late.open()
    assert await names(late, type="pothole") == []


async def test_the_holder_is_who_has_the_task(service: Service) -> None:
    request_id = await service.open()
    await service.post(f"tasks/{request_id}-T1/claim", {"assignee": "anneke-vos"}, by="inspectors")
    service.later(days=3)
    (found,) = (await service.get("overdue", by="supervisor"))["items"]
    assert found["clock"] == "first_look"
    assert found["holder"] == {
        "task": f"{request_id}-T1",
        "team": "street-inspectors",
        "assignee": "anneke-vos",
    }


async def test_a_supervisor_sees_the_own_department(late: Service) -> None:
    assert {name[0] for name in await names(late, by="supervisor")} == {"1"}
    assert {name[0] for name in await names(late, by="stranger")} == {"2"}
    answer = await late.call("GET", "overdue?department=transportation", by="stranger")
    problem(answer, 403, "wrong_department")


async def test_wrong_parameters_and_cursors(service: Service) -> None:
    problem(await service.call("GET", "overdue?departement=x"), 422, "invalid")
    answer = await service.call("GET", "overdue?cursor=abc")
    assert fields(problem(answer, 422, "invalid")) == {"cursor": "bad_cursor"}


def test_the_page_comes_from_an_index_of_live_clocks(sqlite_store: Store) -> None:
    statements: list[tuple[str, Any]] = []

    @event.listens_for(sqlite_store.engine, "before_cursor_execute")
    def seen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        statements.append((statement, parameters))

    wanted = Scope(now=MORNING, department="transportation", team="asphalt-north")
    sqlite_store.read(lambda s: OVERDUE.page(s, wanted, [MORNING, "SR26-00000001", "resolve"], 50))
    (statement, parameters) = next(each for each in statements if each[0].startswith("SELECT"))
    plan = sqlite_store.read(
        lambda s: s.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    )
    assert "ix_clock_live_" in plan[0][-1]  # by department or by team: either holds the other
    assert not [step for step in plan if "SCAN" in step[-1] or step[-1] == "TEMP B-TREE FOR ORDER BY"]
