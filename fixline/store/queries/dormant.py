"""Requests to which nothing has happened for a while: nobody worked on them, remarked, decided; the quietest first.

Owns this query; its page comes from the index of open requests by the instant at which something last happened.
Attached duplicates rest, and are not listed. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.store.queries import scope
from fixline.store.queries.overdue import Page, add_holders
from fixline.store.queries.paging import Order
from fixline.store.queries.requests import IS_OPEN, REQUEST, TITLE
from fixline.store.queries.scope import Cutoffs, Scope
from fixline.store.tables import RequestRow, table_of
from fixline.store.versions import Versions

_REQUESTS = table_of(RequestRow)


def quiet_since(session: Session, versions: Versions, wanted: Scope, for_: Span) -> Cutoffs:
    """The instants before which something must last have happened, by each request's calendar."""
    return scope.cutoffs(session, versions, scope.ago(wanted.now, for_))


def list_dormant(session: Session, wanted: Scope, since: Cutoffs, after: Sequence[Any] | None, limit: int) -> Page:
    """A page of requests with `acted_at` and holder, and the key behind which the next page begins."""
    statement = select(*(REQUEST[name] for name in scope.LINE), REQUEST.acted_at, TITLE)
    order = Order((REQUEST.acted_at, REQUEST.id))
    statement = order.apply(statement.where(*_conditions(session, wanted, since)), after, limit)
    found = [dict(row) for row in session.execute(statement).mappings()]
    page = found[:limit]
    add_holders(session, page)
    return page, [page[-1]["acted_at"], page[-1]["id"]] if len(found) > limit else None


def count_dormant(session: Session, wanted: Scope, since: Cutoffs) -> dict[str, Any]:
    """How many there are, in all and by department, team, type and area."""
    return scope.count_by(session, _REQUESTS, _conditions(session, wanted, since), scope.GROUPS)


def _conditions(session: Session, wanted: Scope, since: Cutoffs) -> list[ColumnElement[bool]]:
    free: ColumnElement[bool] = text("request.attached_to IS NULL")  # type: ignore[assignment]
    quiet = scope.before_cutoffs(session, REQUEST.acted_at, since)
    return [IS_OPEN, free, *quiet, *scope.of_scope(session, wanted)]
