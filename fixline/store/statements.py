"""The statements of the hot path, each built once: they read and write plain columns, no objects.

Instants are aware UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, insert, literal_column, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from fixline.store import tables
from fixline.store.prepared import Prepared
from fixline.store.tables import table_of

REQUEST = table_of(tables.RequestRow)
COMMAND = table_of(tables.CommandRow)
EFFECT = table_of(tables.EffectRow)
CLOCK = table_of(tables.ClockRow)
_COUNTER = table_of(tables.CounterRow)
_TASK = table_of(tables.TaskRow)

_ID: Any = bindparam("request_id_")
_LOCKED = (
    *("id", "type", "status", "outcome", "step", "priority", "department", "team", "decision", "last_command"),
    *("next_at", "version", "state", "signalled", "fault", "area", "promised_at"),
)

LOCK_REQUEST = Prepared(select(*(REQUEST.c[name] for name in _LOCKED)).where(REQUEST.c.id == _ID).with_for_update())
"""The columns of a request that a decision needs, and the lock that keeps others out (`request_id_`)."""

WAITING = Prepared(
    select(COMMAND.c.id, COMMAND.c.body, COMMAND.c.actor, COMMAND.c.accepted_at)
    .where(COMMAND.c.request_id == _ID, COMMAND.c.state == "waiting")
    .order_by(COMMAND.c.number)
)
"""The commands that a fault of ours keeps from being decided, in order (`request_id_`)."""

COUNT_WAITING = Prepared(
    select(func.count()).select_from(COMMAND).where(COMMAND.c.request_id == _ID, COMMAND.c.state == "waiting")
)
"""How many they are."""

PENDING = Prepared(
    select(EFFECT.c.id, EFFECT.c.kind, EFFECT.c.reach, EFFECT.c.decision)
    .where(EFFECT.c.request_id == _ID, EFFECT.c.state.in_(literal_column(name) for name in ("'pending'", "'failed'")))
    .order_by(EFFECT.c.decision, EFFECT.c.number)
)
"""The effects of a request that have still to be taken (`request_id_`)."""

UPDATE_REQUEST = Prepared(update(REQUEST).where(REQUEST.c.id == _ID))
"""Change the columns given beside `request_id_`."""

SCOPE_OF_CLOCKS = Prepared(update(CLOCK).where(CLOCK.c.request_id == _ID))
"""Change the columns given beside `request_id_` for all its clocks."""
TEAM_OF_LIVE_CLOCKS = Prepared(update(CLOCK).where(CLOCK.c.request_id == _ID, text("live")))
"""Change the columns given beside `request_id_` for its live clocks."""

LAST_KIND = Prepared(
    select(COMMAND.c.kind).where(COMMAND.c.request_id == _ID).order_by(COMMAND.c.number.desc()).limit(1)
)
"""The kind of a request's last command (`request_id_`)."""

MARK_SIGNALLED = Prepared(
    update(REQUEST)
    .where(REQUEST.c.id == _ID, REQUEST.c.signalled < bindparam("signalled_"))
    .values(signalled=bindparam("signalled_"))
)
"""The workflow knows this decision (`request_id_`, `signalled_`)."""

ANSWER_COMMAND = Prepared(update(COMMAND).where(bindparam("id_") == COMMAND.c.id))
"""Change the columns given beside `id_`."""

READ_COMMAND = Prepared(select(*COMMAND.columns).where(bindparam("id_") == COMMAND.c.id))
"""One command, all columns (`id_`)."""
FIND_COMMAND = Prepared(
    select(*COMMAND.columns).where(
        (bindparam("id_") == COMMAND.c.id)
        | ((bindparam("caller_") == COMMAND.c.caller) & (bindparam("key_") == COMMAND.c.idempotency_key))
    )
)
"""The command with this id, or of this caller under this idempotency key (`id_`, `caller_`, `key_`)."""

COUNT_UP = Prepared(
    update(_COUNTER)
    .where(_COUNTER.c.name == bindparam("name_"))
    .values(last=_COUNTER.c.last + bindparam("by_"))
    .returning(_COUNTER.c.last)
)
"""Count `by_` numbers up under a name (`name_`); gives the last one, no row when none has been given out."""


def upserting(model: type[SQLModel], *keys: str, keep: bool = False) -> Prepared:
    """Insert rows, or change those that are there by these keys; with `keep` those stay as they are."""

    def on_conflict(inserting: Any) -> Any:
        if keep:
            return inserting.on_conflict_do_nothing(index_elements=keys)
        changes = {column.name: column for column in inserting.excluded if column.name not in keys}
        return inserting.on_conflict_do_update(index_elements=keys, set_=changes)

    table = table_of(model)
    written = {"sqlite": sqlite.insert(table), "postgresql": postgresql.insert(table)}
    return Prepared({name: on_conflict(inserting) for name, inserting in written.items()})


INSERT_COMMAND = Prepared(insert(COMMAND))
INSERT_REQUEST = Prepared(insert(REQUEST))
INSERT_ENTRY = Prepared(insert(table_of(tables.JournalRow)))
INSERT_EFFECT = Prepared(insert(EFFECT))
UPSERT_TASK = upserting(tables.TaskRow, "id")
UPSERT_CLOCK = upserting(tables.ClockRow, "request_id", "name")

READ_EFFECT = Prepared(
    select(EFFECT.c.id, EFFECT.c.kind, EFFECT.c.state, EFFECT.c.data, EFFECT.c.attempts).where(
        bindparam("id_") == EFFECT.c.id
    )
)
"""One effect (`id_`)."""

SETTLE_EFFECT = Prepared(update(EFFECT).where(bindparam("id_") == EFFECT.c.id))
"""Change the columns given beside `id_`."""

TEAM_OF_TASK = Prepared(select(_TASK.c.team).where(bindparam("id_") == _TASK.c.id))
"""The team of a task (`id_`)."""
LAST_TEAM = Prepared(select(_TASK.c.team).where(_TASK.c.request_id == _ID).order_by(_TASK.c.offered_at.desc()).limit(1))
"""The team that had a request's last task (`request_id_`)."""
