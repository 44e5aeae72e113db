"""The activity `notify`: tells the reporter or whoever holds a role; and what telling people has in common."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from sqlmodel import Session
from temporalio import activity

from fixline.catalog import Organisation
from fixline.domain.definition.vocabulary import REPORTER
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Notify as Notification
from fixline.messages import EffectInput, PendingWork
from fixline.outbound.notices import Channel, Notice
from fixline.service.effects import Effects, Finding
from fixline.service.submissions import Locked, utc_now
from fixline.store import statements


class Telling(NamedTuple):
    """What is to be said, if there is anybody to say it to, and what that comes to."""

    notice: Notice | None
    result: EffectResult


class Notify:
    """Takes effects of the kind `notify`: the reporter's notices, and those of notify steps to a role's holder."""

    def __init__(self, effects: Effects, organisation: Organisation, channel: Channel) -> None:
        self._effects = effects
        self._organisation = organisation
        self._channel = channel

    @activity.defn(name="notify")
    async def notify(self, given: EffectInput) -> PendingWork:
        """Tell the audience, once."""
        return await tell(self._effects, self._channel, given, self._find)

    def _find(self, session: Session, effect: Notification, request: Locked) -> Telling:
        audience, told = effect.audience, None
        if audience != REPORTER:
            team = answering_team(session, request, None)
            holder = self._organisation.holder(audience, team, request.department or "")
            told = holder.person if holder else None
        to = told or (audience if audience == REPORTER else None)
        result = EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=audience,
            told=told,
            about=effect.event,
            step=effect.step,
            channel=self._channel.name,
        )
        return Telling(Notice(effect.id, request.id, effect.event, to) if to else None, result)


async def tell(effects: Effects, channel: Channel, given: EffectInput, finding: Finding) -> PendingWork:
    """Take effects that speak to somebody: found out in one transaction, sent, and marked in another."""

    def say(_effect: object, telling: Telling) -> EffectResult:
        if telling.notice is not None:
            channel.send(telling.notice)
        return telling.result

    if channel.outside:
        return await asyncio.to_thread(effects.reach, given.request_id, given.effect_ids, utc_now, say, finding)
    begun = await effects.in_turn(effects.begin, given.request_id, given.effect_ids, finding)
    learned = effects.reached(begun, say)
    return await effects.in_turn(effects.settle, given.request_id, begun, learned, given.now)


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
