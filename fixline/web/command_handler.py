"""The handler: from a caller's command to its answer, the same way for every verb.

Owns who may give a command to which request (404, 403), asked within the transaction that decides it, and what a
caller is told by the command's row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlmodel import Session

from fixline.domain.journal.state import request_of_task
from fixline.domain.process.commands import Command
from fixline.domain.process.decision import Refusal, Refused
from fixline.service.commands import Check
from fixline.service.submissions import (
    KeyReused,
    Locked,
    NotAllowed,
    RequestUnknown,
    StoredCommand,
    Submission,
    find_by_key,
)
from fixline.store import statements
from fixline.web.auth import Caller, Repeat
from fixline.web.metrics import Metrics
from fixline.web.parts import Parts
from fixline.web.problems import Problem, of_refusal, of_validation
from fixline.web.schemas.commands import AcceptedOut, AppliedOut

T = TypeVar("T")
Answer = Response


class CommandHandler:
    """A caller's commands, with the idempotency key that came along."""

    def __init__(self, parts: Parts, caller: Caller, repeat: Repeat, metrics: Metrics) -> None:
        self._parts = parts
        self._caller = caller
        self._repeat = repeat
        self._metrics = metrics

    async def to_request(self, request_id: str, command: Command) -> Answer:
        """Give a request a command; what came of it. Raises Problem, KeyReused, StoreAway."""

        def check(_session: Session, row: Locked) -> None:
            allowed(self._caller.check_department, row.department)

        return await self._give(request_id, command, check)

    async def to_task(self, task_id: str, command: Command) -> Answer:
        """Give a command about a task to its request. Raises as `to_request`."""

        def check(session: Session, _row: Locked) -> None:
            found = statements.TEAM_OF_TASK.first(session, {"id_": task_id})
            if found is None:
                raise NotAllowed(task_unknown())
            allowed(self._caller.check_team, found[0], self._parts.organisation)

        try:
            return await self._give(request_of_task(task_id), command, check)
        except RequestUnknown:
            raise task_unknown() from None

    async def answered_before(self) -> Answer | None:
        """What the same call was answered with before, where it has a key: for commands that need more than the
        request to be made. Raises KeyReused, StoreAway."""
        key, parts = self._repeat.key, self._parts
        if key is None:
            return None
        row = await parts.store.in_turn(parts.store.read, lambda s: find_by_key(s, self._caller.id, key))
        if row is None:
            return None
        if row.body_hash != self._repeat.body_hash:
            raise KeyReused(key)
        return answered(row)

    async def _give(self, request_id: str, command: Command, check: Check) -> Answer:
        submission = Submission(
            command_id=uuid4().hex,
            command=command,
            actor=self._caller.actor,
            accepted_at=self._parts.service.clock(),
            caller=self._caller.id,
            idempotency_key=self._repeat.key,
            body_hash=self._repeat.body_hash,
        )
        try:
            row = await self._parts.service.submit(request_id, submission, check, self._caller.patience)
        except Refused:
            self._metrics.command(command.kind, "refused")
            raise
        if row.id == submission.command_id:
            self._metrics.command(row.kind, row.state)
        return answered(row)


def task_unknown() -> Problem:
    """The answer where there is no such task."""
    return Problem(404, "task_unknown", "there is no such task")


def allowed(check: Callable[..., None], *what: object) -> None:
    """Ask whether the caller may; raises NotAllowed, which rolls back and is no fault of ours."""
    try:
        check(*what)
    except Problem as problem:
        raise NotAllowed(problem) from None


def answered(row: StoredCommand) -> Answer:
    """What the caller of a command is told by its row: 200, 202 while it waits, or the refusal."""
    if row.state == "refused":
        raise of_refusal(Refusal.model_validate(row.answer))
    if row.state == "applied":
        told = AppliedOut.model_validate({**row.answer, "command_id": row.id})
        return Response(told.model_dump_json(), media_type="application/json")  # FastAPI would go through it once more
    return accepted(row)


def accepted(row: StoredCommand) -> JSONResponse:
    """202 and a place to look."""
    poll_url = f"/api/v1/commands/{row.id}"
    body = AcceptedOut(command_id=row.id, poll_url=poll_url, state=row.state)
    return JSONResponse(body.model_dump(), 202, {"Location": poll_url})


def well_formed(make: type[T], /, **body: object) -> T:
    """A command's body; what its own model refuses is the caller's 422."""
    try:
        return make(**body)
    except ValidationError as error:
        raise of_validation([dict(each) for each in error.errors(include_input=False, include_url=False)]) from None
