"""GET /definitions and /definitions/{type}."""

from fixline.store.versions import publish
from tests.support.api import READ_ONCE, Service, problem
from tests.support.lakeport import LAKEPORT


async def test_the_list(anywhere: Service) -> None:
    found = await anywhere.get("definitions", by="app")
    files = LAKEPORT.glob("*/*.yaml")
    types = [file.stem for file in files if file.parent.name != "calendars" and "." not in file.stem]
    assert [item["type"] for item in found["items"]] == sorted(types)
    assert found["next"] is None
    (pothole,) = (item for item in found["items"] if item["type"] == "pothole")
    assert (pothole["title"], pothole["department"], pothole["version"]) == ("Pothole in street", "transportation", 1)


async def test_one_type(anywhere: Service) -> None:
    found = await anywhere.get("definitions/pothole", by="app")
    assert (found["version"], len(found["hash"]), found["location"]) == (1, 64, "required")
    assert found["questions"]["lane"] == {
        "kind": "choice",
        "required": True,
        "required_for": [],
        "options": {"bike": "Bike lane", "curb": "Curb lane", "traffic": "Traffic lane"},
        "min": None,
        "max": None,
        "ask": "Where is it?",
    }
    steps = found["steps"]
    assert (found["start"], steps["inspect"]["kind"], steps["inspect"]["then"]["pothole"]) == (
        "inspect",
        "inspection",
        "repair",
    )
    assert steps["repair"]["team"] == "asphalt-{district}"
    assert (steps["dry_road"]["kind"], steps["dry_road"]["signal"], steps["dry_road"]["at_most"]) == (
        "wait",
        "dry_weather",
        "5 calendar days",
    )
    assert (steps["fixed"]["outcome"], steps["fixed"]["say"]) == ("fixed", "The pothole was filled.")
    resolve = found["deadlines"]["resolve"]
    assert resolve["within"] == {"high": "2 working days", "otherwise": "7 working days"}
    assert [rung["when"] for rung in resolve["escalate"]] == ["75%", "due", "after 1 working day"]
    assert (found["calendar"], found["timezone"]) == ("public-works", "America/Chicago")


async def test_every_type_can_be_shown(service: Service) -> None:
    for item in (await service.get("definitions"))["items"]:
        await service.get(f"definitions/{item['type']}")


async def test_a_new_version_is_shown_and_open_requests_keep_theirs(service: Service) -> None:
    request_id = await service.open()
    pothole = READ_ONCE(LAKEPORT).catalog.definitions["pothole"]
    changed = pothole.model_copy(update={"title": "Hole in the road"})
    service.store.write(lambda s: publish(s, changed, service.now))
    found = await service.get("definitions/pothole")
    assert (found["version"], found["title"]) == (2, "Hole in the road")
    old = await service.get(f"requests/{request_id}")
    assert (old["definition"]["version"], old["title"]) == (1, "Pothole in street")
    new = await service.get(f"requests/{await service.open()}")
    assert new["definition"]["version"] == 2


async def test_an_unknown_type(service: Service) -> None:
    problem(await service.call("GET", "definitions/pot-hole"), 404, "type_unknown")
