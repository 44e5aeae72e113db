"""One service request's durable shell.

Owns what must survive any crash and needs no rule: that the request's inbox is emptied when its doorbell
rings or its timer fires, that effects not yet taken are taken, that one timer is armed for the next instant
that matters, that the run continues as new when its history grows and ends when the request is closed. It
holds numbers and instants. What they mean was decided by the activity `advance`, in the store; so replay
never runs a rule, and any release of the rules can be deployed over any open request.

Must not import anything but temporalio and the messages: a test proves it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from fixline.messages import (
        ADVANCE_ACTIVITY,
        WORKFLOW_NAME,
        Advanced,
        AdvanceOrder,
        Bell,
        EffectOrder,
        EffectTask,
        Rung,
        Shell,
        Summary,
    )
    from workflows import attributes, policies


@workflow.defn(name=WORKFLOW_NAME)
class ServiceRequest:
    """The workflow of one request; its id is the request's id."""

    @workflow.init
    def __init__(self, shell: Shell) -> None:
        # With @workflow.init the state exists before a doorbell that comes with the start is answered.
        self._shell = shell
        # Passes over the inbox that were asked for. The first is the start itself, unless it says what to do.
        self._asked = 0 if shell.opened else 1
        self._passed = 0  # how many of those have been answered by a pass that began after they were asked for
        self._decision = shell.known
        self._closed = False
        self._taking: set[str] = set()
        self._taken: set[str] = set()
        self._armed_at: datetime | None = shell.armed_at
        self._fired_at: datetime | None = None  # an instant carried over lies ahead, mostly: its timer has not fired
        self._timer: asyncio.Task[None] | None = None
        self._ending = False
        self._summary = Summary()
        self._looked = False
        # The search attributes that this workflow has: those of its start, or of the run before.
        self._attributes = shell.attributes or (shell.opened.attributes if shell.opened else None)

    @workflow.run
    async def run(self, shell: Shell) -> None:
        """Empty the inbox, take effects, wait; until the request is closed and nothing is pending."""
        if shell.opened is not None:
            self._note(shell.opened)
        while True:
            await workflow.wait_condition(lambda: self._asked > self._passed or self._at_rest())
            if self._asked > self._passed:
                self._ending = False
                await self._pass()
            elif self._leave():
                await workflow.wait_condition(workflow.all_handlers_finished)
                break
        if not self._closed:
            workflow.continue_as_new(
                Shell(
                    shell.request_id,
                    self._armed_at,
                    shell.runs + 1,
                    known=self._decision,
                    attributes=self._attributes,
                )
            )

    @workflow.update(dynamic=True)
    async def doorbell(self, name: str, args: Sequence[RawValue]) -> Rung:  # noqa: ARG002 - read by the validator
        """Somebody has put a command of the kind `name` into the inbox: answer when the inbox has been emptied.

        Bells that ring together are answered by one pass; none is answered by a pass that began before it rang.
        """
        self._asked += 1
        mine = self._asked
        await workflow.wait_condition(lambda: self._passed >= mine)
        return Rung(self._decision)

    @doorbell.validator
    def check_bell(self, name: str, args: Sequence[RawValue]) -> None:
        """Refuse what is no bell, and any bell once this run is ending (the caller rings again, at the next run)."""
        if self._ending:
            raise ApplicationError("this run is ending; ring again", type="RunEnding")
        if len(args) != 1:
            raise ApplicationError("a doorbell takes one message", type="NotABell")
        bell = workflow.payload_converter().from_payload(args[0].payload, Bell)
        if bell.kind != name or bell.number < 1:
            raise ApplicationError("the message does not fit its name", type="NotABell")

    @workflow.query
    def state(self) -> Summary:
        """A few words about the request, for whoever looks in Temporal's UI or command line."""
        return self._summary

    async def _pass(self) -> None:
        """One pass over the inbox; whoever rang before it began has their answer then."""
        asked, fired_at = self._asked, self._fired_at
        self._fired_at = None
        order = AdvanceOrder(
            self._shell.request_id, workflow.now(), fired_at, first=not self._looked, known=self._decision
        )
        self._looked = True
        self._note(await self._local(ADVANCE_ACTIVITY, order))
        self._passed = asked

    async def _local(self, name: str, argument: AdvanceOrder | EffectTask) -> Advanced:
        result: Advanced = await workflow.execute_local_activity(
            name,
            argument,
            result_type=Advanced,
            start_to_close_timeout=policies.LOCAL_TIMEOUT,
            retry_policy=policies.LOCAL_RETRY,
            local_retry_threshold=policies.LOCAL_RETRY_THRESHOLD,
        )
        return result

    async def _outside(self, name: str, argument: EffectTask) -> Advanced:
        result: Advanced = await workflow.execute_activity(
            name,
            argument,
            result_type=Advanced,
            start_to_close_timeout=policies.OUTSIDE_TIMEOUT,
            retry_policy=policies.OUTSIDE_RETRY,
        )
        return result

    def _note(self, result: Advanced) -> None:
        """Keep what a pass or an effect has come to; of two that cross, the later decision holds."""
        if result.decision < self._decision:
            return
        self._decision, self._closed, self._summary = result.decision, result.closed, result.summary
        self._describe(result)
        for effect in result.effects:
            if effect.effect_id not in self._taking | self._taken:
                self._taking.add(effect.effect_id)
                asyncio.create_task(self._take(effect))  # noqa: RUF006 - `_taking` keeps count of it
        self._arm(result.next_at, result.wake_at)

    def _describe(self, result: Advanced) -> None:
        """Set the search attributes anew where they are others; an answer without any leaves them."""
        if result.attributes is not None and result.attributes != self._attributes:
            workflow.upsert_search_attributes(attributes.changes(self._attributes, result.attributes))
            self._attributes = result.attributes

    async def _take(self, effect: EffectOrder) -> None:
        """Take one effect; several are taken side by side. What it learned is decided within its activity."""
        task = EffectTask(self._shell.request_id, effect.effect_id, workflow.now())
        try:
            result = await (self._local if effect.reach == "store" else self._outside)(effect.kind, task)
        except ActivityError:
            # Only an error that no retry can mend gets here; the effect's row keeps it for the operator.
            workflow.logger.exception("effect %s cannot be taken", effect.effect_id)
        else:
            self._taken.add(effect.effect_id)
            self._note(result)
        finally:
            self._taking.discard(effect.effect_id)

    def _arm(self, at: datetime | None, wake_at: datetime | None) -> None:
        """Keep one timer for the next instant; it is set anew only when that instant changes."""
        if at == self._armed_at and (self._timer is not None or at is None):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_at = at
        self._timer = asyncio.create_task(self._wait_until(at, wake_at or at)) if at is not None else None

    async def _wait_until(self, at: datetime, wake_at: datetime) -> None:
        await workflow.sleep(max(wake_at - workflow.now(), timedelta(milliseconds=1)))
        self._timer = None
        self._fired_at = at
        self._asked += 1

    def _at_rest(self) -> bool:
        """Whether this run may leave: closed, or too long a history, with nothing under way."""
        if self._taking:
            return False
        return self._closed or workflow.info().is_continue_as_new_suggested()

    def _leave(self) -> bool:
        """Take no more bells; whoever rang meanwhile is answered first."""
        self._ending = True
        return self._asked == self._passed
