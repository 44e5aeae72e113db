"""Reports: what was closed, promised, broken and reopened in a stretch of time is found by its instant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes."""
    op.create_index("ix_request_closed", "request", ["closed_at", "id"])
    for name, table, column, condition in (
        ("ix_clock_ended", "clock", "ended_at", "kind = 'deadline' AND state = 'met'"),
        ("ix_clock_breached", "clock", "breached_at", "kind = 'deadline' AND breached_at IS NOT NULL"),
        ("ix_journal_reopened", "journal", "at", "kind = 'reopened'"),
    ):
        where = sa.text(condition)
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Take them back."""
    op.drop_index("ix_journal_reopened", "journal")
    op.drop_index("ix_clock_breached", "clock")
    op.drop_index("ix_clock_ended", "clock")
    op.drop_index("ix_request_closed", "request")
