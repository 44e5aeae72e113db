"""One import: a file's rows, in batches, to the store.

Owns what a row leads to:
- of one number the file's last row wins; the rows before it count as unchanged (`repeated` says how many);
- closed at the source, unknown here: history. Known as history: updated when the source says something else;
- open at the source, unknown here: a running request with its real opening date;
- closed at the source, running here: a command that closes it, once (updated);
- open at the source, but running or closed by our crews here: unchanged; our own word holds;
- open at the source, but history here: rejected. The source has opened it again, which an import cannot follow.

Each batch is a transaction of its own, kept well under 100 ms, with a pause in between, so that a running system
on the same database goes on. An import that was cut short is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from fixline.catalog import Areas
from fixline.service.importing.batches import Batch, Outcomes
from fixline.service.importing.records import Mapping, Record, Unfit
from fixline.service.importing.rejects import Rejects
from fixline.service.importing.table import Line, Table
from fixline.service.submissions import utc_now
from fixline.store.store import Store
from fixline.store.versions import Versions

FIRST_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 200, 20, 1000
WANTED_SECONDS = 0.05
"""How long a batch should hold the database; its size follows this."""
PAUSE_SECONDS = 0.005
"""The pause after a batch, beside the time in which the next one is read: others get at the database then."""
TELL_EVERY_ROWS = 10_000


@dataclass
class Summary:
    """What an import came to. `closed_here`: of the unchanged, those open at the source that our crews have closed."""

    rows: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    repeated: int = 0
    closed_here: int = 0


class Importer:
    """Imports files of one mapping into one store. `clock` gives the instant of acceptance."""

    def __init__(
        self,
        store: Store,
        mapping: Mapping,
        zone: ZoneInfo,
        areas: Areas,
        *,
        dry_run: bool = False,
        clock: Callable[[], datetime] = utc_now,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._store = store
        self._mapping = mapping
        self._zone = zone
        self._areas = areas
        self._dry_run = dry_run
        self._clock = clock
        self._tell = tell
        self._size = FIRST_BATCH

    def run(self, path: Path, rejects: Rejects) -> Summary:
        """Import the file. Raises OSError, HeaderUnfit, StoreAway; what was committed before stays."""
        table = Table(path)
        reader = self._mapping.reader(table.header, self._zone)
        last = table.last_lines(reader)
        self._tell(f"{len(last):,} numbers")
        definitions = self._store.read(Versions().all_current)
        batch = Batch(
            self._mapping.source, self._zone, self._areas, {each.definition.type: each for each in definitions}
        )
        summary = Summary()
        rejects.begin(table.header)
        waiting: list[tuple[Line, Record]] = []
        for line, record in self._winners(table, reader.number, reader.record, last, summary, rejects):
            waiting.append((line, record))
            if len(waiting) >= self._size:
                self._settle(batch, waiting, summary, rejects)
                waiting = []
        self._settle(batch, waiting, summary, rejects)
        return summary

    def _winners(
        self,
        table: Table,
        number_of: Callable[..., str],
        record_of: Callable[..., Record],
        last: dict[str, int],
        summary: Summary,
        rejects: Rejects,
    ) -> Iterator[tuple[Line, Record]]:
        """The rows that win and can be read; the others are counted, and rejected where they are unfit."""
        for line in table.lines():
            summary.rows += 1
            if summary.rows % TELL_EVERY_ROWS == 0:
                self._tell(f"{summary.rows:,} rows: {summary.imported:,} imported, {summary.rejected:,} rejected")
            if line.broken is None and last.get(number_of(line.cells), line.number) != line.number:
                summary.unchanged += 1
                summary.repeated += 1
                continue
            try:
                if line.broken is not None:
                    raise Unfit(line.broken)
                record = record_of(line.cells)
            except Unfit as unfit:
                summary.rejected += 1
                rejects.add(line, str(unfit))
                continue
            yield line, record

    def _settle(self, batch: Batch, rows: list[tuple[Line, Record]], summary: Summary, rejects: Rejects) -> None:
        if not rows:
            return
        found = self._write(batch, [record for _, record in rows])
        summary.imported += found.imported
        summary.updated += found.updated
        summary.unchanged += found.unchanged
        summary.closed_here += found.closed_here
        summary.rejected += len(found.unfit)
        for line, record in rows:
            if record.number in found.unfit:
                rejects.add(line, found.unfit[record.number])
        if not self._dry_run:
            wanted = self._size * WANTED_SECONDS / max(found.longest_seconds, 0.001)
            self._size = int(min(max(wanted, self._size / 2, SMALLEST_BATCH), self._size * 2, LARGEST_BATCH))
            time.sleep(PAUSE_SECONDS)

    def _write(self, batch: Batch, records: list[Record]) -> Outcomes:
        try:
            return batch.settle(self._store, records, self._clock(), dry_run=self._dry_run)
        except IntegrityError:  # another import has written the same number since we looked: look again
            return batch.settle(self._store, records, self._clock(), dry_run=self._dry_run)
