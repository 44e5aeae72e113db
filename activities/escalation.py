"""The activity `escalate`: tells whoever holds a role that a deadline's rung has fired."""

from __future__ import annotations

from sqlmodel import Session, col, select
from temporalio import activity

from activities.answers import advanced
from activities.notification import Notice, Notifier
from fixline.catalog import Organisation
from fixline.domain.commands import EffectReport
from fixline.messages import Advanced, EffectTask
from fixline.store.arrivals import Locked
from fixline.store.effects import Effects, TakenEffect
from fixline.store.tables import TaskRow


class Escalate:
    """Takes effects of the kind `escalate`. The role is looked up in the team, the department, the city."""

    def __init__(self, effects: Effects, organisation: Organisation, notifier: Notifier) -> None:
        self._effects = effects
        self._organisation = organisation
        self._notifier = notifier

    @activity.defn(name="escalate")
    def escalate(self, task: EffectTask) -> Advanced:
        """Tell the holder of the role, once."""
        return advanced(self._effects.take(task.request_id, task.effect_id, task.now, self._tell))

    def _tell(self, session: Session, effect: TakenEffect, request: Locked) -> EffectReport:
        role = effect.data["role"]
        team = request.team or _last_team(session, request.id)
        holder = self._organisation.holder(role, team, request.department or "")
        told = holder.person if holder else None
        if told:
            event = f"{effect.data['clock']} {effect.data['rung']}"
            self._notifier.send(Notice(key=effect.id, request_id=request.id, event=event, to=told))
        return EffectReport(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=role,
            told=told,
            about=effect.data["clock"],
            channel=self._notifier.channel,
        )


def _last_team(session: Session, request_id: str) -> str | None:
    """While a request waits no team has it; then the team that had it last answers for it."""
    tasks = select(TaskRow.team).where(TaskRow.request_id == request_id).order_by(col(TaskRow.offered_at).desc())
    return session.exec(tasks.limit(1)).first()
