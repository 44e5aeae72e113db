"""The one use case of every command: decided where it arrives, in one transaction.

Under the request's row lock a repeated key is found, what fell due before happens, the pinned definition decides, and
state, journal, tasks, clocks, effects and the command with its answer are written together; so is what fell due by
itself, when the workflow's timer has fired. What the workflow is then told is read in the same transaction. A command
whose decision fails by a fault of ours is kept as waiting; the workflow has it tried again, and parks it in the end.
Later ones go on meanwhile. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import update
from sqlmodel import Session, col

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.advance import advance, next_instant
from fixline.domain.process.commands import COMMAND, SYSTEM, Actor, Command, Move, Recategorise, Tick
from fixline.domain.process.decision import Decision, Refusal, Refused
from fixline.errors import FixlineError
from fixline.messages import DueInput, PendingWork, WorkflowSignal
from fixline.service import submissions
from fixline.service.pending import pending_work
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked, StoredCommand, Submission, lock_request, to_stored
from fixline.store import statements
from fixline.store.projection import promised_at, request_changes, write_details
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CommandRow
from fixline.store.versions import Versions

T = TypeVar("T")
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
        self.versions = versions
        self.scheduling = scheduling or Scheduling()

    # -- in a transaction of their own -----------------------------------------------------------------------------

    def submit(self, request_id: str, submission: Submission, check: Check | None = None) -> Given:
        """Decide a command; its row has the final answer, or that of the command that came before under its key.

        Raises RequestUnknown, NotAllowed, Refused, KeyReused, StoreAway; then nothing was written. A fault of ours
        never gets out: the row is waiting then.
        """
        decide = partial(self.decide, request_id=request_id, submission=submission, check=check)
        kind, text = submission.command.kind, ""
        for catch_up in (True, False) if kind in UNSTOPPABLE else (True,):
            try:
                return self._store.write(partial(decide, catch_up=catch_up))
            except EXPECTED:
                raise
            except Exception as fault:
                failed = "failed" if catch_up else "without catching up failed, too"
                log.exception("deciding a %s for %s %s", kind, request_id, failed)
                text = text or fault_text(fault)
        return self._store.write(partial(decide, fault=text))

    def due(self, given: DueInput) -> PendingWork:
        """Decide everything that is due by now, and say what is left to do; waiting commands are tried before.

        Asked by the workflow, which then knows it. Raises RequestUnknown, StoreBehind, StoreAway. A fault of ours
        never gets out: what is due is put off, and a command at fault is parked after PARK_AFTER tries.
        """
        request_id = given.request_id

        def decide(session: Session, *, tried: bool) -> PendingWork | list[str]:
            row = lock_request(session, request_id)
            if given.known > row.decision:
                raise StoreBehind(
                    f"{request_id}: the workflow has seen decision {given.known}, the store {row.decision}"
                )
            waiting = [each[0] for each in statements.WAITING.all(session, {"request_id_": request_id})]
            if waiting and not tried:
                return waiting
            run = _begin(self.versions, session, row)
            changes = _tick(run, row, given) if run is not None else {}
            return self._write(session, row, run, changes, told=True, unarmed=given.unarmed)

        try:
            work = self._store.write(partial(decide, tried=False))
            if isinstance(work, list):
                for command_id in work:
                    self._try(request_id, command_id, given.now)
                work = self._store.write(partial(decide, tried=True))
        except EXPECTED:
            raise
        except Exception as fault:
            log.exception("what is due for %s cannot be decided", request_id)
            off = {"fault": fault_text(fault), "next_at": given.now + FAULT_PAUSE}
            return self._store.write(lambda s: self._write(s, lock_request(s, request_id), None, off, told=True))
        assert isinstance(work, PendingWork)  # noqa: S101 - the second time, or the first where nothing waited
        return work

    # -- in the caller's transaction -------------------------------------------------------------------------------

    def decide(
        self,
        session: Session,
        request_id: str,
        submission: Submission,
        check: Check | None = None,
        *,
        catch_up: bool = True,
        keep_refusal: bool = False,
        fault: str | None = None,
    ) -> Given:
        """Decide a command. With `keep_refusal` a refusal is written and answered as a row, not raised; with a `fault`
        of ours, by which its decision has failed, the command is kept as waiting.

        Raises as `submit`, and whatever is a fault of ours.
        """
        row = lock_request(session, request_id)
        if check is not None:
            check(session, row)
        known = submissions.find_stored(session, submission)
        if known is not None:
            return Given(known, None)
        number, run = row.last_command + 1, None
        if fault is not None:
            received = to_stored(row.id, number, submission)._replace(attempts=1, fault=fault)
        else:
            run = _begin(self.versions, session, row)
            received = _answered(run, row.id, number, submission, catch_up=catch_up)
            if received.state == "refused" and not keep_refusal:
                raise Refused(Refusal.model_validate(received.answer))
        statements.INSERT_COMMAND.run(session, received._asdict())
        work = self._write(session, row, run, {"last_command": number}, caught_up=catch_up)
        return Given(received, WorkflowSignal(row.id, received.kind, work))

    def settle(self, session: Session, row: Locked, commands: Sequence[Submission]) -> PendingWork:
        """Decide what effects have learned, if anything, for a locked request whose own workflow asks; a refusal is
        written, too."""
        if not commands:
            return self._write(session, row, None, {}, told=True)
        run, last = _begin(self.versions, session, row), row.last_command
        reports = [_answered(run, row.id, number, each) for number, each in enumerate(commands, last + 1)]
        statements.INSERT_COMMAND.run(session, [each._asdict() for each in reports])
        return self._write(session, row, run, {"last_command": last + len(reports)}, told=True)

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
            changes = request_changes(run.definition, run.before, run.decisions, followed=run.followed) | changes
            if row.fault and (caught_up or run.state.closed):
                changes["fault"] = None
            write_details(session, row._asdict() | changes, run.decisions, changes)
        decision = changes.get("decision", row.decision)
        if told and row.signalled < decision:
            changes["signalled"] = decision
        if changes:
            statements.UPDATE_REQUEST.run(session, {"request_id_": row.id, **changes})
            row = row._replace(**{name: value for name, value in changes.items() if name in Locked._fields})
        return pending_work(session, row, self.scheduling, news=unarmed or row.next_at != before)

    # -- faults of ours --------------------------------------------------------------------------------------------

    def _try(self, request_id: str, command_id: str, now: datetime) -> None:
        """Decide a command that waits, if it still does; a fault counts, and parks it in the end."""
        waiting = (request_id, command_id, now)
        catch_up = True
        while True:
            try:
                return self._store.write(partial(self._decide_waiting, waiting=waiting, catch_up=catch_up))
            except EXPECTED:
                raise
            except Exception as fault:
                if not catch_up:
                    log.exception("deciding %s without catching up failed, too", request_id)
                    catch_up = True
                    continue
                command = self._store.write(partial(_count_fault, waiting=waiting, text=fault_text(fault)))
            if command.state == "failed":
                log.error("command %s (%s) is parked: %s", command_id, command.kind, command.fault)
                return None
            catch_up = command.kind not in UNSTOPPABLE

    def _decide_waiting(self, session: Session, waiting: tuple[str, str, datetime], *, catch_up: bool) -> None:
        request_id, command_id, now = waiting
        row = lock_request(session, request_id)
        kept = statements.WAITING.all(session, {"request_id_": request_id})
        found = [each for each in kept if each[0] == command_id]
        run = _begin(self.versions, session, row)
        if not found or run is None:  # another run has tried it meanwhile
            return
        ((_, body, actor, accepted_at),) = found
        command = Submission(
            command_id, COMMAND.validate_python(body), Actor.model_validate(actor), accepted_at, caller=""
        )
        told = _answered(run, row.id, 0, command, catch_up=catch_up)
        answer = {"state": told.state, "decision": told.decision, "answer": told.answer}
        statements.ANSWER_COMMAND.run(session, {"id_": command_id, **answer, "applied_at": now})
        self._write(session, row, run, {}, caught_up=catch_up, told=True)


_SAID = (submissions.RequestUnknown, submissions.NotAllowed, submissions.KeyReused)
EXPECTED = (*_SAID, StoreAway, StoreBehind, Refused)
"""What a command may be answered with beside its row; anything else is a fault of ours."""
HISTORY = Refusal(code="request_is_history", message="the request is history from another system and takes no commands")
_OF_TASK = ("id", "state", "step", "kind", "team", "assignee", "outcome")


def answer_of(definition: Definition, decision: Decision, command: Command) -> dict[str, Any]:
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
    task = state.tasks.get(getattr(command, "task", None) or "")
    if task is not None:
        answer["task"] = {name: getattr(task, name) for name in _OF_TASK}
    return answer


def _answered(
    run: _Run | None, request_id: str, number: int, given: Submission, *, catch_up: bool = True
) -> StoredCommand:
    """Decide a command: its row with the answer; the run goes on from what was decided. A refusal is an answer, too:
    imported history has no other."""
    received, command, at = to_stored(request_id, number, given), given.command, given.accepted_at
    refusal = HISTORY
    if run is not None:
        definition, state = run.definition, run.state
        target = run.load(command.version) if isinstance(command, Recategorise | Move) else None
        result = advance(
            definition, state, command, at, actor=given.actor, request_id=request_id, catch_up=catch_up, target=target
        )
        if isinstance(result, Decision):
            run.definition, run.state = target or definition, result.state
            run.decisions.append(result)
            answer = answer_of(run.definition, result, command)
            return received._replace(state="applied", decision=result.number, answer=answer, applied_at=result.at)
        refusal = result
    return received._replace(state="refused", answer=refusal.model_dump(mode="json"), applied_at=at)


def _begin(versions: Versions, session: Session, row: Locked) -> _Run | None:
    """The request's definition and state; None for history, which has neither."""
    if row.state is None or row.version is None:
        return None
    load = partial(versions.load, session)
    state = read_state(row.state)
    definition = load(row.version)
    return _Run(definition, definition, state, state, load)


def _tick(run: _Run, row: Locked, given: DueInput) -> dict[str, Any]:
    """Decide what is due by itself; the columns that follow. Its `now` is never before the armed instant.

    A fault is over when a tick succeeds, and with the request. Where nothing is due after all, the next instant is
    looked up anew: one that has passed would fire for ever.
    """
    now = max(given.now, given.armed_at) if given.armed_at else given.now
    if run.state.closed:
        return {"fault": None} if row.fault else {}
    if (row.next_at is not None and row.next_at > now) or (row.next_at is None and row.fault is None):
        return {}
    result = advance(run.definition, run.state, Tick(), now, actor=SYSTEM, request_id=row.id)
    if isinstance(result, Refusal):
        return {"fault": None, "next_at": next_instant(run.definition, run.state)}
    run.state = result.state
    run.decisions.append(result)
    return {"fault": None}


def fault_text(fault: Exception) -> str:
    """A fault for operators, on the row that it concerns."""
    return f"{type(fault).__name__}: {fault}"[:2000]


def _count_fault(session: Session, waiting: tuple[str, str, datetime], text: str) -> CommandRow:
    request_id, command_id, now = waiting
    lock_request(session, request_id)
    row = session.get_one(CommandRow, command_id)
    if row.state != "waiting":  # another run has answered or parked it meanwhile
        return row
    row.attempts += 1
    row.fault = text
    if row.attempts >= PARK_AFTER:
        row.state, row.applied_at = "failed", now
        row.answer = {"code": "parked", "message": "the command could not be applied by a fault of ours; it is kept"}
    return row


def retry_parked(session: Session) -> int:
    """Let parked commands wait again; the relay has them tried. Answers how many."""
    again = {"state": "waiting", "answer": {}, "attempts": 0, "retries": CommandRow.retries + 1, "applied_at": None}
    result = session.execute(update(CommandRow).where(col(CommandRow.state) == "failed").values(**again))
    return int(getattr(result, "rowcount", 0))
