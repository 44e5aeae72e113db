"""Steps that another department carries out, as a request of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.process import walk
from fixline.domain.process.effects import OpenFollowOn
from fixline.domain.process.kinds.base import Asked, WaitingPart, WaitKind, Words, noted

if TYPE_CHECKING:
    from fixline.domain.process.builder import DecisionBuilder


class FollowOnStep(WaitingPart):
    """A step that another department carries out, as a request of its own; this one waits until that one closes.

    Outcomes: the close outcomes of the follow-on's type; `otherwise` is for those not named.
    """

    kind: Literal["follow_on"] = "follow_on"
    follow_on: str = Field(description="The follow-on's request type.")
    then: dict[str, str] = Field(description="The follow-on's close outcomes, and otherwise, with the steps.")

    def words(self, name: str) -> Words:
        del name
        return Words(f"New request: {self.follow_on}", ("waits until it closes", *noted(("as", self.waiting_as))))

    @property
    def shown(self) -> dict[str, Any]:
        return {"waiting_as": self.waiting_as, "then": self.then}

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        text = f"Step {name}: a follow-on of type {self.follow_on} is opened."
        walk.entered(builder, name, visit, text, waiting_as=self.waiting_as)
        builder.cause(OpenFollowOn(type=self.follow_on, step=name, visit=visit, at=builder.now))
        return None

    @property
    def exits_at_once(self) -> tuple[str, ...]:
        """One that cannot be opened goes on by `otherwise`."""
        return (self.then[OTHERWISE],) if OTHERWISE in self.then else ()

    def waits_on(self, name: str) -> tuple[WaitKind, str]:
        del name
        return "follow_on", self.follow_on

    @property
    def asked(self) -> Asked:
        return Asked(self.follow_on, frozenset())
