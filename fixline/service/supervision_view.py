"""The supervisors' lines: what the store has found, with what its definition and state say of it.

How long something has lasted or will, elapsed and in working time, and what comes next. Instants are aware UTC.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from fixline.domain.deadlines.calendar import CalendarExhausted
from fixline.domain.deadlines.forecast import next_rung
from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import ClockKind, RequestState, read_state
from fixline.domain.process.kinds.base import WaitKind
from fixline.domain.process.waiting import Waiting, waits
from fixline.store.versions import Versions

Line = dict[str, Any]


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


class SupervisedRequest(BaseModel):
    """The request that a line is about."""

    id: str
    type: str
    title: str | None
    status: str
    step: str | None
    waiting_as: str | None
    on_hold: bool
    priority: str | None
    department: str | None
    team: str | None
    area: str | None
    address: str | None
    latitude: float | None
    longitude: float | None
    opened_at: datetime
    external_id: str | None


class HolderOut(BaseModel):
    """Whose turn it is: a task's holder, or the team where nobody has it yet."""

    task: str | None
    team: str | None
    assignee: str | None


class NextRungOut(BaseModel):
    """The rung of the ladder that fires next."""

    rung: str = Field(description="As the definition writes it.", examples=["75%", "due", "after 1 working day"])
    at: datetime
    tell: str | None = Field(description="The role that it tells.")


class Supervised(BaseModel):
    """What all lines have in common."""

    request: SupervisedRequest

    @classmethod
    def seen(cls, sight: Sight, line: Line) -> Self:
        """What the store has found, with what its definition and state say of it."""
        return cls.model_validate({"request": line, **cls._facts(sight, line)})

    @classmethod
    @abstractmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        """What it says beside the request."""


class ClockLine(Supervised):
    """What lines about a clock have in common."""

    clock: str
    kind: str
    due_at: datetime

    @classmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        known = sight.known(line)
        clock = known.state.clocks.get(line["clock_name"]) if known else None
        following = next_rung(known.definition, clock) if known and clock else None
        return {
            "clock": line["clock_name"],
            "kind": line["clock_kind"],
            "due_at": line["clock_due_at"],
            "holder": line["holder"],
            "last_rung": line["clock_last_rung"],
            "next_rung": following and {"rung": following.rung.when, "at": following.at, "tell": following.rung.tell},
        }


class OverdueOut(ClockLine):
    """One clock that is past its due instant and not met."""

    late_by: str = Field(description="Elapsed since due, as an ISO 8601 duration.", examples=["P1DT2H3M4S"])
    late_by_seconds: int
    late_working: str | None = Field(description="The same in the calendar's opening hours.", examples=["PT9H30M"])
    late_working_seconds: int | None
    holder: HolderOut
    last_rung: str | None = Field(description="The last rung of the ladder that has fired.")
    next_rung: NextRungOut | None = Field(description="Null: the ladder is at its end, or the clock stands.")

    @classmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        late = sight.lasting(line, line["clock_due_at"], sight.now, "late_by", "late_working")
        return super()._facts(sight, line) | late


class DueSoonOut(ClockLine):
    """One clock that runs and will be due."""

    due_in: str = Field(description="Elapsed time left, as an ISO 8601 duration.", examples=["PT5H"])
    due_in_seconds: int
    left_working: str | None = Field(description="The same in the calendar's opening hours.", examples=["PT2H30M"])
    left_working_seconds: int | None
    holder: HolderOut
    last_rung: str | None
    next_rung: NextRungOut | None

    @classmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        left = sight.lasting(line, sight.now, line["clock_due_at"], "due_in", "left_working")
        return super()._facts(sight, line) | left


class DormantOut(Supervised):
    """One open request to which nothing has happened for a while."""

    acted_at: datetime = Field(description="When something last happened to it.")
    quiet: str = Field(description="Elapsed since, as an ISO 8601 duration.")
    quiet_seconds: int
    quiet_working: str | None
    quiet_working_seconds: int | None
    holder: HolderOut

    @classmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        lasted = sight.lasting(line, line["acted_at"], sight.now, "quiet", "quiet_working")
        return {"acted_at": line["acted_at"], "holder": line["holder"], **lasted}


class WaitOut(BaseModel):
    """One thing that a request waits for."""

    model_config = ConfigDict(from_attributes=True)

    kind: WaitKind
    on: str = Field(description="Who or what: a team, a person, an agency, a system, a type, a signal ...")
    step: str | None
    since: datetime
    until: datetime | None = Field(description="When the wait ends by itself.")


class WaitingOut(Supervised):
    """One open request and on whom it waits."""

    waits: WaitOut
    waited: str = Field(description="Elapsed since, as an ISO 8601 duration.")
    waited_seconds: int
    waited_working: str | None
    waited_working_seconds: int | None
    also: list[WaitOut] = Field(description="What else it waits for, as in other branches.")

    @classmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        """The first wait is the one that the store lists it by."""
        known = sight.known(line)
        found = waits(known.definition, known.state) if known else ()
        listed = Waiting(line["waits_for"], line["waits_on"], None, line["waits_since"])
        same = next((each for each in found if each._replace(step=None, until=None) == listed), listed)
        lasted = sight.lasting(line, line["waits_since"], sight.now, "waited", "waited_working")
        return {"waits": same, "also": [each for each in found if each is not same], **lasted}


class UnclaimedTask(BaseModel):
    """A task that nobody has."""

    id: str
    step: str
    kind: str
    title: str
    team: str
    offers: int = Field(description="How often it was offered; more than once: it was given back.")
    offered_at: datetime


class UnclaimedOut(Supervised):
    """One task that is offered and nobody has claimed."""

    task: UnclaimedTask
    claim_by: datetime | None = Field(description="When it is to be claimed, if its step says so.")
    open_for: str = Field(description="Elapsed since it was offered, as an ISO 8601 duration.")
    open_for_seconds: int
    open_working: str | None
    open_working_seconds: int | None

    @classmethod
    def _facts(cls, sight: Sight, line: Line) -> Line:
        task = {name.removeprefix("task_"): value for name, value in line.items() if name.startswith("task_")}
        known = sight.known(line)
        clocks = known.state.live_clocks if known else []
        claims = [clock.due_at for clock in clocks if clock.task == task["id"] and clock.kind is ClockKind.CLAIM]
        lasted = sight.lasting(line, task["offered_at"], sight.now, "open_for", "open_working")
        return {"task": task, "claim_by": next(iter(claims), None), **lasted}


def iso_duration(amount: timedelta, *, in_days: bool = True) -> str:
    """An ISO 8601 duration: P1DT2H3M4S, or PT26H3M4S without days (working time has none of 24 hours)."""
    seconds = int(amount.total_seconds())
    days, seconds = divmod(seconds, 86_400) if in_days else (0, seconds)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    date = f"{days}D" if days else ""
    return f"P{date}T{time}" if time else f"P{date}" if date else "PT0S"
