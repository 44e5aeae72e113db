"""What must hold of every page: links lead somewhere, commands and addresses exist, the decisions have their form."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.support.docs.commands import all_commands
from tests.support.docs.endpoints import endpoints
from tests.support.docs.pages import DOCS, PAGES, ROOT, Block, anchors_of, blocks_of, links_of, text_of

DECISIONS = sorted((DOCS / "adr").glob("[0-9]*.md"))
SHELL = [block for page in PAGES for block in blocks_of(page, "sh")]
TARGETS = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
NO_MODULES = {"fixline.notices", "fixline.db"}
"""A logger, and a file of a data folder."""
VARIABLES = {"$FIXLINE": "/api/v1"}
"""What the walk-through's variables stand for in an address."""
OUR_ADDRESS = re.compile(r"(?:https?://127\.0\.0\.1:8311|\$FIXLINE)(?P<path>/[^\s\"'?]*)")


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def named(block: Block) -> str:
    return block.name


@pytest.mark.parametrize("path", PAGES, ids=short)
def test_links_lead_somewhere(path: Path) -> None:
    """Files exist, anchors are headings; nothing points out of the repository but to the web."""
    for link in links_of(path):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Nobody has to guess a page's name."""
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        found = ((path.parent / link.partition("#")[0]).resolve() for link in links_of(path) if "://" not in link)
        waiting += [each for each in found if each.suffix == ".md" and each.is_file()]
    assert set(PAGES) - seen == set()


def words_of(block: Block) -> list[list[str]]:
    """The block's commands as words; lines that go on are joined, what Python runs is left out."""
    text = re.sub(r"'[^']*'", "'...'", block.text.replace("\\\n", " "))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return [shlex.split(line, comments=True) for line in lines if line.count('"') % 2 == 0 and line.count("'") % 2 == 0]


@pytest.mark.parametrize("block", SHELL, ids=named)
def test_commands_exist(block: Block) -> None:
    """`fixline` and `make` are called with commands, options and targets that there are."""
    for line in words_of(block):
        words = [word for word in line if not re.match(r"[A-Z_]+=", word) and word != "export"]
        if not words:
            continue
        if Path(words[0]).name == "fixline":
            _check_command(words[1:])
        elif words[0] == "make":
            assert [word for word in words[1:] if word not in TARGETS] == []


def _check_command(words: list[str]) -> None:
    known = all_commands()
    name = next((n for n in (f"fixline {' '.join(words[:2])}", f"fixline {words[0]}") if n in known), None)
    assert name is not None, words
    options = {opt for parameter in known[name].params for opt in parameter.opts}
    assert [word for word in words if word.startswith("--") and word not in options] == [], words


@pytest.mark.parametrize("block", [block for block in SHELL if OUR_ADDRESS.search(block.text)], ids=named)
def test_addresses_exist(block: Block) -> None:
    """What curl is given is an endpoint's address, ids standing for themselves."""
    known = [re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(each.split(" ", 1)[1])) for each, _ in endpoints()]
    for match in OUR_ADDRESS.finditer(block.text):
        before = VARIABLES["$FIXLINE"] if match[0].startswith("$FIXLINE") else ""
        address = before + match["path"]
        assert address == "/api/v1" or any(re.fullmatch(pattern, address) for pattern in known), address


@pytest.mark.parametrize("path", PAGES, ids=short)
def test_addresses_in_text_exist(path: Path) -> None:
    """An endpoint that a page names with its method is one."""
    known = {name for name, _ in endpoints()}
    told = re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`\s]*)`", text_of(path))
    assert [name for name in told if name not in known] == []


@pytest.mark.parametrize("path", PAGES, ids=short)
def test_names_in_code_exist(path: Path) -> None:
    """A module, class, function or file of ours that a page names as code is there."""
    told = set(
        re.findall(r"`((?:fixline|activities|workflows|bench|docs|tests)[./][\w./-]+)(?:\([^`]*\))?`", text_of(path))
    )
    assert [name for name in sorted(told) if not (_is_file(name) or _is_name(name))] == []


def _is_file(name: str) -> bool:
    return "/" in name and (ROOT / name).exists()


def _is_name(name: str) -> bool:
    """Whether it is a module, something that a module has, or no module at all."""
    if name in NO_MODULES:
        return True
    module, _, attribute = name.rpartition(".")
    try:
        return bool(importlib.util.find_spec(name)) or hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        return hasattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("path", DECISIONS, ids=short)
def test_decisions_have_their_form(path: Path) -> None:
    """Number, date, context, decision and consequences, in under forty lines."""
    text = text_of(path)
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: \w+\.$", text, re.MULTILINE)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) < 40


def test_decisions_are_numbered_without_gaps() -> None:
    """1, 2, 3 ..."""
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_picture_asks_for_nothing_from_outside() -> None:
    """It is well-formed, has words for those who cannot see it, and loads no font, script or image."""
    text = text_of(DOCS / "architecture.svg")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    assert {child.tag.rpartition("}")[2] for child in root} >= {"title", "desc"}
    assert not re.search(r"<script|<image|@import|href=|url\((?!#)", text)
    assert re.findall(r"https?://[^\"']+", text) == ["http://www.w3.org/2000/svg"]


def test_no_page_has_a_mark_of_unfinished_work() -> None:
    """No page says that something is still to be written."""
    unfinished = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "T" + "BD", "FIX" + "ME")) + r")\b")
    assert [short(path) for path in PAGES if unfinished.search(text_of(path))] == []
