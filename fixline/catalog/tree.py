"""The tree that a file is read into: every key and value knows its place; everything is text: 17:00, on, no and dates
mean nothing here. Nothing changes a tree. Its parts are not frozen and keep the library's marks instead of places,
because a check of many files makes hundreds of thousands of them and asks few of them where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from fixline.catalog.findings import Place


class Mark(Protocol):
    """A position as the YAML library keeps it: line and column count from 0."""

    line: int
    column: int


@dataclass(slots=True)
class Scalar:
    """A text, where it begins, how wide it is written, and whether it stands without quotes on one line."""

    text: str
    start: Mark
    width: int
    plain: bool = True
    offset: int | None = 0

    @property
    def place(self) -> Place:
        """Where it begins, quotes included."""
        return Place(self.start.line + 1, self.start.column + 1, self.width)

    @property
    def empty(self) -> bool:
        """True when nothing is written."""
        return self.plain and not self.text

    def at(self, offset: int) -> Place:
        """The place of the character at that offset; the text's beginning when lines or escapes hide it."""
        if self.offset is None:
            return self.place
        return Place(self.start.line + 1, self.start.column + 1 + self.offset + offset)


@dataclass(slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    start: Mark

    @property
    def place(self) -> Place:
        """Where its first entry, or its bracket, begins."""
        return Place(self.start.line + 1, self.start.column + 1)


@dataclass(slots=True)
class Entry:
    """A key of a section with its value."""

    key: str
    written: Scalar
    value: Node

    @property
    def place(self) -> Place:
        """Where the key begins."""
        return self.written.place


@dataclass(slots=True)
class Mapping:
    """A section: its keys in the order written, each once."""

    entries: dict[str, Entry]
    start: Mark

    @property
    def place(self) -> Place:
        """Where its first key, or its bracket, begins."""
        return Place(self.start.line + 1, self.start.column + 1)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


Node = Scalar | Sequence | Mapping


def along(tree: Node, path: Iterable[str | int]) -> list[tuple[Node, Entry | Node]]:
    """The nodes on the way along keys and list positions, as far as it goes; with each the entry that holds it."""
    found: list[tuple[Node, Entry | Node]] = [(tree, tree)]
    for part in path:
        node = found[-1][0]
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            found.append((node.entries[part].value, node.entries[part]))
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            found.append((node.items[part], node.items[part]))
        else:
            break
    return found
