"""A made-up request with one effect that reaches outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from fixline.messages import WORKFLOW_NAME, DueInput, EffectInput, PendingEffect, PendingWork, Summary, WorkflowInput


class Outside:
    """Activities of a made-up request with one effect that reaches outside; `closing` lets the next word close it."""

    def __init__(self, failures: int, *, hopeless: bool = False) -> None:
        self.failures = failures
        self.hopeless = hopeless
        self.looks: list[DueInput] = []
        self.tries: list[EffectInput] = []
        self.done = self.closing = False
        self.decision = 1

    def work(self) -> PendingWork:
        """What the store would say."""
        effects = [] if self.done else [PendingEffect("R:1:1", "ask_agency", "outside")]
        return PendingWork(self.decision, self.closing, None, effects=effects, summary=Summary(status="any"))

    async def tell(self, client: Client, request_id: str, name: str) -> None:
        """One more decision, and the word of it."""
        self.decision += 1
        await client.get_workflow_handle(request_id).signal(name, self.work())

    async def start(self, client: Client, request_id: str, queue: str) -> None:
        """The first decision starts the workflow."""
        await client.start_workflow(
            WORKFLOW_NAME,
            WorkflowInput(request_id),
            id=request_id,
            task_queue=queue,
            start_signal="open",
            start_signal_args=[self.work()],
        )

    def activities(self) -> list[Callable[..., Any]]:
        """Both."""

        @activity.defn(name="decide_due")
        def decide_due(given: DueInput) -> PendingWork:
            self.looks.append(given)
            return self.work()

        @activity.defn(name="ask_agency")
        def ask_agency(given: EffectInput) -> PendingWork:
            self.tries.append(given)
            if self.hopeless:
                raise ApplicationError("the agency is no more", non_retryable=True)
            if len(self.tries) <= self.failures:
                raise OSError("the agency does not answer")
            self.done = True
            return self.work()

        return [decide_due, ask_agency]
