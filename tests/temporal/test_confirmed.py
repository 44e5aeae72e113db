"""Search attributes go along with signals while the server has confirmed them, and are left out else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from fixline.messages import Attributes, PendingEffect
from fixline.temporal.attributes import WANTED, SearchAttributes
from tests.support.temporal_double import MakeSignals, Temporal, word

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NORTH = Attributes("errand", "transportation", "street-dispatch", "north", "open", "normal", NOON)


async def test_search_attributes_go_along_where_the_server_has_confirmed_them(
    made: MakeSignals, client: Client, temporal: Temporal
) -> None:
    temporal.attributes, temporal.obliging = {}, True
    signals = made(attributes=SearchAttributes(client))
    assert await signals.deliver(word("SR-1", 1, starts=True, attributes=NORTH))
    (start,) = temporal.starts
    assert set(start.search_attributes.indexed_fields) == set(WANTED)
    assert temporal.told[0].work.attributes == NORTH
    assert await signals.deliver(word("SR-1", 2, attributes=NORTH))
    assert temporal.told[1].work.attributes == NORTH


@pytest.mark.parametrize("asked", [True, False])
async def test_search_attributes_are_left_out_where_they_are_not_confirmed(
    made: MakeSignals, client: Client, temporal: Temporal, asked: bool
) -> None:
    """An attribute that the server does not know would fail the workflow's task for ever; without, all else works."""
    temporal.attributes = {}
    signals = made(attributes=SearchAttributes(client) if asked else None)
    left: dict[str, Any] = {
        "next_at": NOON,
        "effects": [PendingEffect("SR-1:1:1", "dispatch", "store")],
        "attributes": NORTH,
    }
    for decision in (1, 2):
        assert await signals.deliver(word("SR-1", decision, starts=decision == 1, **left))
    (start,) = temporal.starts
    assert not start.search_attributes.indexed_fields
    assert [told.work for told in temporal.told] == [
        word("SR-1", n, **{**left, "attributes": None}).work for n in (1, 2)
    ]
    assert temporal.looks == asked


async def test_a_server_that_refuses_is_asked_anew_what_it_knows(
    made: MakeSignals, client: Client, temporal: Temporal
) -> None:
    """It may have been replaced by one that knows nothing."""
    signals = made(attributes=SearchAttributes(client))
    assert await signals.deliver(word("SR-1", 1, starts=True, attributes=NORTH))
    temporal.error = RPCError("no mapping for FixlineType", RPCStatusCode.INVALID_ARGUMENT, b"")
    assert await signals.deliver(word("SR-2", 1, starts=True, attributes=NORTH)) is False
    temporal.error, temporal.attributes = None, {}
    assert await signals.deliver(word("SR-2", 1, starts=True, attributes=NORTH))
    assert temporal.told[-1].work.attributes is None
    assert not temporal.starts[-1].search_attributes.indexed_fields
