"""What one pothole costs, beside two workflows written by hand: without a database, and with their state in SQLite.

The three take turns in one run, on one embedded Temporal server: the same driver process, a worker process of its own
for each, the same number of potholes in flight. Fixline answers before a workflow is told; so everything is measured
until the last workflow has ended, by the server's own record of its end.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bench.endings import STUCK_AFTER_SECONDS, Endings, last_end
from bench.processor import Meter
from bench.server import temporal_server
from bench.sides import SIDES, Between, Side, side_of, worker_process
from bench.wanted import Wanted, at_least, at_most

PAUSE_SECONDS = 0.4
"""Between the commands of a request, where nothing shall be merged: each has its effects before the next comes."""
WARM = 8
"""Potholes before a round, so that the worker is up and has read everything."""
LOOK_EVERY_SECONDS = 0.02
PARTS = ("server", "worker", "driver")
FIGURES = {"ms": "processor, ms", "answered": "answered/s", "finished": "finished/s", "events": "events"}


@dataclass(frozen=True)
class Asked:
    """How much: potholes of a round, how many in flight, how often the sides take turns."""

    count: int
    at_once: int
    rounds: int


@dataclass(frozen=True)
class Round:
    """What one round of one side has come to. `used` are processor milliseconds a pothole, by process; `answered` and
    `finished` potholes a second, from the first start to the last answer and to the last workflow's end; `events` are
    those of a pothole's histories, in the mean; `runs` how many runs of workflows there were."""

    used: dict[str, float]
    answered: float
    finished: float
    events: float
    runs: int

    @property
    def ms(self) -> float:
        """Processor milliseconds a pothole, all processes together."""
        return sum(self.used.values())

    def figure(self, name: str) -> float:
        """One of FIGURES."""
        return float(getattr(self, name))


@dataclass(frozen=True)
class Cost:
    """One request's history: its events, kilobytes (1,000 bytes) and how many of each kind."""

    events: int
    kilobytes: float
    kinds: dict[str, int]


Rounds = dict[str, list[Round]]
"""The rounds of each side, in turn."""
AT_FULL_SPEED: dict[str, dict[str, Wanted | None]] = {
    "by hand": {"ms": at_most(0.70), "finished": at_least(1.2), "answered": at_least(5.0)},
    "by hand, SQLite": {"ms": at_most(0.6), "finished": at_least(1.5), "answered": None},
}
WITH_PAUSES: dict[str, dict[str, Wanted | None]] = {
    "by hand": {"ms": at_most(0.85)},
    "by hand, SQLite": {"ms": None},
}
"""Fixline's figures against those of each yardstick: the ratios that are wanted, where one is."""


async def compare(folder: Path, asked: Asked) -> None:
    """Measure and print: one pothole step by step, then many at full speed, then many with pauses."""
    async with temporal_server(folder) as (client, address, server_pid):
        bench = _Bench(folder, client, address, server_pid)
        _print_costs({name: await bench.cost(name) for name in SIDES})
        rounds = await bench.rounds(asked, 0.0)
        _print_rounds(f"{asked.at_once} in flight", asked, rounds)
        _print_ratios(rounds, AT_FULL_SPEED)
        rounds = await bench.rounds(asked, PAUSE_SECONDS)
        _print_rounds(f"{asked.at_once} in flight, {PAUSE_SECONDS} s between the commands of each", asked, rounds)
        _print_ratios(rounds, WITH_PAUSES)


class _Bench:
    """Measures on one Temporal server."""

    def __init__(self, folder: Path, client: Client, address: str, server_pid: int) -> None:
        self._folder = folder
        self._client = client
        self._address = address
        self._server_pid = server_pid
        self._numbers = iter(range(1_000_000))

    async def rounds(self, asked: Asked, pause: float) -> Rounds:
        """All sides in turn, so many times; `pause` are seconds between the commands of a request."""
        found: Rounds = {name: [] for name in SIDES}
        for _ in range(asked.rounds):
            for name in SIDES:
                found[name].append(await self._round(name, asked, pause))
        return found

    async def _round(self, name: str, asked: Asked, pause: float) -> Round:
        queue, folder = self._fresh(name)
        side, _ = await side_of(name, self._address, folder, queue)
        with worker_process(name, self._address, folder, queue) as worker_pid:
            endings = Endings(self._client, queue, side.settled)
            await endings.of(await _all(side, f"{queue}-warm", WARM, WARM, pause))
            gc.collect()
            pids = dict(zip(PARTS, (self._server_pid, worker_pid, None), strict=True))
            async with Meter(pids) as meter:
                began = time.time()
                ids = await _all(side, f"{queue}-run", asked.count, asked.at_once, pause)
                answered = time.time()
                runs = await endings.of(ids)
            await side.close()
        ended = max(answered, last_end(runs))
        return Round(
            used={part: 1000 * seconds / asked.count for part, seconds in meter.used(ended).items()},
            answered=asked.count / (answered - began),
            finished=asked.count / (ended - began),
            events=sum(run.history_length for run in runs) / asked.count,
            runs=len(runs),
        )

    async def cost(self, name: str) -> Cost:
        """One pothole's history; each command comes after everything that the one before it has caused."""
        queue, folder = self._fresh(name)
        side, client = await side_of(name, self._address, folder, queue)

        async def at_rest(workflow_id: str) -> None:
            while not (side.settled() and await _nothing_pending(client, workflow_id)):
                await asyncio.sleep(LOOK_EVERY_SECONDS)

        with worker_process(name, self._address, folder, queue):
            async with asyncio.timeout(STUCK_AFTER_SECONDS):
                found = await _cost_of(client, await side.one(f"{queue}-one", at_rest))
            await side.close()
        return found

    def _fresh(self, name: str) -> tuple[str, Path]:
        """A task queue that nobody has used, and its folder."""
        queue = f"bench-{next(self._numbers)}-{name.replace(', ', '-').replace(' ', '-').lower()}"
        folder = self._folder / queue
        folder.mkdir()
        return queue, folder


async def _all(side: Side, name: str, count: int, at_once: int, pause: float) -> list[str]:
    """So many potholes until the last is answered, `at_once` in flight, with so many seconds between commands; the ids
    of their workflows."""
    numbers, ids = iter(range(count)), list[str]()
    between = _no_pause if not pause else _pausing(pause)

    async def run() -> None:
        for number in numbers:
            ids.append(await side.one(f"{name}-{number}", between))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(run())
    return ids


async def _no_pause(_workflow_id: str) -> None:
    pass


def _pausing(seconds: float) -> Between:
    async def pause(_workflow_id: str) -> None:
        await asyncio.sleep(seconds)

    return pause


async def _nothing_pending(client: Client, workflow_id: str) -> bool:
    """Whether Temporal has no task of a workflow under way: none of its own, no activity."""
    try:
        found = (await client.get_workflow_handle(workflow_id).describe()).raw_description
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return not found.HasField("pending_workflow_task") and not found.pending_activities


async def _cost_of(client: Client, workflow_id: str) -> Cost:
    """Events and bytes of a workflow's history, once it has ended."""
    handle = client.get_workflow_handle(workflow_id)
    await handle.result()
    history = await handle.fetch_history()
    kinds: dict[str, int] = {}
    for event in history.events:
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        kinds[name] = kinds.get(name, 0) + 1
    return Cost(len(history.events), sum(event.ByteSize() for event in history.events) / 1000, kinds)


def _print_costs(costs: dict[str, Cost]) -> None:
    limits = {"events": at_most(21), "kilobytes": at_most(8.0)}
    print("\nOne pothole: opened, two completions, closed; each command after all that the one before has caused")
    print(f"{'':18}{'events':>8}{'kB':>8}")
    for side, cost in costs.items():
        print(f"{side:18}{cost.events:8}{cost.kilobytes:8.1f}")
        print("    " + ", ".join(f"{name} {number}" for name, number in sorted(cost.kinds.items())))
    for name, limit in limits.items():
        print(f"fixline, {name}: {limit.verdict(getattr(costs['fixline'], name))}")


def _print_rounds(how: str, asked: Asked, rounds: Rounds) -> None:
    print(
        f"\n{asked.count} potholes a round, {how}; medians of {asked.rounds} rounds, until the last workflow has ended"
    )
    print(f"{'':18}{'processor, ms a pothole':^44}{'answered':>10}{'finished':>10}{'events':>8}{'runs':>6}")
    print(f"{'':18}{'all':>8}" + "".join(f"{part:>12}" for part in PARTS) + f"{'a second':>10}{'a second':>10}")
    for side, each in rounds.items():
        parts = "".join(f"{_median(r.used[part] for r in each):12.2f}" for part in PARTS)
        rates = f"{_median(r.answered for r in each):10.1f}{_median(r.finished for r in each):10.1f}"
        rest = f"{_median(r.events for r in each):8.1f}{_median(r.runs for r in each):6.0f}"
        print(f"{side:18}{_median(r.ms for r in each):8.2f}{parts}{rates}{rest}")


def _print_ratios(rounds: Rounds, wanted: dict[str, dict[str, Wanted | None]]) -> None:
    """Fixline's figures against each yardstick's, round by round."""
    for yardstick, limits in wanted.items():
        print(f"fixline against {yardstick}: the median ratio, and each round's")
        for name, limit in limits.items():
            ratios = [
                ours.figure(name) / theirs.figure(name)
                for ours, theirs in zip(rounds["fixline"], rounds[yardstick], strict=True)
            ]
            middle = statistics.median(ratios)
            verdict = limit.verdict(middle) if limit else f"{middle:.2f}"
            print(f"  {FIGURES[name]:16}{verdict:38}{' '.join(f'{ratio:.2f}' for ratio in ratios)}")


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
