"""How the messages travel: the data converter of every client and worker of Fixline.

Owns their JSON. It is the JSON that the SDK's own converter reads and writes, so that histories of any release and
other tools stay readable; but each class's reader and writer is built once, where the SDK goes through the type hints
of a message each time it meets one (measured: a fortieth of the processor time).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    CompositePayloadConverter,
    DataConverter,
    JSONPlainPayloadConverter,
    JSONProtoPayloadConverter,
)

from fixline import messages

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {
    each: TypeAdapter(each)
    for each in vars(messages).values()
    if isinstance(each, type) and dataclasses.is_dataclass(each)
}


class _MessageConverter(JSONPlainPayloadConverter):
    """The SDK's plain JSON, with a shorter way for Fixline's messages."""

    def to_payload(self, value: Any) -> Payload | None:
        adapter = _ADAPTERS.get(type(value))
        if adapter is None:
            return super().to_payload(value)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=adapter.dump_json(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        adapter = _ADAPTERS.get(type_hint)
        if adapter is None:
            return super().from_payload(payload, type_hint)
        try:
            return adapter.validate_json(payload.data)
        except ValidationError as error:
            raise RuntimeError("the message cannot be read") from error  # the SDK says which payload it was


class MessagesPayloadConverter(CompositePayloadConverter):
    """The SDK's converters in the SDK's order, the plain JSON one exchanged."""

    def __init__(self) -> None:
        super().__init__(
            BinaryNullPayloadConverter(),
            BinaryPlainPayloadConverter(),
            JSONProtoPayloadConverter(),
            BinaryProtoPayloadConverter(),
            _MessageConverter(),
        )


DATA_CONVERTER = DataConverter(payload_converter_class=MessagesPayloadConverter)
