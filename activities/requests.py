"""The activities that stay among requests: `decide_due`, `tell_request` and `open_follow_on`.

Owns `Send`, the port through which another request's workflow is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlmodel import Session
from temporalio import activity

from fixline.domain.process import effects as kinds
from fixline.domain.process.commands import EffectResult
from fixline.messages import DECIDE_DUE_ACTIVITY, DueInput, EffectInput, PendingWork, WorkflowSignal
from fixline.service.effects import Effects
from fixline.service.opening import open_follow_on
from fixline.service.submissions import Locked

Send = Callable[[Iterable[WorkflowSignal | None]], None]
"""Tells workflows what is left to do. Must not wait for them: the other request may tell this one something, too."""


def leave_to_relay(_signals: Iterable[WorkflowSignal | None]) -> None:
    """Tell nobody: the relay does it, a few seconds later."""


@dataclass(frozen=True)
class Requests:
    """Decides at requests: this one, another, a new one. `zone` is the city's: numbers carry its year."""

    effects: Effects
    zone: ZoneInfo
    send: Send

    @activity.defn(name=DECIDE_DUE_ACTIVITY)
    async def decide_due(self, given: DueInput) -> PendingWork:
        """Decide what is due when the timer has fired, and commands that wait; errors are the database's and are tried
        again by the policy. Safe to run again: what has happened is not due any more."""
        return await self.effects.in_turn(self.effects.commands.due, given)

    @activity.defn(name="tell_request")
    async def tell_request(self, given: EffectInput) -> PendingWork:
        """Have the command decided at the other request, once."""
        work, signal = await self.effects.in_turn(self.effects.tell, given)
        self.send([signal])
        return work

    @activity.defn(name="open_follow_on")
    async def open_follow_on(self, given: EffectInput) -> PendingWork:
        """Open a request of another department's type for a step that waits for it, once; its workflow is started."""
        signal: WorkflowSignal | None = None

        def taking(session: Session, effect: kinds.OpenFollowOn, request: Locked) -> EffectResult | None:
            nonlocal signal
            report, signal = open_follow_on(session, self.effects.commands, self.zone, effect, request, given.now)
            return report

        work = await self.effects.in_turn(self.effects.take, given, taking)
        self.send([signal])
        return work
