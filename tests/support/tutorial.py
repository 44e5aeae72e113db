"""docs/tutorial.md as somebody who follows it: its files written, its commands run, what they print compared.

Owns the marks of the page's code blocks: `file PATH` is written, `more PATH` is added to a file, `run` is run,
`run fails` ends with another code than 0, `live` needs a running city; `output` is what the block above prints.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.docs.pages import DOCS, ROOT, Block, blocks_of

PAGE = DOCS / "tutorial.md"
BLOCKS = blocks_of(PAGE, "yaml", "sh", "text", "mermaid", "json")
CITY = "http://127.0.0.1:8311"
"""Where the page's city answers."""
KEY = "a-key-for-the-tutorial"
"""The key with which the page starts it."""
TIMEOUT_SECONDS = 120
_VARYING = (
    (re.compile(r"\bSR\d\d-\d{8}\b"), "SR26-00000101"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "0123456789ab"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "2026-11-22T10:00:00Z"),
    (re.compile(r"\(\d+\.\d+ s, [\d,]+ a second\)"), "(0.03 s, 60 a second)"),
)
"""What differs from run to run: numbers of requests, hashes, instants, speed."""


class Follower:
    """Somebody who follows the page in a folder of their own."""

    def __init__(self, folder: Path, variables: Mapping[str, str], city: str = CITY, key: str = KEY) -> None:
        self._folder = folder
        self._variables = variables
        self._same = ((CITY, city), (KEY, key))
        self._shell = folder / ".shell"
        self._shell.write_text("", encoding="utf-8")
        program = folder / ".venv/bin/fixline"
        program.parent.mkdir(parents=True)
        command = shlex.join([sys.executable, "-P", "-m", "fixline.cli"])
        program.write_text(f'#!/bin/sh\nexport PYTHONPATH={ROOT}\nexec {command} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.printed = ""

    def follow(self, block: Block) -> None:
        """Do what the block says; what it prints is compared with the next block of output."""
        if block.words[:1] == ("file",):
            path = self._folder / block.words[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.words[:1] == ("more",):
            with (self._folder / block.words[1]).open("a", encoding="utf-8") as file:
                file.write(block.text)
        elif block.words[:1] == ("run",):
            self._run(block)
        elif block.words[:1] == ("output",):
            assert steady(self.printed) == steady(block.text), f"{block.name}: the page does not say what is printed"

    def _run(self, block: Block) -> None:
        text = block.text
        for there, here in self._same:
            text = text.replace(there, here)
        script = f'set -ae; . "{self._shell}"\n{text}'
        keep = f'\ntrap - EXIT; {{ export -p; declare -f; }} > "{self._shell}"'
        ran = subprocess.run(
            ["bash", "-c", script + ("" if "fails" in block.words else keep)],
            check=False,
            cwd=self._folder,
            env=dict(self._variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        wanted = "a finding" if "fails" in block.words else "success"
        assert (ran.returncode != 0) == ("fails" in block.words), f"{block.name}: {wanted}: {ran.stdout}{ran.stderr}"
        self.printed = ran.stdout


def steady(text: str) -> str:
    """The text with what differs from run to run made the same, without blanks at the lines' ends."""
    for pattern, same in _VARYING:
        text = pattern.sub(same, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
