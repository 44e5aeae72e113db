"""Large stores: the same number of indexes, which hold what reports count, and which SQLite prefers where they serve.

SQLite keeps no statistics: it takes the index of which more columns are given, so those of some rows only begin with
what is equal in all of them. No column and no row changes.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DEADLINE = "kind = 'deadline'"


class _Index(NamedTuple):
    """An index as it becomes, and as it was; `where` holds then, too, unless `wider` says that it held all rows."""

    name: str
    table: str
    columns: list[str]
    before: list[str]
    where: str | None = None
    wider: bool = False


_INDEXES = (
    _Index("ix_request_open_version", "request", ["status", "version", "id"], ["version", "id"], "status = 'open'"),
    _Index(
        "ix_request_closed",
        "request",
        ["closed_at", "id", "outcome", "opened_at", "type", "department", "area", "priority"],
        ["closed_at", "id"],
        "closed_at IS NOT NULL",
        wider=True,
    ),
    _Index("ix_task_request_id", "task", ["request_id", "visit"], ["request_id"]),
    _Index(
        "ix_clock_ended",
        "clock",
        ["kind", "state", "ended_at", "breached_at", "request_id", "deadline", "name"],
        ["ended_at"],
        f"{_DEADLINE} AND state = 'met'",
    ),
    _Index(
        "ix_clock_breached",
        "clock",
        ["kind", "breached_at", "state", "request_id", "deadline", "name"],
        ["breached_at"],
        f"{_DEADLINE} AND breached_at IS NOT NULL",
    ),
)


def upgrade() -> None:
    """Make them anew."""
    for index in _INDEXES:
        _replace(index, index.columns, index.where)


def downgrade() -> None:
    """As they were."""
    for index in _INDEXES:
        _replace(index, index.before, None if index.wider else index.where)


def _replace(index: _Index, columns: list[str], where: str | None) -> None:
    op.drop_index(index.name, index.table)
    holds = sa.text(where) if where else None
    op.create_index(index.name, index.table, columns, sqlite_where=holds, postgresql_where=holds)
