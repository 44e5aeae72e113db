"""What a file's rows lead to in the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from fixline.domain.journal.state import read_state
from fixline.domain.process.commands import SYSTEM, Cancel
from fixline.messages import DueInput, WorkflowSignal
from fixline.service.commands import Commands
from fixline.service.importing.backlog import close_by_source
from fixline.service.pending import claim_signals
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Submission
from fixline.store.queries.supervision import OVERDUE, Scope
from fixline.store.store import Store
from fixline.store.tables import CommandRow, CounterRow, EffectRow, JournalRow, RequestRow
from fixline.store.versions import Versions
from tests.support.importing import HEADER, NOW, Import, open_row, row

Stored = Callable[[str], Any]


def count(store: Store, model: type[Any] = RequestRow) -> int:
    return store.read(lambda s: s.exec(select(func.count()).select_from(model)).one())


def left_to_the_relay(store: Store, now: datetime) -> list[WorkflowSignal]:
    """What the relay of a running worker finds."""
    return store.write(lambda s: claim_signals(s, now, timedelta(seconds=4), 10, Scheduling()))


def test_closed_rows_become_history(store: Store, imported: Import, stored: Stored) -> None:
    assert imported([row("13-1"), row("13-2", Status="Completed - Dup")]).counts == (2, 0, 0, 0)
    first = stored("13-1")
    assert (first.status, first.outcome, first.source, first.channel) == ("closed", "fixed", "chicago", "import")
    assert (first.version, first.state, first.decision, first.last_command) == (None, None, 0, 0)
    assert first.opened_at == datetime(2013, 5, 6, 5, tzinfo=UTC)
    assert (first.department, first.area) == ("streets-and-sanitation", "central")
    assert first.source_facts["ward"] == "42"
    assert stored("13-2").outcome == "duplicate"
    assert count(store, CommandRow) == count(store, JournalRow) == 0
    assert left_to_the_relay(store, NOW + timedelta(hours=1)) == []


def test_history_needs_no_definition(imported: Import, stored: Stored) -> None:
    assert imported([row("13-1", Type_of_Service_Request="Tree Debris")]).counts == (1, 0, 0, 0)
    found = stored("13-1")
    assert (found.type, found.source_type, found.department) == ("tree-debris", "Tree Debris", None)


def test_open_rows_become_running_requests(store: Store, imported: Import, stored: Stored) -> None:
    rows = [
        open_row("13-1"),
        open_row(
            "13-2",
            Status="Open - Dup",
            What_is_the_Nature_of_this_Code_Violation="Meteorite",
            Latitude="",
            Longitude="",
        ),
    ]
    assert imported(rows).counts == (2, 0, 0, 0)
    first = stored("13-1")
    state = read_state(first.state)
    assert (first.status, first.step, first.team) == ("open", "inspect", "sanitation-central")
    assert first.opened_at == state.opened_at == datetime(2013, 5, 6, 5, tzinfo=UTC)
    assert state.answers == {"nature": "garbage_in_yard"}
    assert state.backlog
    assert (first.external_id, first.source_type) == ("13-1", "Sanitation Code Violation")
    second = stored("13-2")
    assert (second.team, second.area) == ("sanitation-central", None)
    assert read_state(second.state).answers == {}
    assert second.source_facts["nature"] == "Meteorite"


def test_a_backlog_is_overdue_at_once_and_nobody_is_told(store: Store, imported: Import) -> None:
    imported([open_row("14-1", Creation_Date="2014-05-06"), open_row("13-1")])
    late, _ = store.read(lambda s: OVERDUE.page(s, Scope(NOW), None, 10))
    assert [(line["external_id"], line["clock_name"]) for line in late] == [
        ("13-1", "first_look"),
        ("13-1", "resolve"),
        ("14-1", "first_look"),
        ("14-1", "resolve"),
    ]
    assert store.read(lambda s: set(s.exec(select(EffectRow.kind)))) == {"order_inspection"}


def test_the_relay_finds_the_running_ones(store: Store, imported: Import, stored: Stored) -> None:
    imported([row("13-1"), open_row("13-2")])
    (signal,) = left_to_the_relay(store, NOW + timedelta(minutes=1))
    assert (signal.request_id, signal.name) == (stored("13-2").id, "open")
    assert [each.kind for each in signal.work.effects] == ["order_inspection"]


def test_a_second_import_changes_nothing(store: Store, imported: Import) -> None:
    rows = [row("13-1"), open_row("13-2"), row("13-3", Latitude="", Longitude="")]
    imported(rows)
    before = store.read(lambda s: [r.model_dump() for r in s.exec(select(RequestRow).order_by(RequestRow.id))])
    assert imported(rows, now=NOW + timedelta(days=1)).counts == (0, 0, 3, 0)
    assert store.read(lambda s: [r.model_dump() for r in s.exec(select(RequestRow).order_by(RequestRow.id))]) == before
    assert store.read(lambda s: s.exec(select(CounterRow.last)).one()) == 3


def test_the_last_row_of_a_number_wins(store: Store, imported: Import, stored: Stored) -> None:
    rows = [
        open_row("13-1"),
        row("13-2", Street_Address="FIRST"),
        row("13-1"),
        row("13-2", Street_Address="SECOND"),
        row("13-2", Street_Address="THIRD"),
    ]
    done = imported(rows)
    assert done.counts == (2, 0, 3, 0)
    assert done.summary.repeated == 3
    assert stored("13-1").status == "closed"
    assert stored("13-2").address == "THIRD"
    assert count(store) == 2


def test_changed_history_is_updated(imported: Import, stored: Stored) -> None:
    imported([row("13-1"), row("13-2")])
    before = stored("13-1")
    changed = row("13-1", Status="Completed - Dup", Completion_Date="2013-05-20", Latitude="41.99", Longitude="-87.7")
    assert imported([changed, row("13-2")], now=NOW + timedelta(days=1)).counts == (0, 1, 1, 0)
    after = stored("13-1")
    assert (after.id, after.outcome, after.area) == (before.id, "duplicate", "north")
    assert after.closed_at == datetime(2013, 5, 20, 5, tzinfo=UTC)
    assert (after.accepted_at, after.updated_at) == (NOW, NOW + timedelta(days=1))
    assert imported([changed]).counts == (0, 0, 1, 0)


def test_a_running_request_that_the_source_has_closed(store: Store, imported: Import, stored: Stored) -> None:
    imported([open_row("13-1"), open_row("13-2")])
    closed = [row("13-1", Completion_Date="2013-06-03"), open_row("13-2")]
    left_to_the_relay(store, NOW + timedelta(minutes=1))
    assert imported(closed, now=NOW + timedelta(hours=1)).counts == (0, 1, 1, 0)
    given = store.read(lambda s: s.exec(select(CommandRow).where(CommandRow.kind == "source_closed")).all())
    assert [(command.state, command.actor["role"]) for command in given] == [("applied", "system")]
    found = stored("13-1")
    assert (found.status, found.outcome) == ("closed", "fixed")
    assert found.closed_at == datetime(2013, 6, 3, 5, tzinfo=UTC)
    signals = {each.request_id: each for each in left_to_the_relay(store, NOW + timedelta(hours=2))}
    assert (signals[found.id].name, signals[found.id].work.closed) == ("source_closed", True)
    assert imported(closed).counts == (0, 0, 2, 0)
    assert stored("13-2").status == "open"


def test_a_closing_that_a_fault_of_ours_keeps_from_being_decided_waits(
    store: Store, imported: Import, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given once, however often the file is imported; the relay has it tried."""
    imported([open_row("13-1")])
    with monkeypatch.context() as broken:

        def fails(*_: object, **__: object) -> None:
            raise ZeroDivisionError("a fault of ours")

        broken.setattr("fixline.service.commands.advance", fails)
        assert imported([row("13-1")]).counts == (0, 1, 0, 0)
        assert imported([row("13-1")]).counts == (0, 0, 1, 0)
    (signal,) = left_to_the_relay(store, NOW + timedelta(minutes=1))
    assert (signal.name, signal.work.waiting) == ("source_closed", 1)
    Commands(store, Versions()).due(DueInput(stored("13-1").id, NOW + timedelta(minutes=1)))
    assert (stored("13-1").status, stored("13-1").outcome) == ("closed", "fixed")
    assert count(store, CommandRow) == 2


def test_a_closing_that_our_crews_were_faster_with_is_no_fault(
    store: Store, imported: Import, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They close it while the file is imported."""
    imported([open_row("13-1")])
    cancel = Submission("C-1", Cancel(reason="x"), SYSTEM, NOW, "crew")

    def crews_first(commands: Commands, request_id: str, *rest: Any) -> None:
        commands.submit(request_id, cancel)
        close_by_source(commands, request_id, *rest)

    monkeypatch.setattr("fixline.service.importing.backlog.close_by_source", crews_first)
    imported([row("13-1")])
    assert (stored("13-1").status, stored("13-1").outcome) == ("closed", "cancelled")
    assert count(store, CommandRow) == 2


def test_what_our_crews_have_closed_stays_closed(store: Store, imported: Import, stored: Stored) -> None:
    imported([open_row("13-1")])
    store.write(lambda s: _close(s, stored("13-1").id))
    again = imported([open_row("13-1")])
    assert again.counts == (0, 0, 1, 0)
    assert again.summary.closed_here == 1
    assert imported([row("13-1")]).counts == (0, 0, 1, 0)


def _close(session: Session, request_id: str) -> None:
    row_ = session.get_one(RequestRow, request_id)
    row_.status, row_.outcome = "closed", "fixed"
    session.add(row_)


def test_history_that_the_source_has_opened_again_is_rejected(imported: Import, stored: Stored) -> None:
    imported([row("13-1")])
    again = imported([open_row("13-1")])
    assert again.counts == (0, 0, 0, 1)
    assert "imported as closed (fixed) before" in again.rejects[0]["reason"]
    assert stored("13-1").status == "closed"


NOWHERE = {"Street_Address": "", "Latitude": "", "Longitude": ""}


def test_rejected_rows_are_kept_with_line_and_reason(store: Store, imported: Import) -> None:
    done = imported(
        [
            row("13-1"),
            row("", Street_Address="NO NUMBER"),
            row("13-3", Completion_Date="2012-01-01"),
            row("13-4")[:-3],
            open_row("13-5", Type_of_Service_Request="Tree Debris"),
            open_row("13-6", Type_of_Service_Request="Pothole in Street", **NOWHERE),
        ]
    )
    assert done.counts == (1, 0, 0, 5)
    assert [(each["line"], each["Service_Request_Number"]) for each in done.rejects[:3]] == [
        ("3", ""),
        ("4", "13-3"),
        ("5", "13-4"),
    ]
    reasons = [each["reason"] for each in done.rejects]
    assert "no number" in reasons[0]
    assert "before it was created" in reasons[1]
    assert "12 cells, the header 15" in reasons[2]
    assert "no definition for its type 'Tree Debris'" in reasons[3]
    assert "opening is refused" in reasons[4]
    assert "needs a place" in reasons[4]
    assert list(done.rejects[0]) == ["line", "reason", *HEADER]
    assert count(store) == 1


def test_a_mended_rejects_file_can_be_imported(imported: Import) -> None:
    done = imported([row("13-1", Status="Closed?")])
    (rejected,) = done.rejects
    mended = [("Completed" if name == "Status" else rejected[name]) for name in HEADER]
    assert imported([mended]).counts == (1, 0, 0, 0)


def test_a_dry_run_counts_and_writes_nothing(store: Store, imported: Import) -> None:
    rows = [row("13-1"), open_row("13-2"), row("", Ward="1"), row("13-1")]
    dry = imported(rows, dry_run=True)
    assert dry.rejects == []
    assert count(store) == 0
    assert count(store, CounterRow) == 0
    assert imported(rows).counts == dry.counts == (2, 0, 1, 1)
    changed = [row("13-1", Ward="7"), row("13-2")]
    assert imported(changed, dry_run=True).counts == (0, 2, 0, 0)
    assert imported(changed).counts == (0, 2, 0, 0)


def test_the_same_number_of_another_source_is_another_request(store: Store, imported: Import) -> None:
    def theirs(session: Session) -> None:
        session.add(
            RequestRow(
                id="SR20-00000001",
                type="x",
                status="closed",
                channel="import",
                source="elsewhere",
                external_id="13-1",
                opened_at=NOW,
                accepted_at=NOW,
                updated_at=NOW,
            )
        )

    store.write(theirs)
    assert imported([row("13-1")]).counts == (1, 0, 0, 0)
    assert store.read(lambda s: len(s.exec(select(RequestRow).where(col(RequestRow.external_id) == "13-1")).all())) == 2


def test_many_batches(store: Store, imported: Import) -> None:
    rows = [row(f"13-{number}") if number % 40 else open_row(f"13-{number}") for number in range(1, 901)]
    assert imported(rows).counts == (900, 0, 0, 0)
    assert count(store) == 900
    assert store.read(lambda s: len(set(s.exec(select(RequestRow.id))))) == 900
    assert imported(rows).counts == (0, 0, 900, 0)
