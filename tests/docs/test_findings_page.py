"""docs/findings.md: each code has a bad example, which gives just that finding where it says, and a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixline.catalog import CODES
from tests.support.docs.examples import PAGE, Example, entries, examples, findings_of
from tests.support.docs.pages import blocks_of

EXAMPLES = examples()
IN_WORDS = {"FX101", "FX102", "FX103", "FX112", "FX211", "FX701", "FX801", "FX830", "FX831"}
"""Codes that no text on a page can bring about: they are about paths, bytes, sizes, several files, and profiles."""


def told(code: str) -> list[str]:
    """The lines that the entry prints as the check's."""
    (block,) = [block for block in blocks_of(PAGE, "text") if f": {code} " in block.text]
    return block.text.splitlines()


def test_every_code_has_an_entry_in_order() -> None:
    assert list(entries()) == sorted(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_entry_has_title_rule_remedy_and_examples(code: str) -> None:
    entry = entries()[code]
    heading, _, rest = entry.partition("\n\n")
    assert heading == f"{code} {CODES[code].title}"
    assert " ".join(rest.split()).startswith(f"{CODES[code].rule} {CODES[code].remedy}")
    kinds = [each.bad for each in EXAMPLES if each.code == code]
    if code in IN_WORDS:
        assert kinds == []
        assert "\nExample: " in rest
    else:
        assert kinds == [True, False]


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.bad], ids=lambda each: each.name)
def test_a_bad_example_gives_just_its_finding(example: Example, tmp_path: Path) -> None:
    found = findings_of(example.where, example.block.text, tmp_path)
    assert {code for _, _, code, _ in found} == {example.code}
    assert [f"{line}:{column}: {code} {message}" for line, column, code, message in found] == told(example.code)


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not each.bad], ids=lambda each: each.name)
def test_a_good_example_gives_none(example: Example, tmp_path: Path) -> None:
    assert findings_of(example.where, example.block.text, tmp_path) == []
