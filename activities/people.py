"""The activities `notify` and `escalate`: tell the reporter, or whoever holds a role."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import Session
from temporalio import activity

from fixline.catalog import Organisation
from fixline.domain.definition.vocabulary import REPORTER
from fixline.domain.process import effects as kinds
from fixline.domain.process.commands import EffectResult
from fixline.messages import EffectInput, PendingWork
from fixline.outbound import Channel, Notice
from fixline.service.effects import Effects
from fixline.service.submissions import Locked
from fixline.store import statements

Telling = tuple[Notice | None, EffectResult, Channel]
"""What is to be said, if there is anybody to say it to, what that comes to, and the channel."""


@dataclass(frozen=True)
class People:
    """Tells people, through one channel, or that of the request's department. A role is looked up in the team, the
    department, the city."""

    effects: Effects
    organisation: Organisation
    channel: Channel
    of_department: Mapping[str, Channel] = field(default_factory=dict)

    @activity.defn(name="notify")
    async def notify(self, given: EffectInput) -> PendingWork:
        """Tell the reporter of an event, or a role's holder what a notify step says; once."""
        return await self._tell(given)

    @activity.defn(name="escalate")
    async def escalate(self, given: EffectInput) -> PendingWork:
        """Tell a role's holder that a deadline's rung has fired or a step needs a look; once."""
        return await self._tell(given)

    async def _tell(self, given: EffectInput) -> PendingWork:
        """Found out in one transaction, sent, and marked in another."""
        effects = self.effects
        if any(channel.outside for channel in (self.channel, *self.of_department.values())):
            return await asyncio.to_thread(effects.reach, given, self._say, self._find)
        begun = await effects.in_turn(effects.begin, given, self._find)
        return await effects.in_turn(
            effects.settle, given.request_id, begun, effects.reached(begun, self._say), given.now
        )

    def _say(self, _effect: object, telling: Telling) -> EffectResult:
        notice, result, channel = telling
        if notice is not None:
            channel.send(notice)
        return result

    def _find(self, session: Session, effect: kinds.Notify | kinds.Escalate, request: Locked) -> Telling:
        if isinstance(effect, kinds.Escalate):
            about, task, to_reporter = effect.step or effect.clock, effect.task, False
            event = f"{about} {effect.rung}"
        else:
            about, event, task, to_reporter = effect.event, effect.event, None, effect.audience == REPORTER
        audience, told = effect.destination, None
        if not to_reporter:
            team = _answering_team(session, request, task)
            told = self.organisation.holder(audience, team, request.department or "")
        to = audience if to_reporter else told
        channel = self.of_department.get(request.department or "", self.channel)
        result = EffectResult(
            effect=effect.id,
            effect_kind=effect.kind,
            audience=audience,
            told=told,
            about=about,
            step=effect.step,
            channel=channel.name,
        )
        return Notice(effect.id, request.id, event, to) if to else None, result, channel


def _answering_team(session: Session, request: Locked, task: str | None) -> str | None:
    """The team whose people answer: the task's, else the request's; while it waits the one that had it last."""
    found = statements.TEAM_OF_TASK.first(session, {"id_": task}) if task is not None else None
    if found is not None:
        return str(found[0])
    if request.team:
        return request.team
    last = statements.LAST_TEAM.first(session, {"request_id_": request.id})
    return last[0] if last else None
