"""Steps that wait for somebody else, on the real server and over real HTTP: answers, failures, limits, crashes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from temporalio.worker import Worker

from fixline.domain.process.commands import Actor, Role
from fixline.outbound import Outgoing
from tests.support.consistency import assert_consistent
from tests.support.listener import SECRETS, Listener, say
from tests.support.shop import Notices, Shop
from tests.support.types import asking
from worker import build_activities

pytestmark = pytest.mark.temporal
GAS = Actor(name="lakeport-gas", role=Role.SERVICE)


def reaching(shop: Shop, listener: Listener, **steps: dict[str, Any]) -> Callable[[], Worker]:
    """Publish the type; workers whose outside is the listener."""
    names = {"FIXLINE_SECRET_LAKEPORT_GAS", "FIXLINE_SECRET_PERMITS"}
    secrets = dict.fromkeys(names, SECRETS["FIXLINE_SECRET_T"])
    known = shop.city.organisation
    agency, system = known.agencies["lakeport-gas"], known.systems["permits-office"]
    assert agency.webhook is not None
    webhook = agency.webhook.model_copy(update={"url": listener.url})
    organisation = known.model_copy(
        update={
            "agencies": {**known.agencies, "lakeport-gas": agency.model_copy(update={"webhook": webhook})},
            "systems": {"permits-office": system.model_copy(update={"url": listener.url})},
        }
    )
    outgoing = Outgoing(
        secrets.get, private_hosts=frozenset({"localhost"}), resolve=lambda *_: ["127.0.0.1"], try_seconds=5
    )
    activities = build_activities(shop.store, organisation, shop.notices, shop.signals.send, outgoing)
    original = asking().model_dump(mode="json", by_alias=True)["steps"]
    shop.city.publish(asking(steps={name: {**original[name], **change} for name, change in steps.items()}))
    return lambda: shop.worker(activities)


async def test_a_systems_answer_leads_on(shop: Shop, listener: Listener) -> None:
    """One call with number, type, step, what may be answered and what the step sends; one answer."""
    new_worker = reaching(shop, listener)
    async with new_worker():
        request_id = await shop.open("asking", answers={"depth": 3})
        await shop.until(lambda: shop.city.request(request_id).step == "work", "the answer")
        await shop.settled(request_id)
        assert "ACTIVITY_TASK_COMPLETED" in await shop.events(request_id)
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
    ((_, headers, body),) = listener.got
    assert headers["idempotency-key"] == f"{request_id}:1:1"
    assert json.loads(body) == {
        "request": request_id,
        "type": "asking",
        "step": "permit",
        "outcomes": ["granted", "refused"],
        "fields": {"place": None, "depth": 3},
    }
    assert_consistent(shop.store, settled=True)


async def test_a_failing_system_is_tried_again_with_the_same_key(shop: Shop, listener: Listener) -> None:
    """The row shows the failure meanwhile, and other commands are not held up."""
    new_worker = reaching(shop, listener)
    listener.answer = say(503)
    async with new_worker():
        request_id = await shop.open("asking")
        await shop.until(lambda: len(listener.got) >= 2, "two tries")
        assert (await shop.submit(request_id, "comment", text="not held up")).state == "applied"
        (effect,) = shop.city.effects_of(request_id, "call")
        assert effect.state == "failed"
        assert (effect.last_error or "").endswith("answered 503")
        listener.answer = say(200, b'{"outcome": "moon"}')
        await shop.until(lambda: "none of" in (shop.city.effects_of(request_id)[0].last_error or ""), "another error")
        listener.answer = say(200, b'{"outcome": "granted"}')
        await shop.until(lambda: shop.city.request(request_id).step == "work", "the answer", within=40)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert {(headers["idempotency-key"], body) for _, headers, body in listener.got} == {
        (f"{request_id}:1:1", listener.got[0][2])
    }
    assert_consistent(shop.store, settled=True)


async def test_a_system_that_never_answers(shop: Shop, listener: Listener) -> None:
    """At most so long; then the step is left, and the call is dropped, with its last error."""
    new_worker = reaching(shop, listener, permit={"at_most": "0.05 calendar minutes"})
    listener.answer = say(404)
    async with new_worker():
        request_id = await shop.open("asking")
        await shop.until(lambda: shop.city.request(request_id).step == "work", "the timeout")
        await shop.until(lambda: shop.city.effects_of(request_id)[0].state == "dropped", "the call dropped", within=30)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert [visit.data["outcome"] for visit in shop.city.journal(request_id, "step_left")][:1] == ["timeout"]
    assert (shop.city.effects_of(request_id)[0].last_error or "").endswith("answered 404")
    assert_consistent(shop.store, settled=True)


async def test_an_agency_is_asked_and_replies(shop: Shop, listener: Listener) -> None:
    """The message is signed and says what is asked; the reply comes through the door."""
    new_worker = reaching(shop, listener)
    listener.answer = say(200, b'{"outcome": "refused"}')
    async with new_worker():
        request_id = await shop.open("asking", answers={"depth": 3})
        await shop.until(lambda: bool(shop.city.journal(request_id, "agency_asked")), "the message")
        row = await shop.submit(request_id, "agency_reply", actor=GAS, outcome="repaired", reference="G-1")
        assert row.state == "applied"
        await shop.ended(request_id)
    _, headers, body = listener.got[-1]
    message = json.loads(body)
    assert headers["webhook-id"].startswith(f"{request_id}:")
    assert headers["webhook-signature"].startswith("v1,")
    assert (message["type"], message["data"]["step"], message["data"]["outcomes"]) == (
        "agency.asked",
        "gas",
        ["repaired"],
    )
    assert message["data"]["fields"] == {"place": None, "depth": 3}
    assert shop.city.request(request_id).outcome == "fixed"
    assert_consistent(shop.store, settled=True)


async def test_an_agency_that_cannot_be_reached_never_counts_as_asked(shop: Shop, listener: Listener) -> None:
    """Until its time is over, the row says what is wrong; then no_reply."""
    new_worker = reaching(shop, listener, gas={"reply_within": "0.05 calendar minutes"})
    answers = iter([say(200, b'{"outcome": "refused"}')])

    def once(handler: BaseHTTPRequestHandler) -> None:
        next(answers, say(500))(handler)

    listener.answer = once
    async with new_worker():
        request_id = await shop.open("asking")
        await shop.until(lambda: shop.city.request(request_id).step == "work", "no reply")
        late = await shop.submit(request_id, "agency_reply", actor=GAS, outcome="repaired")
        assert late.state == "applied"
        await shop.until(
            lambda: shop.city.effects_of(request_id, "ask_agency")[0].state == "dropped", "dropped", within=30
        )
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert shop.city.journal(request_id, "agency_asked") == []
    assert len(shop.city.journal(request_id, "late_reply")) == 1
    assert_consistent(shop.store, settled=True)


async def test_an_agency_is_asked_by_mail_through_the_channel(shop: Shop, listener: Listener) -> None:
    """An agency without a webhook: the notice names request, step and agency, and no address."""
    assert isinstance(shop.notices, Notices)
    new_worker = reaching(shop, listener, gas={"agency": "railway"})
    listener.answer = say(200, b'{"outcome": "refused"}')
    async with new_worker():
        request_id = await shop.open("asking")
        await shop.until(lambda: bool(shop.city.journal(request_id, "agency_asked")), "the notice")
        await shop.submit(request_id, "agency_reply", outcome="repaired")
        await shop.ended(request_id)
    (notice,) = shop.notices.sent
    assert (notice.request_id, notice.event, notice.to) == (request_id, "agency_asked gas", "railway")


async def test_a_worker_that_dies_before_the_answer_was_kept_calls_again_with_the_same_key(
    shop: Shop, listener: Listener
) -> None:
    """The other side tells by the key that it is the same; here one decision follows."""
    new_worker = reaching(shop, listener)
    stuck = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(_: BaseHTTPRequestHandler) -> None:
        loop.call_soon_threadsafe(stuck.set)

    listener.answer = hang
    async with new_worker():
        request_id = await shop.open("asking")
        await asyncio.wait_for(stuck.wait(), 15)
    listener.answer = say(200, b'{"outcome": "granted"}')
    async with new_worker():
        await shop.until(lambda: shop.city.request(request_id).step == "work", "the answer", within=60)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert len({headers["idempotency-key"] for _, headers, _ in listener.got}) == 1
    assert len(shop.city.journal(request_id, "call_answered")) == 1
    assert_consistent(shop.store, settled=True)
