"""Where in a definition's file something stands, for those who speak about a definition that was read before.

Owns the way from a path of keys to a line and column. Must not import anything of Fixline but the reading.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fixline.catalog.findings import TOP, Findings
from fixline.catalog.reading import read_tree
from fixline.catalog.tree import Mapping, Node, Sequence


def place_in(path: Path) -> Callable[[tuple[str | int, ...]], tuple[int, int]]:
    """A function from a path of keys and positions to line and column, those of the nearest section that is there.

    A file that cannot be read (any more) has all its places at its top.
    """
    try:
        tree = read_tree(path.read_bytes(), Findings(str(path)))
    except OSError:
        tree = None

    def find(keys: tuple[str | int, ...]) -> tuple[int, int]:
        node: Node | None = tree
        place = tree.place if tree else TOP
        for key in keys:
            if isinstance(node, Mapping) and key in node.entries:
                entry = node.entries[str(key)]
                node, place = entry.value, entry.place
            elif isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
                node = node.items[key]
                place = node.place
            else:
                break
        return place.line, place.column

    return find
