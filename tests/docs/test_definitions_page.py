"""docs/definitions.md says what the checker does: every example loads, every key, kind and finding is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixline.catalog import CODES, Catalog, check_text, read_catalog
from fixline.catalog.steps.kinds import KINDS, RESERVED_STEPS
from fixline.domain.deadlines.calendar import Unit
from fixline.domain.definition.conditions import check
from fixline.domain.definition.deadlines import Deadline, Rung
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import RESERVED_OUTCOMES, CloseOutcome, NotifyEvent, Priority
from fixline.domain.process.kinds.agency import AgencyStep
from fixline.domain.process.kinds.call import CallStep
from fixline.domain.process.kinds.follow_on import FollowOnStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.notify import NotifyStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep
from tests.support.docs.pages import DOCS, Block, blocks_of, page, table_rows
from tests.support.lakeport import LAKEPORT

PAGE = DOCS / "definitions.md"
EXAMPLES = blocks_of(PAGE, "yaml", "json")
COMPLETE = [block for block in EXAMPLES if block.words[:1] == ("complete",)]
PARTS = [block for block in EXAMPLES if block.words == ("part",)]
STEPS = [block for block in EXAMPLES if block.words == ("steps",)]
TUTORIAL = 3
"""The first complete examples are the tutorial's files, from nothing."""

HEAD = """\
type: pothole
title: "An example"
department: transportation
intake:
  questions:
    depth: {kind: number}
    dangerous: {kind: yes_no}
priority:
  - {otherwise: normal}
calendar: public-works
"""
STOCK = {
    "fixed": "{close: fixed}",
    "nothing_found": "{close: no_problem_found}",
    "repair": '{task: "Repair it", team: street-dispatch, then: {repaired: fixed, nothing: nothing_found}}',
}
"""Steps to which an example may lead without showing them."""
KEY = re.compile(r"^(\w+):", re.MULTILINE)


@pytest.fixture(scope="module")
def shipped_city() -> Catalog:
    """The sample city, against which fragments are checked."""
    return read_catalog(LAKEPORT).catalog


def named(block: Block) -> str:
    return block.name


def in_a_file(block: Block, folder: Path) -> None:
    path = folder / block.words[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def findings_of(text: str, shipped_city: Catalog) -> list[str]:
    return [str(finding) for finding in check_text(text, "transportation/pothole.yaml", shipped_city)[1]]


def with_stock(steps: str) -> str:
    """The `steps` section with these steps and the stock steps that they lead to."""
    names = KEY.findall(steps)
    text = steps
    for name, body in sorted(STOCK.items(), reverse=True):  # repair first: it leads to the others
        if name not in names and re.search(rf"(?<!close: )\b{name}\b", text):
            text += f"{name}: {body}\n"
    return "steps:\n" + "".join(f"  {line}\n" for line in text.splitlines())


def merged(head: str, part: str) -> str:
    """The head with its top sections replaced by those that the part has, and the stock's steps where it has none."""
    sections = {KEY.match(text)[1]: text for text in re.split(r"^(?=\w+:)", head, flags=re.MULTILINE) if text}  # type: ignore[index]
    sections |= {KEY.match(text)[1]: text for text in re.split(r"^(?=\w+:)", part, flags=re.MULTILINE) if text}  # type: ignore[index]
    sections.setdefault("start", "start: repair\n")
    sections.setdefault("steps", with_stock(f"repair: {STOCK['repair']}\n"))
    return "".join(sections.values())


def test_every_example_is_of_a_kind_that_is_tested() -> None:
    """No YAML on the page is without a check."""
    assert EXAMPLES
    assert [block.name for block in EXAMPLES if block not in [*COMPLETE, *PARTS, *STEPS]] == []


def test_the_tutorial_starts_from_nothing(tmp_path: Path) -> None:
    """The tutorial's files, in an empty folder, have no finding and make its type."""
    for block in COMPLETE[:TUTORIAL]:
        in_a_file(block, tmp_path)
    reading = read_catalog(tmp_path / "definitions")
    assert [str(finding) for finding in reading.findings] == []
    assert list(reading.catalog.definitions) == ["broken-bench"]


def test_the_tutorials_mistake_is_found_where_it_says(tmp_path: Path) -> None:
    """The finding that the tutorial prints is the one that the checker gives."""
    for block in COMPLETE[:TUTORIAL]:
        in_a_file(block, tmp_path)
    path = tmp_path / "definitions/parks/broken-bench.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("team: park-crew", "team: park-crews"), encoding="utf-8")
    (finding,) = read_catalog(tmp_path / "definitions").findings
    assert str(finding).removeprefix(f"{tmp_path}/") in page("definitions.md")


@pytest.mark.parametrize("block", COMPLETE[TUTORIAL:], ids=named)
def test_complete_examples_load(block: Block, tmp_path: Path) -> None:
    """A complete file of another kind fits into the tutorial's folder."""
    for each in [*COMPLETE[:TUTORIAL], block]:
        in_a_file(each, tmp_path)
    assert [str(finding) for finding in read_catalog(tmp_path / "definitions").findings] == []


@pytest.mark.parametrize("block", PARTS, ids=named)
def test_parts_fit_into_a_definition(block: Block, shipped_city: Catalog) -> None:
    """An example of some sections is right in a definition that has the others."""
    assert findings_of(merged(HEAD, block.text), shipped_city) == []


@pytest.mark.parametrize("block", STEPS, ids=named)
def test_steps_fit_into_a_definition(block: Block, shipped_city: Catalog) -> None:
    """An example of steps is right in a definition that starts with its first."""
    first = KEY.findall(block.text)[0]
    assert findings_of(f"{HEAD}start: {first}\n{with_stock(block.text)}", shipped_city) == []


def test_conditions_of_the_page_are_conditions(shipped_city: Catalog) -> None:
    """Every condition in the page's table passes the check against the questions that the page shows."""
    (questions,) = [block for block in PARTS if block.text.startswith("intake:") and "kind: choices" in block.text]
    definition, findings = check_text(merged(HEAD, questions.text), "transportation/pothole.yaml", shipped_city)
    assert definition is not None, findings
    section = page("definitions.md").partition("\n## Conditions\n")[2].partition("\n## ")[0]
    conditions = [each for row in table_rows(section)[1:] for each in re.findall(r"`([^`]+)`", row[1])]
    assert len(conditions) > 10
    assert [each for each in conditions if check(each, definition.fields)] == []


def test_every_finding_is_on_the_page() -> None:
    """Each code stands with its title, its rule and its remedy, and there are no others."""
    told = {row[0].strip("`"): row[1:] for row in table_rows(page("definitions.md")) if row[0].startswith("`FX")}
    assert told == {code.code: [code.title, code.rule, code.remedy] for code in CODES.values()}


def words(*groups: object) -> list[str]:
    return [str(word) for group in groups for word in group]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "word",
    sorted(
        {
            *words(KINDS, RESERVED_OUTCOMES, RESERVED_STEPS),
            *(member.value for kind in (CloseOutcome, FieldKind, NotifyEvent, Priority, Unit) for member in kind),
            *(
                name.rstrip("_")
                for model in (
                    *(Definition, Deadline, FormField, HumanStep, WaitStep),
                    *(AgencyStep, FollowOnStep, CallStep, TogetherStep, NotifyStep),
                )
                for name in model.model_fields
            ),
            *({"at", *Rung.model_fields} - {"at_percent", "at_due"}),
        }
        - {"schema"}
        - {"branches"}  # written as the value of `together`
    ),
)
def test_every_word_of_the_language_is_on_the_page(word: str) -> None:
    """Each key, kind and reserved word stands as code."""
    assert re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", page("definitions.md")), word
