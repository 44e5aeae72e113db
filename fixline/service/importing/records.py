"""What every mapping makes of a source's row, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.errors import FixlineError

MAX_NUMBER, MAX_ADDRESS = 100, 300
"""The longest number and address of a source, in characters."""


class Unfit(FixlineError, ValueError):
    """A row cannot be imported; the text is the reason that goes into the rejects file."""


class HeaderUnfit(FixlineError, ValueError):
    """A file's columns are not those of the mapping; nothing can be imported."""


@dataclass(frozen=True)
class Record:
    """One request of the source, in our terms. `outcome` and `closed_at` are None while it is open there.

    `source_type` is the source's own name of the type, `type` ours or a slug of it; `known` says which. `labels`
    are answers by question as the source words them, `answers` those that the type implies, `facts` everything
    else worth keeping. `promised_at` is the source's own planned date (aware UTC), kept for closed requests.
    """

    number: str
    type: str
    known: bool
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


@dataclass(frozen=True)
class Reader:
    """Reads the rows of one file: `number` gives a row's number (empty when it has none), `record` all of it.

    `record` raises Unfit.
    """

    number: Callable[[Sequence[str]], str]
    record: Callable[[Sequence[str]], Record]


class Mapping(Protocol):
    """How one source writes its records. `source` goes into the store beside each number."""

    source: str

    def reader(self, header: Sequence[str], zone: ZoneInfo) -> Reader:
        """A reader for a file with this header; local dates are of `zone`. Raises HeaderUnfit."""
