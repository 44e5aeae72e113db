"""Effects' bookkeeping: what a decision causes, taken once by its key, its result written with it.

The effect's mark and the command that reports what it learned, or the decision at another request that it asks for, are
one transaction, and so is the work of those that stay within the store. Those that reach outside do their work between
two transactions: their key tells whoever is reached that it is the same. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlmodel import Session

from fixline.domain.journal.state import read_state
from fixline.domain.process.commands import COMMAND, SYSTEM, Actor, EffectResult, Role
from fixline.domain.process.effects import Effect, read_effect
from fixline.errors import FixlineError
from fixline.messages import EffectInput, PendingWork, WorkflowSignal
from fixline.service.commands import Commands, fault_text
from fixline.service.submissions import Locked, RequestUnknown, Submission, lock_request, utc_now
from fixline.store import statements
from fixline.store.statements import EFFECT
from fixline.store.store import Store, StoreAway


class _Kept(NamedTuple):
    """An effect's columns; the order is that of `statements.READ_EFFECT`."""

    id: str
    kind: str
    state: str
    data: dict[str, Any]
    attempts: int


log = logging.getLogger(__name__)
OVER = ("done", "dropped")
"""The states of effects that nothing is left to do for."""
_NO_RESULT = {"kind", "effect", "effect_kind"}

Taking = Callable[[Session, Any, Locked], EffectResult | None]
"""The work of one kind of effect: may read and write in the transaction, answers what it learned."""
Finding = Callable[[Session, Any, Locked], Any]
"""What the work of an effect needs to know, read in a transaction before it."""
Reaching = Callable[[Any, Any], EffectResult | None]
"""The work of an effect that reaches outside, given what was found, else its request: what it learned, or raises."""
Learned = dict[str, EffectResult | Exception | None]
"""What each effect's work came to, by the effect's id."""


class Begun(NamedTuple):
    """Effects that are to be taken, each with what was found for it; and those for which nobody waits any more."""

    ready: list[tuple[Effect, Any]]
    pointless: list[str]


class EffectUnknown(FixlineError, LookupError):
    """The store has no such effect: it was restored from an older backup than the workflow."""


EXPECTED = (StoreAway, EffectUnknown, RequestUnknown)
"""What is no fault of the effect's work."""


class Effects:
    """Takes effects. One per process."""

    def __init__(self, store: Store, commands: Commands) -> None:
        self._store = store
        self.commands = commands
        self.in_turn = store.in_turn

    def take(self, given: EffectInput, taking: Taking) -> PendingWork:
        """Take one effect, unless it has been taken, and apply what it learned; says what is left to do.

        Raises RequestUnknown, EffectUnknown, StoreAway. Whatever else the work raises leaves the effect
        pending, counts the attempt and keeps the error for the operator, and is raised again.
        """
        with self._noting(given.request_id, [given.effect_id]):
            return self._store.write(lambda s: self._settle(s, given.request_id, [given.effect_id], given.now, taking))

    def tell(self, given: EffectInput) -> tuple[PendingWork, WorkflowSignal | None]:
        """Decide the command of a `tell_request` at the other request; what is left to do, and what the other one's
        workflow is to be told: None when the effect has been taken.

        What was to be told to that request before, and has not been, goes first: commands from one request to
        another arrive in order, whichever effect is taken first. Raises RequestUnknown, EffectUnknown, StoreAway. A
        fault of ours at the other request is no reason to try again here: there the command waits.
        """
        try:
            return self._store.write(lambda s: self._tell(s, given, None))
        except EXPECTED:
            raise
        except Exception as fault:
            log.exception("deciding what %s tells another failed", given.request_id)
            text = fault_text(fault)
        with self._noting(given.request_id, [given.effect_id]):
            return self._store.write(lambda s: self._tell(s, given, text))

    def reach(
        self,
        given: EffectInput,
        reaching: Reaching,
        finding: Finding | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> PendingWork:
        """Take effects that reach outside: not those that have been taken, nor those for which nobody waits any more.

        Raises as `take` does, once all have been tried. `now` is asked after the work, which may have taken a while.
        """
        begun = self.begin(given, finding)
        return self.settle(given.request_id, begun, self.reached(begun, reaching), now())

    def begin(self, given: EffectInput, finding: Finding | None = None) -> Begun:
        """Find out what is still to be taken, and what its work needs to know; only a failure is written. Raises as
        `take` does."""

        def work(session: Session) -> Begun:
            request = lock_request(session, given.request_id)
            state = read_state(request.state) if request.state else None
            begun = Begun([], [])
            for kept in [_kept(session, effect_id) for effect_id in given.effect_ids]:
                if kept.state in OVER:
                    continue
                effect = read_effect(kept.kind, kept.id, kept.data)
                if state is None or effect.pointless(state):
                    begun.pointless.append(effect.id)
                else:
                    begun.ready.append((effect, finding(session, effect, request) if finding else request))
            return begun

        with self._noting(given.request_id, given.effect_ids):
            return self._store.read(work)

    def reached(self, begun: Begun, reaching: Reaching) -> Learned:
        """Do the work of each, outside of any transaction; what it learned, or why it failed."""
        learned: Learned = {}
        for effect, found in begun.ready:
            try:
                learned[effect.id] = reaching(effect, found)
            except Exception as fault:
                learned[effect.id] = fault
        return learned

    def settle(self, request_id: str, begun: Begun, learned: Learned, now: datetime) -> PendingWork:
        """Mark what was done, and apply what it learned, in one transaction; one by one where that fails, so that no
        other waits for the one at fault. Raises the last failure, once all is written."""
        failed = {effect_id: each for effect_id, each in learned.items() if isinstance(each, Exception)}
        done = {effect_id: each for effect_id, each in learned.items() if not isinstance(each, Exception)}

        def write(session: Session) -> PendingWork:
            if failed:
                _fail(session, request_id, failed)
            for kept in [_kept(session, effect_id) for effect_id in begun.pointless]:
                _mark(session, kept, state="dropped")  # what was last wrong with it stays on the row
            return self._settle(session, request_id, done, now, lambda _s, effect, _r: done[effect.id])

        if len(learned) <= 1:
            with self._noting(request_id, learned):
                work = self._store.write(write)
        else:
            try:
                work = self._store.write(write)
            except EXPECTED:
                raise
            except Exception:
                log.exception("taking %s together failed; going on one by one", ", ".join(learned))
                work = self._settle_each(request_id, begun, learned, now)
        if failed:
            raise list(failed.values())[-1]
        return work

    def _settle_each(self, request_id: str, begun: Begun, learned: Learned, now: datetime) -> PendingWork:
        faults: list[Exception] = []
        for effect_id, each in learned.items():
            try:
                self.settle(request_id, Begun([], []), {effect_id: each}, now)
            except EXPECTED:
                raise
            except Exception as fault:
                faults.append(fault)
        if faults:
            raise faults[-1]
        return self.settle(request_id, Begun([], begun.pointless), {}, now)  # says what is left to do

    @contextmanager
    def _noting(self, request_id: str, effect_ids: Iterable[str]) -> Iterator[None]:
        """A fault of their work is counted with these effects, kept for the operator, and raised again."""
        try:
            yield
        except EXPECTED:
            raise
        except Exception as fault:
            faults = dict.fromkeys(effect_ids, fault)
            self._store.write(lambda s: _fail(s, request_id, faults))
            raise

    def _tell(
        self, session: Session, given: EffectInput, fault: str | None
    ) -> tuple[PendingWork, WorkflowSignal | None]:
        """The mark and the decision there are one transaction; with a `fault`, by which that has failed, the commands
        are kept as waiting there instead."""
        to, teller = _kept(session, given.effect_id).data["to"], given.request_id
        # In the order of their ids: two requests that tell each other something must not wait for each other.
        locked = {each: lock_request(session, each) for each in sorted({teller, to})}
        signal: WorkflowSignal | None = None
        for effect in _untold(session, teller, to, given.effect_id):
            submission = Submission(
                command_id=f"{effect.id}:command",
                command=COMMAND.validate_python(effect.data["command"]),
                actor=Actor(name=teller, role=Role.SYSTEM),
                accepted_at=given.now,
                caller=teller,
            )
            row, signal = self.commands.decide(session, to, submission, keep_refusal=True, fault=fault)
            _done(session, effect.id, effect.attempts, given.now, {"command": row.id, "number": row.number})
        return self.commands.settle(session, locked[teller], []), signal

    def _settle(
        self, session: Session, request_id: str, effect_ids: Iterable[str], now: datetime, taking: Taking
    ) -> PendingWork:
        request = lock_request(session, request_id)
        reports: list[Submission] = []
        for kept in [_kept(session, effect_id) for effect_id in effect_ids]:
            if kept.state in OVER:
                continue
            learned = taking(session, read_effect(kept.kind, kept.id, kept.data), request)
            result = learned.model_dump(mode="json", exclude_none=True, exclude=_NO_RESULT) if learned else {}
            _done(session, kept.id, kept.attempts, now, result)
            if learned is not None:
                reports.append(Submission(f"{learned.effect}:result", learned, SYSTEM, now, SYSTEM.name))
        return self.commands.settle(session, request, reports)


def _kept(session: Session, effect_id: str) -> _Kept:
    found = statements.READ_EFFECT.first(session, {"id_": effect_id})
    if found is None:
        raise EffectUnknown(effect_id)
    return _Kept(*found)


def _untold(session: Session, request_id: str, to: str, effect_id: str) -> list[Row[Any]]:
    """What has not been told to that request yet, in order, if this effect is among it: up to and with it."""
    statement = (
        select(EFFECT.c.id, EFFECT.c.data, EFFECT.c.attempts)
        .where(EFFECT.c.request_id == request_id, EFFECT.c.kind == "tell_request", EFFECT.c.destination == to)
        .where(EFFECT.c.state != "done")
        .order_by(EFFECT.c.decision, EFFECT.c.number)
    )
    found = session.execute(statement).all()
    last = next((position for position, effect in enumerate(found) if effect.id == effect_id), -1)
    return list(found[: last + 1])


def _done(session: Session, effect_id: str, attempts: int, now: datetime, result: dict[str, Any]) -> None:
    settled = {"state": "done", "done_at": now, "attempts": attempts + 1, "last_error": None, "result": result}
    statements.SETTLE_EFFECT.run(session, {"id_": effect_id, **settled})


def _fail(session: Session, request_id: str, faults: Mapping[str, Exception]) -> None:
    lock_request(session, request_id)
    for effect_id, fault in faults.items():
        kept = _kept(session, effect_id)
        _mark(session, kept, state="failed", last_error=fault_text(fault), attempts=kept.attempts + 1)


def _mark(session: Session, kept: _Kept, **columns: object) -> None:
    """Change an effect that is not over: another worker may have taken it meanwhile."""
    if kept.state not in OVER:
        statements.SETTLE_EFFECT.run(session, {"id_": kept.id, **columns})
