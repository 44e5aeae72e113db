"""Effects' bookkeeping: what a decision causes, taken once by its key, its result written with it.

Owns the settling of effects: the effect's mark and the command that reports what it learned are one transaction, and
so is the work of those that stay within the store. Those that reach outside do their work between two transactions:
their key tells whoever is reached that it is the same. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from fixline.domain.journal.state import read_state
from fixline.domain.process.commands import SYSTEM, EffectResult
from fixline.domain.process.effects import Effect, read_effect
from fixline.errors import FixlineError
from fixline.messages import PendingWork, WorkflowSignal
from fixline.service.commands import Commands, fault_text
from fixline.service.submissions import Locked, RequestUnknown, Submission, lock_request
from fixline.service.tell_request import deliver, destination_of
from fixline.store import statements
from fixline.store.store import Store, StoreAway
from fixline.store.tables import EffectRow


class _Kept(NamedTuple):
    """An effect's columns; the order is that of `statements.READ_EFFECT`."""

    id: str
    kind: str
    state: str
    data: dict[str, Any]
    attempts: int

    @property
    def effect(self) -> Effect:
        """The effect itself, as it was decided."""
        return read_effect(self.kind, self.id, self.data)


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
        self._commands = commands
        self.in_turn = store.in_turn

    def take(self, request_id: str, effect_id: str, now: datetime, taking: Taking) -> PendingWork:
        """Take one effect, unless it has been taken, and apply what it learned; says what is left to do.

        Raises RequestUnknown, EffectUnknown, StoreAway. Whatever else the work raises leaves the effect
        pending, counts the attempt and keeps the error for the operator, and is raised again.
        """
        try:
            return self._store.write(lambda s: self._settle(s, request_id, [effect_id], now, taking))
        except EXPECTED:
            raise
        except Exception as fault:
            self._note_failure(request_id, effect_id, fault)
            raise

    def tell(self, request_id: str, effect_id: str, now: datetime) -> tuple[PendingWork, WorkflowSignal | None]:
        """Decide the command of a `tell_request` at the other request; what is left to do, and what the other one's
        workflow is to be told.

        What was to be told to that request before, and has not been, goes first: commands from one request to
        another arrive in order. Raises RequestUnknown, EffectUnknown, StoreAway. A fault of ours at the other request
        is no reason to try again here: there the command waits.
        """
        try:
            return self._store.write(lambda s: self._tell(s, request_id, effect_id, now))
        except EXPECTED:
            raise
        except Exception as fault:
            log.exception("deciding what %s tells another failed", request_id)
            text = fault_text(fault)
        try:
            return self._store.write(lambda s: self._tell(s, request_id, effect_id, now, text))
        except EXPECTED:
            raise
        except Exception as fault:
            self._note_failure(request_id, effect_id, fault)
            raise

    def reach(
        self,
        request_id: str,
        effect_ids: Sequence[str],
        now: Callable[[], datetime],
        reaching: Reaching,
        finding: Finding | None = None,
    ) -> PendingWork:
        """Take effects that reach outside: not those that have been taken, nor those for which nobody waits any more.

        Raises as `take` does, once all have been tried. `now` is asked after the work, which may have taken a while.
        """
        begun = self.begin(request_id, effect_ids, finding)
        return self.settle(request_id, begun, self.reached(begun, reaching), now())

    def begin(self, request_id: str, effect_ids: Sequence[str], finding: Finding | None = None) -> Begun:
        """Find out what is still to be taken, and what its work needs to know; only a failure is written. Raises as
        `take` does."""

        def work(session: Session) -> Begun:
            request = lock_request(session, request_id)
            state = read_state(request.state) if request.state else None
            begun = Begun([], [])
            for kept in [_kept(session, effect_id) for effect_id in effect_ids]:
                if kept.state in OVER:
                    continue
                effect = kept.effect
                if state is None or effect.pointless(state):
                    begun.pointless.append(effect.id)
                else:
                    begun.ready.append((effect, finding(session, effect, request) if finding else request))
            return begun

        try:
            return self._store.read(work)
        except EXPECTED:
            raise
        except Exception as fault:
            for effect_id in effect_ids:
                self._note_failure(request_id, effect_id, fault)
            raise

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
            for effect_id, fault in failed.items():
                _failed(session, request_id, effect_id, fault_text(fault))
            for effect_id in begun.pointless:
                _drop(session, effect_id)
            return self._settle(session, request_id, list(done), now, lambda _s, effect, _r: done[effect.id])

        try:
            work = self._store.write(write)
        except EXPECTED:
            raise
        except Exception as fault:
            if len(learned) <= 1:
                for effect_id in learned:
                    self._note_failure(request_id, effect_id, fault)
                raise
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

    def _note_failure(self, request_id: str, effect_id: str, fault: Exception) -> None:
        self._store.write(lambda s: _failed(s, request_id, effect_id, fault_text(fault)))

    def _tell(
        self, session: Session, request_id: str, effect_id: str, now: datetime, fault: str | None = None
    ) -> tuple[PendingWork, WorkflowSignal | None]:
        to = destination_of(session, effect_id)
        if to is None:
            raise EffectUnknown(effect_id)
        # In the order of their ids: two requests that tell each other something must not wait for each other.
        locked = {each: lock_request(session, each) for each in sorted({request_id, to})}
        signal = deliver(session, self._commands, locked[request_id], to, effect_id, now, fault)
        return self._commands.work_of(session, locked[request_id], told=True), signal

    def _settle(
        self, session: Session, request_id: str, effect_ids: Sequence[str], now: datetime, taking: Taking
    ) -> PendingWork:
        request = lock_request(session, request_id)
        learned = [self._settle_one(session, request, effect_id, now, taking) for effect_id in effect_ids]
        reports = [submission_of(each, now) for each in learned if each is not None]
        if not reports:
            return self._commands.work_of(session, request, told=True)
        return self._commands.settle(session, request, reports)

    def _settle_one(
        self, session: Session, request: Locked, effect_id: str, now: datetime, taking: Taking
    ) -> EffectResult | None:
        kept = _kept(session, effect_id)
        if kept.state in OVER:
            return None
        learned = taking(session, kept.effect, request)
        result = learned.model_dump(mode="json", exclude_none=True, exclude=_NO_RESULT) if learned else {}
        settled = {"state": "done", "done_at": now, "attempts": kept.attempts + 1, "last_error": None}
        statements.SETTLE_EFFECT.run(session, {"id_": effect_id, **settled, "result": result})
        return learned


def submission_of(learned: EffectResult, now: datetime) -> Submission:
    """An effect's report as a command; its id derives from the effect's."""
    return Submission(
        command_id=f"{learned.effect}:result", command=learned, actor=SYSTEM, accepted_at=now, caller=SYSTEM.name
    )


def _kept(session: Session, effect_id: str) -> _Kept:
    found = statements.READ_EFFECT.first(session, {"id_": effect_id})
    if found is None:
        raise EffectUnknown(effect_id)
    return _Kept(*found)


def _failed(session: Session, request_id: str, effect_id: str, text: str) -> None:
    lock_request(session, request_id)
    effect = session.get_one(EffectRow, effect_id)
    if effect.state not in OVER:  # another worker may have taken it meanwhile
        effect.state, effect.last_error, effect.attempts = "failed", text, effect.attempts + 1
        session.add(effect)


def _drop(session: Session, effect_id: str) -> None:
    """Nobody waits for it any more; what was last wrong with it stays on the row."""
    effect = session.get_one(EffectRow, effect_id)
    if effect.state not in OVER:
        effect.state = "dropped"
        session.add(effect)
        session.flush()
