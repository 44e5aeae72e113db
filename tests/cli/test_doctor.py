"""`fixline doctor` against a real Temporal server: lost workflows and parked commands are found and mended."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from fixline.cli import diagnosis
from fixline.cli.definitions import checked_catalog
from fixline.cli.folder import DataFolder
from fixline.demo.city import plan_day
from fixline.demo.reports import write_backlog
from fixline.messages import PendingWork, WorkflowSignal
from fixline.store.store import Store
from fixline.store.tables import CommandRow, RequestRow
from fixline.temporal.client import connect
from fixline.temporal.signals import Signals
from tests.support.command_line import Fixline
from tests.support.lakeport import LAKEPORT
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal


def examined(fixline: Fixline, data: Path, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    ran = fixline("doctor", "--data", data, "--json", *options)
    return ran.code, {check["name"]: check for check in json.loads(ran.out)["checks"]}


@pytest.fixture
def store(data: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A few open requests whose workflows know all of them."""
    catalog = checked_catalog(LAKEPORT)
    store = Store(DataFolder(data).database_url)
    day = plan_day(1, 12, catalog.definitions, catalog.areas, date(2026, 11, 20))
    write_backlog(store, day, 1, ZoneInfo("UTC"), catalog.areas)
    monkeypatch.setattr(diagnosis, "SETTLED", timedelta(0))

    def told(session: Any) -> None:
        for row in session.exec(select(RequestRow)):
            row.signalled = row.decision

    store.write(told)
    return store


async def start(address: str, store: Store, request_id: str) -> None:
    signals = Signals(await connect(address=address), store, task_queue="nobody")
    work = PendingWork(decision=1, closed=False, next_at=None)
    assert await signals.deliver(WorkflowSignal(request_id, "open", work, starts=True))
    await signals.mark()


def test_lost_workflows_are_found_and_started_from_the_store(
    fixline: Fixline, store: Store, data: Path, temporal_server: TemporalServer
) -> None:
    DataFolder(data).remember(temporal=int(temporal_server.address.rpartition(":")[2]))
    ids = store.read(lambda s: list(s.exec(select(RequestRow.id).order_by(RequestRow.id))))
    assert len(ids) >= 3
    asyncio.run(start(temporal_server.address, store, ids[0]))
    code, checks = examined(fixline, data)
    assert code == 1
    assert checks["temporal"]["ok"]
    assert not checks["workers"]["ok"]
    assert f"{len(ids) - 1} open requests have none" in checks["running workflows"]["text"]
    assert ids[0] not in checks["running workflows"]["examples"]
    _, checks = examined(fixline, data, "--restart-missing")
    assert checks["running workflows"]["ok"]
    behind = store.read(lambda s: set(s.exec(select(RequestRow.id).where(RequestRow.signalled == 0))))
    assert behind == set(ids[1:])
    _, checks = examined(fixline, data)
    assert not checks["unsignalled requests"]["ok"]
    assert set(checks["unsignalled requests"]["examples"]) <= behind
    store.close()


def test_parked_commands_wait_again(
    fixline: Fixline, store: Store, data: Path, temporal_server: TemporalServer
) -> None:
    DataFolder(data).remember(temporal=int(temporal_server.address.rpartition(":")[2]))

    def park(session: Any) -> str:
        command = session.exec(select(CommandRow)).first()
        command.state = "failed"
        return str(command.id)

    parked = store.write(park)
    code, checks = examined(fixline, data)
    assert code == 1
    assert checks["parked commands"]["examples"] == [parked]
    examined(fixline, data, "--retry-parked")
    assert store.read(lambda s: s.get_one(CommandRow, parked).state) == "waiting"
    store.close()
