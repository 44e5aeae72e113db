"""Request types in plain numbers, for the slow oracle of what is overdue, and the definitions that say the same.

Owns two types on two calendars, each with a second version that has other budgets, pauses, deadlines and ladders.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fixline.domain.definition.model import Definition
from tests.support.oracle import DAY, Hours, Plan

Amount = tuple[int, bool]
"""Minutes, and whether they are working ones."""


@dataclass(frozen=True)
class Deadline:
    """A promise: budgets by priority, states that pause it, and shares of it (100: due) that raise the priority."""

    met_by: str
    within: Mapping[str, Amount]
    pauses: frozenset[str] = frozenset()
    raises: tuple[tuple[int, str], ...] = ()

    def budget(self, priority: str) -> Amount:
        """How long it is at a priority."""
        return self.within.get(priority, self.within["otherwise"])


@dataclass(frozen=True)
class Kind:
    """One version of a type, in plain numbers: deadlines, how long tasks may lie and take, when it is urgent."""

    type: str
    plan: Plan
    deadlines: Mapping[str, Deadline]
    claim: Mapping[str, Amount] = field(default_factory=dict)
    due: Mapping[str, Amount] = field(default_factory=dict)
    high_from: int = 10

    def ruled(self, answers: Mapping[str, Any]) -> str:
        """The priority by its answers alone."""
        return "high" if answers.get("depth", 0) >= self.high_from else "normal"


FIRST = dt.datetime(2026, 3, 1, 6, 0, tzinfo=dt.UTC)
"""The month begins: midnight in Chicago, a week before its clocks are put forward."""
LAST = dt.datetime(2026, 4, 1, 5, 0, tzinfo=dt.UTC)
EARLIEST = FIRST - 20 * DAY
"""The oldest requests of the backlog were opened after this."""
OFFICE_HOURS: Hours = [(510, 720), (780, 990)]
NIGHTS: Hours = [(1320, 1800)]
BY_DAY = Plan(
    "America/Chicago",
    [OFFICE_HOURS] * 5 + [[], []],
    EARLIEST,
    holidays={dt.date(2026, 3, 2)},
    exceptions={dt.date(2026, 3, 14): [(540, 720)], dt.date(2026, 3, 20): []},
)
BY_NIGHT = Plan("America/Chicago", [NIGHTS] * 6 + [[]], EARLIEST)
HELD, WEATHER = "on_hold", "waiting_for_weather"
HOLE = Kind(
    "hole",
    BY_DAY,
    {
        "first_look": Deadline("inspect", {"high": (240, True), "otherwise": (960, True)}, raises=((100, "high"),)),
        "resolve": Deadline(
            "closed",
            {"urgent": (480, True), "high": (960, True), "otherwise": (2400, True)},
            frozenset({HELD, WEATHER}),
            ((80, "high"), (100, "urgent")),
        ),
    },
    claim={"inspect": (120, True), "check": (300, False)},
    due={"inspect": (480, True), "repair": (720, True)},
)
HOLE_AFTER = Kind(
    "hole",
    BY_DAY,
    {
        "resolve": Deadline(
            "closed",
            {"urgent": (300, True), "high": (1440, False), "otherwise": (1680, True)},
            frozenset({HELD}),
            ((80, "high"), (100, "urgent")),
        ),
        "repaired": Deadline("repair", {"otherwise": (1200, True)}, frozenset({HELD, WEATHER}), ((50, "high"),)),
    },
    claim={"repair": (180, True), "check": (300, False)},
    due={"inspect": (240, True), "check": (600, True)},
    high_from=8,
)
LAMP = Kind(
    "lamp",
    BY_NIGHT,
    {
        "resolve": Deadline(
            "closed",
            {"urgent": (1440, False), "high": (900, True), "otherwise": (4320, False)},
            frozenset({WEATHER}),
            ((100, "high"),),
        ),
        "looked_at": Deadline("inspect", {"high": (360, False), "otherwise": (480, True)}, frozenset({HELD})),
    },
    claim={"repair": (240, True)},
    due={"repair": (960, True)},
    high_from=15,
)
LAMP_AFTER = Kind(
    "lamp",
    BY_NIGHT,
    {
        "resolve": Deadline("closed", {"urgent": (480, True), "otherwise": (1200, True)}, frozenset({HELD, WEATHER})),
        "looked_at": Deadline("inspect", {"otherwise": (600, False)}, frozenset({HELD}), ((50, "urgent"),)),
    },
    claim={"inspect": (600, False), "repair": (240, True)},
    due={"repair": (480, True)},
    high_from=15,
)
TEAMS = {"inspect": "street-inspectors", "repair": "street-dispatch", "check": "street-dispatch"}
OUTCOMES = {"inspect": ("found", "found", "found", "wet", "nothing"), "repair": ("done", "done", "wet", "again"),
            "check": ("passed", "passed", "failed")}  # fmt: skip


def definition_of(kind: Kind) -> Definition:
    """The definition that says the same."""
    people = {
        "inspect": ("inspection", {"found": "repair", "wet": "dry_road", "nothing": "nothing"}),
        "repair": ("dispatch", {"done": "check", "wet": "dry_road", "again": "inspect"}),
        "check": ("task", {"passed": "fixed", "failed": "repair"}),
    }
    steps: dict[str, Any] = {
        name: {
            "kind": work,
            "title": name,
            "team": TEAMS[name],
            "then": then,
            **({"claim_within": _span(kind.claim[name])} if name in kind.claim else {}),
            **({"due": _span(kind.due[name])} if name in kind.due else {}),
        }
        for name, (work, then) in people.items()
    }
    steps["dry_road"] = {
        "kind": "wait",
        "signal": "dry_weather",
        "at_most": "2 calendar days",
        "waiting_as": WEATHER,
        "then": {"dry_weather": "repair", "timeout": "repair"},
    }
    steps["fixed"] = {"kind": "close", "outcome": "fixed", "say": "It is done."}
    steps["nothing"] = {"kind": "close", "outcome": "no_problem_found", "say": "There was nothing."}
    return Definition.model_validate(
        {
            "type": kind.type,
            "title": kind.type,
            "department": "transportation",
            "intake": {"location": "none", "questions": {"depth": {"kind": "number", "required": True}}},
            "priority": [{"when": f"depth >= {kind.high_from}", "is": "high"}, {"is": "normal"}],
            "calendar": kind.plan.calendar(),
            "deadlines": {name: _deadline(deadline) for name, deadline in kind.deadlines.items()},
            "start": "inspect",
            "steps": steps,
            "cancel": {"supervisor": "always"},
            "reopen": {"by": ["supervisor"], "within": "14 calendar days", "at": "repair"},
        }
    )


def _deadline(deadline: Deadline) -> dict[str, Any]:
    ladder = [
        {**({"at_due": True} if share == 100 else {"at_percent": share}), "tell": "supervisor", "raise_priority": to}
        for share, to in deadline.raises
    ]
    budgets = {name: _span(budget) for name, budget in deadline.within.items()}
    within = {"otherwise": budgets.pop("otherwise"), "by_priority": budgets}
    return {
        "met_by": deadline.met_by,
        "within": within,
        "paused_while": sorted(deadline.pauses),
        "escalate": ladder,
    }


def _span(amount: Amount) -> str:
    return f"{amount[0]} {'working' if amount[1] else 'calendar'} minutes"
