"""How records are made where each decision makes many of them: without reading again what is known to be right.

Owns the short ways, each the same as the long one (tests hold them side by side): `made` and `changed` are pydantic's
`model_construct` and `model_copy`; `reread` checks the changed fields of a record and not the whole of it; `as_json` is
pydantic's `to_jsonable_python`, with plain values passed through.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

M = TypeVar("M", bound=BaseModel)
_NONE = timedelta()
_PLAIN = frozenset({str, int, bool, type(None)})


def made(type_: type[M], values: dict[str, Any]) -> M:
    """A record with all of its fields, whose values are of the right types already."""
    fresh = type_.__new__(type_)
    object.__setattr__(fresh, "__dict__", values)
    object.__setattr__(fresh, "__pydantic_fields_set__", set(values))
    object.__setattr__(fresh, "__pydantic_extra__", None)
    object.__setattr__(fresh, "__pydantic_private__", None)
    return fresh


def changed(record: M, changes: Mapping[str, Any]) -> M:
    """The record with other values of some fields, of the right types already."""
    fresh = made(type(record), {**record.__dict__, **changes})
    object.__setattr__(fresh, "__pydantic_fields_set__", record.__pydantic_fields_set__ | changes.keys())
    return fresh


def reread(record: M, data: Mapping[str, Any]) -> M:
    """The record with the fields that `data` names, read from JSON values. Raises ValidationError; what is no field of
    the record is passed over. For records whose fields do not depend on each other."""
    type_, known = type(record), record.__dict__
    return changed(record, {name: _reader(type_, name).validate_python(data[name]) for name in data if name in known})


@cache
def _reader(type_: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = type_.model_fields[name]
    kind: Any = field.annotation
    for each in field.metadata:
        kind = Annotated[kind, each]
    return TypeAdapter(kind)


def as_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them; instants (aware UTC) as RFC 3339."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if type(value) in _PLAIN:
            found[name] = value
        elif type(value) is datetime and (value.tzinfo is UTC or value.utcoffset() == _NONE):
            found[name] = value.isoformat().removesuffix("+00:00") + "Z"
        elif isinstance(value, StrEnum):
            found[name] = value.value
        else:
            found[name] = to_jsonable_python(value, by_alias=True)
    return found
