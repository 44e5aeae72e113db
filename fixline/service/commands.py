"""The one use case of every command: decided where it arrives, in one transaction.

Owns that transaction: under the request's row lock a repeated key is found, what fell due before happens, the command
is decided by the pinned definition version, and state, journal, tasks, clocks, effects and the command with its answer
are written together. What fell due by itself is decided the same way, when the workflow's timer has fired. What the
workflow is then told, the work that is left to do, is read in the same transaction. Instants are aware UTC.

A command whose decision fails by a fault of ours is kept as waiting; the workflow has it tried again, and parks it in
the end. Later ones go on meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlmodel import Session, col

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.advance import advance, next_instant
from fixline.domain.process.commands import COMMAND, SYSTEM, Actor, Command, Move, Recategorise, Tick
from fixline.domain.process.decision import Decision, Refusal, Refused
from fixline.errors import FixlineError
from fixline.messages import PendingWork, WorkflowSignal
from fixline.service.pending import pending_work
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import (
    KeyReused,
    Locked,
    NotAllowed,
    RequestUnknown,
    StoredCommand,
    Submission,
    find_stored,
    lock_request,
    to_stored,
)
from fixline.store import statements
from fixline.store.projection import acted_at, promised_at, request_changes, write_details
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CommandRow
from fixline.store.versions import Versions

log = logging.getLogger(__name__)

PARK_AFTER = 3
"""How often a command may fail by a fault of ours before it is parked."""
FAULT_PAUSE = timedelta(minutes=15)
"""When what is due cannot be decided by a fault of ours: how long until it is tried again."""
UNSTOPPABLE = ("hold", "cancel")
"""Commands that a fault in catching up must not block."""

Check = Callable[[Session, Locked], None]
"""Whether the command may be given to this (locked) request; raises NotAllowed."""


class StoreBehind(FixlineError):
    """The workflow knows a later decision than the store: the store was restored from an old backup."""


class Given(NamedTuple):
    """A command's row with its answer, and what its request's workflow is to be told; None where that is no news."""

    row: StoredCommand
    signal: WorkflowSignal | None


class _Waiting(NamedTuple):
    """The columns of a waiting command."""

    id: str
    body: dict[str, Any]
    actor: dict[str, Any]
    accepted_at: datetime


@dataclass
class _Run:
    """The decisions of one transaction, before they are written; `load` finds other versions' definitions."""

    definition: Definition
    followed: Definition
    before: RequestState
    state: RequestState
    load: Callable[[str], Definition]
    decisions: list[Decision] = field(default_factory=list)


class Commands:
    """Decides commands and what is due. One per process; `versions` caches definitions."""

    def __init__(self, store: Store, versions: Versions, scheduling: Scheduling | None = None) -> None:
        self._store = store
        self._versions = versions
        self._scheduling = scheduling or Scheduling()
        self.in_turn = store.in_turn

    # -- in a transaction of their own -----------------------------------------------------------------------------

    def submit(self, request_id: str, submission: Submission, check: Check | None = None) -> Given:
        """Decide a command; its row has the final answer, or that of the command that came before under its key.

        Raises RequestUnknown, NotAllowed, Refused, KeyReused, StoreAway; then nothing was written. A fault of ours
        never gets out: the row is waiting then.
        """
        try:
            return self._store.write(lambda s: self.give(s, request_id, submission, check))
        except EXPECTED:
            raise
        except Exception as fault:
            log.exception("deciding a %s for %s failed", submission.command.kind, request_id)
            text = fault_text(fault)
        if submission.command.kind in UNSTOPPABLE:
            try:
                return self._store.write(lambda s: self.give(s, request_id, submission, check, catch_up=False))
            except EXPECTED:
                raise
            except Exception:
                log.exception(
                    "deciding a %s for %s without catching up failed, too", submission.command.kind, request_id
                )
        return self._store.write(lambda s: self.keep(s, request_id, submission, text, check))

    def due(
        self,
        request_id: str,
        now: datetime,
        *,
        armed_at: datetime | None = None,
        unarmed: bool = False,
        known: int = 0,
    ) -> PendingWork:
        """Decide everything that is due by now, and say what is left to do; waiting commands are tried before.

        Asked by the workflow, which then knows it. Raises RequestUnknown, StoreBehind, StoreAway. A fault of ours
        never gets out: what is due is put off, and a command at fault is parked after PARK_AFTER tries.
        """

        def decide(session: Session, *, tried: bool) -> PendingWork | list[str]:
            row = lock_request(session, request_id)
            if known > row.decision:
                raise StoreBehind(f"{request_id}: the workflow has seen decision {known}, the store {row.decision}")
            waiting = [] if tried else [each.id for each in _waiting(session, request_id)]
            return waiting or self._due(session, row, now, armed_at, unarmed=unarmed)

        try:
            work = self._store.write(partial(decide, tried=False))
            if isinstance(work, list):
                for command_id in work:
                    self._try(request_id, command_id, now)
                work = self._store.write(partial(decide, tried=True))
        except (*EXPECTED, StoreBehind):
            raise
        except Exception as fault:
            log.exception("what is due for %s cannot be decided", request_id)
            text = fault_text(fault)
            return self._store.write(lambda s: self._put_off(s, request_id, now, text))
        assert isinstance(work, PendingWork)  # noqa: S101 - the second time, or the first where nothing waited
        return work

    # -- in the caller's transaction -------------------------------------------------------------------------------

    def give(
        self,
        session: Session,
        request_id: str,
        submission: Submission,
        check: Check | None = None,
        *,
        catch_up: bool = True,
    ) -> Given:
        """Decide a command. Raises as `submit`, and whatever is a fault of ours."""
        return self.decide(session, lock_request(session, request_id), submission, check, catch_up=catch_up)

    def decide(
        self,
        session: Session,
        row: Locked,
        submission: Submission,
        check: Check | None = None,
        *,
        catch_up: bool = True,
        keep_refusal: bool = False,
    ) -> Given:
        """Decide a command for a locked request. With `keep_refusal` a refusal is written and answered as a row, not
        raised."""
        if check is not None:
            check(session, row)
        known = find_stored(session, submission)
        if known is not None:
            return Given(known, None)
        run = _begin(self._versions, session, row)
        received = _answered(run, row, row.last_command + 1, submission, catch_up=catch_up)
        if received.state == "refused" and not keep_refusal:
            raise Refused(Refusal.model_validate(received.answer))
        statements.INSERT_COMMAND.run(session, received._asdict())
        work = self._write(session, row, run, {"last_command": received.number}, caught_up=catch_up)
        return Given(received, WorkflowSignal(row.id, received.kind, work))

    def settle(self, session: Session, row: Locked, commands: Sequence[Submission]) -> PendingWork:
        """Decide what effects have learned, for a locked request whose own workflow asks; a refusal is written, too."""
        run = _begin(self._versions, session, row)
        reports = [_answered(run, row, row.last_command + n, submission) for n, submission in enumerate(commands, 1)]
        statements.INSERT_COMMAND.run(session, [each._asdict() for each in reports])
        return self._write(session, row, run, {"last_command": row.last_command + len(reports)}, told=True)

    def keep(
        self, session: Session, request_id: str, submission: Submission, fault: str, check: Check | None = None
    ) -> Given:
        """Write a command as waiting: its decision has failed by this fault of ours."""
        row = lock_request(session, request_id)
        if check is not None:
            check(session, row)
        known = find_stored(session, submission)
        if known is not None:
            return Given(known, None)
        received = to_stored(row.id, row.last_command + 1, submission)._replace(attempts=1, fault=fault)
        statements.INSERT_COMMAND.run(session, received._asdict())
        work = self._write(session, row, None, {"last_command": received.number})
        return Given(received, WorkflowSignal(row.id, received.kind, work))

    def work_of(self, session: Session, row: Locked, *, told: bool = False) -> PendingWork:
        """What is left to do for a locked request. `told`: its own workflow asks, and will know it."""
        return self._write(session, row, None, {}, told=told)

    def _due(
        self, session: Session, row: Locked, now: datetime, armed_at: datetime | None, *, unarmed: bool
    ) -> PendingWork:
        run = _begin(self._versions, session, row)
        changes = _tick(run, row, now, armed_at) if run is not None else {}
        return self._write(session, row, run, changes, told=True, unarmed=unarmed)

    def _write(
        self,
        session: Session,
        row: Locked,
        run: _Run | None,
        changes: dict[str, Any],
        *,
        caught_up: bool = True,
        told: bool = False,
        unarmed: bool = False,
    ) -> PendingWork:
        """Write what was decided, and say what is left to do. A fault is over with a decision that `caught_up` with
        what was due before, and with the request."""
        before = row.next_at
        if run is not None and run.decisions:
            changes = request_changes(run.definition, run.before, run.decisions[-1], followed=run.followed) | changes
            changes |= acted_at(run.decisions)
            if row.fault and (caught_up or run.state.closed):
                changes["fault"] = None
            write_details(session, row.id, run.decisions, run.definition, changes.keys())
        decision = changes.get("decision", row.decision)
        if told and row.signalled < decision:
            changes["signalled"] = decision
        if changes:
            statements.UPDATE_REQUEST.run(session, {"request_id_": row.id, **changes})
            row = row._replace(**{name: value for name, value in changes.items() if name in Locked._fields})
        return pending_work(session, row, self._scheduling, news=unarmed or row.next_at != before)

    # -- faults of ours --------------------------------------------------------------------------------------------

    def _try(self, request_id: str, command_id: str, now: datetime) -> None:
        """Decide a command that waits, if it still does; a fault counts, and parks it in the end."""
        while True:
            try:
                self._store.write(lambda s: self._decide_waiting(s, request_id, command_id, now, catch_up=True))
                return
            except EXPECTED:
                raise
            except Exception as fault:
                text = fault_text(fault)
                command = self._store.write(lambda s, t=text: _count_fault(s, request_id, command_id, t, now))  # type: ignore[misc]
            if command.state == "failed":
                log.error("command %s (%s) is parked: %s", command_id, command.kind, command.fault)
                return
            if command.kind in UNSTOPPABLE and self._without_catching_up(request_id, command_id, now):
                return

    def _decide_waiting(
        self, session: Session, request_id: str, command_id: str, now: datetime, *, catch_up: bool
    ) -> None:
        row = lock_request(session, request_id)
        found = [each for each in _waiting(session, row.id) if each.id == command_id]
        run = _begin(self._versions, session, row)
        if not found or run is None:  # another run has tried it meanwhile
            return
        (waiting,) = found
        actor, command = Actor.model_validate(waiting.actor), COMMAND.validate_python(waiting.body)
        result = _decided(run, row.id, waiting.accepted_at, actor, command, catch_up=catch_up)
        if isinstance(result, Refusal):
            answer = {"state": "refused", "decision": None, "answer": result.model_dump(mode="json")}
        else:
            answer = _applied(run, result, waiting.body)
        statements.ANSWER_COMMAND.run(session, {"id_": command_id, **answer, "applied_at": now})
        self._write(session, row, run, {}, caught_up=catch_up, told=True)

    def _without_catching_up(self, request_id: str, command_id: str, now: datetime) -> bool:
        try:
            self._store.write(lambda s: self._decide_waiting(s, request_id, command_id, now, catch_up=False))
        except EXPECTED:
            raise
        except Exception:
            log.exception("deciding %s without catching up failed, too", request_id)
            return False
        return True

    def _put_off(self, session: Session, request_id: str, now: datetime, fault: str) -> PendingWork:
        row = lock_request(session, request_id)
        return self._write(session, row, None, {"fault": fault, "next_at": now + FAULT_PAUSE}, told=True)


EXPECTED = (StoreAway, RequestUnknown, NotAllowed, Refused, KeyReused)
"""What a command may be answered with beside its row; anything else is a fault of ours."""
HISTORY = Refusal(code="request_is_history", message="the request is history from another system and takes no commands")


_OF_TASK = ("id", "state", "step", "kind", "team", "assignee", "outcome")


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
        answer["task"] = {name: getattr(task, name) for name in _OF_TASK}
    return answer


def _answered(
    run: _Run | None, row: Locked, number: int, submission: Submission, *, catch_up: bool = True
) -> StoredCommand:
    """Decide a command: its row with the answer. A refusal is an answer, too."""
    received = to_stored(row.id, number, submission)
    result = _decided(run, row.id, submission.accepted_at, submission.actor, submission.command, catch_up=catch_up)
    if isinstance(result, Refusal):
        refused = result.model_dump(mode="json")
        return received._replace(state="refused", answer=refused, applied_at=submission.accepted_at)
    return received._replace(**_applied(run, result, received.body), applied_at=result.at)


def _applied(run: _Run | None, decision: Decision, body: dict[str, Any]) -> dict[str, Any]:
    """The columns of a command that was applied."""
    assert run is not None  # noqa: S101 - it has just decided
    answer = answer_of(run.definition, decision, body)
    return {"state": "applied", "decision": decision.number, "answer": answer}


def _begin(versions: Versions, session: Session, row: Locked) -> _Run | None:
    """The request's definition and state; None for history, which has neither."""
    if row.state is None or row.version is None:
        return None
    load = partial(versions.load, session)
    state = read_state(row.state)
    definition = load(row.version)
    return _Run(definition, definition, state, state, load)


def _decided(
    run: _Run | None, request_id: str, now: datetime, actor: Actor, command: Command, *, catch_up: bool = True
) -> Decision | Refusal:
    """Decide one command; the run goes on from what was decided. Imported history takes none."""
    if run is None:
        return HISTORY
    target = run.load(command.version) if isinstance(command, Recategorise | Move) else None
    result = advance(
        run.definition,
        run.state,
        command,
        now,
        actor=actor,
        request_id=request_id,
        catch_up=catch_up,
        target=target,
    )
    if isinstance(result, Decision):
        run.definition = target or run.definition
        run.state = result.state
        run.decisions.append(result)
    return result


def _tick(run: _Run, row: Locked, now: datetime, armed_at: datetime | None) -> dict[str, Any]:
    """Decide what is due by itself; the columns that follow. Its `now` is never before the armed instant.

    A fault is over when a tick succeeds, and with the request. Where nothing is due after all, the next instant is
    looked up anew: one that has passed would fire for ever.
    """
    now = max(now, armed_at) if armed_at else now
    if run.state.closed:
        return {"fault": None} if row.fault else {}
    if (row.next_at is not None and row.next_at > now) or (row.next_at is None and row.fault is None):
        return {}
    result = _decided(run, row.id, now, SYSTEM, Tick())
    if isinstance(result, Refusal):
        return {"fault": None, "next_at": next_instant(run.definition, run.state)}
    return {"fault": None}


def _waiting(session: Session, request_id: str) -> list[_Waiting]:
    rows = statements.WAITING.all(session, {"request_id_": request_id})
    return [_Waiting(*row) for row in rows]


def fault_text(fault: Exception) -> str:
    """A fault for operators, on the row that it concerns."""
    return f"{type(fault).__name__}: {fault}"[:2000]


def _count_fault(session: Session, request_id: str, command_id: str, text: str, now: datetime) -> CommandRow:
    lock_request(session, request_id)
    row = session.get_one(CommandRow, command_id)
    if row.state != "waiting":  # another run has answered or parked it meanwhile
        return row
    row.attempts += 1
    row.fault = text
    if row.attempts >= PARK_AFTER:
        row.state, row.applied_at = "failed", now
        row.answer = {"code": "parked", "message": "the command could not be applied by a fault of ours; it is kept"}
    session.add(row)
    return row


def retry_parked(session: Session) -> int:
    """Let parked commands wait again; the relay has them tried. Answers how many."""
    again = {"state": "waiting", "answer": {}, "attempts": 0, "retries": CommandRow.retries + 1, "applied_at": None}
    result = session.execute(update(CommandRow).where(col(CommandRow.state) == "failed").values(**again))
    return int(getattr(result, "rowcount", 0))
