"""Deadlines as a definition has them: budgets by priority, ladders of rungs. Descriptions are what editors show."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.fields import Part
from fixline.domain.definition.vocabulary import Priority


class Rung(Part):
    """One step of a deadline's ladder: when, whom to tell, what to change. Exactly one of `at_percent`, `before`,
    `at_due` and `after` says when. `before` is what is left of the budget, so that a pause moves the rung as it moves
    due; `after` counts from due in its own unit; with `every` it fires again until it has fired `up_to` times in
    all."""

    at_percent: int | None = Field(None, ge=1, le=99, description="Fires when this share of the budget is spent.")
    before: Span | None = Field(None, description="Fires when no more than this is left of the budget.")
    at_due: bool = Field(False, description="Fires when the deadline is due.")
    after: Span | None = Field(None, description="Fires this long after due.")
    every: Span | None = Field(None, description="Fires again at this interval.")
    up_to: int = Field(1, ge=1, le=100, description="How many times it fires in all.")
    tell: str | None = Field(None, description="The role that is told, from organisation.yaml.")
    raise_priority: Priority | None = Field(None, description="The priority that the request is raised to.")
    reassign_to: str | None = Field(None, description="The team that gets the tasks which nobody has begun.")

    @property
    def when(self) -> str:
        """The moment in words: '75%', '1 working hour before due', 'due' or 'after 1 working day'."""
        if self.at_percent is not None:
            return f"{self.at_percent}%"
        if self.before is not None:
            return f"{self.before} before due"
        return "due" if self.at_due else f"after {self.after}"


class Budget(Part):
    """How long something may take, by priority: the first that fits, else `otherwise`."""

    by_priority: dict[Priority, Span] = Field({}, description="Budgets of single priorities.")
    otherwise: Span = Field(description="The budget of every other priority.")

    def of(self, priority: Priority) -> Span:
        """The budget that holds for this priority."""
        return self.by_priority.get(priority, self.otherwise)


class Deadline(Part):
    """A promise about the whole request: from when, met by what, within how long, and its ladder."""

    from_: Literal["opened"] = Field("opened", alias="from", description="What starts the clock.")
    met_by: str = Field(description="The step whose first completion meets it, or 'closed'.")
    within: Budget = Field(description="The budget: one span, or one for each priority.")
    paused_while: tuple[str, ...] = Field(
        (), description="States in which the clock stands: on_hold, codes of holds, the waiting_as names of steps."
    )
    escalate: tuple[Rung, ...] = Field((), description="The ladder, in order of time.")
