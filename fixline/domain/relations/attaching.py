"""A request that repeats an older one: attached to it, closed with it, or looked at on its own again.

Owns the life of an attached request (docs/definitions.md, section Duplicates): it stays open, nobody works on it, and
no clock of it runs. What the two tell each other is in `fixline.domain.relations.duplicates`. Instants are aware UTC.
"""

from __future__ import annotations

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.model import WhenNothingFound
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent
from fixline.domain.journal import facts, relation_facts
from fixline.domain.process import walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import (
    AgencyReply,
    Amend,
    Cancel,
    Comment,
    EffectResult,
    FollowOnClosed,
    FollowOnReopened,
    Move,
    ParentLeft,
    RelatedNote,
    SourceClosed,
    Tick,
)
from fixline.domain.process.decision import Refused, refuse
from fixline.domain.relations import duplicates
from fixline.domain.relations.commands import (
    Attach,
    Detach,
    DuplicateAttached,
    DuplicateDetached,
    Original,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)

WHILE_ATTACHED = (
    *(AgencyReply, Amend, Cancel, Comment, Detach, EffectResult, Move, SourceClosed, Tick),
    *(DuplicateAttached, DuplicateDetached, OriginalAttached, OriginalClosed, OriginalReopened),
    *(FollowOnClosed, FollowOnReopened, ParentLeft, RelatedNote),
)
"""What an attached request still takes; all else is for its original."""


def refused(builder: DecisionBuilder) -> Refused:
    """The refusal of any other command."""
    original = builder.state.attached_to
    text = f"the request is a duplicate of {original}, which is worked on instead; detach it first"
    return refuse("request_attached", text, attached_to=original)


def attach(builder: DecisionBuilder, command: Attach) -> None:
    """A supervisor attaches the request to an older one; the duplicates that it has itself follow it there."""
    state, to = builder.state, command.to
    if to.id == state.id:
        raise refuse("attached_to_itself", "a request cannot be a duplicate of itself")
    if not to.older_than(state.opened_at, state.id):
        text = f"{to.id} was reported later: attach it to this one instead"
        raise refuse("original_not_older", text, original=to.id, opened_at=to.opened_at.isoformat())
    _attach(builder, to, f"Attached to {to.id}, which is about the same. {command.reason}", command.reason)


def attach_at_opening(builder: DecisionBuilder, to: Original) -> None:
    """The report repeats an open request: it is attached to it instead of beginning."""
    _attach(builder, to, f"Attached to {to.id}, which was reported before.", None)


def _attach(builder: DecisionBuilder, to: Original, text: str, reason: str | None) -> None:
    followers = builder.state.attached
    walk.withdraw(builder, f"attached to {to.id}")
    for clock in builder.state.live_clocks:
        timekeeping.end(builder, clock, "attached")
    builder.record(relation_facts.Attached(to.id, reason), text)
    duplicates.tell_original(builder, to.id, attached=True)
    for each in followers:
        builder.tell(each, OriginalAttached(original=builder.request_id, to=to.id))


def detach(builder: DecisionBuilder, command: Detach) -> None:
    """A supervisor says that it is no duplicate after all."""
    original = builder.state.attached_to
    if original is None:
        raise refuse("not_attached", "the request is attached to no other")
    _begin_again(builder, f"Detached from {original}. {command.reason}", command.reason)


def original_attached(builder: DecisionBuilder, command: OriginalAttached) -> None:
    """The original has turned out to be a duplicate itself: the request follows to that one's original."""
    _check_original(builder, command.original)
    builder.record(
        relation_facts.Reattached(command.to), f"{command.original} is a duplicate of {command.to}: attached to that."
    )
    duplicates.tell_original(builder, command.to, attached=True)


def original_closed(builder: DecisionBuilder, command: OriginalClosed) -> None:
    """The original has closed: the request closes with it, or is looked at on its own where nothing was done."""
    _check_original(builder, command.original)
    text = f"{command.original}, of which it is a duplicate, was closed: {command.outcome}."
    builder.record(relation_facts.OriginalClosed(command.original, command.outcome), text)
    if _on_its_own(builder, command.outcome):
        _begin_again(builder, f"Looked at on its own, because {command.original} was closed: {command.outcome}.", None)
    else:
        walk.close(builder, CloseOutcome.DUPLICATE, builder.now, text)


def original_reopened(builder: DecisionBuilder, command: OriginalReopened) -> None:
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
        builder.tell(state.parent.id, FollowOnReopened(child=builder.request_id))
    builder.notify(NotifyEvent.REOPENED)


def _check_original(builder: DecisionBuilder, original: str) -> None:
    if builder.state.attached_to != original:
        raise refuse("not_attached", f"the request is not attached to {original}", original=original)


def _on_its_own(builder: DecisionBuilder, outcome: CloseOutcome) -> bool:
    rules = builder.definition.intake.duplicates
    if outcome is CloseOutcome.NO_PROBLEM_FOUND:
        return rules is None or rules.when_nothing_found is WhenNothingFound.LOOK
    return outcome is CloseOutcome.CANCELLED


def _begin_again(builder: DecisionBuilder, text: str, reason: str | None) -> None:
    """From the start, with clocks of its own that count from now; those before stay as history."""
    original = builder.state.attached_to
    builder.record(relation_facts.Detached(original, reason), text.strip())
    if original:
        duplicates.tell_original(builder, original, attached=False)
    timekeeping.start_deadlines(builder, backlog=False)
    walk.enter(builder, builder.definition.start)
