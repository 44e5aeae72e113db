"""The activity `advance`: the only writer of a request, called when its bell rings or its timer fires."""

from __future__ import annotations

from temporalio import activity

from activities.answers import advanced
from fixline.messages import ADVANCE_ACTIVITY, Advanced, AdvanceOrder
from fixline.store.inbox import Inbox


class Advance:
    """Empties a request's inbox in the store. Safe to run again: a command is applied once."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    @activity.defn(name=ADVANCE_ACTIVITY)
    async def advance(self, order: AdvanceOrder) -> Advanced:
        """Apply what waits and what is due; errors are the database's and are tried again by the retry policy."""
        applied = await self._inbox.in_turn(
            self._inbox.advance,
            order.request_id,
            order.now,
            armed_at=order.armed_at,
            first=order.first,
            known=order.known,
        )
        return advanced(applied)
