"""`fixline calendar`: a month with a holiday, an exception, a period, and a change of the clocks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import Fixline
from tests.support.lakeport import LAKEPORT

NIGHTS = """\
calendar: nights
timezone: America/Chicago
day: 8 hours
weekly:
  sat: ["22:00-06:00"]
  sun: ["08:00-12:00", "13:00-15:00"]
periods:
  - {from: 2026-11-16, until: 2026-11-29, name: "Snow season", weekly: {mon: ["20:00-24:00"], sat: ["10:00-12:00"]}}
holidays:
  - {date: 2026-11-08, observed: 2026-11-14, name: "Founders' Day"}
exceptions:
  - {date: 2026-11-28, hours: [], name: "Storm"}
"""


@pytest.fixture
def folder(tmp_path: Path, fixline: Fixline, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The frozen city with one calendar more."""
    root = tmp_path / "definitions"
    shutil.copytree(LAKEPORT, root)
    (root / "calendars/nights.yaml").write_text(NIGHTS, encoding="utf-8")
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(root))
    return root


@pytest.mark.usefixtures("folder")
def test_a_month_as_json(fixline: Fixline) -> None:
    ran = fixline("calendar", "nights", "--month", "2026-11", "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["timezone"], told["day_minutes"], len(told["days"])) == (0, "America/Chicago", 480, 30)
    days = {day["date"][-2:]: (day["hours"], day["open_minutes"], day["why"]) for day in told["days"]}
    assert days["01"] == (["08:00-12:00", "13:00-15:00"], 360, None)
    assert days["07"] == (["22:00-06:00"], 480, None)
    assert days["08"] == ([], 0, "Founders' Day")
    assert days["14"] == ([], 0, "Founders' Day (observed)")
    assert days["16"] == (["20:00-24:00"], 240, "Snow season")
    assert days["22"] == ([], 0, "Snow season")
    assert days["28"] == ([], 0, "Storm")
    assert [day["date"] for day in told["days"] if day["clock_changes"]] == ["2026-11-01"]
    assert told["open_minutes"] == 7 * 60 + 360 + 480 + 360 + 2 * 240 + 120  # Halloween's night runs into the month
    assert told["working_days"] == 4.62


@pytest.mark.usefixtures("folder")
def test_a_night_in_which_the_clocks_change_is_as_long_as_it_was(fixline: Fixline) -> None:
    told = json.loads(fixline("calendar", "nights", "--month", "2026-10", "--json").out)
    assert told["days"][-1] | {"clock_changes": None} == {
        "date": "2026-10-31",
        "hours": ["22:00-06:00"],
        "open_minutes": 540,
        "why": None,
        "clock_changes": None,
    }


@pytest.mark.usefixtures("folder")
def test_a_month_in_words(fixline: Fixline) -> None:
    lines = fixline("calendar", "nights", "--month", "2026-11").out.splitlines()
    assert lines[0] == "nights (America/Chicago), 2026-11, a working day is 8:00"
    assert lines[1] == "Sun 2026-11-01  08:00-12:00, 13:00-15:00   6:00  the clocks change"
    assert lines[8] == "Sun 2026-11-08  closed                           Founders' Day"
    assert lines[-1] == "37:00 of working time in the month, 4.62 working days"


def test_this_month_without_a_word(fixline: Fixline) -> None:
    ran = fixline("calendar", "public-works")
    assert ran.code == 0
    assert 30 <= len(ran.out.splitlines()) <= 33


def test_what_there_is_not(fixline: Fixline, folder: Path) -> None:
    ran = fixline("calendar", "night")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no calendar 'night'" in ran.err
    assert "did you mean 'nights'?" in ran.err
    (folder / "calendars/nights.yaml").write_text(NIGHTS.replace("2026-11-29", "2026-11-09"), encoding="utf-8")
    broken = fixline("calendar", "nights")
    assert broken.code == 1
    assert "calendars/nights.yaml:8:31: FX713 the period ends on 2026-11-09" in broken.err


@pytest.mark.parametrize("month", ["2026-13", "2026", "Nov", "1900-01", "2026-1", "2200-01"])
def test_no_such_month(fixline: Fixline, month: str) -> None:
    ran = fixline("calendar", "public-works", "--month", month)
    assert ran.code == 2
    assert "write a month like 2026-12" in ran.err
