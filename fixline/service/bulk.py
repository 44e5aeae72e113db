"""One command for many requests: kept whole when it is accepted, then given to each request by itself.

Owns the bulk's rows. Each request is changed by a command of its own, as by any other; what becomes of it is on that
command's row, or with the bulk where it is refused. Giving it again does no harm: a command's id is the bulk's and its
number. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlmodel import Session

from fixline.domain.process.commands import COMMAND, Actor
from fixline.domain.process.decision import Refusal, Refused
from fixline.messages import WorkflowSignal
from fixline.service.commands import Commands
from fixline.service.moving import asked
from fixline.service.submissions import KeyReused, Locked, RequestUnknown, Submission
from fixline.store import statements
from fixline.store.store import Store
from fixline.store.tables import BulkItemRow, BulkRow, table_of
from fixline.store.versions import Versions

_BULKS, _ITEMS = table_of(BulkRow), table_of(BulkItemRow)
BULK, ITEM, _COMMAND, _REQUEST = _BULKS.c, _ITEMS.c, statements.COMMAND.c, statements.REQUEST.c
_STATE = func.coalesce(_COMMAND.state, ITEM.state)
_ANSWERED = _ITEMS.outerjoin(statements.COMMAND, _COMMAND.id == ITEM.command_id)
_ANSWER_ITEM = (
    update(_ITEMS)
    .where(ITEM.bulk_id == bindparam("bulk_id_"), ITEM.number == bindparam("number_"))
    .values(state=bindparam("state_"), refusal=bindparam("refusal_"))
)
UNKNOWN = Refusal(code="request_unknown", message="there is no such request")


@dataclass(frozen=True)
class BulkOrder:
    """A bulk as it comes in: the command, under the bulk's id, the requests, and the department it is limited to."""

    given: Submission
    request_ids: Sequence[str]
    department: str | None = None


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
    given, bulk_id, ids = order.given, order.given.command_id, sorted(set(order.request_ids))
    known = find_bulk(session, given.caller, given.idempotency_key, given.body_hash)
    if known is not None:
        return known
    row = {
        "id": bulk_id,
        "kind": given.command.kind,
        "command": given.command.model_dump(mode="json"),
        "actor": given.actor.model_dump(mode="json"),
        "caller": given.caller,
        "department": order.department,
        "idempotency_key": given.idempotency_key,
        "body_hash": given.body_hash,
        "total": len(ids),
        "accepted_at": given.accepted_at,
        "taken_at": given.accepted_at,
        "handed_at": None if ids else given.accepted_at,
    }
    of_each = {"bulk_id": bulk_id, "state": "waiting", "refusal": {}}
    items = [
        {**of_each, "number": number, "request_id": request_id, "command_id": f"{bulk_id}-{number}"}
        for number, request_id in enumerate(ids, 1)
    ]
    session.execute(insert(_BULKS), [row])
    if items:
        session.execute(insert(_ITEMS), items)
    return bulk_id


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
        session.execute(update(_BULKS).where(BULK.id == found).values(taken_at=now))
    return found


def hand_in(store: Store, commands: Commands, bulk_id: str, now: datetime, limit: int) -> list[WorkflowSignal] | None:
    """Give the command to the next requests, each in a transaction of its own, in which its outcome is noted; what
    their workflows are to be told, or None when all have it. Raises StoreAway."""
    wanted = select(ITEM.number, ITEM.request_id, ITEM.command_id)
    wanted = wanted.where(ITEM.bulk_id == bulk_id, ITEM.state == "waiting").order_by(ITEM.number).limit(limit)
    bulk = store.read(lambda s: _read(s, bulk_id))
    if bulk is None or bulk.handed_at is not None:
        return None
    items = store.read(lambda s: s.execute(wanted).all())
    given = [_give(store, commands, bulk, *item) for item in items]
    over = {"handed_at": now} if len(items) < limit else {}
    done = update(_BULKS).where(BULK.id == bulk_id).values(taken_at=now, **over)
    store.write(lambda s: s.execute(done))
    return [signal for signal in given if signal is not None]


def _read(session: Session, bulk_id: str) -> Row[Any] | None:
    return session.execute(select(_BULKS).where(BULK.id == bulk_id)).first()


def _give(
    store: Store, commands: Commands, bulk: Row[Any], number: int, request_id: str, command_id: str
) -> WorkflowSignal | None:
    """A request that does not take the command is noted with its refusal."""
    command, actor = COMMAND.validate_python(bulk.command), Actor.model_validate(bulk.actor)
    submission = Submission(command_id, command, actor, bulk.accepted_at, bulk.caller)
    noted: dict[str, Any] = {"bulk_id_": bulk.id, "number_": number, "state_": "given", "refusal_": {}}

    def check(session: Session, row: Locked) -> None:
        elsewhere = _of_department(row.department, bulk.department)
        if elsewhere is not None:
            raise Refused(elsewhere)
        session.execute(_ANSWER_ITEM, noted)  # in the transaction that decides

    try:
        return commands.submit(request_id, submission, check).signal
    except RequestUnknown:
        refusal = UNKNOWN
    except Refused as refused:
        refusal = refused.refusal
    refused_now = noted | {"state_": "refused", "refusal_": refusal.model_dump(mode="json")}
    store.write(lambda s: s.execute(_ANSWER_ITEM, refused_now))
    return None


def _of_department(department: str | None, limit: str | None) -> Refusal | None:
    """Why a request of a department is not the caller's to change; None when it is."""
    if limit in (None, department):
        return None
    text = f"this key is for department {limit}, not {department}"
    return Refusal(code="wrong_department", message=text, data={"department": department})


def plan_bulk(session: Session, versions: Versions, order: BulkOrder) -> dict[str, Refusal]:
    """The requests that would refuse the command as things stand, by their ids, and why. Nothing is written."""
    ids = sorted(set(order.request_ids))
    statement = select(_REQUEST.id, _REQUEST.department, _REQUEST.version, _REQUEST.state)
    some = (statement.where(_REQUEST.id.in_(ids[start : start + 500])) for start in range(0, len(ids), 500))
    known = {row.id: row for each in some for row in session.execute(each)}
    found = {request_id: _refusal(session, versions, order, known.get(request_id)) for request_id in ids}
    return {request_id: refusal for request_id, refusal in found.items() if refusal is not None}


def _refusal(session: Session, versions: Versions, order: BulkOrder, row: Row[Any] | None) -> Refusal | None:
    if row is None:
        return UNKNOWN
    elsewhere = _of_department(row.department, order.department)
    if elsewhere is not None:
        return elsewhere
    given, about = order.given, f"a {order.given.command.kind} for {row.id}"
    result = asked(session, versions, row, given.command, given.actor, given.accepted_at, about)
    return result if isinstance(result, Refusal) else None


class BulkProgress(NamedTuple):
    """A bulk and how far it is: `counts` by state (waiting: not given yet, or kept from being decided by a fault)."""

    id: str
    kind: str
    caller: str
    total: int
    accepted_at: datetime
    counts: dict[str, int]


def read_bulk(session: Session, bulk_id: str) -> BulkProgress | None:
    """How far a bulk is; None when there is none."""
    bulk = _read(session, bulk_id)
    if bulk is None:
        return None
    statement = select(_STATE, func.count()).select_from(_ANSWERED).where(ITEM.bulk_id == bulk_id).group_by(_STATE)
    found = {row[0]: row[1] for row in session.execute(statement)}
    counts = {state: found.get(state, 0) for state in ("waiting", "applied", "refused", "failed")}
    return BulkProgress(bulk_id, bulk.kind, bulk.caller, bulk.total, bulk.accepted_at, counts)


def read_failures(session: Session, bulk_id: str, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """The requests that refused the command, or whose command failed by a fault of ours, in order, and the next key."""
    statement = (
        select(ITEM.number, ITEM.request_id, ITEM.command_id, ITEM.state, ITEM.refusal, _COMMAND.answer)
        .select_from(_ANSWERED)
        .where(ITEM.bulk_id == bulk_id, ITEM.number > after, _STATE.in_(("refused", "failed")))
        .order_by(ITEM.number)
        .limit(limit + 1)
    )
    rows = session.execute(statement).all()
    reasons = [row.refusal if row.state == "refused" else row.answer for row in rows]
    found = [
        {
            "request": row.request_id,
            "command_id": row.command_id if row.state == "given" else None,
            "code": reason["code"],
            "message": reason["message"],
            "data": reason.get("data") or None,
        }
        for row, reason in zip(rows[:limit], reasons, strict=False)
    ]
    return found, rows[limit - 1].number if len(rows) > limit else None
