"""`fixline explain`: when every clock of a type runs out for a request that is opened at a given time, as people write
it: `2026-11-20 16:00`, `Fri 16:00`, `16:00`, in the calendar's time zone."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer

from fixline.cli.common import AsJson, Trouble, Type, WrongUse, put
from fixline.cli.definitions import checked_definition
from fixline.domain.deadlines.clocks import Firing
from fixline.domain.deadlines.forecast import ClockAhead, deadlines_ahead, steps_ahead, usual_priority
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import Priority

_BY_DAY = re.compile(r"(?:([a-z]+)\s+)?(\d{1,2}):(\d{2})", re.IGNORECASE)
_BY_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[ tT](\d{1,2}):(\d{2})(?::(\d{2}))?\s*(z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_SHAPES = "write it like '2026-11-20 16:00', '2026-11-20T16:00-06:00', 'Fri 16:00' or '16:00'"


class Moment(NamedTuple):
    """The instant (aware UTC), and what has to be said about how it was read (empty: nothing)."""

    at: datetime
    note: str


def explain(
    type_: Type,
    opened: Annotated[
        str, typer.Option(metavar="TIME", help="'2026-11-20 16:00' or 'Fri 16:00', in the calendar's time zone.")
    ],
    priority: Annotated[
        Priority | None, typer.Option(help="The priority. [default: that of a request whose answers meet no condition]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    definition = checked_definition(type_)
    if definition.redirect is not None:
        raise Trouble(f"{type_} takes no requests; whoever reports is told to turn to: {definition.redirect.to}")
    zone = ZoneInfo(definition.calendar.timezone)
    moment = read_moment(opened, zone, datetime.now(UTC))
    told = _outlook(definition, moment, priority or usual_priority(definition), zone)
    put(told, _in_words(told, zone), as_json=as_json)


def _outlook(definition: Definition, moment: Moment, priority: Priority, zone: ZoneInfo) -> dict[str, Any]:
    """Everything that the command tells, as JSON; instants in UTC and as the calendar's zone shows them."""
    return {
        "type": definition.type,
        "priority": priority.value,
        "calendar": definition.calendar.name,
        "timezone": definition.calendar.timezone,
        "opened": _instant(moment.at, zone),
        "open_then": definition.calendar.is_open(moment.at),
        "note": moment.note or None,
        "deadlines": [
            {"met_by": definition.deadlines[clock.name].met_by, **_clock(clock, zone)}
            for clock in deadlines_ahead(definition, moment.at, priority)
        ],
        "steps": [
            {"step": step, "kind": definition.steps[step].kind, "limit": limit, **_clock(clock, zone)}
            for (step, limit), clock in steps_ahead(definition, moment.at).items()
        ],
        "start": definition.start,
    }


def _clock(clock: ClockAhead, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "name": clock.name,
        "within": str(clock.budget),
        "due": None if clock.due_at is None else _instant(clock.due_at, zone),
        "paused_while": list(clock.paused_while),
        "rungs": [_rung(rung, zone) for rung in clock.rungs],
    }


def _rung(ahead: Firing, zone: ZoneInfo) -> dict[str, Any]:
    raised = ahead.rung.raise_priority
    return {
        "when": ahead.rung.when,
        "time": ahead.time,
        "at": _instant(ahead.at, zone),
        "tell": ahead.rung.tell,
        "raise_priority": raised.value if raised else None,
        "reassign_to": ahead.rung.reassign_to,
    }


def _instant(at: datetime, zone: ZoneInfo) -> dict[str, str]:
    return {"utc": at.isoformat().replace("+00:00", "Z"), "local": at.astimezone(zone).isoformat()}


def _in_words(told: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    closed = "" if told["open_then"] else "; the calendar is closed then"
    yield f"{told['type']}, priority {told['priority']}, calendar {told['calendar']} ({told['timezone']})"
    yield f"opened   {_shown(told['opened'], zone)}{closed}"
    if told["note"]:
        yield f"         {told['note']}"
    for clock in told["deadlines"]:
        met = "it is closed" if clock["met_by"] == "closed" else f"{clock['met_by']} is first completed"
        yield f"\n{clock['name']}: {clock['within']} from opening until {met}"
        yield from _ladder(clock, zone)
    if told["steps"]:
        yield f"\nSteps, as if each were entered then (the first is {told['start']}); those of tasks stand on hold:"
    for clock in told["steps"]:
        limit = clock["limit"].replace("_", " ")
        yield f"  {_shown(clock['due'], zone)}  {clock['step']}: {limit} {clock['within']}"
    if any(rung["raise_priority"] for clock in told["deadlines"] for rung in clock["rungs"]):
        yield "\nA rung that raises the priority gives clocks that are not yet due the budget of the new one."


def _ladder(clock: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """The clock's due among its rungs, in the order of time."""
    due = clock["due"]
    lines = [(due["utc"] if due else "~", 0, f"  {_shown(due, zone)}  due")]
    for rung in clock["rungs"]:
        told = f"tells {rung['tell']}" if rung["tell"] else ""
        raised = f"raises the priority to {rung['raise_priority']}" if rung["raise_priority"] else ""
        again = f" ({rung['time']}.)" if rung["time"] > 1 else ""
        given = f"gives the work to {rung['reassign_to']}" if rung["reassign_to"] else ""
        does = " and ".join(part for part in (told, raised, given) if part)
        words = f"  {_shown(rung['at'], zone)}  {rung['when']}{again}: {does}"
        lines.append((rung["at"]["utc"], 1, words))
    yield from (text for _, _, text in sorted(lines, key=lambda line: line[:2]))
    if clock["paused_while"]:
        yield f"  stands while {', '.join(clock['paused_while'])}"


def _shown(instant: dict[str, str] | None, zone: ZoneInfo) -> str:
    if instant is None:
        return f"{'beyond the calendar':<46}"
    utc = datetime.fromisoformat(instant["utc"])
    local = utc.astimezone(zone)
    return f"{local:%a %Y-%m-%d %H:%M:%S} {local:%Z}  ({utc:%Y-%m-%d %H:%M:%S}Z)"


def read_moment(text: str, zone: ZoneInfo, now: datetime) -> Moment:
    """The instant that a text means in the zone.

    A weekday means the next such time after `now`, a time alone the next time the clock shows it. A time that the
    clocks show twice is its first; one with an offset is exact. Raises WrongUse for what cannot be read, and for a
    time that the clocks skip.
    """
    plain = " ".join(text.split())
    if found := _BY_DATE.fullmatch(plain):
        return _by_date(plain, found, zone)
    if found := _BY_DAY.fullmatch(plain):
        return _by_day(plain, found, zone, now)
    raise WrongUse(f"--opened: '{text}' cannot be read: {_SHAPES}")


def _by_date(text: str, found: re.Match[str], zone: ZoneInfo) -> Moment:
    day, hour, minute, second, offset = found.groups()
    try:
        local = datetime.combine(date.fromisoformat(day), time(int(hour), int(minute), int(second or 0)))
        if offset is not None:
            exact = datetime.fromisoformat(f"{local.isoformat()}{offset.upper()}")
            return Moment(exact.astimezone(UTC), "")
    except ValueError as problem:
        raise WrongUse(f"--opened: '{text}' cannot be read ({problem}): {_SHAPES}") from None
    return _in_zone(local, zone, "")


def _by_day(text: str, found: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment:
    word, hour, minute = found.groups()
    days = [name for name in calendar.day_name if word and word.lower() in (name.lower(), name[:3].lower())]
    if (word and not days) or int(hour) > 23 or int(minute) > 59:
        raise WrongUse(f"--opened: '{text}' cannot be read: {_SHAPES}")
    today = now.astimezone(zone).date()
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        if days and calendar.day_name[day.weekday()] != days[0]:
            continue
        moment = _in_zone(datetime.combine(day, time(int(hour), int(minute))), zone, f"read as {day:%A, %Y-%m-%d}")
        if moment.at > now:
            return moment
    raise WrongUse(f"--opened: '{text}' does not come within nine days")


def _in_zone(local: datetime, zone: ZoneInfo, note: str) -> Moment:
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return Moment(first.astimezone(UTC), note)
    shown = f"{local:%Y-%m-%d %H:%M}"
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise WrongUse(f"--opened: there is no {shown} in {zone.key}: the clocks go forward over it")
    other = f"write {second.isoformat()} for the other"
    twice = f"the clocks of {zone.key} show {shown} twice, the first is meant ({other})"
    return Moment(first.astimezone(UTC), f"{note}; {twice}" if note else twice)
