"""Duplicates: to which request another is attached, and an index of those that a report may repeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FREE = sa.text("status = 'open' AND attached_to IS NULL")


def upgrade() -> None:
    """A column and its index; no request that is there is attached to another."""
    op.add_column("request", sa.Column("attached_to", sa.String(), nullable=True))
    op.create_index(
        "ix_request_open_place",
        "request",
        ["type", "latitude", "longitude"],
        sqlite_where=_FREE,
        postgresql_where=_FREE,
    )


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_request_open_place", "request")
    op.drop_column("request", "attached_to")
