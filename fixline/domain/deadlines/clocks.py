"""The arithmetic of a clock's ledger on a working calendar (docs/definitions.md, section Deadlines): a clock is a
budget and a ledger of the stretches in which it ran. Everything else, due and the rungs, is the answer to one question:
when has the clock run this long since that instant (`reach`)? Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from fixline.domain.deadlines.calendar import CalendarExhausted, Span, WorkingCalendar
from fixline.domain.definition.deadlines import Rung
from fixline.domain.journal.state import Clock, ClockState, Stretch
from fixline.domain.records import change

LATE_AFTER = timedelta(minutes=1)
"""A rung that fires this long after its instant is marked late (the system was down or slow)."""


class Firing(NamedTuple):
    """A firing of a rung: when, which of its ladder, the how-manieth time, and the rung itself."""

    at: datetime
    number: int
    time: int
    rung: Rung


def fired(clock: Clock, ladder: tuple[Rung, ...], index: int) -> Clock:
    """The clock after a rung of its ladder has fired once more."""
    counts = tuple(count + (number == index) for number, count in enumerate(clock.fired))
    return change(clock, fired=counts, last_rung=ladder[index].when)


def spent(clock: Clock, calendar: WorkingCalendar, now: datetime) -> timedelta:
    """How much of its budget the clock has used by now, in the budget's own measure; paused time is not used."""
    ran = ((stretch.since, min(stretch.until or now, now)) for stretch in clock.stretches)
    return sum((calendar.elapsed(*each, working=clock.budget.working) for each in ran), timedelta())


def reach(
    clock: Clock, calendar: WorkingCalendar, since: datetime, amount: timedelta, *, working: bool
) -> datetime | None:
    """The instant at which the clock has run for `amount` after `since`; None when the clock stands before that, or
    when the calendar does not reach that far."""
    left = amount
    for stretch in clock.stretches:
        if stretch.until is not None and stretch.until <= since:
            continue
        begin = max(stretch.since, since)
        if stretch.until is not None:
            here = calendar.elapsed(begin, stretch.until, working=working)
            if here < left:
                left -= here
                continue
        try:
            return calendar.add_working(begin, left) if working else begin + left
        except (CalendarExhausted, OverflowError):
            return None
    return None


def reach_span(clock: Clock, calendar: WorkingCalendar, since: datetime, span: Span) -> datetime | None:
    """The instant at which the clock has run for a span after `since`, in the span's own measure."""
    return reach(clock, calendar, since, span.length(calendar.day), working=span.working)


def due(clock: Clock, calendar: WorkingCalendar) -> datetime | None:
    """When the budget is spent; None while a paused clock cannot become due. A breached clock stays where it is."""
    if clock.breached_at is not None:
        return clock.breached_at
    if clock.state is ClockState.PAUSED:
        return None
    return _not_before(clock, reach_span(clock, calendar, clock.started_at, clock.budget))


def _not_before(clock: Clock, found: datetime | None) -> datetime | None:
    """The instant, but never in a pause that is over nor before the budget was last changed."""
    if found is None:
        return None
    running_since = clock.stretches[-1].since
    return max(found, running_since, clock.not_before or running_since)


def next_firing(clock: Clock, ladder: tuple[Rung, ...], calendar: WorkingCalendar) -> Firing | None:
    """The earliest firing that is still to come by the recorded due; none while the clock does not run. What is to
    follow a breach comes only after it; of two rungs that fire at one instant the earlier in the ladder comes first."""
    if clock.state is not ClockState.RUNNING:
        return None
    first: Firing | None = None
    mixed = any(rung.before is not None for rung in ladder)
    for index, rung in enumerate(ladder):
        time = clock.fired[index] + 1
        if time > rung.up_to or (rung.after is not None and clock.breached_at is None):
            continue
        at = _not_before(clock, fires_at(clock, rung, time, calendar))
        if at is not None and (first is None or at < first.at):
            first = Firing(at, index, time, rung)
        if first is not None and (rung.at_due or (rung.after is None and not mixed)):
            break  # a checked ladder has its shares in order, then due, then what is after due
    return first


def fires_at(clock: Clock, rung: Rung, time: int, calendar: WorkingCalendar) -> datetime | None:
    """When a rung fires for the how-manieth time, by the ledger alone; None when that cannot be said yet."""
    if rung.at_percent is not None:
        amount = clock.budget.length(calendar.day) * rung.at_percent / 100
        return reach(clock, calendar, clock.started_at, amount, working=clock.budget.working)
    if rung.before is not None:
        amount = max(clock.budget.length(calendar.day) - rung.before.length(calendar.day), timedelta())
        return reach(clock, calendar, clock.started_at, amount, working=clock.budget.working)
    if rung.at_due or rung.after is None:
        return clock.due_at
    if clock.breached_at is None:  # the breach comes first
        return None
    fires_at = reach_span(clock, calendar, clock.breached_at, rung.after)
    for _ in range(time - 1):
        if fires_at is None or rung.every is None:
            return None
        fires_at = reach_span(clock, calendar, fires_at, rung.every)
    return fires_at


def paused(clock: Clock, now: datetime) -> tuple[Stretch, ...]:
    """The ledger with the running stretch ended now; a stretch of no length is dropped."""
    *earlier, last = clock.stretches
    if last.since >= now:
        return tuple(earlier) or (Stretch(since=last.since, until=last.since),)
    return (*earlier, Stretch(since=last.since, until=now))
