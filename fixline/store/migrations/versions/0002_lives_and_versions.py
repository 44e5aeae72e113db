"""Second lives and versions: which deadline a clock is of, who published a version and how, requests by version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index of open requests by version."""
    op.add_column("clock", sa.Column("deadline", sa.String(), nullable=True))
    op.add_column("definition_version", sa.Column("origin", sa.String(), nullable=False, server_default="folder"))
    op.add_column("definition_version", sa.Column("published_by", sa.String(), nullable=True))
    is_open = sa.text("status = 'open'")
    op.create_index(
        "ix_request_open_version", "request", ["version", "id"], sqlite_where=is_open, postgresql_where=is_open
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_index("ix_request_open_version", "request")
    op.drop_column("definition_version", "published_by")
    op.drop_column("definition_version", "origin")
    op.drop_column("clock", "deadline")
