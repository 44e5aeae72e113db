"""What every mapping makes of a source's row, and how: the tables of a source, read the same way for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from collections.abc import Mapping as Cells
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.errors import FixlineError
from fixline.service.importing.cells import Unfit, clean, code, coordinates, slug

MAX_NUMBER, MAX_ADDRESS = 100, 300
"""The longest number and address of a source, in characters."""
_USUAL: dict[str, Sequence[str]] = {name: (name,) for name in ("status", "address", "latitude", "longitude")}
_POINT = re.compile(r"\(\s*-?\d+(?:\.\d+)?\s*,\s*-?\d+(?:\.\d+)?\s*\)|POINT\b", re.IGNORECASE)


class HeaderUnfit(FixlineError, ValueError):
    """A file's columns are not those of the mapping; nothing can be imported."""


@dataclass(frozen=True)
class Record:
    """One request of the source, in our terms. `outcome` and `closed_at` are None while it is open there.

    `source_type` is the source's own name of the type, `type` ours or a slug of it. `labels` are answers by question as
    the source words them, `answers` those that the type implies, `facts` everything else worth keeping. `promised_at`
    is the source's own planned date (aware UTC), kept for closed requests.
    """

    number: str
    type: str
    source_type: str
    opened_at: datetime
    outcome: CloseOutcome | None = None
    closed_at: datetime | None = None
    promised_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    address: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether the source still works on it."""
        return self.outcome is None


class Times(NamedTuple):
    """What a row says of its request's life, and the facts that come with it. Instants are aware UTC."""

    opened_at: datetime
    outcome: CloseOutcome | None
    closed_at: datetime | None
    promised_at: datetime | None = None
    facts: dict[str, str] = {}  # noqa: RUF012 - never changed in place


@dataclass(frozen=True)
class Reader:
    """Reads the rows of one file: `number` gives a row's number (empty when it has none), `record` all of it.

    `record` raises Unfit.
    """

    number: Callable[[Sequence[str]], str]
    record: Callable[[Sequence[str]], Record]


@dataclass(frozen=True)
class Mapping:
    """How one source writes its records. `source` goes into the store beside each number.

    `columns` has the spellings of each column by our name of it: number, created, type, those of `_USUAL` that are
    called otherwise, and location (an address where there is none of its own, else a point); what else it has is for
    `times`, which makes of a row's cells what happened when; dates without a zone are of the one it is given. `needed`
    are the columns without which no file can be read, as they are called there. `facts` renames other columns worth
    keeping; unless `keeps_all`, those alone are kept. `codes` are facts that spreadsheets make numbers of, `labels`
    those that answer a question of ours (by its name). `types`: our type by the slug of the source's, and the answers
    that the source's type implies.
    """

    source: str
    columns: dict[str, Sequence[str]]
    needed: Cells[str, str]
    times: Callable[[Cells[str, str], ZoneInfo], Times]
    types: Cells[str, tuple[str, dict[str, Any]]]
    facts: Cells[str, str]
    codes: Collection[str]
    keeps_all: bool = False
    labels: Cells[str, str] = field(default_factory=dict)

    def reader(self, header: Sequence[str], zone: ZoneInfo) -> Reader:
        """A reader for a file with this header; local dates are of `zone`, unless the source has one of its own.

        Raises HeaderUnfit.
        """
        names = [slug(clean(name), "_") for name in header]
        columns = {
            ours: next(names.index(each) for each in spellings if each in names)
            for ours, spellings in (_USUAL | self.columns).items()
            if not set(spellings).isdisjoint(names)
        }
        missing = [title for ours, title in self.needed.items() if ours not in columns]
        if missing:
            raise HeaderUnfit(f"the file has no column {', '.join(missing)}; it has {', '.join(header)[:300]}")
        if self.keeps_all:
            facts = {
                self.facts.get(name, name): place
                for place, name in enumerate(names)
                if name and name != "location" and place not in columns.values()
            }
        else:
            facts = {ours: names.index(theirs) for theirs, ours in self.facts.items() if theirs in names}
        number = columns["number"]
        return Reader(lambda cells: clean(cells[number]), partial(self._record, columns, facts, zone))

    def _record(self, columns: Cells[str, int], facts: Cells[str, int], zone: ZoneInfo, cells: Sequence[str]) -> Record:
        cell = {ours: clean(cells[place]) for ours, place in columns.items()}
        number, source_type = cell["number"], cell["type"]
        if not number:
            raise Unfit("the row has no number")
        if len(number) > MAX_NUMBER:
            raise Unfit(f"the number has more than {MAX_NUMBER} characters")
        if not source_type:
            raise Unfit("the row has no type")
        if not cell["created"]:
            raise Unfit("the row has no creation date")
        times = self.times(cell, zone)
        latitude, longitude = coordinates(cell.get("latitude", ""), cell.get("longitude", "")) or (None, None)
        kept = {name: text for name, place in facts.items() if (text := clean(cells[place]))}
        kept |= {name: code(kept[name]) for name in self.codes if name in kept}
        type_, answers = self.types.get(slug(source_type), (slug(source_type), {}))
        return Record(
            number=number,
            type=type_,
            source_type=source_type,
            opened_at=times.opened_at,
            outcome=times.outcome,
            closed_at=times.closed_at,
            promised_at=times.promised_at,
            latitude=latitude,
            longitude=longitude,
            address=_address(cell),
            answers=answers,
            labels={question: kept[fact] for question, fact in self.labels.items() if fact in kept},
            facts=kept | times.facts,
        )


def outcome_of(written: str, statuses: Cells[str, CloseOutcome | None]) -> CloseOutcome | None:
    """What it came to by the source's statuses (in lower case); None while it is open. Raises Unfit."""
    status = " ".join(written.lower().split())
    if status not in statuses:
        raise Unfit(f"the status {written[:40]!r} is unknown")
    return statuses[status]


def _address(cell: Cells[str, str]) -> str | None:
    """The street address; in some files it stands under Location, where others have the point."""
    address = cell.get("address", "")
    if not address and not _POINT.search(cell.get("location", "")):
        address = cell.get("location", "")
    if len(address) > MAX_ADDRESS:
        raise Unfit(f"the address has more than {MAX_ADDRESS} characters")
    return " ".join(address.split()) or None
