"""POST /requests/{id}/agency-reply: who may, what is refused, and how it stands in the journal."""

import pytest

from fixline.store.versions import publish
from tests.support.api import Service, fields, problem
from tests.support.types import asking

REPLY = {"outcome": "repaired", "reference": "G-77", "reason": "The leak is mended."}


@pytest.fixture
async def path(service: Service) -> str:
    """The address of a request that waits for the gas works."""
    definition = asking(start="gas")
    service.store.write(lambda s: publish(s, definition, service.now))
    opened = await service.post("requests", {"type": "asking"}, by="app", status=201)
    return f"requests/{opened['id']}"


async def test_a_service_replies(service: Service, path: str) -> None:
    """The answer is the request after it; the journal has the party's own number."""
    answer = await service.post(f"{path}/agency-reply", REPLY, by="app")
    assert (answer["request"]["status"], answer["request"]["outcome"]) == ("closed", "fixed")
    journal = (await service.get(f"{path}/journal"))["items"]
    (entry,) = [each for each in journal if each["kind"] == "agency_replied"]
    assert (entry["actor"], entry["data"]["reference"]) == ("app", "G-77")


async def test_staff_reply_in_its_place_and_crews_may_not(service: Service, path: str) -> None:
    """Crews have tasks of their own to complete."""
    refused = await service.call("POST", f"{path}/agency-reply", REPLY, by="inspectors")
    problem(refused, 403, "wrong_role")
    assert (await service.post(f"{path}/agency-reply", REPLY, by="supervisor"))["request"]["status"] == "closed"


async def test_what_is_no_reply_of_the_step(service: Service, path: str) -> None:
    """422 with the outcomes there are; also for the one that only the clock gives."""
    for outcome in ("moon", "no_reply"):
        answer = await service.call("POST", f"{path}/agency-reply", {"outcome": outcome}, by="app")
        found = problem(answer, 422, "unknown_outcome")
        assert fields(found) == {"outcome": "unknown_outcome"}
        assert found["data"] == {"outcomes": ["repaired"]}
    answer = await service.call("POST", f"{path}/agency-reply", {"outcome": "repaired", "x": 1}, by="app")
    assert fields(problem(answer, 422, "invalid")) == {"x": "unknown_field"}


async def test_a_request_that_waits_for_no_agency(service: Service, path: str) -> None:
    """409, for one that has gone on, and for one that is closed."""
    other = f"requests/{await service.open()}"
    problem(await service.call("POST", f"{other}/agency-reply", REPLY, by="app"), 409, "no_agency_awaited")
    await service.post(f"{path}/agency-reply", REPLY, by="app")
    problem(await service.call("POST", f"{path}/agency-reply", REPLY, by="app"), 409, "request_closed")


async def test_a_late_reply_is_noted(service: Service, path: str) -> None:
    """Also once the request is closed."""
    service.later(days=2)
    service.tick(path.partition("/")[2])
    assert (await service.get(path))["step"] == "work"
    assert (await service.post(f"{path}/agency-reply", REPLY, by="app"))["request"]["step"] == "work"
    await service.post(f"{path}/cancel", {"reason": "x"})
    await service.post(f"{path}/agency-reply", REPLY, by="app")
    journal = (await service.get(f"{path}/journal"))["items"]
    assert [each["kind"] for each in journal].count("late_reply") == 2


async def test_a_reply_is_taken_while_temporal_is_away(away: Service) -> None:
    """The party's system need not send it again."""
    definition = asking(start="gas")
    away.store.write(lambda s: publish(s, definition, away.now))
    opened = await away.post("requests", {"type": "asking"}, by="app", status=201)
    answer = await away.post(f"requests/{opened['id']}/agency-reply", REPLY, by="app")
    assert (answer["request"]["status"], answer["request"]["outcome"]) == ("closed", "fixed")
