"""The rejects file: rows that could not be imported, each with its line and the reason.

Owns the file, which is made with the first row rejected. Rows keep the source's own cells, so that the file can be
mended and imported by itself once the two columns are taken off.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from fixline.service.importing.table import Line


class Rejects:
    """Writes to `path`; to nowhere when that is None. `written` says whether there was anything."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.written = False
        self._header: Sequence[str] = ()
        self._file: IO[str] | None = None
        self._rows: Any = None

    def begin(self, header: Sequence[str]) -> None:
        """The source's columns."""
        self._header = header

    def add(self, line: Line, reason: str) -> None:
        """One row. Raises OSError."""
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._rows = csv.writer(self._file, lineterminator="\n")
            self._rows.writerow(["line", "reason", *self._header])
            self.written = True
        self._rows.writerow([line.number, reason, *line.cells])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
