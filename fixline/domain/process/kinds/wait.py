"""Steps that wait: for a named signal, for a span, or until a date that somebody has answered.

A date begins at 00:00 in the calendar's time zone, a datetime is an instant itself. Instants are aware UTC.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from fixline.domain.deadlines.calendar import Span, WorkingCalendar
from fixline.domain.deadlines.timeline import END, FIRST, FIRST_YEAR, LAST_YEAR
from fixline.domain.definition.vocabulary import SUPERVISOR, TIMEOUT
from fixline.domain.journal import step_facts
from fixline.domain.process import walk
from fixline.domain.process.commands import SYSTEM, Signal
from fixline.domain.process.decision import DecisionBuilder, refuse
from fixline.domain.process.effects import Escalate
from fixline.domain.process.kinds.base import WaitingPart, WaitKind, Words, noted, spoken


class WaitStep(WaitingPart):
    """A step that waits: for a named signal, for a span, or until a date that has been answered.

    Outcomes: the signal's name, and `timeout` when the span (or the signal's `at_most`) has passed or the
    date has come.
    """

    kind: Literal["wait"] = "wait"
    signal: str | None = Field(None, description="The signal's name.")
    at_most: Span | None = Field(None, description="The longest wait for the signal.")
    span: Span | None = Field(None, description="A wait of this length.")
    until: str | None = Field(None, description="The name of a date or datetime answer: the wait ends then.")
    then: dict[str, str] = Field(description="Each outcome and the step that follows.")

    shows = ("signal", "until", "waiting_as", "then")
    times = ("span", "at_most")

    def words(self, _name: str) -> Words:
        until = f"Wait until {spoken(self.until)}" if self.until else f"Wait {self.span}"
        title = f"Wait for {spoken(self.signal)}" if self.signal else until
        return Words(title, noted(("at most", self.at_most), ("as", self.waiting_as)))

    @property
    def shown(self) -> dict[str, Any]:
        return {"at_most": self.limit, **super().shown}

    def enter(self, builder: DecisionBuilder, name: str, visit: int) -> str | None:
        """A wait whose date has come already is over at once."""
        what = f" for {self.signal}" if self.signal else f" until {self.until}" if self.until else ""
        text = f"Step {name}: waiting{what}" + (f", {self.limit} at most." if self.limit else ".")
        end = self.wait_until(builder, builder.now) if self.until is not None else None
        if over := end is not None and end <= builder.now:
            text = f"Step {name}: {self.until} has come, there is nothing to wait for."
        walk.entered(builder, name, visit, text)
        if over:
            return walk.go_on(builder, name, TIMEOUT, self.then[TIMEOUT])
        self.say_undated(builder, name)
        return None

    def wait_until(self, builder: DecisionBuilder, since: dt.datetime) -> dt.datetime | None:
        if self.until is None:
            return super().wait_until(builder, since)
        answer = builder.state.answers.get(self.until)
        return instant_of(answer, builder.calendar) if isinstance(answer, str) else None

    def say_undated(self, builder: DecisionBuilder, name: str) -> None:
        """Tell the supervisor of a wait whose date nobody has given: only an answer can end it."""
        if self.until is None or builder.state.answers.get(self.until) is not None:
            return
        text = f"Step {name}: '{self.until}' has no answer yet; waiting until it has. The {SUPERVISOR} is told."
        builder.record(step_facts.WaitUndated(name, self.until), text, actor=SYSTEM)
        builder.cause(Escalate(role=SUPERVISOR, rung=f"no {self.until}", step=name))

    @property
    def exits_at_once(self) -> tuple[str, ...]:
        return (self.then[TIMEOUT],) if self.until is not None and TIMEOUT in self.then else ()

    def waits_on(self, name: str) -> tuple[WaitKind, str]:
        return ("signal", self.signal) if self.signal else ("date", name)


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


def follow_answers(builder: DecisionBuilder) -> None:
    """Move the ends of the waits whose date has been answered anew; one that has passed is over at the next tick."""
    for position in builder.state.positions:
        step = builder.definition.step(position.step)
        if not isinstance(step, WaitStep) or step.until is None:
            continue
        until = step.wait_until(builder, position.entered_at)
        if until != position.wait_until:
            moved = step_facts.WaitMoved(position.step, until, walk.branch_of(builder, position.step))
            text = f"Step {position.step}: waiting until {builder.state.answers.get(step.until)}."
            builder.record(moved, text, actor=SYSTEM)


def signal(builder: DecisionBuilder, command: Signal) -> None:
    """What some step waits for has happened."""
    steps = [(position, builder.definition.step(position.step)) for position in builder.state.positions]
    waiting = [at for at, step in steps if isinstance(step, WaitStep) and step.signal == command.name]
    if not waiting:
        where = " and ".join(f"step {position.step!r}" for position in builder.state.positions)
        raise refuse("signal_not_awaited", f"{where} does not wait for {command.name!r}")
    text = f"Signal {command.name}. {command.reason}".strip()
    builder.record(step_facts.SignalReceived(command.name), text)
    for position in waiting:
        if builder.state.position_of(position.step) == position:  # unless another branch has ended them all
            walk.step_over(builder, position.step, command.name)
