"""Clocks know what their request is narrowed by, and requests from when on they are overdue: lists look up neither.

The columns are filled for what is there. Indexes hold what lists are narrowed to and what reports count.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_SCOPE = ["type", "department", "area", "team"]
_COUNTED = ["type", "department", "area", "priority"]
_LIVE = "live AND due_at IS NOT NULL"
_KIND = "kind = 'deadline'"
_REQUEST = sa.table("request", *(sa.column(name) for name in ("id", "late_from", *_SCOPE)))
_CLOCK = sa.table("clock", *(sa.column(name) for name in ("request_id", "live", "due_at", *_SCOPE)))


class _Index(NamedTuple):
    """An index: its columns as they were (none where it is new), those that follow them now, and of which rows."""

    name: str
    table: str
    before: list[str]
    more: list[str]
    where: str | None = None


_OPENED = ["opened_at", "id"]
_SHOWN = ["late_from", "department", "area"]
_DUE = ["due_at", "request_id", "name"]
_VERDICT = ["request_id", "deadline", "name"]
_INDEXES = (
    _Index("ix_request_opened", "request", _OPENED, _COUNTED),
    _Index("ix_request_status_opened", "request", ["status", *_OPENED], ["late_from", *_SCOPE]),
    _Index("ix_request_open_type", "request", [], ["status", "type", *_OPENED, *_SHOWN], "status = 'open'"),
    _Index("ix_request_place", "request", ["latitude", "longitude"], ["status", "type"]),
    _Index("ix_clock_live_due", "clock", _DUE, ["deadline", *_SCOPE, "live"], _LIVE),
    *(
        _Index(f"ix_clock_live_{name}", "clock", [], [name, *_DUE, "deadline", *others, "live"], _LIVE)
        for name, others in ((name, [each for each in _SCOPE if each != name]) for name in _SCOPE)
    ),
    _Index(
        "ix_clock_ended",
        "clock",
        ["kind", "state", "ended_at", "breached_at", *_VERDICT],
        _COUNTED[:3],
        f"{_KIND} AND state = 'met'",
    ),
    _Index(
        "ix_clock_breached",
        "clock",
        ["kind", "breached_at", "state", *_VERDICT],
        _COUNTED[:3],
        f"{_KIND} AND breached_at IS NOT NULL",
    ),
)


def upgrade() -> None:
    """Add the columns, fill them while no index holds them, then index them."""
    op.add_column("request", sa.Column("late_from", sa.DateTime(timezone=True), nullable=True))
    for name in _SCOPE:
        op.add_column("clock", sa.Column(name, sa.String(), nullable=True))
    of_request = {name: _REQUEST.c[name] for name in _SCOPE}
    op.execute(_CLOCK.update().values(of_request).where(_CLOCK.c.request_id == _REQUEST.c.id))
    first = sa.select(sa.func.min(_CLOCK.c.due_at)).where(sa.text(_LIVE), _CLOCK.c.request_id == _REQUEST.c.id)
    op.execute(_REQUEST.update().values(late_from=first.scalar_subquery()).where(sa.text("status = 'open'")))
    for index in _INDEXES:
        if index.before:
            op.drop_index(index.name, index.table)
        _create(index, [*index.before, *index.more])


def downgrade() -> None:
    """Without them."""
    for index in _INDEXES:
        op.drop_index(index.name, index.table)
        if index.before:
            _create(index, index.before)
    for name in _SCOPE:
        op.drop_column("clock", name)
    op.drop_column("request", "late_from")


def _create(index: _Index, columns: list[str]) -> None:
    where = sa.text(index.where) if index.where else None
    op.create_index(index.name, index.table, columns, sqlite_where=where, postgresql_where=where)
