"""The workflow with one thing out of order: a pause before each effect. Recorded histories must not replay on it."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from fixline.messages import WORKFLOW_NAME, DueInput, EffectInput, PendingWork, WorkflowInput

from workflows.service_request import ServiceRequest


@workflow.defn(name=WORKFLOW_NAME)
class BrokenRequest(ServiceRequest):
    """A change that was made without `workflow.patched`."""

    @workflow.init
    def __init__(self, given: WorkflowInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: WorkflowInput) -> None:
        """The same, and yet not."""
        await super().run(given)

    async def _call(self, name: str, argument: DueInput | EffectInput, reach: str = "store") -> PendingWork:
        await workflow.sleep(timedelta(seconds=1))
        return await super()._call(name, argument, reach)
