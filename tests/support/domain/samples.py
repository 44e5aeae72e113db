"""Sample definitions and actors of the domain's tests, built straight from the model.

Owns what the tests of this folder run on. The real definitions are checked by the catalog's tests.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import SYSTEM, Actor, Role

ADMIN = Actor(name="ada", role=Role.ADMIN)
SUPERVISOR = Actor(name="sue", role=Role.SUPERVISOR)
CREW = Actor(name="carl", role=Role.CREW, teams=("crew", "asphalt-2", "asphalt-central", "street-inspectors"))
MATE = Actor(name="mia", role=Role.CREW, teams=("crew", "asphalt-2", "asphalt-central", "street-inspectors"))
STRANGER = Actor(name="otto", role=Role.CREW, teams=("other-team",))
REPORTER = Actor(name="rita", role=Role.REPORTER)
SERVICE = Actor(name="app", role=Role.SERVICE)
ACTORS = (ADMIN, SUPERVISOR, CREW, MATE, STRANGER, REPORTER, SERVICE, SYSTEM)

MONDAY = dt.date(2026, 6, 1)
CHICAGO = ZoneInfo("America/Chicago")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text: str, week: int = 0) -> dt.datetime:
    """An instant by its local time in a plain working week: "fri 15:59", `week` weeks later."""
    day, clock = text.split()
    date = MONDAY + dt.timedelta(days=_DAYS.index(day) + 7 * week)
    local = dt.datetime.combine(date, dt.time.fromisoformat(clock), CHICAGO)
    return local.astimezone(dt.UTC)


OFFICE = WorkingCalendar.model_validate(
    {
        "name": "office",
        "timezone": "America/Chicago",
        "day": "8 hours",
        "weekly": dict.fromkeys(_DAYS[:5], ("08:00-16:00",)),
        "holidays": [{"date": "2026-07-03", "name": "Independence Day, observed"}],
    }
)
ALWAYS = WorkingCalendar.model_validate(
    {
        "name": "always",
        "timezone": "America/Chicago",
        "day": "24 hours",
        "weekly": dict.fromkeys(_DAYS, ("00:00-24:00",)),
    }
)

FIXED = {"kind": "close", "outcome": "fixed", "say": "It is done."}
NORMAL = [{"is": "normal"}]


def simple(**changes: Any) -> Definition:
    """A type with one task that can be done again, without deadlines; `changes` replace whole parts."""
    parts: dict[str, Any] = {
        "type": "simple",
        "title": "Something simple",
        "department": "works",
        "intake": {"location": "none"},
        "priority": NORMAL,
        "calendar": OFFICE,
        "start": "work",
        "steps": {
            "work": {
                "kind": "task",
                "title": "Do it",
                "team": "crew",
                "then": {"done": "fixed", "again": "work"},
            },
            "fixed": FIXED,
        },
    }
    return Definition.model_validate({**parts, **changes})


def with_clock(within: Any, *, priority: Any = NORMAL, intake: Any = None, **deadline: Any) -> Definition:
    """The simple type with one deadline, `resolve`, that closing meets."""
    budget = within if isinstance(within, dict) else {"otherwise": within}
    resolve = {"met_by": "closed", "within": budget, "paused_while": ["on_hold"], **deadline}
    return simple(deadlines={"resolve": resolve}, priority=priority, intake=intake or {"location": "none"})


def pothole() -> Definition:
    """Inspection, repair by district, a wait for dry weather that pauses the deadline, a check."""
    return Definition.model_validate(
        {
            "type": "pothole",
            "title": "Pothole in street",
            "department": "transportation",
            "intake": {
                "location": "required",
                "questions": {
                    "lane": {
                        "kind": "choice",
                        "options": {"bike": "Bike lane", "curb": "Curb lane", "traffic": "Traffic lane"},
                        "required": True,
                    },
                    "depth": {"kind": "number", "min": 0, "max": 100},
                },
                "photos": {"max": 2},
            },
            "priority": [{"when": "depth >= 10 || lane == 'bike'", "is": "high"}, {"is": "normal"}],
            "calendar": OFFICE,
            "deadlines": {
                "first_look": {
                    "met_by": "inspect",
                    "within": {
                        "by_priority": {"high": "4 working hours"},
                        "otherwise": "2 working days",
                    },
                },
                "resolve": {
                    "met_by": "closed",
                    "within": {"by_priority": {"high": "2 working days"}, "otherwise": "7 working days"},
                    "paused_while": ["on_hold", "waiting_for_weather"],
                    "escalate": [
                        {"at_percent": 75, "tell": "crew_lead"},
                        {"at_due": True, "tell": "supervisor", "raise_priority": "high"},
                        {
                            "after": "1 working day",
                            "every": "1 working day",
                            "up_to": 5,
                            "tell": "deputy_commissioner",
                        },
                    ],
                },
            },
            "start": "inspect",
            "steps": {
                "inspect": {
                    "kind": "inspection",
                    "title": "Measure and photograph the hole",
                    "team": "street-inspectors",
                    "claim_within": "4 working hours",
                    "form": {
                        "depth": {"kind": "number", "min": 0, "required_for": ["pothole"]},
                        "photo": {"kind": "photo", "required": True},
                    },
                    "then": {"pothole": "triage", "nothing_found": "nothing_found"},
                },
                "triage": {
                    "kind": "choose",
                    "branches": [{"when": "depth >= 30", "go": "dry_road"}, {"go": "repair"}],
                },
                "repair": {
                    "kind": "dispatch",
                    "title": "Fill the pothole",
                    "team": {"by": "district", "as": "asphalt-{district}", "elsewhere": "asphalt-central"},
                    "claim_within": "1 working day",
                    "due": "3 working days",
                    "form": {"filled": {"kind": "number", "min": 1, "required_for": ["done"]}},
                    "then": {"done": "fixed", "too_wet": "dry_road", "no_access": "inspect"},
                },
                "dry_road": {
                    "kind": "wait",
                    "signal": "dry_weather",
                    "at_most": "5 calendar days",
                    "waiting_as": "waiting_for_weather",
                    "then": {"dry_weather": "repair", "timeout": "repair"},
                },
                "fixed": FIXED,
                "nothing_found": {"kind": "close", "outcome": "no_problem_found"},
            },
            "cancel": {"reporter": "repair", "supervisor": "always"},
            "notify": ["received", "step_done", "on_hold", "due_changed", "closed"],
        }
    )


def vehicle() -> Definition:
    """An abandoned vehicle: a sticker, seven days that nothing can shorten, a second look, the tow."""
    look = {"kind": "inspection", "title": "Look at the vehicle", "team": "crew"}
    return Definition.model_validate(
        {
            "type": "vehicle",
            "title": "Abandoned vehicle",
            "department": "streets",
            "intake": {"location": "optional", "questions": {"plate": {"kind": "text"}}},
            "priority": NORMAL,
            "calendar": ALWAYS,
            "deadlines": {
                "remove": {
                    "met_by": "closed",
                    "within": {"otherwise": "10 calendar days"},
                    "paused_while": ["sticker_runs"],
                    "escalate": [
                        {"at_percent": 50, "tell": "crew_lead"},
                        {"at_percent": 50, "tell": "clerk"},
                        {"after": "12 calendar hours", "tell": "supervisor"},
                        {"after": "1 working day", "every": "6 calendar hours", "up_to": 3, "tell": "chief"},
                    ],
                }
            },
            "start": "sticker",
            "steps": {
                "sticker": {**look, "due": "2 calendar days", "then": {"stickered": "seven_days", "gone": "gone"}},
                "seven_days": {
                    "kind": "wait",
                    "span": "7 calendar days",
                    "waiting_as": "sticker_runs",
                    "then": {"timeout": "second_look"},
                },
                "second_look": {**look, "then": {"still_there": "tow", "gone": "gone"}},
                "tow": {
                    "kind": "dispatch",
                    "title": "Tow it",
                    "team": "crew",
                    "claim_within": "6 calendar hours",
                    "due": "1 calendar day",
                    "then": {"towed": "towed", "not_found": "gone", "new_sticker": "seven_days"},
                },
                "towed": FIXED,
                "gone": {"kind": "close", "outcome": "no_problem_found"},
            },
            "cancel": {"reporter": None, "supervisor": None},
            "notify": ["received", "closed"],
        }
    )


def looping() -> Definition:
    """Desk work that goes round, a wait with no end of its own, and deadlines that raise the priority."""
    return Definition.model_validate(
        {
            "type": "looping",
            "title": "Round and round",
            "department": "works",
            "intake": {
                "location": "none",
                "questions": {"weight": {"kind": "number"}, "sure": {"kind": "yes_no"}},
            },
            "priority": [
                {"when": "weight > 100", "is": "urgent"},
                {"when": "sure && weight > 10", "is": "high"},
                {"when": "sure", "is": "normal"},
                {"is": "low"},
            ],
            "calendar": OFFICE,
            "deadlines": {
                "answer": {
                    "met_by": "desk",
                    "within": {
                        "by_priority": {"urgent": "30 working minutes", "high": "3 calendar hours"},
                        "otherwise": "1 working day",
                    },
                    "paused_while": ["asked"],
                    "escalate": [
                        {"at_percent": 1, "tell": "clerk"},
                        {"at_percent": 99, "raise_priority": "high"},
                        {"at_due": True, "tell": "clerk", "raise_priority": "urgent"},
                        {"after": "1 calendar day", "every": "90 working minutes", "up_to": 4, "tell": "chief"},
                    ],
                },
                "done": {
                    "met_by": "closed",
                    "within": {
                        "by_priority": {"urgent": "2 calendar days", "high": "4 working days"},
                        "otherwise": "10 working days",
                    },
                    "paused_while": ["on_hold", "asked", "slept"],
                    "escalate": [
                        {"at_percent": 10, "tell": "clerk", "raise_priority": "normal"},
                        {"at_percent": 50, "tell": "clerk"},
                        {"at_due": True, "tell": "chief"},
                        {"after": "2 working hours", "every": "1 calendar day", "up_to": 2, "tell": "chief"},
                    ],
                },
            },
            "start": "desk",
            "steps": {
                "desk": {
                    "kind": "task",
                    "title": "Decide",
                    "team": "crew",
                    "claim_within": "30 working minutes",
                    "due": "2 working hours",
                    "form": {"weight": {"kind": "number"}},
                    "then": {"again": "desk", "ask": "asked", "sleep": "slept", "go": "which"},
                },
                "asked": {
                    "kind": "wait",
                    "signal": "answer",
                    "waiting_as": "asked",
                    "then": {"answer": "desk"},
                },
                "slept": {
                    "kind": "wait",
                    "signal": "wake",
                    "at_most": "2 working hours",
                    "waiting_as": "slept",
                    "then": {"wake": "which", "timeout": "slept"},
                },
                "which": {
                    "kind": "choose",
                    "branches": [
                        {"when": "weight > 50", "go": "desk"},
                        {"when": "sure", "go": "second"},
                        {"go": "fixed"},
                    ],
                },
                "second": {
                    "kind": "choose",
                    "branches": [{"when": "weight < 0", "go": "slept"}, {"go": "not_ours"}],
                },
                "fixed": FIXED,
                "not_ours": {"kind": "close", "outcome": "declined"},
            },
            "cancel": {"reporter": "always", "supervisor": "always"},
            "notify": ["due_changed"],
        }
    )
