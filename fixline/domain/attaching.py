"""A request that repeats an older one: attached to it, closed with it, or looked at on its own again.

Owns the life of an attached request (docs/definitions.md, section Duplicates): it stays open, nobody works on it, and
no clock of it runs. What the two tell each other is in `fixline.domain.duplicates`. Instants are aware UTC.
"""

from __future__ import annotations

from fixline.domain import duplicates, facts, progress, timekeeping
from fixline.domain.commands import (
    AgencyReply,
    Amend,
    Cancel,
    Comment,
    EffectReport,
    FollowOnClosed,
    FollowOnReopened,
    Move,
    ParentLeft,
    RelatedNote,
    SourceClosed,
    Tick,
)
from fixline.domain.decision import Refused, refuse
from fixline.domain.definition import NotifyEvent, WhenNothingFound
from fixline.domain.draft import Draft
from fixline.domain.relations import (
    Attach,
    Detach,
    DuplicateAttached,
    DuplicateDetached,
    Original,
    OriginalAttached,
    OriginalClosed,
    OriginalReopened,
)
from fixline.domain.steps import CloseOutcome

WHILE_ATTACHED = (
    *(AgencyReply, Amend, Cancel, Comment, Detach, EffectReport, Move, SourceClosed, Tick),
    *(DuplicateAttached, DuplicateDetached, OriginalAttached, OriginalClosed, OriginalReopened),
    *(FollowOnClosed, FollowOnReopened, ParentLeft, RelatedNote),
)
"""What an attached request still takes; all else is for its original."""


def refused(draft: Draft) -> Refused:
    """The refusal of any other command."""
    original = draft.state.attached_to
    text = f"the request is a duplicate of {original}, which is worked on instead; detach it first"
    return refuse("request_attached", text, attached_to=original)


def attach(draft: Draft, command: Attach) -> None:
    """A supervisor attaches the request to an older one; the duplicates that it has itself follow it there."""
    state, to = draft.state, command.to
    if to.id == state.id:
        raise refuse("attached_to_itself", "a request cannot be a duplicate of itself")
    if not to.older_than(state.opened_at, state.id):
        text = f"{to.id} was reported later: attach it to this one instead"
        raise refuse("original_not_older", text, original=to.id, opened_at=to.opened_at.isoformat())
    _attach(draft, to, f"Attached to {to.id}, which is about the same. {command.reason}", command.reason)


def attach_at_opening(draft: Draft, to: Original) -> None:
    """The report repeats an open request: it is attached to it instead of beginning."""
    _attach(draft, to, f"Attached to {to.id}, which was reported before.", None)


def _attach(draft: Draft, to: Original, text: str, reason: str | None) -> None:
    followers = draft.state.attached
    progress.withdraw(draft, f"attached to {to.id}")
    for clock in draft.state.live_clocks:
        timekeeping.end(draft, clock, "attached")
    draft.record(facts.Attached(to.id, reason), text)
    duplicates.tell_original(draft, to.id, attached=True)
    for each in followers:
        draft.tell(each, OriginalAttached(original=draft.request_id, to=to.id))


def detach(draft: Draft, command: Detach) -> None:
    """A supervisor says that it is no duplicate after all."""
    original = draft.state.attached_to
    if original is None:
        raise refuse("not_attached", "the request is attached to no other")
    _begin_again(draft, f"Detached from {original}. {command.reason}", command.reason)


def original_attached(draft: Draft, command: OriginalAttached) -> None:
    """The original has turned out to be a duplicate itself: the request follows to that one's original."""
    _check_original(draft, command.original)
    draft.record(facts.Reattached(command.to), f"{command.original} is a duplicate of {command.to}: attached to that.")
    duplicates.tell_original(draft, command.to, attached=True)


def original_closed(draft: Draft, command: OriginalClosed) -> None:
    """The original has closed: the request closes with it, or is looked at on its own where nothing was done."""
    _check_original(draft, command.original)
    text = f"{command.original}, of which it is a duplicate, was closed: {command.outcome}."
    draft.record(facts.OriginalClosed(command.original, command.outcome), text)
    if _on_its_own(draft, command.outcome):
        _begin_again(draft, f"Looked at on its own, because {command.original} was closed: {command.outcome}.", None)
    else:
        progress.close(draft, CloseOutcome.DUPLICATE, draft.now, text)


def original_reopened(draft: Draft, command: OriginalReopened) -> None:
    """The original has been opened again: what closed with it rests open again, attached as before."""
    state = draft.state
    _check_original(draft, command.original)
    if not state.closed:
        raise refuse("nothing_changed", "the request is open")
    if state.outcome is not CloseOutcome.DUPLICATE:
        raise refuse("request_closed", f"the request was closed by itself ({state.outcome})", outcome=state.outcome)
    text = f"{command.original}, of which it is a duplicate, was opened again."
    draft.record(facts.Reopened(state.outcome, attached_to=command.original), text)
    if state.parent:
        draft.tell(state.parent.id, FollowOnReopened(child=draft.request_id))
    draft.notify(NotifyEvent.REOPENED)


def _check_original(draft: Draft, original: str) -> None:
    if draft.state.attached_to != original:
        raise refuse("not_attached", f"the request is not attached to {original}", original=original)


def _on_its_own(draft: Draft, outcome: CloseOutcome) -> bool:
    rules = draft.definition.intake.duplicates
    if outcome is CloseOutcome.NO_PROBLEM_FOUND:
        return rules is None or rules.when_nothing_found is WhenNothingFound.LOOK
    return outcome is CloseOutcome.CANCELLED


def _begin_again(draft: Draft, text: str, reason: str | None) -> None:
    """From the start, with clocks of its own that count from now; those before stay as history."""
    original = draft.state.attached_to
    draft.record(facts.Detached(original, reason), text.strip())
    if original:
        duplicates.tell_original(draft, original, attached=False)
    timekeeping.start_deadlines(draft, backlog=False)
    progress.enter(draft, draft.definition.start)
