"""Steps that another department carries out, as a request of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.definition.vocabulary import OTHERWISE
from fixline.domain.process import walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.effects import OpenFollowOn
from fixline.domain.process.kinds.base import OutsidePart, Words, noted


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
        text = f"Step {name}: a follow-on of type {self.follow_on} is opened."
        walk.entered(builder, name, visit, text, self.waiting_as)
        builder.cause(OpenFollowOn(type=self.follow_on, step=name, visit=visit, at=builder.now))
        return None

    @property
    def answers(self) -> list[str]:
        """None that a version must keep: whatever the other request comes to, `otherwise` takes."""
        return []
