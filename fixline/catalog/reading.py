"""Reads YAML into a tree in which every key and value knows its place, and refuses what misleads. A file in which
nothing is out of the ordinary is read by the quick reader; any other is read here, token by token, for the words that
tell its author what to mend. Those for mistakes in YAML itself are in `fixline.catalog.traps`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from fixline.catalog import traps
from fixline.catalog.findings import TOP, Findings, Place
from fixline.catalog.quick import DEEPEST_LEVEL, read_quickly
from fixline.catalog.tree import Entry, Mapping, Node, Scalar, Sequence, along

LARGEST_FILE_CHARACTERS = 512_000

_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TYPOGRAPHIC = frozenset("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb")
"""Quotes that word processors write."""
_COMMENT_TRAP = re.compile(r"[ \t]+(#\w)")
_OPENING = (
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken, yaml.BlockEndToken)
_REFUSED = {
    yaml.AnchorToken: ("FX107", "anchors (&) are not part of the language: put text that begins with & in quotes"),
    yaml.AliasToken: ("FX107", "aliases (*) are not part of the language: put text that begins with * in quotes"),
    yaml.TagToken: ("FX108", "tags (!) are not part of the language: put text that begins with ! in quotes"),
    yaml.DirectiveToken: ("FX108", "directives (%) are not part of the language"),
}


def read_tree(source: bytes | str, findings: Findings) -> Mapping | None:
    """The document's top section, or None with findings when there is none to read. Never raises."""
    text = _decoded(source, findings) if isinstance(source, bytes) else source
    if text is None:
        return None
    text = text.removeprefix("\ufeff")
    if len(text) > LARGEST_FILE_CHARACTERS:
        findings.add("FX112", TOP, f"the file has more than {LARGEST_FILE_CHARACTERS} characters")
        return None
    return read_quickly(text) or _composed(text, findings)


def place_in(path: Path) -> Callable[[tuple[str | int, ...]], tuple[int, int]]:
    """A function from a path of keys and positions to line and column, those of the nearest section that is there; the
    top of a file that cannot be read (any more)."""
    try:
        tree = read_tree(path.read_bytes(), Findings(str(path)))
    except OSError:
        tree = None

    def find(keys: tuple[str | int, ...]) -> tuple[int, int]:
        place = along(tree, keys)[-1][1].place if tree else TOP
        return place.line, place.column

    return find


def _decoded(source: bytes, findings: Findings) -> str | None:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = source[: problem.start].decode("utf-8").removeprefix("\ufeff")
        place = traps.place_in(before, len(before))
        findings.add("FX102", place, "the file is not UTF-8 from here on: save it as UTF-8")
        return None


def _composed(text: str, findings: Findings) -> Mapping | None:
    try:
        loader = _Loader(text, findings)
        documents = list(loader.documents())
    except _TooDeep:
        return None
    except yaml.YAMLError as problem:
        if not len(findings):
            traps.explain(text, problem, findings)
        return None
    except (ValueError, OverflowError):
        findings.add("FX104", TOP, "the file is not YAML: an escape in a quoted text cannot be read")
        return None
    if loader.refused:
        return None
    if not documents:
        findings.add("FX103", TOP, "the file is empty")
        return None
    if len(documents) > 1:
        findings.add("FX109", _place(documents[1].start_mark), "a second document begins: one file holds one")
        return None
    tree = _node(documents[0], text, findings)
    if isinstance(tree, Mapping):
        return tree
    if isinstance(tree, Scalar) and tree.empty:
        findings.add("FX103", TOP, "the file is empty")
    else:
        findings.add("FX203", tree.place, "the file holds keys with values, such as 'type: pothole'")
    return None


class _TooDeep(Exception):
    """The document has more levels than a definition can have, and perhaps than the stack has."""


class _Loader(yaml.BaseLoader):
    """Composes without giving any value a type, and looks at each token on its way for what is left out."""

    def __init__(self, text: str, findings: Findings) -> None:
        super().__init__(text)
        self.refused = False
        self._text = text
        self._findings = findings
        self._depth = 0

    def documents(self) -> Iterator[yaml.Node]:
        """The nodes of all documents, in order."""
        while self.check_node():
            node = self.get_node()
            if node is not None:
                yield node

    def get_token(self) -> yaml.Token | None:
        """Every token passes here exactly once."""
        token: yaml.Token | None = super().get_token()  # type: ignore[no-untyped-call]
        if token is not None:
            self._look_at(token)
        return token

    def _look_at(self, token: yaml.Token) -> None:
        refused = _REFUSED.get(type(token))
        if refused is not None:
            self._findings.add(refused[0], _place(token.start_mark), refused[1])
            self.refused = True
        elif isinstance(token, _OPENING):
            self._depth += 1
        elif isinstance(token, _CLOSING):
            self._depth -= 1
        elif isinstance(token, yaml.ScalarToken) and token.plain:
            _find_comment_trap(token, self._text, self._findings)
            _find_quote_trap(token, self._findings)
        if self._depth > DEEPEST_LEVEL:
            self._findings.add("FX112", _place(token.start_mark), f"more than {DEEPEST_LEVEL} levels in one another")
            raise _TooDeep


def _find_comment_trap(token: yaml.ScalarToken, text: str, findings: Findings) -> None:
    found = _COMMENT_TRAP.match(text, token.end_mark.index)
    if found is not None:
        message = "what follows ' #' is a comment: put the whole text in quotes, or a space after the '#'"
        findings.add("FX110", traps.place_in(text, found.start(1)), message)


def _find_quote_trap(token: yaml.ScalarToken, findings: Findings) -> None:
    if token.value[:1] in _TYPOGRAPHIC:
        message = f'{token.value[0]} is a part of the text to YAML: write the quotes of a keyboard, such as "Pothole"'
        findings.add("FX110", _place(token.start_mark), message)


def _node(node: yaml.Node, text: str, findings: Findings) -> Node:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, text, findings)
    if isinstance(node, yaml.SequenceNode):
        return Sequence(tuple(_node(item, text, findings) for item in node.value), node.start_mark)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, findings)
    raise TypeError(f"YAML has no node of kind {type(node).__name__}")


def _scalar(node: yaml.ScalarNode, findings: Findings) -> Scalar:
    # Escapes such as "\0" get past the library's own check, and no database keeps them.
    if unreadable := _UNREADABLE.search(node.value):
        findings.add("FX114", _place(node.start_mark), traps.unreadable(unreadable[0]))
    written = node.end_mark.index - node.start_mark.index
    lead = 1 if node.style in {"'", '"'} else 0
    straight = written - 2 * lead == len(node.value) and node.style in {None, "'", '"'}
    offset = lead if straight and node.start_mark.line == node.end_mark.line else None
    return Scalar(node.value, node.start_mark, _width(node), plain=node.style is None, offset=offset)


def _width(node: yaml.Node) -> int:
    """How many characters a text takes, quotes included; 0 when it runs over several lines."""
    return node.end_mark.index - node.start_mark.index if node.start_mark.line == node.end_mark.line else 0


def _mapping(node: yaml.MappingNode, text: str, findings: Findings) -> Mapping:
    entries: dict[str, Entry] = {}
    for key_node, value_node in node.value:
        place = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1, _width(key_node))
        if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
            findings.add("FX113", place, "a key is a word: write it before the colon")
            continue
        key = key_node.value
        if key == "<<" and key_node.style is None:
            findings.add("FX107", place, "merge keys (<<) are not part of the language: write the keys out")
        elif node.flow_style and traps.is_broken_off(text, key_node, value_node):
            message = f"'{key}' has no value: if it is the rest of a text with a comma, put the whole text in quotes"
            findings.add("FX110", place, message)
        elif key in entries:
            first = entries[key].place
            findings.add("FX106", place, f"'{key}' is given twice, first in line {first.line}: keep one")
        else:
            written = Scalar(key, key_node.start_mark, place.width, plain=key_node.style is None)
            entries[key] = Entry(key, written, _node(value_node, text, findings))
    return Mapping(entries, node.start_mark)


def _place(mark: yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)
