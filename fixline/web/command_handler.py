"""From a caller's command to its answer, the same way for every verb.

Who may give a command to which request (404, 403) is asked within the transaction that decides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from fixline.domain.journal.state import request_of_task
from fixline.domain.process.commands import Command
from fixline.domain.process.decision import Refusal, Refused
from fixline.service.commands import Check
from fixline.service.submissions import KeyReused, Locked, RequestUnknown, StoredCommand, Submission, find_by_key
from fixline.store import statements
from fixline.web.auth import Caller, Repeat, repeat_of
from fixline.web.health import Metrics
from fixline.web.parts import Parts
from fixline.web.problems import Forbidden, of_refusal, well_formed
from fixline.web.schemas import Body

Answer = Response


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


@dataclass(frozen=True)
class CommandHandler:
    """A caller's commands, with the idempotency key that came along."""

    parts: Parts
    caller: Caller
    repeat: Repeat
    metrics: Metrics

    async def to_request(
        self, request_id: str, kind: type[Command], body: Body | None = None, /, **found: object
    ) -> Answer:
        """Give a request the command of this kind that a body says, with what was found for it; what came of it.

        Raises Problem, KeyReused, StoreAway.
        """

        def check(_session: Session, row: Locked) -> None:
            self.caller.check_department(row.department)

        return await self._give(request_id, kind, body, found, check)

    async def to_task(self, task_id: str, kind: type[Command], body: Body | None) -> Answer:
        """Give a command about a task to its request. Raises as `to_request`."""

        def check(session: Session, _row: Locked) -> None:
            found = statements.TEAM_OF_TASK.first(session, {"id_": task_id})
            if found is None:
                raise Forbidden(404, "task_unknown", "there is no such task")
            self.caller.check_team(found[0], self.parts.organisation)

        try:
            return await self._give(request_of_task(task_id), kind, body, {"task": task_id}, check)
        except RequestUnknown:
            raise Forbidden(404, "task_unknown", "there is no such task") from None

    async def answered_before(self) -> Answer | None:
        """What the same call was answered with before, where it has a key: for commands that need more than the
        request to be made. Raises KeyReused, StoreAway."""
        key, store = self.repeat.key, self.parts.store
        if key is None:
            return None
        row = await store.in_turn(store.read, lambda s: find_by_key(s, self.caller.id, key))
        if row is None:
            return None
        if row.body_hash != self.repeat.body_hash:
            raise KeyReused(key)
        return _answered(row)

    def submission(self, command: Command) -> Submission:
        """The caller's command, as the service takes it."""
        return Submission(
            command_id=uuid4().hex,
            command=command,
            actor=self.caller.actor,
            accepted_at=self.parts.service.clock(),
            caller=self.caller.id,
            idempotency_key=self.repeat.key,
            body_hash=self.repeat.body_hash,
        )

    async def _give(
        self, request_id: str, kind: type[Command], body: Body | None, found: dict[str, object], check: Check
    ) -> Answer:
        command = well_formed(kind, {**(body.said() if body else {}), **found})
        submission = self.submission(command)
        try:
            row = await self.parts.service.submit(request_id, submission, check, self.caller.patience)
        except Refused:
            self.metrics.commands.labels(command.kind, "refused").inc()
            raise
        if row.id == submission.command_id:
            self.metrics.commands.labels(row.kind, row.state).inc()
        return _answered(row)


async def handler_of(request: Request) -> CommandHandler:
    """The handler, for this caller: one dependency, where four that it is made of would be solved for each call."""
    state = request.app.state
    return CommandHandler(state.parts, request.state.caller, repeat_of(request), state.metrics)


HandlerOf = Annotated[CommandHandler, Depends(handler_of)]
"""A route's access to the caller's commands."""


def _answered(row: StoredCommand) -> Answer:
    """What the caller of a command is told by its row: 200, 202 and a place to look while it waits, or the refusal."""
    if row.state == "refused":
        raise of_refusal(Refusal.model_validate(row.answer))
    if row.state == "applied":
        told = AppliedOut.model_validate({**row.answer, "command_id": row.id})
        return Response(told.model_dump_json(), media_type="application/json")  # FastAPI would go through it once more
    poll_url = f"/api/v1/commands/{row.id}"
    body = AcceptedOut(command_id=row.id, poll_url=poll_url, state=row.state)
    return JSONResponse(body.model_dump(), 202, {"Location": poll_url})
