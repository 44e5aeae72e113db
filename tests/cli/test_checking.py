"""`fixline check` for people, programs and GitHub."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path

import pytest

from fixline.catalog import CODES
from fixline.cli.commands.check import check
from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.command_line import Fixline

BROKEN = Path(__file__).resolve().parents[1] / "fixtures" / "broken"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A city with one definition that has a finding."""
    found = tmp_path / "definitions"
    shutil.copytree(PACKAGED_DEFINITIONS, found)
    path = found / "transportation" / "pothole.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("team: asphalt-alleys", "team: asphalt-allies"))
    return found


def test_json_is_one_object(fixline: Fixline, folder: Path) -> None:
    ran = fixline("check", folder, "--format", "json")
    told = json.loads(ran.out)
    assert (ran.code, told["errors"]) == (1, 1)
    assert told["files"] == len([*PACKAGED_DEFINITIONS.rglob("*.yaml"), *PACKAGED_DEFINITIONS.rglob("*.geojson")])
    (finding,) = told["findings"]
    assert finding["file"].endswith("transportation/pothole.yaml")
    assert (finding["code"], finding["title"]) == ("FX303", CODES["FX303"].title)
    assert finding["remedy"] == CODES["FX303"].remedy
    assert finding["end"] == {"line": finding["line"], "column": finding["column"] + len("asphalt-allies")}
    assert "did you mean 'asphalt-alleys'?" in finding["message"]


def test_json_of_nothing_found(fixline: Fixline) -> None:
    ran = fixline("check", "--format", "json")
    told = json.loads(ran.out)
    assert (ran.code, told["findings"], told["errors"]) == (0, [], 0)


def test_github_gets_a_workflow_command_for_each(fixline: Fixline, folder: Path) -> None:
    ran = fixline("check", folder, "--format", "github")
    assert ran.code == 1
    (line,) = ran.out.splitlines()
    assert line.startswith("::error file=")
    assert ",title=FX303 No such team::there is no team 'asphalt-allies'" in line
    assert fixline("check", "--format", "github").out == ""


def test_formats_that_exclude_each_other(fixline: Fixline) -> None:
    assert fixline("check", "--json", "--format", "github").code == 2
    assert fixline("check", "--format", "xml").code == 2


def test_the_collector_rests_only_while_a_check_reads(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    seen: list[bool] = []

    def looked(*_: object) -> tuple[()]:
        seen.append(gc.isenabled())
        return ()

    monkeypatch.setattr("fixline.catalog.check_paths", looked)
    check([folder])
    gc.disable()
    try:
        check([folder])
        assert not gc.isenabled()  # who switched it off before keeps it so
    finally:
        gc.enable()
    assert seen == [False, False]
