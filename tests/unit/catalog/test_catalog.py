"""The catalog reads a whole city, checks single files against it, and versions definitions."""

from __future__ import annotations

import re
import shutil
from itertools import product
from pathlib import Path

import pytest

from fixline.catalog import Areas, check_paths, check_text, read_catalog
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.process.kinds.human import HumanStep, TeamByArea
from fixline.domain.process.kinds.wait import WaitStep

CITY = Path(__file__).parents[2] / "fixtures" / "city"
POTHOLE = "transportation/pothole.yaml"
GOOD = (CITY / POTHOLE).read_text()
LEAK = """type: leak
title: Leak
department: water
priority: [{otherwise: normal}]
calendar: works
deadlines:
  stop:
    {from: opened, met_by: closed, within: 1 working day, escalate: [
      {at: 50%, tell: commissioner},
      {at: due, tell: crew_lead}]}
start: dry
steps:
  dry:
    wait: {span: 1 calendar day}
    then: pump
  pump:
    dispatch: Pump it out
    due: 1 working day
    team: asphalt-north
    then: {done: dried}
  dried: {close: fixed}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good city that a test may damage."""
    return Path(shutil.copytree(CITY, tmp_path / "definitions"))


def test_good_city_loads() -> None:
    """The design's pothole and all that it refers to are read without a finding."""
    reading = read_catalog(CITY)
    assert reading.findings == ()
    definition = reading.catalog.definitions["pothole"]
    assert definition.calendar.name == "works"
    assert definition.deadlines["resolve"].within.of(Priority.HIGH) == Span.parse("2 working days")
    assert [rung.when for rung in definition.deadlines["resolve"].escalate] == ["75%", "due", "after 1 working day"]
    assert definition.deadlines["resolve"].escalate[2].up_to == 5
    repair, settle = definition.steps["repair"], definition.steps["settle"]
    assert isinstance(repair, HumanStep)
    assert repair.team == TeamByArea.model_validate(
        {"by": "district", "as": "asphalt-{district}", "elsewhere": "asphalt-central"}
    )
    assert isinstance(settle, WaitStep)
    assert settle.then == {"timeout": "verify"}
    assert definition.cancel.reporter == "repair"


def test_version_is_of_content(folder: Path) -> None:
    """A comment leaves the version as it is; a change of the calendar makes another."""
    before = read_catalog(folder).catalog.definitions["pothole"].version
    pothole = folder / POTHOLE
    pothole.write_text(f"# a word about it\n{pothole.read_text()}")
    assert read_catalog(folder).catalog.definitions["pothole"].version == before
    calendar = folder / "calendars/works.yaml"
    calendar.write_text(calendar.read_text().replace("16:30", "17:00"))
    after = read_catalog(folder).catalog.definitions["pothole"].version
    assert after != before
    assert len(after) == 64


def test_type_defined_twice(folder: Path) -> None:
    """A type in two files is a finding in the second, and the first stays."""
    (folder / "water").mkdir()
    text = (folder / POTHOLE).read_text().replace("department: transportation", "department: water")
    (folder / "water/pothole.yaml").write_text(text)
    findings = read_catalog(folder).findings
    assert "FX211" in {finding.code for finding in findings}
    assert {finding.file for finding in findings} == {str(folder / "water/pothole.yaml")}


def test_broken_calendar_is_named(folder: Path) -> None:
    """A definition on a calendar with findings is not in the catalog, and says why."""
    (folder / "calendars/works.yaml").write_text("calendar: works\n")
    reading = read_catalog(folder)
    assert reading.catalog.definitions == {}
    own = [finding for finding in reading.findings if finding.file.endswith("pothole.yaml")]
    assert [finding.code for finding in own] == ["FX302"]
    assert "findings of its own" in own[0].message


def test_broken_area_layer_is_named(folder: Path) -> None:
    """A definition on an area layer with findings is not in the catalog, and says why."""
    (folder / "areas/district.geojson").write_text("{}")
    reading = read_catalog(folder)
    assert reading.catalog.definitions == {}
    assert [finding.code for finding in reading.findings] == ["FX707", "FX304"]


@pytest.mark.parametrize(
    ("written", "replaced", "code"),
    [
        ("steps", "steps: {}", "FX403"),
        ("priority", "priority: []", "FX407"),
        ("start", 'start: ""', "FX208"),
        ("deadlines", "deadlines: {late: {from: opened, met_by: closed, within: {}}}", "FX407"),
        ("notify", "notify: [received]", "FX203"),
        ("intake", "intake: {location: somewhere}", "FX204"),
    ],
)
def test_hollow_sections(written: str, replaced: str, code: str) -> None:
    """A section that is there and says nothing, or says it in another shape, is not taken for a good one."""
    text = re.sub(rf"^{written}:.*\n(?:(?:[ #].*)?\n)*", f"{replaced}\n", GOOD, flags=re.MULTILINE)
    definition, findings = check_text(text, "pothole.yaml", read_catalog(CITY).catalog)
    assert definition is None
    assert code in {finding.code for finding in findings}


def test_missing_folder_and_organisation(tmp_path: Path) -> None:
    """A folder without organisation.yaml, or none at all, is a finding and no exception."""
    assert [finding.code for finding in read_catalog(tmp_path / "none").findings] == ["FX701"]
    assert [finding.code for finding in check_paths([tmp_path])] == ["FX701"]
    assert [finding.code for finding in check_paths([tmp_path / "none.yaml"])] == ["FX101"]


def test_files_that_nothing_reads(folder: Path) -> None:
    """YAML in a place where nothing reads it is a finding; scenarios are left alone."""
    (folder / "stray.yaml").write_text("type: stray\n")
    (folder / "transportation/old.yml").write_text("type: old\n")
    (folder / "transportation/pothole.scenarios.yaml").write_text("not read\n")
    found = [(Path(finding.file).name, finding.code) for finding in read_catalog(folder).findings]
    assert found == [("stray.yaml", "FX210"), ("old.yml", "FX210")]


def test_check_paths_of_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file is checked against the root above it; other definitions' findings stay out; paths are relative."""
    other = folder / "transportation/other.yaml"
    other.write_text("type: other\n")
    assert check_paths([folder / POTHOLE]) == ()
    monkeypatch.chdir(folder)
    findings = check_paths([Path("transportation/other.yaml")])
    assert {finding.file for finding in findings} == {"transportation/other.yaml"}
    assert {finding.file for finding in check_paths([folder.parent])} == {"transportation/other.yaml"}


def test_a_question_of_no_kind_is_one_finding() -> None:
    """Conditions on it are looked at when its kind can be read: until then nothing is known of it."""
    _, findings = check_text(GOOD.replace("kind: number", "kind: nmber"), POTHOLE, read_catalog(CITY).catalog)
    assert {finding.code for finding in findings} == {"FX204"}


def test_an_answer_that_is_asked_later_diverts_nothing() -> None:
    """A report has the intake's answers only; a form's question is no unknown name, but comes too late."""
    text = GOOD.replace("    form:", "    form:\n      seen_wire: {kind: yes_no}", 1)
    divert = '  divert:\n    - {when: "seen_wire", to: emergency, say: "Call 911."}\n  questions:'
    _, findings = check_text(text.replace("  questions:", divert, 1), POTHOLE, read_catalog(CITY).catalog)
    assert [finding.message for finding in findings] == [
        "'seen_wire' is asked in a form, after the report: use a question of the intake"
    ]


def test_finding_as_text() -> None:
    """A finding is written as editors know it."""
    catalog = read_catalog(CITY).catalog
    text = (CITY / POTHOLE).read_text().replace("start: inspect", "start: inspct")
    _, findings = check_text(text, "pothole.yaml", catalog)
    assert [str(finding) for finding in findings] == [
        "pothole.yaml:36:8: FX308 there is no step 'inspct', did you mean 'inspect'?"
    ]


def test_role_lookup() -> None:
    """A role is looked up in the team, then the department, then the city."""
    organisation = read_catalog(CITY).catalog.organisation
    assert organisation is not None
    holder = organisation.holder
    assert organisation.teams["inspectors"].roles["crew_lead"] == "dora"
    assert organisation.departments["transportation"].roles["supervisor"] == "bruno"
    assert organisation.city.roles["commissioner"] == "ada"
    asked = ("crew_lead", "supervisor", "commissioner")
    assert [holder(role, "inspectors", "transportation") for role in asked] == ["dora", "bruno", "ada"]
    assert holder("crew_lead", "dispatch-desk", "transportation") is None
    assert holder("commissioner", None, "nowhere") is not None
    assert organisation.teams["pumps"].department == "water"
    for role, team, department in product(
        asked, ("inspectors", "pumps", "nobody", None), ("transportation", "nowhere")
    ):
        assert (role in organisation.roles([team], department)) is (holder(role, team, department) is not None)


def test_supervisor_of_tasks(folder: Path) -> None:
    """A task that can be late needs a supervisor, and a request that waits before any team a department's role."""
    (folder / "water").mkdir()
    (folder / "water/leak.yaml").write_text(LEAK)
    findings = read_catalog(folder).findings
    assert [(finding.line, finding.column, finding.code) for finding in findings] == [
        (10, 23, "FX307"),
        (18, 5, "FX307"),
    ]


def test_paths_that_are_no_definitions(folder: Path) -> None:
    """A file of another kind is a finding when it is asked for."""
    (folder / "README.md").write_text("words")
    assert [finding.code for finding in check_paths([folder / "README.md"])] == ["FX101"]


def test_areas_locate() -> None:
    """A point lies in the area that holds it; on a border it belongs to the first area by key."""
    areas = read_catalog(CITY).catalog.areas
    assert areas.layers["district"].keys == ("north", "south")
    assert areas.layers["district"].areas[0].title == "North"
    assert areas.locate(41.5, -87.5) == {"district": "south"}
    assert areas.locate(42.5, -87.5) == {"district": "north"}
    assert areas.locate(42.0, -87.5) == {"district": "north"}
    assert areas.locate(50.0, -87.5) == {}
    assert Areas().locate(50.0, -87.5) == {}
    with pytest.raises(ValueError, match="no place on earth"):
        areas.locate(91.0, 0.0)


def test_unreadable_file(folder: Path) -> None:
    """A file that cannot be opened is a finding."""
    (folder / "transportation/gone.yaml").symlink_to(folder / "nowhere.yaml")
    assert [finding.code for finding in read_catalog(folder).findings] == ["FX101"]
