"""The shipped definitions: no finding, every kind of step in use, and scenarios that reach all of it."""

from __future__ import annotations

import pytest

from fixline.catalog import Catalog, read_catalog
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.model import Definition, WhenDuplicate
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.wait import WaitStep
from fixline.rehearsal import Report, rehearse
from fixline.service.importing import MAPPINGS
from fixline.settings import PACKAGED_DEFINITIONS

KINDS = {
    *("dispatch", "inspection", "task", "choose", "wait", "agency", "follow_on", "together", "call", "notify", "close"),
}
STORIES = {"rung_fired", "held", "cancelled", "reopened"}
"""What a story of silence, of a hold, of a cancellation and of a reopening leaves in the journal."""


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    reading = read_catalog(PACKAGED_DEFINITIONS)
    assert [str(finding) for finding in reading.findings] == []
    return reading.catalog


@pytest.fixture(scope="module")
def types(shipped: Catalog) -> list[Definition]:
    """Those that take requests."""
    return [each for each in shipped.definitions.values() if each.takes_requests]


@pytest.fixture(scope="module")
def report() -> Report:
    return rehearse([PACKAGED_DEFINITIONS])


def test_departments_and_types(types: list[Definition]) -> None:
    assert len(types) >= 14
    assert len({each.department for each in types}) >= 8


def test_every_part_of_the_language_is_in_use(shipped: Catalog, types: list[Definition]) -> None:
    steps = [step for each in types for step in each.steps.values()]
    assert {step.kind for step in steps} == KINDS
    people = [step for step in steps if isinstance(step, HumanStep)]
    waits = [step for step in steps if isinstance(step, WaitStep)]
    assert any(step.sample for step in people)
    assert any(step.warn_after for step in people)
    assert all(any(getattr(step, key) for step in waits) for key in ("signal", "at_most", "span", "until"))
    assert {each.intake.duplicates.then for each in types if each.intake.duplicates} == set(WhenDuplicate)
    assert any(each.intake.divert for each in types)
    assert any(not each.takes_requests for each in shipped.definitions.values())
    deadlines = [deadline for each in types for deadline in each.deadlines.values()]
    assert any(deadline.within.by_priority for deadline in deadlines)
    assert any(deadline.paused_while for deadline in deadlines)
    assert any(rung.raise_priority for deadline in deadlines for rung in deadline.escalate)
    assert any(len(each.deadlines) > 1 for each in types)
    assert len({deadline.escalate for deadline in deadlines}) >= 12
    assert len({each.calendar.name for each in types}) >= 5


def test_every_type_says_what_it_is_modelled_after() -> None:
    for path in PACKAGED_DEFINITIONS.glob("*/*.yaml"):
        assert path.read_text(encoding="utf-8").startswith("# "), path


def test_every_scenario_comes_true(report: Report) -> None:
    assert report.findings == []
    assert [str(each) for played in report.failed for each in played.mismatches] == []


def test_scenarios_reach_everything(report: Report) -> None:
    assert [str(each) for coverage in report.coverage for each in coverage.unreached] == []


def test_every_type_has_its_stories(types: list[Definition], report: Report) -> None:
    """Silence, a hold, a cancellation, a reopening."""
    for each in types:
        played = [story for story in report.played if story.scenario.type == each.type]
        entries = [entry for story in played for entry in story.entries]
        kinds = {entry.kind for entry in entries} | {
            entry.data["outcome"] for entry in entries if entry.kind == "closed"
        }
        assert kinds >= (STORIES if each.reopen else STORIES - {"reopened"}), each.type


@pytest.mark.parametrize("table", [each.types for each in MAPPINGS.values()], ids=[*MAPPINGS])
def test_what_imports_imply_fits(shipped: Catalog, table: dict[str, tuple[str, dict[str, object]]]) -> None:
    for name, answers in table.values():
        questions = shipped.definitions[name].intake.questions
        assert answers.keys() <= questions.keys()
        assert read_answers({key: questions[key] for key in answers}, answers)[1] == ()
