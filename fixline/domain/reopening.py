"""A closed request opened again.

Owns who may reopen, until when, and what a reopened request begins with: clocks of its own, visits counted anew,
and the step that its definition names (docs/definitions.md, section Reopen). Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime

from fixline.domain import duplicates, facts, progress, timekeeping
from fixline.domain.calendar import CalendarExhausted
from fixline.domain.commands import Actor, FollowOnReopened, Reopen, Role
from fixline.domain.decision import refuse
from fixline.domain.definition import NotifyEvent, ReopenedBy
from fixline.domain.definition import Reopen as Rules
from fixline.domain.draft import Draft
from fixline.domain.steps import CloseOutcome


def reopen(draft: Draft, command: Reopen) -> None:
    """Open a closed request again, as a duplicate of none. Clocks start anew from now; those before are history."""
    state, rules = draft.state, draft.definition.reopen
    if not state.closed:
        raise refuse("not_closed", "the request is open")
    if rules is None:
        raise refuse("not_reopenable", f"a request of type {draft.definition.type} cannot be opened again")
    if not _may(rules, draft.actor, state.outcome):
        whom = "whoever reported it" if draft.actor.role in (Role.REPORTER, Role.SERVICE) else draft.actor.role.value
        text = f"a request that was closed as {state.outcome} cannot be opened again by {whom}"
        raise refuse("not_reopenable", text, outcome=state.outcome)
    until = _until(draft, rules)
    if until is not None and draft.now > until:
        text = f"it could be opened again within {rules.within} of its closing, until {until.isoformat()}"
        raise refuse("reopen_too_late", text, until=until.isoformat())
    original = state.attached_to
    draft.record(facts.Reopened(state.outcome, command.reason), f"Opened again. {command.reason}")
    if state.parent:
        draft.tell(state.parent.id, FollowOnReopened(child=draft.request_id))
    if original:
        duplicates.tell_original(draft, original, attached=False)
    duplicates.tell_of_reopening(draft)
    timekeeping.start_deadlines(draft, backlog=False)
    draft.notify(NotifyEvent.REOPENED)
    progress.enter(draft, rules.at)


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


def _until(draft: Draft, rules: Rules) -> datetime | None:
    """The last instant at which it may be reopened; None when that lies beyond what the calendar knows."""
    closed_at = draft.state.closed_at
    try:
        return draft.calendar.add(closed_at, rules.within) if closed_at else None
    except CalendarExhausted:
        return None
