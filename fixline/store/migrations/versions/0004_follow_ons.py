"""Follow-ons: the request and the step that a request was opened for; effects that are dropped."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns and their index; dropped effects are no longer among those to be taken."""
    op.add_column("request", sa.Column("parent_id", sa.String(), nullable=True))
    op.add_column("request", sa.Column("parent_step", sa.String(), nullable=True))
    op.create_index("ix_request_parent", "request", ["parent_id", "id"], **_where("parent_id IS NOT NULL"))
    op.drop_index("ix_effect_pending", "effect")
    op.create_index("ix_effect_pending", "effect", ["request_id"], **_where("state IN ('pending', 'failed')"))


def downgrade() -> None:
    """Take them back."""
    op.drop_index("ix_effect_pending", "effect")
    op.create_index("ix_effect_pending", "effect", ["request_id"], **_where("state <> 'done'"))
    op.drop_index("ix_request_parent", "request")
    op.drop_column("request", "parent_step")
    op.drop_column("request", "parent_id")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
