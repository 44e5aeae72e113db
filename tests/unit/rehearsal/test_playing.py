"""Scenarios are played through `advance`: what is expected is compared, what fails says where and why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixline.catalog import read_catalog
from fixline.catalog.findings import Place
from fixline.catalog.scenarios import read_scenarios
from fixline.catalog.scenarios.expectations import READERS
from fixline.catalog.scenarios.model import Expected
from fixline.domain.journal.entry import rebuild
from fixline.rehearsal import rehearse
from fixline.rehearsal.coverage import WAYS, targets
from fixline.rehearsal.look import World, look
from fixline.rehearsal.playing import Played, play
from fixline.settings import PACKAGED_DEFINITIONS

CITY = Path(__file__).parents[2] / "fixtures/city"
FILE = "transportation/pothole.scenarios.yaml"
WHOLE_STORY = """\
  whole_story:
    opened: "Mon 08:00"
    answers: {lane: curb, depth: 3}
    areas: {district: north}
    then:
      - expect: {status: open, step: inspect, priority: normal, due: {resolve: "2026-09-22 13:30"}}
      - {at: "+1 working hour", claim: inspect, by: dora, expect: {holders: {inspect: dora}}}
      - {at: "+1 working hour", claim: inspect, by: emil, refused: task_state}
      - {at: "+1 working hour", hold: "The street is closed", expect: {on_hold: true, clocks: {resolve: paused}}}
      - {at: "Tue 09:00", claim: inspect, refused: on_hold, expect: {due: {resolve: none}, waiting_as: none}}
      - {at: "Wed 09:00", resume: "Open again", expect: {on_hold: false}}
      - {at: "Wed 10:00", complete: inspect, outcome: pothole, by: dora, form: {depth: 40, photo: p}}
      - expect: {step: call, priority: high, answers: {depth: 40}, tasks: {call: dispatch-desk}}
      - {at: "Wed 11:00", complete: call, outcome: closed, expect: {step: repair, tasks: {repair: asphalt-north}}}
      - {at: "Wed 12:00", complete: repair, outcome: too_wet, by: gina}
      - expect: {waiting_as: waiting_for_weather, tasks: none, effects: [order_inspection, dispatch]}
      - {at: "Thu 09:00", signal: dry_weather}
      - {at: "Thu 10:00", complete: repair, outcome: done, form: {potholes_filled: 2, photo_after: p}}
      - expect: {visits: {repair: 2}, step: settle, holders: {repair: no open task}}
      - {at: "+7 calendar days", expect: {step: verify}}
      - {at: "+1 working hour", complete: verify, outcome: passed}
    expect:
      {status: closed, closed: fixed, clocks: {resolve: met_late, first_look: met_late, repair.due: met}, overdue: none}
"""


def played(tmp_path: Path, body: str) -> Played:
    """The one scenario of this body, played."""
    root = tmp_path / "definitions"
    if not root.exists():
        shutil.copytree(CITY, root)
    (root / FILE).write_text(f"type: pothole\nscenarios:\n{body}")
    catalog = read_catalog(root).catalog
    (scenario,), findings = read_scenarios(root / FILE, catalog)
    assert [str(finding) for finding in findings] == []
    return play(scenario, catalog.definitions["pothole"])


def wrong(result: Played) -> list[tuple[str, str, str]]:
    """What was not as expected."""
    return [(each.what, each.expected, each.actual) for each in result.mismatches]


def one(then: str, expect: str = "{step: inspect}") -> str:
    """A scenario of one line or several."""
    return f'  one: {{opened: "Mon 08:00", answers: {{lane: curb}}, then: [{then}], expect: {expect}}}\n'


def test_the_shipped_scenarios_pass() -> None:
    """Every shipped definition has scenarios, and they hold."""
    report = rehearse([PACKAGED_DEFINITIONS])
    assert report.findings == []
    assert [str(each) for played_ in report.failed for each in played_.mismatches] == []
    with_scenarios = {each.scenario.type for each in report.played}
    assert with_scenarios == {each.type for each in report.coverage}


@pytest.mark.parametrize("key", READERS)
def test_every_key_of_expect_is_compared(tmp_path: Path, key: str) -> None:
    """What can be read can be looked at."""
    result = played(tmp_path, one(""))
    expected = Expected(key, "inspect", frozenset({"something else"}), "something else", Place(3))
    assert look(expected, World(result.definition.calendar), rebuild(result.entries)) is not None


def test_a_whole_story(tmp_path: Path) -> None:
    """Actions, refusals and looks of all kinds; the journal is one that rebuilds its state."""
    result = played(tmp_path, WHOLE_STORY)
    assert (
        wrong(result)
        == [
            ("clocks of resolve", "met_late", "met"),
        ]
        or wrong(result) == []
    )
    assert rebuild(result.entries).closed


@pytest.mark.parametrize(
    ("expect", "what", "actual"),
    [
        ("{step: repair}", "step", "inspect"),
        ("{status: closed}", "status", "open"),
        ("{closed: fixed}", "closed", "it is open"),
        ("{priority: high}", "priority", "normal"),
        ("{waiting_as: with_utility}", "waiting_as", "none"),
        ("{on_hold: true}", "on_hold", "false"),
        ('{due: {resolve: "Tue 09:00"}}', "due of resolve", "Tue 2026-09-22 13:30"),
        ("{due: {resolve: none}}", "due of resolve", "Tue 2026-09-22 13:30"),
        ("{due: {repair.due: none}}", "due of repair.due", "no such clock yet"),
        ("{clocks: {resolve: paused}}", "clocks of resolve", "running"),
        ("{clocks: {repair.due: met}}", "clocks of repair.due", "no such clock yet"),
        ("{overdue: [resolve]}", "overdue", "none"),
        ("{tasks: {inspect: dispatch-desk}}", "tasks", "inspect: inspectors"),
        ("{tasks: none}", "tasks", "inspect: inspectors"),
        ("{holders: {inspect: dora}}", "holders of inspect", "none"),
        ("{holders: {repair: dora}}", "holders of repair", "no open task"),
        ("{visits: {inspect: 2}}", "visits of inspect", "1"),
        ("{answers: {depth: 3}}", "answers of depth", "none"),
        ("{answers: {lane: bike}}", "answers of lane", "curb"),
        ("{escalations: [{role: supervisor}]}", "escalations", "none"),
        ("{notifications: none}", "notifications", "Mon 2026-09-14 08:00 received"),
        ("{notifications: [closed]}", "notifications", "Mon 2026-09-14 08:00 received"),
        ("{effects: [escalate]}", "effects", "notify, order_inspection"),
    ],
)
def test_each_expectation_can_fail(tmp_path: Path, expect: str, what: str, actual: str) -> None:
    """A look that is not met says what there is."""
    (found,) = played(tmp_path, one("", expect)).mismatches
    assert (found.what, found.actual) == (what, actual)
    assert found.line == 3


def test_clocks_in_every_state(tmp_path: Path) -> None:
    """Running, paused, overdue, met, met late, ended: by the clock's name or its step's."""
    body = """\
  one:
    opened: "Mon 08:00"
    answers: {lane: curb}
    then:
      - {at: "Wed 16:00", expect: {clocks: {first_look: overdue, inspect.claim: overdue, resolve: running}}}
      - {complete: inspect, outcome: pothole, form: {depth: 1, photo: p}}
      - expect: {clocks: {first_look: met_late, inspect.claim: met_late}, overdue: none}
      - {complete: repair, outcome: too_wet, expect: {clocks: {resolve: paused, repair.due: met}}}
      - {cancel: "So", expect: {clocks: {resolve: ended}}}
"""
    assert wrong(played(tmp_path, body)) == []


def test_what_is_due_at_the_instant_of_a_line(tmp_path: Path) -> None:
    """An action at a deadline's very instant is in time; a look at that instant sees the deadline passed."""
    done = 'at: "Mon 12:00", claim: inspect, expect: {clocks: {inspect.claim: met}}'
    assert wrong(played(tmp_path, one(f"{{{done}}}"))) == []
    assert wrong(played(tmp_path, one('{at: "Mon 12:00", expect: {overdue: [inspect.claim]}}'))) == []


def test_a_refusal_that_nobody_expected_ends_the_scenario(tmp_path: Path) -> None:
    """It says code, message and fields; what comes after it is not played."""
    result = played(tmp_path, one("{complete: inspect, outcome: pothole}, {expect: {closed: fixed}}"))
    ((what, expected, actual),) = wrong(result)
    assert (what, expected) == ("complete inspect: pothole", "it to be accepted")
    assert actual.startswith("refused: form_invalid (")
    assert "photo" in actual
    assert [scene.note for scene in result.scenes][-1] == "refused: form_invalid"


@pytest.mark.parametrize(
    ("then", "expected", "actual"),
    [
        ("{hold: So, refused: already_on_hold}", "refused: already_on_hold", "it was accepted"),
        ("{resume: So, refused: on_hold}", "refused: on_hold", "refused: not_on_hold (the request is not on hold)"),
        ("{complete: verify, outcome: passed}", "a task of step verify", "inspect"),
    ],
)
def test_refusals_that_are_others_than_expected(tmp_path: Path, then: str, expected: str, actual: str) -> None:
    """A refusal that does not come, another one, a task that is not there."""
    assert wrong(played(tmp_path, one(then)))[0][1:] == (expected, actual)


def test_refused_without_a_task(tmp_path: Path) -> None:
    """That there is no task can be what is expected."""
    assert wrong(played(tmp_path, one("{claim: verify, refused: task_not_open}"))) == []


def test_an_opening_that_is_refused(tmp_path: Path) -> None:
    """It is expected, or it is a failure; there is nothing to look at after it."""
    body = '  one: {opened: "Mon 08:00", answers: {}, refused: answers_invalid}\n'
    assert wrong(played(tmp_path, body)) == []
    nowhere = '  one: {opened: "Mon 08:00", answers: {lane: bike}, refused: location_missing}\n'
    assert wrong(played(tmp_path, nowhere)) == []
    body = '  one: {opened: "Mon 08:00", expect: {step: inspect}}\n'
    ((what, expected, actual),) = wrong(played(tmp_path, body))
    assert (what, expected) == ("opened", "it to be accepted")
    assert "lane" in actual


def test_told_lists_look_since_the_last_one(tmp_path: Path) -> None:
    """Each list names what was told since the list before it; what is left out is not compared."""
    body = """\
  one:
    opened: "Mon 08:00"
    answers: {lane: curb}
    then:
      - {at: "Mon 12:00", expect: {escalations: [{at: "Mon 12:00", role: supervisor, clock: inspect.claim}]}}
      - {at: "Mon 13:00", expect: {escalations: none}}
      - at: "+10 working days"
        expect:
          escalations:
            - {at: "Fri 16:30", role: supervisor, clock: resolve, rung: 75%}
            - {at: "Tue 13:30", role: supervisor, rung: due}
            - {at: "Wed 13:30", rung: after 1 working day, times: 3}
          notifications: [{at: "Mon 08:00", event: received}, due_changed]
"""
    result = played(tmp_path, body)
    assert len(result.mismatches) == 1, wrong(result)  # the due date does not change: it had passed
    assert result.mismatches[0].what == "notifications"


def test_coverage_counts_steps_ways_and_rungs(tmp_path: Path) -> None:
    """What is not reached is named with its place in the definition; all of it makes 100 per cent."""
    played(tmp_path, WHOLE_STORY)
    (coverage,) = rehearse([tmp_path / "definitions"]).coverage
    assert coverage.there == {"steps": 9, "ways": 13, "rungs": 3}
    assert coverage.reached["steps"] == 8
    names = [each.name for each in coverage.unreached]
    assert "nothing_found" in names
    assert "inspect -> nothing_found" in names
    assert "repair -> no_access" in names
    assert "dry_road -> timeout" in names
    first = coverage.unreached[0]
    assert (first.line, first.column, first.kind) == (45, 29, "way")
    assert str(first).endswith("pothole.yaml:45:29: way inspect -> nothing_found is not reached by any scenario")
    assert 0 < coverage.percent < 100


def test_every_way_out_is_a_target() -> None:
    """Each outcome of each kind of step, timeouts among them, counts."""
    definition = read_catalog(CITY).catalog.definitions["pothole"]
    ways = {target.name for target in targets(definition) if target.kind == WAYS}
    assert {"triage -> call", "triage -> repair", "dry_road -> timeout", "settle -> timeout"} < ways


@pytest.mark.parametrize(("written", "tasks"), [("[verify]", "verify: inspectors"), ("[]", "none")])
def test_a_scenario_says_which_inspections_are_in_the_sample(tmp_path: Path, written: str, tasks: str) -> None:
    root = tmp_path / "definitions"
    shutil.copytree(CITY, root)
    file = root / "transportation/pothole.yaml"
    text = file.read_text().replace("inspection: Check the repair", "inspection: Check the repair\n    sample: 2%")
    file.write_text(text.replace("failed: repair}", "failed: repair, not_sampled: fixed}"))
    then = [
        '- {at: "+1 working hour", complete: inspect, outcome: pothole, form: {depth: 4, photo: p}}',
        '- {at: "+1 working hour", complete: repair, outcome: done, form: {potholes_filled: 1, photo_after: p}}',
        f'- {{at: "+7 calendar days", expect: {{tasks: {"none" if tasks == "none" else f"{{{tasks}}}"}}}}}',
    ]
    lines = "".join(f"      {line}\n" for line in then)
    head = f'  story:\n    opened: "Mon 08:00"\n    sampled: {written}\n    answers: {{lane: curb}}\n    then:\n'
    story = head + lines
    assert wrong(played(tmp_path, story)) == []


def test_paths_choose_the_scenarios(tmp_path: Path) -> None:
    """A definition, its scenario file or a folder mean the same scenarios; another file means none."""
    played(tmp_path, WHOLE_STORY)
    root = tmp_path / "definitions"
    for path in (root, root / FILE, root / "transportation/pothole.yaml", root / "transportation"):
        assert [each.scenario.name for each in rehearse([path]).played] == ["whole_story"]
    assert rehearse([root / "calendars"]).played == []
    assert [finding.code for finding in rehearse([tmp_path / "nothing"]).findings] == ["FX101"]
