"""What is found wrong in a file, and where; the forms in which people and programs read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

from fixline.catalog.codes import CODES


class Place(NamedTuple):
    """A position in a file; lines and columns count from 1, columns in characters.

    `width` is the length of what stands there, in characters; 0 when it is not known or not on one line.
    """

    line: int = 1
    column: int = 1
    width: int = 0

    def shifted(self, columns: int) -> Place:
        """The place that many characters further on in the same line."""
        return Place(self.line, self.column + columns)


TOP = Place()


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend: file, 1-based line and column, the stable code, plain words; its width where known."""

    file: str
    line: int
    column: int
    code: str
    message: str
    width: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """`file:line:column: CODE message`, the form that editors know."""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}"


class Findings:
    """Collects the findings of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Finding] = []

    def add(self, code: str, place: Place, message: str) -> None:
        """Note a finding. KeyError when the code is not declared."""
        self._found.append(Finding(self.file, place.line, place.column, CODES[code].code, message, place.width))

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[Finding, ...]:
        """All findings in the order of the file, each once."""
        return tuple(sorted(set(self._found)))


def one_of(words: Iterable[str]) -> str:
    """The words as a list for a message: 'a, b or c'."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


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
