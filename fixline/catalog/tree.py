"""The tree that a file is read into: every key and value knows its place.

Owns Scalar, Sequence and Mapping. Everything in it is text: 17:00, on, no and dates mean nothing here. Must not
import anything of Fixline but places. Nothing changes a tree once it is made; its parts are not frozen because a
check of many files makes hundreds of thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fixline.catalog.findings import Place


@dataclass(slots=True)
class Scalar:
    """A text, where it begins, and whether it stands without quotes on one line."""

    text: str
    place: Place
    plain: bool = True
    offset: int | None = 0

    @property
    def empty(self) -> bool:
        """True when nothing is written."""
        return self.plain and not self.text

    def at(self, offset: int) -> Place:
        """The place of the character at that offset; the text's beginning when lines or escapes hide it."""
        return self.place if self.offset is None else self.place.shifted(self.offset + offset)


@dataclass(slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(slots=True)
class Entry:
    """A key of a section with its value."""

    key: str
    place: Place
    value: Node


@dataclass(slots=True)
class Mapping:
    """A section: its keys in the order written, each once."""

    entries: dict[str, Entry]
    place: Place

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


Node = Scalar | Sequence | Mapping
