"""Notices that leave the machine: regular activities of their own, tried again with their key, never within a
transaction."""

from __future__ import annotations

import json

import pytest

from fixline.catalog.outside import Webhook
from fixline.outbound import KINDS, Outgoing, WebhookChannel
from fixline.service.opening import Contact
from fixline.service.requests import RequestService
from fixline.service.scheduling import Scheduling
from tests.support.consistency import assert_consistent
from tests.support.listener import SECRETS, Listener, say
from tests.support.shop import Shop
from tests.support.types import errand
from worker import build_activities

pytestmark = pytest.mark.temporal


async def went_outside(shop: Shop, request_id: str) -> bool:
    """Whether a regular activity is in the history: Temporal knows a moment after the store."""
    return "ACTIVITY_TASK_COMPLETED" in await shop.events(request_id)


async def test_notices_are_posted_once_each_and_tried_again(shop: Shop, listener: Listener) -> None:
    """The reporter's notices go to the city's own system; one that it does not take is tried again, alone."""
    shop.city.publish(errand())
    scheduling = Scheduling(outside=KINDS)
    shop.service = RequestService(
        shop.store, shop.signals, shop.city.zone, shop.city.versions, scheduling=scheduling, answer_within_seconds=10
    )
    outgoing = Outgoing(SECRETS.get, private_hosts=frozenset({"localhost"}), resolve=lambda *_: ["127.0.0.1"])
    channel = WebhookChannel(outgoing, listener.url, "FIXLINE_SECRET_T")
    activities = build_activities(shop.store, shop.city.organisation, channel, shop.signals.send, outgoing, scheduling)
    listener.answer = say(503)
    async with shop.worker(activities):
        request_id = await shop.open(contact=Contact(name="Rosalind", email="rosalind@example.org"))
        await shop.until(lambda: len(listener.got) >= 2, "two tries")
        (notice,) = shop.city.effects_of(request_id, "notify")
        assert notice.state == "failed"
        assert (notice.last_error or "").endswith("answered 503")
        listener.answer = say(200)
        taken = lambda: shop.city.effects_of(request_id, "notify")[0].state == "done"  # noqa: E731 - asked again
        await shop.until(taken, "it was taken", within=40)
        await shop.until(lambda: went_outside(shop, request_id), "the activity in the history")
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    keys = {headers["idempotency-key"]: json.loads(body) for _, headers, body in listener.got}
    assert [each["data"] for each in keys.values()] == [
        {"request_id": request_id, "event": event, "to": "reporter"} for event in ("received", "closed")
    ]
    assert "rosalind" not in str(listener.got).lower()
    assert [row.data["channel"] for row in shop.city.journal(request_id, "notified")] == ["webhook", "webhook"]
    assert_consistent(shop.store, settled=True)


async def test_a_departments_own_system_tells_of_its_requests(shop: Shop, listener: Listener) -> None:
    """organisation.yaml names it; requests of other departments are told of by the channel that holds for all."""
    organisation = shop.city.organisation
    told = organisation.departments["transportation"].model_copy(
        update={"notices": Webhook(url=listener.url, secret_from="FIXLINE_SECRET_T")}
    )
    departments = {**organisation.departments, "transportation": told}
    outgoing = Outgoing(SECRETS.get, private_hosts=frozenset({"localhost"}), resolve=lambda *_: ["127.0.0.1"])
    activities = build_activities(
        shop.store,
        organisation.model_copy(update={"departments": departments}),
        shop.notices,
        shop.signals.send,
        outgoing,
        Scheduling(outside=KINDS),
    )
    listener.answer = say(200)
    contact = Contact(name="Rosalind", email="rosalind@example.org")
    async with shop.worker(activities):
        own = await shop.open("pothole", contact=contact)
        other = await shop.open("graffiti", contact=contact, answers={"surface": "brick"})
        await shop.until(lambda: bool(listener.got) and bool(shop.notices.sent), "both")
    assert {json.loads(body)["data"]["request_id"] for _, _, body in listener.got} == {own}
    assert {notice.request_id for notice in shop.notices.sent} == {other}
