"""The supervisors' lines: what the store has found, with what its definition and state say of it.

Owns how long something has lasted or will, elapsed and in working time, and what comes next. The HTTP API and the
command line show the same lines. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from fixline.domain.calendar import CalendarExhausted
from fixline.domain.definition import Definition
from fixline.domain.ladders import next_rung
from fixline.domain.state import ClockKind, RequestState, read_state
from fixline.domain.waiting import Waiting, waits
from fixline.store.versions import Versions
from fixline.web.views import iso_duration

Line = dict[str, Any]
Shape = Callable[["Sight", Line], Line]


class _Known(NamedTuple):
    definition: Definition
    state: RequestState


class Sight:
    """One look at the store: the definitions and states behind its lines, each read once."""

    def __init__(self, session: Session, versions: Versions, now: datetime) -> None:
        self._session = session
        self._versions = versions
        self._states: dict[str, RequestState] = {}
        self.now = now

    def known(self, line: Line) -> _Known | None:
        """The definition that the line's request follows, and its state; None for history."""
        if line["version"] is None or line["state"] is None:
            return None
        state = self._states.get(line["id"])
        if state is None:
            state = self._states[line["id"]] = read_state(line["state"])
        return _Known(self._versions.load(self._session, line["version"]), state)

    def lasting(self, line: Line, since: datetime, until: datetime, elapsed: str, working: str) -> Line:
        """The time between two instants under two names, elapsed and in opening hours, as durations and seconds."""
        found = {elapsed: iso_duration(until - since), f"{elapsed}_seconds": int((until - since).total_seconds())}
        known = self.known(line)
        try:
            worked = known.definition.calendar.working_time(since, until) if known else None
        except CalendarExhausted:
            worked = None
        return found | {
            working: iso_duration(worked, in_days=False) if worked is not None else None,
            f"{working}_seconds": int(worked.total_seconds()) if worked is not None else None,
        }


def overdue_line(sight: Sight, line: Line) -> Line:
    """One overdue clock."""
    return _clock(sight, line) | sight.lasting(line, line["clock_due_at"], sight.now, "late_by", "late_working")


def due_soon_line(sight: Sight, line: Line) -> Line:
    """One clock that will be due."""
    return _clock(sight, line) | sight.lasting(line, sight.now, line["clock_due_at"], "due_in", "left_working")


def _clock(sight: Sight, line: Line) -> Line:
    known = sight.known(line)
    clock = known.state.clocks.get(line["clock_name"]) if known else None
    rung = next_rung(known.definition, clock) if known and clock else None
    return {
        "request": line,
        "clock": line["clock_name"],
        "kind": line["clock_kind"],
        "due_at": line["clock_due_at"],
        "holder": line["holder"],
        "last_rung": line["clock_last_rung"],
        "next_rung": rung._asdict() if rung else None,
    }


def dormant_line(sight: Sight, line: Line) -> Line:
    """One request to which nothing happens."""
    lasted = sight.lasting(line, line["acted_at"], sight.now, "quiet", "quiet_working")
    return {"request": line, "acted_at": line["acted_at"], "holder": line["holder"], **lasted}


def waiting_line(sight: Sight, line: Line) -> Line:
    """One request and what it waits for: the first is the one that the store lists it by."""
    known = sight.known(line)
    found = [each._asdict() for each in waits(known.definition, known.state)] if known else []
    listed = Waiting(line["waits_for"], line["waits_on"], None, line["waits_since"])._asdict()
    same = next((each for each in found if _key(each) == _key(listed)), listed)
    lasted = sight.lasting(line, line["waits_since"], sight.now, "waited", "waited_working")
    return {"request": line, "waits": same, "also": [each for each in found if each is not same], **lasted}


def _key(wait: Mapping[str, Any]) -> tuple[Any, ...]:
    return wait["kind"], wait["on"], wait["since"]


def unclaimed_line(sight: Sight, line: Line) -> Line:
    """One task that nobody has claimed."""
    task = {name.removeprefix("task_"): value for name, value in line.items() if name.startswith("task_")}
    known = sight.known(line)
    clocks = known.state.live_clocks if known else []
    claims = [clock.due_at for clock in clocks if clock.task == task["id"] and clock.kind is ClockKind.CLAIM]
    lasted = sight.lasting(line, task["offered_at"], sight.now, "open_for", "open_working")
    return {"request": line, "task": task, "claim_by": next(iter(claims), None), **lasted}
