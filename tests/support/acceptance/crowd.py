"""Clients of the HTTP API that do not give up, and what they were told.

Owns `Client` (sends again with the same Idempotency-Key until there is an answer), the ledger of everything that was
acknowledged, and the journeys on which requests are taken from report to close.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_SECONDS = 150.0
"""How long one call may be repeated; longer than any outage that a test makes."""
PLACE = {"latitude": 41.881, "longitude": -87.632, "address": "20 N Clark St"}


@dataclass(frozen=True)
class Acknowledged:
    """A command that the API has applied: how it was sent, and what was told about it."""

    path: str
    body: dict[str, Any]
    role: str
    key: str
    request_id: str
    command_id: str
    decision: int


@dataclass
class Ledger:
    """What the API has acknowledged to all clients, and how hard it was to get."""

    opened: dict[str, str] = field(default_factory=dict)
    """Idempotency key of a report: the request's id."""
    commands: list[Acknowledged] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Reports and commands together."""
        return len(self.opened) + len(self.commands)


@dataclass(frozen=True)
class Move:
    """One thing done to a request; a verb about a task names the task's step."""

    verb: str
    body: dict[str, Any] = field(default_factory=dict)
    step: str | None = None
    role: str = "crew"


@dataclass(frozen=True)
class Journey:
    """A report, and the moves that close it."""

    type: str
    answers: dict[str, Any]
    moves: tuple[Move, ...]
    outcome: str = "fixed"


def done(step: str, outcome: str, **form: Any) -> Move:
    """The step's task is completed."""
    return Move("complete", {"outcome": outcome, "form": form}, step)


CLAIM = "claim"
JOURNEYS = (
    Journey(
        "pothole",
        {"lane": "curb", "depth": 4},
        (
            Move(CLAIM, step="inspect"),
            done("inspect", "pothole", depth=4),
            Move("comment", {"text": "a remark of the reporter"}, role="service"),
            done("repair", "done", potholes_filled=1, photo_after="after.jpg"),
        ),
    ),
    Journey(
        "pothole",
        {"lane": "bike"},
        (
            done("inspect", "pothole", depth=12),
            done("repair", "too_wet"),
            Move("signal", {"name": "dry_weather"}, role="service"),
            done("repair", "done", potholes_filled=2, photo_after="after.jpg"),
        ),
    ),
    Journey(
        "graffiti",
        {"surface": "brick"},
        (
            Move(CLAIM, step="remove"),
            Move("decline", {"reason": "no ladder"}, "remove"),
            done("remove", "removed", removed_by="chemical", photo_after="clean.jpg"),
        ),
    ),
    Journey(
        "graffiti",
        {"surface": "painted", "hateful": True},
        (
            Move("hold", {"reason": "the street is closed off"}, role="supervisor"),
            Move("comment", {"text": "until noon"}, role="supervisor"),
            Move("resume", {}, role="supervisor"),
            done("remove", "needs_paint"),
            done("paint", "painted", photo_after="clean.jpg"),
        ),
    ),
    Journey(
        "rodent-baiting",
        {"place": "alley"},
        (done("bait", "inspected_and_baited", burrows_baited=2, bait_placed=["alley"]),),
    ),
    Journey(
        "street-light",
        {"problem": "one_out"},
        (Move(CLAIM, step="repair"), done("repair", "repaired", work_done="relamped", lights_restored=1)),
    ),
    Journey(
        "street-light",
        {"problem": "pole_down"},
        (
            done("make_safe", "made_safe", photo="safe.jpg"),
            done("repair", "repaired", work_done="replaced_fuse", lights_restored=1),
            done("night_check", "burning"),
        ),
    ),
    Journey(
        "abandoned-vehicle",
        {"vehicle": "a blue van", "hazard": True},
        (
            done("sticker", "hazardous", photo="van.jpg"),
            done("tow_report", "work_order_created", registered_owner_told=True),
            done("tow", "towed", pound="north", photo_after="gone.jpg"),
        ),
    ),
)


class Client:
    """One client of the API, with a key for each role; what it is told goes into the ledger."""

    def __init__(self, name: str, url: str, keys: dict[str, str], ledger: Ledger) -> None:
        self.name = name
        self.ledger = ledger
        self._keys = keys
        self._sent = 0
        self._http = httpx.AsyncClient(base_url=url, timeout=15)

    async def close(self) -> None:
        """Let go of its connections."""
        await self._http.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a read."""
        answer = await self._until_final("GET", path, "supervisor", None, {}, params)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def open(self, journey: Journey) -> str:
        """Report; the request's id."""
        key = self._new_key()
        body = {"type": journey.type, "location": PLACE, "answers": journey.answers}
        answer = await self._until_final("POST", "/api/v1/requests", "service", body, {"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        request_id = str(answer.json()["id"])
        self.ledger.opened[key] = request_id
        return request_id

    async def do(self, request_id: str, move: Move) -> Acknowledged | None:
        """Send a move; None when it was refused."""
        path = f"/api/v1/requests/{request_id}/{move.verb}"
        if move.step is not None:
            path = f"/api/v1/tasks/{await self._task(request_id, move.step)}/{move.verb}"
        return await self.command(request_id, path, move.body, move.role)

    async def command(self, request_id: str, path: str, body: dict[str, Any], role: str) -> Acknowledged | None:
        """Send a command; None when it was refused, or got no final answer."""
        key = self._new_key()
        answer = await self._until_final("POST", path, role, body, {"Idempotency-Key": key})
        self.ledger.counts[str(answer.status_code)] += 1
        if answer.status_code != 200:
            self.ledger.refused.append(f"{path}: {answer.status_code} {answer.text}")
            return None
        found = answer.json()
        noted = Acknowledged(path, body, role, key, request_id, found["command_id"], found["request"]["decision"])
        self.ledger.commands.append(noted)
        return noted

    async def again(self, sent: Acknowledged) -> str:
        """Send an acknowledged command once more; the command's id in the answer."""
        headers = {"Idempotency-Key": sent.key}
        answer = await self._until_final("POST", sent.path, sent.role, sent.body, headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["command_id"])

    async def _task(self, request_id: str, step: str) -> str:
        """The open task of a step: after a command's answer every read shows its effect."""
        request = await self.get(f"/api/v1/requests/{request_id}")
        tasks = [task for task in request["tasks"] if task["state"] in ("offered", "claimed", "started")]
        assert [task["step"] for task in tasks] == [step], f"{request_id} is at {request['step']}: {tasks}"
        return str(tasks[0]["id"])

    async def _until_final(
        self,
        method: str,
        path: str,
        role: str,
        body: dict[str, Any] | None,
        headers: dict[str, str],
        params: dict[str, Any] | None = None,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._keys[role]}", **headers}
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        pause, last = 0.2, ""
        while asyncio.get_running_loop().time() < deadline:
            try:
                answer = await self._http.request(method, path, json=body, headers=headers, params=params)
            except httpx.TransportError as error:
                self.ledger.counts[type(error).__name__] += 1
                last = repr(error)
            else:
                if answer.status_code != 503:
                    assert answer.status_code < 500, f"{path}: {answer.status_code} {answer.text}"
                    return answer
                self.ledger.counts["503"] += 1
                last = answer.text
            await asyncio.sleep(pause * (1 + random.random()))
            pause = min(pause * 2, 1.0)
        raise AssertionError(f"{method} {path}: no answer within {PATIENCE_SECONDS} s: {last}")

    def _new_key(self) -> str:
        self._sent += 1
        return f"{self.name}-{self._sent}"


class Crowd:
    """Many clients at once, each with requests of its own; `commenters` meddle with everybody's."""

    def __init__(self, url: str, keys: dict[str, str], *, clients: int, commenters: int) -> None:
        self.ledger = Ledger()
        self._clients = [Client(f"client-{number}", url, keys, self.ledger) for number in range(clients)]
        self._commenters = [Client(f"commenter-{number}", url, keys, self.ledger) for number in range(commenters)]
        self._journeys: dict[str, tuple[Client, Journey]] = {}
        self.expected = 0
        """How many acknowledgements the journeys of the opened requests need."""

    @property
    def requests(self) -> dict[str, Journey]:
        """The requests opened, and where they go."""
        return {request_id: journey for request_id, (_, journey) in self._journeys.items()}

    @property
    def anyone(self) -> Client:
        """One of the clients, for a look around."""
        return self._clients[0]

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.gather(*(client.close() for client in [*self._clients, *self._commenters]))

    async def open(self, count: int) -> None:
        """Open so many requests, the journeys in turn."""
        wanted = [JOURNEYS[number % len(JOURNEYS)] for number in range(count)]
        self.expected += count + sum(len(journey.moves) for journey in wanted)
        share = len(self._clients)
        await asyncio.gather(
            *(self._open(client, wanted[number::share]) for number, client in enumerate(self._clients))
        )

    async def work(self) -> None:
        """Take every request to its end; each client goes round its own, a move at a time."""
        working = asyncio.gather(*(self._work(client) for client in self._clients))
        meddling = [asyncio.create_task(self._meddle(client, working)) for client in self._commenters]
        await working
        await asyncio.gather(*meddling)

    async def _open(self, client: Client, journeys: list[Journey]) -> None:
        for journey in journeys:
            self._journeys[await client.open(journey)] = (client, journey)

    async def _work(self, client: Client) -> None:
        left = {key: list(journey.moves) for key, (owner, journey) in self._journeys.items() if owner is client}
        while left:
            for request_id in list(left):
                await client.do(request_id, left[request_id].pop(0))
                if not left[request_id]:
                    del left[request_id]

    async def _meddle(self, client: Client, working: asyncio.Future[Any]) -> None:
        """Remarks on anybody's requests, closed ones included, as long as the others work."""
        numbers = iter(range(1_000_000))
        chosen = list(self._journeys)
        while not working.done():
            text = f"{client.name} remarks {next(numbers)}"
            await client.do(random.choice(chosen), Move("comment", {"text": text}, role="service"))
            await asyncio.sleep(0.2)
