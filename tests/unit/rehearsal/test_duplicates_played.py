"""Duplicates in scenarios: the request rests with an older one, or others rest with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixline.catalog import read_catalog
from fixline.catalog.scenarios import read_scenarios
from fixline.domain.journal.entry import rebuild
from fixline.rehearsal.playing import Played, play
from tests.support.lakeport import LAKEPORT

HOLE = """\
type: hole
title: "A hole"
department: transportation
intake:
  location: optional
  duplicates: {within: 30 metres, opened_in_last: 30 calendar days, then: attach}
priority: [{otherwise: normal}]
calendar: public-works
deadlines:
  resolve: {from: opened, met_by: closed, within: 2 working days, escalate: [{at: due, tell: supervisor}]}
start: work
steps:
  work: {task: "Fill it", team: street-dispatch, due: 1 working day, then: {done: fixed, nothing: nothing_found}}
  fixed: {close: fixed}
  nothing_found: {close: no_problem_found}
reopen: {at: work, by: [reporter, supervisor], within: 30 calendar days}
notify: {reporter: [received, closed, reopened]}
"""
FILE = "transportation/hole.scenarios.yaml"


def told(tmp_path: Path, body: str, definition: str = HOLE) -> tuple[list[Played], list[str]]:
    """The scenarios of this body, played, and the findings."""
    root = tmp_path / "definitions"
    shutil.copytree(LAKEPORT, root)
    (root / "transportation/hole.yaml").write_text(definition)
    (root / FILE).write_text(f"type: hole\nscenarios:\n{body}")
    catalog = read_catalog(root).catalog
    scenarios, findings = read_scenarios(root / FILE, catalog)
    return [play(each, catalog.definitions["hole"]) for each in scenarios], [str(finding) for finding in findings]


STORIES = """\
  attached_at_its_opening:
    opened: "Mon 08:00"
    attached: true
    then:
      - expect: {attached: true, step: none, tasks: none, notifications: [received]}
      - {at: "Tue 10:00", original: fixed, expect: {closed: duplicate, attached: false, notifications: [closed]}}
      - {at: "Wed 10:00", original: reopened, expect: {status: open, attached: true, notifications: [reopened]}}
      - {at: "Thu 10:00", original: fixed}
    expect: {closed: duplicate, notifications: [closed], escalations: none}
  attached_by_hand_and_detached:
    opened: "Mon 08:00"
    then:
      - {at: "Mon 09:00", attach: "The same hole", expect: {attached: true, tasks: none, clocks: {resolve: ended}}}
      - {at: "Mon 10:00", hold: "x", refused: request_attached}
      - {at: "Tue 10:00", detach: "Another hole", expect: {step: work, due: {resolve: "Thu 10:00"}, visits: {work: 2}}}
      - {at: "Tue 10:00", original: fixed, refused: not_attached}
      - {at: "Tue 11:00", complete: work, outcome: done}
    expect: {closed: fixed}
  looked_at_where_nothing_was_found:
    opened: "Mon 08:00"
    attached: true
    then:
      - {at: "Tue 10:00", original: no_problem_found, expect: {step: work, attached: false}}
      - {at: "Tue 11:00", complete: work, outcome: nothing}
    expect: {closed: no_problem_found}
  others_are_attached_to_it:
    opened: "Mon 08:00"
    then:
      - {at: "Mon 09:00", duplicate: attached}
      - {duplicate: attached, expect: {duplicates: 2}}
      - {duplicate: detached, expect: {duplicates: 1}}
      - {duplicate: detached, expect: {duplicates: 0}}
      - {duplicate: detached, refused: nothing_changed}
      - {duplicate: attached}
      - {complete: work, outcome: done, expect: {effects: [tell_request]}}
      - {at: "Tue 09:00", reopen: "It is back", expect: {effects: [tell_request], duplicates: 1}}
      - {at: "Wed 10:00", complete: work, outcome: done}
    expect: {closed: fixed}
"""


def test_the_whole_life_of_a_duplicate(tmp_path: Path) -> None:
    """Attached, closed and opened again with its original, detached, looked at on its own; and the original's side."""
    played, findings = told(tmp_path, STORIES)
    assert findings == []
    assert {each.scenario.name: [str(wrong) for wrong in each.mismatches] for each in played} == {
        "attached_at_its_opening": [],
        "attached_by_hand_and_detached": [],
        "looked_at_where_nothing_was_found": [],
        "others_are_attached_to_it": [],
    }
    for each in played:
        assert rebuild(each.entries).closed


def test_what_is_not_as_expected_is_told(tmp_path: Path) -> None:
    """In the words of the keys."""
    (played,), _ = told(tmp_path, '  one: {opened: "Mon 08:00", expect: {attached: true, duplicates: 1}}\n')
    assert [(each.what, each.expected, each.actual) for each in played.mismatches] == [
        ("attached", "true", "false"),
        ("duplicates", "1", "0"),
    ]


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("{original: mended, expect: {step: work}}", "'original'"),
        ("{duplicate: gone, expect: {step: work}}", "'duplicate'"),
        ("{expect: {duplicates: two}}", "FX205"),
        ("{expect: {attached: perhaps}}", "FX204"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, body: str, finding: str) -> None:
    """Each is a finding, and nothing is played."""
    played, findings = told(tmp_path, f'  one: {{opened: "Mon 08:00", then: [{body}]}}\n')
    assert not played
    assert any(finding in each for each in findings), findings


def test_a_type_that_attaches_nothing(tmp_path: Path) -> None:
    """Nobody would have attached the report."""
    body = '  one: {opened: "Mon 08:00", attached: true, expect: {attached: true}}\n'
    played, findings = told(tmp_path, body, HOLE.replace("then: attach", "then: suggest"))
    assert not played
    assert [each.split(": ", 1)[1] for each in findings] == [
        "FX805 this type attaches no report: that is 'duplicates' with 'then: attach'"
    ]
