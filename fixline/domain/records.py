"""The records that the rules make: frozen, with typed fields, the same as JSON and back (instants as RFC 3339).

They are made and changed at every decision, by the hundred, so they are msgspec's; what comes from outside is read by
pydantic, which says more of what is wrong.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from pydantic import BaseModel

R = TypeVar("R")
change = msgspec.structs.replace
"""The record with other values of some fields. Raises TypeError for a field that it does not have."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all records. Fields that are pydantic's models (a place, a span) are read and written by those."""


class OfKinds(Record, frozen=True, omit_defaults=True):
    """Base of the bases of records of many kinds, one class each; `kind` is its name in small letters: `task_claimed`.

    A field that is as by default is left out of what is stored.
    """

    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **_: Any) -> None:
        if OfKinds in cls.__bases__:
            cls.kinds = {}
        elif not cls.__name__.startswith("_"):
            cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
            cls.kinds[cls.kind] = cls

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """The record that such data was made of. Raises msgspec.ValidationError."""
        return from_data(cls, data)


def _as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.__pydantic_serializer__.to_python(value, mode="json")  # what model_dump does, without its options
    raise TypeError(f"a record cannot keep a {type(value).__name__}")


def from_json(type_: type[Any], value: Any) -> Any:
    """A value that msgspec does not know, for its decoders."""
    if issubclass(type_, BaseModel):
        return type_.model_validate(value)
    raise TypeError(f"a record cannot keep a {type_.__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_as_json)


def to_text(record: Record) -> str:
    """The record as JSON."""
    return _ENCODER.encode(record).decode()


def to_data(value: Any) -> Any:
    """A record, or values beside records, as the dictionaries, lists and plain values that JSON has."""
    return msgspec.json.decode(_ENCODER.encode(value))


def from_data(type_: type[R], data: Any) -> R:
    """The record of such a dictionary. Raises msgspec.ValidationError naming the field."""
    return msgspec.convert(data, type_, dec_hook=from_json)
