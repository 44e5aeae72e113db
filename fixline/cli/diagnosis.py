"""What `fixline doctor` finds: the store and Temporal, each by itself and held against each other; what it can mend.

A part that is away is a finding, never a crash. What it mends it leaves to the relay of a running worker: a request
whose workflow is missing is marked as never signalled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlmodel import Session
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from fixline.cli.access import Place, find_place
from fixline.messages import WORKFLOW_NAME
from fixline.service.commands import retry_parked as let_parked_wait
from fixline.service.submissions import utc_now
from fixline.store.schema import SchemaWrong
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CommandRow, EffectRow, RequestRow, table_of
from fixline.temporal.client import connect

REQUEST, COMMAND, EFFECT = table_of(RequestRow).c, table_of(CommandRow).c, table_of(EffectRow).c
EXAMPLES = 5
SETTLED = timedelta(seconds=30)
"""Younger requests are left to the relay, and to Temporal's lists, which are seconds stale."""
SHORTEST_RETENTION = timedelta(days=7)
POLLED_WITHIN = timedelta(minutes=2)
"""A poll lasts up to a minute; who has not polled for longer is gone, though Temporal lists it for five minutes."""
GROUP, PAGE, AT_ONCE = 500, 5000, 10
RUNNING = f"WorkflowType = '{WORKFLOW_NAME}' AND ExecutionStatus = 'Running'"


@dataclass
class Check:
    """One thing looked at; `examples` name requests or commands."""

    name: str
    ok: bool
    text: str
    examples: list[str] = field(default_factory=list)


def examine(data: Path | None, *, restart_missing: bool, retry_parked: bool) -> dict[str, Any]:
    """Look at every part, and mend what is asked for; the report as JSON."""
    place = find_place(data)
    checks: list[Check] = []
    restarted = retried = 0
    running = asyncio.run(_temporal(place, checks))
    try:
        with place.open() as store:
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
    told = [asdict(check) for check in checks]
    return {"healthy": healthy, "checks": told, "restarted": restarted, "retried": retried}


async def _temporal(place: Place, checks: list[Check]) -> set[str] | None:
    """Temporal's checks; the requests whose workflow runs, None when that cannot be told."""
    queue = place.settings.task_queue
    try:
        client = await connect(address=place.temporal_address)
        namespace = DescribeNamespaceRequest(namespace=client.namespace)
        described = await client.workflow_service.describe_namespace(namespace)
        running = {execution.id async for execution in client.list_workflows(RUNNING, page_size=1000)}
        pollers = await _pollers(client, queue)
    except (RuntimeError, RPCError) as error:
        checks.append(Check("temporal", False, f"cannot be reached: {' '.join(str(error).split())[:200]}"))
        return None
    checks.append(Check("temporal", True, f"answers at {client.service_client.config.target_host}"))
    retention = described.config.workflow_execution_retention_ttl.ToTimedelta()
    kept = f"closed workflows are kept for {retention / timedelta(days=1):g} days"
    enough = retention >= SHORTEST_RETENTION
    checks.append(Check("retention", enough, kept + ("" if enough else f": less than {SHORTEST_RETENTION.days}")))
    polled = f"{pollers} workers poll" if pollers else "nobody polls"
    checks.append(Check("workers", pollers > 0, f"{polled} the task queue {queue}"))
    return running


async def _pollers(client: Client, task_queue: str) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(request)
    since = datetime.now(UTC) - POLLED_WITHIN
    return len({each.identity for each in found.pollers if each.last_access_time.ToDatetime(UTC) > since})


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
    before, last = utc_now() - SETTLED, ""
    suspects: list[str] = []
    while page := store.read(partial(_unfinished, before=before, after=last)):
        suspects += [request_id for request_id in page if request_id not in running]
        last = page[-1]
    return asyncio.run(_confirm(place, suspects)) if suspects else []


def _unfinished(session: Session, before: datetime, after: str) -> Sequence[str]:
    """A page of the ids of such requests accepted before an instant."""
    left = select(EFFECT.request_id).where(EFFECT.state.in_(("pending", "failed")))
    unfinished = or_(REQUEST.status == "open", REQUEST.id.in_(left))
    statement = select(REQUEST.id).where(
        unfinished, REQUEST.version.is_not(None), REQUEST.accepted_at < before, REQUEST.id > after
    )
    return session.execute(statement.order_by(REQUEST.id).limit(PAGE)).scalars().all()


async def _confirm(place: Place, suspects: Sequence[str]) -> list[str]:
    """Those of them whose workflow does not run, asked one by one: lists are seconds stale."""
    client = await connect(address=place.temporal_address)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def runs(request_id: str) -> bool:
        async with at_once:
            try:
                found = await client.get_workflow_handle(request_id).describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
            return found.status is WorkflowExecutionStatus.RUNNING

    answers = await asyncio.gather(*(runs(request_id) for request_id in suspects))
    return [request_id for request_id, is_there in zip(suspects, answers, strict=True) if not is_there]


def _restart(store: Store, missing: Sequence[str]) -> int:
    """Mark these as never signalled: the relay starts their workflows, with what is left to do."""
    for start in range(0, len(missing), GROUP):
        wanted = update(table_of(RequestRow)).where(REQUEST.id.in_(missing[start : start + GROUP]))
        store.write(partial(Session.execute, statement=wanted.values(signalled=0, relayed_at=None)))
    return len(missing)


def _missing_check(missing: Sequence[str], restarted: int) -> Check:
    name = "running workflows"
    if not missing:
        return Check(name, True, "every open request has one")
    if restarted:
        return Check(name, True, f"{restarted} open requests had none; a worker's relay starts them now")
    text = f"{len(missing)} open requests have none: `fixline doctor --restart-missing` has them started from the store"
    return Check(name, False, text, list(missing[:EXAMPLES]))
