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

from fixline.domain.deadlines import escalation, timekeeping
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent
from fixline.domain.journal import facts, step_facts
from fixline.domain.journal.state import RequestState, TaskState
from fixline.domain.process import (
    intake,
    moving,
    prioritising,
    recategorising,
    reopening,
    tasks,
    walk,
)
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import (
    Actor,
    AgencyReply,
    Amend,
    Cancel,
    Claim,
    Command,
    Comment,
    Complete,
    Decline,
    EffectResult,
    FollowOnClosed,
    FollowOnReopened,
    Hold,
    Move,
    Open,
    ParentLeft,
    Place,
    Prioritise,
    Reassign,
    Recategorise,
    RelatedNote,
    Release,
    Reopen,
    Resume,
    Role,
    SendBack,
    Signal,
    SourceClosed,
    Start,
    Tick,
)
from fixline.domain.process.decision import Decision, Refusal, Refused, refuse
from fixline.domain.process.kinds import agency, call, wait
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.relations import attaching, duplicates, follow_ons
from fixline.domain.relations.commands import (
    Attach,
    Detach,
    DuplicateAttached,
    DuplicateDetached,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)

ON_CLOSED = (
    *(Comment, EffectResult, Reopen, AgencyReply, FollowOnClosed, FollowOnReopened, RelatedNote),
    *(DuplicateAttached, DuplicateDetached, OriginalReopened),
)
"""What a closed request still takes: a remark, the reports of effects that were under way, being opened again, a reply
that comes too late, and what its parent, its follow-ons and its duplicates have to tell."""


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
            _open(builder, state, command)
        elif state is None:
            raise refuse("not_opened", "the request has not been opened")
        elif state.closed and not isinstance(command, ON_CLOSED):
            raise refuse("request_closed", f"the request is closed ({state.outcome})", outcome=state.outcome)
        elif state.attached_to and not (state.closed or isinstance(command, attaching.WHILE_ATTACHED)):
            raise attaching.refused(builder)
        else:
            if catch_up and not isinstance(command, SourceClosed):  # it was closed elsewhere before that fell due
                _catch_up(builder, through_now=isinstance(command, Tick))
            _decide(builder, command)
    except Refused as refused:
        return refused.refusal
    if not builder.changed:
        return Refusal(code="nothing_due", message="nothing is due")
    timekeeping.settle(builder)
    return builder.finish(_next_at(builder))


def next_instant(definition: Definition, state: RequestState) -> datetime | None:
    """The next instant at which something falls due by itself (aware UTC), never before the last decision's;
    None when nothing does."""
    return _next_at(DecisionBuilder(definition, state, Actor(name="", role=Role.SYSTEM), state.decided_at, state.id))


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
            walk.time_over(builder, due.wait)
        else:
            escalation.happen(builder, due)
        timekeeping.settle(builder)


def _decide(builder: DecisionBuilder, command: Command) -> None:
    if builder.state.closed and not isinstance(command, ON_CLOSED):
        if not isinstance(command, Tick):
            raise refuse("request_closed", f"the request is closed ({builder.state.outcome})")
        return
    _DECIDE[type(command)](builder, command)


def _open(builder: DecisionBuilder, state: RequestState | None, command: Open) -> None:
    definition = builder.definition
    if state is not None:
        raise refuse("already_opened", "the request has been opened already")
    answers = intake.read_report(definition, command)
    ruled = timekeeping.ruled_priority(definition, answers)
    opened_at = min(command.opened_at or builder.now, builder.now).astimezone(UTC)
    opened = facts.Opened(
        id=builder.request_id,
        type=definition.type,
        version=command.version,
        opened_at=opened_at,
        priority=ruled.priority,
        answers=answers,
        place=command.place,
        areas=command.areas,
        description=command.description,
        photos=command.photos,
        channel=command.channel,
        external_id=command.external_id,
        has_contact=command.has_contact,
        backlog=command.backlog,
        parent=command.parent,
    )
    builder.record(opened, f"{definition.title}: reported by {command.channel}.")
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    intake.note_undecided(builder)
    original = command.attach_to
    if original and original.older_than(opened_at, builder.request_id):
        builder.notify(NotifyEvent.RECEIVED)
        attaching.attach_at_opening(builder, original)
        return
    timekeeping.start_deadlines(builder, backlog=command.backlog)
    if not command.backlog:
        builder.notify(NotifyEvent.RECEIVED)
    walk.enter(builder, definition.start)


def _amend(builder: DecisionBuilder, command: Amend) -> None:
    answers, problems = read_answers(builder.definition.fields, command.answers, partial=True)
    if problems:
        raise refuse("answers_invalid", "some answers do not fit the questions", fields=problems)
    if command.place:
        intake.check_place(builder.definition, command.place)
        if command.outside:
            intake.check_move(builder.definition, builder.actor)
    before = builder.state.seq
    fresh = {name: value for name, value in answers.items() if builder.state.answers.get(name) != value}
    if fresh:
        builder.record(facts.AnswersChanged(fresh, command.reason), f"Answers put right. {command.reason}")
        timekeeping.set_priority(builder)
        wait.follow_answers(builder)
    if command.place and (command.place, command.areas) != (builder.state.place, builder.state.areas):
        _amend_place(builder, command, command.place)
    if command.description is not None and command.description != builder.state.description:
        changed = facts.DescriptionChanged(command.description, command.reason)
        builder.record(changed, f"Description put right. {command.reason}")
    if builder.state.seq == before:
        raise refuse("nothing_changed", "everything is already as the amendment says")


def _amend_place(builder: DecisionBuilder, command: Amend, place: Place) -> None:
    """Put the place right; where that changes the area's team, work that is not under way goes to it."""
    before = _teams(builder)
    where = ", outside the city" if command.outside else ""
    changed = facts.PlaceChanged(place, command.areas, command.reason, command.outside)
    builder.record(changed, f"Place put right{where}. {command.reason}")
    after = _teams(builder)
    for task in builder.state.open_tasks:
        team = after[task.id]
        if team not in (before[task.id], task.team) and task.state is not TaskState.STARTED:
            tasks.hand_over(builder, task, team, None, "The place was put right.")


def _teams(builder: DecisionBuilder) -> dict[str, str]:
    """Each open task's team by the request's areas."""
    steps = {task.id: builder.definition.step(task.step) for task in builder.state.open_tasks}
    areas = builder.state.areas
    return {name: step.team_in(areas) for name, step in steps.items() if isinstance(step, HumanStep)}


def _send_back(builder: DecisionBuilder, command: SendBack) -> None:
    step = builder.definition.steps.get(command.step)
    if step is None or isinstance(step, CloseStep):
        possible = [name for name, each in builder.definition.steps.items() if not isinstance(each, CloseStep)]
        raise refuse("unknown_step", f"there is no step {command.step!r} to go back to", steps=possible)
    if command.step in builder.definition.in_branches:
        together = builder.definition.in_branches[command.step].together
        raise refuse("unknown_step", f"step {command.step!r} runs within {together!r}: send it back there")
    builder.record(step_facts.SentBack(command.step, command.reason), f"Sent back to {command.step}. {command.reason}")
    walk.withdraw(builder, "sent back")
    walk.enter(builder, command.step)


def _hold(builder: DecisionBuilder, command: Hold) -> None:
    if builder.state.hold:
        raise refuse("already_on_hold", f"the request is on hold: {builder.state.hold.reason}")
    holds = builder.definition.holds
    if command.code not in (holds or {None}):
        told = (
            f"a hold has a code: {', '.join(holds)}" if holds else f"type {builder.definition.type} has no hold codes"
        )
        raise refuse("hold_code", told, codes=list(holds))
    why = f"{holds[command.code]}. " if command.code else ""
    builder.record(facts.Held(command.reason, command.code or None), f"On hold: {why}{command.reason}")
    builder.notify(NotifyEvent.ON_HOLD)


def _resume(builder: DecisionBuilder, command: Resume) -> None:
    if not builder.state.hold:
        raise refuse("not_on_hold", "the request is not on hold")
    builder.record(facts.Resumed(command.reason), f"Resumed. {command.reason}".strip())


def _cancel(builder: DecisionBuilder, command: Cancel) -> None:
    allowed = builder.definition.cancel
    if builder.actor.role in (Role.REPORTER, Role.SERVICE):
        until = allowed.reporter
        if until is None or (until != "always" and builder.state.visits.get(until)):
            raise refuse("not_cancellable", "the request can no longer be cancelled by whoever reported it")
    elif builder.actor.role is not Role.ADMIN and allowed.supervisor is None:
        raise refuse("not_cancellable", f"a request of type {builder.definition.type} cannot be cancelled")
    walk.close(builder, CloseOutcome.CANCELLED, builder.now, command.reason)


def _source_closed(builder: DecisionBuilder, command: SourceClosed) -> None:
    closed_at = max(min(command.closed_at, builder.now), builder.state.opened_at)
    walk.close(builder, command.outcome, closed_at.astimezone(UTC), f"{command.source} has closed it.")


def _effect_result(builder: DecisionBuilder, command: EffectResult) -> None:
    _LEARNED[command.effect_kind](builder, command)


_LEARNED: Mapping[str, Callable[[DecisionBuilder, EffectResult], None]] = {
    "dispatch": tasks.given_by_rule,
    "order_inspection": tasks.given_by_rule,
    "escalate": tasks.told,
    "notify": tasks.notified,
    "ask_agency": agency.effect_result,
    "call": call.effect_result,
    "open_follow_on": follow_ons.effect_result,
}


def _tick(_draft: DecisionBuilder, _command: Tick) -> None:
    """Catching up was all there was to do."""


_DECIDE: Mapping[type, Callable[[DecisionBuilder, Any], None]] = {
    Claim: tasks.claim,
    Start: tasks.start,
    Release: tasks.release,
    Complete: tasks.complete,
    Decline: tasks.decline,
    Reassign: tasks.reassign,
    EffectResult: _effect_result,
    AgencyReply: agency.agency_reply,
    Amend: _amend,
    SendBack: _send_back,
    Comment: follow_ons.comment,
    FollowOnClosed: follow_ons.closed,
    FollowOnReopened: follow_ons.reopened,
    ParentLeft: follow_ons.parent_left,
    RelatedNote: follow_ons.related_note,
    Signal: wait.signal,
    Hold: _hold,
    Resume: _resume,
    Cancel: _cancel,
    Reopen: reopening.reopen,
    Prioritise: prioritising.prioritise,
    Recategorise: recategorising.recategorise,
    Move: moving.move,
    SourceClosed: _source_closed,
    Attach: attaching.attach,
    Detach: attaching.detach,
    DuplicateAttached: duplicates.duplicate_attached,
    DuplicateDetached: duplicates.duplicate_detached,
    OriginalAttached: attaching.original_attached,
    OriginalClosed: attaching.original_closed,
    OriginalReopened: attaching.original_reopened,
    Tick: _tick,
}
