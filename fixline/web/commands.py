"""What may be done about a request, and where a command's answer is found.

Owns the verbs under /requests/{id} and GET /commands/{id}; all verbs go through `fixline.web.command_handler`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request

from fixline.catalog import Organisation
from fixline.domain.process.commands import (
    AgencyReply,
    Amend,
    Cancel,
    Comment,
    Hold,
    Prioritise,
    Reassign,
    Recategorise,
    Reopen,
    Resume,
    Role,
    SendBack,
    Signal,
)
from fixline.domain.relations.commands import Attach, Detach, Original
from fixline.store.queries.detail import read_command
from fixline.store.queries.duplicates import original_of
from fixline.web.auth import (
    ALL,
    CLIENTS,
    LEADS,
    READERS,
    Caller,
    CallerOf,
    allow,
    caller_of,
    guarded_router,
    repeat_of,
)
from fixline.web.command_handler import Answer, CommandHandler, well_formed
from fixline.web.metrics import metrics_of
from fixline.web.parts import Parts, PartsOf, parts_of
from fixline.web.problems import Problem, described, invalid
from fixline.web.requests import areas_of, outside_of, place_of, published_of
from fixline.web.schemas.commands import (
    AcceptedOut,
    AgencyReplyIn,
    AmendIn,
    AppliedOut,
    AttachIn,
    CancelIn,
    CommandOut,
    CommentIn,
    DetachIn,
    HoldIn,
    PriorityIn,
    ReassignIn,
    RecategoriseIn,
    ReopenIn,
    ResumeIn,
    SendBackIn,
    SignalIn,
)

F = TypeVar("F", bound=Callable[..., Any])
verbs = guarded_router("/requests/{request_id}", "commands")
router = guarded_router("/commands", "commands")

ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": AcceptedOut, "description": "Accepted and kept; a fault of ours keeps it from being decided"},
    **described(403, 404, 409, 422, 503),
}


async def handler_of(request: Request) -> CommandHandler:
    """The handler, for this caller: one dependency, where four that it is made of would be solved for each call."""
    return CommandHandler(parts_of(request), caller_of(request), repeat_of(request), metrics_of(request))


HandlerOf = Annotated[CommandHandler, Depends(handler_of)]


def verb(path: str, summary: str, roles: tuple[Role, ...], of: APIRouter = verbs) -> Callable[[F], F]:
    """A route that gives a command."""
    return of.post(path, summary=summary, response_model=AppliedOut, responses=ANSWERS, dependencies=[allow(roles)])


def known_team(organisation: Organisation, team: str | None) -> str | None:
    """The team, which must exist. Raises Problem (422)."""
    if team is not None and team not in organisation.teams:
        raise invalid("team", "unknown_team", "there is no such team")
    return team


@verb("/hold", "Put on hold", LEADS)
async def hold(request_id: str, body: HoldIn, handler: HandlerOf) -> Answer:
    """Clocks that may pause stand until the request is resumed; nobody starts new work."""
    return await handler.to_request(request_id, well_formed(Hold, **body.model_dump()))


@verb("/resume", "End a hold", LEADS)
async def resume(request_id: str, body: ResumeIn, handler: HandlerOf) -> Answer:
    """The request goes on where it was."""
    return await handler.to_request(request_id, well_formed(Resume, reason=body.reason))


@verb("/cancel", "Withdraw a request", CLIENTS)
async def cancel(request_id: str, body: CancelIn, handler: HandlerOf) -> Answer:
    """Close the request as cancelled. A service cancels for the reporter, as long as the definition lets reporters."""
    return await handler.to_request(request_id, well_formed(Cancel, reason=body.reason))


@verb("/reopen", "Open a closed request again", CLIENTS)
async def reopen(request_id: str, body: ReopenIn, handler: HandlerOf) -> Answer:
    """It goes on where its definition says, with new deadlines. A service reopens for the reporter."""
    return await handler.to_request(request_id, well_formed(Reopen, reason=body.reason))


@verb("/priority", "Set the priority by hand", LEADS)
async def priority(request_id: str, body: PriorityIn, handler: HandlerOf) -> Answer:
    """A floor: answers may raise the priority above it. Null takes it back; budgets of deadlines follow."""
    command = well_formed(Prioritise, priority=body.priority, reason=body.reason)
    return await handler.to_request(request_id, command)


@verb("/recategorise", "Make it a request of another type", LEADS)
async def recategorise(request_id: str, body: RecategoriseIn, handler: HandlerOf, parts: PartsOf) -> Answer:
    """It begins anew as the other type; that type's deadlines count from the original opening."""
    before = await handler.answered_before()
    if before is not None:
        return before
    published = await published_of(parts, body.type)
    command = well_formed(
        Recategorise, type=body.type, version=published.hash, answers=body.answers, reason=body.reason
    )
    return await handler.to_request(request_id, command)


@verb("/amend", "Put answers, place or description right", LEADS)
async def amend(request_id: str, body: AmendIn, handler: HandlerOf, parts: PartsOf) -> Answer:
    """What is left out stays. Priority, areas and teams follow from what is put right."""
    command = well_formed(
        Amend,
        answers=body.answers,
        place=place_of(body.location),
        areas=areas_of(parts, body.location),
        outside=outside_of(parts, body.location),
        description=body.description,
        reason=body.reason,
    )
    return await handler.to_request(request_id, command)


@verb("/send-back", "Send back to a step", LEADS)
async def send_back(request_id: str, body: SendBackIn, handler: HandlerOf) -> Answer:
    """Open tasks are withdrawn and the step is entered anew."""
    command = well_formed(SendBack, step=body.step, reason=body.reason)
    return await handler.to_request(request_id, command)


@verb("/comment", "Leave a remark", ALL)
async def comment(request_id: str, body: CommentIn, handler: HandlerOf) -> Answer:
    """A remark for the journal; also on a closed request."""
    return await handler.to_request(request_id, well_formed(Comment, text=body.remark))


@verb("/reassign", "Give the open task to another team or person", LEADS)
async def reassign(request_id: str, body: ReassignIn, handler: HandlerOf, parts: PartsOf) -> Answer:
    """The task is offered anew, or goes straight to one person."""
    team = known_team(parts.organisation, body.team)
    command = well_formed(Reassign, task=body.task, team=team, assignee=body.assignee, reason=body.reason)
    return await handler.to_request(request_id, command)


@verb("/signal", "Say that something has happened for which a step waits", CLIENTS)
async def signal(request_id: str, body: SignalIn, handler: HandlerOf) -> Answer:
    """Such as dry_weather; refused when the request does not wait for it."""
    return await handler.to_request(request_id, well_formed(Signal, name=body.name, reason=body.reason))


@verb("/agency-reply", "Say what an outside party has answered", CLIENTS)
async def agency_reply(request_id: str, body: AgencyReplyIn, handler: HandlerOf) -> Answer:
    """The party's own system replies, or staff in its place. After no_reply it is noted, and changes nothing."""
    command = well_formed(AgencyReply, **body.model_dump())
    return await handler.to_request(request_id, command)


@verb("/attach", "Say that it is a duplicate of an older request", LEADS)
async def attach(request_id: str, body: AttachIn, handler: HandlerOf, parts: PartsOf, caller: CallerOf) -> Answer:
    """Nobody works on it any more; it closes with the older one. Duplicates that it has itself follow it."""
    before = await handler.answered_before()
    if before is not None:
        return before
    command = well_formed(Attach, to=await _original(parts, caller, body.to), reason=body.reason)
    return await handler.to_request(request_id, command)


async def _original(parts: Parts, caller: Caller, request_id: str) -> Original:
    """The older request, which must be open and attached to no other. Raises Problem (422, 403, 409)."""
    found = await asyncio.to_thread(parts.store.read, lambda s: original_of(s, request_id))
    if found is None:
        raise invalid("to", "unknown_request", "there is no such request")
    caller.check_department(found["department"])
    if found["status"] == "closed":
        text = f"the other request is closed ({found['outcome']})"
        raise Problem(409, "original_closed", text, data={"original": request_id, "outcome": found["outcome"]})
    if found["attached_to"]:
        text = f"the other request is a duplicate of {found['attached_to']} itself: attach it to that"
        raise Problem(409, "original_attached", text, data={"attached_to": found["attached_to"]})
    return Original(id=found["id"], opened_at=found["opened_at"])


@verb("/detach", "Say that it is no duplicate after all", LEADS)
async def detach(request_id: str, body: DetachIn, handler: HandlerOf) -> Answer:
    """It begins at its start, with clocks that count from now."""
    return await handler.to_request(request_id, well_formed(Detach, reason=body.reason))


@router.get(
    "/{command_id}",
    summary="A command and its answer",
    dependencies=[allow(READERS)],
    responses=described(404, 503),
)
async def get_command(command_id: str, parts: PartsOf, caller: CallerOf) -> CommandOut:
    """Supervisors and admins see every command, others their own."""
    found = await asyncio.to_thread(parts.store.read, lambda s: read_command(s, command_id))
    if found is None or (caller.role not in LEADS and found["caller"] != caller.id):
        raise Problem(404, "command_unknown", "there is no such command")
    return CommandOut.model_validate({**found, "answer": found["answer"] or None})
