"""What supervisors ask: what is overdue, what will be soon, what rests, who is waited for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from fixline.domain.deadlines.calendar import Span
from fixline.domain.process.kinds.base import WaitKind
from fixline.service.views.supervision import DormantOut, DueSoonOut, OverdueOut, UnclaimedOut, WaitingOut
from fixline.web.schemas.basics import Page, Text


def _as_span(text: str) -> str:
    return str(Span.parse(text))


SpanText = Annotated[str, Field(max_length=50), AfterValidator(_as_span)]
"""A length of time as definitions write it, such as `3 working days`."""
LISTED_BY_PAGE = ("limit", "cursor")


class ScopeQuery(Page):
    """Whose lines are listed, and how the list is written."""

    department: Text | None = None
    team: Text | None = None
    type: Text | None = None
    area: Text | None = None
    format: Literal["json", "csv"] = Field("json", description="`csv` has every line, and neither pages nor totals.")

    @model_validator(mode="after")
    def _check_csv(self) -> Self:
        if self.format == "csv" and self.model_fields_set.intersection(LISTED_BY_PAGE):
            raise ValueError("csv has every line: leave limit and cursor out")
        return self


class OverdueQuery(ScopeQuery):
    """Which overdue clocks are listed."""

    clock: Text | None = Field(None, description="The name of a clock, or of a definition's deadline.")


class DueSoonQuery(OverdueQuery):
    """Which clocks are listed that will be due."""

    within: SpanText = Field("1 working day", description="How soon, by each request's own calendar.")


class DormantQuery(ScopeQuery):
    """Which requests are listed to which nothing happens."""

    quiet_for: SpanText = Field("5 working days", description="For how long, by each request's own calendar.")


class WaitingQuery(ScopeQuery):
    """Which waiting requests are listed."""

    kind: WaitKind | None = Field(None, description="What is waited for.")
    on: Text | None = Field(None, description="Who or what: a team, a person, an agency ...")


class Totals(BaseModel):
    """How many lines there are, in all and by group, under the same filters."""

    count: int
    department: dict[str, int]
    team: dict[str, int]
    type: dict[str, int]
    area: dict[str, int]


class ClockTotals(Totals):
    """The same, by clock, too."""

    clock: dict[str, int]


class WaitingTotals(Totals):
    """The same, by what is waited for, too."""

    kind: dict[str, int]
    on: dict[str, int]


class OverduePage(BaseModel):
    """A page of overdue clocks, worst first, and the totals."""

    items: list[OverdueOut]
    next: str | None
    totals: ClockTotals


class DueSoonPage(BaseModel):
    """A page of clocks that will be due, the next first, and the totals."""

    items: list[DueSoonOut]
    next: str | None
    totals: ClockTotals


class DormantPage(BaseModel):
    """A page of requests to which nothing happens, the quietest first, and the totals."""

    items: list[DormantOut]
    next: str | None
    totals: Totals


class WaitingPage(BaseModel):
    """A page of waiting requests, the longest first, and the totals."""

    items: list[WaitingOut]
    next: str | None
    totals: WaitingTotals


class UnclaimedPage(BaseModel):
    """A page of unclaimed tasks, the longest first, and the totals."""

    items: list[UnclaimedOut]
    next: str | None
    totals: Totals
