"""Rows for reports: half a year of requests with their tasks and clocks."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.store.queries.reports import (
    Period,
)

START = datetime(2026, 1, 1, 6, tzinfo=UTC)


PERIODS = [
    Period(f"2026-{month:02}", datetime(2026, month, 1, 6, tzinfo=UTC), datetime(2026, month + 1, 1, 6, tzinfo=UTC))
    for month in range(2, 6)
]


TYPES, AREAS, TEAMS = ("pothole", "graffiti"), ("north", "south", None), ("red", "blue")


def made(number: int, dice: random.Random) -> dict[str, Any]:
    """A request of the first half of a year: most are closed after some days."""
    opened = START + timedelta(seconds=dice.randrange(180 * 86_400))
    closed = opened + timedelta(seconds=dice.randrange(1, 40 * 86_400)) if dice.random() < 0.8 else None
    return {
        "id": f"SR26-{number:08}",
        "type": dice.choice(TYPES),
        "department": "transportation",
        "area": dice.choice(AREAS),
        "status": "closed" if closed else "open",
        "outcome": dice.choice(list(CloseOutcome)).value if closed else None,
        "priority": "normal",
        "team": None if closed else dice.choice(TEAMS),
        "on_hold": False,
        "description": "",
        "channel": "api",
        "source_facts": {},
        "opened_at": opened,
        "accepted_at": opened,
        "updated_at": opened,
        "closed_at": closed,
        "decision": 1,
        "last_command": 1,
        "created_by": "test",
    }


def task_of(request: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    return {
        "id": f"{request['id']}-T1",
        "request_id": request["id"],
        "step": "repair",
        "visit": dice.choice((1, 1, 2)),
        "kind": "dispatch",
        "title": "Repair",
        "team": request["team"] or dice.choice(TEAMS),
        "state": "completed" if request["closed_at"] else "offered",
        "by_rule": False,
        "offers": 1,
        "offered_at": request["opened_at"],
        "form": {},
        "photos": [],
    }


def clock_of(request: dict[str, Any]) -> dict[str, Any]:
    """A deadline of seven days: met in time, met late, breached and running, or ended without a verdict."""
    due, closed = request["opened_at"] + timedelta(days=7), request["closed_at"]
    kept = closed is not None and request["outcome"] not in ("cancelled", "duplicate")
    state = "met" if kept else "ended" if closed else "running"
    breached = due if (closed or datetime(2026, 7, 1, tzinfo=UTC)) > due else None
    return {
        "request_id": request["id"],
        "name": "resolve.2" if request["area"] is None else "resolve",
        "deadline": "resolve" if request["area"] is None else None,
        "kind": "deadline",
        "state": state,
        "live": state == "running",
        "budget": "7 calendar days",
        "started_at": request["opened_at"],
        "due_at": due,
        "breached_at": breached,
        "ended_at": closed,
        "stretches": [],
    }
