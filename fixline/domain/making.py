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
    return _filled(type_, values, set(values))


def changed(record: M, changes: Mapping[str, Any]) -> M:
    """The record with other values of some fields, of the right types already."""
    given = record.__pydantic_fields_set__
    if not changes.keys() <= given:
        given = given | changes.keys()
    return _filled(type(record), {**record.__dict__, **changes}, given)


def _filled(type_: type[M], values: dict[str, Any], given: set[str]) -> M:
    """A record as pydantic leaves one: by its slots, past what keeps a frozen record from being changed."""
    fresh = type_.__new__(type_)
    _set_values(fresh, values)
    _set_given(fresh, given)
    _set_extra(fresh, None)
    _set_private(fresh, None)
    return fresh


_set_values, _set_given, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


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
