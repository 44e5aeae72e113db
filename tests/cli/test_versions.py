"""`fixline publish`, `fixline versions`, `fixline move` on a data folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fixline.cli.commands.versions import why_of
from tests.support.city import City
from tests.support.command_line import Fixline
from tests.support.lakeport import LAKEPORT

OLD, NEW = "otherwise: 7 working days", "otherwise: 5 working days"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of definitions of one's own."""
    shutil.copytree(LAKEPORT, tmp_path / "definitions")
    return tmp_path / "definitions"


def edit(folder: Path, old: str, new: str) -> Path:
    """Change the pothole's file."""
    path = folder / "transportation" / "pothole.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_publish_compare_and_move(fixline: Fixline, data: Path, folder: Path, stored_city: City) -> None:
    ids = [stored_city.open("pothole") for _ in range(2)]
    path = edit(folder, OLD, NEW)
    ran = fixline("publish", path, "--data", data)
    assert (ran.code, ran.out) == (0, "pothole  version 2  published\n")
    assert fixline("publish", folder, "--data", data).out.count("unchanged") == len(stored_city.catalog.definitions)
    lines = json.loads(fixline("versions", "pothole", "--data", data, "--json").out)["items"]
    assert [(line["version"], line["current"], line["open_requests"], line["published_by"]) for line in lines] == [
        (2, True, 0, "operator"),
        (1, False, 2, None),
    ]
    ran = fixline("versions", "pothole", "--diff", "1", "current", "--data", data)
    assert ran.out == "deadline resolve: 7 working days -> 5 working days\n"
    said = json.loads(fixline("move", "pothole", "--to", "2", "--dry-run", "--data", data, "--json").out)
    assert [(item["id"], item["state"]) for item in said["items"]] == [(each, "would_move") for each in ids]
    given = fixline("move", "pothole", "--to", "2", "--data", data)
    assert (given.code, "2 moved" in given.out) == (0, True)
    for each in ids:
        row = stored_city.request(each)
        assert (row.version, row.decision, row.signalled) == (said["hash"], 2, 0), "the workflow is the relay's to tell"
    again = fixline("move", "pothole", "--to", "2", "--data", data)
    assert again.out == "to version 2: no open request follows another version\n"


def test_a_move_that_a_fault_of_ours_keeps_from_being_decided_waits(
    fixline: Fixline, data: Path, folder: Path, stored_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no failure of the command's: a worker tries it again."""
    request_id = stored_city.open("pothole")
    assert fixline("publish", edit(folder, OLD, NEW), "--data", data).code == 0
    with monkeypatch.context() as broken:

        def fails(*_: object, **__: object) -> None:
            raise ZeroDivisionError("a fault of ours")

        broken.setattr("fixline.service.commands.advance", fails)
        ran = fixline("move", "pothole", "--to", "2", "--data", data, "--json")
    said = json.loads(ran.out)
    (item,) = said["items"]
    assert (ran.code, item["state"], said["counts"]["waiting"]) == (0, "waiting", 1)
    assert stored_city.command(item["command_id"]).state == "waiting"
    stored_city.due(request_id)
    assert stored_city.command(item["command_id"]).state == "applied"
    assert stored_city.request(request_id).version == said["hash"]


def test_what_has_findings_is_not_published(fixline: Fixline, data: Path, folder: Path) -> None:
    path = edit(folder, OLD, "otherwise: 7 days")
    ran = fixline("publish", folder, "--data", data)
    assert ran.code == 1
    assert "FX606" in ran.out
    assert len(json.loads(fixline("versions", "pothole", "--data", data, "--json").out)["items"]) == 1
    assert fixline("publish", path, "--data", data, "--json").code == 1


def test_what_cannot_move_stays_and_says_why(fixline: Fixline, data: Path, folder: Path, stored_city: City) -> None:
    request_id = stored_city.open("pothole")
    for old in ("  inspect:", "start: inspect", "met_by: inspect", "address_found: inspect"):
        edit(folder, old, old.replace("inspect", "look"))
    assert fixline("publish", folder / "transportation", "--data", data).code == 0
    refused = fixline("move", "pothole", "--to", "2", "--data", data)
    assert refused.code == 1
    assert f"{request_id}  version 1  refused: step 'inspect' is not in that version" in refused.out
    mapped = fixline("move", "pothole", "--to", "2", "--map", "inspect=look", "--dry-run", "--data", data)
    assert (mapped.code, "step inspect -> look" in mapped.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["versions", "dragon"], 1, "no request type 'dragon'"),
        (["versions", "pothole", "--diff", "1", "9"], 1, "no version '9'"),
        (["move", "pothole", "--to", "7"], 1, "no version '7'"),
        (["move", "pothole", "--to", "1", "--map", "inspect"], 2, "OLD=NEW"),
        (["move", "pothole", "--to", "1", "--map", "inspect=nowhere"], 2, "no step 'nowhere'"),
        (["move", "pothole", "--to", "1", "--map", "inspect=repiar"], 2, "no step 'repiar', did you mean 'repair'?"),
    ],
)
def test_wrong_names(fixline: Fixline, data: Path, arguments: list[str], code: int, said: str) -> None:
    ran = fixline(*arguments, "--data", data)
    assert (ran.code, said in ran.err) == (code, True), ran


def test_a_dry_run_says_what_waits_and_who_is_told() -> None:
    """Ends of waits, budgets of clocks that stand, the step entered anew, tasks that are withdrawn, whom it reaches."""
    pair = {"before": "2026-06-02T13:00:00+00:00", "after": None}
    changes = {
        "step": None,
        "anew": "look",
        "priority": None,
        "waits": [
            {"step": "gas", "until": pair, "waiting_as": None},
            {"step": "dry", "until": None, "waiting_as": {"before": None, "after": "drying"}},
        ],
        "clocks": [
            {
                "name": "resolve",
                "state": None,
                "due_at": None,
                "budget": {"before": "5 working days", "after": "4 working days"},
            }
        ],
        "tasks": [{"id": "R-1-T1", "state": {"before": "offered", "after": "withdrawn"}}],
        "effects": [
            {"kind": "tell_request", "to": "R-2", "about": "parent_left"},
            {"kind": "dispatch", "to": "crew", "about": None},
        ],
    }
    assert why_of({"message": None, "changes": changes}) == (
        ": look is entered anew, gas waits until 2026-06-02T13:00:00+00:00 -> -, dry waits as - -> drying, "
        "resolve 5 working days -> 4 working days, "
        "R-1-T1 offered -> withdrawn, tell request R-2 parent left, dispatch crew"
    )
