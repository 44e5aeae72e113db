"""`fixline test`: exit codes, failures side by side, coverage, JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.command_line import Fixline
from tests.support.lakeport import LAKEPORT

FILE = "transportation/pothole.scenarios.yaml"
WRONG = """\
type: pothole
scenarios:
  wrong:
    opened: "Fri 16:00"
    answers: {lane: curb}
    then: [{at: "+3 working hours", complete: inspect, outcome: no_potholes_found, expect: {step: repair}}]
    expect: {closed: no_problem_found}
  right: {opened: "Fri 16:00", answers: {lane: curb}, expect: {step: inspect}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A city's definitions, with other scenarios for one of them."""
    root = tmp_path / "definitions"
    shutil.copytree(LAKEPORT, root)
    (root / FILE).write_text(WRONG)
    return root


def test_all_shipped_scenarios_pass(fixline: Fixline) -> None:
    """They hold, and there are some."""
    ran = fixline("test", PACKAGED_DEFINITIONS)
    assert ran.code == 0, ran.out
    assert ", 0 failed" in ran.out
    assert not ran.out.startswith("0 scenarios")


def test_without_a_path_the_settings_definitions_are_played(fixline: Fixline) -> None:
    """Those have no scenarios, which is no failure; coverage says what that means."""
    ran = fixline("test")
    assert ran.code == 0, ran.out
    assert ran.out.startswith("0 scenarios, 0 failed")
    assert fixline("test", "--coverage").code == 1


def test_failures_show_both_timelines(fixline: Fixline, root: Path) -> None:
    """One line with place, scenario, expected and actual; then the table with local times."""
    ran = fixline("test", root / FILE)
    assert ran.code == 1
    first, *rest = ran.out.splitlines()
    assert first == ("definitions/transportation/pothole.scenarios.yaml:6:99: wrong: step: expected repair, got none")
    assert "Fri 2026-09-18 16:00" in ran.out
    assert "Mon 2026-09-21 11:00" in ran.out
    assert "NOT step: repair" in ran.out
    assert "Closed: no_problem_found" in ran.out
    assert rest[-1].startswith("2 scenarios, 1 failed (")


def test_as_json(fixline: Fixline, root: Path) -> None:
    """One object: counts, each scenario, and the timeline of those that failed."""
    told = json.loads(fixline("test", root / FILE, "--json", "--coverage").out)
    assert (told["passed"], told["failed"], told["findings"]) == (1, 1, [])
    wrong, right = told["scenarios"]
    assert (wrong["name"], wrong["line"], wrong["passed"], right["passed"]) == ("wrong", 3, False, True)
    assert wrong["mismatches"] == [{"line": 6, "column": 99, "what": "step", "expected": "repair", "actual": "none"}]
    assert [scene["action"] for scene in wrong["timeline"]] == ["opened", "complete inspect: no_potholes_found", None]
    assert "timeline" not in right
    (coverage,) = told["coverage"]
    assert coverage["type"] == "pothole"
    assert coverage["unreached"][0]["line"] > 1


def test_coverage_below_the_least_is_found(fixline: Fixline, root: Path) -> None:
    """`--coverage` asks for everything, `--min` for less; what is not reached has its place."""
    (root / FILE).write_text(
        'type: pothole\nscenarios: {one: {opened: "Mon 08:00", answers: {lane: curb}, expect: {step: inspect}}}\n'
    )
    ran = fixline("test", root / "transportation/pothole.yaml", "--coverage")
    assert ran.code == 1
    assert "less than 100" in ran.out
    assert "pothole.yaml:35:9: rung resolve 75% is not reached by any scenario" in ran.out
    assert "and " in ran.out
    assert fixline("test", root / FILE, "--coverage", "--min", "1").code == 0


def test_findings_come_before_playing(fixline: Fixline, root: Path) -> None:
    """A file with findings is not played, and that is no success."""
    (root / FILE).write_text("type: pothole\nscenarios: {one: {opened: never}}\n")
    ran = fixline("test", root)
    assert ran.code == 1
    assert "definitions/transportation/pothole.scenarios.yaml:2:27: FX802" in ran.out
    assert "1 findings in files" in ran.out or "findings in files" in ran.out
