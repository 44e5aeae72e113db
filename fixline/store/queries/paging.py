"""Keyset paging: where a list goes on, in every database the same.

Owns the condition that selects what comes after a key. A key is as long as the order, and its last part is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_


@dataclass(frozen=True)
class Order:
    """An order of rows: its expressions, the last of which is unique, and the direction of all of them."""

    by: tuple[ColumnElement[Any], ...]
    descending: bool = False

    def apply(self, statement: Select[Any], after: Sequence[Any] | None, limit: int) -> Select[Any]:
        """The statement in this order, from behind `after`; one row more than `limit` tells of a next page."""
        if after is not None:
            statement = statement.where(self._after(after))
        return statement.order_by(*self.directions).limit(limit + 1)

    @property
    def directions(self) -> list[ColumnElement[Any]]:
        """What a statement is ordered by."""
        return [part.desc() if self.descending else part.asc() for part in self.by]

    def _after(self, key: Sequence[Any]) -> ColumnElement[bool]:
        """Later in the order than the key: a chain of ands, which both databases answer from an index."""
        first, *others = [
            and_(
                *(self.by[before] == key[before] for before in range(place)),
                part < key[place] if self.descending else part > key[place],
            )
            for place, part in enumerate(self.by)
        ]
        if not others:
            return first
        lead = self.by[0] <= key[0] if self.descending else self.by[0] >= key[0]
        return and_(lead, or_(first, *others))
