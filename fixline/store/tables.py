"""The tables, as SQLModel classes; the migrations in `fixline/store/migrations` make them.

All instants are aware UTC in Python (see `fixline.store.instants`). Contact data is in `contact` and nowhere else.
Table rows never leave the store: callers get domain objects or view records.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Table, Text, text
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from fixline.store.instants import UtcDateTime


def _instant(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=nullable))


def _json(default: type[dict[str, Any]] | type[list[Any]] = dict) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def _text(*, nullable: bool = False) -> Any:
    return Field(default=None if nullable else "", sa_column=Column(Text, nullable=nullable))


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which something holds; queries must say it in the same words.

    It begins with the columns that are equal in all of them: SQLite, without statistics, prefers the index of which
    more columns are given, and would take another one. Those of closed requests and of verdicts end with what reports
    count, so that no row is read for it; they are written once, when it is settled. Those of live clocks end with what
    totals count, and with `live`: SQLite looks it up, although it is true of all of them.
    """
    holds = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=holds, postgresql_where=holds)


_OPEN = "status = 'open'"
UNSIGNALLED = "signalled < decision"
_FREE = "status = 'open' AND attached_to IS NULL"
_KEYED = "idempotency_key IS NOT NULL"
_LIVE = "live AND due_at IS NOT NULL"
_DUE = ("due_at", "request_id", "name", "deadline")
_DEADLINE = "kind = 'deadline'"
_OF_CLOCK = ("request_id", "deadline", "name", "type", "department", "area")
_COUNTED = ("type", "department", "area", "priority")
_OF_REQUEST = ("type", "department", "area", "team")


class _Row(SQLModel):
    """Base of all rows: `BulkItemRow` is one of the table `bulk_item`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:
        """The table's name."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Row")).lower()


class RequestRow(_Row, table=True):
    """One service request. History that was imported closed has neither version nor state nor workflow.

    `last_command` is its number; `next_at` the next instant at which something falls due; `signalled` the last decision
    that its workflow is known to have been told of (0: there may be no workflow yet; the relay signals what is behind,
    and notes its last try in `relayed_at`). A follow-on has the request that it was opened for in `parent_id`, and that
    one's step in `parent_step`. `acted_at` is when something last happened to it (see
    `fixline.domain.process.waiting`); while it is open, `waits_for`, `waits_on` and `waits_since` say on whom it waits:
    the kind, who or what, since when. It is overdue from `late_from` on: the earliest due instant of its live clocks.
    """

    id: str = Field(primary_key=True)
    type: str
    version: str | None = Field(default=None, foreign_key="definition_version.hash")
    source_type: str | None = None
    department: str | None = None
    status: str
    outcome: str | None = None
    step: str | None = None
    waiting_as: str | None = None
    on_hold: bool = False
    priority: str | None = None
    team: str | None = None
    area: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    address: str | None = None
    description: str = _text()
    channel: str
    source: str | None = None
    external_id: str | None = None
    on_behalf_of: str | None = None
    source_facts: dict[str, Any] = _json()
    opened_at: datetime = _instant(nullable=False)
    accepted_at: datetime = _instant(nullable=False)
    updated_at: datetime = _instant(nullable=False)
    closed_at: datetime | None = _instant()
    promised_at: datetime | None = _instant()
    late_from: datetime | None = _instant()
    next_at: datetime | None = _instant()
    decision: int = 0
    last_command: int = 0
    state: str | None = _text(nullable=True)
    signalled: int = 0
    relayed_at: datetime | None = _instant()
    fault: str | None = _text(nullable=True)
    created_by: str = "fixline"
    parent_id: str | None = None
    parent_step: str | None = None
    attached_to: str | None = None
    acted_at: datetime | None = _instant()
    waits_for: str | None = None
    waits_on: str | None = None
    waits_since: datetime | None = _instant()

    __table_args__ = (
        Index("ix_request_opened", "opened_at", "id", *_COUNTED),
        Index("ix_request_updated", "updated_at", "id"),
        _partial(
            "ix_request_closed", "closed_at", "id", "outcome", "opened_at", *_COUNTED, where="closed_at IS NOT NULL"
        ),
        Index("ix_request_status_opened", "status", "opened_at", "id", "late_from", *_OF_REQUEST),
        Index("ix_request_type_opened", "type", "opened_at", "id"),
        Index("ix_request_department_opened", "department", "opened_at", "id"),
        Index("ix_request_team_opened", "team", "opened_at", "id"),
        Index("ix_request_area_opened", "area", "opened_at", "id"),
        Index("ix_request_place", "latitude", "longitude", "status", "type"),
        _partial("ix_request_open_place", "type", "latitude", "longitude", where=_FREE),
        _partial("ix_request_dormant", "status", "acted_at", "id", where=_FREE),
        _partial("ix_request_waiting", "status", "waits_since", "id", where=_OPEN),
        _partial("ix_request_waits_on", "status", "waits_for", "waits_on", "waits_since", "id", where=_OPEN),
        Index("uq_request_external", "source", "external_id", unique=True),
        Index("ix_request_external", "external_id"),
        _partial(
            "ix_request_open_type", "status", "type", "opened_at", "id", "late_from", "department", "area", where=_OPEN
        ),
        _partial("ix_request_open_version", "status", "version", "id", where=_OPEN),
        _partial("ix_request_parent", "parent_id", "id", where="parent_id IS NOT NULL"),
        _partial("ix_request_unsignalled", "updated_at", "signalled", where=UNSIGNALLED),
        _partial("ix_request_fault", "id", where="fault IS NOT NULL"),
    )


class TaskRow(_Row, table=True):
    """One piece of work; what crews list and complete."""

    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id")
    step: str
    visit: int
    kind: str
    title: str
    team: str
    state: str
    assignee: str | None = None
    by_rule: bool = False
    offers: int = 1
    offered_at: datetime = _instant(nullable=False)
    claimed_at: datetime | None = _instant()
    started_at: datetime | None = _instant()
    ended_at: datetime | None = _instant()
    due_at: datetime | None = _instant()
    outcome: str | None = None
    form: dict[str, Any] = _json()
    photos: list[str] = _json(list)

    __table_args__ = (
        Index("ix_task_request_id", "request_id", "visit"),
        Index("ix_task_team_state", "team", "state", "offered_at", "id"),
        Index("ix_task_state", "state", "offered_at", "id"),
        Index("ix_task_assignee_state", "assignee", "state", "offered_at", "id"),
    )


class ClockRow(_Row, table=True):
    """One clock of a request. It is overdue when it is live and its due instant has passed: no flag says so.

    `live` mirrors the states running and paused; `deadline` is the definition's deadline where the clock's name is
    another (resolve.2). `type`, `department` and `area` are its request's, and so is `team` while it is live: lists and
    totals that are narrowed to one of them come from the index that begins with it, and read no request.
    """

    request_id: str = Field(primary_key=True, foreign_key="request.id")
    name: str = Field(primary_key=True)
    kind: str
    task_id: str | None = None
    step: str | None = None
    state: str
    live: bool
    budget: str
    started_at: datetime = _instant(nullable=False)
    due_at: datetime | None = _instant()
    breached_at: datetime | None = _instant()
    ended_at: datetime | None = _instant()
    last_rung: str | None = None
    deadline: str | None = None
    type: str | None = None
    department: str | None = None
    area: str | None = None
    team: str | None = None
    stretches: list[dict[str, Any]] = _json(list)

    __table_args__ = (
        _partial("ix_clock_live_due", *_DUE, *_OF_REQUEST, "live", where=_LIVE),
        *(
            _partial(f"ix_clock_live_{name}", name, *_DUE, *(n for n in _OF_REQUEST if n != name), "live", where=_LIVE)
            for name in _OF_REQUEST
        ),
        _partial(
            "ix_clock_ended",
            "kind",
            "state",
            "ended_at",
            "breached_at",
            *_OF_CLOCK,
            where=f"{_DEADLINE} AND state = 'met'",
        ),
        _partial(
            "ix_clock_breached",
            "kind",
            "breached_at",
            "state",
            *_OF_CLOCK,
            where=f"{_DEADLINE} AND breached_at IS NOT NULL",
        ),
    )


class JournalRow(_Row, table=True):
    """One journal entry; never changed, never deleted."""

    request_id: str = Field(primary_key=True, foreign_key="request.id")
    seq: int = Field(primary_key=True)
    decision: int
    at: datetime = _instant(nullable=False)
    actor: str
    kind: str
    text: str = _text()
    data: dict[str, Any] = _json()

    __table_args__ = (_partial("ix_journal_reopened", "at", where="kind = 'reopened'"),)


class CommandRow(_Row, table=True):
    """One command and its answer.

    `state`: applied | refused (where Fixline gives it itself: what callers are refused is not kept); or, by a fault of
    ours, waiting -> applied | refused | failed (parked; retried on demand). `idempotency_key` is the caller's own,
    unique within `caller`; `body_hash` (keyed) tells another body.
    """

    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id")
    number: int
    kind: str
    body: dict[str, Any] = _json()
    actor: dict[str, Any] = _json()
    caller: str
    idempotency_key: str | None = None
    body_hash: str | None = None
    accepted_at: datetime = _instant(nullable=False)
    state: str
    answer: dict[str, Any] = _json()
    decision: int | None = None
    attempts: int = 0
    retries: int = 0
    fault: str | None = _text(nullable=True)
    applied_at: datetime | None = _instant()

    __table_args__ = (
        Index("uq_command_number", "request_id", "number", unique=True),
        _partial("uq_command_key", "caller", "idempotency_key", where=_KEYED, unique=True),
        _partial("ix_command_waiting", "accepted_at", "request_id", where="state = 'waiting'"),
        _partial("ix_command_waiting_of", "request_id", "number", where="state = 'waiting'"),
        _partial("ix_command_failed", "accepted_at", where="state = 'failed'"),
    )


class BulkRow(_Row, table=True):
    """One command for many requests. `handed_at`: when the last of them had been given it, or had refused it.

    `department` limits it to that department's requests; `taken_at` is when somebody last handed some of it in (the
    relay goes on with what was left). Key and hash are the caller's, as a command's are.
    """

    id: str = Field(primary_key=True)
    kind: str
    command: dict[str, Any] = _json()
    actor: dict[str, Any] = _json()
    caller: str
    department: str | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None
    total: int
    accepted_at: datetime = _instant(nullable=False)
    taken_at: datetime = _instant(nullable=False)
    handed_at: datetime | None = _instant()

    __table_args__ = (
        _partial("uq_bulk_key", "caller", "idempotency_key", where=_KEYED, unique=True),
        _partial("ix_bulk_unfinished", "taken_at", where="handed_at IS NULL"),
    )


class BulkItemRow(_Row, table=True):
    """One request of a bulk: waiting -> given (its command has a row, under `command_id`) | refused.

    The request's id is what the caller named; there may be no such request.
    """

    bulk_id: str = Field(primary_key=True, foreign_key="bulk.id")
    number: int = Field(primary_key=True)
    request_id: str
    command_id: str
    state: str
    refusal: dict[str, Any] = _json()


class EffectRow(_Row, table=True):
    """One effect: pending -> done, or failed with its last error until it is taken again.

    It is dropped when the request has left the step that it was for; its last error stays.
    """

    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id")
    decision: int
    number: int
    kind: str
    reach: str
    destination: str
    state: str
    data: dict[str, Any] = _json()
    attempts: int = 0
    last_error: str | None = _text(nullable=True)
    created_at: datetime = _instant(nullable=False)
    done_at: datetime | None = _instant()
    result: dict[str, Any] = _json()

    __table_args__ = (
        Index("ix_effect_request", "request_id", "decision"),
        _partial("ix_effect_pending", "request_id", where="state IN ('pending', 'failed')"),
    )


class DefinitionVersionRow(_Row, table=True):
    """One version of a type's definition: the hash of its resolved content, never changed.

    `origin` says how it last became current: taken from the `folder` at a start, or `published` by `published_by`.
    """

    hash: str = Field(primary_key=True)
    type: str = Field(index=True)
    number: int
    title: str
    department: str
    body: str = _text()
    published_at: datetime = _instant(nullable=False)
    current: bool
    origin: str = Field(default="folder", sa_column_kwargs={"server_default": "folder"})
    published_by: str | None = None

    __table_args__ = (
        Index("uq_definition_number", "type", "number", unique=True),
        # Two that publish a type for the first time find no row to wait for each other at.
        _partial("uq_definition_current", "type", where="current", unique=True),
    )


class ContactRow(_Row, table=True):
    """Who reported a request, and how to reach them. The only table with contact data."""

    request_id: str = Field(primary_key=True, foreign_key="request.id")
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    created_at: datetime = _instant(nullable=False)


class ApiKeyRow(_Row, table=True):
    """A bearer key: only its hash is kept. `teams` limits a crew, `department` a supervisor."""

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    role: str
    teams: list[str] = _json(list)
    department: str | None = None
    hash: str = Field(unique=True)
    created_at: datetime = _instant(nullable=False)
    revoked_at: datetime | None = _instant()


class CounterRow(_Row, table=True):
    """The last number given out under a name, such as a year's requests."""

    name: str = Field(primary_key=True)
    last: int = 0


class TeamTurnRow(_Row, table=True):
    """Whose turn it is in a team whose rule is round robin."""

    team: str = Field(primary_key=True)
    last: str | None = None


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a row class, for statements that need no objects (they cost a fraction of those that do)."""
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel sets it on every table class
    assert isinstance(table, Table)  # noqa: S101 - tells the type checker
    return table
