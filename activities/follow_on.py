"""The activity `open_follow_on`: opens a request of another department's type for a step that waits for it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlmodel import Session
from temporalio import activity

from activities.answers import advanced
from activities.telling import Wake
from fixline.domain.commands import EffectReport
from fixline.messages import Advanced, EffectTask
from fixline.store.arrivals import Locked
from fixline.store.effects import Effects, TakenEffect
from fixline.store.follow_ons import FollowOn, open_follow_on
from fixline.store.inbox import Applied
from fixline.store.telling import Told
from fixline.store.versions import Versions


class OpenFollowOn:
    """Takes effects of the kind `open_follow_on`. `zone` is the city's: numbers carry its year."""

    def __init__(self, effects: Effects, versions: Versions, zone: ZoneInfo, wake: Wake | None = None) -> None:
        self._effects = effects
        self._versions = versions
        self._zone = zone
        self._wake = wake

    @activity.defn(name="open_follow_on")
    async def open_follow_on(self, task: EffectTask) -> Advanced:
        """Open the follow-on, once, and have its workflow started; without a wake the relay starts it."""
        applied, child = await self._effects.in_turn(self._open, task)
        if child is not None and self._wake is not None:
            self._wake([Told(child, "open", 1)])
        return advanced(applied)

    def _open(self, task: EffectTask) -> tuple[Applied, str | None]:
        opened = FollowOn(None)

        def taking(session: Session, effect: TakenEffect, request: Locked) -> EffectReport | None:
            nonlocal opened
            opened = open_follow_on(session, self._versions, self._zone, effect, request, task.now)
            return opened.report

        applied = self._effects.take(task.request_id, task.effect_id, task.now, taking)
        return applied, opened.child
