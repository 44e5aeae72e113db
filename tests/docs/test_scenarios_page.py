"""docs/scenarios.md says what `fixline test` does: every example passes, and every key and action is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fixline.catalog import read_catalog
from fixline.catalog.profiles import read_profile
from fixline.catalog.scenarios.expectations import READERS, ClockWord
from fixline.catalog.scenarios.model import LINE_KEYS, VERBS
from fixline.domain.process.commands import Open
from fixline.rehearsal import rehearse
from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.docs.pages import DOCS, Block, blocks_of, page, table_rows

PAGE = DOCS / "scenarios.md"
BLOCKS = blocks_of(PAGE, "yaml")
PROFILES = [block for block in BLOCKS if block.words == ("profile",)]
EXAMPLES = [block for block in BLOCKS if block not in PROFILES]


def section(title: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    text = page("scenarios.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return table_rows(text)[1:]


def names(cell: str) -> set[str]:
    """What stands as code in a table's cell."""
    return set(re.findall(r"`([a-z_0-9]+)`", cell))


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.name)
def test_examples_pass(block: Block, tmp_path: Path) -> None:
    """An example, beside the shipped definition, has no finding and holds."""
    assert block.words == ("scenarios",)
    root = tmp_path / "definitions"
    shutil.copytree(PACKAGED_DEFINITIONS, root)
    (root / "transportation/pothole.scenarios.yaml").write_text(block.text)
    report = rehearse([root / "transportation"])
    assert report.findings == []
    assert [str(wrong) for played in report.failed for wrong in played.mismatches] == []
    assert report.played


def test_every_action_is_on_the_page() -> None:
    """Each action stands with what it takes beside its value; a reason and the like at the value are left out."""
    told = {name: names(row[2]) for row in section("Actions") for name in names(row[0])}
    assert told == {verb.name: set(verb.others) for verb in VERBS.values()}


def test_every_expectation_is_on_the_page() -> None:
    """Each key of `expect` has its row, and each word for a clock is told."""
    rows = section("What can be expected")
    assert {name for row in rows for name in names(row[0])} == set(READERS)
    (clocks,) = (row[1] for row in rows if row[0] == "`clocks`")
    assert set(ClockWord) <= names(clocks)


def test_every_key_of_a_line_and_of_a_scenario_is_on_the_page() -> None:
    """The keys that the reading asks for."""
    assert {name for row in section("A line's keys") for name in names(row[0])} == LINE_KEYS
    told = {name for row in section("A scenario's keys") for name in names(row[0])}
    opening = set(Open.model_fields) - {"kind", "type", "version", "opened_at", "backlog", "has_contact", "attach_to"}
    assert told == opening | {"opened", "contact", "attached", "sampled", "by", "refused", "about", "then", "expect"}


def test_profiles_of_the_page_are_profiles(tmp_path: Path) -> None:
    """The example fits the shipped definitions, and has every key that the table has."""
    (block,) = PROFILES
    path = tmp_path / "profile.yaml"
    path.write_text(block.text)
    profile, findings = read_profile(path, read_catalog(PACKAGED_DEFINITIONS).catalog)
    assert findings == ()
    assert profile.storm is not None
    rows = table_rows(page("scenarios.md").partition("# Simulations")[2])[1:]
    assert [row[0].strip("`") for row in rows] == re.findall(r"^(\w+):", block.text, re.MULTILINE)
