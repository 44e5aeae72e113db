"""`python -m bench.deadlines`: many open requests whose deadlines fall on the same instant.

The system runs as its operators run it: the embedded Temporal server on a file, API and worker in processes of their
own, SQLite or PostgreSQL. The requests are reported through the API while the office is closed; when it opens, all
fall due together. What happened is then counted in the journal. With --against another checkout's code has the same
storm first.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import uvloop
from sqlalchemy import inspect, text
from sqlmodel import Session

from bench.probes import Probes
from bench.storm_city import PROBE, STORM, WARNING, write_city
from bench.storm_count import check_histories, check_journal
from bench.system import ADMIN_KEY, THIS, Checkout, System, Used, add_against, postgres, running
from bench.wanted import at_most
from fixline.service.scheduling import DUE_PER_SECOND

AT_ONCE = 16
OPENED_A_SECOND = 25
"""How fast requests are reported at least; the office opens when they should be there, unless told otherwise."""
LOOK_EVERY_SECONDS = 0.5
TOGETHER = 200
"""How many requests may be without their workflow or work order while more are reported."""
STUCK_AFTER_SECONDS = 120
NO_WORKFLOW = {"signalled": "signalled = 0", "shell_at": "shell_at IS NULL"}
"""How a schema says that a request has no workflow yet, by the column that says it: earlier releases had `shell_at`."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for. Without `per_second` each checkout wakes as many a second as by itself."""

    count: int
    workers: int
    apart: int
    minutes: int
    postgres: bool
    per_second: int | None


@dataclass
class Storm:
    """How the rungs of one instant were recorded: seconds after it until the first, half, 99 % and the last."""

    name: str
    instant: datetime
    reached: dict[str, float] = field(default_factory=dict)
    told: float = 0.0
    before: dict[str, Used] = field(default_factory=dict)
    after: dict[str, Used] = field(default_factory=dict)


class Came(NamedTuple):
    """What came of the storms, and whether everything happened exactly once."""

    storms: list[Storm]
    good: bool


async def measure(asked: Asked, folder: Path, database_url: str, code: Checkout) -> Came:
    """Open, wait for the storms, count."""
    opens = _whole_minute(datetime.now(UTC) + timedelta(minutes=asked.minutes))
    due = opens + timedelta(minutes=1)
    write_city(folder / "definitions", due, asked.apart)
    storms = [Storm("warning and due", due), Storm("a later rung", due + timedelta(minutes=asked.apart))]
    paced = {"FIXLINE_DUE_PER_SECOND": str(asked.per_second)} if asked.per_second else {}
    with running(folder, folder / "definitions", database_url, asked.workers, code, **paced) as system:
        print(f"{asked.count:,} requests that fall due at {due:%H:%M:%S} UTC", flush=True)
        ids = await _open_all(system, asked.count, opens)
        probes = Probes(system.url, ADMIN_KEY, PROBE)
        at_rest = system.used()
        await _probed(probes, "before", _until(due - timedelta(seconds=5)))
        for number, storm in enumerate(storms):
            await _until(storm.instant - WARNING)
            await _probed(probes, "storm", _watch(system, storm, asked.count, "due" if number == 0 else "after"))
        system_peak = system.used()
        found = check_journal(system.store, ids, storms[0].instant, asked.apart, system.logged("worker"))
        found += await check_histories(system.address, ids)
    _print(asked, code, storms, at_rest, system_peak, probes)
    print("\n".join(found))
    return Came(storms, not any(line.startswith("WRONG") for line in found))


async def _open_all(system: System, count: int, before: datetime) -> list[str]:
    """Report them through the API, and wait until each has its workflow and its work order; their ids."""
    slots, began, ids = asyncio.Semaphore(AT_ONCE), time.monotonic(), list[str]()
    without = _without_workflow(system)
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}

    async def one(http: httpx.AsyncClient) -> None:
        async with slots:
            answer = await http.post("/api/v1/requests", json={"type": STORM})
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])

    # Given up before the server does it: a connection that closes under a report is no measurement.
    limits = httpx.Limits(keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=system.url, headers=headers, timeout=60, limits=limits) as http:
        while len(ids) < count:
            await asyncio.gather(*(one(http) for _ in range(min(TOGETHER, count - len(ids)))))
            while await asyncio.to_thread(system.store.read, without) > TOGETHER * (len(ids) < count):
                await asyncio.sleep(0.2)
            if len(ids) % 1_000 == 0 or len(ids) == count:
                print(f"  {len(ids):,} opened, {len(ids) / (time.monotonic() - began):.0f} a second", flush=True)
            if datetime.now(UTC) >= before:
                raise RuntimeError("the office opened before all requests were there: give more --minutes")
    return sorted(ids)


async def _watch(system: System, storm: Storm, count: int, rung: str) -> None:
    """Look at the store until all have reached this rung and everybody has been told."""
    storm.before = system.used()
    shares = {"first": 1, "half": count // 2, "99 %": count * 99 // 100, "last": count}
    moved, last_seen, said = time.monotonic(), (-1, -1), 0.0
    while True:
        reached, left = await asyncio.to_thread(system.store.read, lambda s: _progress(s, rung))
        seconds = (datetime.now(UTC) - storm.instant).total_seconds()
        for name, share in shares.items():
            if reached >= share and name not in storm.reached:
                storm.reached[name] = max(seconds, 0.0)
        if reached == count and not left:
            storm.told = seconds
            storm.after = system.used()
            return
        if (reached, left) != last_seen:
            moved, last_seen = time.monotonic(), (reached, left)
        if time.monotonic() - moved > STUCK_AFTER_SECONDS:
            raise RuntimeError(f"{storm.name}: {reached} of {count}, {left} effects left, and nothing moves")
        if time.monotonic() - said > 5:
            said = time.monotonic()
            memory = ", ".join(f"{name} {used.now_mb:.0f} MB" for name, used in system.used().items())
            print(f"  {storm.name} {seconds:+6.1f} s: {reached:,} of {count:,}; {memory}", flush=True)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _progress(session: Session, rung: str) -> tuple[int, int]:
    """How many requests have reached the rung, or a later one, and how many effects have not been taken."""
    found = session.execute(text("SELECT last_rung, count(*) FROM clock GROUP BY last_rung")).all()
    reached = sum(n for name, n in found if name and (name == rung or name.startswith("after")))
    left = session.execute(text("SELECT count(*) FROM effect WHERE effect.state IN ('pending', 'failed')"))
    return reached, int(left.scalar_one())


def _without_workflow(system: System) -> Callable[[Session], int]:
    """What counts the requests that have no workflow yet, and the effects that have not been taken."""
    columns = {column["name"] for column in inspect(system.store.engine).get_columns("request")}
    (holds,) = (text for name, text in NO_WORKFLOW.items() if name in columns)
    statement = text(f"SELECT count(*) FROM request WHERE {holds}")  # noqa: S608 - made of our own words

    def count(session: Session) -> int:
        return int(session.execute(statement).scalar_one()) + _progress(session, "due")[1]

    return count


async def _until(instant: datetime) -> None:
    await asyncio.sleep(max((instant - datetime.now(UTC)).total_seconds(), 0))


async def _probed(probes: Probes, phase: str, work: object) -> None:
    """Probe the API as long as the work takes."""
    over = asyncio.Event()
    probing = asyncio.create_task(probes.run(phase, over))
    try:
        await work  # type: ignore[misc]
    finally:
        over.set()
        await probing


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _print(
    asked: Asked, code: Checkout, storms: list[Storm], rest: dict[str, Used], peak: dict[str, Used], probes: Probes
) -> None:
    database = "PostgreSQL" if asked.postgres else "SQLite"
    pace = f"woken {asked.per_second:,} a second" if asked.per_second else "woken at its own pace"
    print(f"\n{code.name} checkout: {asked.count:,} requests, {asked.workers} worker(s), {database}, {pace}")
    print("seconds after the instant until recorded, and until everybody was told:")
    print(f"{'':18}{'first':>8}{'half':>8}{'99 %':>8}{'last':>8}{'told':>8}{'a second':>10}")
    for storm in storms:
        times = "".join(f"{storm.reached[name]:8.1f}" for name in ("first", "half", "99 %", "last"))
        print(f"{storm.name:18}{times}{storm.told:8.1f}{asked.count / storm.told:10.0f}")
    print(f"\n{'memory, MB':18}{'before':>8}{'after':>8}{'peak':>8}   processor, ms a request, by storm")
    for name, used in peak.items():
        spent = [1000 * (s.after[name].seconds - s.before[name].seconds) / asked.count for s in storms]
        shown = " ".join(f"{ms:.1f}" for ms in spent)
        print(f"{name:18}{rest[name].now_mb:8.0f}{used.now_mb:8.0f}{used.peak_mb:8.0f}   {shown}")
    print()
    print("\n".join(probes.table(("before", "storm"))))
    print()


@contextmanager
def _database(asked: Asked, folder: Path) -> Iterator[str]:
    if asked.postgres:
        with tempfile.TemporaryDirectory(prefix="fixline-pg-") as data, postgres(Path(data)) as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'fixline.db'}"


def _measured(asked: Asked, code: Checkout) -> Came:
    with tempfile.TemporaryDirectory() as name, _database(asked, Path(name)) as url:
        return uvloop.run(measure(asked, Path(name), url, code))


def _compare(ours: list[Storm], theirs: list[Storm]) -> None:
    print("\nseconds until the last was recorded, this checkout against the other:")
    for mine, other in zip(ours, theirs, strict=True):
        seconds, others = mine.reached["last"], other.reached["last"]
        verdict = at_most(0.7).verdict(seconds / others) if others else "the other took no time"
        print(f"{mine.name:18}{seconds:8.1f} s against {others:.1f} s: {verdict}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.deadlines", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many requests fall due together")
    parser.add_argument("--workers", type=int, default=1, help="worker processes")
    parser.add_argument("--apart", type=int, default=0, help="minutes from due to the later rung; 0: enough for all")
    parser.add_argument(
        "--minutes", type=int, default=0, help="minutes until the office opens; 0: enough to report all"
    )
    parser.add_argument("--postgres", action="store_true", help="the store on a PostgreSQL server, not on SQLite")
    parser.add_argument("--per-second", type=int, help="FIXLINE_DUE_PER_SECOND; 10000: all; default: the settings' own")
    add_against(parser)
    given = parser.parse_args()
    apart = given.apart or 2 + given.count // (60 * min(given.per_second or DUE_PER_SECOND, DUE_PER_SECOND))
    minutes = given.minutes or 1 + given.count // (60 * OPENED_A_SECOND)
    asked = Asked(given.count, given.workers, apart, minutes, given.postgres, given.per_second)
    theirs = _measured(asked, given.against) if given.against else None
    ours = _measured(asked, THIS)
    if theirs is not None:
        _compare(ours.storms, theirs.storms)
    sys.exit(not ours.good)


if __name__ == "__main__":
    main()
