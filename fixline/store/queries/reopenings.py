"""Closes that were not the last word: for every reopening, when the request had been closed before it.

Owns that question for the reports. The request's own row knows its last close alone; the journal has the others.
Instants are aware UTC.
"""

from __future__ import annotations

from sqlalchemy import CTE, ColumnElement, Select, String, func, literal_column, select

from fixline.store.queries.requests import REQUEST
from fixline.store.tables import JournalRow, table_of

_AGAIN = table_of(JournalRow).alias("again").c
_BEFORE = table_of(JournalRow).alias("before").c


def _word(word: str) -> ColumnElement[str]:
    """A word of ours within the SQL's own text: the partial index is found by it, not by a parameter."""
    return literal_column(f"'{word}'", String)


def reopenings() -> CTE:
    """One row per reopening: `request_id`, `closed_at` when the close before it was recorded, and `reopened_at`."""
    closed_at = select(func.max(_BEFORE.at)).where(
        _BEFORE.request_id == _AGAIN.request_id, _BEFORE.seq < _AGAIN.seq, _BEFORE.kind == _word("closed")
    )
    found = select(
        _AGAIN.request_id, closed_at.scalar_subquery().label("closed_at"), _AGAIN.at.label("reopened_at")
    ).where(_AGAIN.kind == _word("reopened"))
    return found.cte("reopening")


def was_reopened() -> ColumnElement[bool]:
    """Whether a request has ever been opened again."""
    reopened: Select[tuple[str]] = select(_AGAIN.request_id).where(_AGAIN.kind == _word("reopened"))
    return REQUEST.id.in_(reopened)
