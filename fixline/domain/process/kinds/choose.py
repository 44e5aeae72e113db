"""Steps that choose: the first branch whose condition holds is taken at once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.fields import Part
from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.process import walk
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.process.kinds.base import StepPart, Ways, Words, spoken


class ChooseBranch(Part):
    """One branch of a choose step; a branch without a condition holds otherwise."""

    when: str | None = Field(None, description="A condition (CEL) on the answers.")
    go: str = Field(description="The step that follows.")


class ChooseStep(StepPart):
    """An automatic step: the first branch whose condition holds is taken at once."""

    kind: Literal["choose"] = "choose"
    branches: tuple[ChooseBranch, ...] = Field(description="The branches, first match wins.")

    def words(self, name: str) -> Words:
        return Words(spoken(name).capitalize(), ("decided by the answers",))

    @property
    def shown(self) -> dict[str, Any]:
        return {"go": [branch.go for branch in self.branches]}

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        walk.entered(builder, name, visit, f"Step {name}.")
        target = next(b.go for b in self.branches if b.when is None or timekeeping.holds(builder, b.when, name))
        return walk.go_on(builder, name, target, target)

    @property
    def exits(self) -> Ways:
        return tuple((branch.when or OTHERWISE, branch.go) for branch in self.branches)

    @property
    def exits_at_once(self) -> tuple[str, ...]:
        return tuple(target for _, target in self.exits)
