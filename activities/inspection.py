"""The activity `order_inspection`: puts an inspection to its team, by the team's own rule."""

from __future__ import annotations

from temporalio import activity

from activities.dispatch import Crews
from fixline.messages import EffectInput, PendingWork
from fixline.service.effects import Effects


class OrderInspection:
    """Takes effects of the kind `order_inspection`."""

    def __init__(self, effects: Effects, crews: Crews) -> None:
        self._effects = effects
        self._crews = crews

    @activity.defn(name="order_inspection")
    async def order_inspection(self, given: EffectInput) -> PendingWork:
        """Put the inspection to the team, once."""
        effects = self._effects
        return await effects.in_turn(effects.take, given.request_id, given.effect_id, given.now, self._crews.give)
