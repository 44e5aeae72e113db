"""The activity `tell_request`: puts a command of one request into another one's inbox, and has its bell rung.

Owns `Wake`, the port through which the bell is rung; without it the relay rings, a few seconds later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from temporalio import activity

from activities.answers import advanced
from fixline.messages import Advanced, EffectTask
from fixline.store.effects import Effects
from fixline.store.telling import Told

Wake = Callable[[Sequence[Told]], None]
"""Rings for commands that wait. Must not wait for the answers: the other request may tell this one something, too."""


class TellRequest:
    """Takes effects of the kind `tell_request`."""

    def __init__(self, effects: Effects, wake: Wake | None = None) -> None:
        self._effects = effects
        self._wake = wake

    @activity.defn(name="tell_request")
    async def tell_request(self, task: EffectTask) -> Advanced:
        """Put the command into the other request's inbox, once."""
        applied, told = await self._effects.in_turn(self._effects.tell, task.request_id, task.effect_id, task.now)
        if told and self._wake is not None:
            self._wake(told)
        return advanced(applied)
