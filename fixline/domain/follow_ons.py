"""Follow-ons: a step that another department carries out as a request of its own.

Owns what parent and child tell each other, and what each does with it: the child's opening and its end at the
parent, the parent's leaving at the child, and the remarks of both. Each function records on a draft or raises
`Refused`. A follow-on is a request like any other; only its opening and its end concern its parent.
"""

from __future__ import annotations

from fixline.domain import facts, progress
from fixline.domain.commands import (
    Comment,
    EffectReport,
    FollowOnClosed,
    FollowOnReopened,
    ParentLeft,
    RelatedNote,
)
from fixline.domain.decision import refuse
from fixline.domain.definition import NotifyEvent
from fixline.domain.draft import Draft
from fixline.domain.state import Child
from fixline.domain.steps import OTHERWISE, CloseOutcome, FollowOnStep

DEEPEST = 5
"""How many follow-ons may have been opened for each other in a row."""


def report(draft: Draft, command: EffectReport) -> None:
    """The follow-on has been opened, or cannot be: then the request goes on by `otherwise`."""
    name = command.step or ""
    waits = _waits(draft, name, command.visit)
    if command.child is None:
        if not waits:
            raise refuse("step_moved_on", "the step was left before its follow-on could be opened")
        text = f"No follow-on of type {command.child_type} was opened: {command.failed}."
        draft.record(facts.FollowOnFailed(command.child_type or "", name, command.failed or ""), text)
        progress.step_over(draft, name, OTHERWISE)
        return
    position = draft.state.position_of(name)
    since = position.entered_at if position and waits else None
    opened = facts.FollowOnOpened(command.child, command.child_type or "", name, since)
    draft.record(opened, f"Follow-on {command.child} ({command.child_type}) was opened.")
    if not waits:
        draft.tell(command.child, ParentLeft(parent=draft.request_id))


def _waits(draft: Draft, name: str, visit: int | None) -> bool:
    position = draft.state.position_of(name)
    step = draft.definition.steps.get(name)
    return isinstance(step, FollowOnStep) and position is not None and position.visit == visit


def closed(draft: Draft, command: FollowOnClosed) -> None:
    """A follow-on has ended: what waited for it goes on by its outcome; otherwise it is noted."""
    child = _child(draft, command.child)
    text = f"Follow-on {command.child} was closed: {command.outcome}."
    draft.record(facts.FollowOnClosed(command.child, command.outcome), text)
    position = draft.state.position_of(child.step)
    step = draft.definition.steps.get(child.step)
    if position is None or position.entered_at != child.entered_at or not isinstance(step, FollowOnStep):
        return
    outcome = command.outcome.value if command.outcome.value in step.then else OTHERWISE
    draft.notify(NotifyEvent.STEP_DONE, step=child.step, outcome=outcome)
    progress.step_over(draft, child.step, outcome)


def reopened(draft: Draft, command: FollowOnReopened) -> None:
    """A follow-on is open again. It is noted; the request went on when it was closed."""
    _child(draft, command.child)
    draft.record(facts.FollowOnReopened(command.child), f"Follow-on {command.child} was opened again.")


def _child(draft: Draft, child: str) -> Child:
    known = draft.state.children.get(child)
    if known is None:
        raise refuse("unknown_follow_on", f"{child} is no follow-on of this request")
    return known


def parent_left(draft: Draft, command: ParentLeft) -> None:
    """Nobody waits for this request any more: it is cancelled."""
    text = f"{command.parent} no longer waits for this request."
    draft.record(facts.ParentLeft(command.parent), text)
    progress.close(draft, CloseOutcome.CANCELLED, draft.now, text)


def comment(draft: Draft, command: Comment) -> None:
    """A remark, for the journal of this request, of its parent and of its follow-ons."""
    draft.record(facts.Commented(), command.text)
    parent = [draft.state.parent.id] if draft.state.parent else []
    for other in (*parent, *draft.state.children):
        draft.tell(other, RelatedNote(other=draft.request_id, by=draft.actor.name, text=command.text))


def related_note(draft: Draft, command: RelatedNote) -> None:
    """A remark that was left on the parent or on a follow-on."""
    text = f"{command.other}, {command.by}: {command.text}"
    draft.record(facts.RelatedCommented(command.other, command.by, command.text), text)
