"""Simulations: the same seed gives the same; what comes in goes out or is open; crews keep their hours."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from fixline.catalog import Catalog, check_text, read_catalog
from fixline.catalog.profiles import Profile, StepProfile, Storm
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import Priority
from fixline.rehearsal.chance import Chance
from fixline.rehearsal.simulation import Job, Simulation, Team, percentile
from tests.support.lakeport import LAKEPORT

CITY = Path(__file__).parents[2] / "fixtures/city"
SHORT = Profile(weeks=2)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The test city."""
    return read_catalog(CITY).catalog


def simulated(catalog: Catalog, profile: Profile = SHORT, requests: int = 60, seed: int = 1) -> Simulation:
    """A simulation of potholes that has run."""
    simulation = Simulation(catalog, [catalog.definitions["pothole"]], profile, requests, seed)
    simulation.run()
    return simulation


def test_everything_that_came_in_is_closed_or_open(catalog: Catalog) -> None:
    """No request is lost; each closed one has an outcome and a time."""
    figures = simulated(catalog).figures["pothole"]
    assert figures.opened == 60
    assert figures.closed == sum(figures.outcomes.values()) == len(figures.days_to_close) == 60
    assert figures.open == 0
    assert set(figures.started) == {"first_look", "resolve"}
    assert set(figures.outcomes) <= {"fixed", "no_problem_found"}
    assert figures.backlog
    assert 0 <= figures.overdue_share("resolve") <= 1
    assert figures.overdue_share("no_such") == 0


def test_the_seed_decides(catalog: Catalog) -> None:
    """The same seed gives the same figures, another one gives others."""
    first, again, other = (simulated(catalog, seed=seed) for seed in (1, 1, 2))
    assert first.figures == again.figures
    assert first.decisions == again.decisions
    assert first.figures != other.figures


def test_fewer_crews_are_slower(catalog: Catalog) -> None:
    """With one inspector for much work the queue grows, deadlines are missed, and rungs are reached."""
    many = simulated(catalog, SHORT.model_copy(update={"crews": {"inspectors": 20}}), 150)
    slow = StepProfile(takes=Span.parse("6 working hours"))
    busy = SHORT.model_copy(update={"crews": {"inspectors": 1}})
    few = simulated(catalog, busy.model_copy(update={"steps": {("pothole", "inspect"): slow}}), 150)
    assert few.teams["inspectors"].longest > many.teams["inspectors"].longest
    assert few.figures["pothole"].overdue_share("first_look") > many.figures["pothole"].overdue_share("first_look")
    assert few.figures["pothole"].rungs["resolve due"] > 0
    ladder = [rung.when for rung in catalog.definitions["pothole"].deadlines["resolve"].escalate]
    fired = [name.removeprefix("resolve ") for name in few.figures["pothole"].rungs if name.startswith("resolve ")]
    assert fired == [when for when in ladder if when in fired] != sorted(fired)
    assert max(few.figures["pothole"].backlog) > 50


def test_what_is_open_at_the_end_is_counted(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """When time is over, what is not closed is the backlog."""
    monkeypatch.setattr("fixline.rehearsal.simulation.DRAIN", timedelta())
    simulation = simulated(catalog, SHORT.model_copy(update={"crews": {"inspectors": 1}}), 200)
    figures = simulation.figures["pothole"]
    assert 0 < figures.closed < figures.opened
    assert figures.open == figures.opened - figures.closed


def test_a_profile_decides_outcomes(catalog: Catalog) -> None:
    """Shares of outcomes hold: here every inspection finds nothing."""
    nothing = StepProfile(outcomes={"nothing_found": 1})
    figures = simulated(catalog, SHORT.model_copy(update={"steps": {("pothole", "inspect"): nothing}})).figures[
        "pothole"
    ]
    assert figures.outcomes == Counter({"no_problem_found": 60})


def test_arrivals_follow_days_hours_and_storms(catalog: Catalog) -> None:
    """Only on the days and in the hours that have a share; a storm brings many more."""
    definition = catalog.definitions["pothole"]
    profile = Profile(weeks=2, days=(1, 1, 0, 0, 0, 0, 0), hours=(0.0,) * 8 + (1.0,) * 4 + (0.0,) * 12)
    found = Chance(profile, catalog.areas, 1).arrivals(definition, 300)
    assert all(a <= b for a, b in pairwise(found))
    local = [definition.calendar.local(at) for at in found]
    assert {at.weekday() for at in local} == {0, 1}
    assert {at.hour for at in local} == {8, 9, 10, 11}
    stormy = profile.model_copy(update={"storm": Storm(day=8, lasts=1, times=50)})
    days = Counter(
        each.date()
        for each in map(definition.calendar.local, Chance(stormy, catalog.areas, 1).arrivals(definition, 300))
    )
    assert days.most_common(1)[0][0].isoformat() == "2026-09-21"
    assert days.most_common(1)[0][1] > 200


def test_a_team_takes_the_most_urgent_first_in_its_hours(catalog: Catalog) -> None:
    """Priority, then age; nobody begins outside opening hours, and the team is woken once at its opening."""
    team = Team("inspectors", 2, catalog.definitions["pothole"].calendar)
    monday = datetime(2026, 9, 14, 15, tzinfo=UTC)
    for number, priority in enumerate((Priority.NORMAL, Priority.HIGH, Priority.NORMAL)):
        team.put(Job(-priority.rank, monday + timedelta(minutes=number), number, number, f"T{number}", "inspect"))
    night = monday - timedelta(hours=8)
    assert team.next(night) is None
    assert team.opening(night) == team.calendar.next_opening(night)
    assert team.opening(night) is None
    taken = [team.next(monday), team.next(monday)]
    assert [job.request for job in taken if job] == [1, 0]
    assert team.next(monday) is None
    assert (team.longest, len(team.queue)) == (3, 1)


HEARING = """\
type: hearing
title: "A hearing"
department: transportation
intake: {location: none, questions: {day: {kind: DATE}}}
priority: [{otherwise: normal}]
calendar: public-works
start: wait
steps:
  wait: {wait: {until: day}, waiting_as: before_the_hearing, then: heard}
  heard: {close: fixed}
"""


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_a_date_that_nobody_has_given_is_given_later(kind: str) -> None:
    """The supervisor is told of each wait without an end, and gives the date: five days on average, or as the profile
    says."""
    city = read_catalog(LAKEPORT).catalog
    definition, findings = check_text(HEARING.replace("DATE", kind), "transportation/hearing.yaml", city)
    assert definition is not None, findings
    simulation = Simulation(city, [definition], SHORT, 50, 3)
    simulation.run()
    figures = simulation.figures["hearing"]
    assert (figures.closed, figures.open) == (50, 0)
    days = percentile(figures.days_to_close, 50)
    assert days is not None
    slow = SHORT.model_copy(update={"steps": {("hearing", "wait"): StepProfile(takes=Span.parse("40 calendar days"))}})
    later = Simulation(city, [definition], slow, 50, 3)
    later.run()
    assert percentile(later.figures["hearing"].days_to_close, 50) > days  # type: ignore[operator]
    assert max(later.figures["hearing"].days_to_close) > 40


def test_percentiles() -> None:
    """Nearest rank; nothing has none."""
    assert percentile([], 50) is None
    assert percentile([3.0], 90) == 3
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 50) == 5
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90) == 9


def test_progress_is_heard(catalog: Catalog) -> None:
    """Whoever listens hears how many of how many are closed, at least at the end."""
    heard: list[tuple[int, int]] = []
    simulation = Simulation(catalog, [catalog.definitions["pothole"]], SHORT, 20, 1)
    simulation.run(lambda done, total: heard.append((done, total)))
    assert heard[-1] == (20, 20)
