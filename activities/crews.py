"""The activities `dispatch` and `order_inspection`: give a task to its team, by the team's own rule.

Rules (organisation.yaml): `queue` leaves it to whoever claims it, `round_robin` takes turns, `least_loaded`
picks the member with the fewest open tasks. A team of one is its one member.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session
from temporalio import activity

from fixline.catalog import Organisation
from fixline.domain.process import effects as kinds
from fixline.domain.process.commands import EffectResult
from fixline.messages import EffectInput, PendingWork
from fixline.service.effects import Effects
from fixline.service.submissions import Locked
from fixline.store.queries.tasks import least_loaded, next_in_turn


@dataclass(frozen=True)
class Crews:
    """Picks the crew member for a work order or an inspection."""

    effects: Effects
    organisation: Organisation

    @activity.defn(name="dispatch")
    async def dispatch(self, given: EffectInput) -> PendingWork:
        """Give the work order to the team, once."""
        return await self.effects.in_turn(self.effects.take, given, self.give)

    @activity.defn(name="order_inspection")
    async def order_inspection(self, given: EffectInput) -> PendingWork:
        """Put the inspection to the team, once."""
        return await self.effects.in_turn(self.effects.take, given, self.give)

    def give(
        self, session: Session, effect: kinds.Dispatch | kinds.OrderInspection, _request: Locked
    ) -> EffectResult | None:
        """Who gets the task, as a report; None leaves it in the team's queue."""
        team = self.organisation.teams.get(effect.team)
        if team is None:
            return None
        members = [member for member in team.members if member != effect.not_to]
        rule = "team of one" if len(team.members) == 1 else team.rule
        if not members or rule == "queue":
            return None
        if rule == "least_loaded":
            assignee = least_loaded(session, members)
        elif rule == "round_robin":
            assignee = next_in_turn(session, effect.team, members)
        else:
            assignee = members[0]
        return EffectResult(effect=effect.id, effect_kind=effect.kind, task=effect.task, assignee=assignee, rule=rule)
