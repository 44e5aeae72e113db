"""The messages' JSON is the SDK's own: each converter reads what the other one writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from fixline.messages import Advanced, AdvanceOrder, Attributes, Bell, EffectOrder, EffectTask, Rung, Shell, Summary
from fixline.payloads import DATA_CONVERTER

NOW = datetime(2026, 3, 8, 7, 59, 59, 123456, tzinfo=UTC)
OURS = DATA_CONVERTER.payload_converter
THEIRS = DataConverter.default.payload_converter
ADVANCED = Advanced(
    3,
    False,
    NOW,
    [EffectOrder("SR26-1:3:1", "dispatch", "store")],
    Summary("pothole", "open", None, "fill", "high"),
    attributes=Attributes("pothole", "streets", None, "north", "open", "high", NOW),
)
MESSAGES = [
    Bell("complete", 2),
    Rung(3),
    AdvanceOrder("SR26-1", NOW, armed_at=None, first=True, known=2),
    EffectTask("SR26-1", "SR26-1:3:1", NOW),
    ADVANCED,
    Advanced(4, True, None),
    Shell("SR26-1", armed_at=NOW, runs=2, opened=ADVANCED, known=3),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(("writer", "reader"), [(OURS, OURS), (OURS, THEIRS), (THEIRS, OURS)])
def test_a_message_is_the_same_on_the_other_side(writer: Any, reader: Any, message: object) -> None:
    [payload] = writer.to_payloads([message])
    assert payload.metadata["encoding"] == b"json/plain"
    [read] = reader.from_payloads([payload], [type(message)])
    assert read == message
    assert type(read) is type(message)


def test_instants_stay_aware() -> None:
    [read] = OURS.from_payloads(OURS.to_payloads([EffectTask("SR26-1", "e", NOW)]), [EffectTask])
    assert read.now.utcoffset() == NOW.utcoffset()


def test_a_field_of_a_later_release_is_passed_over() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b'{"decision": 3, "later": "field"}')
    assert OURS.from_payloads([payload], [Rung]) == [Rung(3)]


@pytest.mark.parametrize("data", [b"{", b'{"decision": "many"}', b"{}"])
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    with pytest.raises(RuntimeError, match="could not be converted"):
        OURS.from_payloads([payload], [Rung])


@pytest.mark.parametrize("value", [None, b"bytes", {"plain": [1, 2.5]}, "text", 7])
def test_everything_else_travels_as_the_sdk_sends_it(value: object) -> None:
    assert OURS.to_payloads([value]) == THEIRS.to_payloads([value])
    assert OURS.from_payloads(OURS.to_payloads([value])) == [value]
