"""What is found wrong in a file, and where; the forms in which people and programs read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel

from fixline.catalog.codes import CODES
from fixline.errors import did_you_mean


class Place(NamedTuple):
    """A position in a file: line and column from 1, columns in characters; `width` is the length of what stands there,
    0 when it is not known or not on one line."""

    line: int = 1
    column: int = 1
    width: int = 0


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

    def known(self, code: str, place: Place, name: str, names: Collection[str], message: str) -> bool:
        """Whether the name is one of those there are; a finding, with the nearest of them, when it is none."""
        if name not in names:
            self.add(code, place, message + nearest(name, names))
        return name in names

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[Finding, ...]:
        """All findings in the order of the file, each once."""
        return tuple(sorted(set(self._found)))


def nearest(word: str, candidates: Iterable[str]) -> str:
    """ ", did you mean 'x'?" or, when nothing is near and the list is short, the names there are."""
    names = list(candidates)
    near = did_you_mean(word, names)
    if near or not names or len(names) > 8:
        return near
    return f"; there {'is' if len(names) == 1 else 'are'} {one_of(sorted(names))}"


def one_of(words: Iterable[str]) -> str:
    """The words as a list for a message: 'a, b or c'."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


class FindingEnd(BaseModel):
    """Where the text that a finding is about ends."""  # the place after its last character

    line: int
    column: int


class FindingOut(BaseModel):
    """One thing to mend; lines and columns count from 1."""  # columns in characters

    file: str
    line: int
    column: int
    end: FindingEnd | None  # null where it is about a place rather than a text
    code: str
    title: str
    message: str
    remedy: str


def _shown(finding: Finding) -> FindingOut:
    """The finding with its code's title and remedy."""
    code = CODES[finding.code]
    end = FindingEnd(line=finding.line, column=finding.column + finding.width) if finding.width else None
    return FindingOut(
        file=finding.file,
        line=finding.line,
        column=finding.column,
        end=end,
        code=code.code,
        title=code.title,
        message=finding.message,
        remedy=code.remedy,
    )


def finding_records(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as JSON records (see `FindingOut`), in their order."""
    return [_shown(finding).model_dump() for finding in findings]


def workflow_command(finding: Finding) -> str:
    """The finding as a GitHub workflow command, which marks the line in a change: `::error file=...::message`."""
    shown = _shown(finding)
    properties = {"file": shown.file, "line": str(shown.line), "col": str(shown.column)}
    if shown.end:
        properties |= {"endLine": str(shown.end.line), "endColumn": str(shown.end.column)}
    properties["title"] = f"{shown.code} {shown.title}"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::error {listed}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
