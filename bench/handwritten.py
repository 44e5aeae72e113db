"""The yardstick: one pothole as a workflow written by hand, with regular activities and no database.

The same three steps as Fixline's pothole (ordered inspection, repair by a crew, closing) with an update for
each completion. It has no deadlines of a calendar, no journal, no store: what one gets from a tutorial.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True)
class Done:
    """A completion: the task's outcome and its form."""

    outcome: str
    form: dict[str, str | int]


@activity.defn
async def order_inspection(request_id: str) -> str:
    """Give the inspection to its team."""
    return f"{request_id}-T1"


@activity.defn
async def dispatch(request_id: str) -> str:
    """Give the repair to its team."""
    return f"{request_id}-T2"


@activity.defn
async def close(request_id: str) -> str:
    """Close the request."""
    return f"{request_id} fixed"


@workflow.defn
class Pothole:
    """Inspect, repair, close; one timer for the deadline."""

    @workflow.init
    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._answers: list[Done] = []
        self._ready = 0

    @workflow.run
    async def run(self, request_id: str) -> str:
        """The process."""
        await workflow.execute_activity(order_inspection, request_id, start_to_close_timeout=TIMEOUT)
        self._ready = 1
        await workflow.wait_condition(lambda: len(self._answers) == 1, timeout=timedelta(days=7))
        await workflow.execute_activity(dispatch, request_id, start_to_close_timeout=TIMEOUT)
        self._ready = 2
        await workflow.wait_condition(lambda: len(self._answers) == 2)
        return await workflow.execute_activity(close, request_id, start_to_close_timeout=TIMEOUT)

    @workflow.update
    async def complete(self, done: Done) -> str:
        """A crew has completed the step that is under way."""
        step = len(self._answers) + 1
        await workflow.wait_condition(lambda: self._ready >= step)
        self._answers.append(done)
        return "repair" if step == 1 else "closed"
