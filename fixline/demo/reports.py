"""The day's reports come in: old ones as a backlog, through the same store functions as an import's open rows; today's
through the HTTP API, like any client's. Both can be cut short and run again: nothing comes in twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import httpx

from fixline.catalog import Areas
from fixline.demo.city import Planned
from fixline.domain.process.commands import SYSTEM, Open, Place
from fixline.domain.process.decision import Decision, Refused
from fixline.service.importing.backlog import find_known, open_backlog
from fixline.service.opening import Report, decide_opening, take_numbers
from fixline.service.submissions import Submission, utc_now
from fixline.store.store import Store
from fixline.store.versions import Published, Versions

log = logging.getLogger("fixline.demo")

SOURCE = "demo"
AT_ONCE = 3
BATCH = 10
AGAIN_SECONDS = 1.0


def write_backlog(store: Store, planned: Sequence[Planned], seed: int, zone: ZoneInfo, areas: Areas) -> int:
    """Write the reports that came in days ago, unless they are there; how many were written."""
    published = {each.definition.type: each for each in store.read(Versions().all_current)}
    numbers = {f"{SOURCE}-{seed}-{each.number}": each for each in planned if each.age is not None}
    known = store.read(lambda session: find_known(session, SOURCE, list(numbers)))
    fresh = [(number, each) for number, each in numbers.items() if number not in known]
    for start in range(0, len(fresh), BATCH):
        now = utc_now()
        reports = [
            _report(number, each, published[each.type], areas, now) for number, each in fresh[start : start + BATCH]
        ]
        ids = store.write(partial(take_numbers, zone=zone, now=now, count=len(reports)))
        openings: list[tuple[Report, Decision]] = []
        for report, request_id in zip(reports, ids, strict=True):
            try:
                openings.append((report, decide_opening(report, request_id)))
            except Refused as refused:
                log.warning("a demonstration report was refused: %s", refused.refusal.message)
        store.write(partial(open_backlog, openings=openings))
    return len(fresh)


def _report(number: str, planned: Planned, published: Published, areas: Areas, now: datetime) -> Report:
    assert planned.age is not None  # noqa: S101 - it is of the backlog
    command = Open(
        type=planned.type,
        version=published.hash,
        place=Place(latitude=planned.latitude, longitude=planned.longitude, address=planned.address),
        areas=areas.locate(planned.latitude, planned.longitude),
        answers=planned.answers,
        description=planned.description,
        channel=planned.channel,
        external_id=number,
        opened_at=now - planned.age,
        backlog=True,
    )
    submission = Submission(f"{number}:open", command, SYSTEM, now, SYSTEM.name)
    return Report(submission, published.definition, source=SOURCE)


async def send_reports(client: httpx.AsyncClient, planned: Iterable[Planned], seed: int) -> None:
    """Report today's through the API, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_send(client, each, seed, gate) for each in planned if each.age is None))


async def _send(client: httpx.AsyncClient, planned: Planned, seed: int, gate: asyncio.Semaphore) -> None:
    body = {
        "type": planned.type,
        "location": {"latitude": planned.latitude, "longitude": planned.longitude, "address": planned.address},
        "answers": planned.answers,
        "description": planned.description,
        "channel": planned.channel,
        **({"contact": planned.contact} if planned.contact else {}),
    }
    headers = {"Idempotency-Key": f"{SOURCE}-{seed}-{planned.number}"}
    async with gate:
        while True:
            with suppress(httpx.HTTPError):
                done = await client.post("/api/v1/requests", json=body, headers=headers)
                if done.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    break
            await asyncio.sleep(AGAIN_SECONDS)
    # 409: this key has been used before the demonstration was cut short; its report is there.
    if done.status_code not in (httpx.codes.CREATED, httpx.codes.CONFLICT):
        log.warning("a demonstration report was refused: %s %s", done.status_code, done.text[:300])
