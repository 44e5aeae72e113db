"""Keyset paging: where a list goes on, in every database the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlmodel import Session

Page = tuple[list[dict[str, Any]], list[Any] | None]
"""The rows of a page, and the key behind which the next one begins, None at the end."""


@dataclass(frozen=True)
class Order:
    """An order of rows: its expressions, each under its name in a row, the last of which is unique, and the direction
    of all of them. A key has a value of each."""

    by: Mapping[str, ColumnElement[Any]]
    descending: bool = False

    def page(self, session: Session, statement: Select[Any], after: Sequence[Any] | None, limit: int) -> Page:
        """A page of the statement's rows, from behind `after`."""
        return self.cut(session.execute(self.apply(statement, after, limit)).mappings(), limit)

    def apply(self, statement: Select[Any], after: Sequence[Any] | None, limit: int) -> Select[Any]:
        """The statement in this order, from behind `after`; one row more than `limit` tells of a next page."""
        if after is not None:
            statement = statement.where(self._after(after))
        return statement.order_by(*self.directions).limit(limit + 1)

    def cut(self, rows: Iterable[Mapping[Any, Any]], limit: int) -> Page:
        """The page that such a statement's rows are."""
        found = [dict(row) for row in rows]
        return found[:limit], [found[limit - 1][name] for name in self.by] if len(found) > limit else None

    @property
    def directions(self) -> list[ColumnElement[Any]]:
        """What a statement is ordered by."""
        return [part.desc() if self.descending else part.asc() for part in self.by.values()]

    def _after(self, key: Sequence[Any]) -> ColumnElement[bool]:
        """Later in the order than the key: a chain of ands, which both databases answer from an index."""
        parts = list(self.by.values())
        first, *others = [
            and_(
                *(parts[before] == key[before] for before in range(place)),
                part < key[place] if self.descending else part > key[place],
            )
            for place, part in enumerate(parts)
        ]
        lead = parts[0] <= key[0] if self.descending else parts[0] >= key[0]
        return and_(lead, or_(first, *others))
