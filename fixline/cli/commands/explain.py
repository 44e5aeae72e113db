"""`fixline explain`: when every clock of a type runs out for a request that is opened at a given time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from fixline.cli.definitions import read_checked
from fixline.cli.instants import Moment, read_moment
from fixline.cli.outcome import Trouble

if TYPE_CHECKING:
    from fixline.domain.deadlines.clocks import Firing
    from fixline.domain.deadlines.forecast import ClockAhead
    from fixline.domain.definition.model import Definition
    from fixline.domain.definition.vocabulary import Priority

Word = Literal["low", "normal", "high", "urgent"]
"""The priorities, so that the list of commands does without the domain."""


def explain(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="The request type, such as pothole.")],
    opened: Annotated[
        str, typer.Option(metavar="TIME", help="'2026-11-20 16:00' or 'Fri 16:00', in the calendar's time zone.")
    ],
    priority: Annotated[
        Word | None, typer.Option(help="The priority. [default: that of a request whose answers meet no condition]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Say when every clock runs out: deadlines with their rungs, and the limits of every step."""
    from fixline.domain.deadlines.forecast import usual_priority
    from fixline.domain.definition.vocabulary import Priority
    from fixline.service.submissions import utc_now

    definition = read_checked(type_)
    if definition.redirect is not None:
        raise Trouble(f"{type_} takes no requests; whoever reports is told to turn to: {definition.redirect.to}")
    zone = ZoneInfo(definition.calendar.timezone)
    moment = read_moment(opened, zone, utc_now())
    told = outlook(definition, moment, Priority(priority) if priority else usual_priority(definition))
    if as_json:
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(in_words(told)))


def outlook(definition: Definition, moment: Moment, priority: Priority) -> dict[str, Any]:
    """Everything that the command tells, as JSON; instants in UTC and as the calendar's zone shows them."""
    from fixline.domain.deadlines.forecast import deadlines_ahead, steps_ahead

    zone = ZoneInfo(definition.calendar.timezone)
    return {
        "type": definition.type,
        "priority": priority.value,
        "calendar": definition.calendar.name,
        "timezone": definition.calendar.timezone,
        "opened": _instant(moment.at, zone),
        "open_then": definition.calendar.is_open(moment.at),
        "note": moment.note or None,
        "deadlines": [
            {"met_by": each.met_by, **_clock(each.clock, zone)}
            for each in deadlines_ahead(definition, moment.at, priority)
        ],
        "steps": [
            {"step": each.step, "kind": each.kind, "limit": each.limit, **_clock(each.clock, zone)}
            for each in steps_ahead(definition, moment.at)
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


def in_words(told: dict[str, Any]) -> list[str]:
    """The same for people, line by line."""
    zone = ZoneInfo(told["timezone"])
    closed = "" if told["open_then"] else "; the calendar is closed then"
    lines = [
        f"{told['type']}, priority {told['priority']}, calendar {told['calendar']} ({told['timezone']})",
        f"opened   {_shown(told['opened'], zone)}{closed}",
    ]
    lines += [f"         {told['note']}"] if told["note"] else []
    for clock in told["deadlines"]:
        lines += ["", f"{clock['name']}: {clock['within']} from opening until {_met(clock['met_by'])}"]
        lines += _ladder(clock, zone)
    if told["steps"]:
        lines += [
            "",
            f"Steps, as if each were entered then (the first is {told['start']}); those of tasks stand on hold:",
        ]
    for clock in told["steps"]:
        limit = clock["limit"].replace("_", " ")
        lines.append(f"  {_shown(clock['due'], zone)}  {clock['step']}: {limit} {clock['within']}")
    if any(rung["raise_priority"] for clock in told["deadlines"] for rung in clock["rungs"]):
        lines += ["", "A rung that raises the priority gives clocks that are not yet due the budget of the new one."]
    return lines


def _met(met_by: str) -> str:
    return "it is closed" if met_by == "closed" else f"{met_by} is first completed"


def _ladder(clock: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """The clock's due among its rungs, in the order of time."""
    due = clock["due"]
    lines = [(due["utc"] if due else "~", 0, f"  {_shown(due, zone)}  due")]
    for rung in clock["rungs"]:
        told = f"tells {rung['tell']}" if rung["tell"] else ""
        raised = f"raises the priority to {rung['raise_priority']}" if rung["raise_priority"] else ""
        time = f" ({rung['time']}.)" if rung["time"] > 1 else ""
        given = f"gives the work to {rung['reassign_to']}" if rung["reassign_to"] else ""
        does = " and ".join(part for part in (told, raised, given) if part)
        words = f"  {_shown(rung['at'], zone)}  {rung['when']}{time}: {does}"
        lines.append((rung["at"]["utc"], 1, words))
    stands = [f"  stands while {', '.join(clock['paused_while'])}"] if clock["paused_while"] else []
    return [text for _, _, text in sorted(lines, key=lambda line: line[:2])] + stands


def _shown(instant: dict[str, str] | None, zone: ZoneInfo) -> str:
    if instant is None:
        return f"{'beyond the calendar':<46}"
    utc = datetime.fromisoformat(instant["utc"])
    local = utc.astimezone(zone)
    return f"{local:%a %Y-%m-%d %H:%M:%S} {local:%Z}  ({utc:%Y-%m-%d %H:%M:%S}Z)"
