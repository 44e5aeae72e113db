"""`fixline import` itself: files of every kind, the summary, the exit code, beside a writer, and the real file."""

from __future__ import annotations

import csv
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from fixline.cli.app import run
from fixline.cli.folder import DataFolder
from fixline.settings import PACKAGED_DEFINITIONS
from fixline.store.store import Store
from tests.support.importing import HEADER, fixline_import, open_row, row

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
SUMMARY = {"rows", "imported", "updated", "unchanged", "rejected", "seconds", "peak_mb"}


def write(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def ran(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["import", *(str(each) for each in arguments), "--mapping", "chicago", "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(PACKAGED_DEFINITIONS))
    monkeypatch.delenv("FIXLINE_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def test_summary_exit_code_and_rejects_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "june.csv", [row("13-1"), open_row("13-2"), row("")])
    code, told = ran(capsys, file, "--data", tmp_path / "data")
    assert code == 1
    assert told.keys() >= SUMMARY
    assert (told["rows"], told["imported"], told["rejected"]) == (3, 2, 1)
    assert told["imported"] + told["updated"] + told["unchanged"] + told["rejected"] == told["rows"]
    assert Path(told["rejects"]) == tmp_path / "june.rejects.csv"
    assert (tmp_path / "june.rejects.csv").read_text().startswith("line,reason,Creation_Date,")
    code, told = ran(capsys, write(tmp_path / "july.csv", [row("13-1")]), "--data", tmp_path / "data")
    assert (code, told["unchanged"], told["rejects"]) == (0, 1, None)


def test_a_dry_run_makes_no_rejects_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "june.csv", [row("")])
    code, told = ran(capsys, file, "--data", tmp_path / "data", "--dry-run", "--rejects", tmp_path / "no.csv")
    assert (code, told["rejected"], told["dry_run"]) == (1, 1, True)
    assert not (tmp_path / "no.csv").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "the file is empty"), (b"a,b\n1,2\n", "the file has no column"), (b"\xff\xfe\x00\x00", "has no column")],
)
def test_files_that_are_no_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    assert run(["import", str(file), "--mapping", "chicago", "--data", str(tmp_path / "data")]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "june.csv", [])
    data = str(tmp_path / "data")
    assert run(["import", str(file), "--mapping", "springfield", "--data", data]) == 2
    assert "must be one of chicago" in capsys.readouterr().err
    assert run(["import", "nowhere.csv", "--mapping", "chicago", "--data", data]) == 2
    assert run(["import", str(file), "--mapping", "chicago", "--data", data, "--rejects", str(file)]) == 2
    assert run(["import", str(file), "--mapping", "chicago"]) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str) -> None:
    file = write(tmp_path / "x.csv", [row("13-1", Street_Address="12 CAFÉ ST")], encoding)
    code, told = ran(capsys, file, "--data", tmp_path / "data")
    assert (code, told["imported"]) == (0, 1)


def test_quoted_lines_and_blank_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "x.csv", [row("13-1", Street_Address='1 "A"\nST, REAR'), row("13-2")])
    file.write_text(file.read_text() + "\n\n")
    code, told = ran(capsys, file, "--data", tmp_path / "data")
    assert (code, told["rows"], told["imported"]) == (0, 2, 2)


def test_a_writer_beside_the_import_is_not_held_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While a thousand rows come in, another connection writes again and again and never waits for long."""
    ran(capsys, write(tmp_path / "first.csv", [row("0")]), "--data", tmp_path / "data")
    file = write(tmp_path / "x.csv", [row(f"13-{number}") for number in range(4000)])
    other = Store(DataFolder(tmp_path / "data").database_url)
    waits: list[float] = []
    over = threading.Event()

    def write_on() -> None:
        while not over.is_set():
            began = time.monotonic()
            other.write(lambda s: s.execute(text("UPDATE counter SET last = last")))
            waits.append(time.monotonic() - began)
            time.sleep(0.005)

    writer = threading.Thread(target=write_on)
    writer.start()
    code, told = ran(capsys, file, "--data", tmp_path / "data")
    over.set()
    writer.join()
    other.close()
    assert (code, told["imported"]) == (0, 4000)
    assert len(waits) > 10
    assert max(waits) < 3.0
    assert sorted(waits)[len(waits) // 2] < 0.3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not REAL.is_dir(), reason="the cities' real files are not beside this checkout (../shared/data)")
def test_the_real_sanitation_file(tmp_path: Path) -> None:
    file, data = REAL / "chicago_sanitation_2000_2014.csv", tmp_path / "data"
    told = fixline_import(file, data, "chicago")
    assert (told["rows"], told["imported"], told["unchanged"], told["repeated"]) == (74_401, 74_026, 375, 375)
    assert told["peak_mb"] < 400
    again = fixline_import(file, data, "chicago")
    assert (again["imported"], again["updated"], again["unchanged"], again["rejected"]) == (0, 0, 74_401, 0)
    store = Store(DataFolder(data).database_url)
    counted = "SELECT status, outcome, count(*) FROM request GROUP BY 1, 2 ORDER BY 3"
    found = store.read(lambda s: [tuple(each) for each in s.execute(text(counted))])
    store.close()
    # One open duplicate row is followed by none of the same number, so all 325 open rows run.
    assert found[0] == ("open", None, 325)
    assert sum(number for _, _, number in found) == 74_026


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not REAL.is_dir(), reason="the cities' real files are not beside this checkout (../shared/data)")
def test_the_real_street_light_files(tmp_path: Path) -> None:
    rows = 0
    for file in sorted((REAL / "chicago_streetlights").glob("*.csv")):
        told = fixline_import(file, tmp_path / "data", "chicago")
        assert told["imported"] + told["unchanged"] == told["rows"]
        rows += told["rows"]
    assert rows == 33_580
