"""The messages' JSON is the SDK's own: each converter reads what the other one writes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from fixline import messages
from fixline.messages import (
    Attributes,
    DueInput,
    EffectInput,
    PendingEffect,
    PendingWork,
    Summary,
    WorkflowInput,
    WorkflowSignal,
)
from fixline.temporal.client import DATA_CONVERTER

NOW = datetime(2026, 3, 8, 7, 59, 59, 123456, tzinfo=UTC)
OURS = DATA_CONVERTER.payload_converter
THEIRS = DataConverter.default.payload_converter
WORK = PendingWork(
    3,
    False,
    NOW,
    NOW.replace(minute=58),
    [PendingEffect("SR26-1:3:1", "dispatch", "store"), PendingEffect("SR26-1:3:2", "escalate", "store", batch="3")],
    1,
    Summary("pothole", "open", None, "fill", "high"),
    Attributes("pothole", "streets", None, "north", "open", "high", NOW),
)
MESSAGES = [
    PendingEffect("SR26-1:3:2", "escalate", "store", batch="3"),
    Summary("pothole", "open", None, "fill", "high"),
    Attributes("pothole", "streets", None, "north", "open", "high", NOW),
    DueInput("SR26-1", NOW, armed_at=None, unarmed=True, known=2),
    EffectInput("SR26-1", "SR26-1:3:1", NOW),
    EffectInput("SR26-1", "SR26-1:3:1", NOW, ["SR26-1:3:2"]),
    WORK,
    PendingWork(4, True, None),
    WorkflowInput("SR26-1", runs=2, armed_at=NOW, known=3),
    WorkflowSignal("SR26-1", "complete", WORK, starts=True),
]


def test_no_message_is_left_out() -> None:
    declared = {each for each in vars(messages).values() if dataclasses.is_dataclass(each)}
    assert {type(message) for message in MESSAGES} == declared


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(("writer", "reader"), [(OURS, OURS), (OURS, THEIRS), (THEIRS, OURS)])
def test_a_message_is_the_same_on_the_other_side(writer: Any, reader: Any, message: object) -> None:
    [payload] = writer.to_payloads([message])
    assert payload.metadata["encoding"] == b"json/plain"
    [read] = reader.from_payloads([payload], [type(message)])
    assert read == message
    assert type(read) is type(message)


def test_instants_stay_aware() -> None:
    [read] = OURS.from_payloads(OURS.to_payloads([EffectInput("SR26-1", "e", NOW)]), [EffectInput])
    assert read.now.utcoffset() == NOW.utcoffset()


def test_a_field_of_a_later_release_is_passed_over() -> None:
    data = b'{"decision": 3, "closed": false, "next_at": null, "later": "field"}'
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    assert OURS.from_payloads([payload], [PendingWork]) == [PendingWork(3, False, None)]


@pytest.mark.parametrize("data", [b"{", b'{"decision": "many", "closed": false, "next_at": null}', b"{}"])
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    with pytest.raises(RuntimeError, match="could not be converted"):
        OURS.from_payloads([payload], [PendingWork])


@pytest.mark.parametrize("value", [None, b"bytes", {"plain": [1, 2.5]}, "text", 7])
def test_everything_else_travels_as_the_sdk_sends_it(value: object) -> None:
    assert OURS.to_payloads([value]) == THEIRS.to_payloads([value])
    assert OURS.from_payloads(OURS.to_payloads([value])) == [value]
