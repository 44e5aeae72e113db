"""Scenario files: what is wrong in them is found at its place; times and actions mean what the page says."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from fixline.catalog import Catalog, check_paths, read_catalog
from fixline.catalog.profiles import Storm, read_profile
from fixline.catalog.scenarios import read_scenarios
from fixline.catalog.scenarios.instants import InstantError, instant
from fixline.catalog.scenarios.model import NO_ACTIONS, VERBS, Came, Scenario
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.process.commands import Amend, Command, Complete, Role
from tests.support.broken_files import BROKEN, CITY, expected, places

FILE = "transportation/pothole.scenarios.yaml"
ZONE = ZoneInfo("America/Chicago")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A definitions folder of our own."""
    shutil.copytree(CITY, tmp_path / "definitions")
    return tmp_path / "definitions"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The test city."""
    return read_catalog(CITY).catalog


@pytest.fixture(scope="module")
def calendar(catalog: Catalog) -> WorkingCalendar:
    """The test city's opening hours."""
    return catalog.definitions["pothole"].calendar


def written(root: Path, body: str) -> tuple[Scenario, ...]:
    """The scenarios of a file with this body; it has no finding."""
    path = root / FILE
    path.write_text(f"type: pothole\nscenarios:\n{body}")
    scenarios, findings = read_scenarios(path, read_catalog(root).catalog)
    assert [str(finding) for finding in findings] == []
    return scenarios


@pytest.mark.parametrize("path", sorted((BROKEN / "scenarios").iterdir()), ids=lambda path: path.stem)
def test_broken_scenario_files(path: Path, root: Path) -> None:
    """A broken scenario file gives all its findings at once, each at its place, and `check` finds them, too."""
    shutil.copy(path, root / FILE)
    findings = check_paths([root / FILE])
    assert expected(path)
    assert places(findings) == expected(path), [str(finding) for finding in findings]


def test_a_scenario_file_without_its_definition(root: Path) -> None:
    """A scenario file stands beside its definition."""
    path = root / "water/leak.scenarios.yaml"
    path.parent.mkdir()
    path.write_text('type: leak\nscenarios: {one: {opened: "Mon 08:00", expect: {step: a}}}\n')
    (finding,) = check_paths([root])
    assert (finding.code, finding.line, finding.column) == ("FX801", 1, 1)
    assert "beside" in finding.message


def test_scenarios_of_a_broken_definition_are_left_alone(root: Path) -> None:
    """A definition's own findings come first: its scenarios are neither read in full nor played."""
    definition = root / "transportation/pothole.yaml"
    definition.write_text(definition.read_text().replace("team: dispatch-desk", "team: nobody"))
    (root / FILE).write_text('type: pothole\nscenarios: {one: {opened: "Mon 08:00", expect: {step: no_such}}}\n')
    assert {finding.code for finding in check_paths([root])} == {"FX303"}
    assert read_scenarios(root / FILE, read_catalog(root).catalog) == ((), ())


def test_check_of_a_definition_takes_its_scenarios_along(root: Path) -> None:
    """Naming a definition means its scenarios, too; naming another file does not."""
    (root / FILE).write_text("type: pothole\nscenarios: {}\n")
    assert [finding.code for finding in check_paths([root / "transportation/pothole.yaml"])] == ["FX810"]
    assert check_paths([root / "calendars/works.yaml"]) == ()


def test_unreadable_file(root: Path) -> None:
    """A file that is no text, or is not there, is a finding."""
    path = root / FILE
    path.write_bytes(b"\xff\xfe")
    assert [finding.code for finding in read_scenarios(path, Catalog())[1]] == ["FX102"]
    path.unlink()
    assert [finding.code for finding in read_scenarios(path, Catalog())[1]] == ["FX101"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Mon 08:00", "2026-09-21 08:00"),
        ("wednesday 9:30", "2026-09-16 09:30"),
        ("Wed 08:30", "2026-09-16 08:30"),
        ("Wed 08:29", "2026-09-23 08:29"),
        ("08:30", "2026-09-16 08:30"),
        ("08:29", "2026-09-17 08:29"),
        ("2026-11-20 16:00", "2026-11-20 16:00"),
        ("2026-11-20T16:00", "2026-11-20 16:00"),
        ("+2 working hours", "2026-09-16 10:30"),
        ("+ 1 working day", "2026-09-17 08:30"),
        ("+7 calendar days", "2026-09-23 08:30"),
    ],
)
def test_instants(text: str, meant: str, calendar: WorkingCalendar) -> None:
    """Every form of a time, counted from a Wednesday, half past eight."""
    since = datetime(2026, 9, 16, 8, 30, tzinfo=ZONE)
    assert instant(text, calendar, since) == datetime.fromisoformat(meant).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "Mon", "Mon 8", "Mo 08:00", "24:00", "08:60", "2026-13-01 08:00", "2300-01-01 08:00", "+3 days", "+x"],
)
def test_texts_that_are_no_instants(text: str, calendar: WorkingCalendar) -> None:
    """Anything else says what a time looks like, or what is wrong with it."""
    with pytest.raises(InstantError):
        instant(text, calendar, datetime(2026, 9, 16, 8, 30, tzinfo=ZONE))


def test_every_command_is_an_action() -> None:
    """What the domain can be told, a scenario can do; what happens by itself it cannot."""
    kinds = {each.model_fields["kind"].default: each for each in get_args(get_args(Command)[0])}
    assert set(VERBS) == {
        *("call_answer", "follow_on", "attach", "original", "duplicate"),
        *(kind for kind, command in kinds.items() if command not in NO_ACTIONS),
    }
    assert {name: verb.value for name, verb in VERBS.items() if name in ("complete", "hold", "signal", "amend")} == {
        "complete": "task",
        "hold": "reason",
        "signal": "name",
        "amend": "reason",
    }


def test_an_original_comes_to_what_requests_come_to() -> None:
    """Every close outcome, and open again."""
    assert set(get_args(Came)) == {*CloseOutcome, "reopened"}


def test_values_are_read_in_the_kinds_that_are_asked_for(root: Path) -> None:
    """Numbers, texts and choices arrive as what their question asks for."""
    (scenario,) = written(
        root,
        """\
  one:
    opened: "Mon 08:00"
    answers: {lane: bike, depth: 7.5}
    place: {latitude: 41.95, longitude: -87.65}
    contact: false
    then:
      - {amend: "It is deeper", answers: {depth: 12}, by: service}
      - {complete: inspect, outcome: pothole, form: {depth: 9, photo: 12}, by: dora, expect: {answers: {depth: 9}}}
""",
    )
    assert scenario.opened.answers == {"lane": "bike", "depth": 7.5}
    assert not scenario.opened.has_contact
    assert scenario.opened.place is not None
    assert scenario.opened.areas == read_catalog(root).catalog.areas.locate(41.95, -87.65)
    amend, complete = (line.action for line in scenario.lines)
    assert amend is not None
    assert isinstance(amend.command, Amend)
    assert amend.command.answers == {"depth": 12}
    assert amend.actor is not None
    assert amend.actor.role is Role.SERVICE
    assert complete is not None
    assert isinstance(complete.command, Complete)
    assert complete.command.form == {"depth": 9, "photo": "12"}
    assert complete.actor is not None
    assert (complete.actor.name, complete.actor.teams) == ("dora", ("inspectors",))
    assert scenario.lines[1].expect[0].value == 9


def test_where_a_refusal_is_expected_anything_may_be_given(root: Path) -> None:
    """Wrong answers and outcomes are no findings where the line says that they are refused."""
    scenarios = written(
        root,
        """\
  one: {opened: "Mon 08:00", answers: {lane: 3, width: true, depth: [1, x]}, refused: answers_invalid}
  two:
    opened: "Mon 08:00"
    answers: {lane: bike}
    then: [{complete: inspect, outcome: none, form: {depth: deep}, refused: unknown_outcome}]
""",
    )
    assert scenarios[0].opened.answers == {"lane": "3", "width": True, "depth": [1, "x"]}
    (line,) = scenarios[1].lines
    assert line.action is not None
    assert isinstance(line.action.command, Complete)
    assert line.action.command.form == {"depth": "deep"}


@pytest.mark.parametrize("path", sorted((BROKEN / "profiles").iterdir()), ids=lambda path: path.stem)
def test_broken_profiles(path: Path, catalog: Catalog) -> None:
    """The profile of a simulation is held against the definitions, with all findings at their places."""
    _, findings = read_profile(path, catalog)
    assert expected(path)
    assert places(findings) == expected(path), [str(finding) for finding in findings]


def test_a_profile(tmp_path: Path, catalog: Catalog) -> None:
    """What is written counts, what is not stays as usual; a file that is not there is a finding."""
    path = tmp_path / "profile.yaml"
    path.write_text(
        """\
weeks: 4
days: {mon: 2, sun: 1}
hours: {08-10: 4, 10-11: 1}
storm: {day: 3, lasts: 2, times: 8}
crews: {inspectors: 5}
types:
  pothole:
    steps:
      repair: {takes: 2 working hours, outcomes: {done: 8, otherwise: 2}}
      dry_road: {takes: 3 calendar days}
"""
    )
    profile, findings = read_profile(path, catalog)
    assert findings == ()
    assert profile.weeks == 4
    assert list(profile.days) == [2, 0, 0, 0, 0, 0, 1]
    assert list(profile.hours[7:12]) == [0, 2, 2, 1, 0]
    assert profile.storm == Storm(day=3, lasts=2, times=8)
    assert profile.crews == {"inspectors": 5}
    assert profile.steps["pothole", "repair"].outcomes == {"done": 8, "otherwise": 2}
    assert str(profile.steps["pothole", "dry_road"].takes) == "3 calendar days"
    assert [finding.code for finding in read_profile(tmp_path / "no.yaml", catalog)[1]] == ["FX101"]
