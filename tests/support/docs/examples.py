"""The examples of docs/findings.md, held against the checker.

Owns the ground on which an example stands: some sections of a definition (`part`), some of its steps (`steps`), or a
whole file of the city in tests/fixtures/city (`file PATH`), with a neighbour's type that can be a follow-on. Places are
those in the example as it is printed.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from fixline.catalog import Finding, check_text
from fixline.catalog.checking import check_paths
from tests.support.docs.pages import DOCS, ROOT, Block, blocks_of, text_of
from tests.support.neighbour import city_with_neighbour

PAGE = DOCS / "findings.md"
CITY = ROOT / "tests/fixtures/city"
DEFINITION = "transportation/pothole.yaml"
HEAD = """\
type: pothole
title: "An example"
department: transportation
intake:
  questions:
    depth: {kind: number}
    dangerous: {kind: yes_no}
    seen: {kind: choices, options: {rats: "Rats", smell: "A smell"}}
    lane: {kind: choice, options: {bike: "Bike lane", curb: "Curb lane"}}
priority:
  - {otherwise: normal}
calendar: works
start: repair
steps:
  repair: {task: "Repair it", team: dispatch-desk, then: {repaired: fixed}}
  fixed: {close: fixed}
"""
STOCK = {
    "repair": '{task: "Repair it", team: dispatch-desk, then: {repaired: fixed}}',
    "fixed": "{close: fixed}",
}
"""Steps to which an example may lead without showing them."""
_KEY = re.compile(r"^([\w-]+):", re.MULTILINE)
Line = tuple[str, int | None, int]
"""A line, its number in the example if it is of it, and how far it is indented more than there."""


@dataclass(frozen=True)
class Example:
    """An entry's block: its code, whether it is the bad one, where it stands, its text."""

    code: str
    bad: bool
    where: tuple[str, ...]
    block: Block

    @property
    def name(self) -> str:
        """For a test's id."""
        return f"{self.code}-{'bad' if self.bad else 'good'}"


def entries() -> dict[str, str]:
    """The text of each entry of the page, by code."""
    parts = re.split(r"^### (?=FX\d{3} )", text_of(PAGE), flags=re.MULTILINE)[1:]
    return {part[:5]: re.split(r"^## ", part, flags=re.MULTILINE)[0] for part in parts}


def examples() -> list[Example]:
    """Every example of the page, in order."""
    found: list[Example] = []
    starts = {code: text_of(PAGE).index(f"### {code} ") for code in entries()}
    lines = {code: text_of(PAGE).count("\n", 0, start) + 1 for code, start in starts.items()}
    for block in blocks_of(PAGE, "yaml", "json"):
        code = max((code for code in lines if lines[code] < block.line), key=lambda code: lines[code])
        found.append(Example(code, block.words[0] == "bad", block.words[1:], block))
    return found


def findings_of(where: tuple[str, ...], text: str, folder: Path) -> list[tuple[int, int, str, str]]:
    """Line, column, code and message of what is found in an example; `folder` is an empty one to work in."""
    if where[0] == "file" and where[1] != DEFINITION:
        return [_told(finding) for finding in _in_the_city(where[1], text, folder)]
    lines: list[Line] = [(line, number, 0) for number, line in enumerate(text.splitlines(), start=1)]
    if where[0] != "file":
        lines = _merged(text) if where[0] == "part" else _with_stock(text)
    _, findings = check_text("".join(f"{line}\n" for line, _, _ in lines), DEFINITION, city_with_neighbour())
    return [_placed(finding, lines) for finding in findings]


def _told(finding: Finding) -> tuple[int, int, str, str]:
    return finding.line, finding.column, finding.code, finding.message


def _placed(finding: Finding, lines: list[Line]) -> tuple[int, int, str, str]:
    """The finding at its place in the example; line 0 for one that is not in it."""
    _, number, indent = lines[finding.line - 1] if finding.line <= len(lines) else ("", None, 0)
    return number or 0, finding.column - indent, finding.code, finding.message


def _in_the_city(path: str, text: str, folder: Path) -> tuple[Finding, ...]:
    """What is found in the city's file of that path when the example stands in its place."""
    root = folder / "definitions"
    shutil.copytree(CITY, root)
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return tuple(finding for finding in check_paths([root]) if Path(finding.file).name == target.name)


def _sections(text: str) -> dict[str, list[Line]]:
    """Each top section's lines, by its key."""
    found: dict[str, list[Line]] = {}
    key = ""
    for line in text.splitlines():
        match = _KEY.match(line)
        key = match[1] if match else key
        found.setdefault(key, []).append((line, None, 0))
    return found


def _merged(text: str) -> list[Line]:
    """The example, and after it the sections of the head that it does not have."""
    own = _sections(text)
    rest = [line for key, section in _sections(HEAD).items() if key not in own for line in section]
    return [*((line, number, 0) for number, line in enumerate(text.splitlines(), start=1)), *rest]


def _with_stock(steps: str) -> list[Line]:
    """The head with these steps, the first of them its start, and the stock's steps that they lead to."""
    names = _KEY.findall(steps)
    whole = steps
    for name, body in STOCK.items():
        if name not in names and re.search(rf"(?<!close: )\b{name}\b", whole):
            whole += f"{name}: {body}\n"
    head = HEAD.partition("start:")[0].splitlines()
    lines: list[Line] = [(line, None, 0) for line in [*head, f"start: {names[0]}", "steps:"]]
    shown = len(steps.splitlines())
    return lines + [
        (f"  {line}", number if number <= shown else None, 2) for number, line in enumerate(whole.splitlines(), start=1)
    ]
