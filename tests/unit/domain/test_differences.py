"""What is different between two versions, in plain words; nothing that differs goes unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from fixline.catalog import read_catalog
from fixline.domain.definition.differences import differences
from fixline.domain.definition.model import Definition
from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.domain.samples import pothole


def changed(**parts: Any) -> Definition:
    """The sample pothole with other parts."""
    return Definition.model_validate({**pothole().model_dump(mode="json", by_alias=True), **parts})


def steps(**parts: Any) -> dict[str, Any]:
    """Its steps, some of them changed; None leaves one out."""
    found = pothole().model_dump(mode="json", by_alias=True)["steps"]
    merged = {name: {**found.get(name, {}), **part} for name, part in parts.items() if part is not None}
    return {name: each for name, each in {**found, **merged}.items() if parts.get(name, each) is not None}


def test_equal_versions_have_no_difference() -> None:
    assert differences(pothole(), changed()) == ()


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"title": "Hole"}, ["title: Pothole in street -> Hole"]),
    (
        {"steps": steps(repair={"then": {"done": "fixed", "too_wet": "inspect", "no_access": "inspect"}})},
        ["outcome too_wet of repair now leads to inspect (was dry_road)"],
    ),
    (
        {"steps": steps(repair={"then": {"done": "fixed", "gone": "fixed", "no_access": "inspect"}})},
        [
            "outcome too_wet of repair removed (it led to dry_road)",
            "outcome gone of repair added, leads to fixed",
        ],
    ),
    (
        {"steps": steps(verify={"kind": "task", "title": "Check", "team": "crew", "then": {"ok": "fixed"}})},
        ["step verify added"],
    ),
    ({"steps": steps(repair={"due": "2 working days"})}, ["step repair: due: 3 working days -> 2 working days"]),
    ({"cancel": {"reporter": None}}, ["cancel: reporter: repair removed"]),
    (
        {"reopen": {"by": ["reporter"], "within": "2 working days", "at": "inspect"}},
        ["reopen added: by reporter, within 2 working days, at inspect"],
    ),
    (
        {"priority": [{"is": "low"}]},
        ["priority: high when depth >= 10 || lane == 'bike'; otherwise normal -> otherwise low"],
    ),
    ({"notify": []}, ["notify: received, step_done, on_hold, due_changed, closed removed"]),
]


@pytest.mark.parametrize(("parts", "said"), CASES, ids=lambda value: str(next(iter(value), ""))[:20])
def test_sentences(parts: dict[str, Any], said: list[str]) -> None:
    assert list(differences(pothole(), changed(**parts))) == said


def test_deadlines_and_ladders() -> None:
    """Budgets, rungs, deadlines that come and go."""
    deadlines = pothole().model_dump(mode="json", by_alias=True)["deadlines"]
    resolve = deadlines["resolve"]
    resolve["within"] = {"by_priority": {"high": "1 working day"}, "otherwise": "5 working days"}
    resolve["escalate"] = resolve["escalate"][1:]
    new = {"resolve": resolve, "answer": {"met_by": "closed", "within": {"otherwise": "1 calendar day"}}}
    assert list(differences(pothole(), changed(deadlines=new))) == [
        "deadline first_look removed",
        "deadline resolve: 7 working days -> 5 working days",
        "deadline resolve, high: 2 working days -> 1 working day",
        "deadline resolve: rung removed: 75%, tells crew_lead",
        "deadline answer added: 1 calendar day, met by closed",
    ]


def test_a_calendar_says_which_dates() -> None:
    """Not whole lists of holidays: what has come, and what has gone; and an entry that stood there twice."""
    twice = pothole().calendar.model_dump(mode="json")
    before = {**twice, "exceptions": [{"date": "2026-12-24", "hours": ["08:00-12:00"], "name": "Half a day"}]}
    winter = {"first": "2026-12-01", "last": "2027-02-28", "name": "Winter", "weekly": {"mon": ["10:00-14:00"]}}
    fourth = {"date": "2026-07-04", "observed": "2026-07-03", "name": "Independence Day"}
    storm = {"date": "2026-06-05", "hours": [], "name": "Storm"}
    after = {**twice, "holidays": [fourth], "exceptions": [storm], "periods": [winter], "day": "7 hours"}
    old, new = (changed(calendar=each) for each in (before, after))
    assert list(differences(old, new)) == [
        "calendar office: holiday removed: 2026-07-03, Independence Day, observed",
        "calendar office: holiday added: 2026-07-04 and 2026-07-03, Independence Day",
        "calendar office: exception removed: 2026-12-24, Half a day, 08:00-12:00",
        "calendar office: exception added: 2026-06-05, Storm, closed",
        "calendar office: period added: 2026-12-01 to 2027-02-28, Winter, mon 10:00-14:00",
        "calendar office: day: 8:00:00 -> 7:00:00",
    ]
    twice["holidays"] *= 2
    assert list(differences(pothole(), changed(calendar=twice))) == [
        "calendar office: an entry stands there more often, or less"
    ]


def test_nothing_that_differs_goes_unsaid() -> None:
    """Any two of the shipped definitions differ in words, whatever their parts; so does each from its every part."""
    shipped = list(read_catalog(PACKAGED_DEFINITIONS).catalog.definitions.values())
    for one in shipped:
        for other in shipped:
            assert bool(differences(one, other)) == (one != other)
            for name in Definition.model_fields:
                mixed = one.model_copy(update={name: getattr(other, name)})
                assert bool(differences(one, mixed)) == (one != mixed), (one.type, other.type, name)
