"""`fixline explain`: moments as people write them, and what is told of each clock."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fixline.cli.commands.explain import read_moment
from fixline.cli.common import WrongUse
from fixline.domain.definition.vocabulary import Priority
from tests.support.command_line import Fixline
from tests.support.lakeport import LAKEPORT

CITY = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
"""A Sunday, two in the afternoon in the city."""


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20 16:00", "2026-11-20T22:00:00+00:00"),
        ("2026-06-01 16:00", "2026-06-01T21:00:00+00:00"),
        ("2026-11-20T16:00:30", "2026-11-20T22:00:30+00:00"),
        ("2026-11-20T16:00-05:00", "2026-11-20T21:00:00+00:00"),
        ("2026-11-20 16:00Z", "2026-11-20T16:00:00+00:00"),
        ("Fri 16:00", "2026-11-27T22:00:00+00:00"),
        ("friday 16:00", "2026-11-27T22:00:00+00:00"),
        ("sun 15:00", "2026-11-22T21:00:00+00:00"),
        ("Sun 14:00", "2026-11-29T20:00:00+00:00"),
        ("9:30", "2026-11-23T15:30:00+00:00"),
        ("2026-11-01T01:30-06:00", "2026-11-01T07:30:00+00:00"),
    ],
)
def test_moments(text: str, instant: str) -> None:
    assert read_moment(text, CITY, NOW).at.isoformat() == instant


def test_a_weekday_says_which_date_was_taken() -> None:
    assert read_moment("Wed 8:00", CITY, NOW).note == "read as Wednesday, 2026-11-25"
    assert read_moment("2026-11-20 16:00", CITY, NOW).note == ""


def test_a_time_that_is_shown_twice_is_its_first() -> None:
    moment = read_moment("2026-11-01 01:30", CITY, NOW)
    assert moment.at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert "twice, the first is meant (write 2026-11-01T01:30:00-06:00 for the other)" in moment.note


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-03-08 02:30", "there is no 2026-03-08 02:30 in America/Chicago"),
        ("2026-02-30 10:00", "cannot be read"),
        ("2026-11-20 25:00", "cannot be read"),
        ("Fri 25:00", "cannot be read"),
        ("Fry 16:00", "cannot be read"),
        ("tomorrow", "write it like '2026-11-20 16:00'"),
        ("", "cannot be read"),
    ],
)
def test_moments_that_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(WrongUse, match=words):
        read_moment(text, CITY, NOW)


def test_everything_as_json(fixline: Fixline) -> None:
    ran = fixline("explain", "pothole", "--opened", "2026-11-20 16:00", "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["priority"], told["timezone"]) == (0, "normal", "America/Chicago")
    assert told["opened"] == {"utc": "2026-11-20T22:00:00Z", "local": "2026-11-20T16:00:00-06:00"}
    resolve = next(clock for clock in told["deadlines"] if clock["name"] == "resolve")
    assert resolve["due"] == {"utc": "2026-12-02T22:00:00Z", "local": "2026-12-02T16:00:00-06:00"}
    assert [rung["when"] for rung in resolve["rungs"]] == ["75%", "due", *["after 1 working day"] * 5]
    assert resolve["rungs"][1]["raise_priority"] == "high"
    assert "on_hold" in resolve["paused_while"]
    inspect = next(each for each in told["steps"] if (each["step"], each["limit"]) == ("inspect", "claim_within"))
    assert inspect["rungs"][0]["tell"] == "supervisor"
    assert inspect["paused_while"] == ["on_hold"]


def test_a_higher_priority_has_its_own_budget(fixline: Fixline) -> None:
    told = json.loads(fixline("explain", "pothole", "--opened", "2026-11-20 16:00", "--priority", "high", "--json").out)
    assert {clock["name"]: clock["within"] for clock in told["deadlines"]}["resolve"] == "2 working days"


def test_in_words(fixline: Fixline) -> None:
    lines = fixline("explain", "pothole", "--opened", "2026-11-20 16:00").out.splitlines()
    assert lines[0] == "pothole, priority normal, calendar public-works (America/Chicago)"
    assert lines[1].startswith("opened   Fri 2026-11-20 16:00:00 CST  (2026-11-20 22:00:00Z)")
    assert "resolve: 7 working days from opening until it is closed" in lines
    due = "  Wed 2026-12-02 16:00:00 CST  (2026-12-02 22:00:00Z)  due"
    assert lines.index(due) < lines.index(f"{due}: tells supervisor and raises the priority to high")
    assert "  stands while on_hold, waiting_for_weather, with_utility, waiting_for_resurfacing" in lines


def test_a_rung_before_due_that_gives_the_work_away(
    fixline: Fixline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "definitions"
    shutil.copytree(LAKEPORT, root)
    path = root / "transportation/pothole.yaml"
    text = path.read_text(encoding="utf-8")
    rung = "      - {before: 1 working hour, reassign_to: street-dispatch}\n"
    due = "      - {at: due, tell: supervisor, raise_priority: high}\n"
    assert due in text
    path.write_text(text.replace(due, rung + due), encoding="utf-8")
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(root))
    lines = fixline("explain", "pothole", "--opened", "2026-11-20 16:00").out.splitlines()
    at = "  Wed 2026-12-02 15:00:00 CST  (2026-12-02 21:00:00Z)  "
    assert f"{at}1 working hour before due: gives the work to street-dispatch" in lines
    told = json.loads(fixline("explain", "pothole", "--opened", "2026-11-20 16:00", "--json").out)
    assert "street-dispatch" in [rung["reassign_to"] for each in told["deadlines"] for rung in each["rungs"]]


def test_the_priorities_are_the_models(fixline: Fixline) -> None:
    ran = fixline("explain", "pothole", "--opened", "16:00", "--priority", "top")
    assert all(f"'{priority}'" in ran.err for priority in Priority)


def test_wrong_use(fixline: Fixline) -> None:
    assert fixline("explain", "pothole").code == 2
    assert fixline("explain", "pothole", "--opened", "soon").code == 2
    assert fixline("explain", "pot-hole", "--opened", "Fri 16:00").code == 2
    assert fixline("explain", "pothole", "--opened", "Fri 16:00", "--priority", "top").code == 2


def test_a_type_that_takes_no_requests(fixline: Fixline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "definitions"
    shutil.copytree(LAKEPORT, root)
    text = "type: county-road\ntitle: Road\ndepartment: transportation\nredirect: {to: Lake County, say: Call them}\n"
    (root / "transportation/county-road.yaml").write_text(text)
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(root))
    ran = fixline("explain", "county-road", "--opened", "2026-11-20 16:00")
    assert (ran.code, ran.out) == (1, "")
    assert "county-road takes no requests; whoever reports is told to turn to: Lake County" in ran.err
