"""The first schema: requests, tasks, clocks, journal, commands, effects, definitions, contacts, keys, bulks.

A column is written `name:kind`, or `name` for a string, `name=table.column` where it refers to another, and with a
question mark where it may be NULL.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    "string": sa.String(),
    "text": sa.Text(),
    "int": sa.Integer(),
    "float": sa.Float(),
    "bool": sa.Boolean(),
    "json": sa.JSON(),
    "instant": sa.DateTime(timezone=True),
}


def _table(name: str, columns: str, *, key: str = "", unique: str = "", defaults: dict[str, str] | None = None) -> None:
    """Make a table. Its primary key is its first column, or those of `key`."""
    made: list[sa.Column[Any]] = []
    for written in columns.split():
        column, _, kind = written.removesuffix("?").partition(":")
        column, _, referred = column.partition("=")
        refers = [sa.ForeignKey(referred)] if referred else []
        null, default = written.endswith("?"), (defaults or {}).get(column)
        made.append(sa.Column(column, KINDS[kind or "string"], *refers, nullable=null, server_default=default))
    keys = sa.PrimaryKeyConstraint(*(key.split() or [made[0].name]))
    op.create_table(name, *made, keys, *(sa.UniqueConstraint(each) for each in unique.split()))


def _index(table: str, name: str, columns: str, where: str | None = None, *, unique: bool = False) -> None:
    """Make an index, with `where` of those rows only, in both dialects."""
    holds = None if where is None else sa.text(where)
    op.create_index(name, table, columns.split(), unique=unique, sqlite_where=holds, postgresql_where=holds)


def upgrade() -> None:
    """Make every table."""
    columns = "id name role teams:json department? hash created_at:instant revoked_at:instant?"
    _table("api_key", columns, unique="hash name")
    _table(
        "bulk",
        """
        id kind command:json actor:json caller department? idempotency_key? body_hash? total:int
        accepted_at:instant taken_at:instant handed_at:instant?
        """,
    )
    _index("bulk", "ix_bulk_unfinished", "taken_at", "handed_at IS NULL")
    _index("bulk", "uq_bulk_key", "caller idempotency_key", "idempotency_key IS NOT NULL", unique=True)
    _table("counter", "name last:int")
    columns = "hash type number:int title department body:text published_at:instant current:bool origin published_by?"
    _table("definition_version", columns, defaults={"origin": "folder"})
    _index("definition_version", "ix_definition_version_type", "type")
    _index("definition_version", "uq_definition_number", "type number", unique=True)
    _index("definition_version", "uq_definition_current", "type", "current", unique=True)
    _table("team_turn", "team last?")
    columns = "bulk_id=bulk.id number:int request_id command_id state refusal:json"
    _table("bulk_item", columns, key="bulk_id number")
    _table(
        "request",
        """
        id type version=definition_version.hash? source_type? department? status outcome? step? waiting_as?
        on_hold:bool priority? team? area? latitude:float? longitude:float? address? description:text channel source?
        external_id? on_behalf_of? source_facts:json opened_at:instant accepted_at:instant updated_at:instant
        closed_at:instant? promised_at:instant? late_from:instant? next_at:instant? decision:int last_command:int
        state:text? signalled:int relayed_at:instant? fault:text? created_by parent_id? parent_step? attached_to?
        acted_at:instant? waits_for? waits_on? waits_since:instant?
        """,
    )
    _request_indexes()
    _table(
        "clock",
        """
        request_id=request.id name kind task_id? step? state live:bool budget started_at:instant due_at:instant?
        breached_at:instant? ended_at:instant? last_rung? deadline? type? department? area? team? stretches:json
        """,
        key="request_id name",
    )
    _clock_indexes()
    _table(
        "command",
        """
        id request_id=request.id number:int kind body:json actor:json caller idempotency_key? body_hash?
        accepted_at:instant state answer:json decision:int? attempts:int retries:int fault:text? applied_at:instant?
        """,
    )
    _index("command", "ix_command_failed", "accepted_at", "state = 'failed'")
    _index("command", "ix_command_waiting", "accepted_at request_id", "state = 'waiting'")
    _index("command", "ix_command_waiting_of", "request_id number", "state = 'waiting'")
    _index("command", "uq_command_key", "caller idempotency_key", "idempotency_key IS NOT NULL", unique=True)
    _index("command", "uq_command_number", "request_id number", unique=True)
    _table("contact", "request_id=request.id name? email? phone? created_at:instant")
    _table(
        "effect",
        """
        id request_id=request.id decision:int number:int kind reach destination state data:json attempts:int
        last_error:text? created_at:instant done_at:instant? result:json
        """,
    )
    _index("effect", "ix_effect_pending", "request_id", "state IN ('pending', 'failed')")
    _index("effect", "ix_effect_request", "request_id decision")
    columns = "request_id=request.id seq:int decision:int at:instant actor kind text:text data:json"
    _table("journal", columns, key="request_id seq")
    _index("journal", "ix_journal_reopened", "at", "kind = 'reopened'")
    _table(
        "task",
        """
        id request_id=request.id step visit:int kind title team state assignee? by_rule:bool offers:int
        offered_at:instant claimed_at:instant? started_at:instant? ended_at:instant? due_at:instant? outcome? form:json
        photos:json
        """,
    )
    _index("task", "ix_task_assignee_state", "assignee state offered_at id")
    _index("task", "ix_task_request_id", "request_id visit")
    _index("task", "ix_task_state", "state offered_at id")
    _index("task", "ix_task_team_state", "team state offered_at id")


def _request_indexes() -> None:
    free = "status = 'open' AND attached_to IS NULL"
    _index("request", "ix_request_area_opened", "area opened_at id")
    columns = "closed_at id outcome opened_at type department area priority"
    _index("request", "ix_request_closed", columns, "closed_at IS NOT NULL")
    _index("request", "ix_request_department_opened", "department opened_at id")
    _index("request", "ix_request_dormant", "status acted_at id", free)
    _index("request", "ix_request_external", "external_id")
    _index("request", "ix_request_fault", "id", "fault IS NOT NULL")
    _index("request", "ix_request_open_place", "type latitude longitude", free)
    _index("request", "ix_request_open_type", "status type opened_at id late_from department area", "status = 'open'")
    _index("request", "ix_request_open_version", "status version id", "status = 'open'")
    _index("request", "ix_request_opened", "opened_at id type department area priority")
    _index("request", "ix_request_parent", "parent_id id", "parent_id IS NOT NULL")
    _index("request", "ix_request_place", "latitude longitude status type")
    _index("request", "ix_request_status_opened", "status opened_at id late_from type department area team")
    _index("request", "ix_request_team_opened", "team opened_at id")
    _index("request", "ix_request_type_opened", "type opened_at id")
    _index("request", "ix_request_unsignalled", "updated_at signalled", "signalled < decision")
    _index("request", "ix_request_updated", "updated_at id")
    _index("request", "ix_request_waiting", "status waits_since id", "status = 'open'")
    _index("request", "ix_request_waits_on", "status waits_for waits_on waits_since id", "status = 'open'")
    _index("request", "uq_request_external", "source external_id", unique=True)


def _clock_indexes() -> None:
    of_clock = "request_id deadline name type department area"
    columns = f"kind breached_at state {of_clock}"
    _index("clock", "ix_clock_breached", columns, "kind = 'deadline' AND breached_at IS NOT NULL")
    columns = f"kind state ended_at breached_at {of_clock}"
    _index("clock", "ix_clock_ended", columns, "kind = 'deadline' AND state = 'met'")
    due, live = "due_at request_id name deadline", "live AND due_at IS NOT NULL"
    _index("clock", "ix_clock_live_area", f"area {due} type department team live", live)
    _index("clock", "ix_clock_live_department", f"department {due} type area team live", live)
    _index("clock", "ix_clock_live_due", f"{due} type department area team live", live)
    _index("clock", "ix_clock_live_team", f"team {due} type department area live", live)
    _index("clock", "ix_clock_live_type", f"type {due} department area team live", live)


def downgrade() -> None:
    """Drop them all."""
    for table in (
        *("task", "journal", "effect", "contact", "command", "clock", "request", "bulk_item"),
        *("team_turn", "definition_version", "counter", "bulk", "api_key"),
    ):
        op.drop_table(table)
