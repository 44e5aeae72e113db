"""The inbox: commands accepted for a request, applied in order, each with its answer.

Owns the one way in which a request changes: under the request's row lock, the commands that wait are decided
one after the other by `fixline.domain.advance`, and state, journal, tasks, clocks, effects and answers are
committed together. Whoever calls (a doorbell, a timer, an effect's report, twice or at once) the result is
the same, because a command is marked applied in the transaction that applies it.

Protection is the row lock and that mark, never a number that the caller believes in: a worker can die after
this commit and before Temporal's record. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlmodel import Session, col

from fixline.domain.advance import advance, next_instant
from fixline.domain.commands import COMMAND, SYSTEM, Actor, Move, Recategorise, Tick
from fixline.domain.decision import Decision, Refusal
from fixline.domain.definition import Definition
from fixline.domain.state import RequestState
from fixline.store import statements
from fixline.store.arrivals import Arrival, Locked, RequestUnknown, as_received, lock_request
from fixline.store.pacing import Pacing
from fixline.store.projection import acted_at, promised_at, request_changes, write_details
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CommandRow
from fixline.store.versions import Versions

log = logging.getLogger(__name__)

PARK_AFTER = 3
"""How often a command may fail by a fault of ours before it is parked and later ones go on."""
FAULT_PAUSE = timedelta(minutes=15)
"""When a tick failed by a fault of ours: how long until it is tried again."""
UNSTOPPABLE = ("hold", "cancel")
"""Commands that a fault in catching up must not block."""


class StoreBehind(Exception):
    """The workflow knows a later decision than the store: the store was restored from an old backup."""


class Pending(NamedTuple):
    """An effect that has not been taken: its id, kind and reach."""

    id: str
    kind: str
    reach: str


class _Waiting(NamedTuple):
    """The columns of a waiting command."""

    id: str
    number: int
    kind: str
    body: dict[str, Any]
    actor: dict[str, Any]
    accepted_at: datetime


@dataclass(frozen=True)
class Applied:
    """What a request has come to after its inbox was emptied; `pending` are the effects not taken yet.

    `wake_at` is when to wake for `next_at`, where that is news for the workflow.
    """

    decision: int
    closed: bool
    next_at: datetime | None
    pending: tuple[Pending, ...]
    type: str
    outcome: str | None
    step: str | None
    priority: str
    department: str | None = None
    team: str | None = None
    area: str | None = None
    due: datetime | None = None
    wake_at: datetime | None = None


@dataclass
class _Run:
    """The decisions of one pass over the inbox, before they are written; `load` finds other versions' definitions."""

    definition: Definition
    followed: Definition
    before: RequestState
    state: RequestState
    load: Callable[[str], Definition]
    decisions: list[Decision] = field(default_factory=list)

    @property
    def next_at(self) -> datetime | None:
        return self.decisions[-1].next_at if self.decisions else None


class Inbox:
    """Applies what waits. One per process; `versions` caches definitions."""

    def __init__(self, store: Store, versions: Versions, pacing: Pacing | None = None) -> None:
        self._store = store
        self._versions = versions
        self._pacing = pacing or Pacing()
        self.in_turn = store.in_turn

    def advance(
        self,
        request_id: str,
        now: datetime,
        *,
        armed_at: datetime | None = None,
        first: bool = False,
        known: int = 0,
    ) -> Applied:
        """Apply every waiting command and everything that is due by now, and say what is left to do.

        Raises RequestUnknown, StoreBehind, StoreAway. A fault of ours never gets out: the command at fault is
        parked after PARK_AFTER tries and the later ones go on.
        """
        try:
            return self._store.write(
                lambda s: self.apply(s, request_id, now, armed_at=armed_at, first=first, known=known)
            )
        except (StoreAway, RequestUnknown, StoreBehind):
            raise
        except Exception:
            log.exception("deciding %s failed; going on command by command", request_id)
        return self._one_by_one(request_id, now, armed_at, first)

    def apply(
        self,
        session: Session,
        request_id: str,
        now: datetime,
        *,
        armed_at: datetime | None = None,
        first: bool = False,
        known: int = 0,
        ticking: bool = True,
        only: str | None = None,
        catch_up: bool = True,
    ) -> Applied:
        """The same inside the caller's transaction; faults of ours do get out, and roll it back."""
        row = lock_request(session, request_id)
        if known > row.decision:
            raise StoreBehind(f"{request_id}: the workflow has seen decision {known}, the store {row.decision}")
        shell_at = now if first and row.shell_at is None else None
        return self.decide(
            session,
            row,
            now,
            armed_at=armed_at,
            shell_at=shell_at,
            arming=first,
            ticking=ticking,
            only=only,
            catch_up=catch_up,
        )

    def decide(
        self,
        session: Session,
        row: Locked,
        now: datetime,
        *,
        reported: Arrival | None = None,
        armed_at: datetime | None = None,
        shell_at: datetime | None = None,
        arming: bool = False,
        ticking: bool = False,
        only: str | None = None,
        catch_up: bool = True,
    ) -> Applied:
        """Decide what waits in a locked request's inbox (or of it the command `only`), then `reported` (an effect's
        report, written with its answer), then what is due; and write all of it. `arming`: the run has no timer."""
        changes: dict[str, Any] = {"shell_at": shell_at} if shell_at else {}
        run = _begin(self._versions, session, row)
        if run is not None:
            waiting = [c for c in _waiting(session, row.id) if only in (None, c.id)]
            answers = [{"id_": c.id, **_answer(run, row.id, c, now, catch_up=catch_up)} for c in waiting]
            if reported is not None:
                changes["inbox"] = row.inbox + 1
                _write_reported(session, run, row, reported, now)
            if ticking:
                changes |= _tick(run, row, now, armed_at)
            if answers:
                statements.ANSWER_COMMAND.run(session, answers)
        applied = _write(session, row, run, changes)
        if applied.next_at is None or (applied.next_at == row.next_at and not arming):
            return applied
        return replace(applied, wake_at=self._pacing.wake_at(applied.next_at))

    def _one_by_one(self, request_id: str, now: datetime, armed_at: datetime | None, first: bool) -> Applied:
        """After a fault: each command in a transaction of its own, the one at fault counted and parked."""
        left = self._store.read(lambda s: [c.id for c in _waiting(s, request_id)])
        for command_id in left:
            self._one(request_id, command_id, now)
        try:
            return self._store.write(lambda s: self.apply(s, request_id, now, armed_at=armed_at, first=first))
        except StoreAway:
            raise
        except Exception as fault:
            log.exception("what is due for %s cannot be decided", request_id)
            text = _fault_text(fault)
            return self._store.write(lambda s: _tick_failed(s, request_id, now, text, first))

    def _one(self, request_id: str, command_id: str, now: datetime) -> None:
        """Apply this command, if it still waits; a fault counts, and parks it in the end."""
        while True:
            try:
                self._store.write(lambda s: self.apply(s, request_id, now, ticking=False, only=command_id))
                return
            except StoreAway:
                raise
            except Exception as fault:
                command = self._count_fault(request_id, command_id, _fault_text(fault), now)
            if command.state == "failed":
                log.error("command %s (%s) is parked: %s", command_id, command.kind, command.fault)
                return
            if command.kind in UNSTOPPABLE and self._without_catching_up(request_id, command_id, now):
                return

    def _count_fault(self, request_id: str, command_id: str, text: str, now: datetime) -> CommandRow:
        return self._store.write(lambda s: _count_fault(s, request_id, command_id, text, now))

    def _without_catching_up(self, request_id: str, command_id: str, now: datetime) -> bool:
        try:
            self._store.write(lambda s: self.apply(s, request_id, now, ticking=False, only=command_id, catch_up=False))
        except StoreAway:
            raise
        except Exception:
            log.exception("deciding %s without catching up failed, too", request_id)
            return False
        return True


def report(session: Session, row: Locked) -> Applied:
    """What the shell needs to know of a request now."""
    pending = statements.PENDING.all(session, {"request_id_": row.id})
    return Applied(
        decision=row.decision,
        closed=row.status == "closed",
        next_at=row.next_at,
        pending=tuple(Pending(*each) for each in pending),
        type=row.type,
        outcome=row.outcome,
        step=row.step,
        priority=row.priority or "",
        department=row.department,
        team=row.team,
        area=row.area,
        due=row.promised_at,
    )


def _begin(versions: Versions, session: Session, row: Locked) -> _Run | None:
    """The request's definition and state; None for history, which has neither."""
    if row.state is None or row.version is None:
        return None
    load = partial(versions.load, session)
    state = RequestState.model_validate_json(row.state)
    definition = load(row.version)
    return _Run(definition, definition, state, state, load)


def _waiting(session: Session, request_id: str) -> list[_Waiting]:
    rows = statements.WAITING.all(session, {"request_id_": request_id})
    return [_Waiting(*row) for row in rows]


def _answer(run: _Run, request_id: str, waiting: _Waiting, now: datetime, *, catch_up: bool) -> dict[str, Any]:
    """Decide one command: the columns that answer it. A refusal is an answer, too."""
    command = COMMAND.validate_python(waiting.body)
    target = run.load(command.version) if isinstance(command, Recategorise | Move) else None
    result = advance(
        run.definition,
        run.state,
        command,
        waiting.accepted_at,
        actor=Actor.model_validate(waiting.actor),
        request_id=request_id,
        catch_up=catch_up,
        target=target,
    )
    if isinstance(result, Refusal):
        return {"state": "refused", "decision": None, "answer": result.model_dump(mode="json"), "applied_at": now}
    run.definition = target or run.definition
    run.state = result.state
    run.decisions.append(result)
    answer = answer_of(run.definition, result, waiting.body)
    return {"state": "applied", "decision": result.number, "answer": answer, "applied_at": now}


def _write_reported(session: Session, run: _Run, row: Locked, arrival: Arrival, now: datetime) -> None:
    command = as_received(row.id, row.inbox + 1, arrival)
    waiting = _Waiting(command.id, command.number, command.kind, command.body, command.actor, command.accepted_at)
    values = {**command._asdict(), **_answer(run, row.id, waiting, now, catch_up=True)}
    statements.INSERT_COMMAND.run(session, values)


def answer_of(definition: Definition, decision: Decision, body: dict[str, Any]) -> dict[str, Any]:
    """What the caller is told when a command has been applied: the request, and the task it was about."""
    state = decision.state
    promised = promised_at(definition, state)
    answer: dict[str, Any] = {
        "request": {
            "id": state.id,
            "type": state.type,
            "status": state.status,
            "outcome": state.outcome.value if state.outcome else None,
            "step": state.position.step if state.position else None,
            "on_hold": state.hold is not None,
            "attached_to": state.attached_to,
            "priority": state.priority.value,
            "promised_at": promised.isoformat() if promised else None,
            "updated_at": decision.at.isoformat(),
            "decision": decision.number,
        }
    }
    task = state.tasks.get(body.get("task") or "")
    if task is not None:
        answer["task"] = task.model_dump(
            mode="json", include={"id", "state", "step", "kind", "team", "assignee", "outcome"}
        )
    return answer


def _tick(run: _Run, row: Locked, now: datetime, armed_at: datetime | None) -> dict[str, Any]:
    """Decide what is due by itself; the columns that follow. Its `now` is never before the armed instant.

    A fault is over when a tick succeeds, and with the request. Where nothing is due after all, the next instant is
    looked up anew: one that has passed would fire for ever.
    """
    next_at = run.next_at if run.decisions else row.next_at
    now = max(now, armed_at) if armed_at else now
    if run.state.closed:
        return {"fault": None} if row.fault else {}
    if (next_at is not None and next_at > now) or (next_at is None and row.fault is None):
        return {}
    result = advance(run.definition, run.state, Tick(), now, actor=SYSTEM, request_id=row.id)
    if isinstance(result, Refusal):
        return {"fault": None, "next_at": next_instant(run.definition, run.state)}
    run.state = result.state
    run.decisions.append(result)
    return {"fault": None}


def _write(session: Session, row: Locked, run: _Run | None, changes: dict[str, Any]) -> Applied:
    """Write what was decided, and say what is left to do."""
    if run is not None and run.decisions:
        changes = request_changes(run.definition, run.before, run.decisions[-1], followed=run.followed) | changes
        changes |= acted_at(run.decisions)
        write_details(session, row.id, run.decisions, run.definition, changes.keys())
    if changes:
        statements.UPDATE_REQUEST.run(session, {"request_id_": row.id, **changes})
        row = row._replace(**{name: value for name, value in changes.items() if name in Locked._fields})
    return report(session, row)


def _fault_text(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"[:2000]


def _count_fault(session: Session, request_id: str, command_id: str, text: str, now: datetime) -> CommandRow:
    lock_request(session, request_id)
    row = session.get_one(CommandRow, command_id)
    if row.state != "waiting":  # another pass has answered or parked it meanwhile
        return row
    row.attempts += 1
    row.fault = text
    if row.attempts >= PARK_AFTER:
        row.state, row.applied_at = "failed", now
        row.answer = {"code": "parked", "message": "the command could not be applied by a fault of ours; it is kept"}
    session.add(row)
    return row


def _tick_failed(session: Session, request_id: str, now: datetime, text: str, first: bool) -> Applied:
    row = lock_request(session, request_id)
    shell_at = {"shell_at": now} if first and row.shell_at is None else {}
    return _write(session, row, None, {"fault": text, "next_at": now + FAULT_PAUSE, **shell_at})


def retry_parked(session: Session, command_ids: Sequence[str] | None = None) -> int:
    """Let parked commands wait again (all, or those named); the relay rings for them. Answers how many."""
    statement = update(CommandRow).where(col(CommandRow.state) == "failed")
    if command_ids is not None:
        statement = statement.where(col(CommandRow.id).in_(command_ids))
    result = session.execute(
        statement.values(
            state="waiting", answer={}, attempts=0, retries=CommandRow.retries + 1, rung_at=None, applied_at=None
        )
    )
    return int(getattr(result, "rowcount", 0))
