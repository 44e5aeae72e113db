"""Follow-on steps are held against the other types: those of the folder, and those sent along."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixline.catalog import check_paths, check_text, read_catalog
from fixline.catalog.catalog import check_files
from fixline.domain.process.kinds.follow_on import FollowOnStep
from tests.support.neighbour import FIXTURES, NEIGHBOUR, TEXT, city_with_neighbour

POTHOLE = "transportation/pothole.yaml"
STEP = """  under:
    follow_on: cave-in
    waiting_as: with_water
    then: {fixed: repair, otherwise: nothing_found}
"""
ASKING = (
    (FIXTURES / "city" / POTHOLE)
    .read_text(encoding="utf-8")
    .replace("then: {closed: repair}\n", "then: {closed: repair, caved_in: under}\n" + STEP)
    .replace("paused_while: [on_hold, waiting_for_weather]", "paused_while: [on_hold, with_water]")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A city in which a pothole can have a cave-in follow."""
    root = Path(shutil.copytree(FIXTURES / "city", tmp_path / "definitions"))
    (root / NEIGHBOUR).parent.mkdir()
    (root / NEIGHBOUR).write_text(TEXT, encoding="utf-8")
    (root / POTHOLE).write_text(ASKING, encoding="utf-8")
    return root


def codes(text: str) -> list[str]:
    """The codes that a pothole's text gives beside its neighbour."""
    return [finding.code for finding in check_text(text, POTHOLE, city_with_neighbour())[1]]


def test_a_follow_on_is_read(folder: Path) -> None:
    """The file that comes first may name a type of a later one."""
    reading = read_catalog(folder)
    assert reading.findings == ()
    assert reading.catalog.definitions["pothole"].steps["under"] == FollowOnStep(
        follow_on="cave-in", waiting_as="with_water", then={"fixed": "repair", "otherwise": "nothing_found"}
    )
    assert check_paths([folder / POTHOLE]) == ()


def test_types_may_follow_each_other(folder: Path) -> None:
    """A type may be opened by one that it opens itself."""
    back = "  back:\n    follow_on: pothole\n    then: {otherwise: referred}\n"
    text = TEXT.replace("not_ours: referred}", "not_ours: back}") + back
    (folder / NEIGHBOUR).write_text(text, encoding="utf-8")
    assert read_catalog(folder).findings == ()


def test_the_version_is_of_the_name_alone(folder: Path) -> None:
    """Another version of the follow-on's type leaves the version of the type that opens it."""
    before = read_catalog(folder).catalog.definitions["pothole"].version
    (folder / NEIGHBOUR).write_text(TEXT.replace("title: Street", "title: Lane"), encoding="utf-8")
    assert read_catalog(folder).catalog.definitions["pothole"].version == before


def test_a_type_that_is_not_there(folder: Path) -> None:
    (folder / NEIGHBOUR).unlink()
    (finding,) = check_paths([folder / POTHOLE])
    assert (finding.code, finding.message) == ("FX312", "there is no type 'cave-in'")


def test_a_type_with_findings_is_there(folder: Path) -> None:
    """A mistake in the follow-on's file is one finding, not two."""
    (folder / NEIGHBOUR).write_text(TEXT.replace("close: fixed", "close: fixt"), encoding="utf-8")
    assert [(Path(each.file).name, each.code) for each in read_catalog(folder).findings] == [("cave-in.yaml", "FX204")]
    unknown = ASKING.replace("{fixed: repair, otherwise", "{mended: repair, otherwise")
    (folder / POTHOLE).write_text(unknown, encoding="utf-8")
    assert [finding.code for finding in check_paths([folder / POTHOLE])] == ["FX314"]


def test_types_that_are_sent_together_know_each_other() -> None:
    """What is sent to be published may name a type that is sent along, wherever it stands."""
    catalog = read_catalog(FIXTURES / "city").catalog
    assert [finding.code for finding in check_files({POTHOLE: ASKING}, catalog).findings] == ["FX312"]
    both = check_files({POTHOLE: ASKING, NEIGHBOUR: TEXT}, catalog)
    assert both.findings == ()
    assert sorted(both.catalog.definitions) == ["cave-in", "pothole"]


@pytest.mark.parametrize(
    ("written", "instead", "found"),
    [
        ("{fixed: repair, otherwise", "{referred: repair, otherwise", []),
        ("{fixed: repair, otherwise", "{cancelled: repair, otherwise", []),
        ("{fixed: repair, otherwise", "{otherwise", []),
        ("{fixed: repair, otherwise", "{declined: repair, otherwise", ["FX314"]),
        ("{fixed: repair, otherwise", "{Fixed: repair, otherwise", ["FX207"]),
        ("{fixed: repair, otherwise: nothing_found}", "{}", ["FX432"]),
        ("{fixed: repair, otherwise: nothing_found}", "repair", ["FX203"]),
        ("waiting_as: with_water", "waiting_as: on_hold", ["FX602", "FX207"]),
        ("follow_on: cave-in", "follow_on: [cave-in]", ["FX203"]),
        ("waiting_as: with_water", "team: inspectors", ["FX602", "FX201"]),
        ("location: required", "location: none", ["FX315"]),
        ("bike: Bike lane, curb: Curb lane", "bike: Bike lane", []),
        ("bike: Bike lane, curb: Curb lane", "bike: Bike lane, path: Path, curb: Curb lane", ["FX315"]),
    ],
)
def test_what_a_follow_on_says(written: str, instead: str, found: list[str]) -> None:
    assert written in ASKING
    assert codes(ASKING.replace(written, instead)) == found


def test_a_question_may_be_asked_by_a_form() -> None:
    """What only a form asks is known, too, once it has been answered."""
    line = '    depth: {ask: "About how deep, in centimetres?", kind: number, min: 0, max: 100}\n'
    assert line in ASKING
    assert codes(ASKING.replace(line, "")) == []


def test_otherwise_goes_on_at_once() -> None:
    """A follow-on that cannot be opened must not lead back to itself by choices alone; by work it may."""
    by_a_choice = ASKING.replace("otherwise: nothing_found}", "otherwise: triage}").replace("go: call}", "go: under}")
    assert codes(by_a_choice.replace(", caved_in: under", "")) == ["FX404", "FX401"]
    assert codes(ASKING.replace("otherwise: nothing_found}", "otherwise: call}")) == []


def test_a_type_that_takes_no_requests_cannot_follow(folder: Path) -> None:
    """It only says whom to turn to: nobody would ever begin."""
    head = TEXT.partition("\nintake:")[0].partition("\npriority:")[0].partition("\ncalendar:")[0]
    redirect = '\nredirect: {to: "Lake County", say: "Call the county."}\n'
    (folder / NEIGHBOUR).write_text(head + redirect, encoding="utf-8")
    found = [(finding.code, finding.message) for finding in read_catalog(folder).findings]
    assert found == [("FX312", "'cave-in' takes no requests: it only says whom to turn to")]
