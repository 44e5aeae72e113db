"""`python -m bench.away`: a minute without Temporal, in which the city goes on, and what it takes to catch up.

The system runs as its operators run it (`bench.system`), on SQLite. Temporal's server is killed; meanwhile potholes are
reported, inspected and repaired over HTTP, some that had been reported before, and a third of them only inspected.
Every call must have its final answer. Then the server is started again on its file.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import uvloop
from sqlalchemy import text
from sqlmodel import Session, col, func, select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from bench.calls import Answer, Connection
from bench.http import API, INSPECTED, REPAIRED, REPORT
from bench.storm_count import verdict
from bench.system import ADMIN_KEY, System, running
from fixline.store.store import Store
from fixline.store.tables import UNSIGNALLED, CommandRow, EffectRow, RequestRow
from tests.support.consistency import assert_consistent
from tests.support.lakeport import LAKEPORT

REFUSED = (409, 422)
FINAL = (200, 201, *REFUSED)
MISTAKE = "inspection, by mistake"
BEFORE = 10
"""One pothole in so many is reported before Temporal goes."""
OPEN = 3
"""One in so many is only inspected."""
EFFECTS = 2
"""Of a pothole: the inspection and the repair are ordered."""
SHARE = 0.9
"""The part of the time away over which the callers spread."""
LOOK_EVERY_SECONDS = 0.1
GIVEN_UP_AFTER_SECONDS = 300
AT_ONCE = 16
EARLY = timedelta(seconds=1)


@dataclass
class Told:
    """What callers were told: each call's kind, its code, and the seconds that it took."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Left(NamedTuple):
    """What is left to do, in the store: requests whose workflow does not know the last decision, effects, commands."""

    behind: int
    effects: int
    waiting: int


class Armed(NamedTuple):
    """An open request's workflow: why it is not as it should be (nothing where it is), and since when it is, in seconds
    since 1970."""

    wrong: str
    since: float


class City:
    """Drives one system with so many potholes, before and while Temporal is away."""

    def __init__(self, system: System, count: int) -> None:
        self._system = system
        self._before = list[str]()
        self._count = count
        self.told = Told()

    async def report_some(self) -> None:
        """Report those that Temporal still gets to know."""
        async with Connection(self._system.url, ADMIN_KEY) as connection:
            for _ in range(self._count // BEFORE):
                opened = await connection.post(f"{API}/requests", REPORT)
                self._before.append(opened.json()["id"])

    async def live(self, seconds: float) -> None:
        """Everything else, spread over so many seconds; returns when the last is answered."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._later(number, seconds * number / self._count))

    async def _later(self, number: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            async with Connection(self._system.url, ADMIN_KEY) as connection:
                await self._pothole(connection, number)
        except (OSError, EOFError) as error:
            self.told.errors.append(f"{type(error).__name__} {error}")

    async def _pothole(self, connection: Connection, number: int) -> None:
        """One pothole; the inspection is sent twice, and once more by mistake."""
        request_id = self._before[number] if number < len(self._before) else ""
        if not request_id:
            opened = await self._call(connection, "report", "/requests", REPORT)
            if opened.status != 201:
                return
            request_id = opened.json()["id"]
        inspection, repair = (f"/tasks/{request_id}-{task}/complete" for task in ("T1", "T2"))
        first = await self._call(connection, "inspection", inspection, INSPECTED, repeat=request_id)
        again = await self._call(connection, "inspection, sent twice", inspection, INSPECTED, repeat=request_id)
        if first != again:
            self.told.errors.append(f"{request_id}: the same call was answered {first} and {again}")
        await self._call(connection, MISTAKE, inspection, INSPECTED)
        if number % OPEN:
            await self._call(connection, "repair", repair, REPAIRED)

    async def _call(self, connection: Connection, kind: str, path: str, body: object, repeat: str = "") -> Answer:
        began = time.perf_counter()
        answer = await connection.post(f"{API}{path}", body, repeat)
        self.told.seconds.append(time.perf_counter() - began)
        self.told.answers[kind, answer.status] += 1
        return answer


async def measure(folder: Path, seconds: float, count: int) -> bool:
    """Do it, and print what has come of it; whether everything was as it must be."""
    with running(folder, LAKEPORT, f"sqlite:///{folder / 'fixline.db'}", 1) as system:
        city = City(system, count)
        await city.report_some()
        await _settled(system.store)
        system.parts["temporal"].end(signal.SIGKILL)
        away_until = time.monotonic() + seconds
        await city.live(seconds * SHARE)
        left = system.store.read(_left)
        await asyncio.sleep(max(away_until - time.monotonic(), 0))
        began = time.time()
        system.start_temporal()
        listens = time.time()
        lines = _answers(city.told, seconds)
        print(f"  left to do when Temporal came back: {left}")
        settled = await _settled(system.store)
        lines += await _caught_up(system, count, [began, listens, settled])
    print("\n".join(lines))
    return not any(line.startswith("WRONG") for line in lines)


async def _settled(store: Store) -> float:
    """Wait until nothing is left to do; when that was (seconds since 1970), or when it was given up."""
    until = time.monotonic() + GIVEN_UP_AFTER_SECONDS
    while any(await asyncio.to_thread(store.read, _left)) and time.monotonic() < until:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return time.time()


def _left(session: Session) -> Left:
    return Left(
        _count(session, RequestRow, text(UNSIGNALLED)),
        _count(session, EffectRow, col(EffectRow.state).in_(("pending", "failed"))),
        _count(session, CommandRow, col(CommandRow.state) == "waiting"),
    )


async def _caught_up(system: System, count: int, instants: list[float]) -> list[str]:
    """Check the store and every open request's workflow, and say how long it took."""
    began, listens, settled = instants
    requests = system.store.read(_open)
    armed = await _armed(system, requests, count)
    over = max([settled, *(each.since for each in armed.values())])
    print(f"  Temporal listened again after {listens - began:.1f} s; from then on:")
    print(f"  {settled - listens:6.1f} s  until every workflow had been told, and every effect was taken")
    print(f"  {over - listens:6.1f} s  until every open request's workflow ran with its timer armed, too")
    return [
        *system.store.read(lambda s: _stored(s, count)),
        _consistent(system.store),
        verdict(
            f"{len(requests):,} requests are open, and the workflow of each runs with its timer armed",
            [f"{request_id}: {each.wrong}" for request_id, each in armed.items() if each.wrong],
        ),
        verdict("no other workflow runs", sorted(await _running(system) - set(requests))),
    ]


def _answers(told: Told, seconds: float) -> list[str]:
    calls = sum(told.answers.values())
    print(f"\n{seconds:g} s without Temporal: {calls:,} calls, answered")
    for (kind, code), number in sorted(told.answers.items()):
        print(f"  {number:6,}  {code}  {kind}")
    middle, slowest = statistics.median(told.seconds), max(told.seconds)
    print(f"  median {1000 * middle:.0f} ms, slowest {1000 * slowest:.0f} ms")
    other = [f"{kind}: {code}" for kind, code in told.answers if code not in FINAL]
    refused = [f"{kind}: {code}" for kind, code in told.answers if (code in REFUSED) != (kind == MISTAKE)]
    return [
        verdict(f"{calls:,} calls, each with its final answer ({', '.join(map(str, FINAL))})", other),
        verdict("refused was what was sent by mistake, and nothing else", refused),
        verdict("no call failed, and each that was sent twice was answered twice the same", told.errors),
    ]


def _stored(session: Session, count: int) -> list[str]:
    """Every request is there, every effect was taken once, and nothing is left."""
    left = _left(session)
    effects = session.exec(select(EffectRow.id, EffectRow.state, EffectRow.attempts)).all()
    poor = [f"{id_}: {state} after {tries}" for id_, state, tries in effects if (state, tries) != ("done", 1)]
    number = "" if len(effects) == EFFECTS * count else f"{EFFECTS * count} were expected"
    found = _count(session, RequestRow, col(RequestRow.id).is_not(None))
    return [
        verdict(f"{found:,} requests are there", [] if found == count else [f"{count} were reported"]),
        verdict(f"nothing is left to do: {left}", [left] if any(left) else []),
        verdict(f"{len(effects):,} effects, each taken once, at the first try", poor + [number] * bool(number)),
    ]


def _consistent(store: Store) -> str:
    """Journal, state, tasks, clocks, commands and effects agree, by the tests' own check."""
    try:
        number = assert_consistent(store, settled=True)
    except AssertionError as error:
        return verdict("the store agrees with itself", [str(error)])
    return verdict(f"the store agrees with itself: {number:,} requests", [])


def _open(session: Session) -> dict[str, datetime | None]:
    """The open requests, and when something falls due next for each."""
    found = session.exec(select(RequestRow.id, RequestRow.next_at).where(RequestRow.status == "open"))
    return dict(found.all())


async def _armed(system: System, requests: dict[str, datetime | None], count: int) -> dict[str, Armed]:
    """How each open request's workflow is."""
    client, slots = await Client.connect(system.address), asyncio.Semaphore(AT_ONCE)

    async def look(request_id: str, next_at: datetime | None) -> Armed:
        async with slots:
            try:
                return await _workflow(client, request_id, next_at, timedelta(seconds=count))
            except RPCError as error:
                return Armed(error.message, 0.0)

    found = await asyncio.gather(*(look(request_id, next_at) for request_id, next_at in requests.items()))
    return dict(zip(requests, found, strict=True))


async def _workflow(client: Client, request_id: str, next_at: datetime | None, spread: timedelta) -> Armed:
    """Whether a workflow runs, with a timer for this instant, or later by as much as many timers may be spread over."""
    handle = client.get_workflow_handle(request_id)
    described = await handle.describe()
    if described.status is not WorkflowExecutionStatus.RUNNING:
        return Armed(f"its workflow is {described.status}", 0.0)
    timers: dict[int, tuple[datetime, datetime]] = {}
    for event in (await handle.fetch_history()).events:
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            started = event.event_time.ToDatetime(UTC)
            after = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            timers[event.event_id] = (started, started + after)
        timers.pop(event.timer_fired_event_attributes.started_event_id, None)
        timers.pop(event.timer_canceled_event_attributes.started_event_id, None)
    if next_at is None:
        return Armed("" if not timers else "its timer is for nothing", 0.0)
    right = [started for started, fires in timers.values() if next_at - EARLY <= fires <= next_at + spread]
    if not right:
        return Armed(f"no timer for {next_at}, but {[str(fires) for _, fires in timers.values()]}", 0.0)
    return Armed("", max(right).timestamp())


async def _running(system: System) -> set[str]:
    """The ids of all workflows that run; Temporal's list is seconds behind, so it is asked until it stays the same."""
    client = await Client.connect(system.address)
    found, before = set[str](), None
    while found != before:
        before = found
        await asyncio.sleep(3)
        found = {run.id async for run in client.list_workflows("ExecutionStatus = 'Running'")}
    return found


def _count(session: Session, table: type[RequestRow | EffectRow | CommandRow], holds: object) -> int:
    return int(session.exec(select(func.count()).select_from(table).where(holds)).one())  # type: ignore[arg-type]


def run(seconds: float, count: int) -> bool:
    """Do it in a folder that is gone afterwards, and print; whether everything was right. Main thread only."""
    with tempfile.TemporaryDirectory(prefix="fixline-away-") as folder:
        return uvloop.run(measure(Path(folder), seconds, count))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.away", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long Temporal is away")
    parser.add_argument("--count", type=int, default=300, help="potholes")
    given = parser.parse_args()
    sys.exit(not run(given.seconds, given.count))


if __name__ == "__main__":
    main()
