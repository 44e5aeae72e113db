"""The first schema: requests, tasks, clocks, journal, commands, effects, definitions, contacts, keys, bulks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def _where(condition: str) -> dict[str, Any]:
    """A partial index: the rows that it holds, in both dialects."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("teams", sa.JSON(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("name"),
    )
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
        sa.Column("accepted_at", INSTANT, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("handed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_bulk_unfinished", "bulk", ["taken_at"], **_where("handed_at IS NULL"))
    op.create_index(
        "uq_bulk_key", "bulk", ["caller", "idempotency_key"], unique=True, **_where("idempotency_key IS NOT NULL")
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "definition_version",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False, server_default="folder"),
        sa.Column("published_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_definition_version_type", "definition_version", ["type"])
    op.create_index("uq_definition_number", "definition_version", ["type", "number"], unique=True)
    op.create_index("uq_definition_current", "definition_version", ["type"], unique=True, **_where("current"))
    op.create_table(
        "team_turn",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("last", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("team"),
    )
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
    op.create_table(
        "request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("version", sa.String(), sa.ForeignKey("definition_version.hash"), nullable=True),
        sa.Column("source_type", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("waiting_as", sa.String(), nullable=True),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("team", sa.String(), nullable=True),
        sa.Column("area", sa.String(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("source_facts", sa.JSON(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("promised_at", INSTANT, nullable=True),
        sa.Column("late_from", INSTANT, nullable=True),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("last_command", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("signalled", sa.Integer(), nullable=False),
        sa.Column("relayed_at", INSTANT, nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("parent_step", sa.String(), nullable=True),
        sa.Column("attached_to", sa.String(), nullable=True),
        sa.Column("acted_at", INSTANT, nullable=True),
        sa.Column("waits_for", sa.String(), nullable=True),
        sa.Column("waits_on", sa.String(), nullable=True),
        sa.Column("waits_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_request_area_opened", "request", ["area", "opened_at", "id"])
    op.create_index(
        "ix_request_closed",
        "request",
        ["closed_at", "id", "outcome", "opened_at", "type", "department", "area", "priority"],
        **_where("closed_at IS NOT NULL"),
    )
    op.create_index("ix_request_department_opened", "request", ["department", "opened_at", "id"])
    op.create_index(
        "ix_request_dormant",
        "request",
        ["status", "acted_at", "id"],
        **_where("status = 'open' AND attached_to IS NULL"),
    )
    op.create_index("ix_request_external", "request", ["external_id"])
    op.create_index("ix_request_fault", "request", ["id"], **_where("fault IS NOT NULL"))
    op.create_index(
        "ix_request_open_place",
        "request",
        ["type", "latitude", "longitude"],
        **_where("status = 'open' AND attached_to IS NULL"),
    )
    op.create_index(
        "ix_request_open_type",
        "request",
        ["status", "type", "opened_at", "id", "late_from", "department", "area"],
        **_where("status = 'open'"),
    )
    op.create_index("ix_request_open_version", "request", ["status", "version", "id"], **_where("status = 'open'"))
    op.create_index("ix_request_opened", "request", ["opened_at", "id", "type", "department", "area", "priority"])
    op.create_index("ix_request_parent", "request", ["parent_id", "id"], **_where("parent_id IS NOT NULL"))
    op.create_index("ix_request_place", "request", ["latitude", "longitude", "status", "type"])
    op.create_index(
        "ix_request_status_opened",
        "request",
        ["status", "opened_at", "id", "late_from", "type", "department", "area", "team"],
    )
    op.create_index("ix_request_team_opened", "request", ["team", "opened_at", "id"])
    op.create_index("ix_request_type_opened", "request", ["type", "opened_at", "id"])
    op.create_index("ix_request_unsignalled", "request", ["updated_at", "signalled"], **_where("signalled < decision"))
    op.create_index("ix_request_updated", "request", ["updated_at", "id"])
    op.create_index("ix_request_waiting", "request", ["status", "waits_since", "id"], **_where("status = 'open'"))
    op.create_index(
        "ix_request_waits_on",
        "request",
        ["status", "waits_for", "waits_on", "waits_since", "id"],
        **_where("status = 'open'"),
    )
    op.create_index("uq_request_external", "request", ["source", "external_id"], unique=True)
    op.create_table(
        "clock",
        sa.Column("request_id", sa.String(), sa.ForeignKey("request.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("breached_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("last_rung", sa.String(), nullable=True),
        sa.Column("deadline", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("area", sa.String(), nullable=True),
        sa.Column("team", sa.String(), nullable=True),
        sa.Column("stretches", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "name"),
    )
    op.create_index(
        "ix_clock_breached",
        "clock",
        ["kind", "breached_at", "state", "request_id", "deadline", "name", "type", "department", "area"],
        **_where("kind = 'deadline' AND breached_at IS NOT NULL"),
    )
    op.create_index(
        "ix_clock_ended",
        "clock",
        ["kind", "state", "ended_at", "breached_at", "request_id", "deadline", "name", "type", "department", "area"],
        **_where("kind = 'deadline' AND state = 'met'"),
    )
    op.create_index(
        "ix_clock_live_area",
        "clock",
        ["area", "due_at", "request_id", "name", "deadline", "type", "department", "team", "live"],
        **_where("live AND due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_clock_live_department",
        "clock",
        ["department", "due_at", "request_id", "name", "deadline", "type", "area", "team", "live"],
        **_where("live AND due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_clock_live_due",
        "clock",
        ["due_at", "request_id", "name", "deadline", "type", "department", "area", "team", "live"],
        **_where("live AND due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_clock_live_team",
        "clock",
        ["team", "due_at", "request_id", "name", "deadline", "type", "department", "area", "live"],
        **_where("live AND due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_clock_live_type",
        "clock",
        ["type", "due_at", "request_id", "name", "deadline", "department", "area", "team", "live"],
        **_where("live AND due_at IS NOT NULL"),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), sa.ForeignKey("request.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("body_hash", sa.String(), nullable=True),
        sa.Column("accepted_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("decision", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_command_failed", "command", ["accepted_at"], **_where("state = 'failed'"))
    op.create_index("ix_command_waiting", "command", ["accepted_at", "request_id"], **_where("state = 'waiting'"))
    op.create_index("ix_command_waiting_of", "command", ["request_id", "number"], **_where("state = 'waiting'"))
    op.create_index(
        "uq_command_key", "command", ["caller", "idempotency_key"], unique=True, **_where("idempotency_key IS NOT NULL")
    )
    op.create_index("uq_command_number", "command", ["request_id", "number"], unique=True)
    op.create_table(
        "contact",
        sa.Column("request_id", sa.String(), sa.ForeignKey("request.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_table(
        "effect",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), sa.ForeignKey("request.id"), nullable=False),
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reach", sa.String(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_effect_pending", "effect", ["request_id"], **_where("state IN ('pending', 'failed')"))
    op.create_index("ix_effect_request", "effect", ["request_id", "decision"])
    op.create_table(
        "journal",
        sa.Column("request_id", sa.String(), sa.ForeignKey("request.id"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "seq"),
    )
    op.create_index("ix_journal_reopened", "journal", ["at"], **_where("kind = 'reopened'"))
    op.create_table(
        "task",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), sa.ForeignKey("request.id"), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("by_rule", sa.Boolean(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("offered_at", INSTANT, nullable=False),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_task_assignee_state", "task", ["assignee", "state", "offered_at", "id"])
    op.create_index("ix_task_request_id", "task", ["request_id", "visit"])
    op.create_index("ix_task_state", "task", ["state", "offered_at", "id"])
    op.create_index("ix_task_team_state", "task", ["team", "state", "offered_at", "id"])


def downgrade() -> None:
    """Drop them all."""
    op.drop_table("task")
    op.drop_table("journal")
    op.drop_table("effect")
    op.drop_table("contact")
    op.drop_table("command")
    op.drop_table("clock")
    op.drop_table("request")
    op.drop_table("bulk_item")
    op.drop_table("team_turn")
    op.drop_table("definition_version")
    op.drop_table("counter")
    op.drop_table("bulk")
    op.drop_table("api_key")
