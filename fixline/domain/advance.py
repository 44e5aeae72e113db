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

from fixline.domain import (
    attaching,
    dates,
    duplicates,
    facts,
    follow_ons,
    intake,
    moving,
    prioritising,
    progress,
    recategorising,
    reopening,
    replies,
    rungs,
    tasks,
    timekeeping,
)
from fixline.domain.commands import (
    Actor,
    AgencyReply,
    Amend,
    Cancel,
    Claim,
    Command,
    Comment,
    Complete,
    Decline,
    EffectReport,
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
from fixline.domain.decision import Decision, Refusal, Refused, refuse
from fixline.domain.definition import Definition, NotifyEvent
from fixline.domain.draft import Draft
from fixline.domain.forms import read_answers
from fixline.domain.relations import (
    Attach,
    Detach,
    DuplicateAttached,
    DuplicateDetached,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)
from fixline.domain.state import Position, RequestState, TaskState
from fixline.domain.steps import CloseOutcome, CloseStep, HumanStep, WaitStep

ON_CLOSED = (
    *(Comment, EffectReport, Reopen, AgencyReply, FollowOnClosed, FollowOnReopened, RelatedNote),
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
    draft = Draft(definition, state, actor, now.astimezone(UTC), request_id)
    draft.target = target
    try:
        if isinstance(command, Open):
            _open(draft, state, command)
        elif state is None:
            raise refuse("not_opened", "the request has not been opened")
        elif state.closed and not isinstance(command, ON_CLOSED):
            raise refuse("request_closed", f"the request is closed ({state.outcome})", outcome=state.outcome)
        elif state.attached_to and not (state.closed or isinstance(command, attaching.WHILE_ATTACHED)):
            raise attaching.refused(draft)
        else:
            if catch_up and not isinstance(command, SourceClosed):  # it was closed elsewhere before that fell due
                _catch_up(draft, through_now=isinstance(command, Tick))
            _decide(draft, command)
    except Refused as refused:
        return refused.refusal
    if not draft.changed:
        return Refusal(code="nothing_due", message="nothing is due")
    timekeeping.settle(draft)
    return draft.finish(_next_at(draft))


def next_instant(definition: Definition, state: RequestState) -> datetime | None:
    """The next instant at which something falls due by itself (aware UTC), never before the last decision's;
    None when nothing does."""
    return _next_at(Draft(definition, state, Actor(name="", role=Role.SYSTEM), state.decided_at, state.id))


def _next_at(draft: Draft) -> datetime | None:
    if draft.state.closed:
        return None
    coming = timekeeping.coming(draft)
    return max(coming.at, draft.state.decided_at) if coming else None


def _catch_up(draft: Draft, *, through_now: bool) -> None:
    """Let everything happen that was due before now (for a tick: by now)."""
    while not draft.state.closed and (due := timekeeping.coming(draft)):
        if due.at > draft.now or (due.at == draft.now and not through_now):
            return
        if due.wait:
            progress.time_over(draft, due.wait)
        else:
            rungs.happen(draft, due)
        timekeeping.settle(draft)


def _decide(draft: Draft, command: Command) -> None:
    if draft.state.closed and not isinstance(command, ON_CLOSED):
        if not isinstance(command, Tick):
            raise refuse("request_closed", f"the request is closed ({draft.state.outcome})")
        return
    _DECIDE[type(command)](draft, command)


def _open(draft: Draft, state: RequestState | None, command: Open) -> None:
    definition = draft.definition
    if state is not None:
        raise refuse("already_opened", "the request has been opened already")
    answers = intake.read_report(definition, command)
    ruled = timekeeping.ruled_priority(definition, answers)
    opened_at = min(command.opened_at or draft.now, draft.now).astimezone(UTC)
    opened = facts.Opened(
        id=draft.request_id,
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
    draft.record(opened, f"{definition.title}: reported by {command.channel}.")
    timekeeping.note_undecided(draft, "priority", ruled.undecided)
    intake.note_undecided(draft)
    original = command.attach_to
    if original and original.older_than(opened_at, draft.request_id):
        draft.notify(NotifyEvent.RECEIVED)
        attaching.attach_at_opening(draft, original)
        return
    timekeeping.start_deadlines(draft, backlog=command.backlog)
    if not command.backlog:
        draft.notify(NotifyEvent.RECEIVED)
    progress.enter(draft, definition.start)


def _amend(draft: Draft, command: Amend) -> None:
    answers, problems = read_answers(draft.definition.fields, command.answers, partial=True)
    if problems:
        raise refuse("answers_invalid", "some answers do not fit the questions", fields=problems)
    if command.place:
        intake.check_place(draft.definition, command.place)
        if command.outside:
            intake.check_move(draft.definition, draft.actor)
    before = draft.state.seq
    fresh = {name: value for name, value in answers.items() if draft.state.answers.get(name) != value}
    if fresh:
        draft.record(facts.AnswersChanged(fresh, command.reason), f"Answers put right. {command.reason}")
        timekeeping.set_priority(draft)
        dates.follow_answers(draft)
    if command.place and (command.place, command.areas) != (draft.state.place, draft.state.areas):
        _amend_place(draft, command, command.place)
    if command.description is not None and command.description != draft.state.description:
        changed = facts.DescriptionChanged(command.description, command.reason)
        draft.record(changed, f"Description put right. {command.reason}")
    if draft.state.seq == before:
        raise refuse("nothing_changed", "everything is already as the amendment says")


def _amend_place(draft: Draft, command: Amend, place: Place) -> None:
    """Put the place right; where that changes the area's team, work that is not under way goes to it."""
    before = _teams(draft)
    where = ", outside the city" if command.outside else ""
    changed = facts.PlaceChanged(place, command.areas, command.reason, command.outside)
    draft.record(changed, f"Place put right{where}. {command.reason}")
    after = _teams(draft)
    for task in draft.state.open_tasks:
        team = after[task.id]
        if team not in (before[task.id], task.team) and task.state is not TaskState.STARTED:
            tasks.hand_over(draft, task, team, None, "The place was put right.")


def _teams(draft: Draft) -> dict[str, str]:
    """Each open task's team by the request's areas."""
    steps = {task.id: draft.definition.step(task.step) for task in draft.state.open_tasks}
    return {name: progress.team_of(draft, step) for name, step in steps.items() if isinstance(step, HumanStep)}


def _send_back(draft: Draft, command: SendBack) -> None:
    step = draft.definition.steps.get(command.step)
    if step is None or isinstance(step, CloseStep):
        possible = [name for name, each in draft.definition.steps.items() if not isinstance(each, CloseStep)]
        raise refuse("unknown_step", f"there is no step {command.step!r} to go back to", steps=possible)
    if command.step in draft.definition.in_branches:
        together = draft.definition.in_branches[command.step].together
        raise refuse("unknown_step", f"step {command.step!r} runs within {together!r}: send it back there")
    draft.record(facts.SentBack(command.step, command.reason), f"Sent back to {command.step}. {command.reason}")
    progress.withdraw(draft, "sent back")
    progress.enter(draft, command.step)


def _signal(draft: Draft, command: Signal) -> None:
    waiting = [position for position in draft.state.positions if _awaits(draft, position, command.name)]
    if not waiting:
        where = " and ".join(f"step {position.step!r}" for position in draft.state.positions)
        raise refuse("signal_not_awaited", f"{where} does not wait for {command.name!r}")
    draft.record(facts.SignalReceived(command.name), f"Signal {command.name}. {command.reason}".strip())
    for position in waiting:
        if draft.state.position_of(position.step) == position:  # unless another branch has ended them all
            progress.step_over(draft, position.step, command.name)


def _awaits(draft: Draft, position: Position, signal: str) -> bool:
    step = draft.definition.step(position.step)
    return isinstance(step, WaitStep) and step.signal == signal


def _hold(draft: Draft, command: Hold) -> None:
    if draft.state.hold:
        raise refuse("already_on_hold", f"the request is on hold: {draft.state.hold.reason}")
    holds = draft.definition.holds
    if command.code not in (holds or {None}):
        told = f"a hold has a code: {', '.join(holds)}" if holds else f"type {draft.definition.type} has no hold codes"
        raise refuse("hold_code", told, codes=list(holds))
    why = f"{holds[command.code]}. " if command.code else ""
    draft.record(facts.Held(command.reason, command.code or None), f"On hold: {why}{command.reason}")
    draft.notify(NotifyEvent.ON_HOLD)


def _resume(draft: Draft, command: Resume) -> None:
    if not draft.state.hold:
        raise refuse("not_on_hold", "the request is not on hold")
    draft.record(facts.Resumed(command.reason), f"Resumed. {command.reason}".strip())


def _cancel(draft: Draft, command: Cancel) -> None:
    allowed = draft.definition.cancel
    if draft.actor.role in (Role.REPORTER, Role.SERVICE):
        until = allowed.reporter
        if until is None or (until != "always" and draft.state.visits.get(until)):
            raise refuse("not_cancellable", "the request can no longer be cancelled by whoever reported it")
    elif draft.actor.role is not Role.ADMIN and allowed.supervisor is None:
        raise refuse("not_cancellable", f"a request of type {draft.definition.type} cannot be cancelled")
    progress.close(draft, CloseOutcome.CANCELLED, draft.now, command.reason)


def _source_closed(draft: Draft, command: SourceClosed) -> None:
    closed_at = max(min(command.closed_at, draft.now), draft.state.opened_at)
    progress.close(draft, command.outcome, closed_at.astimezone(UTC), f"{command.source} has closed it.")


def _tick(_draft: Draft, _command: Tick) -> None:
    """Catching up was all there was to do."""


_DECIDE: Mapping[type, Callable[[Draft, Any], None]] = {
    Claim: tasks.claim,
    Start: tasks.start,
    Release: tasks.release,
    Complete: tasks.complete,
    Decline: tasks.decline,
    Reassign: tasks.reassign,
    EffectReport: replies.report,
    AgencyReply: replies.agency_reply,
    Amend: _amend,
    SendBack: _send_back,
    Comment: follow_ons.comment,
    FollowOnClosed: follow_ons.closed,
    FollowOnReopened: follow_ons.reopened,
    ParentLeft: follow_ons.parent_left,
    RelatedNote: follow_ons.related_note,
    Signal: _signal,
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
