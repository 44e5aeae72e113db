"""The activity `open_follow_on`: opens a request of another department's type for a step that waits for it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlmodel import Session
from temporalio import activity

from activities.tell_request import Send
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import OpenFollowOn as Opening
from fixline.messages import EffectInput, PendingWork, WorkflowSignal
from fixline.service.effects import Effects
from fixline.service.follow_ons import FollowOn, open_follow_on
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked
from fixline.store.versions import Versions


class OpenFollowOn:
    """Takes effects of the kind `open_follow_on`. `zone` is the city's: numbers carry its year."""

    def __init__(
        self,
        effects: Effects,
        versions: Versions,
        zone: ZoneInfo,
        send: Send | None = None,
        scheduling: Scheduling | None = None,
    ) -> None:
        self._effects = effects
        self._versions = versions
        self._zone = zone
        self._send = send
        self._scheduling = scheduling or Scheduling()

    @activity.defn(name="open_follow_on")
    async def open_follow_on(self, given: EffectInput) -> PendingWork:
        """Open the follow-on, once, and have its workflow started; without `send` the relay starts it."""
        work, signal = await self._effects.in_turn(self._open, given)
        if signal is not None and self._send is not None:
            self._send([signal])
        return work

    def _open(self, given: EffectInput) -> tuple[PendingWork, WorkflowSignal | None]:
        opened = FollowOn(None)

        def taking(session: Session, effect: Opening, request: Locked) -> EffectResult | None:
            nonlocal opened
            opened = open_follow_on(session, self._versions, self._zone, self._scheduling, effect, request, given.now)
            return opened.report

        work = self._effects.take(given.request_id, given.effect_id, given.now, taking)
        return work, opened.signal
