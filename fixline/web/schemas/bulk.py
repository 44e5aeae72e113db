"""One command for many requests, in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from fixline.web.schemas.basics import MAX_REASON, Body, Name, Page

MOST_REQUESTS = 2_000
BulkKind = Literal["hold", "resume", "reassign", "cancel", "comment", "priority"]
WHICH = ("command", "ids", "filter", "dry_run")
"""What says which command for which requests; everything else is the command's own."""


class BulkIn(Body):
    """One command for the requests that are named, or that a filter selects. The other fields are the command's own."""

    command: BulkKind
    ids: list[Name] | None = Field(None, min_length=1, max_length=MOST_REQUESTS, examples=[["SR26-00000001"]])
    filter: dict[str, Any] | None = Field(
        None,
        description="The parameters of GET /requests, without pages and order; open requests unless `status` says so.",
        examples=[{"type": ["pothole"], "area": ["north"]}],
    )
    dry_run: bool = Field(False, description="Answer what would happen, and write nothing.")
    reason: str | None = Field(None, max_length=MAX_REASON)
    text: Annotated[str, Field(max_length=4000)] | None = None
    team: Name | None = None
    assignee: Name | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None

    @model_validator(mode="after")
    def _check_which(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("say which requests: either ids or filter")
        return self

    @property
    def own(self) -> dict[str, Any]:
        """What was given for the command itself."""
        return self.model_dump(include=self.model_fields_set.difference(WHICH))


class BulkQuery(Page):
    """Which page of a bulk's failures is wanted."""


class BulkCounts(BaseModel):
    """How many requests there are, and how many have come to what."""

    total: int
    waiting: int = Field(description="Not answered yet.")
    applied: int
    refused: int = Field(description="By the rules, or not the caller's, or there is no such request.")
    failed: int = Field(description="Parked by a fault of ours, and kept.")


class BulkFailure(BaseModel):
    """A request that did not take the command, and why."""

    request: str
    code: str
    message: str
    data: dict[str, Any] | None = Field(None, description="Facts behind the refusal.")
    command_id: str | None = Field(None, description="Null where the command was not accepted at all.")


class BulkOut(BaseModel):
    """A bulk and how far it is."""

    id: str
    command: BulkKind
    state: Literal["running", "done"] = Field(description="done: every request has answered.")
    accepted_at: datetime
    counts: BulkCounts
    poll_url: str


class BulkPage(BulkOut):
    """The same, with those that did not take the command."""

    items: list[BulkFailure]
    next: str | None


class BulkPlan(BaseModel):
    """What a bulk would come to as things stand; nothing was written."""

    dry_run: Literal[True] = True
    command: BulkKind
    total: int
    would_apply: int
    would_refuse: int
    items: list[BulkFailure] = Field(description="Those that would refuse.")
