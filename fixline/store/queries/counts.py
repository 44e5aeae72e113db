"""Counts for operators: what waits, what is parked, what has a fault; each from its own small index."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlmodel import Session

from fixline.store.queries.detail import COMMAND
from fixline.store.queries.requests import REQUEST, VERSION
from fixline.store.tables import UNSIGNALLED, RequestRow, table_of


class Counts(NamedTuple):
    """How many commands wait and are parked, how many requests have a fault, how many workflows have not been told of
    the last decision, and how many open requests may have none, for no signal has arrived yet."""

    waiting: int
    parked: int
    faults: int
    unsignalled: int
    without_workflow: int


def count_work(session: Session) -> Counts:
    """The counts of this moment."""
    behind = text(UNSIGNALLED)
    return Counts(
        waiting=session.execute(select(func.count()).where(COMMAND.state == "waiting")).scalar_one(),
        parked=session.execute(select(func.count()).where(COMMAND.state == "failed")).scalar_one(),
        faults=session.execute(select(func.count()).where(REQUEST.fault.is_not(None))).scalar_one(),
        unsignalled=session.execute(select(func.count()).select_from(table_of(RequestRow)).where(behind)).scalar_one(),
        without_workflow=session.execute(
            select(func.count()).where(behind, REQUEST.signalled == 0, REQUEST.status == "open")
        ).scalar_one(),
    )


def has_definitions(session: Session) -> bool:
    """Whether any request type can be opened."""
    return session.execute(select(VERSION.hash).where(VERSION.current.is_(True)).limit(1)).first() is not None
