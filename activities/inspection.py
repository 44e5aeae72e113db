"""The activity `order_inspection`: puts an inspection to its team, by the team's own rule."""

from __future__ import annotations

from temporalio import activity

from activities.answers import advanced
from activities.dispatch import Crews
from fixline.messages import Advanced, EffectTask
from fixline.store.effects import Effects


class OrderInspection:
    """Takes effects of the kind `order_inspection`."""

    def __init__(self, effects: Effects, crews: Crews) -> None:
        self._effects = effects
        self._crews = crews

    @activity.defn(name="order_inspection")
    async def order_inspection(self, task: EffectTask) -> Advanced:
        """Put the inspection to the team, once."""
        effects = self._effects
        return advanced(
            await effects.in_turn(effects.take, task.request_id, task.effect_id, task.now, self._crews.give)
        )
