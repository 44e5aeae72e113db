"""Laws of deadlines on random calendars, spans and holds, those of the slow oracle's cases.

What is compared is what the rules themselves came to, `lived`, with every command and every tick in between.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.domain.process.decision import Refusal
from fixline.domain.records import change, to_data
from tests.support.domain.deadlines import LADDER, OPENING, by_size, ticked
from tests.support.domain.driver import Driven, command
from tests.support.domain.samples import at
from tests.support.oracle import Promise, lived, random_promise

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
promises = st.integers(1_000_000, 2_000_000).map(random_promise)
lawful = settings(max_examples=60, deadline=None)


def breach(promise: Promise) -> dt.datetime:
    """When it breaches; never, if not in the days that are watched."""
    return lived(promise).breached_at or NEVER


@lawful
@given(promise=promises, more=st.integers(0, 3000))
def test_due_is_monotonic_in_the_budget(promise: Promise, more: int) -> None:
    """A larger budget of the same measure is never due earlier, whatever the calendar and the holds."""
    amount, working = promise.budget
    larger = replace(promise, budget=(amount + 20 * more, working))
    assert breach(promise) <= breach(larger)


@lawful
@given(promise=promises, since=st.integers(0, 6000), length=st.integers(0, 3000))
def test_pausing_never_brings_due_nearer(promise: Promise, since: int, length: int) -> None:
    """One hold more, after those there are: the breach stays where it is, or moves away."""
    ended = [hold for hold in promise.holds if hold[1] is not None]
    begins = max([since, *(hold[1] or 0 for hold in ended)])
    without, held = replace(promise, holds=ended), replace(promise, holds=[*ended, (begins, begins + length)])
    assert breach(without) <= breach(held)


@lawful
@given(promise=promises, parts=st.lists(st.integers(1, 99), min_size=4, max_size=4))
def test_splitting_a_hold_in_two_changes_nothing(promise: Promise, parts: list[int]) -> None:
    """Held in one go, or ended and begun again at once: the same breach and the same rungs, to the microsecond."""
    holds: list[tuple[int, int | None]] = []
    for (since, until), part in zip(promise.holds, parts, strict=False):
        middle = since + 1000 if until is None else since + (until - since) * part // 100
        holds += [(since, middle), (middle, until)]
    assert lived(replace(promise, holds=holds)) == lived(promise)


EVENTS: dict[str, dict[str, Any]] = {
    "hold": {"reason": "x"},
    "resume": {},
    "amend": {"answers": {"size": 10}, "reason": "deeper"},
    "priority": {"priority": "urgent", "reason": "the mayor"},
    "comment": {"text": "still there"},
    "reassign": {"team": "other-team", "reason": "closer"},
}
PAIRS = ("hold", "resume")
"""These two undo each other, so an instant has one of them; the others come in any number and order."""
orders = st.permutations([kind for kind in EVENTS if kind not in PAIRS])
hours = st.integers(0, 40 * 60)


@st.composite
def meetings(draw: st.DrawFn) -> list[tuple[int, list[str], list[str]]]:
    """Instants, minutes apart, and what happens at each in two orders; holds and resumes take turns."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        kinds = draw(st.lists(st.sampled_from(sorted(EVENTS.keys() - set(PAIRS))), max_size=3, unique=True))
        kinds.append(PAIRS[number % 2])
        found.append((draw(hours), draw(st.permutations(kinds)), draw(st.permutations(kinds))))
    return found


def _told_apart(request: Driven) -> list[dict[str, Any]]:
    """The clocks, but for when a budget was last changed, which counts changes that took each other back."""
    return [to_data(change(clock, not_before=None)) for clock in request.state.clocks.values()]


@settings(max_examples=150, deadline=None)
@given(what=meetings())
def test_events_of_one_instant_may_come_in_any_order(what: list[tuple[int, list[str], list[str]]]) -> None:
    """Clocks, priority, rungs and the next instant are the same, whichever of them was written first."""
    definition = by_size("4 working hours", "2 working days", escalate=LADDER)
    one, other = (Driven.opened(definition, OPENING) for _ in range(2))
    now = OPENING
    for minutes, first, second in what:
        now += dt.timedelta(minutes=minutes)
        for request, order in ((one, first), (other, second)):
            ticked(request, now - dt.timedelta(microseconds=1))
            for kind in order:
                result = request.give(command(kind, **EVENTS[kind]), now)
                if isinstance(result, Refusal):  # asked for what is so already
                    assert result.code == "nothing_changed"
    for request in (one, other):
        ticked(request, at("fri 16:00", 6))
    assert one.state.priority == other.state.priority
    assert [_told_apart(request) for request in (one, other)] == [_told_apart(one)] * 2
    assert one.rungs() == other.rungs()
    assert one.next_at == other.next_at
