"""What the relay has to ring for: claimed per request, so that several relays do not ring for the same one.

Owns the claims: a claim is the row's own `rung_at` (or `relayed_at` of a request without workflow), written
under SKIP LOCKED. A bell that Temporal has answered loses its `rung_at`; a command that was answered in the store and
keeps it may be unknown to its workflow. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, text, update
from sqlmodel import Session, col, select

from fixline.store.prepared import Prepared
from fixline.store.tables import CommandRow, EffectRow, RequestRow, table_of

_COMMAND = table_of(CommandRow)
_ANSWERED = _COMMAND.c.state != literal_column("'waiting'")  # spelled as in its index
_MARK_HEARD = Prepared(
    update(_COMMAND)
    .where(bindparam("request_id_") == _COMMAND.c.request_id, bindparam("number_") == _COMMAND.c.number, _ANSWERED)
    .values(rung_at=None)
)


class Call(NamedTuple):
    """A request to ring: for one of its commands, or (no kind) to have its workflow started."""

    request_id: str
    kind: str | None = None
    number: int | None = None
    again: int = 0


_LEFT_TO_DO = select(EffectRow.request_id).where(text("effect.state IN ('pending', 'failed')"))  # as in its index
"""Requests with effects that have not been taken: one that was closed at its opening needs a workflow for them."""


def claim_calls(session: Session, now: datetime, patience: timedelta, limit: int) -> list[Call]:
    """The calls that are due, marked as rung now.

    A command is due when it has waited for `patience` since it was accepted and since its last ring; a request
    when no workflow took it up within `patience` of its acceptance and of the last try.
    """
    ringing = _claim_commands(session, now, patience, limit)
    return ringing + _claim_starts(session, now, patience, limit - len(ringing))


def claim_unheard(session: Session, now: datetime, patience: timedelta, limit: int) -> list[Call]:
    """Per request its last answered command, if Temporal has not answered that bell within `patience`; marked as rung.

    There the store is ahead of the workflow: something ended between the commit of the answer and Temporal's record of
    it. The bell has the workflow look again, take effects, arm its timer and end, as the store has it. What comes
    before the last command is known with it.
    """
    if limit <= 0:
        return []
    rows = session.exec(
        select(CommandRow)
        .where(_ANSWERED, col(CommandRow.rung_at) <= now - patience)
        .order_by(col(CommandRow.rung_at))
        .limit(limit)
        .with_for_update(skip_locked=True, of=CommandRow)
    ).all()
    last: dict[str, CommandRow] = {}
    for row in sorted(rows, key=lambda row: row.number):
        row.rung_at = None
        session.add(row)
        last[row.request_id] = row
    for row in last.values():
        row.rung_at = now
    return [Call(row.request_id, row.kind, row.number, row.retries) for row in last.values()]


def mark_heard(session: Session, bells: Iterable[tuple[str, int]]) -> None:
    """The workflows know what these commands (request, number) came to; those still waiting stay as they are."""
    marks = [{"request_id_": request_id, "number_": number} for request_id, number in sorted(bells)]
    _MARK_HEARD.run(session, marks)


def _claim_commands(session: Session, now: datetime, patience: timedelta, limit: int) -> list[Call]:
    """The lowest waiting command of each request whose bell has not been rung of late.

    One that has never rung may ring here: the one bell empties the whole inbox, so the cap is not at risk
    when the lowest goes first.
    """
    lowest = (
        select(CommandRow.request_id, func.min(CommandRow.number).label("number"))
        .where(CommandRow.state == "waiting")
        .group_by(col(CommandRow.request_id))
        .subquery()
    )
    due = now - patience
    rows = session.exec(
        select(CommandRow)
        .join(lowest, (lowest.c.request_id == CommandRow.request_id) & (lowest.c.number == CommandRow.number))
        .where(
            CommandRow.state == "waiting",
            col(CommandRow.accepted_at) <= due,
            or_(col(CommandRow.rung_at).is_(None), col(CommandRow.rung_at) <= due),
        )
        .order_by(col(CommandRow.accepted_at))
        .limit(limit)
        .with_for_update(skip_locked=True, of=CommandRow)
    ).all()
    for row in rows:
        row.rung_at = now
        session.add(row)
    return [Call(row.request_id, row.kind, row.number, row.retries) for row in rows]


def _claim_starts(session: Session, now: datetime, patience: timedelta, limit: int) -> list[Call]:
    """Requests that no workflow has taken up: open ones, and closed ones with something left to do."""
    calls = _claim_some(session, col(RequestRow.status) == "open", now, patience, limit)
    closed = (col(RequestRow.status) == "closed") & col(RequestRow.id).in_(_LEFT_TO_DO)
    return calls + _claim_some(session, closed, now, patience, limit - len(calls))


def _claim_some(
    session: Session, which: ColumnElement[bool], now: datetime, patience: timedelta, limit: int
) -> list[Call]:
    if limit <= 0:
        return []
    due = now - patience
    rows = session.exec(
        select(RequestRow)
        .where(
            col(RequestRow.shell_at).is_(None),
            which,
            col(RequestRow.accepted_at) <= due,
            or_(col(RequestRow.relayed_at).is_(None), col(RequestRow.relayed_at) <= due),
        )
        .order_by(col(RequestRow.accepted_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.relayed_at = now
        session.add(row)
    return [Call(row.id) for row in rows]
