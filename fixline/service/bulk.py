"""One command for many requests: kept whole when it is accepted, then given to each request by itself.

Owns the bulk's rows. Each request is changed by a command of its own, as by any other; what becomes of it is on that
command's row, or with the bulk where it is refused. Giving it again does no harm: a command's id is the bulk's and its
number. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import Session

from fixline.domain.journal.state import read_state
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import COMMAND, Actor, Command
from fixline.domain.process.decision import Refusal, Refused
from fixline.messages import WorkflowSignal
from fixline.service.commands import HISTORY, Commands
from fixline.service.submissions import KeyReused, Locked, NotAllowed, RequestUnknown, Submission
from fixline.store.bulk_tables import BulkItemRow, BulkRow
from fixline.store.store import Store
from fixline.store.tables import CommandRow, RequestRow, table_of
from fixline.store.versions import Versions

log = logging.getLogger(__name__)
BULK = table_of(BulkRow).c
ITEM = table_of(BulkItemRow).c
_COMMAND = table_of(CommandRow).c
_REQUEST = table_of(RequestRow).c
_ANSWER_ITEM = (
    update(table_of(BulkItemRow))
    .where(ITEM.bulk_id == bindparam("bulk_id_"), ITEM.number == bindparam("number_"))
    .values(state=bindparam("state_"), refusal=bindparam("refusal_"))
)
UNKNOWN = Refusal(code="request_unknown", message="there is no such request")


@dataclass(frozen=True)
class BulkOrder:
    """A bulk as it comes in: the command, the requests, who gives it, and the department it is limited to."""

    id: str
    command: Command
    request_ids: Sequence[str]
    actor: Actor
    caller: str
    accepted_at: datetime
    department: str | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None


class Refusing(NamedTuple):
    """A request that does not take the command, and why."""

    request_id: str
    refusal: Refusal


def find_bulk(session: Session, caller: str, key: str | None, body_hash: str | None) -> str | None:
    """The bulk that the caller has given under this key. Raises KeyReused when it had another body."""
    if key is None:
        return None
    statement = select(BULK.id, BULK.body_hash).where(BULK.caller == caller, BULK.idempotency_key == key)
    found = session.execute(statement).first()
    if found is not None and found.body_hash != body_hash:
        raise KeyReused(key)
    return found.id if found is not None else None


def accept_bulk(session: Session, order: BulkOrder) -> str:
    """Keep the bulk; its id, or that of the one that came before under the same key. Raises KeyReused."""
    known = find_bulk(session, order.caller, order.idempotency_key, order.body_hash)
    if known is not None:
        return known
    ids = sorted(set(order.request_ids))
    row = {
        "id": order.id,
        "kind": order.command.kind,
        "command": order.command.model_dump(mode="json"),
        "actor": order.actor.model_dump(mode="json"),
        "caller": order.caller,
        "department": order.department,
        "idempotency_key": order.idempotency_key,
        "body_hash": order.body_hash,
        "total": len(ids),
        "accepted_at": order.accepted_at,
        "taken_at": order.accepted_at,
        "handed_at": None if ids else order.accepted_at,
    }
    items = [
        {
            "bulk_id": order.id,
            "number": number,
            "request_id": request_id,
            "command_id": f"{order.id}-{number}",
            "state": "waiting",
            "refusal": {},
        }
        for number, request_id in enumerate(ids, 1)
    ]
    session.execute(insert(table_of(BulkRow)), [row])
    if items:
        session.execute(insert(table_of(BulkItemRow)), items)
    return order.id


def claim_bulk(session: Session, now: datetime, patience: timedelta) -> str | None:
    """A bulk that nobody has handed in from for `patience`; None when there is none."""
    statement = (
        select(BULK.id)
        .where(BULK.handed_at.is_(None), BULK.taken_at <= now - patience)
        .order_by(BULK.taken_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found: str | None = session.execute(statement).scalar()
    if found is not None:
        session.execute(update(table_of(BulkRow)).where(BULK.id == found).values(taken_at=now))
    return found


def hand_in(store: Store, commands: Commands, bulk_id: str, now: datetime, limit: int) -> list[WorkflowSignal] | None:
    """Give the command to the next requests, each in a transaction of its own, in which its outcome is noted; what
    their workflows are to be told, or None when all have it. Raises StoreAway."""
    bulk = store.read(lambda s: _read(s, bulk_id))
    if bulk["handed_at"] is not None:
        return None
    items = store.read(lambda s: _next_items(s, bulk_id, limit))
    given = [_give(store, commands, bulk, *item) for item in items]
    over = {"handed_at": now} if len(items) < limit else {}
    done = update(table_of(BulkRow)).where(BULK.id == bulk_id).values(taken_at=now, **over)
    store.write(lambda s: s.execute(done))
    return [signal for signal in given if signal is not None]


def _read(session: Session, bulk_id: str) -> Any:
    return session.execute(select(table_of(BulkRow)).where(BULK.id == bulk_id)).mappings().one()


def _next_items(session: Session, bulk_id: str, limit: int) -> list[tuple[int, str, str]]:
    statement = select(ITEM.number, ITEM.request_id, ITEM.command_id)
    wanted = statement.where(ITEM.bulk_id == bulk_id, ITEM.state == "waiting").order_by(ITEM.number).limit(limit)
    return [tuple(row) for row in session.execute(wanted)]


def _give(
    store: Store, commands: Commands, bulk: Any, number: int, request_id: str, command_id: str
) -> WorkflowSignal | None:
    """A request that does not take the command is noted with its refusal."""
    submission = Submission(
        command_id=command_id,
        command=COMMAND.validate_python(bulk["command"]),
        actor=Actor.model_validate(bulk["actor"]),
        accepted_at=bulk["accepted_at"],
        caller=bulk["caller"],
    )
    noted: dict[str, Any] = {"bulk_id_": bulk["id"], "number_": number, "state_": "given", "refusal_": {}}

    def check(session: Session, row: Locked) -> None:
        refusal = of_department(row.department, bulk["department"])
        if refusal is not None:
            raise NotAllowed(Refused(refusal))
        session.execute(_ANSWER_ITEM, noted)  # in the transaction that decides

    try:
        return commands.submit(request_id, submission, check).signal
    except RequestUnknown:
        refusal = UNKNOWN
    except NotAllowed as not_allowed:
        refusal = cast("Refused", not_allowed.reason).refusal  # raised above
    except Refused as refused:
        refusal = refused.refusal
    refused_now = noted | {"state_": "refused", "refusal_": refusal.model_dump(mode="json")}
    store.write(lambda s: s.execute(_ANSWER_ITEM, refused_now))
    return None


def of_department(department: str | None, limit: str | None) -> Refusal | None:
    """Why a request of a department is not the caller's to change; None when it is."""
    if limit in (None, department):
        return None
    text = f"this key is for department {limit}, not {department}"
    return Refusal(code="wrong_department", message=text, data={"department": department})


def plan_bulk(session: Session, versions: Versions, order: BulkOrder) -> list[Refusing]:
    """The requests that would refuse the command as things stand, and why. Nothing is written."""
    names = ("id", "department", "version", "state")
    known: dict[str, Any] = {}
    ids = sorted(set(order.request_ids))
    for start in range(0, len(ids), 500):
        statement = select(*(_REQUEST[name] for name in names)).where(_REQUEST.id.in_(ids[start : start + 500]))
        known |= {row.id: row for row in session.execute(statement)}
    return list(_refusing(session, versions, order, ids, known))


def _refusing(
    session: Session, versions: Versions, order: BulkOrder, ids: Sequence[str], known: dict[str, Any]
) -> Iterator[Refusing]:
    for request_id in ids:
        row = known.get(request_id)
        refusal = UNKNOWN if row is None else _refused(session, versions, order, row)
        if refusal is not None:
            yield Refusing(request_id, refusal)


def _refused(session: Session, versions: Versions, order: BulkOrder, row: Any) -> Refusal | None:
    elsewhere = of_department(row.department, order.department)
    if elsewhere is not None:
        return elsewhere
    try:
        if row.state is None:
            return HISTORY
        result = advance(
            versions.load(session, row.version),
            read_state(row.state),
            order.command,
            order.accepted_at,
            actor=order.actor,
            request_id=row.id,
        )
    except Exception:  # a fault of ours in one request is no reason not to say what becomes of the others
        log.exception("asking the rules about a %s for %s failed", order.command.kind, row.id)
        return Refusal(code="fault", message="a fault of ours; it has been logged")
    return result if isinstance(result, Refusal) else None


class BulkProgress(NamedTuple):
    """A bulk and how far it is: `counts` by state (waiting: not given yet, or kept from being decided by a fault)."""

    id: str
    kind: str
    caller: str
    total: int
    accepted_at: datetime
    counts: dict[str, int]


_STATE = func.coalesce(_COMMAND.state, ITEM.state)
_ITEMS = table_of(BulkItemRow).outerjoin(table_of(CommandRow), _COMMAND.id == ITEM.command_id)


def read_bulk(session: Session, bulk_id: str) -> BulkProgress | None:
    """How far a bulk is; None when there is none."""
    bulk = session.execute(select(table_of(BulkRow)).where(BULK.id == bulk_id)).mappings().first()
    if bulk is None:
        return None
    statement = select(_STATE, func.count()).select_from(_ITEMS).where(ITEM.bulk_id == bulk_id).group_by(_STATE)
    found = {row[0]: row[1] for row in session.execute(statement)}
    counts = {state: found.get(state, 0) for state in ("waiting", "applied", "refused", "failed")}
    return BulkProgress(bulk_id, bulk["kind"], bulk["caller"], bulk["total"], bulk["accepted_at"], counts)


def read_failures(session: Session, bulk_id: str, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """The requests that refused the command, or whose command failed by a fault of ours, in order, and the next key."""
    statement = (
        select(ITEM.number, ITEM.request_id, ITEM.command_id, ITEM.state, ITEM.refusal, _COMMAND.answer)
        .select_from(_ITEMS)
        .where(ITEM.bulk_id == bulk_id, ITEM.number > after, _STATE.in_(("refused", "failed")))
        .order_by(ITEM.number)
        .limit(limit + 1)
    )
    rows = session.execute(statement).all()
    found = [
        {
            "request": row.request_id,
            "command_id": row.command_id if row.state == "given" else None,
            **_reason(row.refusal if row.state == "refused" else row.answer),
        }
        for row in rows[:limit]
    ]
    return found, rows[limit - 1].number if len(rows) > limit else None


def _reason(refusal: dict[str, Any]) -> dict[str, Any]:
    return {"code": refusal["code"], "message": refusal["message"], "data": refusal.get("data") or None}
