"""`fixline graph`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.command_line import Fixline


def test_svg_is_printed(fixline: Fixline) -> None:
    ran = fixline("graph", "graffiti")
    assert ran.code == 0
    assert ran.out.startswith("<svg ")
    assert ran.out.endswith("</svg>\n")


def test_mermaid_into_a_file(fixline: Fixline, tmp_path: Path) -> None:
    ran = fixline("graph", "graffiti", "--format", "mermaid", "--out", tmp_path / "graffiti.mmd")
    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / "graffiti.mmd").read_text(encoding="utf-8").startswith("flowchart TD\n")
    assert [path.name for path in tmp_path.iterdir()] == ["graffiti.mmd"]


def test_a_type_that_is_not_there(fixline: Fixline) -> None:
    ran = fixline("graph", "graffitti")
    assert ran.code == 2
    assert "did you mean 'graffiti'?" in ran.err


def test_a_file_that_cannot_be_written(fixline: Fixline, tmp_path: Path) -> None:
    ran = fixline("graph", "graffiti", "--format", "mermaid", "--out", tmp_path / "nowhere" / "graffiti.mmd")
    assert ran.code == 1
    assert "cannot be written" in ran.err


def test_a_definition_with_findings_is_not_drawn(
    fixline: Fixline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(PACKAGED_DEFINITIONS, folder)
    path = folder / "streets-and-sanitation" / "graffiti.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(folder))
    ran = fixline("graph", "graffiti")
    assert ran.code == 1
    assert "FX201 a definition has no key 'colour'" in ran.err
