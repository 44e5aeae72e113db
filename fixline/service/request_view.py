"""One request in full, as callers and the command line see it: what was spent of a clock, which steps can remain.

Instants are aware UTC.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field
from sqlmodel import Session

from fixline.domain.deadlines import clocks
from fixline.domain.deadlines.calendar import Span, WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import Clock, ClockKind, Stretch
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.records import from_data
from fixline.store.queries.detail import read_request
from fixline.store.versions import Versions

NO_STATE: dict[str, Any] = {}
_OF_STATE = ("hold", "areas", "answers", "photos", "reopened", "parent", "attached")


class VisitOut(BaseModel):
    """A step that was taken; outcome null: withdrawn or sent back."""

    step: str
    visit: int
    entered_at: datetime
    left_at: datetime
    outcome: str | None
    branch: str | None = Field(None, description="The branch of a together step in which it stands.")


class BranchOut(BaseModel):
    """Where one of the branches is that run side by side; one that has joined is at no step any more."""

    name: str
    joined: bool
    step: str | None
    waiting_as: str | None
    wait_until: datetime | None


class HoldOut(BaseModel):
    """Why the request is on hold."""

    since: datetime
    reason: str
    by: str


class ClockOut(BaseModel):
    """One clock of a request."""

    name: str
    kind: str = Field(description="deadline, or claim and due of a task.")
    task: str | None
    step: str | None
    state: str = Field(description="running, paused, met or ended.")
    budget: str = Field(examples=["2 working days"])
    spent: str = Field(description="In the budget's own unit.", examples=["0.25 working days"])
    spent_minutes: float = Field(description="The same in minutes, working ones where the budget's are.")
    started_at: datetime
    due_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    overdue: bool
    last_rung: str | None


class RequestTaskOut(BaseModel):
    """A task of a request."""

    id: str
    step: str
    visit: int
    kind: str
    title: str
    team: str
    state: str
    assignee: str | None
    offered_at: datetime
    claimed_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None
    outcome: str | None
    form: dict[str, Any]
    photos: list[str]


class DefinitionRef(BaseModel):
    """The definition that a request follows; version and hash are null for imported history."""

    type: str
    version: int | None
    hash: str | None


class ChildOut(BaseModel):
    """A follow-on: a request that was opened for a step of this one, in another department."""

    id: str
    type: str
    step: str
    status: str
    outcome: str | None


class ParentOut(BaseModel):
    """The request for which a follow-on was opened, and its step."""

    id: str
    step: str


class RequestOut(BaseModel):
    """One request in full. Contact data is never part of it."""

    id: str
    type: str
    title: str | None
    status: str
    outcome: str | None
    step: str | None
    waiting_as: str | None
    wait_until: datetime | None
    branches: list[BranchOut] = Field(
        default_factory=list, description="While a together step runs: its branches, in the definition's order."
    )
    on_hold: bool
    hold: HoldOut | None
    priority: str | None
    department: str | None
    team: str | None
    areas: dict[str, str]
    latitude: float | None
    longitude: float | None
    address: str | None
    description: str
    answers: dict[str, Any]
    photos: list[str]
    channel: str
    source: str | None
    external_id: str | None
    opened_at: datetime
    accepted_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    reopened: int = Field(0, description="How often it was opened again after it had been closed.")
    promised_at: datetime | None
    expected_at: datetime | None = Field(None, description="Null until estimates exist.")
    overdue: bool
    decision: int
    steps_taken: list[VisitOut]
    steps_remaining: list[str] = Field(description="The steps that can still come, by the request's own definition.")
    clocks: list[ClockOut]
    tasks: list[RequestTaskOut]
    children: list[ChildOut] = Field(description="The follow-ons that were opened for it.")
    parent: ParentOut | None = Field(description="The request for which it was opened, if it is a follow-on.")
    attached_to: str | None = Field(None, description="The older request of which it is a duplicate.")
    attached: list[str] = Field(default_factory=list, description="Its duplicates.")
    definition: DefinitionRef


def request_out(session: Session, versions: Versions, request_id: str, now: datetime) -> RequestOut | None:
    """One request in full, None when there is none; history without state or definition shows what it has."""
    row = read_request(session, request_id)
    if row is None:
        return None
    definition = versions.load(session, row["version"]) if row["version"] else None
    state = json.loads(row["state"]) if row["state"] else NO_STATE
    area = {"area": row["area"]} if row["area"] else {}
    without: dict[str, Any] = {"areas": area, "answers": {}, "photos": [], "hold": None, "parent": None}
    shown = [_clock_out(clock, definition, now) for clock in row["clocks"]]
    return RequestOut.model_validate(
        {
            **{name: value for name, value in row.items() if name in RequestOut.model_fields},
            "title": row["title"] or row["source_type"],
            **without,
            **{name: state[name] for name in _OF_STATE if name in state},
            "wait_until": (state.get("position") or NO_STATE).get("wait_until"),
            "branches": _branches_out(state, definition),
            "children": [{"id": child, **facts} for child, facts in state.get("children", {}).items()],
            "overdue": any(clock["overdue"] for clock in shown),
            "steps_taken": state.get("taken", []),
            "steps_remaining": _remaining(definition, row["step"], state.get("branches", {})),
            "clocks": shown,
            "definition": {"type": row["type"], "version": row["version_number"], "hash": row["version"]},
        }
    )


def _clock_out(row: dict[str, Any], definition: Definition | None, now: datetime) -> dict[str, Any]:
    """One clock, with what is spent of it by now."""
    spent, minutes = _spent(row, definition.calendar, now) if definition else ("", 0.0)
    return {
        **row,
        "task": row["task_id"],
        "spent": spent,
        "spent_minutes": minutes,
        "overdue": bool(row["live"] and row["due_at"] is not None and row["due_at"] < now),
    }


def _spent(row: dict[str, Any], calendar: WorkingCalendar, now: datetime) -> tuple[str, float]:
    budget = Span.parse(row["budget"])
    stretches = from_data(tuple[Stretch, ...], row["stretches"])
    clock = Clock(
        name=row["name"], kind=ClockKind(row["kind"]), budget=budget, started_at=row["started_at"], stretches=stretches
    )
    used = clocks.spent(clock, calendar, now)
    one = budget.length(calendar.day) / float(budget.count)
    count = Decimal(round(used / one, 2)).quantize(Decimal("0.01")).normalize()
    unit = budget.unit.value.removesuffix("s") if count == 1 else budget.unit.value
    return f"{count:f} {unit}", round(used / timedelta(minutes=1), 1)


def _branches_out(state: dict[str, Any], definition: Definition | None) -> list[dict[str, Any]]:
    """Where each branch of the together step is that the request is at; none where it is at another step."""
    running, joined = state.get("branches", {}), state.get("joined", [])
    together = definition.steps.get((state.get("position") or NO_STATE).get("step", "")) if definition else None
    order = list(together.branches) if isinstance(together, TogetherStep) else []
    return [
        {"name": name, "joined": name in joined}
        | {key: running.get(name, NO_STATE).get(key) for key in ("step", "waiting_as", "wait_until")}
        for name in order
        if name in running or name in joined
    ]


def _remaining(definition: Definition | None, step: str | None, branches: dict[str, Any]) -> list[str]:
    """The steps that can still come after this one, the nearest first; the step itself when it can come again.

    While branches run, what can come in them stands first, then what follows them.
    """
    if definition is None or step is None:
        return []
    found: dict[str, None] = {}
    ahead = deque(position["step"] for position in branches.values())
    together = definition.steps.get(step)
    if isinstance(together, TogetherStep) and branches:
        found = dict.fromkeys(together.then.values())
        ahead.extend(found)
    else:
        ahead.append(step)
    while ahead:
        left = definition.steps.get(ahead.popleft())
        for _, name in left.ways if left else ():
            if name not in found:
                found[name] = None
                ahead.append(name)
    return list(found)
