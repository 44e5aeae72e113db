"""`python -m bench.http`: potholes over the HTTP API, reported and completed by so many callers at once.

The system runs as its operators run it (`bench.system`): the embedded Temporal server on a file, `fixline api` and
`fixline worker` on SQLite. One process drives all callers, each on a connection of its own: a report, the inspection,
the repair, and the next pothole. With --against another checkout's code does the same, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from temporalio.client import Client

from bench.calls import Connection
from bench.endings import Endings, last_end
from bench.processor import Meter
from bench.system import ADMIN_KEY, THIS, Checkout, System, add_against, running
from bench.wanted import Wanted, at_most
from tests.support.lakeport import LAKEPORT

TASK_QUEUE = "fixline"
"""The settings' own."""
PARTS = ("api", "worker-1", "temporal")
WARM = 32
"""Potholes before the first measurement of a system, so that everything has been read and compiled."""
COMMANDS = 3
"""Of a pothole: the opening and two completions."""
LOOK_EVERY_SECONDS = 0.05
API = "/api/v1"
REPORT = {
    "type": "pothole",
    "location": {"latitude": 41.9, "longitude": -87.7, "address": "12 N Main St"},
    "answers": {"lane": "bike"},
}
INSPECTED = {"outcome": "pothole", "form": {"depth": 12}}
REPAIRED = {"outcome": "done", "form": {"potholes_filled": 1, "photo_after": "photo"}}


@dataclass(frozen=True)
class Asked:
    """How much: callers at once, potholes of each measurement, how often all is done; and the other checkout."""

    in_flight: Sequence[int]
    count: int
    rounds: int
    against: Checkout | None


@dataclass
class Told:
    """What callers were told: seconds until each answer, the answers' codes, and the requests that they have opened."""

    openings: list[float] = field(default_factory=list)
    completions: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Round:
    """One measurement. Times of openings and completions in ms; rates in potholes a second, to the last answer and to
    the last workflow's end; processor time in ms, the API's and the driver's a command, the others' a pothole."""

    opening: float
    opening_p99: float
    opening_mean: float
    completion: float
    completion_p99: float
    completion_mean: float
    accepted: int
    others: int
    answered: float
    finished: float
    api: float
    driver: float
    worker: float
    server: float


Rounds = dict[tuple[int, str], list[Round]]
"""The rounds, by callers at once and the checkout's name."""


async def measure(folder: Path, asked: Asked) -> None:
    """Measure and print."""
    rounds: Rounds = {}
    checkouts = [each for each in (asked.against, THIS) if each is not None]
    for number in range(asked.rounds):
        for code in checkouts:
            place = folder / f"{number}-{code.name}"
            place.mkdir()
            with running(place, LAKEPORT, f"sqlite:///{place / 'fixline.db'}", 1, code) as system:
                for at_once, found in (await _measured(system, asked)).items():
                    rounds.setdefault((at_once, code.name), []).append(found)
    _print(asked, rounds)


async def _measured(system: System, asked: Asked) -> dict[int, Round]:
    """One round on one system: each number of callers in turn."""
    client = await Client.connect(system.address)
    endings = Endings(client, TASK_QUEUE, lambda: True)
    await endings.of((await drive(system, WARM, min(WARM, max(asked.in_flight)))).ids)
    return {at_once: await _round(system, endings, asked.count, at_once) for at_once in asked.in_flight}


async def _round(system: System, endings: Endings, count: int, at_once: int) -> Round:
    gc.collect()
    gc.freeze()  # so that no collection of this process looks like a slow answer
    async with Meter({**system.pids(*PARTS), "driver": None}) as meter:
        began = time.time()
        told = await drive(system, count, at_once)
        answered = time.time()
        ended = max(answered, last_end(await endings.of(told.ids)))
    driver, used = meter.used(answered)["driver"], meter.used(ended)
    openings, completions = [sorted(1000 * each for each in times) for times in (told.openings, told.completions)]
    return Round(
        opening=statistics.median(openings),
        opening_p99=_p99(openings),
        opening_mean=statistics.mean(openings),
        completion=statistics.median(completions),
        completion_p99=_p99(completions),
        completion_mean=statistics.mean(completions),
        accepted=told.codes[202],
        others=sum(n for code, n in told.codes.items() if code not in (200, 201, 202)),
        answered=count / (answered - began),
        finished=count / (ended - began),
        api=1000 * used["api"] / (COMMANDS * count),
        driver=1000 * driver / (COMMANDS * count),
        worker=1000 * used["worker-1"] / count,
        server=1000 * used["temporal"] / count,
    )


async def drive(system: System, count: int, at_once: int) -> Told:
    """So many potholes, reported and completed by so many callers; what they were told."""
    told, numbers = Told(), iter(range(count))

    async def caller() -> None:
        async with Connection(system.url, ADMIN_KEY) as connection:
            for _ in numbers:
                await _pothole(connection, told)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(caller())
    return told


async def _pothole(connection: Connection, told: Told) -> None:
    """One pothole, from the report to the repair; a command that has to wait is waited for before the next."""
    began = time.perf_counter()
    opened = await connection.post(f"{API}/requests", REPORT)
    told.openings.append(time.perf_counter() - began)
    told.codes[opened.status] += 1
    if opened.status != 201:
        raise RuntimeError(f"a report was answered {opened.status}: {opened.content!r}")
    request_id = opened.json()["id"]
    told.ids.append(request_id)
    for task, done in (("T1", INSPECTED), ("T2", REPAIRED)):
        began = time.perf_counter()
        answer = await connection.post(f"{API}/tasks/{request_id}-{task}/complete", done)
        told.completions.append(time.perf_counter() - began)
        told.codes[answer.status] += 1
        if answer.status == 202:
            await _applied(connection, answer.json()["poll_url"])
        elif answer.status != 200:
            raise RuntimeError(f"a completion was answered {answer.status}: {answer.content!r}")


async def _applied(connection: Connection, poll_url: str) -> None:
    """Look until a command is applied."""
    while (state := (await connection.get(poll_url)).json()["state"]) == "waiting":
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    if state != "applied":
        raise RuntimeError(f"{poll_url}: {state}")


def _p99(times: Sequence[float]) -> float:
    """The time within which 99 of 100 were answered; of few, the longest."""
    return times[min(len(times) - 1, len(times) * 99 // 100)]


def _print(asked: Asked, rounds: Rounds) -> None:
    print(f"\nHTTP: {asked.count} potholes, medians of {asked.rounds} rounds; processor time until the last has ended")
    print(f"{'':18}{'opening, ms':^24}{'completion, ms':^24}{'answers':^12}{'potholes/s':^18}{'processor, ms':^38}")
    print(f"{'at once':9}{'code':9}" + 2 * f"{'median':>8}{'p99':>8}{'mean':>8}" + f"{'202':>6}{'other':>6}", end="")
    print(f"{'answered':>9}{'finished':>9}{'api/cmd':>9}{'drv/cmd':>9}{'worker/p':>10}{'server/p':>10}")
    for (at_once, name), found in sorted(rounds.items()):
        shown = [_median(found, each) for each in _OF_LINE[:6]]
        counts = [sum(each.accepted for each in found), sum(each.others for each in found)]
        rest = [_median(found, each) for each in _OF_LINE[6:]]
        times = "".join(f"{each:8.1f}" for each in shown) + "".join(f"{each:6}" for each in counts)
        used = "".join(f"{each:9.2f}" for each in rest[2:4]) + "".join(f"{each:10.2f}" for each in rest[4:])
        print(f"{at_once:<9}{name:9}{times}{rest[0]:9.1f}{rest[1]:9.1f}{used}")
    for at_once in asked.in_flight:
        _print_verdicts(at_once, rounds)


_OF_LINE: Sequence[Callable[[Round], float]] = (
    *(lambda r: r.opening, lambda r: r.opening_p99, lambda r: r.opening_mean),
    *(lambda r: r.completion, lambda r: r.completion_p99, lambda r: r.completion_mean),
    *(lambda r: r.answered, lambda r: r.finished, lambda r: r.api),
    *(lambda r: r.driver, lambda r: r.worker, lambda r: r.server),
)


def _print_verdicts(at_once: int, rounds: Rounds) -> None:
    ours, theirs = rounds[at_once, THIS.name], rounds.get((at_once, "against"))
    print(f"{at_once} at once, the median ratio of the rounds, and each round's:")
    _print_ratio("completion / opening, medians", at_most(1.5), (r.completion / r.opening for r in ours))
    _print_ratio("openings, p99 / median", at_most(6), (r.opening_p99 / r.opening for r in ours))
    _print_ratio("completions, p99 / median", at_most(6), (r.completion_p99 / r.completion for r in ours))
    print(f"  {'answers 202':32}{at_most(0).verdict(sum(r.accepted for r in ours))}")
    if theirs is not None:
        both = list(zip(ours, theirs, strict=True))
        _print_ratio("processor of the API, a command", at_most(0.5), (a.api / b.api for a, b in both))
        _print_ratio("answered, potholes a second", None, (a.answered / b.answered for a, b in both))


def _print_ratio(what: str, limit: Wanted | None, ratios: Iterable[float]) -> None:
    each = list(ratios)
    middle = statistics.median(each)
    verdict = limit.verdict(middle) if limit else f"{middle:.2f}"
    print(f"  {what:32}{verdict:38}{' '.join(f'{ratio:.2f}' for ratio in each)}")


def _median(rounds: Sequence[Round], of: Callable[[Round], float]) -> float:
    return statistics.median(of(each) for each in rounds)


def run(in_flight: Sequence[int], count: int, rounds: int, against: Checkout | None) -> None:
    """Measure and print, in a folder that is gone afterwards. Main thread only."""
    with tempfile.TemporaryDirectory(prefix="fixline-http-") as folder:
        uvloop.run(measure(Path(folder), Asked(in_flight, count, rounds, against)))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.http", description=__doc__)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 16, 64], help="callers at once")
    parser.add_argument("--count", type=int, default=300, help="potholes of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    add_against(parser)
    given = parser.parse_args()
    run(given.in_flight, given.count, given.rounds, given.against)


if __name__ == "__main__":
    main()
