"""The shell with one thing out of order: a pause before each pass. Recorded histories must not replay on it."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from fixline.messages import WORKFLOW_NAME, Shell

from workflows.service_request import ServiceRequest


@workflow.defn(name=WORKFLOW_NAME)
class BrokenShell(ServiceRequest):
    """A change that was made without `workflow.patched`."""

    @workflow.init
    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)

    @workflow.run
    async def run(self, shell: Shell) -> None:
        """The same, and yet not."""
        await super().run(shell)

    async def _pass(self) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super()._pass()
