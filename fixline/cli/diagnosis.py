"""The work behind `fixline doctor`: the store and Temporal, each by itself and held against each other.

Owns the checks and their order. A part that is away is a finding, never a crash. What it mends it leaves to the
relay of a running worker: a request whose workflow is missing is marked as never signalled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlmodel import Session
from temporalio.client import Client
from temporalio.service import RPCError

from fixline.cli.access import Place, find_place, open_store
from fixline.cli.temporal_look import TemporalLook, look_at_temporal, really_missing
from fixline.service.commands import retry_parked as let_parked_wait
from fixline.service.submissions import utc_now
from fixline.settings import Settings, read_settings
from fixline.store.schema import SchemaWrong
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CommandRow, EffectRow, RequestRow, table_of
from fixline.temporal.client import connect

REQUEST, COMMAND, EFFECT = table_of(RequestRow).c, table_of(CommandRow).c, table_of(EffectRow).c
EXAMPLES = 5
SETTLED = timedelta(seconds=30)
"""Younger requests are left to the relay, and to Temporal's lists, which are seconds stale."""
SHORTEST_RETENTION = timedelta(days=7)
GROUP, PAGE = 500, 5000


@dataclass
class Check:
    """One thing looked at; `examples` name requests or commands."""

    name: str
    ok: bool
    text: str
    examples: list[str] = field(default_factory=list)


def examine(data: Path | None, *, restart_missing: bool, retry_parked: bool) -> dict[str, Any]:
    """Look at everything, mend what is asked for; {healthy, checks[], restarted, retried}. Raises WrongUse."""
    settings = read_settings()
    place = find_place(settings, data)
    checks: list[Check] = []
    restarted = retried = 0
    running: set[str] | None = asyncio.run(_temporal(settings, place, checks))
    try:
        with open_store(settings, place) as store:
            checks.insert(0, Check("database", True, "answers, and its schema is this release's"))
            retried = store.write(let_parked_wait) if retry_parked else 0
            checks += store.read(_stored)
            if running is not None:
                missing = _missing(store, place, running)
                restarted = _restart(store, missing) if restart_missing else 0
                checks.append(_missing_check(missing, restarted))
    except (StoreAway, SchemaWrong) as error:
        checks.insert(0, Check("database", False, str(error)))
    healthy = all(check.ok for check in checks)
    return {
        "healthy": healthy,
        "checks": [asdict(check) for check in checks],
        "restarted": restarted,
        "retried": retried,
    }


async def _temporal(settings: Settings, place: Place, checks: list[Check]) -> set[str] | None:
    """Temporal's checks; the requests whose workflow runs, None when that cannot be told."""
    try:
        client = await connect(address=place.temporal_address)
        look = await look_at_temporal(client, settings.task_queue)
    except (RuntimeError, RPCError) as error:
        checks.append(Check("temporal", False, f"cannot be reached: {' '.join(str(error).split())[:200]}"))
        return None
    checks.append(Check("temporal", True, f"answers at {client.service_client.config.target_host}"))
    checks += _temporal_checks(look, settings.task_queue)
    return look.running


def _temporal_checks(look: TemporalLook, task_queue: str) -> list[Check]:
    days = look.retention.total_seconds() / 86_400
    kept = f"closed workflows are kept for {days:g} days"
    enough = look.retention >= SHORTEST_RETENTION
    polled = f"{look.pollers} workers poll the task queue {task_queue}"
    return [
        Check("retention", enough, kept + ("" if enough else f": less than {SHORTEST_RETENTION.days}")),
        Check("workers", look.pollers > 0, polled if look.pollers else f"nobody polls the task queue {task_queue}"),
    ]


def _stored(session: Session) -> list[Check]:
    """What the store alone can tell."""
    late = utc_now() - SETTLED
    untried = (COMMAND.state == "waiting") & (COMMAND.accepted_at < late)
    behind = (REQUEST.signalled < REQUEST.decision) & (REQUEST.updated_at < late)
    return [
        _counted(session, "parked commands", COMMAND.id, COMMAND.state == "failed", "parked by a fault of ours"),
        _counted(session, "waiting commands", COMMAND.id, untried, f"waiting for more than {SETTLED.seconds} s"),
        _counted(session, "unsignalled requests", REQUEST.id, behind, "whose workflow does not know the last decision"),
        _counted(session, "requests with a fault", REQUEST.id, REQUEST.fault.is_not(None), "that cannot be decided"),
        _counted(session, "failed effects", EFFECT.id, EFFECT.state == "failed", "whose last try failed"),
    ]


def _counted(session: Session, name: str, key: ColumnElement[str], wanted: ColumnElement[bool], text: str) -> Check:
    count = session.execute(select(func.count()).where(wanted)).scalar_one()
    examples = list(session.execute(select(key).where(wanted).order_by(key).limit(EXAMPLES)).scalars()) if count else []
    return Check(name, count == 0, f"{count} {text}" if count else "none", examples)


def _missing(store: Store, place: Place, running: set[str]) -> list[str]:
    """Requests that are open or have effects that were not taken, and whose workflow does not run: those that never had
    one for a while, and those that lost it."""
    before = utc_now() - SETTLED
    suspects = [request_id for request_id in _open_requests(store, before) if request_id not in running]
    return asyncio.run(_confirm(place, suspects)) if suspects else []


def _open_requests(store: Store, before: datetime) -> Iterable[str]:
    """The ids of such requests accepted before an instant, in pages."""
    last = ""
    while page := store.read(partial(_page, before=before, after=last)):
        yield from page
        last = page[-1]


def _page(session: Session, before: datetime, after: str) -> list[str]:
    left = select(EFFECT.request_id).where(EFFECT.state.in_(("pending", "failed")))
    unfinished = or_(REQUEST.status == "open", REQUEST.id.in_(left))
    statement = (
        select(REQUEST.id)
        .where(unfinished, REQUEST.version.is_not(None), REQUEST.accepted_at < before, REQUEST.id > after)
        .order_by(REQUEST.id)
        .limit(PAGE)
    )
    return list(session.execute(statement).scalars())


async def _confirm(place: Place, suspects: Sequence[str]) -> list[str]:
    client: Client = await connect(address=place.temporal_address)
    return await really_missing(client, suspects)


def _restart(store: Store, missing: Sequence[str]) -> int:
    """Mark these as never signalled: the relay starts their workflows, with what is left to do."""
    for start in range(0, len(missing), GROUP):
        store.write(partial(_mark, request_ids=missing[start : start + GROUP]))
    return len(missing)


def _mark(session: Session, request_ids: Sequence[str]) -> None:
    wanted = update(table_of(RequestRow)).where(REQUEST.id.in_(request_ids))
    session.execute(wanted.values(signalled=0, relayed_at=None))


def _missing_check(missing: Sequence[str], restarted: int) -> Check:
    name = "running workflows"
    if not missing:
        return Check(name, True, "every open request has one")
    if restarted:
        return Check(name, True, f"{restarted} open requests had none; a worker's relay starts them now")
    text = f"{len(missing)} open requests have none: `fixline doctor --restart-missing` has them started from the store"
    return Check(name, False, text, list(missing[:EXAMPLES]))
