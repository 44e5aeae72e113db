"""The desk: first the row, then the bell, then the row's answer; also where Temporal is away."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from fixline.catalog import Catalog
from fixline.delivery.desk import Desk
from fixline.delivery.doorbell import Doorbell
from fixline.domain.commands import COMMAND
from fixline.domain.decision import Decision, Refusal
from fixline.store.arrivals import KeyReused, Received, RefusedAtDoor, RequestUnknown
from fixline.store.opening import Preview
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CommandRow, RequestRow
from tests.support.city import City
from tests.support.consistency import assert_consistent
from tests.support.types import errand


class FakeBell(Doorbell):
    """A doorbell that applies the inbox itself, or, where it is mute, nothing."""

    def __init__(self, city: City, *, mute: bool = False) -> None:
        self.city = city
        self.mute = mute
        self.started: list[str] = []
        self.rung: list[tuple[str, int]] = []

    async def start(self, request_id: str, *_: Any) -> bool:
        """Note it."""
        self.started.append(request_id)
        return not self.mute

    async def ring(self, request_id: str, kind: str, number: int, *, again: int = 0) -> bool:
        """Note it, and empty the inbox."""
        self.rung.append((kind, number))
        if not self.mute:
            await asyncio.to_thread(self.city.advance, request_id)
        return not self.mute


@pytest.fixture
def errands(sqlite_store: Store, catalog: Catalog) -> City:
    """The city with the type `errand`."""
    city = City(sqlite_store, catalog)
    city.publish(errand())
    return city


def desk_of(city: City, bell: Doorbell, within: float = 0.3) -> Desk:
    """A desk of the city."""
    return Desk(city.store, bell, city.zone, answer_within_seconds=within)


async def test_opening_answers_at_once_and_starts_the_workflow_behind(errands: City) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell)
    opened = await desk.open(errands.report())
    await desk.close()
    assert isinstance(opened, Received)
    assert opened.state == "applied"
    assert bell.started == [opened.request_id]


async def test_a_bell_does_not_overtake_the_start(errands: City) -> None:
    going = asyncio.Event()

    class SlowToStart(FakeBell):
        async def start(self, request_id: str, *_: Any) -> bool:
            await going.wait()
            return await super().start(request_id)

        async def ring(self, request_id: str, kind: str, number: int, *, again: int = 0) -> bool:
            assert self.started == [request_id]
            return await super().ring(request_id, kind, number, again=again)

    bell = SlowToStart(errands)
    desk = desk_of(errands, bell)
    opened = await desk.open(errands.report())
    assert isinstance(opened, Received)
    comment = COMMAND.validate_python({"kind": "comment", "text": "x"})
    row = await desk.submit(opened.request_id, errands.arrival(comment))
    assert (row.state, bell.rung) == ("waiting", [])
    going.set()
    await desk.close()
    assert bell.rung == [("comment", 2)]


async def test_a_repeated_report_starts_nothing(errands: City) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell)
    first = await desk.open(errands.report(key="k", body_hash="one"))
    again = await desk.open(errands.report(key="k", body_hash="one"))
    await desk.close()
    assert isinstance(first, Received)
    assert again == first
    assert bell.started == [first.request_id]
    with pytest.raises(KeyReused):
        await desk.open(errands.report(key="k", body_hash="another"))


async def test_a_refused_report_and_a_preview_write_nothing(errands: City) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell)
    assert isinstance(await desk.open(errands.report("graffiti", answers={})), Refusal)
    preview = await desk.preview(errands.report("graffiti"))
    assert isinstance(preview, Preview)
    assert isinstance(preview.decision, Decision)
    assert (errands.count(RequestRow), errands.count(CommandRow), bell.started) == (0, 0, [])


async def test_a_command_is_answered_from_its_row(errands: City) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell)
    request_id = errands.open()
    row = await desk.submit(request_id, errands.arrival(COMMAND.validate_python({"kind": "comment", "text": "x"})))
    assert (row.state, row.decision, bell.rung) == ("applied", 2, [("comment", 2)])


async def test_a_repeated_command_has_the_same_answer_and_rings_no_more(errands: City) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell)
    request_id = errands.open()
    comment = COMMAND.validate_python({"kind": "comment", "text": "x"})
    first = await desk.submit(request_id, errands.arrival(comment, key="k", body_hash="one"))
    again = await desk.submit(request_id, errands.arrival(comment, key="k", body_hash="one"))
    assert (again.id, again.answer, len(bell.rung)) == (first.id, first.answer, 1)
    with pytest.raises(KeyReused):
        await desk.submit(request_id, errands.arrival(comment, key="k", body_hash="another"))


async def test_without_an_answer_the_row_says_that_it_waits(errands: City) -> None:
    desk = desk_of(errands, FakeBell(errands, mute=True))
    request_id = errands.open()
    began = time.monotonic()
    row = await desk.submit(request_id, errands.arrival(COMMAND.validate_python({"kind": "comment", "text": "x"})))
    assert row.state == "waiting"
    assert 0.3 <= time.monotonic() - began < 2
    errands.advance(request_id)
    assert (await desk.answer(row.id)).state == "applied"


async def test_what_nobody_may_put_into_an_inbox(errands: City) -> None:
    desk = desk_of(errands, FakeBell(errands))
    request_id = errands.open()
    errands.do(request_id, "cancel", reason="x")
    hold = COMMAND.validate_python({"kind": "hold", "reason": "x"})
    with pytest.raises(RefusedAtDoor):
        await desk.submit(request_id, errands.arrival(hold))
    with pytest.raises(RequestUnknown):
        await desk.submit("SR26-99999999", errands.arrival(hold))
    with pytest.raises(LookupError):
        await desk.answer("C-none")


async def test_with_the_database_away_nothing_is_accepted(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell)
    report = errands.report()

    def away(_: object) -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(errands.store, "write", away)
    with pytest.raises(StoreAway):
        await desk.open(report)
    assert bell.started == []


async def test_many_commands_share_few_bells(errands: City) -> None:
    bell = FakeBell(errands)
    desk = desk_of(errands, bell, within=5)
    request_id = errands.open()
    comments = [COMMAND.validate_python({"kind": "comment", "text": str(n)}) for n in range(30)]
    rows = await asyncio.gather(*(desk.submit(request_id, errands.arrival(comment)) for comment in comments))
    assert [row.state for row in rows] == ["applied"] * 30
    assert len(bell.rung) < 30
    assert_consistent(errands.store)


@pytest.fixture
async def nowhere() -> Client:
    """A client of a Temporal server that is away."""
    return await Client.connect("127.0.0.1:1", lazy=True)


async def test_with_temporal_away_requests_open_and_commands_wait(errands: City, nowhere: Client) -> None:
    bell = Doorbell(nowhere, task_queue="none", ring_timeout=timedelta(seconds=0.2))
    desk = desk_of(errands, bell)
    opened = await desk.open(errands.report())
    assert isinstance(opened, Received)
    assert opened.state == "applied"
    comment = COMMAND.validate_python({"kind": "comment", "text": "x"})
    row = await desk.submit(opened.request_id, errands.arrival(comment))
    assert row.state == "waiting"
    assert await bell.start(opened.request_id) is False
    assert await bell.ring(opened.request_id, "comment", 2) is False
    assert await bell.reachable() is False
    await desk.close()
    assert errands.request(opened.request_id).shell_at is None
    assert_consistent(errands.store)
