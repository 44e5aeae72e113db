"""Findings in the forms that programs read: JSON records, and the lines that GitHub shows beside a change.

Owns both forms. Must not import anything of Fixline but findings and the table of codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from fixline.catalog.codes import CODES
from fixline.catalog.findings import Finding


class EndRecord(TypedDict):
    """Where the text that a finding is about ends: the place after its last character, counted from 1."""

    line: int
    column: int


class FindingRecord(TypedDict):
    """One finding as a JSON object; lines and columns count from 1, columns in characters.

    `end` is null where the finding is about a place rather than a text.
    """

    file: str
    line: int
    column: int
    end: EndRecord | None
    code: str
    title: str
    message: str
    remedy: str


def finding_record(finding: Finding) -> FindingRecord:
    """The finding with its code's title and remedy."""
    code = CODES[finding.code]
    end = EndRecord(line=finding.line, column=finding.column + finding.width) if finding.width else None
    return FindingRecord(
        file=finding.file,
        line=finding.line,
        column=finding.column,
        end=end,
        code=code.code,
        title=code.title,
        message=finding.message,
        remedy=code.remedy,
    )


def finding_records(findings: Iterable[Finding]) -> list[FindingRecord]:
    """The findings as JSON records, in their order."""
    return [finding_record(finding) for finding in findings]


def workflow_command(finding: Finding) -> str:
    """The finding as a GitHub workflow command, which marks the line in a change: `::error file=...::message`."""
    record = finding_record(finding)
    properties = {"file": record["file"], "line": str(record["line"]), "col": str(record["column"])}
    if record["end"]:
        properties |= {"endLine": str(record["end"]["line"]), "endColumn": str(record["end"]["column"])}
    properties["title"] = f"{record['code']} {record['title']}"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::error {listed}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
