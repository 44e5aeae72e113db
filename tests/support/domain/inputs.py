"""What random walks over requests give: amounts of time, answers, forms, places; right ones and wrong ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fixline.domain.definition.model import Definition

AMOUNTS = [
    dt.timedelta(),
    dt.timedelta(microseconds=1),
    dt.timedelta(seconds=90),
    dt.timedelta(minutes=31),
    dt.timedelta(hours=2),
    dt.timedelta(hours=9),
    dt.timedelta(days=1),
    dt.timedelta(days=3),
    dt.timedelta(days=40),
    -dt.timedelta(minutes=5),
    -dt.timedelta(days=2),
]
ANSWERS: list[dict[str, Any]] = [
    {},
    {"depth": 5, "lane": "curb", "weight": 3, "sure": True, "plate": "A"},
    {"depth": 12},
    {"depth": 35},
    {"lane": "bike"},
    {"weight": 200},
    {"weight": 20, "sure": True},
    {"weight": -1},
    {"weight": 1e300},
    {"depth": -1},
    {"lane": "sky"},
    {"lane": ["curb"]},
    {"plate": 7},
    {"plate": " "},
    {"lane": None, "sure": False},
    {"other": 1},
    {"day": "2026-06-04", "moment": "2026-06-03T12:00:00-05:00"},
    {"day": "2026-05-01", "moment": "2026-05-01T12:00:00Z"},
    {"day": "9999-12-31", "moment": "0001-01-01T00:00:00+14:00"},
    {"day": "0001-01-01", "moment": "9999-12-31T23:59:59-12:00"},
    {"day": "2026-07-01"},
]
FORMS: list[dict[str, Any]] = [
    {},
    {"depth": 3, "photo": "p"},
    {"depth": 40, "photo": "p"},
    {"photo": "p"},
    {"filled": 1},
    {"filled": 0},
    {"weight": 60},
    {"weight": 5.5},
    {"weight": "heavy"},
    {"photo": 7},
    {"day": "2026-06-10"},
]
PLACES: list[dict[str, Any] | None] = [
    None,
    {},
    {"address": "2 Main Street"},
    {"latitude": 41.8, "longitude": -87.6},
    {"address": " "},
]
AREAS: list[dict[str, str]] = [{}, {"district": "2"}, {"district": "central"}, {"ward": "9"}]
OLDER = {"id": "R-0", "opened_at": dt.datetime(2026, 5, 1, tzinfo=dt.UTC)}
ABOUT_DUPLICATES: list[tuple[str, dict[str, Any]]] = [
    ("attach", {"to": OLDER, "reason": "the same"}),
    ("attach", {"to": {**OLDER, "id": "R-2", "opened_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}, "reason": "later"}),
    ("attach", {"to": {**OLDER, "id": "R-1"}, "reason": "itself"}),
    ("detach", {"reason": "another"}),
    ("duplicate_attached", {"duplicate": "R-3"}),
    ("duplicate_detached", {"duplicate": "R-3"}),
    ("original_closed", {"original": "R-0", "outcome": "fixed"}),
    ("original_closed", {"original": "R-0", "outcome": "no_problem_found"}),
    ("original_closed", {"original": "R-9", "outcome": "fixed"}),
    ("original_attached", {"original": "R-0", "to": "R-00"}),
]


def with_reopen(kind: Definition) -> Definition:
    """The type, reopened at its start for three days by whoever may."""
    reopen = {"by": ["reporter", "supervisor"], "within": "3 calendar days", "at": kind.start}
    return changed(kind, reopen=reopen)


def other_version(kind: Definition) -> Definition:
    """Another version: each deadline shorter and with another ladder, one more that comes, titles of steps changed."""
    parts = kind.model_dump(mode="json", by_alias=True)
    for deadline in parts["deadlines"].values():
        deadline["within"] = {"otherwise": "1 working day"}
        deadline["escalate"] = [{"at_percent": 25, "tell": "lead"}, *deadline["escalate"][1:]]
    parts["deadlines"] = dict(list(parts["deadlines"].items())[1:])
    parts["deadlines"]["promise"] = {"met_by": "closed", "within": {"otherwise": "3 calendar days"}}
    for step in parts["steps"].values():
        if "team" in step:
            step |= {"title": "As it is done now", "team": "crew", "due": "2 working days"}
    return changed(kind, **{name: parts[name] for name in ("deadlines", "steps")})


def changed(kind: Definition, **parts: Any) -> Definition:
    """The type with other parts."""
    return Definition.model_validate({**kind.model_dump(mode="json", by_alias=True), **parts})
