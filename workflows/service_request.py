"""One service request's life in time: the durable workflow.

Owns what must survive any crash and needs no rule: that effects not yet taken are taken, that one timer is armed for
the next instant that matters, that what falls due then is decided, that the run continues as new when its history
grows and ends when the request is closed. It holds numbers and instants. What they mean was decided in the store,
before it was told; so replay never runs a rule, and any release of the rules can be deployed over any open request.

It is told by signals, named after the commands. A signal says all that is left to do, never a difference: one that is
lost, late, twice or overtaken does no harm, the highest decision holds.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from fixline import messages, search_attributes
    from fixline.messages import DueInput, EffectInput, PendingEffect, PendingWork, WorkflowInput
    from workflows import policies


@workflow.defn(name=messages.WORKFLOW_NAME)
class ServiceRequest:
    """The workflow of one request; its id is the request's id."""

    @workflow.init
    def __init__(self, given: WorkflowInput) -> None:
        # With @workflow.init the state exists before a signal that comes with the start is read.
        self._request_id = given.request_id
        self._decision = given.known  # the highest that has been seen; whoever says less is late
        self._closed = False
        self._summary = messages.Summary()
        # Whether to look into the store: what is due, and what this run cannot know. A run that goes on for another
        # one looks first: an effect that could not be taken there may be taken now.
        self._look = given.look or given.runs > 0
        self._taking: set[str] = set()
        # Taken since the last decision: a second word of the same decision, on its way before, may still name them.
        self._taken: set[str] = set()
        self._armed_at: datetime | None = given.armed_at
        self._fired_at: datetime | None = None  # an instant carried over lies ahead, mostly: its timer has not fired
        self._timer: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, given: WorkflowInput) -> None:
        """Take effects, wait, decide what is due; until the request is closed and nothing is pending."""
        self._look = self._look or self._idle()
        while True:
            await workflow.wait_condition(lambda: self._look or self._at_rest())
            if not self._look:
                break
            self._look = False
            self._note(await self._decide_due())
        # Nothing has been awaited since the last signal was read. The server refuses the end of a run while there are
        # unread ones; then they are read first, and the end is decided anew.
        if not self._closed:
            workflow.continue_as_new(
                WorkflowInput(given.request_id, given.runs + 1, self._armed_at, known=self._decision)
            )

    @workflow.signal(dynamic=True)
    def command(self, name: str, args: Sequence[RawValue]) -> None:
        """A command called `name` was decided: this is left to do. Anything else is a reason to look into the store."""
        work = _read(args)
        if work is None:
            workflow.logger.warning("the signal %s cannot be read; looking into the store", name)
            self._look = True
        else:
            self._note(work)

    @workflow.query
    def state(self) -> messages.Summary:
        """A few words about the request, for whoever looks in Temporal's UI or command line."""
        return self._summary

    async def _decide_due(self) -> PendingWork:
        fired_at, self._fired_at = self._fired_at, None
        given = DueInput(self._request_id, workflow.now(), fired_at, unarmed=self._timer is None, known=self._decision)
        return await self._call(messages.DECIDE_DUE_ACTIVITY, given)

    async def _call(self, name: str, argument: DueInput | EffectInput, reach: str = "store") -> PendingWork:
        result: PendingWork
        if reach == "store":
            result = await workflow.execute_local_activity(name, argument, result_type=PendingWork, **policies.LOCAL)
        else:
            result = await workflow.execute_activity(name, argument, result_type=PendingWork, **policies.OUTSIDE)
        return result

    def _note(self, work: PendingWork) -> None:
        """Keep what is left to do; of two that cross, the later decision holds."""
        if work.decision < self._decision:
            return
        if work.decision > self._decision:
            self._taken.clear()
        self._decision, self._closed, self._summary = work.decision, work.closed, work.summary
        if work.attributes is not None:
            changes = search_attributes.changes(workflow.info().typed_search_attributes, work.attributes)
            if changes:
                workflow.upsert_search_attributes(changes)
        known = self._taking | self._taken
        for effects in _batches(effect for effect in work.effects if effect.effect_id not in known):
            self._taking |= {effect.effect_id for effect in effects}
            asyncio.create_task(self._take(effects))  # noqa: RUF006 - `_taking` keeps count of it
        self._look = self._look or work.waiting > 0
        if not work.closed:  # a timer that is left ends with the run
            self._arm(work.next_at, work.wake_at)

    async def _take(self, effects: list[PendingEffect]) -> None:
        """Take a batch of effects; several are taken side by side. What they learned is decided within the activity."""
        first, ids = effects[0], [effect.effect_id for effect in effects]
        given = EffectInput(self._request_id, ids[0], workflow.now(), ids[1:])
        try:
            result = await self._call(first.kind, given, first.reach)
        except ActivityError:
            # Only an error that no retry can mend gets here; the effect's row keeps it for the operator.
            workflow.logger.exception("%s cannot be taken", ", ".join(ids))
        else:
            self._note(result)
            self._taken.update(ids)
        finally:
            self._taking.difference_update(ids)

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
        self._look = True

    def _idle(self) -> bool:
        """Whether this run was told of nothing to do, or of nothing at all, as one that was started by hand, or by a
        word that came after the request had been closed: only the store knows."""
        return not self._closed and not self._taking and self._timer is None

    def _at_rest(self) -> bool:
        """Whether this run may leave: closed, or too long a history, with nothing under way."""
        if self._taking:
            return False
        return self._closed or workflow.info().is_continue_as_new_suggested()


def _batches(effects: Iterable[PendingEffect]) -> Iterable[list[PendingEffect]]:
    """The effects that one activity takes, in their order."""
    found: dict[tuple[str, str], list[PendingEffect]] = {}
    for effect in effects:
        found.setdefault((effect.kind, effect.batch or effect.effect_id), []).append(effect)
    return found.values()


def _read(args: Sequence[RawValue]) -> PendingWork | None:
    """What a signal says; None for what cannot be read: an error would fail the workflow's task for ever."""
    try:
        (content,) = args
        work: object = workflow.payload_converter().from_payload(content.payload, PendingWork)
    except Exception:  # whatever a converter makes of what anybody may have sent
        return None
    return work if isinstance(work, PendingWork) else None
