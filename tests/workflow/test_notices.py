"""Notices that leave the machine: regular activities of their own, tried again with their key, never within a
transaction."""

from __future__ import annotations

import json

import pytest

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
        assert "ACTIVITY_TASK_COMPLETED" in await shop.events(request_id)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    keys = {headers["idempotency-key"]: json.loads(body) for _, headers, body in listener.got}
    assert [each["data"] for each in keys.values()] == [
        {"request_id": request_id, "event": event, "to": "reporter"} for event in ("received", "closed")
    ]
    assert "rosalind" not in str(listener.got).lower()
    assert [row.data["channel"] for row in shop.city.journal(request_id, "notified")] == ["webhook", "webhook"]
    assert_consistent(shop.store, settled=True)
