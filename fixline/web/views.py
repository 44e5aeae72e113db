"""From records and decisions to what callers see; pure.

Owns the words and numbers of the answers about requests and tasks: what was spent of a clock, which steps can remain.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fixline.domain import clocks
from fixline.domain.calendar import Span, WorkingCalendar
from fixline.domain.decision import Decision
from fixline.domain.definition import Definition
from fixline.domain.records import from_data
from fixline.domain.state import Clock, ClockKind, Stretch
from fixline.domain.steps import HumanStep, TogetherStep, ways
from fixline.store.arrivals import Received
from fixline.store.projection import promised_at
from fixline.store.queries.duplicates import Alike
from fixline.web.schemas.basics import form_out
from fixline.web.schemas.requests import ClockPlan, DryRunOut, DuplicateOut, OpenedOut, RequestOut, TaskPlan
from fixline.web.schemas.tasks import TaskOut

NO_STATE: dict[str, Any] = {}


def opened_out(row: Received) -> OpenedOut:
    """The answer to a report, from the command's own row: the same for a repeated key."""
    request = row.answer["request"]
    shown = {name: request[name] for name in ("id", "status", "step", "priority", "promised_at")}
    alike = row.answer.get("possible_duplicates", [])  # requests of earlier releases do not have it
    return OpenedOut.model_validate({**shown, "attached_to": request.get("attached_to"), "possible_duplicates": alike})


def dry_run_out(definition: Definition, decision: Decision, alike: Alike) -> DryRunOut:
    """What opening would lead to."""
    state = decision.state
    return DryRunOut(
        status=state.status,
        step=state.position.step if state.position else None,
        priority=state.priority,
        promised_at=promised_at(definition, state),
        attached_to=state.attached_to,
        possible_duplicates=[DuplicateOut.model_validate(each) for each in alike.possible],
        areas=state.areas,
        tasks=[TaskPlan(step=t.step, kind=t.kind, title=t.title, team=t.team) for t in state.open_tasks],
        clocks=[ClockPlan(name=c.name, budget=str(c.budget), due_at=c.due_at) for c in state.live_clocks],
    )


def request_out(row: dict[str, Any], definition: Definition | None, now: datetime) -> RequestOut:
    """One request in full; history without state or definition shows what it has."""
    state = json.loads(row["state"]) if row["state"] else NO_STATE
    position = state.get("position") or NO_STATE
    area = {"area": row["area"]} if row["area"] else {}
    shown = [clock_out(clock, definition, now) for clock in row["clocks"]]
    return RequestOut.model_validate(
        {
            **{name: value for name, value in row.items() if name in RequestOut.model_fields},
            "title": row["title"] or row["source_type"],
            "wait_until": position.get("wait_until"),
            "branches": branches_out(state, definition),
            "hold": state.get("hold"),
            "areas": state.get("areas", area),
            "answers": state.get("answers", {}),
            "photos": state.get("photos", []),
            "reopened": state.get("reopened", 0),
            "children": [{"id": child, **facts} for child, facts in state.get("children", {}).items()],
            "parent": state.get("parent"),
            "attached": state.get("attached", []),
            "overdue": any(clock["overdue"] for clock in shown),
            "steps_taken": state.get("taken", []),
            "steps_remaining": remaining(definition, row["step"], state.get("branches", {})),
            "clocks": shown,
            "definition": {"type": row["type"], "version": row["version_number"], "hash": row["version"]},
        }
    )


def clock_out(row: dict[str, Any], definition: Definition | None, now: datetime) -> dict[str, Any]:
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
    clock = Clock(
        name=row["name"],
        kind=ClockKind(row["kind"]),
        budget=budget,
        started_at=row["started_at"],
        stretches=from_data(tuple[Stretch, ...], row["stretches"]),
    )
    used = clocks.spent(clock, calendar, now)
    one = budget.length(calendar) / float(budget.count)
    count = Decimal(round(used / one, 2)).quantize(Decimal("0.01")).normalize()
    unit = budget.unit.value.removesuffix("s") if count == 1 else budget.unit.value
    return f"{count:f} {unit}", round(used / timedelta(minutes=1), 1)


def branches_out(state: dict[str, Any], definition: Definition | None) -> list[dict[str, Any]]:
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


def remaining(definition: Definition | None, step: str | None, branches: dict[str, Any]) -> list[str]:
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
        for _, name in ways(left) if left else ():
            if name not in found:
                found[name] = None
                ahead.append(name)
    return list(found)


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


def iso_duration(amount: timedelta, *, in_days: bool = True) -> str:
    """An ISO 8601 duration: P1DT2H3M4S, or PT26H3M4S without days (working time has none of 24 hours)."""
    seconds = int(amount.total_seconds())
    days, seconds = divmod(seconds, 86_400) if in_days else (0, seconds)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    date = f"{days}D" if days else ""
    return f"P{date}T{time}" if time else f"P{date}" if date else "PT0S"
