"""A request that repeats an older one, and what the two tell each other (docs/definitions.md, section Duplicates).
While it is attached it stays open, nobody works on it, and no clock of it runs. Each is told by a command at the other
one, so neither ever waits for the other, and both may change meanwhile: whoever is told something that no longer holds
says what does. A request is attached to an older one only, so no chain of them comes back to its beginning.
"""

from __future__ import annotations

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.model import WhenNothingFound
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent
from fixline.domain.journal import facts
from fixline.domain.process import commands, walk
from fixline.domain.process.decision import DecisionBuilder, refuse


def attach(builder: DecisionBuilder, command: commands.Attach) -> None:
    """A supervisor attaches the request to an older one; the duplicates that it has itself follow it there."""
    state, to = builder.state, command.to
    if to.id == state.id:
        raise refuse("attached_to_itself", "a request cannot be a duplicate of itself")
    if not to.older_than(state.opened_at, state.id):
        text = f"{to.id} was reported later: attach it to this one instead"
        raise refuse("original_not_older", text, original=to.id, opened_at=to.opened_at.isoformat())
    attach_to(builder, to, f"Attached to {to.id}, which is about the same. {command.reason}", command.reason)


def attach_to(builder: DecisionBuilder, to: commands.Original, text: str, reason: str | None = None) -> None:
    """Make the request a duplicate: all that is under way ends, and those that are attached to it follow."""
    followers = builder.state.attached
    walk.withdraw(builder, f"attached to {to.id}")
    for clock in builder.state.live_clocks:
        timekeeping.end(builder, clock, "attached")
    builder.record(facts.Attached(to.id, reason), text)
    builder.tell(to.id, commands.DuplicateAttached(duplicate=builder.request_id))
    for each in followers:
        builder.tell(each, commands.OriginalAttached(original=builder.request_id, to=to.id))


def detach(builder: DecisionBuilder, command: commands.Detach) -> None:
    """A supervisor says that it is no duplicate after all."""
    original = builder.state.attached_to
    if original is None:
        raise refuse("not_attached", "the request is attached to no other")
    _begin_again(builder, f"Detached from {original}. {command.reason}", command.reason)


def original_attached(builder: DecisionBuilder, command: commands.OriginalAttached) -> None:
    """The original has turned out to be a duplicate itself: the request follows to that one's original."""
    _check_original(builder, command.original)
    text = f"{command.original} is a duplicate of {command.to}: attached to that."
    builder.record(facts.Reattached(command.to), text)
    builder.tell(command.to, commands.DuplicateAttached(duplicate=builder.request_id))


def original_closed(builder: DecisionBuilder, command: commands.OriginalClosed) -> None:
    """The original has closed: the request closes with it, or is looked at on its own where nothing was done."""
    _check_original(builder, command.original)
    text = f"{command.original}, of which it is a duplicate, was closed: {command.outcome}."
    builder.record(facts.OriginalClosed(command.original, command.outcome), text)
    rules = builder.definition.intake.duplicates
    looked_at = rules is None or rules.when_nothing_found is WhenNothingFound.LOOK
    nothing_done = command.outcome is CloseOutcome.NO_PROBLEM_FOUND and looked_at
    if nothing_done or command.outcome is CloseOutcome.CANCELLED:
        _begin_again(builder, f"Looked at on its own, because {command.original} was closed: {command.outcome}.", None)
    else:
        walk.close(builder, CloseOutcome.DUPLICATE, builder.now, text)


def original_reopened(builder: DecisionBuilder, command: commands.OriginalReopened) -> None:
    """The original has been opened again: what closed with it rests open again, attached as before."""
    state = builder.state
    _check_original(builder, command.original)
    if not state.closed:
        raise refuse("nothing_changed", "the request is open")
    if state.outcome is not CloseOutcome.DUPLICATE:
        raise refuse("request_closed", f"the request was closed by itself ({state.outcome})", outcome=state.outcome)
    text = f"{command.original}, of which it is a duplicate, was opened again."
    builder.record(facts.Reopened(state.outcome, attached_to=command.original), text)
    if state.parent:
        builder.tell(state.parent.id, commands.FollowOnReopened(child=builder.request_id))
    builder.notify(NotifyEvent.REOPENED)


def duplicate_attached(builder: DecisionBuilder, command: commands.DuplicateAttached) -> None:
    """A duplicate has been attached to the request; if the request has moved on meanwhile, the duplicate is told."""
    state, duplicate = builder.state, command.duplicate
    if duplicate in state.attached:
        raise refuse("nothing_changed", f"{duplicate} is attached already")
    if state.attached_to and not state.closed:
        text = f"{duplicate} was reported of the same; it follows to {state.attached_to}."
        builder.record(facts.DuplicateSentOn(duplicate, state.attached_to), text)
        builder.tell(duplicate, commands.OriginalAttached(original=state.id, to=state.attached_to))
        return
    builder.record(facts.DuplicateAttached(duplicate), f"{duplicate} was reported of the same.")
    if state.outcome is not None:
        builder.tell(duplicate, commands.OriginalClosed(original=state.id, outcome=state.outcome))


def duplicate_detached(builder: DecisionBuilder, command: commands.DuplicateDetached) -> None:
    """A duplicate goes its own way, or has been closed by itself."""
    if command.duplicate not in builder.state.attached:
        raise refuse("nothing_changed", f"{command.duplicate} is not attached")
    text = f"{command.duplicate} is no longer attached."
    builder.record(facts.DuplicateDetached(command.duplicate), text)


def _check_original(builder: DecisionBuilder, original: str) -> None:
    if builder.state.attached_to != original:
        raise refuse("not_attached", f"the request is not attached to {original}", original=original)


def _begin_again(builder: DecisionBuilder, text: str, reason: str | None) -> None:
    """From the start, with clocks of its own that count from now; those before stay as history."""
    original = builder.state.attached_to
    builder.record(facts.Detached(original, reason), text.strip())
    if original:
        builder.tell(original, commands.DuplicateDetached(duplicate=builder.request_id))
    timekeeping.start_deadlines(builder, backlog=False)
    walk.enter(builder, builder.definition.start)
