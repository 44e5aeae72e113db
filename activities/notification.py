"""The activity `notify`: tells the reporter or whoever holds a role, and what telling people has in common."""

from __future__ import annotations

import asyncio

from sqlmodel import Session
from temporalio import activity

from fixline.catalog import Organisation
from fixline.domain.definition.vocabulary import REPORTER
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Notify as Notification
from fixline.messages import EffectInput, PendingWork
from fixline.outbound.notices import Notice, Notifier
from fixline.service.effects import Effects, Taking
from fixline.service.submissions import Locked
from fixline.store import statements


class Notify:
    """Takes effects of the kind `notify`: the reporter's notices, and those of notify steps to a role's holder."""

    def __init__(self, effects: Effects, organisation: Organisation, notifier: Notifier) -> None:
        self._effects = effects
        self._organisation = organisation
        self._notifier = notifier

    @activity.defn(name="notify")
    async def notify(self, given: EffectInput) -> PendingWork:
        """Tell the audience, once."""
        return await tell(self._effects, self._notifier, given, self._send)

    def _send(self, session: Session, effect: Notification, request: Locked) -> EffectResult:
        audience, told = effect.audience, None
        if audience != REPORTER:
            team = answering_team(session, request, None)
            holder = self._organisation.holder(audience, team, request.department or "")
            told = holder.person if holder else None
        if told or audience == REPORTER:
            self._notifier.send(Notice(key=effect.id, request_id=request.id, event=effect.event, to=told or audience))
        return EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=audience,
            told=told,
            about=effect.event,
            step=effect.step,
            channel=self._notifier.channel,
        )


async def tell(effects: Effects, notifier: Notifier, given: EffectInput, telling: Taking) -> PendingWork:
    """Take effects that speak to somebody; on the event loop where the channel waits for nobody."""
    what = (given.request_id, given.effect_ids, given.now, telling)
    if notifier.at_once:
        return await effects.in_turn(effects.take_all, *what)
    return await asyncio.to_thread(effects.take_all, *what)


def answering_team(session: Session, request: Locked, task: str | None) -> str | None:
    """The team whose people answer: the task's, else the request's; while it waits the one that had it last."""
    if task is not None:
        found = statements.TEAM_OF_TASK.first(session, {"id_": task})
        if found is not None:
            return str(found[0])
    if request.team:
        return request.team
    last = statements.LAST_TEAM.first(session, {"request_id_": request.id})
    return last[0] if last else None
