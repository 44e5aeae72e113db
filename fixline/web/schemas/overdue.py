"""What supervisors ask: what is overdue, what will be soon, what rests, who is waited for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from fixline.domain.calendar import Span
from fixline.domain.waiting import WaitKind
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


class SupervisedRequest(BaseModel):
    """The request that a line is about."""

    id: str
    type: str
    title: str | None
    status: str
    step: str | None
    waiting_as: str | None
    on_hold: bool
    priority: str | None
    department: str | None
    team: str | None
    area: str | None
    address: str | None
    latitude: float | None
    longitude: float | None
    opened_at: datetime
    external_id: str | None


class HolderOut(BaseModel):
    """Whose turn it is: a task's holder, or the team where nobody has it yet."""

    task: str | None
    team: str | None
    assignee: str | None


class NextRungOut(BaseModel):
    """The rung of the ladder that fires next."""

    rung: str = Field(description="As the definition writes it.", examples=["75%", "due", "after 1 working day"])
    at: datetime
    tell: str | None = Field(description="The role that it tells.")


class ClockLine(BaseModel):
    """What lines about a clock have in common."""

    request: SupervisedRequest
    clock: str
    kind: str
    due_at: datetime


class OverdueOut(ClockLine):
    """One clock that is past its due instant and not met."""

    late_by: str = Field(description="Elapsed since due, as an ISO 8601 duration.", examples=["P1DT2H3M4S"])
    late_by_seconds: int
    late_working: str | None = Field(description="The same in the calendar's opening hours.", examples=["PT9H30M"])
    late_working_seconds: int | None
    holder: HolderOut
    last_rung: str | None = Field(description="The last rung of the ladder that has fired.")
    next_rung: NextRungOut | None = Field(description="Null: the ladder is at its end, or the clock stands.")


class DueSoonOut(ClockLine):
    """One clock that runs and will be due."""

    due_in: str = Field(description="Elapsed time left, as an ISO 8601 duration.", examples=["PT5H"])
    due_in_seconds: int
    left_working: str | None = Field(description="The same in the calendar's opening hours.", examples=["PT2H30M"])
    left_working_seconds: int | None
    holder: HolderOut
    last_rung: str | None
    next_rung: NextRungOut | None


class DormantOut(BaseModel):
    """One open request to which nothing has happened for a while."""

    request: SupervisedRequest
    acted_at: datetime = Field(description="When something last happened to it.")
    quiet: str = Field(description="Elapsed since, as an ISO 8601 duration.")
    quiet_seconds: int
    quiet_working: str | None
    quiet_working_seconds: int | None
    holder: HolderOut


class WaitOut(BaseModel):
    """One thing that a request waits for."""

    kind: WaitKind
    on: str = Field(description="Who or what: a team, a person, an agency, a system, a type, a signal ...")
    step: str | None
    since: datetime
    until: datetime | None = Field(description="When the wait ends by itself.")


class WaitingOut(BaseModel):
    """One open request and on whom it waits."""

    request: SupervisedRequest
    waits: WaitOut
    waited: str = Field(description="Elapsed since, as an ISO 8601 duration.")
    waited_seconds: int
    waited_working: str | None
    waited_working_seconds: int | None
    also: list[WaitOut] = Field(description="What else it waits for, as in other branches.")


class UnclaimedTask(BaseModel):
    """A task that nobody has."""

    id: str
    step: str
    kind: str
    title: str
    team: str
    offers: int = Field(description="How often it was offered; more than once: it was given back.")
    offered_at: datetime


class UnclaimedOut(BaseModel):
    """One task that is offered and nobody has claimed."""

    request: SupervisedRequest
    task: UnclaimedTask
    claim_by: datetime | None = Field(description="When it is to be claimed, if its step says so.")
    open_for: str = Field(description="Elapsed since it was offered, as an ISO 8601 duration.")
    open_for_seconds: int
    open_working: str | None
    open_working_seconds: int | None


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
