"""docs/tutorial.md, followed to the letter as far as no running city is needed: what it prints is what the page says.

The rest is followed against a running city in tests/acceptance/test_tutorial.py.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.tutorial import BLOCKS, Follower, steady


def test_every_block_has_a_mark() -> None:
    """No example on the page is without a check but the command that starts the city."""
    marks = [block.words[:1] for block in BLOCKS]
    assert [block.text for block, mark in zip(BLOCKS, marks, strict=True) if mark == ()] == [
        "FIXLINE_ADMIN_KEY=a-key-for-the-tutorial make up\n"
    ]
    assert {mark[0] for mark in marks if mark} <= {"file", "more", "run", "output"}


def test_the_tutorial_is_true(tmp_path: Path) -> None:
    """Every file, command and output before the city is needed."""
    shutil.copytree(PACKAGED_DEFINITIONS, tmp_path / "definitions")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIXLINE_")}
    follower = Follower(tmp_path, kept)
    done = 0
    for block in BLOCKS:
        if "live" in block.words:
            break
        if block.words:
            follower.follow(block)
            done += 1
    assert done > 10


def test_what_varies_is_the_same() -> None:
    """Numbers, hashes, instants and speed do not matter, words do."""
    assert steady("SR31-00000007 at 2031-01-02T03:04:05.1Z \n") == steady("SR26-00000101 at 2026-11-22T10:00:00Z")
    assert steady("0 findings") != steady("1 finding")
