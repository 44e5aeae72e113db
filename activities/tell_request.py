"""The activity `tell_request`: decides at another request what one request has to tell it.

Owns `Send`, the port through which that one's workflow is told; without it the relay does it, a few seconds later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from temporalio import activity

from fixline.messages import EffectInput, PendingWork, WorkflowSignal
from fixline.service.effects import Effects

Send = Callable[[Iterable[WorkflowSignal]], None]
"""Tells workflows what is left to do. Must not wait for them: the other request may tell this one something, too."""


class TellRequest:
    """Takes effects of the kind `tell_request`."""

    def __init__(self, effects: Effects, send: Send | None = None) -> None:
        self._effects = effects
        self._send = send

    @activity.defn(name="tell_request")
    async def tell_request(self, given: EffectInput) -> PendingWork:
        """Have the command decided at the other request, once."""
        work, signal = await self._effects.in_turn(self._effects.tell, given.request_id, given.effect_id, given.now)
        if signal is not None and self._send is not None:
            self._send([signal])
        return work
