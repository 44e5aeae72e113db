"""Steps that close the request."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process import walk
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.process.kinds.base import StepPart, Words, spoken


class CloseStep(StepPart):
    """A step that closes the request with an outcome and words for the reporter."""

    kind: Literal["close"] = "close"
    outcome: CloseOutcome = Field(description="What the request came to.")
    say: str = Field("", description="What the reporter is told.")

    shows = ("outcome", "say")

    def words(self, name: str) -> Words:
        return Words(f"Closed: {spoken(self.outcome)}", (spoken(name),) if name != self.outcome else ())

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        walk.entered(builder, name, visit, f"Step {name}.")
        walk.leave(builder, name, self.outcome)
        walk.close(builder, self.outcome, builder.now, self.say)
        return None
