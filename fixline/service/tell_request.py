"""What one request tells another: the command of a `tell_request`, decided at the other one.

Owns that delivery. The mark on the effect and the decision at the other request are one transaction, so each arrives
exactly once; what one request tells another arrives in the order of its decisions, whichever effect is taken first.
Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from fixline.domain.process.commands import COMMAND, Actor, Role
from fixline.messages import WorkflowSignal
from fixline.service.commands import Commands
from fixline.service.submissions import Locked, Submission, lock_request
from fixline.store import statements
from fixline.store.statements import EFFECT

TELL = "tell_request"


def destination_of(session: Session, effect_id: str) -> str | None:
    """The request that an effect is to tell something; None when there is no such effect."""
    found = session.connection().execute(select(EFFECT.c.destination).where(EFFECT.c.id == effect_id)).first()
    return None if found is None else str(found[0])


def deliver(
    session: Session,
    commands: Commands,
    request: Locked,
    to: str,
    effect_id: str,
    now: datetime,
    fault: str | None = None,
) -> WorkflowSignal | None:
    """Decide at the other request (locked, too) what the (locked) request has to tell it, up to and with this effect.

    With a `fault`, by which that has failed, the commands are kept as waiting there instead. Answers what the other
    one's workflow is to be told; None when the effect has been taken.
    """
    signal: WorkflowSignal | None = None
    for effect in _untold(session, request.id, to, effect_id):
        submission = Submission(
            command_id=f"{effect.id}:command",
            command=COMMAND.validate_python(effect.data["command"]),
            actor=Actor(name=request.id, role=Role.SYSTEM),
            accepted_at=now,
            caller=request.id,
        )
        row, signal = (
            commands.decide(session, lock_request(session, to), submission, keep_refusal=True)
            if fault is None
            else commands.keep(session, to, submission, fault)
        )
        settled = {"state": "done", "done_at": now, "attempts": effect.attempts + 1, "last_error": None}
        result = {"command": row.id, "number": row.number}
        statements.SETTLE_EFFECT.run(session, {"id_": effect.id, **settled, "result": result})
    return signal


class _Untold(NamedTuple):
    """The columns of an effect that is to be told."""

    id: str
    data: dict[str, dict[str, object]]
    attempts: int


def _untold(session: Session, request_id: str, to: str, effect_id: str) -> list[_Untold]:
    """What has not been told to that request yet, in order, if this effect is among it: up to and with it."""
    rows = session.connection().execute(
        select(EFFECT.c.id, EFFECT.c.data, EFFECT.c.attempts)
        .where(
            EFFECT.c.request_id == request_id,
            EFFECT.c.state != "done",
            EFFECT.c.kind == TELL,
            EFFECT.c.destination == to,
        )
        .order_by(EFFECT.c.decision, EFFECT.c.number)
    )
    found = [_Untold(*row) for row in rows]
    last = next((position for position, effect in enumerate(found) if effect.id == effect_id), -1)
    return found[: last + 1]
