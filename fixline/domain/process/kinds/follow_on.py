"""Steps that another department carries out as a request of its own: one like any other, of which only the opening and
the end concern its parent.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.definition.vocabulary import OTHERWISE, CloseOutcome, NotifyEvent
from fixline.domain.journal import facts
from fixline.domain.journal.state import Child
from fixline.domain.process import commands, walk
from fixline.domain.process.decision import DecisionBuilder, refuse
from fixline.domain.process.effects import OpenFollowOn
from fixline.domain.process.kinds.base import OutsidePart, Words, noted

DEEPEST = 5
"""How many follow-ons may have been opened for each other in a row."""


class FollowOnStep(OutsidePart):
    """A step that another department carries out, as a request of its own; this one waits until that one closes.

    Outcomes: the close outcomes of the follow-on's type; `otherwise` is for those not named.
    """

    kind: Literal["follow_on"] = "follow_on"
    follow_on: str = Field(description="The follow-on's request type.")
    then: dict[str, str] = Field(description="The follow-on's close outcomes, and otherwise, with the steps.")

    asks = ("follow_on", "follow_on")
    at_once = OTHERWISE  # one that cannot be opened

    def words(self, _name: str) -> Words:
        return Words(f"New request: {self.follow_on}", ("waits until it closes", *noted(("as", self.waiting_as))))

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        walk.entered(builder, name, visit, f"Step {name}: a follow-on of type {self.follow_on} is opened.")
        builder.cause(OpenFollowOn(type=self.follow_on, step=name, visit=visit, at=builder.now))
        return None

    @property
    def answers(self) -> list[str]:
        """None that a version must keep: whatever the other request comes to, `otherwise` takes."""
        return []


def effect_result(builder: DecisionBuilder, command: commands.EffectResult) -> None:
    """The follow-on has been opened, or cannot be: then the request goes on by `otherwise`."""
    name = command.step or ""
    position, step = builder.state.position_of(name), builder.definition.steps.get(name)
    waits = isinstance(step, FollowOnStep) and position is not None and position.visit == command.visit
    if command.child is None:
        if not waits:
            raise refuse("step_moved_on", "the step was left before its follow-on could be opened")
        text = f"No follow-on of type {command.child_type} was opened: {command.failed}."
        builder.record(facts.FollowOnFailed(command.child_type or "", name, command.failed or ""), text)
        walk.step_over(builder, name, OTHERWISE)
        return
    since = position.entered_at if position and waits else None
    opened = facts.FollowOnOpened(command.child, command.child_type or "", name, since)
    builder.record(opened, f"Follow-on {command.child} ({command.child_type}) was opened.")
    if not waits:
        builder.tell(command.child, commands.ParentLeft(parent=builder.request_id))


def closed(builder: DecisionBuilder, command: commands.FollowOnClosed) -> None:
    """A follow-on has ended: what waited for it goes on by its outcome; otherwise it is noted."""
    child = _child(builder, command.child)
    text = f"Follow-on {command.child} was closed: {command.outcome}."
    builder.record(facts.FollowOnClosed(command.child, command.outcome), text)
    position = builder.state.position_of(child.step)
    step = builder.definition.steps.get(child.step)
    if position is None or position.entered_at != child.entered_at or not isinstance(step, FollowOnStep):
        return
    outcome = command.outcome.value if command.outcome.value in step.then else OTHERWISE
    builder.notify(NotifyEvent.STEP_DONE, step=child.step, outcome=outcome)
    walk.step_over(builder, child.step, outcome)


def reopened(builder: DecisionBuilder, command: commands.FollowOnReopened) -> None:
    """A follow-on is open again. It is noted; the request went on when it was closed."""
    _child(builder, command.child)
    builder.record(facts.FollowOnReopened(command.child), f"Follow-on {command.child} was opened again.")


def _child(builder: DecisionBuilder, child: str) -> Child:
    known = builder.state.children.get(child)
    if known is None:
        raise refuse("unknown_follow_on", f"{child} is no follow-on of this request")
    return known


def parent_left(builder: DecisionBuilder, command: commands.ParentLeft) -> None:
    """Nobody waits for this request any more: it is cancelled."""
    text = f"{command.parent} no longer waits for this request."
    builder.record(facts.ParentLeft(command.parent), text)
    walk.close(builder, CloseOutcome.CANCELLED, builder.now, text)


def comment(builder: DecisionBuilder, command: commands.Comment) -> None:
    """A remark, for the journal of this request, of its parent and of its follow-ons."""
    builder.record(facts.Commented(), command.text)
    parent = [builder.state.parent.id] if builder.state.parent else []
    for other in (*parent, *builder.state.children):
        builder.tell(other, commands.RelatedNote(other=builder.request_id, by=builder.actor.name, text=command.text))


def related_note(builder: DecisionBuilder, command: commands.RelatedNote) -> None:
    """A remark that was left on the parent or on a follow-on."""
    text = f"{command.other}, {command.by}: {command.text}"
    builder.record(facts.RelatedCommented(command.other, command.by, command.text), text)
