"""Findings as programs read them: JSON records with an end, and GitHub's workflow commands."""

from __future__ import annotations

from fixline.catalog import CODES, Finding, check_text, finding_records, workflow_command
from fixline.catalog.catalog import Catalog

FOUND = Finding("a:b,c.yaml", 3, 7, "FX303", "50% of 'x,y': two\nlines", 4)


def test_a_record_has_title_remedy_and_end() -> None:
    (record,) = finding_records([FOUND])
    assert (record["file"], record["line"], record["column"], record["code"]) == ("a:b,c.yaml", 3, 7, "FX303")
    assert record["end"] == {"line": 3, "column": 11}
    assert (record["title"], record["remedy"]) == (CODES["FX303"].title, CODES["FX303"].remedy)


def test_a_place_without_a_text_has_no_end() -> None:
    assert finding_records([Finding("x.yaml", 1, 1, "FX103", "the file is empty")])[0]["end"] is None


def test_the_end_of_a_key_and_of_a_quoted_value() -> None:
    text = 'typo_of_a_key: 1\ntype: "Not A Name"\n'
    records = {each["code"]: each for each in finding_records(check_text(text, "x.yaml", Catalog())[1])}
    assert (records["FX201"]["column"], records["FX201"]["end"]) == (1, {"line": 1, "column": 14})
    assert (records["FX207"]["column"], records["FX207"]["end"]) == (7, {"line": 2, "column": 19})


def test_a_workflow_command_escapes_what_github_reads_as_its_own() -> None:
    assert workflow_command(FOUND) == (
        "::error file=a%3Ab%2Cc.yaml,line=3,col=7,endLine=3,endColumn=11,title=FX303 No such team"
        "::50%25 of 'x,y': two%0Alines"
    )
