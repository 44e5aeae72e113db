"""The activity `escalate`: tells whoever holds a role that a deadline's rung has fired or a step needs a look."""

from __future__ import annotations

from sqlmodel import Session
from temporalio import activity

from activities.notification import Notice, Notifier, answering_team, tell
from fixline.catalog import Organisation
from fixline.domain.commands import EffectReport
from fixline.domain.effects import Escalate as Escalation
from fixline.messages import EffectInput, PendingWork
from fixline.store.arrivals import Locked
from fixline.store.effects import Effects


class Escalate:
    """Takes effects of the kind `escalate`. The role is looked up in the team, the department, the city."""

    def __init__(self, effects: Effects, organisation: Organisation, notifier: Notifier) -> None:
        self._effects = effects
        self._organisation = organisation
        self._notifier = notifier

    @activity.defn(name="escalate")
    async def escalate(self, given: EffectInput) -> PendingWork:
        """Tell the holder of the role, once."""
        return await tell(self._effects, self._notifier, given, self._tell)

    def _tell(self, session: Session, effect: Escalation, request: Locked) -> EffectReport:
        about = effect.step or effect.clock
        team = answering_team(session, request, effect.task)
        holder = self._organisation.holder(effect.role, team, request.department or "")
        told = holder.person if holder else None
        if told:
            event = f"{about} {effect.rung}"
            self._notifier.send(Notice(key=effect.id, request_id=request.id, event=event, to=told))
        return EffectReport(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=effect.role,
            told=told,
            about=about,
            step=effect.step,
            channel=self._notifier.channel,
        )
