"""Opening a request: decision 1 is made and committed before the caller has an answer.

Owns the numbers of requests and the one transaction in which request, decision, tasks, clocks, effects and
contact data are written. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import Open
from fixline.domain.process.decision import Decision, Refusal, Refused
from fixline.messages import WorkflowSignal
from fixline.service.commands import Given, answer_of
from fixline.service.pending import pending_work
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked, Submission, find_stored, to_stored
from fixline.store import statements
from fixline.store.projection import request_values, write_details
from fixline.store.queries.duplicates import NOTHING, Alike, find_alike
from fixline.store.tables import ContactRow, CounterRow


@dataclass(frozen=True)
class Contact:
    """How to reach whoever reported; goes to its own table and nowhere else."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Report:
    """A report as it comes in: the open command, and the facts that no rule needs."""

    submission: Submission
    definition: Definition
    contact: Contact | None = None
    on_behalf_of: str | None = None
    source: str | None = None
    source_type: str | None = None
    source_facts: dict[str, Any] | None = None

    @property
    def command(self) -> Open:
        """The open command."""
        assert isinstance(self.submission.command, Open)  # noqa: S101 - reports are made of nothing else
        return self.submission.command


def take_numbers(session: Session, zone: ZoneInfo, now: datetime, count: int = 1) -> list[str]:
    """The next ids, such as SR26-00000001: the year of acceptance in the city's zone, and a number of that year."""
    year = now.astimezone(zone).strftime("%y")
    name = f"request-{year}"
    counted = statements.COUNT_UP.first(session, {"name_": name, "by_": count})
    if counted is None:
        session.add(CounterRow(name=name, last=count))
        session.flush()
        counted = (count,)
    (last,) = counted
    return [f"SR{year}-{number:08d}" for number in range(last - count + 1, last + 1)]


def look_for_alike(session: Session, report: Report) -> tuple[Report, Alike]:
    """The open requests that a report may repeat, and the report: it says to which of them it is attached, if any."""
    rules, place, definition = report.definition.intake.duplicates, report.command.place, report.definition
    if rules is None or place is None or place.latitude is None or place.longitude is None:
        return report, NOTHING
    now = report.submission.accepted_at
    alike = find_alike(session, definition.type, definition.title, rules, place.latitude, place.longitude, now)
    if alike.attach_to is None:
        return report, alike
    command = report.command.model_copy(update={"attach_to": alike.attach_to})
    return replace(report, submission=replace(report.submission, command=command)), alike


def preview(session: Session, report: Report, request_id: str) -> Preview | Refusal:
    """What opening would lead to, and what the report may repeat; nothing is written."""
    report, alike = look_for_alike(session, report)
    decision = decide_opening(report, request_id)
    return decision if isinstance(decision, Refusal) else Preview(decision, alike)


def decide_opening(report: Report, request_id: str) -> Decision | Refusal:
    """What opening leads to, without writing anything (also the answer to a dry run)."""
    submission = report.submission
    return advance(
        report.definition, None, report.command, submission.accepted_at, actor=submission.actor, request_id=request_id
    )


class Preview(NamedTuple):
    """What a report would lead to."""

    decision: Decision
    alike: Alike


def open_request(session: Session, report: Report, zone: ZoneInfo, scheduling: Scheduling) -> Given:
    """Open a request: the answered command, or the earlier one for a repeated key.

    Raises Refused and KeyReused, which roll the transaction back: no number is used up.
    """
    known = find_stored(session, report.submission) if report.submission.idempotency_key is not None else None
    if known is not None:
        return Given(known, None)
    (request_id,) = take_numbers(session, zone, report.submission.accepted_at)
    report, alike = look_for_alike(session, report)
    decision = decide_opening(report, request_id)
    if isinstance(decision, Refusal):
        raise Refused(decision)
    return write_opening(session, report, decision, scheduling, alike)


def write_opening(
    session: Session, report: Report, decision: Decision, scheduling: Scheduling, alike: Alike = NOTHING
) -> Given:
    """Write the first decision of a request and the command that led to it, with what the report may repeat."""
    submission = report.submission
    request_id = decision.state.id
    command = to_stored(request_id, 1, submission)._replace(
        state="applied",
        decision=decision.number,
        applied_at=submission.accepted_at,
    )
    answer = answer_of(report.definition, decision, command.body)
    command = command._replace(answer={**answer, "possible_duplicates": list(alike.possible)})
    row = {
        "id": request_id,
        **request_values(report.definition, decision),
        "acted_at": decision.state.opened_at,
        "source": report.source,
        "source_type": report.source_type,
        "source_facts": report.source_facts or {},
        "on_behalf_of": report.on_behalf_of,
        "accepted_at": submission.accepted_at,
        "created_by": submission.actor.name,
        "last_command": command.number,
        "signalled": 0,
        "fault": None,
        "parent_id": report.command.parent.id if report.command.parent else None,
        "parent_step": report.command.parent.step if report.command.parent else None,
    }
    statements.INSERT_REQUEST.run(session, row)
    statements.INSERT_COMMAND.run(session, command._asdict())
    if report.contact is not None:
        contact = ContactRow(request_id=request_id, created_at=submission.accepted_at, **vars(report.contact))
        session.add(contact)
    write_details(session, request_id, [decision], report.definition)
    locked = Locked(**{name: row[name] for name in Locked._fields})
    work = pending_work(session, locked, scheduling, news=True)
    return Given(command, WorkflowSignal(request_id, command.kind, work, starts=True))
