"""What must be true when the dust has settled: the store, Temporal and the clients' ledger agree.

Owns the waits for rest and the checks that no acknowledged command is missing, doubled or out of order.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, SQLModel, col, func, select
from temporalio.client import Client

from fixline.domain.process.commands import Role
from fixline.identity import create_key
from fixline.store.store import Store
from fixline.store.tables import CommandRow, EffectRow, JournalRow, RequestRow
from tests.support.acceptance.crowd import Acknowledged, Crowd
from tests.support.consistency import assert_consistent

REST_WITHIN_SECONDS = 120.0
ENTRY_OF = {"comment": "commented", "hold": "held", "resume": "resumed", "complete": "task_completed"}
"""The journal entry that each of these kinds of commands leaves, exactly one."""


def make_keys(store: Store, teams: list[str]) -> dict[str, str]:
    """A key of each role that the clients play."""
    limits: dict[str, dict[str, Any]] = {"service": {}, "supervisor": {}, "crew": {"teams": teams}}
    now = datetime.now(UTC)
    return {
        name: store.write(lambda s, n=name: create_key(s, n, Role(n), now, **limits[n]))  # type: ignore[misc]
        for name in limits
    }


async def until(holds: Callable[[], bool], what: str, within: float = REST_WITHIN_SECONDS) -> None:
    """Wait until something holds."""
    deadline = asyncio.get_running_loop().time() + within
    while not await asyncio.to_thread(holds):
        assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {within} s"
        await asyncio.sleep(0.2)


async def at_rest(store: Store) -> None:
    """Wait until no command waits, no effect is pending and every workflow has been told of the last decision."""

    def nothing_left(session: Session) -> bool:
        waiting = _count(session, CommandRow, CommandRow.state == "waiting")
        pending = _count(session, EffectRow, EffectRow.state != "done")
        behind = _count(session, RequestRow, col(RequestRow.signalled) < col(RequestRow.decision))
        return waiting + pending + behind == 0

    await until(lambda: store.read(nothing_left), "nothing waits, no effect is pending, no workflow is behind")


async def no_workflow_runs(client: Client) -> None:
    """Wait until Temporal lists no running workflow; its list is some seconds late."""
    deadline = asyncio.get_running_loop().time() + REST_WITHIN_SECONDS
    while True:
        running = [run.id async for run in client.list_workflows("ExecutionStatus = 'Running'")]
        if not running:
            return
        assert asyncio.get_running_loop().time() < deadline, f"workflows that do not end: {running}"
        await asyncio.sleep(0.5)


def check_ledger(store: Store, crowd: Crowd) -> None:
    """Everything acknowledged is in the store, once, with the answer that was given; and nothing else is."""
    assert_consistent(store, settled=True)
    store.read(lambda session: _check(session, crowd))


def _check(session: Session, crowd: Crowd) -> None:
    ledger = crowd.ledger
    assert not ledger.refused, ledger.refused
    assert ledger.counts["202"] == 0, "every answer was final, whatever was dead just then"
    commands = {row.id: row for row in session.exec(select(CommandRow))}
    sent = {row.idempotency_key: row for row in commands.values() if row.idempotency_key}

    opened = {row.idempotency_key: row.request_id for row in sent.values() if row.kind == "open"}
    assert opened == ledger.opened
    requests = {row.id: row for row in session.exec(select(RequestRow))}
    assert set(requests) == set(ledger.opened.values()) == set(crowd.requests)

    acknowledged = {each.key: each for each in ledger.commands}
    assert len(acknowledged) == len(ledger.commands)
    assert set(sent) == set(acknowledged) | set(opened)
    for key, told in acknowledged.items():
        row = sent[key]
        assert (row.id, row.request_id, row.state) == (told.command_id, told.request_id, "applied"), key
        assert told.decision == row.decision, f"{key} was answered otherwise than applied"
        assert (row.attempts, row.retries, row.fault) == (0, 0, None), key

    for request_id, journey in crowd.requests.items():
        request = requests[request_id]
        assert (request.status, request.outcome) == ("closed", journey.outcome), request_id
        assert (request.signalled, request.fault) == (request.decision, None), request_id
    _check_journal(session, ledger.commands)
    _check_reports(commands, {row.id: row for row in session.exec(select(EffectRow))})


def _check_journal(session: Session, commands: list[Acknowledged]) -> None:
    """Each command has left its entry, once."""
    wanted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    texts: Counter[tuple[str, str]] = Counter()
    for told in commands:
        verb = told.path.rpartition("/")[2]
        if verb in ENTRY_OF:
            wanted[told.request_id][ENTRY_OF[verb]] += 1
        if verb == "comment":
            texts[told.request_id, told.body["text"]] += 1
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    said: Counter[tuple[str, str]] = Counter()
    for entry in session.exec(select(JournalRow).where(col(JournalRow.kind).in_(ENTRY_OF.values()))):
        found[entry.request_id][entry.kind] += 1
        if entry.kind == "commented":
            said[entry.request_id, entry.text] += 1
    assert found == wanted
    assert said == texts


def _check_reports(commands: dict[str, CommandRow], effects: dict[str, EffectRow]) -> None:
    """Each effect was taken once: one report at most, under the id that derives from the effect's."""
    for row in commands.values():
        if row.kind == "effect_result":
            effect = effects[row.body["effect"]]
            assert row.id == f"{effect.id}:result"
            assert (effect.state, effect.done_at is not None) == ("done", True)
    assert all(effect.last_error is None for effect in effects.values())


def _count(session: Session, model: type[SQLModel], holds: Any) -> int:
    return int(session.exec(select(func.count()).select_from(model).where(holds)).one())
