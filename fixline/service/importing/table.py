"""The files of an import: a CSV file, row by row, which row of a number wins, and the rows that are rejected.

Files may have any size: nothing is kept of a row but, for the first pass, its number and line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from fixline.service.importing.mapping import HeaderUnfit

LONGEST_CELL = 1_000_000


class Line(NamedTuple):
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
                if line.broken or len(line.cells) == len(self.header):
                    yield line
                else:
                    misfit = f"the row has {len(line.cells)} cells, the header {len(self.header)}"
                    yield line._replace(broken=misfit)

    def last_lines(self, number_of: Callable[[Sequence[str]], str]) -> dict[str, int]:
        """The line of each number's last row; rows that are broken or have no number are not in it."""
        found: dict[str, int] = {}
        for line in self.lines():
            if line.broken is None and (number := number_of(line.cells)):
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


class Rejects:
    """Writes the rows that could not be imported, each with its line and the reason, to `path` (to nowhere when that is
    None). The file is made with the first of them; `written` says whether there was any.

    Rows keep the source's own cells, below its `header`, so that the file can be mended and imported by itself once the
    two columns are taken off.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.written = False
        self.header: Sequence[str] = ()
        self._file: IO[str] | None = None
        self._rows: Any = None

    def add(self, line: Line, reason: str) -> None:
        """One row. Raises OSError."""
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._rows = csv.writer(self._file, lineterminator="\n")
            self._rows.writerow(["line", "reason", *self.header])
            self.written = True
        self._rows.writerow([line.number, reason, *line.cells])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
