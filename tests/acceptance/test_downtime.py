"""The whole system is down while the rungs of 500 requests pass: afterwards each has fired once, in order, marked late.

A rung counts as late a minute after its instant, so the system stays down that long: most of the time is waiting.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select

from fixline.catalog import Catalog
from fixline.domain.deadlines.clocks import LATE_AFTER
from fixline.domain.process.decision import Refusal
from fixline.service.requests import RequestService
from fixline.service.submissions import utc_now
from fixline.store.tables import EffectRow, JournalRow
from fixline.temporal.signals import Signals
from tests.support.acceptance.audit import at_rest, until
from tests.support.acceptance.cluster import ADMIN_KEY, Cluster
from tests.support.acceptance.processes import FIXLINE, environment
from tests.support.city import City
from tests.support.consistency import assert_consistent
from tests.support.types import promised

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(600)]

REQUESTS, FIRST, TOGETHER = 500, 50, 25
BUDGET, APART = timedelta(minutes=10), timedelta(seconds=3)
LADDER: list[dict[str, Any]] = [
    {"before": "0.05 calendar minutes", "tell": "crew_lead"},
    {"at_due": True, "tell": "supervisor", "raise_priority": "high"},
    {"after": "0.05 calendar minutes", "tell": "deputy_commissioner"},
]
NOTICE = re.compile(r"fixline\.notices: resolve (.+) (SR\d\d-\d+) -> (\S+)")


async def test_rungs_that_pass_while_everything_is_down(cluster: Cluster, catalog: Catalog) -> None:
    """Timers of the workflows are overdue at the start; the lists are right while nothing runs, and afterwards."""
    cluster.start()
    city = City(cluster.store, catalog, clock=utc_now)
    city.publish(promised("10 calendar minutes", LADDER))
    signals = Signals(await cluster.client(), cluster.store, task_queue="fixline")
    desk = RequestService(cluster.store, signals, city.zone, city.versions)
    began = time.monotonic()
    in_time = await opened(cluster, desk, city, FIRST, None)
    pace = (time.monotonic() - began) / FIRST

    due = utc_now() + APART + timedelta(seconds=10 + 1.3 * pace * REQUESTS)
    late = await opened(cluster, desk, city, REQUESTS, due - BUDGET)
    await desk.close()
    for part in (cluster.worker, cluster.api, cluster.temporal):
        part.end(signal.SIGKILL)
    assert utc_now() < due - APART, "the machine is too slow: the first rung has passed before the system was down"
    assert not fired(cluster)

    await asyncio.sleep((due + APART + LATE_AFTER + timedelta(seconds=2) - utc_now()).total_seconds())
    totals = overdue_by_command(cluster)
    assert (totals["count"], totals["type"]) == (REQUESTS, {"promise": REQUESTS})

    began = time.monotonic()
    cluster.start()
    await until(lambda: len(fired(cluster)) == REQUESTS, "every request's rungs", within=240)
    await at_rest(cluster.store)
    print(f"\n{REQUESTS} requests' rungs fired and told {time.monotonic() - began:.1f} s after the start")
    check_rungs(cluster, late, due)
    cluster.store.read(lambda s: check_told(s, late))
    check_notices(cluster, late)
    assert overdue_by_api(cluster)["count"] == REQUESTS
    assert assert_consistent(cluster.store, settled=True) == len(late) + len(in_time)


async def opened(cluster: Cluster, desk: RequestService, city: City, count: int, at: datetime | None) -> set[str]:
    """So many requests are reported, with this opening date where one is given; their ids.

    Each has its workflow then, which has nothing to do but wait.
    """
    found: set[str] = set()
    while len(found) < count:
        for _ in range(min(TOGETHER, count - len(found))):
            row = await desk.open(city.report("promise", opened_at=at))
            assert not isinstance(row, Refusal)
            found.add(row.request_id)
        await at_rest(cluster.store)
    return found


def fired(cluster: Cluster) -> dict[str, list[JournalRow]]:
    """The fired rungs of each request, in the order of the journal."""
    wanted = select(JournalRow).where(JournalRow.kind == "rung_fired").order_by(col(JournalRow.seq))
    found: defaultdict[str, list[JournalRow]] = defaultdict(list)
    for entry in cluster.store.read(lambda s: list(s.exec(wanted))):
        found[entry.request_id].append(entry)
    return found


def check_rungs(cluster: Cluster, late: set[str], due: datetime) -> None:
    """Three rungs of each late request, each once, in order, late, for its own instant; none of the others'."""
    found = fired(cluster)
    assert set(found) == late
    wanted = [(0, due - APART), (1, due), (2, due + APART)]
    for request_id, entries in found.items():
        rungs = [(entry.data["rung"], datetime.fromisoformat(entry.data["at"])) for entry in entries]
        assert rungs == wanted, request_id
        for entry, (_, at) in zip(entries, wanted, strict=True):
            assert entry.data["late"], entry.text
            assert entry.at.astimezone(UTC) - at > LATE_AFTER, entry.text


def check_told(session: Session, late: set[str]) -> None:
    """Each rung has caused one effect under a key of its own, taken once and told once."""
    effects = session.exec(select(EffectRow).where(EffectRow.kind == "escalate")).all()
    roles = Counter((row.request_id, row.data["role"]) for row in effects)
    assert roles == {(each, rung["tell"]): 1 for each in late for rung in LADDER}
    assert {(row.state, row.attempts, row.last_error) for row in effects} == {("done", 1, None)}
    told = session.exec(select(JournalRow.request_id, JournalRow.data).where(JournalRow.kind == "told"))
    assert Counter((request_id, data["role"]) for request_id, data in told) == roles


def check_notices(cluster: Cluster, late: set[str]) -> None:
    """Each went out once: three of each late request."""
    told = Counter(NOTICE.findall(cluster.worker.log.read_text("utf-8")))
    assert set(told.values()) == {1}
    assert Counter(request_id for _, request_id, _ in told) == dict.fromkeys(late, len(LADDER))


def overdue_by_command(cluster: Cluster) -> dict[str, Any]:
    """The totals of `fixline overdue`, which needs nothing but the store."""
    settings = environment(FIXLINE_DATABASE_URL=cluster.store.url)
    told = subprocess.run([*FIXLINE, "overdue", "--json"], env=settings, capture_output=True, check=True)
    totals: dict[str, Any] = json.loads(told.stdout)["totals"]
    return totals


def overdue_by_api(cluster: Cluster) -> dict[str, Any]:
    """The totals of the API's list; each line has seen its whole ladder."""
    url, headers = f"{cluster.url}/api/v1/overdue", {"Authorization": f"Bearer {ADMIN_KEY}"}
    page = httpx.get(url, params={"limit": 500}, headers=headers, timeout=60).raise_for_status().json()
    assert {line["last_rung"] for line in page["items"]} == {"after 0.05 calendar minutes"}
    totals: dict[str, Any] = page["totals"]
    return totals
