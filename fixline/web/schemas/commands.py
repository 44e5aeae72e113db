"""Commands in and out: one body per verb, and what a caller is told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from fixline.web.schemas.basics import MAX_DESCRIPTION, MAX_REASON, Body, LocationIn, Name, Photo, Reason


class HoldIn(Body):
    """Put a request on hold. A type whose definition has `holds` wants one of their codes."""

    reason: Reason
    code: str | None = Field(None, max_length=64, description="One of the type's hold codes.")


class ResumeIn(Body):
    """End a hold."""

    reason: str = Field("", max_length=MAX_REASON)


class CancelIn(Body):
    """Withdraw a request."""

    reason: Reason


class ReopenIn(Body):
    """Open a closed request again."""

    reason: Reason


class PriorityIn(Body):
    """Set the least priority by hand; null takes it back."""

    priority: Literal["low", "normal", "high", "urgent"] | None = Field(description="Null: as the answers make it.")
    reason: Reason


class RecategoriseIn(Body):
    """The request is of another type."""

    type: Name = Field(description="The type it becomes, in its current version.", examples=["sewer-cave-in"])
    answers: dict[str, Any] = Field(default_factory=dict, description="What that type asks for in addition.")
    reason: Reason


class AmendIn(Body):
    """Put answers, the place or the description right; what is left out stays. A place replaces the whole place."""

    reason: Reason
    answers: dict[str, Any] = Field(default_factory=dict)
    location: LocationIn | None = None
    description: str | None = Field(None, max_length=MAX_DESCRIPTION)

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if not self.answers and self.location is None and self.description is None:
            raise ValueError("say what is put right: answers, location or description")
        return self


class SendBackIn(Body):
    """Send a request to a step."""

    step: Name
    reason: Reason


class CommentIn(Body):
    """A remark for the journal, in `text` or in `reason`."""

    text: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.text is None and self.reason is None:
            raise ValueError("a comment needs a text")
        return self

    @property
    def remark(self) -> str:
        """What is said."""
        return "\n".join(part for part in (self.text, self.reason) if part)


class ReassignIn(Body):
    """Give an open task to another team, another person, or both. On a request `task` says which of several."""

    team: Name | None = None
    assignee: Name | None = None
    task: Name | None = None
    reason: Reason

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.team is None and self.assignee is None:
            raise ValueError("say to which team or to whom")
        return self


class TaskReassignIn(Body):
    """Give this task to another team, another person, or both."""

    team: Name | None = None
    assignee: Name | None = None
    reason: Reason

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.team is None and self.assignee is None:
            raise ValueError("say to which team or to whom")
        return self


class AttachIn(Body):
    """Say that a request is a duplicate of an older one."""

    to: Name = Field(description="The older request's id.", examples=["SR26-00000001"])
    reason: Reason


class DetachIn(Body):
    """Say that a request is no duplicate after all."""

    reason: Reason


class SignalIn(Body):
    """Say that something has happened for which a step waits."""

    name: Name = Field(examples=["dry_weather"])
    reason: str = Field("", max_length=MAX_REASON)


class AgencyReplyIn(Body):
    """What an outside party has answered. `step` says which is meant where several wait."""

    outcome: Name = Field(examples=["repaired"])
    step: Name | None = None
    reference: str = Field("", max_length=200, description="The party's own number, or its words.")
    reason: str = Field("", max_length=MAX_REASON)


class ClaimIn(Body):
    """Take a task."""

    assignee: Name | None = Field(None, description="Who takes it; the key's own name by default.")


class StartIn(Body):
    """Begin the work."""

    assignee: Name | None = Field(None, description="Who begins; the key's own name by default.")


class ReleaseIn(Body):
    """Give a task back to its team."""

    assignee: Name | None = Field(None, description="Who gives it back; the key's own name by default.")
    reason: str = Field("", max_length=MAX_REASON)


class DeclineIn(Body):
    """Refuse a task; its team has it again."""

    assignee: Name | None = Field(None, description="Who refuses; the key's own name by default.")
    reason: Reason


class CompleteIn(Body):
    """The work is done."""

    outcome: Name = Field(examples=["done"])
    form: dict[str, Any] = Field(default_factory=dict, examples=[{"potholes_filled": 1, "photo_after": "IMG_0042"}])
    photos: list[Photo] = Field(default_factory=list, max_length=20)
    assignee: Name | None = Field(None, description="Who has done it; the key's own name by default.")


class RequestAnswer(BaseModel):
    """The request as the command left it."""

    id: str
    type: str
    status: str
    outcome: str | None
    step: str | None
    on_hold: bool
    attached_to: str | None = Field(None, description="The older request of which it is a duplicate.")
    priority: str
    promised_at: datetime | None
    updated_at: datetime
    decision: int


class TaskAnswer(BaseModel):
    """The task as the command left it."""

    id: str
    state: str
    step: str
    kind: str
    team: str
    assignee: str | None
    outcome: str | None


class AppliedOut(BaseModel):
    """The command has been applied."""

    request: RequestAnswer
    task: TaskAnswer | None = Field(None, description="The task, where the command was about one.")
    command_id: str


class AcceptedOut(BaseModel):
    """The command has been accepted and is not applied yet. It will be; look there, or send it again with its key."""

    command_id: str
    poll_url: str
    state: str = Field(description="waiting, or failed: parked by a fault of ours, and kept.")


class CommandOut(BaseModel):
    """A command and its answer."""

    id: str
    request_id: str
    kind: str
    state: str = Field(description="waiting, applied, refused, or failed: parked by a fault of ours, and kept.")
    accepted_at: datetime
    applied_at: datetime | None
    answer: dict[str, Any] | None = Field(description="Null while it waits; the refusal's code and message if refused.")
