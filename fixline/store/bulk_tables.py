"""The tables of bulks: one command for many requests. As `fixline.store.tables`, which has all others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field, SQLModel

from fixline.store.instants import UtcDateTime

_KEYED = text("idempotency_key IS NOT NULL")
_UNFINISHED = text("handed_at IS NULL")


class BulkRow(SQLModel, table=True):
    """One command for many requests. `handed_at`: when the last of them had been given it, or had refused it.

    `department` limits it to that department's requests; `taken_at` is when somebody last handed some of it in (the
    relay goes on with what was left). Key and hash are the caller's, as a command's are.
    """

    __tablename__ = "bulk"

    id: str = Field(primary_key=True)
    kind: str
    command: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    actor: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    caller: str
    department: str | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None
    total: int
    accepted_at: datetime = Field(sa_column=Column(UtcDateTime(), nullable=False))
    taken_at: datetime = Field(sa_column=Column(UtcDateTime(), nullable=False))
    handed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime(), nullable=True))

    __table_args__ = (
        Index("uq_bulk_key", "caller", "idempotency_key", unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED),
        Index("ix_bulk_unfinished", "taken_at", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    )


class BulkItemRow(SQLModel, table=True):
    """One request of a bulk: waiting -> given (its command has a row, under `command_id`) | refused.

    The request's id is what the caller named; there may be no such request.
    """

    __tablename__ = "bulk_item"

    bulk_id: str = Field(primary_key=True, foreign_key="bulk.id")
    number: int = Field(primary_key=True)
    request_id: str
    command_id: str
    state: str
    refusal: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
