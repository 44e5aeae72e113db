"""Crews: one per team, each with its own key, at work through the HTTP API as a crew's own system would be.

Owns how they work: they list their team's open tasks, claim and complete most, decline some, take long over others
and leave a few. What they do with a task is decided by a hash of its id, so that a day looks the same each time.
They work fast at first, then calmly, and on the demonstration's own requests only: yours are yours to complete.
Answers other than a success are left to the next look.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from fixline.demo.city import answer
from fixline.domain.definition.fields import FieldKind
from fixline.domain.definition.model import Definition
from fixline.domain.process.kinds.human import HumanStep

log = logging.getLogger("fixline.demo")

FAST_FOR = timedelta(seconds=90)
FAST_SECONDS, CALM_SECONDS = (0.8, 4.0), (15.0, 60.0)
"""Between two looks of a crew, at first and later."""
AT_ONCE = 6
"""Calls of all crews together: they are guests on a small machine."""
PAGE = 50
DECLINES, LEAVES, TAKES_LONG = 0.05, 0.11, 0.22
"""Up to these shares of tasks a crew declines, leaves lying, or claims and takes long over; the rest gets done."""
LONG = timedelta(minutes=20)
FALLING = 0.5
"""How much less likely each further outcome of a step is than the one before it."""
REASONS = ("Out of our district today.", "Truck is in repair.", "Needs two people, one is sick.")


@dataclass
class Crew:
    """One team's crew."""

    team: str
    members: list[str]
    client: httpx.AsyncClient
    seed: int
    definitions: Mapping[str, Definition]
    ours: Callable[[str], Awaitable[bool]]
    declined: set[str] = field(default_factory=set)
    begun: dict[str, datetime] = field(default_factory=dict)


async def work(crew: Crew, gate: asyncio.Semaphore, began: datetime) -> None:
    """Look for tasks and do them, until cancelled."""
    dice = random.Random(f"{crew.seed} {crew.team}")  # noqa: S311 - plausible, not secret
    while True:
        fast = datetime.now(UTC) - began < FAST_FOR
        try:
            await _round(crew, gate)
        except httpx.HTTPError as error:
            log.info("%s: the API does not answer (%s)", crew.team, type(error).__name__)
        await asyncio.sleep(dice.uniform(*(FAST_SECONDS if fast else CALM_SECONDS)))


async def _round(crew: Crew, gate: asyncio.Semaphore) -> None:
    async with gate:
        found = await crew.client.get("/api/v1/tasks", params={"team": crew.team, "state": "open", "limit": PAGE})
    if found.status_code != httpx.codes.OK:
        return
    for task in found.json()["items"]:
        if await crew.ours(task["request"]["id"]):
            async with gate:
                await _take_up(crew, task)


async def _take_up(crew: Crew, task: dict[str, Any]) -> None:
    dice = random.Random(f"{crew.seed} {task['id']}")  # noqa: S311
    fate = dice.random()
    now = datetime.now(UTC)
    if fate < DECLINES:
        if task["id"] not in crew.declined:
            crew.declined.add(task["id"])
            await _post(crew, task["id"], "decline", {"reason": dice.choice(REASONS)})
            return
    elif fate < LEAVES:
        return
    assignee = task["assignee"] or dice.choice(crew.members)
    if task["state"] == "offered":
        await _post(crew, task["id"], "claim", {"assignee": assignee})
    if LEAVES <= fate < TAKES_LONG and now - crew.begun.setdefault(task["id"], now) < LONG * dice.uniform(0.2, 1.0):
        return
    await _complete(crew, task["id"], assignee, dice)


async def _complete(crew: Crew, task_id: str, assignee: str, dice: random.Random) -> None:
    """Read what the task asks for, and report an outcome with a form that fits."""
    asked = await crew.client.get(f"/api/v1/tasks/{task_id}")
    if asked.status_code != httpx.codes.OK:
        return
    task = asked.json()
    outcomes = _likely_first(crew, task)
    (outcome,) = dice.choices(outcomes, [FALLING**place for place in range(len(outcomes))])
    form = {}
    for name, each in task["form"].items():
        if each["required"] or outcome in each["required_for"] or dice.random() < 0.3:
            form[name] = _answer(dice, name, each)
    await _post(crew, task_id, "complete", {"outcome": outcome, "form": form, "assignee": assignee})
    crew.begun.pop(task_id, None)


def _likely_first(crew: Crew, task: dict[str, Any]) -> list[str]:
    """The outcomes in the order of the department's file, which names the usual one first."""
    definition = crew.definitions.get(task["request"]["type"])
    step = definition.steps.get(task["step"]) if definition else None
    written = list(step.outcomes) if isinstance(step, HumanStep) else []
    return sorted(task["outcomes"], key=lambda name: written.index(name) if name in written else len(written))


def _answer(dice: random.Random, name: str, each: dict[str, Any]) -> Any:
    coming = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=dice.randint(1, 5))
    if each["kind"] == FieldKind.DATE:
        return coming.date().isoformat()
    if each["kind"] == FieldKind.DATETIME:
        return coming.isoformat()
    return answer(dice, name, each["kind"], list(each["options"]), each["min"], each["max"])


async def _post(crew: Crew, task_id: str, verb: str, body: dict[str, Any]) -> None:
    done = await crew.client.post(f"/api/v1/tasks/{task_id}/{verb}", json=body)
    if done.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.CONFLICT):
        log.warning("%s %s: %s %s", verb, task_id, done.status_code, done.text[:200])
