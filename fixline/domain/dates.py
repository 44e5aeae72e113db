"""Waits until a date that somebody has answered: when they end, and what a changed answer does to them.

Owns the instant that an answer stands for: a date begins at 00:00 in the calendar's time zone, a datetime is
an instant itself. A wait whose answer is missing has no end until there is one; the supervisor is told.
Instants are aware UTC.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from fixline.domain import facts
from fixline.domain.calendar import FIRST_YEAR, LAST_YEAR, WorkingCalendar
from fixline.domain.commands import SYSTEM
from fixline.domain.draft import Draft
from fixline.domain.effects import Escalate
from fixline.domain.steps import WaitStep

FIRST = dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.UTC)
SUPERVISOR = "supervisor"


def instant_of(answer: str, calendar: WorkingCalendar) -> dt.datetime | None:
    """The instant that a date or datetime answer stands for; None for one after all that a calendar knows.

    An instant before the years of calendars counts as their beginning.
    """
    if len(answer) == len("2026-11-22"):
        day = dt.date.fromisoformat(answer)
        moment = dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(calendar.timezone))
    else:
        moment = dt.datetime.fromisoformat(answer)
    if moment.year < FIRST_YEAR:
        return FIRST
    if moment.year > LAST_YEAR:
        return None
    instant = moment.astimezone(dt.UTC)
    return instant if instant < END else None


def wait_until(draft: Draft, step: WaitStep) -> dt.datetime | None:
    """When a wait for a date ends by the answers given so far; None when that is not known, or out of reach."""
    answer = draft.state.answers.get(step.until or "")
    return instant_of(answer, draft.calendar) if isinstance(answer, str) else None


def say_undated(draft: Draft, name: str, step: WaitStep) -> None:
    """Tell the supervisor of a wait whose date nobody has given: only an answer can end it."""
    if step.until is None or draft.state.answers.get(step.until) is not None:
        return
    text = f"Step {name}: '{step.until}' has no answer yet; waiting until it has. The {SUPERVISOR} is told."
    draft.record(facts.WaitUndated(name, step.until), text, actor=SYSTEM)
    draft.cause(Escalate(role=SUPERVISOR, rung=f"no {step.until}", step=name))


def follow_answers(draft: Draft) -> None:
    """Move the ends of the waits whose date has been answered anew; one that has passed is over at the next tick."""
    for position in draft.state.positions:
        step = draft.definition.step(position.step)
        if not isinstance(step, WaitStep) or step.until is None:
            continue
        until = wait_until(draft, step)
        if until == position.wait_until:
            continue
        where = draft.definition.in_branches.get(position.step)
        moved = facts.WaitMoved(position.step, until, where.branch if where else None)
        text = f"Step {position.step}: waiting until {draft.state.answers.get(step.until)}."
        draft.record(moved, text, actor=SYSTEM)
