"""The same commands, given to the driver of virtual time and to a real server with its store, make the same journal.

Owns the scripts under tests/fixtures/scripts: commands alone, no waiting, since a server's time is real. Instants, ids
and the version's hash differ; nothing else may. Teams take their work from a queue here: whom a team's rule picks is
the store's business.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from fixline.catalog import Catalog, read_catalog
from fixline.catalog.scenarios import read_scenarios, scenario_files
from fixline.catalog.scenarios.model import Scenario
from fixline.domain.process.commands import Actor, Role
from fixline.rehearsal.playing import CREW, Played, play
from fixline.service.opening import Report
from fixline.service.submissions import StoredCommand
from fixline.store.store import Store
from tests.support.consistency import assert_consistent
from tests.support.lakeport import LAKEPORT
from tests.support.shop import Shop

pytestmark = pytest.mark.temporal
SCRIPTS = Path(__file__).parents[1] / "fixtures" / "scripts"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
REQUEST = re.compile(r"SR\d\d-\d{8}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lakeport with its teams' rules taken out, and the scripts beside its definitions."""
    root = tmp_path_factory.mktemp("city") / "definitions"
    shutil.copytree(LAKEPORT, root)
    organisation = root / "organisation.yaml"
    organisation.write_text(re.sub(r"rule: (round_robin|least_loaded)", "rule: queue", organisation.read_text()))
    for script in SCRIPTS.glob("*.yaml"):
        (definition,) = root.glob(f"*/{script.name.removesuffix('.scenarios.yaml')}.yaml")
        shutil.copy(script, definition.parent)
    return root


def scripts(root: Path, catalog: Catalog) -> list[Scenario]:
    """All scripts, without findings."""
    found: list[Scenario] = []
    for path in scenario_files(root):
        scenarios, findings = read_scenarios(path, catalog)
        assert [str(finding) for finding in findings] == []
        found += scenarios
    return found


def plain(value: Any) -> Any:
    """The value without instants, request numbers and the version."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key != "version"}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return REQUEST.sub("<request>", INSTANT.sub("<instant>", value)) if isinstance(value, str) else value


async def perform(shop: Shop, scenario: Scenario) -> str:
    """Open the script's request at the desk and give its commands; the request's id. Refusals are those expected."""
    published = await asyncio.to_thread(shop.store.read, lambda s: shop.city.versions.current(s, scenario.type))
    command = scenario.opened.model_copy(update={"version": published.hash})
    submission = shop.city.submission(command, actor=scenario.actor)
    opened = await shop.service.open(Report(submission=submission, definition=published.definition))
    assert isinstance(opened, StoredCommand), opened
    request_id = opened.request_id
    for line in scenario.lines:
        if line.action is None:
            continue
        body = line.action.command.model_dump(exclude={"kind"})
        actor = line.action.actor
        if line.action.task_step is not None:
            tasks = await asyncio.to_thread(shop.city.tasks, request_id)
            task = [task for task in tasks if task.step == line.action.task_step][-1]
            body["task"] = task.id
            actor = actor or Actor(name=CREW, role=Role.CREW, teams=(task.team,))
        assert actor is not None
        if line.refused is None:
            await shop.submit(request_id, line.action.command.kind, actor=actor, **body)
        else:
            refusal = await shop.refusal(request_id, line.action.command.kind, actor=actor, **body)
            assert refusal.code == line.refused, (line.action.text, refusal)
    return request_id


def rehearsed(played: Played) -> list[Any]:
    """The journal of the rehearsal, as it is compared."""
    return [
        plain([entry.seq, entry.decision, entry.actor, entry.kind, entry.text, entry.data]) for entry in played.entries
    ]


async def test_twenty_scripts(temporal_client: Client, sqlite_store: Store, folder: Path) -> None:
    """Entry by entry: number, decision, actor, kind, text and data."""
    catalog = read_catalog(folder).catalog
    wanted = scripts(folder, catalog)
    assert len(wanted) == 20
    shop = Shop(temporal_client, sqlite_store, catalog)
    async with shop.worker():
        numbers = await asyncio.gather(*(perform(shop, scenario) for scenario in wanted))
        for request_id in numbers:
            await shop.settled(request_id)
    for scenario, request_id in zip(wanted, numbers, strict=True):
        played = play(scenario, catalog.definitions[scenario.type])
        assert played.passed, (scenario.name, played.mismatches)
        rows = shop.city.journal(request_id)
        served = [plain([row.seq, row.decision, row.actor, row.kind, row.text, row.data]) for row in rows]
        assert served == rehearsed(played), scenario.name
    assert assert_consistent(shop.store) == 20
