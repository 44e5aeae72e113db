"""Every command: its help, its exit codes, its one clear line when something is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.command_line import Fixline

COMMANDS = [
    *(
        ["up"],
        ["api"],
        ["worker"],
        ["migrate"],
        ["check"],
        ["schema"],
        ["publish"],
        ["versions"],
        ["move"],
        ["overdue"],
        ["show"],
        ["import"],
        ["doctor"],
        ["keys"],
    ),
    *(["graph"], ["explain"], ["keys", "create"], ["keys", "list"], ["keys", "revoke"], ["demo-crews"]),
]
BROKEN = Path(__file__).resolve().parents[1] / "fixtures" / "broken"
FINDING = re.compile(r"[^:]+:\d+:\d+: FX\d{3} \S.*")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(fixline: Fixline, command: list[str]) -> None:
    ran = fixline(*command, "--help")
    assert ran.code == 0
    assert f"fixline {' '.join(command)}" in ran.out


def test_the_list_of_commands_does_not_show_hidden_ones(fixline: Fixline) -> None:
    ran = fixline("--help")
    assert ran.code == 0
    assert "demo-crews" not in ran.out
    for command in COMMANDS[:14]:
        assert re.search(rf"^  {command[0]}\b", ran.out, re.MULTILINE), command


@pytest.mark.parametrize(
    "arguments", [["dig"], ["show"], ["--", "show"], ["overdue", "--wrong"], ["up", "--port", "0"], ["import", "x"]]
)
def test_wrong_use_is_2(fixline: Fixline, arguments: list[str]) -> None:
    assert fixline(*arguments).code == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIXLINE_DATABASE_URL", "mysql://nowhere"),
        ("FIXLINE_ADMIN_KEY", "short"),
        ("FIXLINE_LOG_LEVEL", "loud"),
        ("FIXLINE_DEFINITIONS", "no-such-folder"),
        ("FIXLINE_SQLITE_SYNCHRONOUS", "OFF"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    fixline: Fixline, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    ran = fixline("migrate")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(f"fixline: {name}: ")
    assert ran.err.count("\n") == 1


def test_a_wrong_admin_key_is_not_repeated(fixline: Fixline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIXLINE_ADMIN_KEY", "hush-hush")
    assert "hush-hush" not in fixline("migrate").err


def test_check_finds_nothing_in_the_packaged_definitions(fixline: Fixline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIXLINE_DEFINITIONS")
    ran = fixline("check")
    assert (ran.code, ran.out) == (0, "0 findings\n")


def test_check_prints_every_finding(fixline: Fixline, tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(PACKAGED_DEFINITIONS, folder)
    shutil.copy(BROKEN / "unknown-key.yaml", folder / "transportation" / "unknown-key.yaml")
    shutil.copy(BROKEN / "tab.yaml", folder / "transportation" / "tab.yaml")
    ran = fixline("check", folder)
    assert ran.code == 1
    *lines, last = ran.out.splitlines()
    assert len(lines) >= 2
    assert all(FINDING.fullmatch(line) for line in lines)
    assert last == f"{len(lines)} findings"
    told = json.loads(fixline("check", folder, "--json").out)["findings"]
    assert [
        f"{each['file']}:{each['line']}:{each['column']}: {each['code']} {each['message']}" for each in told
    ] == lines


def test_check_of_a_path_that_is_not_there_is_a_finding(fixline: Fixline) -> None:
    ran = fixline("check", "nowhere")
    assert ran.code == 1
    assert FINDING.fullmatch(ran.out.splitlines()[0])


def test_migrate_says_what_it_did(fixline: Fixline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIXLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'fresh.db'}")
    assert "it was empty" in fixline("migrate").out
    again = fixline("migrate")
    assert (again.code, "it was" in again.out) == (0, False)


def test_reading_makes_no_database(fixline: Fixline, tmp_path: Path) -> None:
    ran = fixline("overdue")
    assert ran.code == 2
    assert "fixline-data/fixline.db" in ran.err
    assert list(tmp_path.iterdir()) == []
    assert fixline("overdue", "--data", "nowhere").code == 2


def test_a_database_that_is_behind_is_named(fixline: Fixline, tmp_path: Path) -> None:
    (tmp_path / "fixline.db").touch()
    ran = fixline("overdue", "--data", tmp_path)
    assert ran.code == 1
    assert "run `fixline migrate`" in ran.err


def test_a_request_that_is_not_there(fixline: Fixline, data: Path) -> None:
    ran = fixline("show", "SR26-99999999", "--data", data)
    assert (ran.code, ran.err) == (1, "fixline: there is no request SR26-99999999\n")


def test_doctor_says_what_is_away(fixline: Fixline, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    ran = fixline("doctor", "--data", data, "--json")
    told = json.loads(ran.out)
    assert ran.code == 1
    assert told["healthy"] is False
    assert {check["name"]: check["ok"] for check in told["checks"]}["database"] is True
    assert [check["name"] for check in told["checks"] if not check["ok"]] == ["temporal"]


def test_the_program_itself_leaves_with_the_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fixline.cli", "check", str(tmp_path / "nowhere")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert FINDING.match(done.stdout)
