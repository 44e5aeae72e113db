"""The pages of the documentation, and what the tests read out of them: code blocks, headings, links.

Owns the reading of Markdown as far as these tests need it. It knows nothing of what Fixline does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(DOCS.rglob("*.md")),
)

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced code block: the page it stands in, its line there, its language, the words after it, its text."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """Where it stands, for a test's id."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def text_of(page: Path) -> str:
    """A page's text."""
    return page.read_text(encoding="utf-8")


def page(name: str) -> str:
    """The text of a page of docs/."""
    return text_of(DOCS / name)


def blocks_of(path: Path, *languages: str) -> list[Block]:
    """A page's code blocks of these languages, in order."""
    text = text_of(path)
    found = []
    for match in _FENCE.finditer(text):
        language, *words = match["info"].split() or [""]
        if language in languages:
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(path, line, language, tuple(words), match["text"]))
    return found


def without_code(text: str) -> str:
    """The text without its code blocks."""
    return _FENCE.sub("", text)


def links_of(path: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    return [match["target"] for match in _LINK.finditer(without_code(text_of(path)))]


def anchors_of(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    return {_anchor(match["text"]) for match in _HEADING.finditer(without_code(text_of(path)))}


def _anchor(heading: str) -> str:
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def table_rows(text: str) -> list[list[str]]:
    """The cells of every table row, without the rows of dashes."""
    rows = [line for line in text.splitlines() if line.startswith("|") and not re.fullmatch(r"[|\-: ]+", line)]
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows
    ]
