"""Commands as they arrive, and as their rows keep them; idempotency keys, and the row lock of a request.

What a submission leads to is decided by `fixline.service.commands`. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from fixline.domain.process.commands import Actor, Command
from fixline.errors import FixlineError
from fixline.store import statements


class RequestUnknown(FixlineError, LookupError):
    """The store has no such request."""


class KeyReused(FixlineError):
    """The caller has used this idempotency key for another body."""


class NotAllowed(FixlineError):
    """Whoever gives the command may not give it to this request. Callers derive what they are told from it."""


@dataclass(frozen=True)
class Submission:
    """A command as it comes in. `caller` scopes the idempotency key; `command_id` is the row's id."""

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
    last_command: int
    next_at: datetime | None
    version: str | None
    state: str | None
    signalled: int
    fault: str | None
    area: str | None
    promised_at: datetime | None


class StoredCommand(NamedTuple):
    """A command and its answer: the columns of `command`, in their order (see `CommandRow`)."""

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
    applied_at: datetime | None = None


def lock_request(session: Session, request_id: str) -> Locked:
    """What a decision needs of the request's row, locked until the transaction ends. Raises RequestUnknown."""
    row = statements.LOCK_REQUEST.first(session, {"request_id_": request_id})
    if row is None:
        raise RequestUnknown(request_id)
    return Locked(*row)


def find_stored(session: Session, submission: Submission) -> StoredCommand | None:
    """The command received before with this id, or from the caller under the same idempotency key.

    Raises KeyReused when it had another body.
    """
    wanted = {"id_": submission.command_id, "caller_": submission.caller, "key_": submission.idempotency_key}
    found = statements.FIND_COMMAND.first(session, wanted)
    if found is None:
        return None
    received = StoredCommand(*found)
    if submission.idempotency_key is not None and received.body_hash != submission.body_hash:
        raise KeyReused(submission.idempotency_key)
    return received


def find_by_key(session: Session, caller: str, key: str) -> StoredCommand | None:
    """The command that this caller has given under this idempotency key."""
    found = statements.FIND_COMMAND.first(session, {"id_": "", "caller_": caller, "key_": key})
    return StoredCommand(*found) if found is not None else None


def read_command(session: Session, command_id: str) -> StoredCommand | None:
    """A command by its id."""
    found = statements.READ_COMMAND.first(session, {"id_": command_id})
    return StoredCommand(*found) if found is not None else None


def to_stored(request_id: str, number: int, submission: Submission) -> StoredCommand:
    """A waiting command, as it will be written."""
    return StoredCommand(
        id=submission.command_id,
        request_id=request_id,
        number=number,
        kind=submission.command.kind,
        body=submission.command.model_dump(mode="json"),
        actor=submission.actor.model_dump(mode="json"),
        caller=submission.caller,
        idempotency_key=submission.idempotency_key,
        body_hash=submission.body_hash,
        accepted_at=submission.accepted_at,
    )


def utc_now() -> datetime:
    """The wall clock, aware UTC: the default of every part that can be given another."""
    return datetime.now(UTC)
