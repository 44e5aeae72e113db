"""Bulk: one command for many requests, kept until each of them has it in its inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEYED = sa.text("idempotency_key IS NOT NULL")
_UNFINISHED = sa.text("handed_at IS NULL")


def upgrade() -> None:
    """Two tables."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "bulk",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("command", sa.JSON(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("body_hash", sa.String(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("accepted_at", instant, nullable=False),
        sa.Column("taken_at", instant, nullable=False),
        sa.Column("handed_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_bulk_key", "bulk", ["caller", "idempotency_key"], unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED
    )
    op.create_index("ix_bulk_unfinished", "bulk", ["taken_at"], sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)
    op.create_table(
        "bulk_item",
        sa.Column("bulk_id", sa.String(), sa.ForeignKey("bulk.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("refusal", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("bulk_id", "number"),
    )


def downgrade() -> None:
    """Without them."""
    op.drop_table("bulk_item")
    op.drop_table("bulk")
