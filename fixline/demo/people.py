"""Who acts on the demonstration's requests, and only on those, through the HTTP API: crews and the outside.

What becomes of a task or a wait is decided by a hash of its id, so that a day looks the same each time. Answers other
than a success are left to the next look.
"""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

import httpx

from fixline.demo.city import fill
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import NO_REPLY
from fixline.domain.process.kinds import AgencyStep, AnyStep, HumanStep, WaitStep

log = logging.getLogger("fixline.demo")

FAST_FOR = timedelta(seconds=90)
FAST_SECONDS, CALM_SECONDS = (0.8, 4.0), (15.0, 60.0)
"""Between two looks of a crew, at first and later."""
AT_ONCE = 6
"""Calls of all crews together: they are guests on a small machine."""
DECLINES, LEAVES, TAKES_LONG = 0.05, 0.11, 0.22
"""Up to these shares of tasks a crew declines, leaves lying, or claims and takes long over; the rest gets done."""
LONG = timedelta(minutes=20)
FALLING = 0.5
"""How much less likely each further outcome of a step is than the one before it."""
REASONS = ("Out of our district today.", "Truck is in repair.", "Needs two people, one is sick.")
LOOK_EVERY_SECONDS = 10.0
SOON = 0.5
"""The share of waits that end within the first minutes; the others last."""
WITHIN = timedelta(minutes=3)


@dataclass
class Guest(ABC):
    """Somebody with a key of the API, for the log by name; `ours` says whether a request is the demonstration's."""

    who: str
    client: httpx.AsyncClient
    seed: int
    definitions: Mapping[str, Definition]
    ours: Callable[[str], Awaitable[bool]]

    @abstractmethod
    async def look(self) -> None:
        """Look at what there is to do, and do it."""

    def pause(self) -> float:
        """Seconds until the next look."""
        return LOOK_EVERY_SECONDS

    async def work(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except httpx.HTTPError as error:
                log.info("%sthe API does not answer (%s)", self.who, type(error).__name__)
            await asyncio.sleep(self.pause())

    def dice(self, *about: str) -> random.Random:
        """Chances that are the same for the same seed and subject."""
        return random.Random(" ".join((str(self.seed), *about)))  # noqa: S311 - plausible, not secret

    async def get(self, path: str, **params: str | int) -> Any:
        """What the API answers; None when that is no success."""
        found = await self.client.get(f"/api/v1/{path}", params=params)
        return found.json() if found.status_code == httpx.codes.OK else None

    async def post(self, noun: str, id_: str, verb: str, body: dict[str, Any]) -> None:
        """Give a command to a task or a request."""
        done = await self.client.post(f"/api/v1/{noun}/{id_}/{verb}", json=body)
        if done.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.CONFLICT):
            log.warning("%s %s: %s %s", verb, id_, done.status_code, done.text[:200])


@dataclass
class Crew(Guest):
    """One team's crew: lists its team's open tasks, claims and completes most, declines some, takes long over others
    and leaves a few; fast at first, then calmly."""

    team: str
    members: Sequence[str]
    gate: asyncio.Semaphore
    began: datetime = field(default_factory=partial(datetime.now, UTC))
    declined: set[str] = field(default_factory=set)
    begun: dict[str, datetime] = field(default_factory=dict)

    @cached_property
    def _rhythm(self) -> random.Random:
        return self.dice(self.team)

    def pause(self) -> float:
        fast = datetime.now(UTC) - self.began < FAST_FOR
        return self._rhythm.uniform(*(FAST_SECONDS if fast else CALM_SECONDS))

    async def look(self) -> None:
        async with self.gate:
            found = await self.get("tasks", team=self.team, state="open", limit=50)
        for task in found["items"] if found else ():
            if await self.ours(task["request"]["id"]):
                async with self.gate:
                    await self._take_up(task)

    async def _take_up(self, task: dict[str, Any]) -> None:
        id_, dice, now = task["id"], self.dice(task["id"]), datetime.now(UTC)
        fate = dice.random()
        if fate < DECLINES and id_ not in self.declined:
            self.declined.add(id_)
            await self.post("tasks", id_, "decline", {"reason": dice.choice(REASONS)})
            return
        if DECLINES <= fate < LEAVES:
            return
        assignee = task["assignee"] or dice.choice(self.members)
        if task["state"] == "offered":
            await self.post("tasks", id_, "claim", {"assignee": assignee})
        if LEAVES <= fate < TAKES_LONG and now - self.begun.setdefault(id_, now) < LONG * dice.uniform(0.2, 1.0):
            return
        await self._complete(id_, assignee, dice)

    async def _complete(self, id_: str, assignee: str, dice: random.Random) -> None:
        """Read what the task asks for, and report an outcome with a form that fits."""
        task = await self.get(f"tasks/{id_}")
        if task is None:
            return
        outcomes = self._likely_first(task)
        (outcome,) = dice.choices(outcomes, [FALLING**place for place in range(len(outcomes))])
        fields = {name: FormField.model_validate(each) for name, each in task["form"].items()}
        form = fill(dice, fields, partial(_coming, dice), outcome=outcome, share=0.3)
        await self.post("tasks", id_, "complete", {"outcome": outcome, "form": form, "assignee": assignee})
        self.begun.pop(id_, None)

    def _likely_first(self, task: dict[str, Any]) -> list[str]:
        """The outcomes in the order of the department's file, which names the usual one first."""
        definition = self.definitions.get(task["request"]["type"])
        step = definition.steps.get(task["step"]) if definition else None
        written = list(step.outcomes) if isinstance(step, HumanStep) else []
        return sorted(task["outcomes"], key=lambda name: written.index(name) if name in written else len(written))


def _coming(dice: random.Random, kind: FieldKind) -> str:
    """A date, or an instant, of the days that come."""
    coming = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=dice.randint(1, 5))
    return coming.date().isoformat() if kind == FieldKind.DATE else coming.isoformat()


@dataclass
class World(Guest):
    """The world beside the crews: the utility replies, the owner calls, the street dries. It lets some of what waits
    happen; `since` says since when it has seen each request wait at which step."""

    since: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def look(self) -> None:
        found = await self.get("requests", status="open", limit=200)
        for item in found["items"] if found else ():
            definition = self.definitions.get(item["type"])
            step = definition.steps.get(item["step"] or "") if definition else None
            told = None if step is None else _word_for(step)
            if told is not None and await self.ours(item["id"]) and self._has_come(item["id"], item["step"]):
                await self.post("requests", item["id"], *told)

    def _has_come(self, request_id: str, step: str) -> bool:
        """Whether it is this wait's time to end."""
        dice, now = self.dice(request_id, step), datetime.now(UTC)
        waited = now - self.since.setdefault((request_id, step), now)
        return dice.random() < SOON and waited >= WITHIN * dice.random()


def _word_for(step: AnyStep) -> tuple[str, dict[str, Any]] | None:
    """The command that lets a waiting step go on as usual; None for a step that waits for nobody."""
    if isinstance(step, WaitStep) and step.signal is not None:
        return "signal", {"name": step.signal}
    if isinstance(step, AgencyStep):
        usual = next((outcome for outcome in step.then if outcome != NO_REPLY), None)
        return None if usual is None else ("agency-reply", {"outcome": usual})
    return None
