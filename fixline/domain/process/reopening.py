"""A closed request opened again.

Owns who may reopen, until when, and what a reopened request begins with: clocks of its own, visits counted anew,
and the step that its definition names (docs/definitions.md, section Reopen). Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime

from fixline.domain.deadlines import timekeeping
from fixline.domain.deadlines.calendar import CalendarExhausted
from fixline.domain.definition.model import Reopen as Rules
from fixline.domain.definition.model import ReopenedBy
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent
from fixline.domain.journal import facts
from fixline.domain.process import walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import Actor, FollowOnReopened, Reopen, Role
from fixline.domain.process.decision import refuse
from fixline.domain.relations import duplicates


def reopen(builder: DecisionBuilder, command: Reopen) -> None:
    """Open a closed request again, as a duplicate of none. Clocks start anew from now; those before are history."""
    state, rules = builder.state, builder.definition.reopen
    if not state.closed:
        raise refuse("not_closed", "the request is open")
    if rules is None:
        raise refuse("not_reopenable", f"a request of type {builder.definition.type} cannot be opened again")
    if not _may(rules, builder.actor, state.outcome):
        whom = (
            "whoever reported it" if builder.actor.role in (Role.REPORTER, Role.SERVICE) else builder.actor.role.value
        )
        text = f"a request that was closed as {state.outcome} cannot be opened again by {whom}"
        raise refuse("not_reopenable", text, outcome=state.outcome)
    until = _until(builder, rules)
    if until is not None and builder.now > until:
        text = f"it could be opened again within {rules.within} of its closing, until {until.isoformat()}"
        raise refuse("reopen_too_late", text, until=until.isoformat())
    original = state.attached_to
    builder.record(facts.Reopened(state.outcome, command.reason), f"Opened again. {command.reason}")
    if state.parent:
        builder.tell(state.parent.id, FollowOnReopened(child=builder.request_id))
    if original:
        duplicates.tell_original(builder, original, attached=False)
    duplicates.tell_of_reopening(builder)
    timekeeping.start_deadlines(builder, backlog=False)
    builder.notify(NotifyEvent.REOPENED)
    walk.enter(builder, rules.at)


def _may(rules: Rules, actor: Actor, outcome: CloseOutcome | None) -> bool:
    """Whoever withdrew a report does not get it back by the reporter's right; a supervisor decides that."""
    match actor.role:
        case Role.ADMIN | Role.SYSTEM:
            return True
        case Role.SUPERVISOR:
            return ReopenedBy.SUPERVISOR in rules.by
        case Role.REPORTER | Role.SERVICE:
            return ReopenedBy.REPORTER in rules.by and outcome is not CloseOutcome.CANCELLED
        case _:
            return False


def _until(builder: DecisionBuilder, rules: Rules) -> datetime | None:
    """The last instant at which it may be reopened; None when that lies beyond what the calendar knows."""
    closed_at = builder.state.closed_at
    try:
        return builder.calendar.add(closed_at, rules.within) if closed_at else None
    except CalendarExhausted:
        return None
