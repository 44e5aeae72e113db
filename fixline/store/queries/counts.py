"""Counts for operators: what waits, what is parked, what has a fault; each from its own small index."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, TextClause, func, select, text
from sqlmodel import Session, SQLModel

from fixline.store.queries.detail import COMMAND
from fixline.store.queries.requests import REQUEST, VERSION
from fixline.store.tables import UNSIGNALLED, CommandRow, RequestRow, table_of


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

    def count(row: type[SQLModel], *conditions: ColumnElement[bool] | TextClause) -> int:
        return int(session.scalar(select(func.count()).select_from(table_of(row)).where(*conditions)) or 0)

    return Counts(
        waiting=count(CommandRow, COMMAND.state == "waiting"),
        parked=count(CommandRow, COMMAND.state == "failed"),
        faults=count(RequestRow, REQUEST.fault.is_not(None)),
        unsignalled=count(RequestRow, behind),
        without_workflow=count(RequestRow, behind, REQUEST.signalled == 0, REQUEST.status == "open"),
    )


def has_definitions(session: Session) -> bool:
    """Whether any request type can be opened."""
    return session.execute(select(VERSION.hash).where(VERSION.current.is_(True)).limit(1)).first() is not None
