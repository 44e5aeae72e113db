"""The activity `escalate`: tells whoever holds a role that a deadline's rung has fired or a step needs a look."""

from __future__ import annotations

from sqlmodel import Session
from temporalio import activity

from activities.notification import Telling, answering_team, tell
from fixline.catalog import Organisation
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Escalate as Escalation
from fixline.messages import EffectInput, PendingWork
from fixline.outbound.notices import Channel, Notice
from fixline.service.effects import Effects
from fixline.service.submissions import Locked


class Escalate:
    """Takes effects of the kind `escalate`. The role is looked up in the team, the department, the city."""

    def __init__(self, effects: Effects, organisation: Organisation, channel: Channel) -> None:
        self._effects = effects
        self._organisation = organisation
        self._channel = channel

    @activity.defn(name="escalate")
    async def escalate(self, given: EffectInput) -> PendingWork:
        """Tell the holder of the role, once."""
        return await tell(self._effects, self._channel, given, self._find)

    def _find(self, session: Session, effect: Escalation, request: Locked) -> Telling:
        about = effect.step or effect.clock
        team = answering_team(session, request, effect.task)
        holder = self._organisation.holder(effect.role, team, request.department or "")
        told = holder.person if holder else None
        result = EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=effect.role,
            told=told,
            about=about,
            step=effect.step,
            channel=self._channel.name,
        )
        return Telling(Notice(effect.id, request.id, f"{about} {effect.rung}", told) if told else None, result)
