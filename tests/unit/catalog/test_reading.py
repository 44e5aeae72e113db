"""The reader keeps text as text, knows every place, and refuses what it cannot take without falling over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.catalog import check_text, read_catalog
from fixline.catalog.findings import Findings
from fixline.catalog.reading import LARGEST_FILE_CHARACTERS, read_tree
from fixline.catalog.tree import Mapping, Scalar, Sequence

CITY = Path(__file__).parents[2] / "fixtures/city"
GOOD = (CITY / "transportation/pothole.yaml").read_text()
MISPLACED = "a key cannot stand here: look at the indentation, and at the line above (a missing colon?)"
CATALOG = read_catalog(CITY).catalog

_SIGNS = st.text(alphabet=" \t\n\r-:,?{}[]#&*!|>'\"%@`\\<=abz019\u00e9\u2028\ufeff\x00", max_size=60)


def codes(source: bytes | str) -> list[str]:
    """The codes that reading this source gives."""
    findings = Findings("x.yaml")
    tree = read_tree(source, findings)
    assert (tree is None) <= bool(findings)
    return [finding.code for finding in findings.sorted()]


def test_values_stay_text() -> None:
    """A time, a word that YAML takes for a truth value, a date and a number are all text."""
    findings = Findings("x.yaml")
    tree = read_tree("at: 17:00\non: no\nyes: 2026-03-31\nn: 1e3\nnothing: ~\n", findings)
    assert tree is not None
    assert {entry.key: entry.value.text for entry in tree if isinstance(entry.value, Scalar)} == {
        "at": "17:00",
        "on": "no",
        "yes": "2026-03-31",
        "n": "1e3",
        "nothing": "~",
    }


def test_places_in_flow_style() -> None:
    """Keys and values between brackets know their line and column, counted from 1."""
    tree = read_tree('a:\n  - {b: "c d", e: [f, g]}\n', Findings("x.yaml"))
    assert tree is not None
    listed = tree.entries["a"].value
    assert isinstance(listed, Sequence)
    inner = listed.items[0]
    assert isinstance(inner, Mapping)
    places = {entry.key: (entry.place.line, entry.place.column, entry.value.place.column) for entry in inner}
    assert places == {"b": (2, 6, 9), "e": (2, 16, 19)}
    text = inner.entries["b"].value
    assert isinstance(text, Scalar)
    assert text.at(2).column == 12


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"title: caf\xe9\n", "FX102"),
        ("", "FX103"),
        ("# only words\n", "FX103"),
        ("---\n", "FX103"),
        ('a: "\\Uffffffff"', "FX104"),
        ("a: 1\n...\nb: 2\n", "FX109"),
        ("a: {x: 1, y z}", "FX110"),
        ("a: b # c\nd: e#f\ng: h #i\n", "FX110"),
        (" a: 1\nb: 2\n", "FX111"),
        ("a: " + "[" * 40 + "]" * 40, "FX112"),
        ("a: " + "x" * LARGEST_FILE_CHARACTERS, "FX112"),
        ("a: b\x07c\n", "FX114"),
        ('a: "b\\0c"', "FX114"),
        ('a: "\\ud800"', "FX114"),
        ("- a\n- b\n", "FX203"),
        ("a: &x [*x]\n", "FX107"),
        ("%YAML 1.1\n---\na: b\n", "FX108"),
    ],
)
def test_refused(source: bytes | str, code: str) -> None:
    """What cannot be read, or would mislead, is refused with its code."""
    assert code in codes(source)


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ('a: "b\nc: d\ne: "f"\n', "1:4 FX104 a quote is missing: the text that begins here ends only in line 3"),
        ('a: {b: "c}\nf: {g: "h"}\n', "1:8 FX104 a quote is missing: the text that begins here ends only in line 2"),
        ('a: b\nc: "d\ne: f\n', "2:4 FX104 a quote that is opened here is not closed"),
        ("a: {b: {c: d}\ne: f\n", "1:4 FX104 a bracket that is opened here is not closed"),
        ("a: {b: [c, d\n", "1:8 FX104 a bracket that is opened here is not closed"),
        ("a: [b}\n", "1:6 FX104 '}' does not close the '[' that was opened last"),
        ("a: {b: c}}\n", "1:10 FX104 '}' closes a bracket that was not opened: delete it, or put the text in quotes"),
        ("a: {b} c\n", "1:8 FX110 text goes on after '}': put the whole text in quotes"),
        ("a: [b] c\n", "1:8 FX110 text goes on after ']': put the whole text in quotes"),
        (
            "a: {b: c d: e}\n",
            "1:11 FX110 ':' ends unquoted text between brackets: "
            "put the whole text in quotes, or a comma before the next key",
        ),
        (
            'a: {b: "c" d: e}\n',
            "1:12 FX110 the quoted text has ended before 'd': "
            "inside double quotes, write single ones, or put a comma between",
        ),
        ("z: y\na b\n# c\n\nd: e\n", "2:1 FX104 a colon with a space after it is missing here"),
        ("a: b\nc:d\ne: f\n", "2:1 FX104 a colon with a space after it is missing here"),
        ("a:\n  - b\n  -{c: d}\n", "3:3 FX104 a space is missing after '-'"),
        ("a:\n  - b\n  c: d\n", f"3:3 FX111 {MISPLACED}"),
        ("a: b\n  cd: e\n", f"2:3 FX111 {MISPLACED}"),
        ("a b\n# c\nd: e\n", f"3:1 FX111 {MISPLACED}"),
    ],
)
def test_the_place_to_mend(source: str, finding: str) -> None:
    """What YAML notices late or names in its own terms is told where it was done, with what to do."""
    findings = Findings("x.yaml")
    assert read_tree(source, findings) is None
    assert [f"{each.line}:{each.column} {each.code} {each.message}" for each in findings.sorted()] == [finding]


@pytest.mark.parametrize("source", ["a: \u201cb c\u201d\n", "a: {b: \u201cc, d\u201d}\n", "a: \u2018b: c\u2019\n"])
def test_quotes_of_a_word_processor(source: str) -> None:
    """They quote nothing: what they were meant to quote would be read as if nothing stood there."""
    findings = Findings("x.yaml")
    read_tree(source, findings)
    found = findings.sorted()[0]
    assert (found.code, found.column) == ("FX110", re.search("[\u201c\u2018]", source).start() + 1)  # type: ignore[union-attr]
    assert "write the quotes of a keyboard" in found.message


def test_utf8_error_place() -> None:
    """A byte that is not UTF-8 is found at its line and column."""
    findings = Findings("x.yaml")
    assert read_tree(b"a: b\ncd: \xff\n", findings) is None
    assert [(finding.line, finding.column) for finding in findings.sorted()] == [(2, 5)]


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=80), _SIGNS, _SIGNS.map(str.encode)))
def test_arbitrary_files_give_findings(source: bytes | str) -> None:
    """No file makes the reader raise: it gives a tree, or findings, or both."""
    codes(source)


@settings(deadline=None)
@given(_SIGNS, st.integers(0, 2000), st.integers(0, 40))
def test_arbitrary_damage_gives_findings(noise: str, start: int, length: int) -> None:
    """A good definition with any piece replaced by anything is either still good or has findings."""
    damaged = GOOD[:start] + noise + GOOD[start + length :]
    definition, findings = check_text(damaged, "transportation/pothole.yaml", CATALOG)
    assert (definition is None) == bool(findings)
