"""Waiting until workflows have ended, with little work, and their ends by the server's own record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

LOOK_EVERY_SECONDS = 0.2
STUCK_AFTER_SECONDS = 120


class Endings:
    """Waits for the workflows of one task queue, all of which it is asked for. `settled` says whether whoever started
    them has nothing left to do.

    It asks how many have completed. Temporal's lists are seconds behind, and only that: what they show as ended has
    ended. When it ended they say exactly, so that it does no harm to come to know it late.
    """

    def __init__(self, client: Client, queue: str, settled: Callable[[], bool]) -> None:
        self._client = client
        self._queue = f"TaskQueue = '{queue}'"
        self._settled = settled
        self._asked: set[str] = set()

    async def of(self, ids: Iterable[str]) -> list[WorkflowExecution]:
        """Every run of these, once all have ended and the rest is settled. Raises RuntimeError after a while."""
        wanted = set(ids)
        self._asked |= wanted
        until = time.monotonic() + STUCK_AFTER_SECONDS
        while time.monotonic() < until:
            if await self._completed() >= len(self._asked) and self._settled():
                runs = [run async for run in self._client.list_workflows(self._queue) if run.id in wanted]
                over = all(run.status is not WorkflowExecutionStatus.RUNNING for run in runs)
                if over and {run.id for run in runs} == wanted:
                    return runs
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        text = f"{await self._completed()} of {len(self._asked)} workflows have completed, settled: {self._settled()}"
        raise RuntimeError(f"{self._queue}: after {STUCK_AFTER_SECONDS} s {text}")

    async def _completed(self) -> int:
        found = await self._client.count_workflows(f"{self._queue} AND ExecutionStatus = 'Completed'")
        return found.count


def last_end(runs: Iterable[WorkflowExecution]) -> float:
    """When the last of these has ended, in seconds since 1970; 0 where none has."""
    return max((run.close_time.timestamp() for run in runs if run.close_time is not None), default=0.0)
