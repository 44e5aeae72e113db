"""`fixline correct`: a calendar of the folder, for the open requests of a data folder."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixline.cli.access import publish_definitions
from fixline.cli.definitions import checked_catalog
from tests.support.city import City
from tests.support.command_line import Fixline
from tests.support.lakeport import LAKEPORT


@pytest.fixture
def folder(tmp_path: Path, fixline: Fixline, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of definitions of one's own, which the settings name."""
    shutil.copytree(LAKEPORT, tmp_path / "definitions")
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(tmp_path / "definitions"))
    return tmp_path / "definitions"


@pytest.fixture
def present_city(stored_city: City) -> City:
    """The city of the data folder, at this very instant."""
    stored_city.now = datetime.now(UTC)
    return stored_city


def close_on_fridays(folder: Path) -> None:
    """The calendar's file, corrected."""
    path = folder / "calendars/public-works.yaml"
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.strip().startswith("fri:")]
    assert len(lines) == len(text.splitlines()) - 1
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_dry_run_then_the_act(fixline: Fixline, data: Path, folder: Path, present_city: City) -> None:
    old = present_city.open("pothole")
    (folder / "transportation/pothole.yaml").write_text(
        (folder / "transportation/pothole.yaml").read_text(encoding="utf-8").replace("title: ", "title: New ", 1),
        encoding="utf-8",
    )
    assert fixline("publish", folder / "transportation/pothole.yaml", "--data", data).code == 0
    new = present_city.open("pothole")
    elsewhere = present_city.open("graffiti")
    kept = present_city.request(elsewhere).version
    close_on_fridays(folder)

    tried = json.loads(fixline("correct", "public-works", "--dry-run", "--data", data, "--json").out)
    assert [(item["id"], item["from_version"], item["state"]) for item in tried["items"]] == [
        (old, 1, "would_move"),
        (new, 2, "would_move"),
    ]
    potholes = [each for each in tried["versions"] if each["type"] == "pothole"]
    assert [(each["from_version"], each["current"]) for each in potholes] == [(1, False), (2, True)]
    assert all("fri" in change for each in potholes for change in each["changes"])
    clocks = {clock["name"]: clock["due_at"] for clock in tried["items"][0]["changes"]["clocks"]}
    assert clocks["resolve"]["before"] < clocks["resolve"]["after"]
    assert len(json.loads(fixline("versions", "pothole", "--data", data, "--json").out)["items"]) == 2

    given = fixline("correct", "public-works", "--reason", "No Fridays", "--data", data)
    assert (given.code, "2 moved" in given.out) == (0, True)
    for request_id in (old, new):
        state = present_city.request(request_id)
        definition = present_city.store.read(lambda s, version=state.version: present_city.versions.load(s, version))  # type: ignore[misc]
        assert definition.calendar.weekly["fri"] == ()
        assert definition.title.startswith("New") is (request_id == new)
        (entry,) = [entry for entry in present_city.journal(request_id) if entry.kind == "moved"]
        assert entry.text.endswith("The calendar public-works was corrected. No Fridays")
    assert present_city.request(elsewhere).version == kept
    lines = json.loads(fixline("versions", "pothole", "--data", data, "--json").out)["items"]
    assert [(line["version"], line["current"], line["open_requests"]) for line in lines] == [
        (4, True, 1),
        (3, False, 1),
        (2, False, 0),
        (1, False, 0),
    ]
    again = fixline("correct", "public-works", "--data", data)
    assert again.out == "calendar public-works: no open request follows another one of that name\n"


def test_a_start_finds_the_corrected_version_current(
    data: Path, folder: Path, fixline: Fixline, present_city: City
) -> None:
    present_city.open("pothole")
    close_on_fridays(folder)
    assert fixline("correct", "public-works", "--data", data).code == 0
    publish_definitions(present_city.store, checked_catalog(folder).definitions.values())
    lines = json.loads(fixline("versions", "pothole", "--data", data, "--json").out)["items"]
    assert [(line["version"], line["current"], line["published_by"]) for line in lines] == [
        (2, True, None),
        (1, False, None),
    ]


def test_in_words(fixline: Fixline, data: Path, folder: Path, present_city: City) -> None:
    request_id = present_city.open("pothole")
    close_on_fridays(folder)
    lines = fixline("correct", "public-works", "--dry-run", "--data", data).out.splitlines()
    assert "pothole  version 1, current" in lines
    assert any(line.startswith("  calendar public-works: weekly") for line in lines)
    assert any(line.startswith(f"{request_id}  pothole  would move: ") and "resolve due" in line for line in lines)
    assert lines[-1] == "calendar public-works: 1 would move"


@pytest.mark.usefixtures("folder")
def test_no_such_calendar(fixline: Fixline, data: Path) -> None:
    ran = fixline("correct", "public-work", "--data", data)
    assert (ran.code, "did you mean 'public-works'?" in ran.err) == (2, True)
