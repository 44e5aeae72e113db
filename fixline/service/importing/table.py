"""A CSV file, row by row, and which row of a number wins.

Owns the reading of files of any size: nothing is kept of a row but, for the first pass, its number and line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixline.service.importing.records import HeaderUnfit, Reader

LONGEST_CELL = 1_000_000


@dataclass(frozen=True)
class Line:
    """A row: where it ends in the file (lines count from 1), its cells, why it cannot be read (if so)."""

    number: int
    cells: Sequence[str]
    broken: str | None = None


class Table:
    """The rows below a header. Blank lines are no rows. A row with too few or too many cells is broken."""

    def __init__(self, path: Path) -> None:
        """Read the header. Raises OSError, HeaderUnfit when there is none."""
        self.path = path
        with self._open() as rows:
            first = next(rows, None)
        if first is None:
            raise HeaderUnfit("the file is empty")
        self.header = first.cells

    def lines(self) -> Iterator[Line]:
        """Every row below the header."""
        with self._open() as rows:
            next(rows)
            for line in rows:
                yield line if line.broken or len(line.cells) == len(self.header) else self._misfit(line)

    def _misfit(self, line: Line) -> Line:
        return Line(line.number, line.cells, f"the row has {len(line.cells)} cells, the header {len(self.header)}")

    def last_lines(self, reader: Reader) -> dict[str, int]:
        """The line of each number's last row; rows that are broken or have no number are not in it."""
        found: dict[str, int] = {}
        for line in self.lines():
            if line.broken is None and (number := reader.number(line.cells)):
                found[number] = line.number
        return found

    @contextmanager
    def _open(self) -> Iterator[Iterator[Line]]:
        # Bytes that are no UTF-8 become the replacement character: a letter lost is better than a row lost.
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            before = csv.field_size_limit(LONGEST_CELL)  # of the whole process: given back at the end
            try:
                yield _rows(file)
            finally:
                csv.field_size_limit(before)


def _rows(file: Iterator[str]) -> Iterator[Line]:
    rows = csv.reader(file)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(rows.line_num, (), f"the row cannot be read: {error}")
            continue
        if cells:
            yield Line(rows.line_num, cells)
