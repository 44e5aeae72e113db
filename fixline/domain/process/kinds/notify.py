"""Steps that tell somebody, and go on at once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from fixline.domain.definition.vocabulary import REPORTER
from fixline.domain.process import walk
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.process.effects import Notify
from fixline.domain.process.kinds.base import StepPart, Ways, Words, spoken


class NotifyStep(StepPart):
    """An automatic step: somebody is told, and the request goes on at once."""

    kind: Literal["notify"] = "notify"
    role: str = Field(description="Who is told: a role of organisation.yaml, or reporter.")
    say: str = Field(description="What they are told.")
    then: str = Field(description="The step that follows.")

    at_once = ""

    def words(self, _name: str) -> Words:
        return Words(f"Tell {spoken(self.role)}")

    @property
    def shown(self) -> dict[str, Any]:
        return {"role": self.role, "say": self.say, "go": [self.then]}

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        silent = self.role == REPORTER and not builder.state.has_contact
        told = "has left no contact and is not told" if silent else "is told"
        walk.entered(builder, name, visit, f"Step {name}: the {self.role} {told}: {self.say}")
        if not silent:  # `say` is the definition's, so the effect names the step alone
            builder.cause(Notify(event=f"step {name}", audience=self.role, step=name))
        return walk.go_on(builder, name, self.then, self.then)

    @property
    def exits(self) -> Ways:
        return (("", self.then),)
