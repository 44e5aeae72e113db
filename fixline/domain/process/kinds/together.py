"""Steps that run branches side by side."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fixline.domain.definition.vocabulary import DONE
from fixline.domain.process import walk
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.process.kinds.base import StepPart, Ways, Words, spoken

Branch = Annotated[tuple[str, ...], Field(min_length=1)]
"""The steps of a branch, the first first."""


class TogetherStep(StepPart):
    """Branches that run side by side, each beginning with the first of its steps.

    A step of a branch leads to steps of the same branch, or to `joined`, which ends the branch. One outcome,
    `done`: when all branches have ended, or the first one (the others are withdrawn then). A step that leads
    out of its branch to another step ends all branches, and the request goes on there.
    """

    kind: Literal["together"] = "together"
    branches: dict[str, Branch] = Field(description="Each branch with the names of its steps.")
    join: Literal["all", "first"] = Field("all", description="Whether all branches must end, or the first.")
    then: dict[str, str] = Field(description="The step that follows the outcome done.")

    shows = ("branches", "join", "then")

    def words(self, name: str) -> Words:
        return Words(spoken(name).capitalize(), ("until all branches end" if self.join == "all" else "until one ends",))

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        walk.entered(builder, name, visit, f"Step {name}: {', '.join(self.branches)} side by side.")
        return None

    @property
    def exits(self) -> Ways:
        return (*((name, steps[0]) for name, steps in self.branches.items()), *self.then.items())

    @property
    def exits_at_once(self) -> tuple[str, ...]:
        """Its branches' first steps; what its `done` leads to depends on those."""
        return tuple(steps[0] for steps in self.branches.values())

    def next_branch(self, begun: set[str]) -> str | None:
        return next((steps[0] for branch, steps in self.branches.items() if branch not in begun), None)

    def joined(self, builder: DecisionBuilder, name: str, branch: str) -> str | None:
        """A branch has come to its end; the step that follows, or None while others go on."""
        if self.join == "all" and len(builder.state.joined) < len(self.branches):
            return None
        walk.withdraw_tasks(builder, f"{branch} came to its end first")
        for position in reversed(list(builder.state.branches.values())):
            walk.leave(builder, position.step, None)
        walk.leave(builder, name, DONE)
        return self.then[DONE]
