"""docs/tutorial.md, followed to the letter against a running city: a new type is written, published and served, and no
process was restarted.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.acceptance.cluster import ADMIN_KEY
from tests.support.acceptance.processes import Up
from tests.support.tutorial import BLOCKS, Follower

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_new_type_is_served_without_a_restart(shipped_up: Up, tmp_path: Path) -> None:
    folder = tmp_path / "analyst"
    shutil.copytree(PACKAGED_DEFINITIONS, folder / "definitions")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIXLINE_")}
    up = shipped_up
    up.begin()
    up.wait_until_ready()
    before = {process.pid for process in up.below()}
    follower = Follower(folder, kept, up.url, ADMIN_KEY)
    for block in BLOCKS:
        if block.words:
            follower.follow(block)
    assert {process.pid for process in up.below()} == before
