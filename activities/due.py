"""The activity `decide_due`: decides what is due, called when the workflow's timer fires."""

from __future__ import annotations

from functools import partial

from temporalio import activity

from fixline.messages import DECIDE_DUE_ACTIVITY, DueInput, PendingWork
from fixline.service.commands import Commands


class DecideDue:
    """Decides what is due in the store. Safe to run again: what has happened is not due any more."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    @activity.defn(name=DECIDE_DUE_ACTIVITY)
    async def decide_due(self, given: DueInput) -> PendingWork:
        """Decide what is due, and commands that wait; errors are the database's and are tried again by the policy."""
        decide = partial(
            self._commands.due,
            given.request_id,
            given.now,
            armed_at=given.armed_at,
            unarmed=given.unarmed,
            known=given.known,
        )
        return await self._commands.in_turn(decide)
