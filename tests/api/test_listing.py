"""GET /requests: filters, orders, pages, cursors; on both databases."""

import math
import random
from datetime import timedelta
from typing import Any

import pytest

from fixline.store.queries.places import haversine_m
from tests.support.api import MORNING, POTHOLE, Service, fields, problem
from tests.support.history import history

CENTRE = (41.881, -87.632)
STICKER = {"type": "graffiti", "answers": {"surface": "brick"}}


async def ids(service: Service, **params: Any) -> list[str]:
    """The short numbers of the requests found, in order."""
    return [item["id"][-1] for item in (await service.get("requests", **params))["items"]]


@pytest.fixture
async def four(anywhere: Service) -> Service:
    """Four requests, an hour apart: three potholes and one graffiti; the second deep, the third closed."""
    await anywhere.open(location={"latitude": 41.881, "longitude": -87.632, "address": "20 N Clark St"})
    anywhere.later(hours=1)
    await anywhere.open(answers={"lane": "bike"}, location={"latitude": 42.0, "longitude": -87.7})
    anywhere.later(hours=1)
    third = await anywhere.open(description="100% broken", location={"address": "5_a High St"})
    anywhere.later(hours=1)
    body = {**POTHOLE, **STICKER, "location": {"latitude": 41.8815, "longitude": -87.632}}
    await anywhere.post("requests", body, status=201)
    anywhere.later(hours=1)
    await anywhere.post(f"requests/{third}/cancel", {"reason": "twice"})
    return anywhere


async def test_filters(four: Service) -> None:
    async def found(**params: Any) -> list[str]:
        return await ids(four, **params)

    assert await found() == ["4", "3", "2", "1"]
    assert await found(status="open") == ["4", "2", "1"]
    assert await found(status="closed") == ["3"]
    assert await found(type="pothole") == ["3", "2", "1"]
    assert await found(type=["pothole", "graffiti"]) == ["4", "3", "2", "1"]
    assert await found(department="streets-and-sanitation") == ["4"]
    assert await found(team="street-inspectors") == ["2", "1"]
    assert await found(area="central") == ["4", "1"]
    assert await found(priority="high") == ["2"]
    assert await found(opened_after=(MORNING + timedelta(hours=1)).isoformat()) == ["4", "3"]
    assert await found(updated_after=(MORNING + timedelta(hours=3)).isoformat()) == ["3"]
    assert await found(due_before="2026-06-04T00:00:00Z") == ["2"]
    assert await found(bbox="-87.64,41.88,-87.63,41.89") == ["4", "1"]
    assert await found(external_id="none") == []
    assert await found(overdue=True) == []
    four.later(hours=4)
    assert await found(overdue=True) == ["2", "1"]
    assert await found(overdue=False) == ["4", "3"]


async def test_text_is_taken_as_it_is(four: Service) -> None:
    assert await ids(four, q="clark") == ["1"]
    assert await ids(four, q="0% b") == ["3"]
    assert await ids(four, q="5_a") == ["3"]
    assert await ids(four, q="%") == ["3"]
    assert await ids(four, q="\\") == []
    assert await ids(four, q="sr26-00000002") == ["2"]


async def test_orders(four: Service) -> None:
    assert await ids(four, sort="opened") == ["1", "2", "3", "4"]
    assert await ids(four, sort="-opened") == ["4", "3", "2", "1"]
    assert await ids(four, sort="updated") == ["1", "2", "4", "3"]
    assert await ids(four, sort="-updated") == ["3", "4", "2", "1"]
    assert (await ids(four, sort="due"))[0] == "2"


async def test_nearest_first_with_the_distance(four: Service) -> None:
    found = (await four.get("requests", near="41.881,-87.632", radius_m=100))["items"]
    assert [(item["id"][-1], item["distance_m"]) for item in found] == [("1", 0.0), ("4", 55.6)]
    assert await ids(four, near="41.881,-87.632", radius_m=55) == ["1"]
    assert await ids(four, near="41.881,-87.632", radius_m=50_000, sort="opened") == ["1", "2", "4"]
    assert await ids(four, near="41.881,-87.632", status="open", type="graffiti") == ["4"]


@pytest.mark.parametrize("sort", ["opened", "-opened", "updated", "-updated", "due", "distance"])
async def test_pages_hold_every_request_once(four: Service, sort: str) -> None:
    near: dict[str, Any] = {"near": "41.881,-87.632", "radius_m": 50_000} if sort == "distance" else {}
    whole = await ids(four, sort=sort, **near)
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"cursor": cursor} if cursor else {}
        page = await four.get("requests", sort=sort, limit=1, **near, **params)
        found += [item["id"][-1] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == whole
    assert len(whole) == len(set(whole)) == (3 if near else 4)


async def test_requests_of_one_instant_are_paged_by_number(anywhere: Service) -> None:
    for _ in range(5):
        await anywhere.open()
    first = await anywhere.get("requests", limit=3)
    second = await anywhere.get("requests", limit=3, cursor=first["next"])
    assert [item["id"][-1] for item in first["items"] + second["items"]] == ["5", "4", "3", "2", "1"]
    assert second["next"] is None


async def test_a_page_stays_where_it_was_when_requests_come_in(service: Service) -> None:
    for _ in range(3):
        await service.open()
        service.later(minutes=1)
    first = await service.get("requests", limit=2)
    await service.open()
    second = await service.get("requests", limit=2, cursor=first["next"])
    assert [item["id"][-1] for item in second["items"]] == ["1"]


@pytest.mark.parametrize("change", ["cut", "altered", "of another order", "of another filter", "garbage", "not ascii"])
async def test_a_cursor_is_bound_to_its_list(service: Service, change: str) -> None:
    for _ in range(3):
        await service.open()
    cursor = (await service.get("requests", limit=1))["next"]
    params: dict[str, Any] = {"cursor": cursor, "limit": 1}
    match change:
        case "cut":
            params["cursor"] = cursor[:-4]
        case "altered":
            params["cursor"] = cursor[:12] + ("A" if cursor[12] != "A" else "B") + cursor[13:]
        case "of another order":
            params["sort"] = "updated"
        case "of another filter":
            params["status"] = "open"
        case "garbage":
            params["cursor"] = "x"
        case _:
            params["cursor"] = "\N{SNOWMAN}"
    answer = await service.call("GET", "requests", params=params)
    assert fields(problem(answer, 422, "invalid")) == {"cursor": "bad_cursor"}


async def test_limits(service: Service) -> None:
    assert len(await ids(service, limit=10**12)) == 0
    for limit in (0, -1, "x", 1.5):
        answer = await service.call("GET", "requests", params={"limit": limit})
        assert "limit" in fields(problem(answer, 422, "invalid"))


async def test_above_the_largest_limit_counts_as_the_largest(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await service.open()
    monkeypatch.setattr("fixline.web.paging.LARGEST_LIMIT", 2)
    assert len(await ids(service, limit=600)) == 2


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"stauts": "open"}, {"stauts": "unknown_field"}),
        ({"a": 1, "b": 2}, {"a": "unknown_field", "b": "unknown_field"}),
        ({"status": "opened"}, {"status": "unknown_option"}),
        ({"sort": "-due"}, {"sort": "unknown_option"}),
        ({"priority": "urgently"}, {"priority.0": "unknown_option"}),
        ({"due_before": "tomorrow"}, {"due_before": "not_a_datetime"}),
        ({"due_before": "2026-06-04T00:00:00"}, {"due_before": "no_zone"}),
        ({"opened_after": "0001-01-01T00:00:00+14:00"}, {"opened_after": "invalid"}),
        ({"overdue": "maybe"}, {"overdue": "not_yes_no"}),
        ({"near": "41.9"}, {"near": "invalid"}),
        ({"near": "91,0"}, {"near": "invalid"}),
        ({"near": "nan,nan"}, {"near": "invalid"}),
        ({"near": "41,-87", "radius_m": 50_001}, {"radius_m": "too_large"}),
        ({"near": "41,-87", "radius_m": "nan"}, {"radius_m": "not_a_number"}),
        ({"near": "41,-87", "radius_m": 0}, {"radius_m": "too_small"}),
        ({"radius_m": 100}, {"radius_m": "without_near"}),
        ({"sort": "distance"}, {"sort": "without_near"}),
        ({"bbox": "1,2,3"}, {"bbox": "invalid"}),
        ({"bbox": "-87,42,-88,41"}, {"bbox": "invalid"}),
        ({"q": ""}, {"q": "too_short"}),
    ],
)
async def test_wrong_parameters_are_named(service: Service, params: dict[str, Any], wrong: dict[str, str]) -> None:
    assert fields(problem(await service.call("GET", "requests", params=params), 422, "invalid")) == wrong


@pytest.mark.parametrize("centre", [CENTRE, (69.65, 18.96), (-33.86, 151.2), (0.0, 0.0)])
async def test_nearness_is_the_distance_on_the_sphere(anywhere: Service, centre: tuple[float, float]) -> None:
    chance = random.Random(3)
    places = {}
    with_rows = []
    for number in range(400):
        reach = chance.choice([0.001, 0.01, 0.3])
        place = (centre[0] + chance.uniform(-reach, reach), centre[1] + chance.uniform(-reach, reach))
        places[f"H-{number:03}"] = place
        with_rows.append(history(f"H-{number:03}", latitude=place[0], longitude=place[1]))
    anywhere.store.write(lambda s: s.add_all(with_rows))
    real = {name: haversine_m(*centre, *place) for name, place in places.items()}
    for radius in (90.0, 1_500.0, 25_000.0):
        found = (await anywhere.get("requests", near=f"{centre[0]},{centre[1]}", radius_m=radius, limit=500))["items"]
        wanted = sorted((name for name in real if real[name] <= radius), key=lambda name: real[name])
        assert [item["id"] for item in found] == wanted
        assert all(math.isclose(item["distance_m"], real[item["id"]], abs_tol=0.06) for item in found)


async def test_history_is_listed_and_found_by_its_own_number(anywhere: Service) -> None:
    anywhere.store.write(lambda s: s.add(history("SR26-00000009", address="4853 S WOOD")))
    (found,) = (await anywhere.get("requests", external_id="X-SR26-00000009"))["items"]
    assert (found["title"], found["status"], found["outcome"]) == ("Sanitation Code Violation", "closed", "fixed")
    assert (found["opened_at"], found["step"], found["overdue"]) == ("2011-03-28T00:00:00Z", None, False)
    assert [item["id"] for item in (await anywhere.get("requests", q="s wood"))["items"]] == ["SR26-00000009"]
