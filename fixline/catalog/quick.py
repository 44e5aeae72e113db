"""Reads YAML in which nothing is out of the ordinary, at the speed of libyaml.

Owns the quick way to a tree, and the list of what is out of the ordinary: whatever the careful reader
(`fixline.catalog.reading`) might find fault with, or the two libraries might read differently. The quick reader
finds no fault itself; it stands aside. Must not import anything of Fixline but the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from fixline.catalog.findings import Place
from fixline.catalog.tree import Entry, Mapping, Node, Scalar, Sequence

DEEPEST_LEVEL = 30

_STRANGE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Control characters, tabs, and line breaks other than the ordinary one."""
_MARKS = re.compile(r"(?m)^(?:---|\.\.\.|%)")
_COMMENT_TRAP = re.compile(r"[ ]+#\w")
_PLAIN_TEXT = re.compile(r"[\w./%+@~$^(][\w./%+@~$^()&;'\"=<>*! -]*(?::[\w./]+)*")
"""Text without quotes that every reader of YAML takes alike."""


Event = Any
"""An event of the library's; its type stubs say that a mark may be missing, and here none is."""


class _Unusual(Exception):
    """Something that the careful reader has to look at."""


def read_quickly(text: str) -> Mapping | None:
    """The document's tree, the same that the careful reader makes; None when that one has to look. Never raises."""
    if not yaml.__with_libyaml__ or _STRANGE.search(text) or _MARKS.search(text):
        return None
    try:
        events: Iterator[Event] = yaml.parse(text, Loader=yaml.CBaseLoader)
        next(events)
        if not isinstance(next(events), yaml.DocumentStartEvent):
            return None
        builder = _Builder(text, events)
        tree = builder.node(next(events), 1)
        if not isinstance(next(events), yaml.DocumentEndEvent) or not isinstance(next(events), yaml.StreamEndEvent):
            return None
    except (_Unusual, yaml.YAMLError, StopIteration, ValueError, RecursionError):
        return None
    return tree if isinstance(tree, Mapping) else None


class _Builder:
    """Makes the tree of the events that follow; raises _Unusual."""

    def __init__(self, text: str, events: Iterator[Event]) -> None:
        self._text = text
        self._events = events

    def node(self, event: Event, depth: int) -> Node:
        """The node that begins with this event."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        if event.anchor is not None or event.tag is not None or depth > DEEPEST_LEVEL:
            raise _Unusual
        if kind is yaml.MappingStartEvent:
            return self._mapping(event, depth)
        if kind is yaml.SequenceStartEvent:
            return self._sequence(event, depth)
        raise _Unusual

    def _scalar(self, event: Event) -> Scalar:
        if event.anchor is not None or event.tag is not None:
            raise _Unusual
        value: str = event.value
        start, end = event.start_mark, event.end_mark
        plain = not event.style
        if start.line != end.line or event.style in {"|", ">"}:
            raise _Unusual
        width = end.index - start.index
        lead = 0 if plain else 1
        straight = width - 2 * lead == len(value)
        if plain and not (straight and _PLAIN_TEXT.fullmatch(value)):
            raise _Unusual
        if (plain and _COMMENT_TRAP.match(self._text, end.index)) or (not straight and _STRANGE.search(value)):
            raise _Unusual
        place = Place(start.line + 1, start.column + 1, width)
        return Scalar(value, place, plain=plain, offset=lead if straight else None)

    def _sequence(self, event: Event, depth: int) -> Sequence:
        items: list[Node] = []
        for item in self._events:
            if type(item) is yaml.SequenceEndEvent:
                return Sequence(tuple(items), Place(event.start_mark.line + 1, event.start_mark.column + 1))
            items.append(self.node(item, depth + 1))
        raise _Unusual

    def _mapping(self, event: Event, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        for item in self._events:
            if type(item) is yaml.MappingEndEvent:
                return Mapping(entries, Place(event.start_mark.line + 1, event.start_mark.column + 1))
            key = self.node(item, depth + 1)
            if not isinstance(key, Scalar) or not key.text or key.text in entries or key.text == "<<":
                raise _Unusual
            entries[key.text] = Entry(key.text, key.place, self.node(next(self._events), depth + 1))
        raise _Unusual
