"""What is found wrong in a file, and where.

Owns the finding, its written form and the search for a near word. Must not import anything of Fixline but the
table of codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from fixline.catalog.codes import CODES


class Place(NamedTuple):
    """A position in a file; lines and columns count from 1, columns in characters.

    `width` is the length of what stands there, in characters; 0 when it is not known or not on one line.
    """

    line: int = 1
    column: int = 1
    width: int = 0

    def shifted(self, columns: int) -> Place:
        """The place that many characters further on in the same line."""
        return Place(self.line, self.column + columns)


TOP = Place()


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend: file, 1-based line and column, the stable code, plain words; its width where known."""

    file: str
    line: int
    column: int
    code: str
    message: str
    width: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """`file:line:column: CODE message`, the form that editors know."""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}"


class Findings:
    """Collects the findings of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Finding] = []

    def add(self, code: str, place: Place, message: str) -> None:
        """Note a finding. KeyError when the code is not declared."""
        self._found.append(Finding(self.file, place.line, place.column, CODES[code].code, message, place.width))

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[Finding, ...]:
        """All findings in the order of the file, each once."""
        return tuple(sorted(set(self._found)))


def one_of(words: Iterable[str]) -> str:
    """The words as a list for a message: 'a, b or c'."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
