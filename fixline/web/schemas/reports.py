"""Reports, in and out."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from fixline.store.queries.reports import GROUPS, Group
from fixline.web.schemas.basics import Query, Text

Report = Literal["sla", "volume", "backlog", "time-to-close"]
MOST_MONTHS = 120
MOST_GROUPS = 3


class ReportQuery(Query):
    """Which time a report covers, and how its lines are grouped."""

    from_: date | None = Field(
        None, alias="from", description="The first day, in the city's zone; a year before `to` by default."
    )
    to: date | None = Field(None, description="The last day, in the city's zone; today by default.")
    by: list[Group] = Field(
        default_factory=list,
        max_length=MOST_GROUPS,
        description="How lines are grouped: month, type, department, area, team, priority; `clock` for `sla`. May be "
        "given several times.",
    )
    type: Text | None = None
    department: Text | None = None
    team: Text | None = Field(None, description="The team that had the last task.")
    area: Text | None = None
    format: Literal["json", "csv"] = Field("json", description="How the report is written.")

    @field_validator("by")
    @classmethod
    def _once(cls, by: list[Group]) -> list[Group]:
        if len(set(by)) != len(by):
            raise ValueError("names a group twice")
        return by

    @model_validator(mode="after")
    def _in_order(self) -> ReportQuery:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError("`from` lies after `to`")
        return self


class ReportOut(BaseModel):
    """One report: the days it covers, both included, and its lines, each with its group's names."""

    report: Report
    from_: date = Field(serialization_alias="from")
    to: date
    timezone: str
    by: list[str]
    items: list[dict[str, Any]]


__all__ = ["GROUPS", "MOST_MONTHS", "Report", "ReportOut", "ReportQuery"]
