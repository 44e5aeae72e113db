"""How sections are written, told once: a grammar reads a section into its model, and is its JSON Schema for editors.
What a field's type tells of how it is written is not told again. A rule between keys is a function (`check`), with its
words for a schema beside it (`beside`). What no schema can say, such as that a step exists, `fixline check` says."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Set
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, partial
from re import Pattern
from typing import Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fixline.catalog.shape import LONGEST_NAME, NAME, Section, Written, check_name, one_word, section_of, span_of
from fixline.catalog.tree import Mapping, Scalar
from fixline.domain.deadlines.calendar import Span

Shape = dict[str, Any]
"""A piece of a JSON Schema."""
Values = dict[str, Any]
"""What could be read of a section, by field."""
Model = TypeVar("Model", bound=BaseModel)

TEXT_SHAPE: Shape = {"type": ["string", "number", "boolean"]}
"""Free text; YAML takes unquoted 311 for a number and the language does not."""
PLACEHOLDER = Span.parse("1 calendar day")


@dataclass(frozen=True)
class Key:
    """How a value is written: what reads it, and its shape for editors, which None hides from them.

    It is read when it is written, or has to be; None when it is not there or does not fit.
    `absent` stands for one that is required and could not be read; nobody uses such a section. Where they are given,
    `name` is the key instead of the field's, `told` what editors show instead of the field's description, and
    `required` holds instead of what the model says.
    """

    read: Callable[[Section, str], Any]
    shape: Shape | Callable[[], Shape] | None = None
    absent: object = ""
    name: str = ""
    told: str = ""
    required: bool | None = None

    def piece(self) -> Shape:
        """The shape. TypeError for a key that editors are not told of."""
        if self.shape is None:
            raise TypeError("no editor is told of this key")
        return self.shape() if callable(self.shape) else self.shape

    def shown(self, told: str) -> Shape:
        """The shape with what an editor shows for it, unless it says that itself."""
        return described(self.piece(), told)


def name_shape(form: Pattern[str] = NAME) -> Shape:
    """A text that is used as a name, of the form NAME or KEY."""
    return {"type": "string", "pattern": f"^{form.pattern}$", "maxLength": LONGEST_NAME}


def described(shape: Shape, description: str) -> Shape:
    """The shape with what an editor shows for it."""
    return {"description": description, **shape}


def listed(items: Shape, *, unique: bool = True) -> Shape:
    """A list of such values."""
    return {"type": "array", "items": items, **({"uniqueItems": True} if unique else {})}


def mapped(values: Shape, form: Pattern[str] = NAME, *, reserved: Iterable[str] = (), least: int = 0) -> Shape:
    """A section whose keys are names of one's own."""
    names: Shape = {"pattern": f"^{form.pattern}$", "maxLength": LONGEST_NAME}
    if reserved := sorted(reserved):
        names["not"] = {"enum": reserved}
    shape = {"type": "object", "propertyNames": names, "additionalProperties": values}
    return {**shape, "minProperties": least} if least else shape


def section_shape(properties: dict[str, Shape], required: Iterable[str] = ()) -> Shape:
    """A section of the keys of the language, and no others."""
    shape: Shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**shape, "required": sorted(required)} if required else shape


def reference(form: Pattern[str] = NAME) -> Key:
    """The name of something that stands elsewhere; whether it does is checked when all has been read."""
    return replace(TEXT, shape=name_shape(form))


def of_text(parse: Callable[[Written, Section], object], shape: Shape | None = None, absent: object = "") -> Key:
    """A text of which `parse` makes a value, or a finding and None."""

    def read(section: Section, key: str) -> object:
        found = section.text(key, required=True)
        return None if found is None else parse(found, section)

    return Key(read, shape, absent)


def of_section(
    parse: Callable[[Section, Section], object], shape: Shape | Callable[[], Shape] | None = None, absent: object = None
) -> Key:
    """A section of which `parse` makes a value, given the section around it, too."""

    def read(section: Section, key: str) -> object:
        body = section.section(key, required=True)
        return None if body is None else parse(body, section)

    return Key(read, shape, absent)


def either(text: Key, section: Key, default: Key) -> Key:
    """A text or a section; what is neither is read as the default of the two, which refuses it."""

    def read(around: Section, key: str) -> object:
        found = around.tree.entries.get(key)
        kinds = {Scalar: text, Mapping: section}
        how = default if found is None else kinds.get(type(found.value), default)
        return how.read(around, key)

    return Key(read, lambda: {"anyOf": [text.piece(), section.piece()]})


def own_name(form: Pattern[str] = NAME) -> Key:
    """A name that is given here."""

    def parse(written: Written, section: Section) -> str:
        check_name(written.text, written.place, form, section.findings)
        return written.text

    return of_text(parse, name_shape(form))


def word(words: Iterable[str]) -> Key:
    """One word of a closed list."""
    known = [str(each) for each in words]
    return of_text(lambda written, section: one_word(written, known, section.findings), {"enum": known}, known[0])


def texts(items: Shape = TEXT_SHAPE, words: Iterable[str] = (), least: int = 0) -> Key:
    """A list of texts, each once; of `words` if there are any. Editors want `least` of them, a check has to."""
    known = [str(each) for each in words]

    def read(section: Section, key: str) -> tuple[str, ...]:
        written = section.texts(key, required=True)
        if not known:
            return tuple(each.text for each in written)
        found = [one_word(each, known, section.findings) for each in written]
        return tuple(each for each in found if each is not None)

    shape = listed({"enum": known} if known else items)
    return Key(read, {**shape, "minItems": least} if least else shape, ())


TEXT = Key(partial(Section.string, required=True), TEXT_SHAPE)
CONDITION = replace(TEXT, shape={"type": "string", "minLength": 1, "maxLength": 1000, "examples": ["depth >= 10"]})
SPAN = of_text(
    lambda written, section: span_of(written, section.findings),
    {
        "type": "string",
        "pattern": r"^\s*\d+(\.\d{1,2})? ?(working|calendar) +(minute|hour|day)s?\s*$",
        "examples": ["4 working hours", "2 working days", "7 calendar days"],
    },
    PLACEHOLDER,
)
_PLAIN: dict[object, Key] = {
    str: TEXT,
    bool: Key(partial(Section.switch, required=True), {"type": "boolean"}),
    float: Key(partial(Section.number, required=True), {"type": "number"}),
    Span: SPAN,
    tuple[str, ...]: texts(),
}


def _by_type(kind: object, info: FieldInfo) -> Key:
    """How a value of this type is written. TypeError for a type that does not tell."""
    inner = get_args(kind)
    if get_origin(kind) in {Union, types.UnionType}:
        return _by_type(next(each for each in inner if each is not types.NoneType), info)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) is Literal:
        return word(inner)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return word(kind)
    if kind is int:
        least, most = (next(getattr(mark, end) for mark in info.metadata if hasattr(mark, end)) for end in ("ge", "le"))
        shape = {"type": "integer", "minimum": least, "maximum": most}
        return Key(partial(Section.number, whole=(least, most), required=True), shape)
    raise TypeError(f"{kind} does not tell how it is written")


class _Line(NamedTuple):
    """A line of a grammar: the field, the key under which it is written, and how."""

    field: str
    key: str
    how: Key
    required: bool
    told: str


@dataclass(frozen=True)
class Grammar(Generic[Model]):
    """The keys of a section that is read into a model; `what` calls it in findings.

    `written` says how fields are written whose type does not tell, None that nobody writes them; `others` are keys that
    are no fields: `check` takes them out of what has been read. `later` are keys that this release does not enforce.
    Without one of `needs` nothing can be read. KeyError when `written` names no field.
    """

    model: type[Model]
    what: str
    written: MappingType[str, Key | None] = field(default_factory=dict)
    later: tuple[str, ...] = ()
    others: MappingType[str, Key] = field(default_factory=dict)
    needs: Set[str] = frozenset()
    check: Callable[[Section, Values], None] | None = None
    beside: Shape = field(default_factory=dict)

    @cached_property
    def _lines(self) -> tuple[_Line, ...]:
        fields = self.model.model_fields
        if unknown := self.written.keys() - fields.keys():
            raise KeyError(f"{self.model.__name__} has no field {', '.join(sorted(unknown))}")
        lines = [_Line(name, name, how, bool(how.required), how.told) for name, how in self.others.items()]
        for name, info in fields.items():
            how = self.written[name] if name in self.written else _by_type(info.annotation, info)
            if how is not None:
                key, told = how.name or info.alias or name, how.told or info.description or ""
                required = info.is_required() if how.required is None else how.required
                lines.append(_Line(name, key, how, required, told))
        return tuple(lines)

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return tuple(line.key for line in self._lines)

    @cached_property
    def _absent(self) -> Values:
        return {line.field: line.how.absent for line in self._lines if line.required and line.field not in self.others}

    def values(self, section: Section, required: Collection[str] = ()) -> Values:
        """What can be read, with a finding for all else; `required` are keys that are so here."""
        found: Values = {}
        written = section.written(self._keys)
        for name, key, how, always, _ in self._lines:
            value = how.read(section, key) if always or key in written or key in required else None
            if value is not None:
                found[name] = value
        if self.check is not None:
            self.check(section, found)
        section.finish(self.what, self.later)
        return found

    def made(self, section: Section, **given: object) -> Model:
        """What is read; `given` are values of what is not written."""
        return self.model(**{**self._absent, **given, **self.values(section)})

    def read(self, section: Section, **given: object) -> Model | None:
        """The same, or None where something is not there without which there is nothing."""
        found = self.values(section)
        whole = found.keys() >= self.needs
        return self.model(**{**self._absent, **given, **found}) if whole else None

    def keys(self) -> Shape:
        """The section for editors, without a word on what it is."""
        properties = {line.key: line.how.shown(line.told) for line in self._lines if line.how.shape is not None}
        return section_shape(properties, [line.key for line in self._lines if line.required and line.key in properties])

    def shape(self) -> Shape:
        """The section for editors."""
        return {**described(self.keys(), (self.model.__doc__ or "").splitlines()[0]), **self.beside}

    def below(self) -> Key:
        """Such a section under a key."""
        return of_section(lambda body, _: self.read(body), self.shape)

    def listed(self, what: str, check: Callable[[Pairs[Model]], None] | None = None) -> Key:
        """A list of such sections; None where none can be read. `check` looks at all that could be read."""

        def read(section: Section, key: str) -> tuple[Model, ...] | None:
            items = section.items(key, required=True) or ()
            bodies = [section_of(item, what, section.findings) for item in items]
            found = [(body, each) for body in bodies if body is not None and (each := self.read(body)) is not None]
            if check is not None:
                check(found)
            return tuple(each for _, each in found) or None

        return Key(read, lambda: listed(self.shape(), unique=False), ())

    def named(self, what: str = "'{}'", reserved: Iterable[str] = ()) -> Key:
        """A section of such sections by names of one's own; `what` calls each by its name."""

        def read(body: Section, _: Section) -> dict[str, Model]:
            return {name: self.made(each) for name, each in body.named(what, reserved=reserved)}

        return of_section(read, lambda: mapped(self.shape(), reserved=reserved))


Pairs = list[tuple[Section, Model]]
"""The entries of a list: the section of each, and what was read of it."""
