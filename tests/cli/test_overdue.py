"""`fixline overdue`: the table, its colours and when there are none, and looking again and again."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fixline.catalog import Catalog
from fixline.cli.commands.overdue import WIDTH, in_words, late_table, watch_late
from fixline.cli.folder import DataFolder
from fixline.store.store import Store, StoreAway
from tests.support.city import City
from tests.support.command_line import Fixline

NOON = datetime(2026, 6, 20, 17, 0, tzinfo=UTC)
ITEM: dict[str, Any] = {
    "request": {"id": "SR26-00000001", "type": "pothole", "priority": "high", "address": "1 Main Street"},
    "clock": "resolve",
    "late_by_seconds": 4 * 86_400 + 7_200,
    "late_working_seconds": 30 * 3_600,
    "holder": {"task": "T1", "team": "asphalt-north", "assignee": None},
    "last_rung": "due",
    "next_rung": {"rung": "after 1 working day", "at": "2026-06-22T15:00:00Z", "tell": "deputy_commissioner"},
}
FOUND: dict[str, Any] = {"items": [ITEM], "totals": {"count": 3, "department": {"transportation": 3}}}
NONE: dict[str, Any] = {"items": [], "totals": {"count": 0, "department": {}}}


def printed(found: dict[str, Any], **options: Any) -> str:
    """What is printed on such a console."""
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, **options)
    console.print(late_table(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_says_all_that_a_supervisor_asks() -> None:
    heading, line, totals = printed(FOUND).splitlines()
    columns = "request clock late working priority type holder last_rung next_rung address".replace("_", " ")
    assert " ".join(heading.split()) == columns
    for told in ("SR26-00000001", "resolve", "4 d 2 h", "30 h", "high", "pothole", "asphalt-north", "due"):
        assert told in line
    assert "after 1 working day, 2026-06-22 15:00Z" in line
    assert totals.strip() == "3 overdue, 2 not shown (--limit)  transportation 3"
    assert printed(NONE).strip() == "0 overdue"


def test_the_worst_are_red_and_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    colours = printed(FOUND, force_terminal=True, color_system="standard")
    assert "\x1b[1;31m4 d 2 h" in colours
    fresh = {**FOUND, "items": [{**ITEM, "late_by_seconds": 60, "late_working_seconds": None, "next_rung": None}]}
    assert "\x1b[33m1 min" in printed(fresh, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in printed(FOUND, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(FOUND)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "under 1 min"), (59, "under 1 min"), (300, "5 min"), (86_400 * 10, "10 d"), (90_061, "1 d 1 h"), (None, "-")],
)
def test_lengths_in_words(seconds: int | None, words: str) -> None:
    assert in_words(seconds) == words


def test_working_time_has_no_days() -> None:
    assert in_words(100 * 3_600 + 60, days=False) == "100 h 1 min"


@pytest.mark.parametrize("terminal", [True, False])
def test_watching_looks_again_and_names_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    answers: list[Any] = [FOUND, StoreAway("gone"), NONE]
    asked: list[int] = []
    pauses: list[float] = []

    def look(limit: int) -> dict[str, Any]:
        asked.append(limit)
        answer = answers[len(asked) - 1]
        if isinstance(answer, StoreAway):
            raise answer
        assert isinstance(answer, dict)
        return answer

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == len(answers):
            raise KeyboardInterrupt

    monkeypatch.setattr("fixline.cli.commands.overdue.time.sleep", sleep)
    console = Console(file=io.StringIO(), width=200, height=20, force_terminal=terminal, highlight=False)
    watch_late(console, look, 50, 2, lambda: NOON)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert shown.index("SR26-00000001") < shown.index("the database does not answer: gone") < shown.index("0 overdue")
    assert "2026-06-20 17:00:00Z, again every 2 s" in shown
    assert asked == [15 if terminal else 50] * 3
    assert pauses == [2, 2, 2]


def test_the_command_on_a_folder(
    fixline: Fixline, data: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(DataFolder(data).database_url)
    city = City(store, catalog)
    request_id = city.open("pothole")
    monkeypatch.setattr("fixline.service.submissions.utc_now", lambda: city.later(days=30))
    ran = fixline("overdue", "--data", data, "--type", "pothole")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count(request_id) == 3
    assert "\x1b" not in ran.out
    found = json.loads(fixline("overdue", "--data", data, "--json", "--limit", "1").out)
    assert found["totals"]["count"] == 3
    assert found["items"][0]["late_by_seconds"] > found["items"][0]["late_working_seconds"]
    wrong = fixline("overdue", "--data", data, "--json", "--watch")
    assert wrong.code == 2
    assert "--watch is for people" in wrong.err
    store.close()
