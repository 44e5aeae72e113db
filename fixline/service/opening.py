"""Opening a request: decision 1 is made and committed before the caller has an answer.

Owns the numbers of requests and the one transaction in which request, decision, tasks, clocks, effects and contact data
are written. A follow-on is opened in the one that takes its parent's effect and reports to the parent: exactly once,
whatever dies in between. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState, read_state
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import SYSTEM, EffectResult, Open, ParentLink
from fixline.domain.process.decision import Decision, Refusal, Refused
from fixline.domain.process.effects import OpenFollowOn
from fixline.domain.process.kinds.follow_on import DEEPEST
from fixline.messages import WorkflowSignal
from fixline.service.commands import Commands, Given, answer_of
from fixline.service.pending import pending_work
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked, Submission, find_stored, to_stored
from fixline.store import statements
from fixline.store.projection import request_values, write_details
from fixline.store.queries.duplicates import NOTHING, Alike, find_alike
from fixline.store.tables import ContactRow, CounterRow
from fixline.store.versions import VersionUnknown

PREVIEW_ID = "SR00-00000000"
"""What a request is called whose opening is only looked at."""


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


class Preview(NamedTuple):
    """What a report would lead to, and what it may repeat."""

    decision: Decision
    alike: Alike


def preview(session: Session, report: Report, request_id: str) -> Preview:
    """What opening would lead to, and what the report may repeat; nothing is written. Raises Refused."""
    _, decision, alike = _look(session, report, request_id)
    return Preview(decision, alike)


def _look(session: Session, report: Report, request_id: str) -> tuple[Report, Decision, Alike]:
    """The open requests that a report may repeat; the report, which says to which of them it is attached, if any; and
    what opening leads to."""
    rules, place, definition = report.definition.intake.duplicates, report.command.place, report.definition
    alike, now = NOTHING, report.submission.accepted_at
    if rules is not None and place is not None and place.latitude is not None and place.longitude is not None:
        alike = find_alike(session, definition.type, definition.title, rules, place.latitude, place.longitude, now)
    if alike.attach_to is not None:
        command = report.command.model_copy(update={"attach_to": alike.attach_to})
        report = replace(report, submission=replace(report.submission, command=command))
    return report, decide_opening(report, request_id), alike


def decide_opening(report: Report, request_id: str) -> Decision:
    """What opening leads to, without writing anything (also the answer to a dry run). Raises Refused."""
    submission, command = report.submission, report.command
    result = advance(
        report.definition, None, command, submission.accepted_at, actor=submission.actor, request_id=request_id
    )
    if isinstance(result, Refusal):
        raise Refused(result)
    return result


def in_words(refusal: Refusal) -> str:
    """A refusal's message, with the fields that it is about."""
    wrong = "; ".join(f"{problem.field}: {problem.message}" for problem in refusal.fields)
    return refusal.message + (f" ({wrong})" if wrong else "")


def open_request(session: Session, report: Report, zone: ZoneInfo, scheduling: Scheduling) -> Given:
    """Open a request: the answered command, or the earlier one for a repeated key.

    Raises Refused and KeyReused, which roll the transaction back: no number is used up.
    """
    known = find_stored(session, report.submission) if report.submission.idempotency_key is not None else None
    if known is not None:
        return Given(known, None)
    (request_id,) = take_numbers(session, zone, report.submission.accepted_at)
    report, decision, alike = _look(session, report, request_id)
    return write_opening(session, report, decision, scheduling, alike)


def write_opening(
    session: Session, report: Report, decision: Decision, scheduling: Scheduling, alike: Alike = NOTHING
) -> Given:
    """Write the first decision of a request and the command that led to it, with what the report may repeat."""
    submission, parent, request_id = report.submission, report.command.parent, decision.state.id
    answer = answer_of(report.definition, decision, report.command) | {"possible_duplicates": list(alike.possible)}
    command = to_stored(request_id, 1, submission)._replace(
        state="applied", decision=decision.number, applied_at=submission.accepted_at, answer=answer
    )
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
        "parent_id": parent.id if parent else None,
        "parent_step": parent.step if parent else None,
    }
    statements.INSERT_REQUEST.run(session, row)
    statements.INSERT_COMMAND.run(session, command._asdict())
    if report.contact is not None:
        session.add(ContactRow(request_id=request_id, created_at=submission.accepted_at, **vars(report.contact)))
    write_details(session, row, [decision])
    locked = Locked(**{name: row[name] for name in Locked._fields})
    work = pending_work(session, locked, scheduling, news=True)
    return Given(command, WorkflowSignal(request_id, command.kind, work, starts=True))


def open_follow_on(
    session: Session, commands: Commands, zone: ZoneInfo, effect: OpenFollowOn, request: Locked, now: datetime
) -> tuple[EffectResult | None, WorkflowSignal | None]:
    """Open the follow-on that an effect of the (locked) request asks for, or say why it cannot be opened: the report to
    the parent (None: the step was left meanwhile), and what the child's workflow is started with."""
    parent = read_state(request.state) if request.state else None
    if parent is None or effect.pointless(parent):
        return None, None
    depth = (parent.parent.depth if parent.parent else 0) + 1
    if depth > DEEPEST:
        return effect.reported(failed=f"follow-ons would lie more than {DEEPEST} deep"), None
    try:
        definition = commands.versions.current(session, effect.type).definition
        command = _opening(parent, definition, effect, depth)
        report = Report(Submission(f"{effect.id}:open", command, SYSTEM, now, SYSTEM.name), definition)
        decide_opening(report, PREVIEW_ID)
    except VersionUnknown as unknown:
        return effect.reported(failed=str(unknown)), None
    except Refused as refused:
        return effect.reported(failed=in_words(refused.refusal)), None
    opened = open_request(session, report, zone, commands.scheduling)
    return effect.reported(child=opened.row.request_id), opened.signal


def _opening(parent: RequestState, definition: Definition, effect: OpenFollowOn, depth: int) -> Open:
    """The place and the words of the parent, and those of its answers that the child's type asks for, too."""
    questions = definition.intake.questions
    answers = {name: value for name, value in parent.answers.items() if name in questions}
    return Open(
        type=definition.type,
        version=definition.version,
        place=parent.place if definition.intake.location != "none" else None,
        areas=parent.areas,
        answers=answers,
        description=parent.description,
        photos=parent.photos[: definition.intake.photos.max],
        channel="follow_on",
        parent=ParentLink(id=parent.id, step=effect.step, depth=depth),
    )
