"""One import: a file's rows, in batches, to the store.

Owns what a row leads to:
- of one number the file's last row wins; the rows before it count as unchanged (`repeated` says how many);
- closed at the source, unknown here: history. Known as history: updated when the source says something else;
- open at the source, unknown here: a running request with its real opening date;
- closed at the source, running here: a command that closes it, once (updated);
- open at the source, but running or closed by our crews here: unchanged; our own word holds;
- open at the source, but history here: rejected. The source has opened it again, which an import cannot follow.

Each batch is a transaction of its own, kept well under 100 ms, with a pause in between, so that a running system
on the same database goes on; decisions of openings are made before it, so that no rule runs while the database is held.
An import that was cut short is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from fixline.catalog import Areas
from fixline.domain.process.commands import SYSTEM, Open, Place, SourceClosed
from fixline.domain.process.decision import Refused
from fixline.service.commands import Commands
from fixline.service.importing import backlog
from fixline.service.importing.cells import Unfit
from fixline.service.importing.mapping import Mapping, Reader, Record
from fixline.service.importing.table import Line, Rejects, Table
from fixline.service.opening import PREVIEW_ID, Report, decide_opening, in_words, take_numbers
from fixline.service.submissions import Submission, utc_now
from fixline.store.store import Store
from fixline.store.versions import Published, Versions

T = TypeVar("T")
FIRST_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 200, 20, 1000
WANTED_SECONDS = 0.05
"""How long a batch should hold the database; its size follows this."""
PAUSE_SECONDS = 0.005
"""The pause after a batch, beside the time in which the next one is read: others get at the database then."""
OPENINGS_AT_ONCE, CHANGES_AT_ONCE = 10, 100
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


@dataclass
class _Batch:
    """A batch, sorted by what each record leads to; `unfit` are reasons by number, `longest_seconds` is the longest
    transaction's time, `closed_here` as in Summary."""

    history: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    openings: list[Report] = field(default_factory=list)
    closings: list[tuple[str, SourceClosed]] = field(default_factory=list)
    closed_here: int = 0
    unfit: dict[str, str] = field(default_factory=dict)
    longest_seconds: float = 0.0


@dataclass(frozen=True)
class Importer:
    """Imports files of one mapping into one store. `clock` gives the instant of acceptance."""

    store: Store
    mapping: Mapping
    zone: ZoneInfo
    areas: Areas
    dry_run: bool = False
    clock: Callable[[], datetime] = utc_now
    tell: Callable[[str], None] = lambda _text: None

    @cached_property
    def _commands(self) -> Commands:
        return Commands(self.store, Versions())

    @cached_property
    def _definitions(self) -> dict[str, Published]:
        """The current versions by type."""
        return {each.definition.type: each for each in self.store.read(self._commands.versions.all_current)}

    def run(self, path: Path, rejects: Rejects) -> Summary:
        """Import the file. Raises OSError, HeaderUnfit, StoreAway; what was committed before stays."""
        table = Table(path)
        reader = self.mapping.reader(table.header, self.zone)
        last = table.last_lines(reader.number)
        self.tell(f"{len(last):,} numbers")
        summary, size = Summary(), FIRST_BATCH
        rejects.header = table.header
        winners = self._winners(table, reader, last, summary, rejects)
        while rows := list(islice(winners, size)):
            records = [record for _, record in rows]
            try:
                batch = self._settle(records, self.clock())
            except IntegrityError:  # another import has written the same number since we looked: look again
                batch = self._settle(records, self.clock())
            imported, updated = len(batch.history) + len(batch.openings), len(batch.changes) + len(batch.closings)
            summary.imported += imported
            summary.updated += updated
            summary.unchanged += len(rows) - imported - updated - len(batch.unfit)
            summary.closed_here += batch.closed_here
            summary.rejected += len(batch.unfit)
            for line, record in rows:
                if record.number in batch.unfit:
                    rejects.add(line, batch.unfit[record.number])
            if not self.dry_run:
                wanted = size * WANTED_SECONDS / max(batch.longest_seconds, 0.001)
                size = int(min(max(wanted, size / 2, SMALLEST_BATCH), size * 2, LARGEST_BATCH))
                time.sleep(PAUSE_SECONDS)
        return summary

    def _winners(
        self, table: Table, reader: Reader, last: dict[str, int], summary: Summary, rejects: Rejects
    ) -> Iterator[tuple[Line, Record]]:
        """The rows that win and can be read; the others are counted, and rejected where they are unfit."""
        for line in table.lines():
            summary.rows += 1
            if summary.rows % TELL_EVERY_ROWS == 0:
                self.tell(f"{summary.rows:,} rows: {summary.imported:,} imported, {summary.rejected:,} rejected")
            if line.broken is None and last.get(reader.number(line.cells), line.number) != line.number:
                summary.unchanged += 1
                summary.repeated += 1
                continue
            try:
                if line.broken is not None:
                    raise Unfit(line.broken)
                record = reader.record(line.cells)
            except Unfit as unfit:
                summary.rejected += 1
                rejects.add(line, str(unfit))
                continue
            yield line, record

    def _settle(self, records: Sequence[Record], now: datetime) -> _Batch:
        """Write what a batch leads to; nothing in a dry run. Raises StoreAway, IntegrityError."""
        numbers, source = [record.number for record in records], self.mapping.source
        known = self.store.read(lambda s: backlog.find_known(s, source, numbers))
        batch = _Batch()
        for record in records:
            try:
                self._sort(record, known.get(record.number), now, batch)
            except Unfit as unfit:
                batch.unfit[record.number] = str(unfit)
        given = [backlog.closing_id(request_id, source) for request_id, _ in batch.closings]
        done = self.store.read(lambda s: backlog.find_closings(s, given)) if given else set()
        batch.closings = [each for each, its_id in zip(batch.closings, given, strict=True) if its_id not in done]
        if not self.dry_run:
            self._write(batch, now)
        return batch

    def _sort(self, record: Record, known: backlog.Known | None, now: datetime, batch: _Batch) -> None:
        if known is None and record.open:
            batch.openings.append(self._report(record, now))
        elif known is None:
            batch.history.append(self._history(record))
        elif known.running:
            if record.open:
                batch.closed_here += known.status == "closed"
            elif known.status == "open":
                assert record.outcome is not None  # noqa: S101 - it is closed
                assert record.closed_at is not None  # noqa: S101
                closing = SourceClosed(outcome=record.outcome, closed_at=record.closed_at, source=self.mapping.source)
                batch.closings.append((known.id, closing))
        elif record.open:
            raise Unfit(f"it is open at the source, but was imported as closed ({known.said['outcome']}) before")
        elif _said(record) != known.said:
            batch.changes.append((known.id, self._history(record)))

    def _write(self, batch: _Batch, now: datetime) -> None:
        def timed(work: Callable[[], T]) -> T:
            began = time.monotonic()
            result = work()
            batch.longest_seconds = max(batch.longest_seconds, time.monotonic() - began)
            return result

        def written(write: Callable[..., T], *arguments: Any) -> T:
            return timed(lambda: self.store.write(lambda session: write(session, *arguments)))

        if batch.history:
            written(backlog.insert_history, self.zone, now, batch.history)
        for changes in _in_groups(batch.changes, CHANGES_AT_ONCE):
            written(backlog.update_history, now, changes)
        for reports in _in_groups(batch.openings, OPENINGS_AT_ONCE):
            ids = written(take_numbers, self.zone, now, len(reports))
            decided = [(each, decide_opening(each, number)) for each, number in zip(reports, ids, strict=True)]
            written(backlog.open_backlog, decided)
        for request_id, closing in batch.closings:
            timed(partial(backlog.close_by_source, self._commands, request_id, closing, now))

    def _history(self, record: Record) -> dict[str, Any]:
        definition = self._definitions.get(record.type)
        return {
            **_said(record),
            "type": record.type,
            "department": definition.definition.department if definition else None,
            "area": next(iter(self._located(record).values()), None),
            "source": self.mapping.source,
            "external_id": record.number,
        }

    def _report(self, record: Record, now: datetime) -> Report:
        """An open record as a report whose opening the rules allow. Raises Unfit."""
        published = self._definitions.get(record.type)
        if published is None:
            raise Unfit(f"it is open, and there is no definition for its type {record.source_type!r}")
        has_place = record.latitude is not None or record.address is not None
        place = Place(latitude=record.latitude, longitude=record.longitude, address=record.address)
        command = Open(
            type=record.type,
            version=published.hash,
            place=place if has_place else None,
            areas=self._located(record),
            answers={**_answers(record, published), **record.answers},
            channel="import",
            external_id=record.number,
            opened_at=record.opened_at,
            backlog=True,
        )
        submission = Submission(f"{self.mapping.source}:{record.number}:open", command, SYSTEM, now, SYSTEM.name)
        report = Report(
            submission,
            published.definition,
            source=self.mapping.source,
            source_type=record.source_type,
            source_facts=record.facts,
        )
        try:
            decide_opening(report, PREVIEW_ID)
        except Refused as refused:
            raise Unfit(f"it is open, and its opening is refused: {in_words(refused.refusal)}") from None
        return report

    def _located(self, record: Record) -> dict[str, str]:
        if record.latitude is None or record.longitude is None:
            return {}
        return self.areas.locate(record.latitude, record.longitude)


def _said(record: Record) -> dict[str, Any]:
    """What the source says of a closed record: the store's SOURCE_COLUMNS."""
    same = {name: getattr(record, name) for name in backlog.SOURCE_COLUMNS if name != "source_facts"}
    return same | {"outcome": record.outcome.value if record.outcome else None, "source_facts": record.facts}


def _answers(record: Record, published: Published) -> dict[str, Any]:
    """The labels as our options' keys; what is none of our options is left out (the fact keeps it)."""
    questions = published.definition.intake.questions
    asked = ((question, label.casefold()) for question, label in record.labels.items() if question in questions)
    return {
        question: key
        for question, label in asked
        for key, text in questions[question].options.items()
        if label in (text.casefold(), key.casefold())
    }


def _in_groups(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
