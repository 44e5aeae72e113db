"""A city for the tests: Lakeport of the first release on a store, and the shorthand to work on it.

Owns the fixtures `catalog` and `city`. The city's clock is the test's: it stands until the test sets it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, SQLModel, col, select

from activities.crews import Crews
from fixline.catalog import Catalog, Organisation, read_catalog
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import COMMAND, Actor, Command, Role
from fixline.messages import DueInput, EffectInput, PendingWork
from fixline.service.commands import Commands, Given
from fixline.service.effects import Effects, Finding, Reaching
from fixline.service.opening import Contact, Report, open_request
from fixline.service.pending import pending_work
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import StoredCommand, Submission, lock_request
from fixline.store.store import Store
from fixline.store.tables import ClockRow, CommandRow, EffectRow, JournalRow, RequestRow, TaskRow
from fixline.store.versions import Versions, publish
from tests.support.domain.samples import ADMIN, CREW, SERVICE
from tests.support.lakeport import LAKEPORT

T = TypeVar("T")
MORNING = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
"""A Monday, ten o'clock in the city."""
INTAKES: dict[str, dict[str, Any]] = {
    "pothole": {
        "place": {"latitude": 41.9, "longitude": -87.7},
        "areas": {"district": "north"},
        "answers": {"lane": "curb"},
    },
    "graffiti": {"place": {"address": "1 Main Street"}, "answers": {"surface": "brick"}},
}
SUPERVISOR = Actor(name="sue", role=Role.SUPERVISOR)


class City:
    """One city on one store. `now` is the instant at which everything is accepted, unless `clock` says otherwise."""

    def __init__(self, store: Store, catalog: Catalog, clock: Callable[[], datetime] | None = None) -> None:
        self.store = store
        self.catalog = catalog
        self.now = MORNING
        self._clock = clock
        self._numbers = itertools.count(1)
        self.versions = Versions()
        self.scheduling = Scheduling()
        self.rules = Commands(store, self.versions, self.scheduling)
        self.effects = Effects(store, self.rules)
        self.zone = ZoneInfo(self.organisation.city.timezone)
        self.crews = Crews(self.effects, self.organisation)
        self.publish(*catalog.definitions.values())

    @property
    def organisation(self) -> Organisation:
        """Its departments and teams."""
        assert self.catalog.organisation is not None
        return self.catalog.organisation

    def clock(self) -> datetime:
        """The instant that holds now."""
        return self._clock() if self._clock else self.now

    def later(self, **spans: float) -> datetime:
        """Let time pass; the instant then."""
        self.now += timedelta(**spans)
        return self.now

    def publish(self, *definitions: Definition) -> None:
        """Make these the current versions of their types."""

        def write(session: Session) -> None:
            for definition in definitions:
                publish(session, definition, self.clock())

        self.store.write(write)

    def submission(
        self,
        command: Command,
        *,
        actor: Actor = ADMIN,
        at: datetime | None = None,
        key: str | None = None,
        body_hash: str | None = None,
        caller: str = "tests",
        command_id: str | None = None,
    ) -> Submission:
        """A command as it comes to the door; its id is new unless it is given."""
        return Submission(
            command_id=command_id or f"C-{next(self._numbers)}",
            command=command,
            actor=actor,
            accepted_at=at or self.clock(),
            caller=caller,
            idempotency_key=key,
            body_hash=body_hash,
        )

    def report(
        self,
        type_: str = "errand",
        *,
        contact: Contact | None = None,
        key: str | None = None,
        body_hash: str | None = None,
        at: datetime | None = None,
        **body: Any,
    ) -> Report:
        """A report of the current version of a type, with answers that fit unless others are given."""
        published = self.store.read(lambda s: self.versions.current(s, type_))
        given = {"has_contact": contact is not None, **INTAKES.get(type_, {}), **body}
        command = COMMAND.validate_python({"kind": "open", "type": type_, "version": published.hash, **given})
        submission = self.submission(command, actor=SERVICE, key=key, body_hash=body_hash, at=at)
        return Report(submission=submission, definition=published.definition, contact=contact)

    def open(self, type_: str = "errand", **details: Any) -> str:
        """Open a request that the rules accept; its id."""
        return self.opened(type_, **details).row.request_id

    def opened(self, type_: str = "errand", **details: Any) -> Given:
        """Open a request that the rules accept; the command's row, and what its workflow is to be told."""
        report = self.report(type_, **details)
        return self.store.write(lambda s: open_request(s, report, self.zone, self.scheduling))

    def given(
        self,
        request_id: str,
        kind: str,
        *,
        actor: Actor = ADMIN,
        at: datetime | None = None,
        key: str | None = None,
        body_hash: str | None = None,
        **body: Any,
    ) -> Given:
        """Give a request a command; its row, and what its workflow is to be told."""
        command = COMMAND.validate_python({"kind": kind, **body})
        submission = self.submission(command, actor=actor, at=at, key=key, body_hash=body_hash)
        return self.rules.submit(request_id, submission)

    def do(self, request_id: str, kind: str, **body: Any) -> StoredCommand:
        """Give a request a command; the answered row."""
        return self.given(request_id, kind, **body).row

    def waiting(self, request_id: str, kind: str, **body: Any) -> StoredCommand:
        """Keep a command as waiting, as a fault of ours would have it."""
        submission = self.submission(COMMAND.validate_python({"kind": kind, **body}))
        return self.store.write(
            lambda s: self.rules.decide(s, request_id, submission, fault="Fault: of the test's")
        ).row

    def due(self, request_id: str, now: datetime | None = None, **options: Any) -> PendingWork:
        """Decide what is due, as the workflow has it done."""
        return self.rules.due(DueInput(request_id, now or self.clock(), **options))

    def work(self, request_id: str) -> PendingWork:
        """What is left to do."""
        return self.store.read(lambda s: pending_work(s, lock_request(s, request_id), self.scheduling, news=False))

    def take(self, request_id: str) -> PendingWork:
        """Take every work order that has not been taken, by the teams' own rules."""
        work = self.work(request_id)
        for effect in work.effects:
            if effect.kind in ("dispatch", "order_inspection"):
                given = EffectInput(request_id, effect.effect_id, self.clock())
                work = self.effects.take(given, self.crews.give)
        return work

    def reach(
        self, request_id: str, effect_ids: list[str], reaching: Reaching, finding: Finding | None = None
    ) -> PendingWork:
        """Take effects that reach outside."""
        given = EffectInput(request_id, effect_ids[0], self.clock(), effect_ids[1:])
        return self.effects.reach(given, reaching, finding, now=self.clock)

    def request(self, request_id: str) -> RequestRow:
        """The request's row."""
        return self.store.read(lambda s: s.get_one(RequestRow, request_id))

    def command(self, command_id: str) -> CommandRow:
        """A command's row."""
        return self.store.read(lambda s: s.get_one(CommandRow, command_id))

    def commands(self, request_id: str) -> list[CommandRow]:
        """A request's commands by number."""
        wanted = select(CommandRow).where(CommandRow.request_id == request_id).order_by(col(CommandRow.number))
        return self.store.read(lambda s: list(s.exec(wanted)))

    def journal(self, request_id: str, *kinds: str) -> list[JournalRow]:
        """A request's journal, or its entries of these kinds."""
        wanted = select(JournalRow).where(JournalRow.request_id == request_id).order_by(col(JournalRow.seq))
        rows = self.store.read(lambda s: list(s.exec(wanted)))
        return [row for row in rows if not kinds or row.kind in kinds]

    def effects_of(self, request_id: str, *kinds: str) -> list[EffectRow]:
        """A request's effects in order, or those of these kinds."""
        order = (col(EffectRow.decision), col(EffectRow.number))
        wanted = select(EffectRow).where(EffectRow.request_id == request_id).order_by(*order)
        rows = self.store.read(lambda s: list(s.exec(wanted)))
        return [row for row in rows if not kinds or row.kind in kinds]

    def tasks(self, request_id: str) -> list[TaskRow]:
        """A request's tasks by id."""
        wanted = select(TaskRow).where(TaskRow.request_id == request_id).order_by(col(TaskRow.id))
        return self.store.read(lambda s: list(s.exec(wanted)))

    def task(self, request_id: str) -> TaskRow:
        """The one open task."""
        (task,) = [t for t in self.tasks(request_id) if t.state in ("offered", "claimed", "started")]
        return task

    def clocks(self, request_id: str) -> dict[str, ClockRow]:
        """A request's clocks by name."""
        wanted = select(ClockRow).where(ClockRow.request_id == request_id)
        return {row.name: row for row in self.store.read(lambda s: list(s.exec(wanted)))}

    def count(self, model: type[SQLModel]) -> int:
        """How many rows a table has."""
        return len(self.store.read(lambda s: list(s.exec(select(model)))))


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Run all of these at once, each in a thread of its own; their results in order."""
    ready = threading.Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        ready.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Its definitions, read once."""
    reading = read_catalog(LAKEPORT)
    assert reading.findings == ()
    return reading.catalog


@pytest.fixture
def city(store: Store, catalog: Catalog) -> City:
    """The sample city, on SQLite and on PostgreSQL."""
    return City(store, catalog)


__all__ = ["ADMIN", "CREW", "MORNING", "SERVICE", "SUPERVISOR", "City", "at_once"]
