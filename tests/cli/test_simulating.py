"""`fixline simulate`: figures, JSON, and what is wrong with its options."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from fixline.cli.commands.simulate import progress, spark
from tests.support.command_line import Fixline


def test_figures(fixline: Fixline) -> None:
    """Types, deadlines, rungs and teams, and how long it took."""
    ran = fixline("simulate", "graffiti", "--requests", "40", "--weeks", "1")
    assert ran.code == 0, ran.err
    for word in ("graffiti", "Median days", "Open, week by week", "resolve", "graffiti-removal", "40 requests"):
        assert word in ran.out


def test_as_json(fixline: Fixline) -> None:
    """One object, the same for the same seed but for the seconds."""
    arguments = (
        "simulate",
        "graffiti",
        "pothole",
        "--requests",
        20,
        "--weeks",
        1,
        "--crews",
        "graffiti-removal=9",
        "--json",
    )
    told, again = (json.loads(fixline(*map(str, arguments)).out) for _ in range(2))
    assert {**told, "seconds": 0} == {**again, "seconds": 0}
    assert told["requests"] == 40
    assert [each["type"] for each in told["types"]] == ["graffiti", "pothole"]
    assert set(told["types"][0]["overdue_share"]) == {"resolve"}
    assert {team["team"]: team["crews"] for team in told["teams"]}["graffiti-removal"] == 9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["potholes"], "there is no type 'potholes'"),
        (["--crews", "nobody=3"], "there is no team 'nobody'"),
        (["--crews", "graffiti-removal=0"], "1 to 10,000 crews"),
        (["--crews", "graffiti-removal=many"], "1 to 10,000 crews"),
    ],
)
def test_wrong_use(fixline: Fixline, arguments: list[str], said: str) -> None:
    """What is not there is named."""
    ran = fixline("simulate", *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_trouble_in_files(fixline: Fixline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile or definitions with findings stop it with the first of them."""
    (tmp_path / "profile.yaml").write_text("weeks: 0\n")
    ran = fixline("simulate", "--profile", "profile.yaml")
    assert ran.code == 1
    assert "profile.yaml:1:8: FX205" in ran.err
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(tmp_path))
    organisation = """\
city: {name: "A", timezone: America/Chicago}
departments: {a: {title: "A"}}
teams: {b: {title: "B", department: a, members: [c]}}
"""
    (tmp_path / "organisation.yaml").write_text(organisation)
    ran = fixline("simulate")
    assert ran.code == 1
    assert "profile.yaml:1:1: FX210" in ran.err
    (tmp_path / "profile.yaml").unlink()
    ran = fixline("simulate")
    assert ran.code == 2, ran.err
    assert "no definitions" in ran.err


def test_a_profile_is_used(fixline: Fixline, tmp_path: Path) -> None:
    """Weeks, storms and outcomes come from the file."""
    (tmp_path / "profile.yaml").write_text(
        "weeks: 1\nstorm: {day: 2, lasts: 1, times: 9}\n"
        "types: {graffiti: {steps: {remove: {outcomes: {already_removed: 1}}}}}\n"
    )
    told = json.loads(fixline("simulate", "graffiti", "--requests", "10", "--profile", "profile.yaml", "--json").out)
    assert told["types"][0]["outcomes"] == {"fixed": 10}


def test_lines_of_bars() -> None:
    """The highest bar is the most; nothing is a blank."""
    assert spark([]) == ""
    assert spark([0, 0]) == "  "
    assert spark([0, 1, 4, 8]) == " ▁▄█"


def test_progress_is_for_terminals() -> None:
    """A bar on a terminal, silence elsewhere."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream in (io.StringIO(), Terminal()):
        with progress(stream) as hear:
            hear(1, 2)
        assert bool(stream.getvalue()) is stream.isatty()
