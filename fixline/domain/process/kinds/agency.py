"""Steps that an outside party carries out: it is asked, and the request waits for its reply."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import NO_REPLY, PLACE, NotifyEvent
from fixline.domain.journal import step_facts
from fixline.domain.journal.state import Position, Visit
from fixline.domain.process import walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import AgencyReply, EffectResult
from fixline.domain.process.decision import refuse
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
        until, text = self.wait_until(builder, builder.now), f"Step {name}: {self.agency} is asked{within}."
        walk.entered(builder, name, visit, text, self.waiting_as, until)
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
    if not waiting:
        _late_reply(builder, command)
        return
    name = waiting[0].step
    party = _party_that_may(builder, name, command.outcome)
    replied = step_facts.AgencyReplied(party, name, command.outcome, command.reference, command.reason)
    builder.record(replied, _said(f"{party}: {command.outcome}.", command))
    builder.notify(NotifyEvent.STEP_DONE, step=name, outcome=command.outcome)
    walk.step_over(builder, name, command.outcome)


def _late_reply(builder: DecisionBuilder, command: AgencyReply) -> None:
    """To whoever was asked last."""
    state = builder.state
    visit = next((visit for visit in reversed(state.taken) if _asks(builder, visit, command)), None)
    if visit is None or visit.outcome != NO_REPLY:
        if state.closed:
            raise refuse("request_closed", f"the request is closed ({state.outcome})", outcome=state.outcome)
        raise refuse("no_agency_awaited", "the request does not wait for an agency's reply")
    party = _party_that_may(builder, visit.step, command.outcome)
    late = step_facts.LateReply(party, visit.step, command.outcome, command.reference, command.reason)
    builder.record(late, _said(f"{party} replied too late: {command.outcome}.", command))


def _asks(builder: DecisionBuilder, visit: Position | Visit, command: AgencyReply) -> bool:
    """Whether a visit was of a step that asks a party (of that step, if it is named)."""
    return isinstance(builder.definition.steps.get(visit.step), AgencyStep) and command.step in (None, visit.step)


def _party_that_may(builder: DecisionBuilder, name: str, outcome: str) -> str:
    """Who is asked at the step. Raises Refused for a reply that it does not have."""
    step = builder.definition.step(name)
    assert isinstance(step, AgencyStep)  # noqa: S101 - found as one
    if outcome not in step.answers:
        text = f"step {name!r} has no reply {outcome!r}; it has {', '.join(step.answers)}"
        raise refuse("unknown_outcome", text, outcomes=step.answers)
    return step.agency


def _said(text: str, command: AgencyReply) -> str:
    reference = f"Reference {command.reference}." if command.reference else ""
    return " ".join(part for part in (text, reference, command.reason) if part)


def effect_result(builder: DecisionBuilder, command: EffectResult) -> None:
    """The party was asked."""
    asked = step_facts.AgencyAsked(command.told or "", command.step or "", command.visit or 0, command.channel)
    builder.record(asked, f"{command.told} was asked ({command.channel}).")
