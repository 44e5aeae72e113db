"""Tasks over HTTP: what crews list, claim, start, complete, decline and give back.

Owns these routes. A crew sees and does its own teams' tasks, a supervisor those of the department's teams.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import Query
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import TaskState
from fixline.domain.process.commands import Claim, Complete, Decline, Reassign, Release, Start
from fixline.domain.process.kinds.human import HumanStep
from fixline.service.views.request import NO_STATE
from fixline.store.queries.tasks import OPEN_STATES, TaskFilter, list_tasks, read_task
from fixline.web.auth import LEADS, STAFF, CallerOf, allow, guarded_router
from fixline.web.command_handler import Answer, well_formed
from fixline.web.commands import HandlerOf, known_team, verb
from fixline.web.paging import read_cursor, write_cursor
from fixline.web.parts import PartsOf
from fixline.web.problems import Problem, described
from fixline.web.schemas.basics import form_out
from fixline.web.schemas.commands import (
    ClaimIn,
    CompleteIn,
    DeclineIn,
    ReleaseIn,
    StartIn,
    TaskReassignIn,
)
from fixline.web.schemas.tasks import TaskOut, TaskPage, TaskQuery

router = guarded_router("/tasks", "tasks")


@router.get("", summary="List tasks", dependencies=[allow(STAFF)], responses=described(403, 422, 503))
async def get_tasks(query: Annotated[TaskQuery, Query()], parts: PartsOf, caller: CallerOf) -> TaskPage:
    """The open tasks that the caller may see, those offered first first."""
    for team in query.team:
        caller.check_team(team, parts.organisation)
    bound = query.bound()
    after = read_cursor(query.cursor, bound)
    wanted = TaskFilter(
        states=_states(query),
        teams=query.team or caller.teams(parts.organisation),
        assignee=query.assignee,
        due_before=query.due_before,
    )
    lines, key = await asyncio.to_thread(parts.store.read, lambda s: list_tasks(s, wanted, after, query.limit))
    return TaskPage.model_validate({"items": lines, "next": write_cursor(key, bound)})


def _states(query: TaskQuery) -> list[str]:
    if "any" in query.state:
        return [state.value for state in TaskState]
    states = {state for state in query.state if state != "open"}
    return sorted(states | set(OPEN_STATES) if "open" in query.state else states)


@router.get("/{task_id}", summary="One task", dependencies=[allow(STAFF)], responses=described(403, 404, 503))
async def get_task(task_id: str, parts: PartsOf, caller: CallerOf) -> TaskOut:
    """What is asked: the outcomes, the form of each, and the request that it is about."""

    def read(session: Session) -> TaskOut | None:
        row = read_task(session, task_id)
        if row is None:
            return None
        caller.check_team(row["team"], parts.organisation)
        version = row["request"]["version"]
        return task_out(row, parts.versions.load(session, version) if version else None)

    found = await asyncio.to_thread(parts.store.read, read)
    if found is None:
        raise Problem(404, "task_unknown", "there is no such task")
    return found


@verb("/{task_id}/claim", "Take a task", STAFF, router)
async def claim(task_id: str, handler: HandlerOf, body: ClaimIn | None = None) -> Answer:
    """Take an offered task, for oneself or for `assignee`."""
    assignee = body.assignee if body else None
    return await handler.to_task(task_id, well_formed(Claim, task=task_id, assignee=assignee))


@verb("/{task_id}/release", "Give a task back", STAFF, router)
async def release(task_id: str, handler: HandlerOf, body: ReleaseIn | None = None) -> Answer:
    """The team has it again."""
    said = body or ReleaseIn()
    command = well_formed(Release, task=task_id, assignee=said.assignee, reason=said.reason)
    return await handler.to_task(task_id, command)


@verb("/{task_id}/start", "Begin the work", STAFF, router)
async def start(task_id: str, handler: HandlerOf, body: StartIn | None = None) -> Answer:
    """Optional; starting an offered task claims it."""
    assignee = body.assignee if body else None
    return await handler.to_task(task_id, well_formed(Start, task=task_id, assignee=assignee))


@verb("/{task_id}/complete", "Report the outcome", STAFF, router)
async def complete(task_id: str, body: CompleteIn, handler: HandlerOf) -> Answer:
    """The form is checked for the outcome, and the request goes on. Completing an offered task claims it."""
    command = well_formed(
        Complete,
        task=task_id,
        outcome=body.outcome,
        form=body.form,
        photos=tuple(body.photos),
        assignee=body.assignee,
    )
    return await handler.to_task(task_id, command)


@verb("/{task_id}/decline", "Refuse a task", STAFF, router)
async def decline(task_id: str, body: DeclineIn, handler: HandlerOf) -> Answer:
    """Back to the team, with the reason."""
    command = well_formed(Decline, task=task_id, assignee=body.assignee, reason=body.reason)
    return await handler.to_task(task_id, command)


@verb("/{task_id}/reassign", "Give a task to another team or person", LEADS, router)
async def reassign(task_id: str, body: TaskReassignIn, handler: HandlerOf, parts: PartsOf) -> Answer:
    """The task is offered anew, or goes straight to one person."""
    team = known_team(parts.organisation, body.team)
    command = well_formed(Reassign, task=task_id, team=team, assignee=body.assignee, reason=body.reason)
    return await handler.to_task(task_id, command)


def task_out(row: dict[str, Any], definition: Definition | None) -> TaskOut:
    """One task, with its outcomes and its form."""
    step = definition.steps.get(row["step"]) if definition else None
    human = step if isinstance(step, HumanStep) else None
    state = json.loads(row["request"]["state"]) if row["request"]["state"] else NO_STATE
    request = {**row["request"], **{name: state.get(name, {}) for name in ("answers", "areas")}}
    return TaskOut.model_validate(
        {
            **row,
            "outcomes": list(human.outcomes) if human else [],
            "form": form_out(human.form) if human else {},
            "recorded": row["form"],
            "request": {**request, "photos": state.get("photos", [])},
        }
    )
