"""The door: from a caller's command to its answer, the same way for every verb.

Owns the order of things: who stands before the door (404, 403), a repeated key (the same answer again), the rules
(asked here first, so that what they refuse now is never written), then the desk, which writes, rings and waits.
Where other commands wait before this one, only the inbox can tell what it will meet, and its answer is the refusal.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar
from uuid import uuid4

from fastapi.responses import JSONResponse
from pydantic import ValidationError

from fixline.domain.advance import advance
from fixline.domain.commands import Command
from fixline.domain.decision import Refusal
from fixline.domain.definition import Definition
from fixline.domain.state import RequestState
from fixline.store.arrivals import Arrival, KeyReused, Received
from fixline.store.queries.door import Standing, standing_of, standing_of_task
from fixline.web.auth import Caller, Repeat
from fixline.web.metrics import Metrics
from fixline.web.parts import Parts
from fixline.web.problems import Problem, of_refusal, of_validation
from fixline.web.schemas.commands import AcceptedOut, AppliedOut

log = logging.getLogger(__name__)

T = TypeVar("T")
Answer = AppliedOut | JSONResponse


class Door:
    """One caller at the door, with the idempotency key that came along."""

    def __init__(self, parts: Parts, caller: Caller, repeat: Repeat, metrics: Metrics) -> None:
        self._parts = parts
        self._caller = caller
        self._repeat = repeat
        self._metrics = metrics

    async def to_request(self, request_id: str) -> Standing:
        """Where the request stands. Raises Problem (404, 403)."""
        caller, key, versions = self._caller.id, self._repeat.key, self._parts.versions
        found = await asyncio.to_thread(
            self._parts.store.read, lambda s: standing_of(s, versions, request_id, caller, key)
        )
        if found is None:
            raise Problem(404, "request_unknown", "there is no such request")
        self._caller.check_department(found.department)
        return found

    async def to_task(self, task_id: str) -> Standing:
        """Where the task's request stands. Raises Problem (404, 403)."""
        caller, key, versions = self._caller.id, self._repeat.key, self._parts.versions
        found = await asyncio.to_thread(
            self._parts.store.read, lambda s: standing_of_task(s, versions, task_id, caller, key)
        )
        if found is None or found.task_team is None:
            raise Problem(404, "task_unknown", "there is no such task")
        self._caller.check_team(found.task_team, self._parts.organisation)
        return found

    async def give(self, standing: Standing, command: Command, target: Definition | None = None) -> Answer:
        """Hand the command in and answer with what came of it. Raises Problem, KeyReused, StoreAway.

        `target` is the definition to which a command leads, where it does.
        """
        if standing.known is not None:
            return await self._again(*standing.known)
        now = self._parts.desk.clock()
        arrival = Arrival(
            command_id=uuid4().hex,
            command=command,
            actor=self._caller.actor,
            accepted_at=now,
            caller=self._caller.id,
            idempotency_key=self._repeat.key,
            body_hash=self._repeat.body_hash,
        )
        refusal = refused(standing, arrival, target)
        if refusal is not None:
            self._metrics.command(command.kind, "refused")
            raise of_refusal(refusal)
        row = await self._parts.desk.submit(standing.request_id, arrival)
        self._metrics.command(row.kind, row.state)
        return answered(row)

    async def _again(self, command_id: str, body_hash: str | None) -> Answer:
        if body_hash != self._repeat.body_hash:
            raise KeyReused(self._repeat.key)
        return answered(await self._parts.desk.answer(command_id))


def refused(standing: Standing, arrival: Arrival, target: Definition | None = None) -> Refusal | None:
    """Why the rules refuse the command as things stand; None when they do not, or when that cannot be told here."""
    if standing.busy or standing.state is None or standing.definition is None:
        return None
    try:
        result = advance(
            standing.definition,
            RequestState.model_validate_json(standing.state),
            arrival.command,
            arrival.accepted_at,
            actor=arrival.actor,
            request_id=standing.request_id,
            target=target,
        )
    except Exception:  # a fault of ours is the inbox's business: it counts it and parks the command
        log.exception("asking the rules about a %s for %s failed", arrival.command.kind, standing.request_id)
        return None
    return result if isinstance(result, Refusal) else None


def answered(row: Received) -> Answer:
    """What the caller of a command is told by its row: 200, 202 while it waits, or the refusal."""
    if row.state == "refused":
        raise of_refusal(Refusal.model_validate(row.answer))
    if row.state == "applied":
        return AppliedOut.model_validate({**row.answer, "command_id": row.id})
    return accepted(row)


def accepted(row: Received) -> JSONResponse:
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
