"""The verbs under /requests/{id} with their bodies, and where a command's answer is found.

All verbs go through `fixline.web.command_handler`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter
from fastapi.types import DecoratedCallable
from pydantic import BaseModel, Field, model_validator
from sqlmodel import Session

from fixline.domain.process import commands
from fixline.domain.process.commands import Attach, Detach, Original, Role
from fixline.store.queries.detail import read_command
from fixline.store.queries.duplicates import original_of
from fixline.web.auth import ALL, CLIENTS, LEADS, READERS, CallerOf, allow, guarded_router
from fixline.web.command_handler import AcceptedOut, Answer, AppliedOut, CommandHandler, HandlerOf
from fixline.web.parts import Parts, PartsOf
from fixline.web.problems import Problem, described, invalid
from fixline.web.requests import located, published_of
from fixline.web.schemas import Body, Description, LocationIn, Name, PriorityName, Reason, Remark

verbs = guarded_router("/requests/{request_id}", "commands")
router = guarded_router("/commands", "commands")

ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": AcceptedOut, "description": "Accepted and kept; a fault of ours keeps it from being decided"},
    **described(404, 409),
}


def verb(
    path: str, summary: str, roles: tuple[Role, ...], of: APIRouter = verbs
) -> Callable[[DecoratedCallable], DecoratedCallable]:
    """A route that gives a command."""
    return of.post(path, summary=summary, response_model=AppliedOut, responses=ANSWERS, dependencies=[allow(roles)])


class ReasonIn(Body):
    """Base of bodies that say why."""

    reason: Reason


class HoldIn(ReasonIn):
    """Put a request on hold. A type whose definition has `holds` wants one of their codes."""

    code: str | None = Field(None, max_length=64, description="One of the type's hold codes.")


@verb("/hold", "Put on hold", LEADS)
async def hold(request_id: str, body: HoldIn, handler: HandlerOf) -> Answer:
    """Clocks that may pause stand until the request is resumed; nobody starts new work."""
    return await handler.to_request(request_id, commands.Hold, body)


class ResumeIn(Body):
    """End a hold."""

    reason: Remark = ""


@verb("/resume", "End a hold", LEADS)
async def resume(request_id: str, body: ResumeIn, handler: HandlerOf) -> Answer:
    """The request goes on where it was."""
    return await handler.to_request(request_id, commands.Resume, body)


class CancelIn(ReasonIn):
    """Withdraw a request."""


@verb("/cancel", "Withdraw a request", CLIENTS)
async def cancel(request_id: str, body: CancelIn, handler: HandlerOf) -> Answer:
    """Close the request as cancelled. A service cancels for the reporter, as long as the definition lets reporters."""
    return await handler.to_request(request_id, commands.Cancel, body)


class ReopenIn(ReasonIn):
    """Open a closed request again."""


@verb("/reopen", "Open a closed request again", CLIENTS)
async def reopen(request_id: str, body: ReopenIn, handler: HandlerOf) -> Answer:
    """It goes on where its definition says, with new deadlines. A service reopens for the reporter."""
    return await handler.to_request(request_id, commands.Reopen, body)


class PriorityIn(Body):
    """Set the least priority by hand; null takes it back."""

    priority: PriorityName | None = Field(description="Null: as the answers make it.")
    reason: Reason


@verb("/priority", "Set the priority by hand", LEADS)
async def priority(request_id: str, body: PriorityIn, handler: HandlerOf) -> Answer:
    """A floor: answers may raise the priority above it. Null takes it back; budgets of deadlines follow."""
    return await handler.to_request(request_id, commands.Prioritise, body)


class RecategoriseIn(Body):
    """The request is of another type."""

    type: Name = Field(description="The type it becomes, in its current version.", examples=["sewer-cave-in"])
    answers: dict[str, Any] = Field(default_factory=dict, description="What that type asks for in addition.")
    reason: Reason


@verb("/recategorise", "Make it a request of another type", LEADS)
async def recategorise(request_id: str, body: RecategoriseIn, handler: HandlerOf) -> Answer:
    """It begins anew as the other type; that type's deadlines count from the original opening."""
    before = await handler.answered_before()
    if before is not None:
        return before
    published = await published_of(handler.parts, body.type)
    return await handler.to_request(request_id, commands.Recategorise, body, version=published.hash)


class AmendIn(ReasonIn):
    """Put answers, the place or the description right; what is left out stays. A place replaces the whole place."""

    answers: dict[str, Any] = Field(default_factory=dict)
    location: LocationIn | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if not self.answers and self.location is None and self.description is None:
            raise ValueError("say what is put right: answers, location or description")
        return self

    def said(self) -> dict[str, Any]:
        """The place is looked up."""
        return {name: value for name, value in vars(self).items() if name != "location"}


@verb("/amend", "Put answers, place or description right", LEADS)
async def amend(request_id: str, body: AmendIn, handler: HandlerOf) -> Answer:
    """What is left out stays. Priority, areas and teams follow from what is put right."""
    return await handler.to_request(request_id, commands.Amend, body, **located(handler.parts, body.location))


class SendBackIn(Body):
    """Send a request to a step."""

    step: Name
    reason: Reason


@verb("/send-back", "Send back to a step", LEADS)
async def send_back(request_id: str, body: SendBackIn, handler: HandlerOf) -> Answer:
    """Open tasks are withdrawn and the step is entered anew."""
    return await handler.to_request(request_id, commands.SendBack, body)


class CommentIn(Body):
    """A remark for the journal, in `text` or in `reason`."""

    text: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.text is None and self.reason is None:
            raise ValueError("a comment needs a text")
        return self

    def said(self) -> dict[str, Any]:
        """Both are one text."""
        return {"text": "\n".join(part for part in (self.text, self.reason) if part)}


@verb("/comment", "Leave a remark", ALL)
async def comment(request_id: str, body: CommentIn, handler: HandlerOf) -> Answer:
    """A remark for the journal; also on a closed request."""
    return await handler.to_request(request_id, commands.Comment, body)


class ToSomebody(Body):
    """Base of bodies that give a task to another team, another person, or both."""

    team: Name | None = None
    assignee: Name | None = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.team is None and self.assignee is None:
            raise ValueError("say to which team or to whom")
        return self

    def check_team(self, parts: Parts) -> None:
        """Raise Problem (422) for a team that there is not."""
        if self.team is not None and self.team not in parts.organisation.teams:
            raise invalid("team", "unknown_team", "there is no such team")


class ReassignIn(ToSomebody):
    """Give an open task to another team, another person, or both. On a request `task` says which of several."""

    task: Name | None = None
    reason: Reason


@verb("/reassign", "Give the open task to another team or person", LEADS)
async def reassign(request_id: str, body: ReassignIn, handler: HandlerOf) -> Answer:
    """The task is offered anew, or goes straight to one person."""
    body.check_team(handler.parts)
    return await handler.to_request(request_id, commands.Reassign, body)


class SignalIn(Body):
    """Say that something has happened for which a step waits."""

    name: Name = Field(examples=["dry_weather"])
    reason: Remark = ""


@verb("/signal", "Say that something has happened for which a step waits", CLIENTS)
async def signal(request_id: str, body: SignalIn, handler: HandlerOf) -> Answer:
    """Such as dry_weather; refused when the request does not wait for it."""
    return await handler.to_request(request_id, commands.Signal, body)


class AgencyReplyIn(Body):
    """What an outside party has answered. `step` says which is meant where several wait."""

    outcome: Name = Field(examples=["repaired"])
    step: Name | None = None
    reference: str = Field("", max_length=200, description="The party's own number, or its words.")
    reason: Remark = ""


@verb("/agency-reply", "Say what an outside party has answered", CLIENTS)
async def agency_reply(request_id: str, body: AgencyReplyIn, handler: HandlerOf) -> Answer:
    """The party's own system replies, or staff in its place. After no_reply it is noted, and changes nothing."""
    return await handler.to_request(request_id, commands.AgencyReply, body)


class AttachIn(Body):
    """Say that a request is a duplicate of an older one."""

    to: Name = Field(description="The older request's id.", examples=["SR26-00000001"])
    reason: Reason


@verb("/attach", "Say that it is a duplicate of an older request", LEADS)
async def attach(request_id: str, body: AttachIn, handler: HandlerOf) -> Answer:
    """Nobody works on it any more; it closes with the older one. Duplicates that it has itself follow it."""
    before = await handler.answered_before()
    if before is not None:
        return before
    return await handler.to_request(request_id, Attach, body, to=await _original(handler, body.to))


async def _original(handler: CommandHandler, request_id: str) -> Original:
    """The older request, which must be open and attached to no other. Raises Problem (422, 403, 409)."""
    found = await handler.parts.read(lambda s: original_of(s, request_id))
    if found is None:
        raise invalid("to", "unknown_request", "there is no such request")
    handler.caller.check_department(found["department"])
    if found["status"] == "closed":
        text = f"the other request is closed ({found['outcome']})"
        raise Problem(409, "original_closed", text, data={"original": request_id, "outcome": found["outcome"]})
    if found["attached_to"]:
        text = f"the other request is a duplicate of {found['attached_to']} itself: attach it to that"
        raise Problem(409, "original_attached", text, data={"attached_to": found["attached_to"]})
    return Original(id=found["id"], opened_at=found["opened_at"])


class DetachIn(ReasonIn):
    """Say that a request is no duplicate after all."""


@verb("/detach", "Say that it is no duplicate after all", LEADS)
async def detach(request_id: str, body: DetachIn, handler: HandlerOf) -> Answer:
    """It begins at its start, with clocks that count from now."""
    return await handler.to_request(request_id, Detach, body)


class CommandOut(BaseModel):
    """A command and its answer."""

    id: str
    request_id: str
    kind: str
    state: str = Field(description="waiting, applied, refused, or failed: parked by a fault of ours, and kept.")
    accepted_at: datetime
    applied_at: datetime | None
    answer: dict[str, Any] | None = Field(description="Null while it waits; the refusal's code and message if refused.")


@router.get(
    "/{command_id}", summary="A command and its answer", dependencies=[allow(READERS)], responses=described(404)
)
async def get_command(command_id: str, parts: PartsOf, caller: CallerOf) -> CommandOut:
    """Supervisors and admins see every command, others their own."""

    def read(session: Session) -> dict[str, Any] | None:
        found = read_command(session, command_id)
        return found if found is not None and (caller.role in LEADS or found["caller"] == caller.id) else None

    found = await parts.find(read, "command_unknown", "command")
    return CommandOut.model_validate({**found, "answer": found["answer"] or None})
