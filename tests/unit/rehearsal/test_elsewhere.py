"""What others answer in virtual time: agencies, called systems; another type; being opened again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixline.catalog import Catalog, read_catalog
from fixline.catalog.profiles import Profile
from fixline.catalog.scenarios import read_scenarios
from fixline.rehearsal.coverage import reached
from fixline.rehearsal.playing import Played, play
from fixline.rehearsal.simulation import Simulation
from tests.support.lakeport import LAKEPORT

ASKING = """\
type: asking
title: "Asks others"
department: transportation
intake: {location: none}
priority: [{otherwise: normal}]
calendar: public-works
deadlines:
  resolve: {from: opened, met_by: closed, within: 2 working days, escalate: [{at: due, tell: supervisor}]}
start: gas
steps:
  gas:
    agency: lakeport-gas
    waiting_as: with_utility
    reply_within: 1 working day
    then: {repaired: permit, refused: refused, no_reply: refused}
  permit:
    call: permits-office
    send: [place]
    at_most: 1 calendar day
    then: {granted: fixed, refused: refused, timeout: gas}
  fixed: {close: fixed}
  refused: {close: declined}
reopen: {at: gas, by: [reporter, supervisor], within: 30 calendar days}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A city with a type that asks others."""
    root = tmp_path / "definitions"
    shutil.copytree(LAKEPORT, root)
    (root / "transportation/asking.yaml").write_text(ASKING)
    return root


def catalog_of(root: Path) -> Catalog:
    """The city, without findings."""
    reading = read_catalog(root)
    assert [str(finding) for finding in reading.findings] == []
    return reading.catalog


def played(root: Path, lines: str, type_: str = "asking", head: str = "") -> Played:
    """The scenario of these lines, played."""
    catalog, path = catalog_of(root), root / f"transportation/{type_}.scenarios.yaml"
    path.write_text(f'type: {type_}\nscenarios:\n  one:\n    opened: "Mon 08:00"\n{head}    then:\n{lines}')
    (scenario,), findings = read_scenarios(path, catalog)
    assert [str(finding) for finding in findings] == []
    return play(scenario, catalog.definitions[type_])


def wrong(result: Played) -> list[str]:
    """What was not as expected."""
    return [str(each) for each in result.mismatches]


def test_agencies_and_systems_answer(root: Path) -> None:
    """A reply and an answer are actions; what was set going shows as effects."""
    result = played(
        root,
        """\
      - expect: {step: gas, waiting_as: with_utility, effects: [ask_agency]}
      - {at: "Mon 10:00", agency_reply: mended, refused: unknown_outcome}
      - {at: "Mon 10:00", agency_reply: repaired, by: service, expect: {step: permit, effects: [call]}}
      - {at: "Mon 10:01", call_answer: granted, expect: {closed: fixed}}
""",
    )
    assert wrong(result) == []


def test_silence_has_ways_of_its_own(root: Path) -> None:
    """No answer in time leads on; one for which nobody waits is refused."""
    result = played(
        root,
        """\
      - {at: "Mon 09:00", call_answer: granted, refused: step_moved_on}
      - {at: "Mon 10:00", agency_reply: repaired, reference: "G-7"}
      - {at: "+1 calendar day", expect: {step: gas, visits: {gas: 2}}}
      - {at: "+1 working day", expect: {closed: declined}}
""",
    )
    assert wrong(result) == []
    definition = catalog_of(root).definitions["asking"]
    found = reached(definition, [result.entries])
    assert {("steps", "permit", "then", "timeout"), ("steps", "gas", "then", "no_reply")} <= found


HANDING = """\
type: handing
title: "Hands over"
department: transportation
intake: {location: none}
priority: [{otherwise: normal}]
calendar: public-works
start: hand_over
steps:
  hand_over: {follow_on: asking, then: {fixed: fixed, otherwise: refused}}
  fixed: {close: fixed}
  refused: {close: declined}
"""


def test_a_follow_on(root: Path) -> None:
    """In virtual time a follow-on is opened at once, and closes when the scenario says so."""
    (root / "transportation/handing.yaml").write_text(HANDING)
    result = played(
        root,
        """\
      - expect: {step: hand_over, effects: [open_follow_on]}
      - {at: "+1 working day", follow_on: declined, expect: {closed: declined}}
""",
        "handing",
    )
    assert wrong(result) == []
    catalog = catalog_of(root)
    simulation = Simulation(catalog, [catalog.definitions["handing"]], Profile(weeks=1), 20, 1)
    simulation.run()
    assert simulation.figures["handing"].closed == 20


def test_opened_again(root: Path) -> None:
    """A request that is opened again has deadlines of its own, under the same names."""
    result = played(
        root,
        """\
      - {at: "Mon 10:00", agency_reply: refused, expect: {closed: declined, clocks: {resolve: met}}}
      - {at: "Tue 10:00", reopen: "They came after all", expect: {status: open, clocks: {resolve: running}}}
      - {at: "+1 working hour", agency_reply: repaired, expect: {step: permit}}
      - {at: "+1 working hour", call_answer: granted, expect: {closed: fixed, clocks: {resolve: met}}}
""",
    )
    assert wrong(result) == []


def test_another_type(root: Path) -> None:
    """A request goes on by the definition of the type that it really is; coverage counts it for the first no more."""
    result = played(
        root,
        """\
      - {at: "Mon 10:00", recategorise: graffiti, answers: {surface: brick}}
      - expect: {step: remove, answers: {surface: brick}}
      - {at: "Tue 10:00", complete: remove, outcome: no_graffiti_found, expect: {closed: no_problem_found}}
""",
        "pothole",
        "    answers: {lane: bike}\n",
    )
    assert wrong(result) == []
    assert ("steps", "remove") not in reached(result.definition, [result.entries])


def test_another_type_that_is_not_there(root: Path) -> None:
    """The type is looked up when the file is read; its name in a refusal is not."""
    path = root / "transportation/pothole.scenarios.yaml"
    path.write_text(
        'type: pothole\nscenarios: {one: {opened: "Mon 08:00", answers: {lane: bike},\n'
        "  then: [{recategorise: grafiti, expect: {step: inspect}}]}}\n"
    )
    findings = read_scenarios(path, catalog_of(root))[1]
    assert [(finding.code, finding.line, finding.column) for finding in findings] == [("FX805", 3, 25)]
    assert "did you mean 'graffiti'?" in findings[0].message


def test_a_simulation_answers_in_their_place(root: Path) -> None:
    """Agencies reply and systems answer, or do not in time."""
    catalog = catalog_of(root)
    simulation = Simulation(catalog, [catalog.definitions["asking"]], Profile(weeks=1), 40, 1)
    simulation.run()
    figures = simulation.figures["asking"]
    assert figures.closed == 40
    assert set(figures.outcomes) == {"fixed", "declined"}
