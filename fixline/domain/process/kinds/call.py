"""Steps that call a department's own system, whose answer is the outcome."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import TIMEOUT
from fixline.domain.journal import step_facts
from fixline.domain.process import walk
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.decision import DecisionBuilder, refuse
from fixline.domain.process.effects import Call, fields_of
from fixline.domain.process.kinds.base import OutsidePart, Words, noted


class CallStep(OutsidePart):
    """An automatic step: a department's own system is called over HTTP, and its answer is the outcome.

    Outcomes: those that the system can answer with, and `timeout` when `at_most` has passed without one.
    """

    kind: Literal["call"] = "call"
    call: str = Field(description="The system, from organisation.yaml.")
    send: tuple[str, ...] = Field(
        (), description="What is sent besides number and type: place, description, photos, and names of answers."
    )
    at_most: Span = Field(description="How long an answer may take, tries included.")
    then: dict[str, str] = Field(description="Each answer, and timeout, with the step that follows.")

    times = ("at_most",)
    asks = ("system", "call")

    def words(self, _name: str) -> Words:
        return Words(f"Call {self.call}", noted(("at most", self.at_most), ("as", self.waiting_as)))

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        walk.entered(builder, name, visit, f"Step {name}: {self.call} is called, {self.at_most} at most.")
        fields = fields_of(builder.state, self.send)
        call = Call(system=self.call, step=name, visit=visit, at=builder.now, outcomes=self.answers, fields=fields)
        builder.cause(call)
        return None


def effect_result(builder: DecisionBuilder, command: EffectResult) -> None:
    """The system has answered."""
    name = command.step or ""
    step = builder.definition.steps.get(name)
    position = builder.state.position_of(name)
    if not isinstance(step, CallStep) or position is None or position.visit != command.visit:
        raise refuse("step_moved_on", "the step was left before the system's answer came")
    if command.outcome is None or command.outcome == TIMEOUT or command.outcome not in step.then:
        raise refuse("unknown_outcome", f"step {name!r} has no answer {command.outcome!r}")
    answered = step_facts.CallAnswered(step.call, name, position.visit, command.outcome)
    builder.record(answered, f"{step.call}: {command.outcome}.")
    walk.step_over(builder, name, command.outcome)
