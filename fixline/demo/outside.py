"""The world beside the crews: the utility replies, the owner calls, the street dries. It speaks through the HTTP API.

Owns which waiting requests of the demonstration go on, and when: decided by a hash of request and step, so that some
wait for long. What is refused is left to the next look.
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

from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import NO_REPLY
from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.wait import WaitStep

log = logging.getLogger("fixline.demo")

LOOK_EVERY_SECONDS = 10.0
PAGE = 200
SOON = 0.5
"""The share of waits that end within the first minutes; the others last."""
WITHIN = timedelta(minutes=3)


@dataclass
class World:
    """What it has noticed so far: since when each request waits at which step."""

    client: httpx.AsyncClient
    seed: int
    definitions: Mapping[str, Definition]
    ours: Callable[[str], Awaitable[bool]]
    since: dict[tuple[str, str], datetime] = field(default_factory=dict)


async def happen(world: World) -> None:
    """Look at what waits, and let some of it happen, until cancelled."""
    while True:
        try:
            await _look(world)
        except httpx.HTTPError as error:
            log.info("the API does not answer (%s)", type(error).__name__)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _look(world: World) -> None:
    found = await world.client.get("/api/v1/requests", params={"status": "open", "limit": PAGE})
    if found.status_code != httpx.codes.OK:
        return
    for item in found.json()["items"]:
        definition = world.definitions.get(item["type"])
        step = definition.steps.get(item["step"] or "") if definition else None
        told = None if step is None else word_for(step)
        if told is not None and await world.ours(item["id"]) and _has_come(world, item["id"], item["step"]):
            await _tell(world, item["id"], *told)


def word_for(step: AnyStep) -> tuple[str, dict[str, Any]] | None:
    """The command that lets a waiting step go on as usual; None for a step that waits for nobody."""
    if isinstance(step, WaitStep) and step.signal is not None:
        return "signal", {"name": step.signal}
    if isinstance(step, AgencyStep):
        usual = next((outcome for outcome in step.then if outcome != NO_REPLY), None)
        return None if usual is None else ("agency-reply", {"outcome": usual})
    return None


def _has_come(world: World, request_id: str, step: str) -> bool:
    """Whether it is this wait's time to end."""
    dice = random.Random(f"{world.seed} {request_id} {step}")  # noqa: S311 - plausible, not secret
    now = datetime.now(UTC)
    waited = now - world.since.setdefault((request_id, step), now)
    return dice.random() < SOON and waited >= WITHIN * dice.random()


async def _tell(world: World, request_id: str, verb: str, body: dict[str, Any]) -> None:
    done = await world.client.post(f"/api/v1/requests/{request_id}/{verb}", json=body)
    if done.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.CONFLICT):
        log.warning("%s %s: %s %s", verb, request_id, done.status_code, done.text[:200])
