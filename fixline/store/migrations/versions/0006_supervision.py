"""Supervision: when something last happened to a request, on whom it waits, and the indexes of both."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = sa.text("status = 'open'")
_FREE = sa.text("status = 'open' AND attached_to IS NULL")
_QUIET = (
    *("clock_started", "clock_paused", "clock_resumed", "clock_rebudgeted", "clock_breached", "clock_met"),
    *("clock_ended", "clock_moved", "rung_fired", "rungs_passed", "told", "notified", "moved", "task_moved"),
    *("visits_warned", "condition_undecided", "wait_undated"),
)
_REQUEST = sa.table(
    "request",
    *(sa.column(name) for name in ("id", "version", "status", "state", "on_hold", "attached_to")),
    *(sa.column(name) for name in ("updated_at", "acted_at", "waits_for", "waits_on", "waits_since")),
)
_JOURNAL = sa.table("journal", *(sa.column(name) for name in ("request_id", "at", "kind", "actor")))
_VERSION = sa.table("definition_version", sa.column("hash"), sa.column("body"))
_OUTSIDE = {"agency": "agency", "call": "system", "follow_on": "follow_on"}


def upgrade() -> None:
    """Add the columns, fill them for what is open, then index them."""
    for name in ("acted_at", "waits_since"):
        op.add_column("request", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in ("waits_for", "waits_on"):
        op.add_column("request", sa.Column(name, sa.String(), nullable=True))
    _fill_acted()
    _fill_waits()
    for index, columns, where in (
        ("ix_request_dormant", ["status", "acted_at", "id"], _FREE),
        ("ix_request_waiting", ["status", "waits_since", "id"], _OPEN),
        ("ix_request_waits_on", ["status", "waits_for", "waits_on", "waits_since", "id"], _OPEN),
    ):
        op.create_index(index, "request", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Without them."""
    for index in ("ix_request_waits_on", "ix_request_waiting", "ix_request_dormant"):
        op.drop_index(index, "request")
    for name in ("waits_since", "waits_on", "waits_for", "acted_at"):
        op.drop_column("request", name)


def _fill_acted() -> None:
    by_itself = (_JOURNAL.c.kind == "priority_changed") & (_JOURNAL.c.actor == "fixline")
    last = sa.select(sa.func.max(_JOURNAL.c.at)).where(
        _JOURNAL.c.request_id == _REQUEST.c.id, _JOURNAL.c.kind.not_in(_QUIET), ~by_itself
    )
    filled = sa.func.coalesce(last.scalar_subquery(), _REQUEST.c.updated_at)
    op.execute(_REQUEST.update().where(_OPEN, _REQUEST.c.state.is_not(None)).values(acted_at=filled))


def _fill_waits() -> None:
    """As far as the state tells it: the hold, the original, the first open task, else whom the step waits for."""
    connection = op.get_bind()
    bodies = connection.execute(sa.select(_VERSION.c.hash, _VERSION.c.body))
    steps = {version: json.loads(body)["steps"] for version, body in bodies}
    statement = sa.select(_REQUEST.c.id, _REQUEST.c.version, _REQUEST.c.state)
    rows = connection.execute(statement.where(_OPEN, _REQUEST.c.state.is_not(None))).all()
    update = _REQUEST.update().where(_REQUEST.c.id == sa.bindparam("id_"))
    update = update.values(waits_since=sa.bindparam("since_", type_=sa.DateTime(timezone=True)))
    update = update.values(waits_for=sa.bindparam("for_"), waits_on=sa.bindparam("on_"))
    for request_id, version, state in rows:
        waiting = _waits(json.loads(state), steps.get(version, {}))
        if waiting is not None:
            kind, who, since = waiting
            at = datetime.fromisoformat(since).astimezone(UTC)
            connection.execute(update, {"id_": request_id, "for_": kind, "on_": who, "since_": at})


def _waits(state: dict[str, Any], steps: dict[str, Any]) -> tuple[str, str, str] | None:
    if state.get("hold"):
        return "hold", state["hold"]["by"], state["hold"]["since"]
    if state.get("attached_to"):
        taken = state.get("taken") or [{"left_at": state["opened_at"]}]
        return "original", state["attached_to"], taken[-1]["left_at"]
    for task in state.get("tasks", {}).values():
        if task["state"] in ("claimed", "started"):
            return "person", task["assignee"], task["claimed_at"] or task["offered_at"]
        if task["state"] == "offered":
            return "team", task["team"], task["offered_at"]
    for position in [each for each in (state.get("position"), *state.get("branches", {}).values()) if each]:
        step = steps.get(position["step"], {})
        if step.get("kind") in _OUTSIDE:
            return _OUTSIDE[step["kind"]], step[step["kind"]], position["entered_at"]
        if step.get("kind") == "wait":
            kind = "signal" if step.get("signal") else "date"
            return kind, step.get("signal") or position["step"], position["entered_at"]
    return None
