"""What must hold of a whole database at any time, whatever has happened to the processes that wrote it.

Owns `assert_consistent`; the end of every test in which several things happen at once.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from sqlmodel import Session, SQLModel, col, select

from fixline.domain.journal.entry import read_entry, rebuild
from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.advance import next_instant
from fixline.store.store import Store
from fixline.store.tables import ClockRow, CommandRow, EffectRow, JournalRow, RequestRow, TaskRow
from fixline.store.versions import Versions

Row = TypeVar("Row", bound=SQLModel)
OPEN = ("offered", "claimed", "started")


def assert_consistent(store: Store, *, settled: bool = False) -> int:
    """Check every request of the store; answers how many. `settled`: nothing waits, no effect is pending."""
    return store.read(lambda session: _check_all(session, settled))


def _check_all(session: Session, settled: bool) -> int:
    requests = session.exec(select(RequestRow)).all()
    assert [row.id for row in requests if row.signalled > row.decision] == []
    versions = Versions()
    for request in requests:
        _check_commands(session, request, settled)
        _check_effects(session, request, settled)
        if request.state is None or request.version is None:
            continue
        state = read_state(request.state)
        _check_journal(session, request, state)
        _check_tasks(session, request, state)
        _check_clocks(session, request, state)
        if request.fault is None:
            assert request.next_at == next_instant(versions.load(session, request.version), state), request.id
    return len(requests)


def _rows(session: Session, model: type[Row], request: RequestRow) -> list[Row]:
    return list(session.exec(select(model).where(model.request_id == request.id)))  # type: ignore[attr-defined]


def _check_journal(session: Session, request: RequestRow, state: RequestState) -> None:
    """The journal has no gap, covers every decision, and leads to the stored state."""
    wanted = select(JournalRow).where(JournalRow.request_id == request.id).order_by(col(JournalRow.seq))
    entries = [read_entry(**row.model_dump(exclude={"request_id"})) for row in session.exec(wanted)]
    assert [entry.seq for entry in entries] == list(range(1, state.seq + 1)), request.id
    decisions = [entry.decision for entry in entries]
    assert decisions == sorted(decisions), request.id
    assert set(decisions) == set(range(1, request.decision + 1)), request.id
    assert rebuild(entries) == state, request.id
    assert (request.status, request.decision, request.outcome) == (state.status, state.decision, state.outcome)
    assert request.step == (state.position.step if state.position else None), request.id
    assert (request.priority, request.closed_at) == (state.priority, state.closed_at), request.id


def _check_commands(session: Session, request: RequestRow, settled: bool) -> None:
    """Numbers have no gap; every applied command has a decision of its own, and every answered one its answer."""
    commands = sorted(_rows(session, CommandRow, request), key=lambda row: row.number)
    assert [row.number for row in commands] == list(range(1, request.last_command + 1)), request.id
    applied = [row.decision for row in commands if row.decision is not None]
    assert len(applied) == len(set(applied)), f"{request.id}: two commands of one decision"
    assert all(1 <= decision <= request.decision for decision in applied), request.id
    in_turn = [row.decision for row in commands if row.decision is not None and not row.attempts and not row.retries]
    assert in_turn == sorted(in_turn), f"{request.id}: applied out of order"
    for row in commands:
        assert row.state in ("waiting", "applied", "refused", "failed"), row.id
        assert (row.decision is not None) == (row.state == "applied"), row.id
        assert bool(row.answer) == (row.state != "waiting"), row.id
        assert (row.applied_at is not None) == (row.state != "waiting"), row.id
        assert not (settled and row.state == "waiting"), row.id


def _check_tasks(session: Session, request: RequestRow, state: RequestState) -> None:
    """Rows show the state's tasks; those that the state has left behind are over."""
    rows = {row.id: row for row in _rows(session, TaskRow, request)}
    assert len(rows) == state.tasks_made, request.id
    for task in state.tasks.values():
        row = rows.pop(task.id)
        shown = (row.state, row.assignee, row.team, row.outcome, row.step, row.offers, row.form)
        assert shown == (task.state, task.assignee, task.team, task.outcome, task.step, task.offers, task.form), row.id
        assert row.by_rule == task.by_rule, row.id
    assert not [row.id for row in rows.values() if row.state in OPEN], request.id
    assert not ((state.closed or state.attached_to) and state.open_tasks), request.id
    assert request.attached_to == state.attached_to, request.id


def _check_clocks(session: Session, request: RequestRow, state: RequestState) -> None:
    """Rows show the state's clocks; a closed request has none that runs."""
    rows = {row.name: row for row in _rows(session, ClockRow, request)}
    for clock in state.clocks.values():
        row = rows.pop(clock.name)
        shown = (row.state, row.live, row.due_at, row.breached_at, row.ended_at, row.last_rung)
        kept = (clock.state, clock.state.live, clock.due_at, clock.breached_at, clock.ended_at, clock.last_rung)
        assert shown == kept, row
        assert (row.type, row.department, row.area) == (request.type, request.department, request.area), row
        assert not row.live or row.team == request.team, row
    assert not [row.name for row in rows.values() if row.live], request.id
    assert request.late_from == min((c.due_at for c in state.live_clocks if c.due_at), default=None), request.id
    assert not ((state.closed or state.attached_to) and state.live_clocks), request.id


def _check_effects(session: Session, request: RequestRow, settled: bool) -> None:
    """An effect is one of its decision's, counted without a gap, and reported at most once."""
    effects = _rows(session, EffectRow, request)
    assert {row.id for row in effects} == {f"{request.id}:{row.decision}:{row.number}" for row in effects}
    for decision, count in Counter(row.decision for row in effects).items():
        assert 1 <= decision <= request.decision, request.id
        assert {row.number for row in effects if row.decision == decision} == set(range(1, count + 1)), request.id
    for row in effects:
        assert (row.done_at is not None) == (row.state == "done"), row.id
        assert not (settled and row.state not in ("done", "dropped")), row.id
    reports = [row.body["effect"] for row in _rows(session, CommandRow, request) if row.kind == "effect_result"]
    assert len(reports) == len(set(reports)), request.id
    assert set(reports) <= {row.id for row in effects if row.state == "done"}, request.id
