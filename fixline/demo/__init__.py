"""Demonstration data: a plausible city day, and crews that work through the real HTTP API. Here is the process: its
keys, the day's reports once, then the crews and the world around them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from sqlmodel import Session, select

from fixline.catalog import Catalog, Organisation
from fixline.demo.city import Planned, plan_day
from fixline.demo.people import AT_ONCE, Crew, World
from fixline.demo.reports import SOURCE, send_reports, write_backlog
from fixline.domain.process.commands import Role
from fixline.identity import PREFIX, create_key, hash_of
from fixline.service.submissions import utc_now
from fixline.store.store import Store
from fixline.store.tables import ApiKeyRow, RequestRow

log = logging.getLogger("fixline.demo")

TIMEOUT_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.5
SERVICE = "demo-reports"


async def demonstrate(store: Store, catalog: Catalog, mark: Path, url: str, count: int, seed: int) -> None:
    """Go on until cancelled. `mark` is the file that says that the day's reports have been made."""
    organisation = catalog.organisation
    assert organisation is not None  # noqa: S101 - without it there are findings
    zone, made = ZoneInfo(organisation.city.timezone), await asyncio.to_thread(mark.exists)
    today = datetime.now(zone).date()
    planned = [] if made else plan_day(seed, count, catalog.definitions, catalog.areas, today)
    if planned:
        written = await asyncio.to_thread(write_backlog, store, planned, seed, zone, catalog.areas)
        log.info("%d requests of the past weeks are there", written)
    keys = await asyncio.to_thread(fresh_keys, store, organisation)
    await _wait_for(url)
    async with asyncio.TaskGroup() as group:
        if planned:
            group.create_task(_report_today(url, keys[SERVICE], planned, mark, seed))
        gate, ours = asyncio.Semaphore(AT_ONCE), _ours(store)
        group.create_task(World("", _client(url, keys[SERVICE]), seed, catalog.definitions, ours).work())
        for key, team in organisation.teams.items():
            client = _client(url, keys[key])
            crew = Crew(f"{key}: ", client, seed, catalog.definitions, ours, key, team.members, gate)
            group.create_task(crew.work())


def _ours(store: Store) -> Callable[[str], Awaitable[bool]]:
    """Says whether the demonstration has made a request, in this run or an earlier one."""
    known: dict[str, bool] = {}

    async def ours(request_id: str) -> bool:
        if request_id not in known:
            wanted = select(RequestRow.source, RequestRow.created_by).where(RequestRow.id == request_id)
            found = await asyncio.to_thread(store.read, lambda s: s.exec(wanted).first())
            known[request_id] = found is not None and (found[0] == SOURCE or found[1] == SERVICE)
        return known[request_id]

    return ours


async def _report_today(url: str, key: str, planned: list[Planned], mark: Path, seed: int) -> None:
    async with _client(url, key) as client:
        await send_reports(client, planned, seed)
    made = {"requests": len(planned), "seed": seed, "made_at": datetime.now(UTC).isoformat()}
    await asyncio.to_thread(mark.write_text, json.dumps(made) + "\n", encoding="utf-8")
    log.info("%d requests have been made", len(planned))


def _client(url: str, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS)


async def _wait_for(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get("/healthz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def fresh_keys(store: Store, organisation: Organisation) -> dict[str, str]:
    """A key for the reports and one for each team's crew, by team; made anew at each start and kept in memory only."""
    wanted: dict[str, tuple[str, Role, list[str]]] = {SERVICE: (SERVICE, Role.SERVICE, [])}
    wanted |= {team: (f"demo-{team}", Role.CREW, [team]) for team in organisation.teams}
    return store.write(lambda session: {who: _fresh_key(session, *key) for who, key in wanted.items()})


def _fresh_key(session: Session, name: str, role: Role, teams: list[str]) -> str:
    """The key of that name, new; the one of the last start works no longer."""
    row = session.exec(select(ApiKeyRow).where(ApiKeyRow.name == name)).first()
    if row is None:
        return create_key(session, name, role, utc_now(), teams=teams)
    key = PREFIX + secrets.token_urlsafe(32)
    row.hash, row.revoked_at, row.role, row.teams = hash_of(key), None, role.value, teams
    session.add(row)
    return key
