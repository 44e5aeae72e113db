"""What is overdue, out."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from fixline.web.schemas.basics import Page, Text


class OverdueQuery(Page):
    """Which overdue clocks are listed."""

    department: Text | None = None
    team: Text | None = None
    type: Text | None = None
    area: Text | None = None
    clock: Text | None = None


class OverdueRequest(BaseModel):
    """The request that is late."""

    id: str
    type: str
    title: str | None
    status: str
    step: str | None
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


class OverdueOut(BaseModel):
    """One clock that is past its due instant and not met."""

    request: OverdueRequest
    clock: str
    kind: str
    due_at: datetime
    late_by: str = Field(description="Elapsed since due, as an ISO 8601 duration.", examples=["P1DT2H3M4S"])
    late_by_seconds: int
    late_working: str | None = Field(description="The same in the calendar's opening hours.", examples=["PT9H30M"])
    late_working_seconds: int | None
    holder: HolderOut
    last_rung: str | None = Field(description="The last rung of the ladder that has fired.")


class OverdueTotals(BaseModel):
    """How many clocks are overdue, in all and by group, under the same filters."""

    count: int
    department: dict[str, int]
    team: dict[str, int]
    type: dict[str, int]
    area: dict[str, int]
    clock: dict[str, int]


class OverduePage(BaseModel):
    """A page of overdue clocks, worst first, and the totals."""

    items: list[OverdueOut]
    next: str | None
    totals: OverdueTotals
