"""The request state machine: `advance(definition, state, command, now) -> Decision | Refusal`.

Owns which command does what; pure and total: no I/O, no clock, no randomness, and any command on any state
gives a decision or a typed refusal, never half of one. The only writer of a request calls it inside its
transaction, and `fixline test` and `fixline simulate` call the same function.

Time: `now` is aware UTC and is never taken to be before the last decision. What fell due by itself before
`now` happens first, in the order of the instants; an answer given at the very instant of a deadline is in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fixline.domain.deadlines import clocks, timekeeping
from fixline.domain.definition.model import Definition
from fixline.domain.journal import clock_facts
from fixline.domain.journal.state import Clock, RequestState, TaskState
from fixline.domain.process import changing, commands, duplicates, moving, tasks, walk
from fixline.domain.process.commands import SYSTEM, Actor, Command, EffectResult, Open, SourceClosed, Tick
from fixline.domain.process.decision import Decision, DecisionBuilder, Refusal, Refused, refuse
from fixline.domain.process.effects import Escalate
from fixline.domain.process.kinds import agency, call, follow_on, wait


def advance(
    definition: Definition,
    state: RequestState | None,
    command: Command,
    now: datetime,
    *,
    actor: Actor,
    request_id: str,
    catch_up: bool = True,
    target: Definition | None = None,
) -> Decision | Refusal:
    """Decide one command. The state given is never changed; a refusal leaves everything as it was.

    `catch_up=False` leaves what was due before now to a later tick: the store's way to let hold and cancel
    through when catching up fails by a fault. `target` is the definition of the version that a command to
    recategorise or to move names. `state` is None for an open command only. Raises ValueError for a
    naive `now`; nothing else is raised for a checked definition and a command that its own model accepts.
    """
    if now.tzinfo is None:
        raise ValueError("now must say its zone")
    builder = DecisionBuilder(definition, state, actor, now.astimezone(UTC), request_id)
    builder.target = target
    try:
        if isinstance(command, Open):
            if state is not None:
                raise refuse("already_opened", "the request has been opened already")
            changing.open_request(builder, command)
        elif state is None:
            raise refuse("not_opened", "the request has not been opened")
        elif state.closed and not isinstance(command, commands.WHILE_CLOSED):
            raise refuse("request_closed", f"the request is closed ({state.outcome})", outcome=state.outcome)
        elif state.attached_to and not (state.closed or isinstance(command, commands.WHILE_ATTACHED)):
            text = f"the request is a duplicate of {state.attached_to}, which is worked on instead; detach it first"
            raise refuse("request_attached", text, attached_to=state.attached_to)
        else:
            if catch_up and not isinstance(command, SourceClosed):  # it was closed elsewhere before that fell due
                _catch_up(builder, through_now=isinstance(command, Tick))
            _decide(builder, command)
    except Refused as refused:
        return refused.refusal
    if not builder.entries:
        return Refusal(code="nothing_due", message="nothing is due")
    timekeeping.settle(builder)
    return builder.finish(_next_at(builder))


def next_instant(definition: Definition, state: RequestState) -> datetime | None:
    """The next instant at which something falls due by itself (aware UTC), never before the last decision's;
    None when nothing does."""
    return _next_at(DecisionBuilder(definition, state, SYSTEM, state.decided_at, state.id))


def _next_at(builder: DecisionBuilder) -> datetime | None:
    if builder.state.closed:
        return None
    coming = timekeeping.coming(builder)
    return max(coming.at, builder.state.decided_at) if coming else None


def _catch_up(builder: DecisionBuilder, *, through_now: bool) -> None:
    """Let everything happen that was due before now (for a tick: by now)."""
    while not builder.state.closed and (due := timekeeping.coming(builder)):
        if due.at > builder.now or (due.at == builder.now and not through_now):
            return
        if due.wait:
            walk.step_over(builder, due.wait.step, builder.definition.step(due.wait.step).late)
        elif due.rung is None:
            timekeeping.breach(builder, builder.state.clocks[due.clock])
        else:
            _fire(builder, builder.state.clocks[due.clock], due.rung, due.at)
        timekeeping.settle(builder)


def _fire(builder: DecisionBuilder, clock: Clock, index: int, at: datetime) -> None:
    """A rung of a clock's ladder that was to fire at that instant: somebody is told, the priority raised, work given to
    another team; what somebody has begun stays with whoever does it (docs/definitions.md, section Deadlines)."""
    ladder = timekeeping.ladder_of(builder.definition, clock)
    rung, fired = ladder[index], clocks.fired(clock, ladder, index).fired
    late = builder.now - at > clocks.LATE_AFTER
    told = f", {rung.tell} is told" if rung.tell else ""
    text, time = f"{clock.name}: {rung.when}{told}{' (late)' if late else ''}.", fired[index]
    fact = clock_facts.RungFired(clock.name, fired, rung.when, index, time, at, late)
    builder.record(fact, text, actor=SYSTEM)
    if rung.raise_priority:
        timekeeping.set_priority(builder, floor=rung.raise_priority)
    team = rung.reassign_to
    for task in builder.state.open_tasks:
        if team and task.team != team and task.state is not TaskState.STARTED:
            tasks.hand_over(builder, task, team, None, f"{clock.name}: {rung.when}.", actor=SYSTEM)
    if rung.tell:
        builder.cause(Escalate(role=rung.tell, rung=rung.when, clock=clock.name, time=time, task=clock.task))


def _decide(builder: DecisionBuilder, command: Command) -> None:
    if isinstance(command, Tick):  # catching up was all there was to do
        return
    if builder.state.closed and not isinstance(command, commands.WHILE_CLOSED):
        raise refuse("request_closed", f"the request is closed ({builder.state.outcome})")
    if isinstance(command, EffectResult):
        _LEARNED[command.effect_kind](builder, command)
    else:
        _DECIDE[type(command)](builder, command)


_LEARNED: Mapping[str, Callable[[DecisionBuilder, EffectResult], None]] = {
    "dispatch": tasks.given_by_rule,
    "order_inspection": tasks.given_by_rule,
    "escalate": tasks.told,
    "notify": tasks.notified,
    "ask_agency": agency.effect_result,
    "call": call.effect_result,
    "open_follow_on": follow_on.effect_result,
}

_DECIDE: Mapping[type, Callable[[DecisionBuilder, Any], None]] = {
    commands.Claim: tasks.claim,
    commands.Start: tasks.start,
    commands.Release: tasks.release,
    commands.Complete: tasks.complete,
    commands.Decline: tasks.decline,
    commands.Reassign: tasks.reassign,
    commands.AgencyReply: agency.agency_reply,
    commands.Amend: changing.amend,
    commands.SendBack: changing.send_back,
    commands.Comment: follow_on.comment,
    commands.FollowOnClosed: follow_on.closed,
    commands.FollowOnReopened: follow_on.reopened,
    commands.ParentLeft: follow_on.parent_left,
    commands.RelatedNote: follow_on.related_note,
    commands.Signal: wait.signal,
    commands.Hold: changing.hold,
    commands.Resume: changing.resume,
    commands.Cancel: changing.cancel,
    commands.Reopen: changing.reopen,
    commands.Prioritise: changing.prioritise,
    commands.Recategorise: changing.recategorise,
    commands.Move: moving.move,
    SourceClosed: changing.source_closed,
    commands.Attach: duplicates.attach,
    commands.Detach: duplicates.detach,
    commands.DuplicateAttached: duplicates.duplicate_attached,
    commands.DuplicateDetached: duplicates.duplicate_detached,
    commands.OriginalAttached: duplicates.original_attached,
    commands.OriginalClosed: duplicates.original_closed,
    commands.OriginalReopened: duplicates.original_reopened,
}
