"""Steps that an outside party carries out: it is asked, and the request waits for its reply."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import NO_REPLY, PLACE, NotifyEvent
from fixline.domain.journal import step_facts
from fixline.domain.journal.state import Position, Visit
from fixline.domain.process import walk
from fixline.domain.process.commands import AgencyReply, EffectResult
from fixline.domain.process.decision import DecisionBuilder, refuse
from fixline.domain.process.effects import AskAgency, fields_of
from fixline.domain.process.kinds.base import OutsidePart, Words, noted


class AgencyStep(OutsidePart):
    """A step that an outside party carries out: it is asked, and the request waits for its reply.

    Outcomes: those that the party can reply with, and `no_reply` when `reply_within` has passed.
    """

    kind: Literal["agency"] = "agency"
    agency: str = Field(description="The outside party, from organisation.yaml.")
    send: tuple[str, ...] = Field(
        (), description="What it is sent besides number, type and place: description, photos, and names of answers."
    )
    reply_within: Span | None = Field(None, description="How long the party has for its reply.")
    then: dict[str, str] = Field(description="Each reply, and no_reply, with the step that follows.")

    late = NO_REPLY
    times = ("reply_within",)
    asks = ("agency", "agency")

    def words(self, _name: str) -> Words:
        return Words(f"Ask {self.agency}", noted(("reply within", self.reply_within), ("as", self.waiting_as)))

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        within = f", {self.reply_within} at most" if self.reply_within else ""
        walk.entered(builder, name, visit, f"Step {name}: {self.agency} is asked{within}.")
        fields = fields_of(builder.state, (PLACE, *self.send))
        at, outcomes = builder.now, self.answers
        builder.cause(AskAgency(agency=self.agency, step=name, visit=visit, at=at, outcomes=outcomes, fields=fields))
        return None


def agency_reply(builder: DecisionBuilder, command: AgencyReply) -> None:
    """The party's reply, or staff's in its place; one that comes after no_reply is noted and changes nothing."""
    waiting = [position for position in builder.state.positions if _asks(builder, position, command)]
    if len(waiting) > 1:
        steps = [position.step for position in waiting]
        raise refuse("several_agencies", "several agencies are waited for: say at which step", steps=steps)
    name = waiting[0].step if waiting else _late_at(builder, command)
    step = builder.definition.step(name)
    assert isinstance(step, AgencyStep)  # noqa: S101 - found as one
    if command.outcome not in step.answers:
        text = f"step {name!r} has no reply {command.outcome!r}; it has {', '.join(step.answers)}"
        raise refuse("unknown_outcome", text, outcomes=step.answers)
    fact, late = (step_facts.AgencyReplied, "") if waiting else (step_facts.LateReply, " replied too late")
    reference = f"Reference {command.reference}." if command.reference else ""
    said = (f"{step.agency}{late}: {command.outcome}.", reference, command.reason)
    replied = fact(step.agency, name, command.outcome, command.reference, command.reason)
    builder.record(replied, " ".join(part for part in said if part))
    if waiting:
        builder.notify(NotifyEvent.STEP_DONE, step=name, outcome=command.outcome)
        walk.step_over(builder, name, command.outcome)


def _late_at(builder: DecisionBuilder, command: AgencyReply) -> str:
    """The step whose party was asked last, where that has not replied in time. Raises Refused elsewhere."""
    state = builder.state
    visit = next((visit for visit in reversed(state.taken) if _asks(builder, visit, command)), None)
    if visit is not None and visit.outcome == NO_REPLY:
        return visit.step
    if state.closed:
        raise refuse("request_closed", f"the request is closed ({state.outcome})", outcome=state.outcome)
    raise refuse("no_agency_awaited", "the request does not wait for an agency's reply")


def _asks(builder: DecisionBuilder, visit: Position | Visit, command: AgencyReply) -> bool:
    """Whether a visit was of a step that asks a party (of that step, if it is named)."""
    return isinstance(builder.definition.steps.get(visit.step), AgencyStep) and command.step in (None, visit.step)


def effect_result(builder: DecisionBuilder, command: EffectResult) -> None:
    """The party was asked."""
    asked = step_facts.AgencyAsked(command.told or "", command.step or "", command.visit or 0, command.channel)
    builder.record(asked, f"{command.told} was asked ({command.channel}).")
