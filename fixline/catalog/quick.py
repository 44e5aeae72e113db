"""Reads YAML in which nothing is out of the ordinary, at the speed of libyaml. Out of the ordinary is whatever the
careful reader (`fixline.catalog.reading`) might find fault with, or the two libraries might read differently: the quick
reader finds no fault itself, it stands aside."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import yaml

from fixline.catalog.tree import Entry, Mapping, Node, Scalar, Sequence

DEEPEST_LEVEL = 30

_DOCUMENT = re.compile(r"\n(?:---|\.\.\.|%)")
"""Where another document may begin; two patterns with a beginning of their own are found ten times as fast as one."""
_COMMENT_TRAP = re.compile(r" #\w")
"""Where a comment begins that may have been meant as text."""
_PLAIN_TEXT = re.compile(r"(?:-\d|[\w./%+@~$^(])[\w./%+@~$^()&;'\"=<>*! -]*(?::[\w./]+)*")
"""Text without quotes that every reader of YAML takes alike."""


Event = Any
"""An event of the library's; its type stubs say that a mark may be missing, and here none is."""


class _Unusual(Exception):
    """Something that the careful reader has to look at."""


def read_quickly(text: str) -> Mapping | None:
    """The document's tree, the same that the careful reader makes; None when that one has to look. Never raises."""
    if not yaml.__with_libyaml__ or _is_strange(text):
        return None
    try:
        return _Builder(yaml.CBaseLoader(text).get_event).document()
    except (_Unusual, yaml.YAMLError, ValueError, RecursionError):
        return None


def _is_strange(text: str) -> bool:
    """Whether it has signs that nobody sees, tabs too, or what may begin a document or be a comment by mistake."""
    seen = text.replace("\n", "").isprintable()
    return not seen or _DOCUMENT.search(f"\n{text}") is not None or _COMMENT_TRAP.search(text) is not None


@lru_cache(maxsize=8192)
def _is_plain(text: str) -> bool:
    """Whether it is plain text; files say the same words again and again."""
    return _PLAIN_TEXT.fullmatch(text) is not None


class _Builder:
    """Makes the tree of the events that `following` gives; raises _Unusual."""

    def __init__(self, following: Callable[[], Event]) -> None:
        self._following = following

    def document(self) -> Mapping:
        """The tree of the one document that there is."""
        self._expect(yaml.StreamStartEvent)
        self._expect(yaml.DocumentStartEvent)
        tree = self._node(self._following(), 1)
        self._expect(yaml.DocumentEndEvent)
        self._expect(yaml.StreamEndEvent)
        if not isinstance(tree, Mapping):
            raise _Unusual
        return tree

    def _expect(self, kind: type[yaml.Event]) -> None:
        if type(self._following()) is not kind:
            raise _Unusual

    def _node(self, event: Event, depth: int) -> Node:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None or depth > DEEPEST_LEVEL:
            raise _Unusual
        return self._mapping(event, depth) if kind is yaml.MappingStartEvent else self._sequence(event, depth)

    def _scalar(self, event: Event) -> Scalar:
        value: str = event.value
        start, end, style = event.start_mark, event.end_mark, event.style
        if start.line != end.line or event.anchor is not None or event.tag is not None:
            raise _Unusual
        width = end.index - start.index
        if not style:
            if width != len(value) or not _is_plain(value):
                raise _Unusual
            return Scalar(value, start, width)
        straight = width - 2 == len(value)
        if style in "|>" or (not straight and not value.isprintable()):
            raise _Unusual
        return Scalar(value, start, width, False, 1 if straight else None)

    def _sequence(self, event: Event, depth: int) -> Sequence:
        following = self._following
        items: list[Node] = []
        while type(item := following()) is not yaml.SequenceEndEvent:
            items.append(self._node(item, depth + 1))
        return Sequence(tuple(items), event.start_mark)

    def _mapping(self, event: Event, depth: int) -> Mapping:
        following = self._following
        entries: dict[str, Entry] = {}
        while type(item := following()) is not yaml.MappingEndEvent:
            if type(item) is not yaml.ScalarEvent:
                raise _Unusual
            key = self._scalar(item)
            text = key.text
            if not text or text in entries or text == "<<":
                raise _Unusual
            entries[text] = Entry(text, key, self._node(following(), depth + 1))
        return Mapping(entries, event.start_mark)
