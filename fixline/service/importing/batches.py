"""A batch of records: sorted by what each leads to, then written.

Owns that sorting, and the making of reports and history rows from records. Decisions of openings are made before
the transaction that writes them, so that no rule runs while the database is held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from fixline.catalog import Areas
from fixline.domain.process.commands import SYSTEM, Open, Place, SourceClosed
from fixline.domain.process.decision import Decision, Refusal
from fixline.service.commands import Commands
from fixline.service.importing.backlog import (
    Known,
    close_by_source,
    closing_id,
    find_closings,
    find_known,
    insert_history,
    open_backlog,
    update_history,
)
from fixline.service.importing.records import Record, Unfit
from fixline.service.opening import Report, decide_opening, take_numbers
from fixline.service.submissions import Submission
from fixline.store.store import Store
from fixline.store.versions import Published, Versions

T = TypeVar("T")
OPENINGS_AT_ONCE, CHANGES_AT_ONCE = 10, 100
PREVIEW_ID = "SR00-00000000"


@dataclass
class Outcomes:
    """What became of a batch; `unfit` are reasons by number. `longest_seconds` is the longest transaction's time."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    closed_here: int = 0
    unfit: dict[str, str] = field(default_factory=dict)
    longest_seconds: float = 0.0


@dataclass
class _Work:
    """A batch, sorted."""

    history: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    openings: list[Report] = field(default_factory=list)
    closings: list[tuple[str, SourceClosed]] = field(default_factory=list)


class Batch:
    """Settles batches of one source. `definitions` are the current versions by type."""

    def __init__(self, source: str, zone: ZoneInfo, areas: Areas, definitions: dict[str, Published]) -> None:
        self._source = source
        self._zone = zone
        self._areas = areas
        self._definitions = definitions
        self._versions = Versions()

    def settle(self, store: Store, records: Sequence[Record], now: datetime, *, dry_run: bool) -> Outcomes:
        """Write what these records lead to; nothing with `dry_run`. Raises StoreAway, IntegrityError."""
        numbers = [record.number for record in records]
        known = store.read(lambda s: find_known(s, self._source, numbers))
        found = Outcomes()
        work = self._sorted(records, known, now, found)
        given = [closing_id(request_id, self._source) for request_id, _ in work.closings]
        done = store.read(lambda s: find_closings(s, given)) if given else set()
        work.closings = [each for each in work.closings if closing_id(each[0], self._source) not in done]
        found.imported += len(work.history) + len(work.openings)
        found.updated += len(work.changes) + len(work.closings)
        if not dry_run:
            self._write(store, work, now, found)
        found.unchanged = len(records) - found.imported - found.updated - len(found.unfit)
        return found

    def _sorted(self, records: Sequence[Record], known: dict[str, Known], now: datetime, found: Outcomes) -> _Work:
        work = _Work()
        for record in records:
            try:
                self._sort(record, known.get(record.number), now, work, found)
            except Unfit as unfit:
                found.unfit[record.number] = str(unfit)
        return work

    def _sort(self, record: Record, known: Known | None, now: datetime, work: _Work, found: Outcomes) -> None:
        if known is None and record.open:
            work.openings.append(self._report(record, now))
        elif known is None:
            work.history.append(self._history(record))
        elif known.running:
            if record.open:
                found.closed_here += known.status == "closed"
            elif known.status == "open":
                work.closings.append((known.id, self._closing(record)))
        elif record.open:
            raise Unfit(f"it is open at the source, but was imported as closed ({known.said['outcome']}) before")
        elif _said(record) != known.said:
            work.changes.append((known.id, self._history(record)))

    def _write(self, store: Store, work: _Work, now: datetime, found: Outcomes) -> None:
        commands = Commands(store, self._versions)

        def timed(write: Callable[..., T], *arguments: Any) -> T:
            began = time.monotonic()
            result = store.write(lambda session: write(session, *arguments))
            found.longest_seconds = max(found.longest_seconds, time.monotonic() - began)
            return result

        if work.history:
            timed(insert_history, self._zone, now, work.history)
        for changes in _in_groups(work.changes, CHANGES_AT_ONCE):
            timed(update_history, now, changes)
        for reports in _in_groups(work.openings, OPENINGS_AT_ONCE):
            ids = timed(take_numbers, self._zone, now, len(reports))
            timed(open_backlog, [(each, _decided(each, number)) for each, number in zip(reports, ids, strict=True)])
        for request_id, closing in work.closings:
            began = time.monotonic()
            close_by_source(commands, request_id, closing, now)
            found.longest_seconds = max(found.longest_seconds, time.monotonic() - began)

    def _history(self, record: Record) -> dict[str, Any]:
        definition = self._definitions.get(record.type)
        return {
            **_said(record),
            "type": record.type,
            "department": definition.definition.department if definition else None,
            "area": next(iter(self._located(record).values()), None),
            "source": self._source,
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
        submission = Submission(
            command_id=f"{self._source}:{record.number}:open",
            command=command,
            actor=SYSTEM,
            accepted_at=now,
            caller=SYSTEM.name,
        )
        report = Report(
            submission,
            published.definition,
            source=self._source,
            source_type=record.source_type,
            source_facts=record.facts,
        )
        decided = decide_opening(report, PREVIEW_ID)
        if isinstance(decided, Refusal):
            fields = "; ".join(f"{problem.field}: {problem.message}" for problem in decided.fields)
            raise Unfit(
                f"it is open, and its opening is refused: {decided.message}" + (f" ({fields})" if fields else "")
            )
        return report

    def _closing(self, record: Record) -> SourceClosed:
        assert record.outcome is not None  # noqa: S101 - it is closed
        assert record.closed_at is not None  # noqa: S101
        return SourceClosed(outcome=record.outcome, closed_at=record.closed_at, source=self._source)

    def _located(self, record: Record) -> dict[str, str]:
        if record.latitude is None or record.longitude is None:
            return {}
        return self._areas.locate(record.latitude, record.longitude)


def _said(record: Record) -> dict[str, Any]:
    """What the source says of a closed record: the store's SOURCE_COLUMNS."""
    return {
        "source_type": record.source_type,
        "outcome": record.outcome.value if record.outcome else None,
        "opened_at": record.opened_at,
        "closed_at": record.closed_at,
        "promised_at": record.promised_at,
        "latitude": record.latitude,
        "longitude": record.longitude,
        "address": record.address,
        "source_facts": record.facts,
    }


def _answers(record: Record, published: Published) -> dict[str, Any]:
    """The labels as our options' keys; what is none of our options is left out (the fact keeps it)."""
    questions = published.definition.intake.questions
    found: dict[str, Any] = {}
    for question, label in record.labels.items():
        for key, text in questions[question].options.items() if question in questions else ():
            if label.casefold() in (text.casefold(), key.casefold()):
                found[question] = key
    return found


def _decided(report: Report, request_id: str) -> Decision:
    decision = decide_opening(report, request_id)
    assert isinstance(decision, Decision)  # noqa: S101 - the preview was one
    return decision


def _in_groups(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
