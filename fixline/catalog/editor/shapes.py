"""The shapes that values are written in, as pieces of a JSON Schema.

Owns the small shapes (text, name, length of time) and the way from a model's field to a property. Must not
import anything of Fixline but the written forms of names and the domain.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fixline.catalog.shape import KEY, LONGEST_NAME, NAME
from fixline.domain.deadlines.calendar import Span

Shape = dict[str, Any]
"""A piece of a JSON Schema."""

Written = Shape | None | Callable[[FieldInfo], Shape]
"""How a field is written where its type does not tell: a shape, None for a field that nobody writes, or a
function of the field."""

TEXT: Shape = {"type": ["string", "number", "boolean"]}
"""Free text; YAML takes unquoted 311 for a number and the language does not."""
SPAN: Shape = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d{1,2})? ?(working|calendar) +(minute|hour|day)s?\s*$",
    "examples": ["4 working hours", "2 working days", "7 calendar days"],
}
CONDITION: Shape = {"type": "string", "minLength": 1, "maxLength": 1000, "examples": ["depth >= 10"]}
_LIMITS: dict[type, str] = {Ge: "minimum", Gt: "exclusiveMinimum", Le: "maximum", Lt: "exclusiveMaximum"}


def name(form: Any = NAME) -> Shape:
    """A text that is used as a name, of the form NAME or KEY."""
    return {"type": "string", "pattern": f"^{form.pattern}$", "maxLength": LONGEST_NAME}


def described(shape: Shape, description: str) -> Shape:
    """The shape with what an editor shows for it."""
    return {"description": description, **shape}


def words(listed: Iterable[str]) -> Shape:
    """One word of a closed list."""
    return {"enum": list(listed)}


def listed(items: Shape, *, unique: bool = True) -> Shape:
    """A list of such values."""
    return {"type": "array", "items": items, **({"uniqueItems": True} if unique else {})}


def mapped(values: Shape, form: Any = NAME, *, reserved: Iterable[str] = (), least: int = 0) -> Shape:
    """A section whose keys are names of one's own."""
    names: Shape = {"pattern": f"^{form.pattern}$", "maxLength": LONGEST_NAME}
    if reserved := sorted(reserved):
        names["not"] = {"enum": reserved}
    shape = {"type": "object", "propertyNames": names, "additionalProperties": values}
    return {**shape, "minProperties": least} if least else shape


def section(properties: dict[str, Shape], required: Iterable[str] = ()) -> Shape:
    """A section of the keys of the language, and no others."""
    shape: Shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**shape, "required": sorted(required)} if required else shape


def of_model(model: type[BaseModel], written: dict[str, Written], required: Iterable[str] = ()) -> Shape:
    """A section with the keys that a model has; `written` says how fields are written whose type does not tell."""
    properties = fields_of(model, written)
    needed = {key(field, info) for field, info in model.model_fields.items() if info.is_required()}
    shape = section(properties, (needed | set(required)) & properties.keys())
    return described(shape, (model.__doc__ or "").splitlines()[0])


def fields_of(model: type[BaseModel], written: dict[str, Written]) -> dict[str, Shape]:
    """The properties for a model's fields, each with its description. KeyError when `written` names no field."""
    unknown = written.keys() - model.model_fields.keys()
    if unknown:
        raise KeyError(f"{model.__name__} has no field {', '.join(sorted(unknown))}")
    found: dict[str, Shape] = {}
    for field, info in model.model_fields.items():
        if field in written:
            how = written[field]
            shape = how(info) if callable(how) else how
        else:
            shape = of_type(info.annotation, info)
        if shape is not None:
            found[key(field, info)] = {"description": info.description or "", **shape}
    return found


def key(field: str, info: FieldInfo) -> str:
    """The key under which a field is written."""
    return info.alias or field


def of_type(kind: Any, info: FieldInfo | None = None) -> Shape:
    """The shape of a value of this type. TypeError for one that has no shape of its own."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return of_type(inner[0], info)
    if origin in {Union, types.UnionType}:
        return of_type(next(each for each in inner if each is not type(None)), info)
    if origin is Literal:
        return words(inner)
    if origin is tuple:
        return listed(of_type(inner[0]))
    if origin is dict:
        return mapped(of_type(inner[1]), KEY)
    if not isinstance(kind, type):
        raise TypeError(f"no shape for {kind}")
    return _of_class(kind, info)


def _of_class(kind: type, info: FieldInfo | None) -> Shape:
    if issubclass(kind, StrEnum):
        return words(member.value for member in kind)
    if issubclass(kind, Span):
        return SPAN
    if issubclass(kind, BaseModel):
        return of_model(kind, {})
    plain = {str: TEXT, bool: {"type": "boolean"}, int: {"type": "integer"}, float: {"type": "number"}}
    if kind not in plain:
        raise TypeError(f"no shape for {kind}")
    return {**plain[kind], **_limits(info)}


def _limits(info: FieldInfo | None) -> Shape:
    marks = info.metadata if info else []
    return {
        word: getattr(mark, attribute)
        for mark in marks
        for kind, word in _LIMITS.items()
        if isinstance(mark, kind)
        for attribute in (kind.__name__.lower(),)
    }
