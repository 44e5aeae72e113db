"""Effects' bookkeeping: what a decision causes, taken once by its key, its result written with it.

Owns the settling of effects: the effect's mark and the command that reports what it learned are one transaction, and
so is the work of those that stay within the store. Those that reach outside do their work between two transactions:
their key tells whoever is reached that it is the same. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlmodel import Session

from fixline.domain.commands import SYSTEM, EffectReport
from fixline.domain.state import RequestState
from fixline.store import statements
from fixline.store.arrivals import Arrival, Locked, RequestUnknown, lock_request
from fixline.store.inbox import Applied, Inbox, report
from fixline.store.store import Store, StoreAway
from fixline.store.tables import EffectRow
from fixline.store.telling import Told, deliver, destination_of


class TakenEffect(NamedTuple):
    """The columns of an effect that its activity needs; the order is that of `statements.READ_EFFECT`."""

    id: str
    request_id: str
    kind: str
    state: str
    data: dict[str, Any]
    attempts: int


T = TypeVar("T")
OVER = ("done", "dropped")
"""The states of effects that nothing is left to do for."""
_NO_RESULT = {"kind", "effect", "effect_kind"}

Taking = Callable[[Session, TakenEffect, Locked], EffectReport | None]
"""The work of one kind of effect: may read and write in the transaction, answers what it learned."""


Reaching = Callable[[TakenEffect, str], EffectReport | None]
"""The work of an effect that reaches outside, given with the request's type: answers what it learned, or raises."""


class EffectUnknown(LookupError):
    """The store has no such effect: it was restored from an older backup than the workflow."""


class Effects:
    """Takes effects. One per process."""

    def __init__(self, store: Store, inbox: Inbox) -> None:
        self._store = store
        self._inbox = inbox
        self.in_turn = store.in_turn

    def take(self, request_id: str, effect_id: str, now: datetime, taking: Taking) -> Applied:
        """Take one effect, unless it has been taken, and apply what it learned; says what is left to do.

        Raises RequestUnknown, EffectUnknown, StoreAway. Whatever else the work raises leaves the effect
        pending, counts the attempt and keeps the error for the operator, and is raised again.
        """
        return self._tried(request_id, effect_id, lambda s: self._settle(s, request_id, effect_id, now, taking))

    def tell(self, request_id: str, effect_id: str, now: datetime) -> tuple[Applied, list[Told]]:
        """Put the command of a `tell_request` into the other request's inbox; what is left to do, the bells to ring.

        What was to be told to that request before, and has not been, goes first: commands from one request to
        another arrive in order. Raises as `take` does.
        """
        return self._tried(request_id, effect_id, lambda s: self._tell(s, request_id, effect_id, now))

    def _tried(self, request_id: str, effect_id: str, work: Callable[[Session], T]) -> T:
        try:
            return self._store.write(work)
        except (StoreAway, EffectUnknown, RequestUnknown):
            raise
        except Exception as fault:
            self._note_failure(request_id, effect_id, fault)
            raise

    def reach(self, request_id: str, effect_id: str, now: Callable[[], datetime], reaching: Reaching) -> Applied:
        """Take one effect that reaches outside for a step: not when it has been taken, nor when the step was left.

        Raises as `take` does. `now` is asked after the work, which may have taken a while.
        """
        found = self._store.read(lambda s: _begin(s, request_id, effect_id))
        if isinstance(found, Applied):
            return found
        effect, request = found
        if not still_there(request, effect):
            return self._store.write(lambda s: _drop(s, request_id, effect_id))
        try:
            learned = reaching(effect, request.type)
        except Exception as fault:
            self._note_failure(request_id, effect_id, fault)
            raise
        return self.take(request_id, effect_id, now(), lambda *_: learned)

    def _note_failure(self, request_id: str, effect_id: str, fault: Exception) -> None:
        text = f"{type(fault).__name__}: {fault}"[:2000]
        self._store.write(lambda s: _failed(s, request_id, effect_id, text))

    def _tell(self, session: Session, request_id: str, effect_id: str, now: datetime) -> tuple[Applied, list[Told]]:
        to = destination_of(session, effect_id)
        if to is None:
            raise EffectUnknown(effect_id)
        # In the order of their ids: two requests that tell each other something must not wait for each other.
        locked = {each: lock_request(session, each) for each in sorted({request_id, to})}
        told = deliver(session, locked[request_id], locked[to], effect_id, now)
        shell_at = now if locked[request_id].shell_at is None else None
        return self._inbox.decide(session, locked[request_id], now, shell_at=shell_at), told

    def _settle(self, session: Session, request_id: str, effect_id: str, now: datetime, taking: Taking) -> Applied:
        request = lock_request(session, request_id)
        found = statements.READ_EFFECT.first(session, {"id_": effect_id})
        if found is None:
            raise EffectUnknown(effect_id)
        effect = TakenEffect(*found)
        if effect.state in OVER:
            return report(session, request)
        learned = taking(session, effect, request)
        result = learned.model_dump(mode="json", exclude_none=True, exclude=_NO_RESULT) if learned else {}
        settled = {"state": "done", "done_at": now, "attempts": effect.attempts + 1, "last_error": None}
        statements.SETTLE_EFFECT.run(session, {"id_": effect_id, **settled, "result": result})
        reported = arrival_of(learned, now) if learned else None
        shell_at = now if request.shell_at is None else None
        return self._inbox.decide(session, request, now, reported=reported, shell_at=shell_at)


def arrival_of(learned: EffectReport, now: datetime) -> Arrival:
    """An effect's report as a command; its id derives from the effect's."""
    return Arrival(
        command_id=f"{learned.effect}:report", command=learned, actor=SYSTEM, accepted_at=now, caller=SYSTEM.name
    )


def _begin(session: Session, request_id: str, effect_id: str) -> tuple[TakenEffect, Locked] | Applied:
    """The effect and its request; what is left to do where the effect is over."""
    request = lock_request(session, request_id)
    found = statements.READ_EFFECT.first(session, {"id_": effect_id})
    if found is None:
        raise EffectUnknown(effect_id)
    effect = TakenEffect(*found)
    return report(session, request) if effect.state in OVER else (effect, request)


def still_there(request: Locked, effect: TakenEffect) -> bool:
    """Whether the request is still at the visit of the step for which the effect was caused."""
    if request.state is None:
        return False
    position = RequestState.model_validate_json(request.state).position_of(effect.data["step"])
    if position is None or position.visit != effect.data["visit"]:
        return False
    # Visits count anew when a request is reopened.
    return position.entered_at == datetime.fromisoformat(effect.data["at"])


def _drop(session: Session, request_id: str, effect_id: str) -> Applied:
    """Nobody waits for it any more; what was last wrong with it stays on the row."""
    request = lock_request(session, request_id)
    effect = session.get_one(EffectRow, effect_id)
    if effect.state not in OVER:
        effect.state = "dropped"
        session.add(effect)
        session.flush()
    return report(session, request)


def _failed(session: Session, request_id: str, effect_id: str, text: str) -> None:
    lock_request(session, request_id)
    effect = session.get_one(EffectRow, effect_id)
    if effect.state not in OVER:  # another worker may have taken it meanwhile
        effect.state, effect.last_error, effect.attempts = "failed", text, effect.attempts + 1
        session.add(effect)
