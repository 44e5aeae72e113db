"""The door of the inbox: commands accepted for a request, each with its number, before anything is decided.

Owns arrivals, idempotency keys and the cap on doorbells. What was accepted here is never lost; what it leads to
is decided by `fixline.store.inbox`. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from fixline.domain.commands import Actor, Command
from fixline.domain.decision import Refusal
from fixline.store import statements

ON_CLOSED = ("comment", "report", "reopen", "agency_reply")
"""The kinds of commands that a closed request takes."""
MAX_BELLS = 8
"""Doorbells in flight per request; Temporal allows 10 updates and aborts others when an 11th comes."""


class RequestUnknown(LookupError):
    """The store has no such request."""


class KeyReused(Exception):
    """The caller has used this idempotency key for another body."""


class RefusedAtDoor(Exception):
    """The request takes no such command any more; nothing was accepted."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True)
class Arrival:
    """A command as it comes to the door. `caller` scopes the idempotency key; `command_id` is the row's id."""

    command_id: str
    command: Command
    actor: Actor
    accepted_at: datetime
    caller: str
    idempotency_key: str | None = None
    body_hash: str | None = None


class Locked(NamedTuple):
    """The columns of a locked request that a decision needs; the order is that of `statements.LOCK_REQUEST`."""

    id: str
    type: str
    status: str
    outcome: str | None
    step: str | None
    priority: str | None
    department: str | None
    team: str | None
    decision: int
    inbox: int
    next_at: datetime | None
    version: str | None
    state: str | None
    shell_at: datetime | None
    fault: str | None
    area: str | None
    promised_at: datetime | None


class Received(NamedTuple):
    """A command in an inbox, and its answer: the columns of `command`, in their order (see `CommandRow`)."""

    id: str
    request_id: str
    number: int
    kind: str
    body: dict[str, Any]
    actor: dict[str, Any]
    caller: str
    idempotency_key: str | None
    body_hash: str | None
    accepted_at: datetime
    state: str = "waiting"
    answer: dict[str, Any] = {}  # noqa: RUF012 - never changed in place
    decision: int | None = None
    attempts: int = 0
    retries: int = 0
    fault: str | None = None
    rung_at: datetime | None = None
    applied_at: datetime | None = None


def lock_request(session: Session, request_id: str) -> Locked:
    """What a decision needs of the request's row, locked until the transaction ends. Raises RequestUnknown."""
    row = statements.LOCK_REQUEST.first(session, {"request_id_": request_id})
    if row is None:
        raise RequestUnknown(request_id)
    return Locked(*row)


def find_received(session: Session, arrival: Arrival) -> Received | None:
    """The command received before with this id, or from the caller under the same idempotency key.

    Raises KeyReused when it had another body.
    """
    wanted = {"id_": arrival.command_id, "caller_": arrival.caller, "key_": arrival.idempotency_key}
    found = statements.FIND_COMMAND.first(session, wanted)
    if found is None:
        return None
    received = Received(*found)
    if arrival.idempotency_key is not None and received.body_hash != arrival.body_hash:
        raise KeyReused(arrival.idempotency_key)
    return received


def read_command(session: Session, command_id: str) -> Received | None:
    """A command by its id."""
    found = statements.READ_COMMAND.first(session, {"id_": command_id})
    return Received(*found) if found is not None else None


def accept(session: Session, request_id: str, arrival: Arrival) -> Received:
    """Write a command into the request's inbox with the next number; the one already there for a repeated key.

    `rung_at` is set when its doorbell may be rung. Raises RequestUnknown, KeyReused, RefusedAtDoor.
    """
    request = lock_request(session, request_id)
    known = find_received(session, arrival)
    if known is not None:
        return known
    check_open(request.state, request.status, request.outcome, arrival.command.kind)
    return put(session, request, arrival)


def put(session: Session, request: Locked, arrival: Arrival) -> Received:
    """Write a command into a locked request's inbox with the next number; `rung_at` as for `accept`."""
    received = as_received(request.id, request.inbox + 1, arrival)
    ((bells,),) = statements.BELLS.all(session, {"request_id_": request.id})
    if bells < MAX_BELLS:
        received = received._replace(rung_at=arrival.accepted_at)
    statements.INSERT_COMMAND.run(session, received._asdict())
    statements.UPDATE_REQUEST.run(session, {"request_id_": request.id, "inbox": received.number})
    return received


def as_received(request_id: str, number: int, arrival: Arrival) -> Received:
    """A waiting command, as it will be written."""
    return Received(
        id=arrival.command_id,
        request_id=request_id,
        number=number,
        kind=arrival.command.kind,
        body=arrival.command.model_dump(mode="json"),
        actor=arrival.actor.model_dump(mode="json"),
        caller=arrival.caller,
        idempotency_key=arrival.idempotency_key,
        body_hash=arrival.body_hash,
        accepted_at=arrival.accepted_at,
    )


def check_open(state: str | None, status: str, outcome: str | None, kind: str) -> None:
    """Raise RefusedAtDoor where a request that is closed, or history (no state), takes no command of this kind."""
    if state is None:
        text = "the request is history from another system and takes no commands"
        raise RefusedAtDoor(Refusal(code="request_is_history", message=text))
    if status == "closed" and kind not in ON_CLOSED:
        text = f"the request is closed ({outcome})"
        raise RefusedAtDoor(Refusal(code="request_closed", message=text, data={"outcome": outcome}))


def utc_now() -> datetime:
    """The wall clock, aware UTC: the default of every part that can be given another."""
    return datetime.now(UTC)
