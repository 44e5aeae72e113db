"""Due soon, dormant, waiting, unclaimed: lines, totals, pages, CSV, whose they are; on both databases."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import event

from fixline.domain.deadlines.calendar import Span
from fixline.store.queries import supervision
from fixline.store.queries.supervision import Scope
from fixline.store.store import Store
from fixline.store.versions import Versions, publish
from tests.support.api import DOWNTOWN, MORNING, POTHOLE, Service, fields, problem
from tests.support.types import asking

LISTS = ("overdue", "due-soon", "dormant", "waiting", "unclaimed")
LIGHT: dict[str, Any] = {
    **POTHOLE,
    "type": "graffiti",
    "answers": {"surface": "brick"},
    "location": {"address": "1 Main Street"},
}


async def ids(service: Service, path: str, by: str = "admin", **params: Any) -> list[str]:
    """The last figure of each item's request."""
    return [item["request"]["id"][-1] for item in (await service.get(path, by=by, **params))["items"]]


@pytest.fixture
async def two(anywhere: Service) -> Service:
    """A pothole and, an hour later, a graffiti."""
    await anywhere.open()
    anywhere.later(hours=1)
    await anywhere.post("requests", LIGHT, status=201)
    return anywhere


async def test_what_is_due_soon_says_how_long_is_left_and_which_rung_is_next(two: Service) -> None:
    found = await two.get("due-soon", type="pothole", within="3 working hours")
    (item,) = found["items"]
    assert (item["clock"], item["due_at"]) == ("T1.claim", "2026-06-01T19:00:00Z")
    assert (item["due_in"], item["left_working_seconds"]) == ("PT3H", 3 * 3600)
    assert item["next_rung"] == {"rung": "due", "at": "2026-06-01T19:00:00Z", "tell": "supervisor"}
    assert item["holder"]["team"] == "street-inspectors"
    assert found["totals"]["clock"] == {"T1.claim": 1}
    assert await ids(two, "due-soon", type="pothole", within="2 working hours") == []
    # From Friday evening on, one working day reaches into Monday, by the calendar of each request.
    two.now = MORNING.replace(day=5, hour=23)
    await two.open()
    assert await ids(two, "due-soon", within="12 calendar hours") == []
    assert await ids(two, "due-soon", type="pothole", clock="T1.claim", within="1 working day") == ["3"]


async def test_what_is_due_is_no_longer_due_soon_and_what_stands_is_neither(two: Service) -> None:
    late = {(i["request"]["id"], i["clock"]) for i in (await two.get("overdue"))["items"]}
    assert late == set()
    await two.post("requests/SR26-00000001/hold", {"reason": "closed off"})
    held = [i["clock"] for i in (await two.get("due-soon", type="pothole", within="30 working days"))["items"]]
    assert "resolve" not in held
    two.later(days=60)
    assert await ids(two, "due-soon", type="graffiti", within="1 working hour") == []
    assert set(await ids(two, "overdue", type="graffiti")) == {"2"}


async def test_overdue_names_the_next_rung(two: Service) -> None:
    two.later(days=11)
    two.tick("SR26-00000001")
    (resolve,) = (await two.get("overdue", type="pothole", clock="resolve"))["items"]
    assert resolve["next_rung"] == {
        "rung": "after 1 working day",
        "at": "2026-06-15T15:00:00Z",
        "tell": "deputy_commissioner",
    }
    (claim,) = (await two.get("overdue", type="pothole", clock="T1.claim"))["items"]
    assert (claim["last_rung"], claim["next_rung"]) == ("due", None)


async def test_dormant_counts_what_happens_not_what_the_clocks_do(two: Service) -> None:
    assert await ids(two, "dormant", quiet_for="1 working day") == []
    two.later(days=8)
    two.tick("SR26-00000001", "SR26-00000002")
    assert await ids(two, "dormant", quiet_for="5 working days") == ["1", "2"]
    (first, _) = (await two.get("dormant"))["items"]
    assert (first["acted_at"], first["quiet"]) == ("2026-06-01T15:00:00Z", "P8DT1H")
    assert first["quiet_working_seconds"] > 5 * 8 * 3600
    assert first["request"]["priority"] is not None
    await two.post("requests/SR26-00000001/comment", {"text": "I have called them."})
    assert await ids(two, "dormant") == ["2"]
    assert (await two.get("dormant"))["totals"]["type"] == {"graffiti": 1}
    assert await ids(two, "dormant", quiet_for="7 working days") == []
    assert await ids(two, "dormant", quiet_for="100000 working days") == []
    assert await ids(two, "dormant", quiet_for="9 calendar days") == []


async def test_on_whom_requests_wait(two: Service) -> None:
    found = await two.get("waiting")
    first, second = found["items"]
    assert (first["waits"]["kind"], first["waits"]["on"], first["waits"]["step"]) == (
        *("team", "street-inspectors", "inspect"),
    )
    assert (second["waits"]["kind"], second["waits"]["step"]) == ("team", second["request"]["step"])
    assert found["totals"]["kind"] == {"team": 2}
    assert found["totals"]["on"]["street-inspectors"] == 1
    await two.post("tasks/SR26-00000001-T1/claim", {"assignee": "anneke-vos"}, by="inspectors")
    (person,) = (await two.get("waiting", kind="person"))["items"]
    assert (person["waits"]["on"], person["waits"]["since"]) == ("anneke-vos", "2026-06-01T16:00:00Z")
    two.later(hours=2)
    await two.post("requests/SR26-00000001/hold", {"reason": "closed off"}, by="supervisor")
    (held,) = (await two.get("waiting", kind="hold"))["items"]
    assert (held["waits"]["on"], held["waited"]) == ("supervisor", "PT0S")
    assert [(each["kind"], each["on"]) for each in held["also"]] == [("person", "anneke-vos")]
    await two.post("requests/SR26-00000001/cancel", {"reason": "gone"})
    assert await ids(two, "waiting") == ["2"]


async def test_an_agency_is_waited_for_by_its_name(anywhere: Service) -> None:
    definition = asking(start="gas")
    anywhere.store.write(lambda s: publish(s, definition, anywhere.now))
    await anywhere.post("requests", {"type": "asking"}, status=201)
    anywhere.later(hours=3)
    (item,) = (await anywhere.get("waiting", kind="agency"))["items"]
    assert (item["waits"]["step"], item["waited"]) == ("gas", "PT3H")
    assert await ids(anywhere, "waiting", on=item["waits"]["on"]) == ["1"]
    assert await ids(anywhere, "waiting", on="nobody") == []


async def test_unclaimed_tasks_by_their_own_team(two: Service) -> None:
    two.later(hours=1)
    found = await two.get("unclaimed")
    first = found["items"][0]
    assert (first["task"]["id"], first["task"]["team"]) == ("SR26-00000001-T1", "street-inspectors")
    assert (first["open_for"], first["claim_by"]) == ("PT2H", "2026-06-01T19:00:00Z")
    assert found["totals"]["count"] == len(found["items"]) == 2
    assert await ids(two, "unclaimed", team="street-inspectors") == ["1"]
    await two.post("tasks/SR26-00000001-T1/claim", {"assignee": "anneke-vos"}, by="inspectors")
    assert await ids(two, "unclaimed") == ["2"]


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_is_paged_filtered_and_written_as_csv(anywhere: Service, path: str) -> None:
    for _ in range(3):
        await anywhere.open()
        anywhere.later(minutes=1)
    await anywhere.post("requests", LIGHT, status=201)
    anywhere.later(days=0 if path == "due-soon" else 40)
    params = {"within": "60 working days"} if path == "due-soon" else {}
    whole = await anywhere.get(path, **params)
    assert len(whole["items"]) == whole["totals"]["count"] >= 4
    items, page = [], await anywhere.get(path, limit=1, **params)
    while True:
        items += page["items"]
        if page["next"] is None:
            break
        page = await anywhere.get(path, limit=1, cursor=page["next"], **params)
    assert items == whole["items"]
    for narrowed in ({"department": "transportation"}, {"type": "pothole"}, {"area": "central"}):
        assert set(await ids(anywhere, path, **narrowed, **params)) == {"1", "2", "3"}
    assert set(await ids(anywhere, path, team="street-inspectors", **params)) == {"1", "2", "3"}
    assert set(await ids(anywhere, path, by="stranger", **params)) == {"4"}

    answer = await anywhere.call("GET", path, params={"format": "csv", **params})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{path}-2026-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["request_id"] for row in rows] == [item["request"]["id"] for item in items]
    assert not any(value.startswith("{") for row in rows for value in row.values())


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_csv_has_its_header(service: Service, path: str) -> None:
    answer = await service.call("GET", path, params={"format": "csv"})
    assert answer.status_code == 200
    assert answer.text.startswith("request_id,request_type,")
    assert answer.text.count("\r\n") == 1


@pytest.mark.parametrize("path", LISTS)
async def test_who_may_ask_and_what_is_refused(service: Service, path: str) -> None:
    problem(await service.call("GET", path, by="inspectors"), 403, "wrong_role")
    answer = await service.call("GET", path, by="stranger", params={"department": "transportation"})
    problem(answer, 403, "wrong_department")
    problem(await service.call("GET", f"{path}?departement=x"), 422, "invalid")
    found = problem(await service.call("GET", f"{path}?cursor=abc"), 422, "invalid")
    assert fields(found) == {"cursor": "bad_cursor"}
    found = problem(await service.call("GET", f"{path}?format=csv&limit=3"), 422, "invalid")
    assert "csv has every line" in found["detail"]


async def test_a_length_of_time_says_its_measure(service: Service) -> None:
    found = problem(await service.call("GET", "due-soon?within=2 days"), 422, "invalid")
    assert fields(found) == {"within": "invalid"}
    assert "working days" in found["detail"]
    found = problem(await service.call("GET", "dormant?quiet_for=0 working days"), 422, "invalid")
    assert fields(found) == {"quiet_for": "invalid"}
    problem(await service.call("GET", "waiting?kind=godot"), 422, "invalid")


async def test_a_long_csv_has_every_line_once(anywhere: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixline.web.supervision.LARGEST_LIMIT", 2)
    for _ in range(5):
        await anywhere.open()
    answer = await anywhere.call("GET", "waiting", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["request_id"][-1] for row in rows] == ["1", "2", "3", "4", "5"]


async def test_pages_come_from_their_indexes(service: Service) -> None:
    await service.open(location=DOWNTOWN)
    store, versions, now = service.store, Versions(), MORNING
    narrowed, day = Scope(now, department="transportation"), Span.parse("1 working day")
    until = store.read(lambda s: supervision.cutoffs(s, versions, supervision.ahead(now, day)))
    since = store.read(lambda s: supervision.cutoffs(s, versions, supervision.ago(now, day)))
    assert until
    assert since
    after = [now, "SR26-00000001"]
    for index, work in {
        "ix_clock_live_department": lambda s: supervision.DUE_SOON.page(s, narrowed, [*after, "resolve"], 50, until),
        "ix_request_dormant": lambda s: supervision.DORMANT.page(s, narrowed, after, 50, since),
        "ix_request_waiting": lambda s: supervision.WAITING.page(s, narrowed, after, 50),
        "ix_task_state": lambda s: supervision.UNCLAIMED.page(s, narrowed, after, 50),
    }.items():
        plan = plan_of(store, work)
        assert any(index in step for step in plan), (index, plan)
        assert not [step for step in plan if "SCAN" in step or "ORDER BY" in step], (index, plan)
    for index, work in {
        "ix_request_dormant": lambda s: supervision.DORMANT.page(s, narrowed, None, 50, since),
        "ix_request_waiting": lambda s: supervision.WAITING.page(s, narrowed, None, 50),
    }.items():
        assert index in plan_of(store, work)[0]
    asked = plan_of(
        store, lambda s: supervision.add_holders(s, [{"id": f"SR26-{n:08d}", "team": None} for n in range(50)])
    )
    assert "ix_task_request_id" in asked[0]
    narrow = Scope(now, kind="team", on="street-inspectors")
    assert "ix_request_waits_on" in plan_of(store, lambda s: supervision.WAITING.page(s, narrow, after, 50))[0]


def plan_of(store: Store, work: Any) -> list[str]:
    """How SQLite answers the first query of this work."""
    statements: list[tuple[str, Any]] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def seen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        statements.append((statement, parameters))

    store.read(work)
    event.remove(store.engine, "before_cursor_execute", seen)
    (statement, parameters) = next(each for each in statements if each[0].startswith("SELECT"))
    found = store.read(lambda s: s.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
    return [step[-1] for step in found]
