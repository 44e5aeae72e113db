"""Steps that an outside party carries out: it is asked, and the request waits for its reply.

Owns which replies are taken, and which come too late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import NO_REPLY, PLACE, NotifyEvent
from fixline.domain.journal import step_facts
from fixline.domain.journal.state import Position, Visit
from fixline.domain.process import walk
from fixline.domain.process.commands import AgencyReply, EffectResult
from fixline.domain.process.decision import refuse
from fixline.domain.process.effects import AskAgency, fields_of
from fixline.domain.process.kinds.base import Asked, WaitingPart, WaitKind, Words, noted

if TYPE_CHECKING:
    from fixline.domain.process.builder import DecisionBuilder


class AgencyStep(WaitingPart):
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

    late: ClassVar[str] = NO_REPLY

    def words(self, name: str) -> Words:
        del name
        return Words(f"Ask {self.agency}", noted(("reply within", self.reply_within), ("as", self.waiting_as)))

    @property
    def shown(self) -> dict[str, Any]:
        return {"waiting_as": self.waiting_as, "then": self.then}

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        within = f", {self.reply_within} at most" if self.reply_within else ""
        until, text = self.wait_until(builder, builder.now), f"Step {name}: {self.agency} is asked{within}."
        walk.entered(builder, name, visit, text, waiting_as=self.waiting_as, wait_until=until)
        fields = fields_of(builder.state, (PLACE, *self.send))
        asked = AskAgency(
            agency=self.agency, step=name, visit=visit, at=builder.now, outcomes=self.replies, fields=fields
        )
        builder.cause(asked)
        return None

    @property
    def replies(self) -> list[str]:
        """What the party can reply."""
        return [outcome for outcome in self.then if outcome != NO_REPLY]

    @property
    def limit(self) -> Span | None:
        return self.reply_within

    @property
    def limits(self) -> dict[str, Span]:
        return {"reply_within": self.reply_within} if self.reply_within else {}

    def waits_on(self, name: str) -> tuple[WaitKind, str]:
        del name
        return "agency", self.agency

    @property
    def asked(self) -> Asked:
        return Asked(self.agency, frozenset(self.replies))


def agency_reply(builder: DecisionBuilder, command: AgencyReply) -> None:
    """The party's reply, or staff's in its place; one that comes after no_reply is noted and changes nothing."""
    waiting = _awaiting_agency(builder, command.step)
    if waiting is None:
        _late_reply(builder, command)
        return
    step = builder.definition.step(waiting.step)
    assert isinstance(step, AgencyStep)  # noqa: S101 - found as one
    _check_outcome(step, waiting.step, command.outcome)
    replied = step_facts.AgencyReplied(step.agency, waiting.step, command.outcome, command.reference, command.reason)
    builder.record(replied, _said(f"{step.agency}: {command.outcome}.", command))
    builder.notify(NotifyEvent.STEP_DONE, step=waiting.step, outcome=command.outcome)
    walk.step_over(builder, waiting.step, command.outcome)


def _awaiting_agency(builder: DecisionBuilder, name: str | None) -> Position | None:
    """The position at which the request waits for a party (of that step, if it is named)."""
    found = [
        position
        for position in builder.state.positions
        if isinstance(builder.definition.steps.get(position.step), AgencyStep) and name in (None, position.step)
    ]
    if len(found) > 1:
        steps = [position.step for position in found]
        raise refuse("several_agencies", "several agencies are waited for: say at which step", steps=steps)
    return found[0] if found else None


def _late_reply(builder: DecisionBuilder, command: AgencyReply) -> None:
    visit = _last_asked(builder, command.step)
    if visit is None or visit.outcome != NO_REPLY:
        if builder.state.closed:
            raise refuse(
                "request_closed", f"the request is closed ({builder.state.outcome})", outcome=builder.state.outcome
            )
        raise refuse("no_agency_awaited", "the request does not wait for an agency's reply")
    step = builder.definition.step(visit.step)
    assert isinstance(step, AgencyStep)  # noqa: S101 - found as one
    _check_outcome(step, visit.step, command.outcome)
    late = step_facts.LateReply(step.agency, visit.step, command.outcome, command.reference, command.reason)
    builder.record(late, _said(f"{step.agency} replied too late: {command.outcome}.", command))


def _last_asked(builder: DecisionBuilder, name: str | None) -> Visit | None:
    """The last visit of a step that asked a party (of that step, if it is named)."""
    for visit in reversed(builder.state.taken):
        if isinstance(builder.definition.steps.get(visit.step), AgencyStep) and name in (None, visit.step):
            return visit
    return None


def _check_outcome(step: AgencyStep, name: str, outcome: str) -> None:
    if outcome not in step.replies:
        text = f"step {name!r} has no reply {outcome!r}; it has {', '.join(step.replies)}"
        raise refuse("unknown_outcome", text, outcomes=step.replies)


def _said(text: str, command: AgencyReply) -> str:
    reference = f"Reference {command.reference}." if command.reference else ""
    return " ".join(part for part in (text, reference, command.reason) if part)


def effect_result(builder: DecisionBuilder, command: EffectResult) -> None:
    """The party was asked."""
    asked = step_facts.AgencyAsked(command.told or "", command.step or "", command.visit or 0, command.channel)
    builder.record(asked, f"{command.told} was asked ({command.channel}).")
