"""The activity `dispatch`: gives a work order to its team, by the team's own rule.

Rules (organisation.yaml): `queue` leaves it to whoever claims it, `round_robin` takes turns, `least_loaded`
picks the member with the fewest open tasks. A team of one is its one member.
"""

from __future__ import annotations

from sqlmodel import Session
from temporalio import activity

from fixline.catalog import Organisation
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import Dispatch as Dispatched
from fixline.domain.process.effects import OrderInspection
from fixline.messages import EffectInput, PendingWork
from fixline.service.effects import Effects
from fixline.service.submissions import Locked
from fixline.store.queries.teams import least_loaded, next_in_turn


class Crews:
    """Picks the crew member for a task; shared by work orders and inspections."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def give(self, session: Session, effect: Dispatched | OrderInspection, _request: Locked) -> EffectResult | None:
        """Who gets the task, as a report; None leaves it in the team's queue."""
        team = self._organisation.teams.get(effect.team)
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


class Dispatch:
    """Takes effects of the kind `dispatch`."""

    def __init__(self, effects: Effects, crews: Crews) -> None:
        self._effects = effects
        self._crews = crews

    @activity.defn(name="dispatch")
    async def dispatch(self, given: EffectInput) -> PendingWork:
        """Give the work order to the team, once."""
        effects = self._effects
        return await effects.in_turn(effects.take, given.request_id, given.effect_id, given.now, self._crews.give)
