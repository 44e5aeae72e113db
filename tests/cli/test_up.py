"""`fixline up` with a real Temporal server: one per folder, kept alive, nothing left behind, nothing lost."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from fixline.cli.folder import DataFolder
from fixline.cli.parts import UI_ABOVE, is_free
from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.temporal import temporal_program

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(400)]

ADMIN_KEY = "admin-key-of-the-tests"
READY_WITHIN_SECONDS = 150.0
STOPPED_WITHIN_SECONDS = 40.0
REPORT: dict[str, Any] = {
    "type": "pothole",
    "location": {"latitude": 41.88, "longitude": -87.63},
    "answers": {"lane": "curb"},
}


def free_port() -> int:
    while True:
        port = random.randint(11_000, 30_000)
        if is_free("127.0.0.1", port) and is_free("127.0.0.1", port + UI_ABOVE):
            return port


class Up:
    """One `fixline up`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = DataFolder(folder)
        self.port, self._temporal_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self.process: subprocess.Popen[str] | None = None
        self.said = folder.with_suffix(".said")

    def command(self) -> list[str]:
        ports = ["--port", str(self.port), "--temporal-port", str(self._temporal_port)]
        return [sys.executable, "-P", "-m", "fixline.cli", "up", "--data", str(self.folder.path), *ports]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FIXLINE_", "TEMPORAL_"))}
        root = str(Path(__file__).resolve().parents[2])
        ours = {"FIXLINE_DEFINITIONS": str(PACKAGED_DEFINITIONS), "PYTHONPATH": root, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
        return {**kept, **ours, **self._settings}

    def start(self) -> None:
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                self.command(),
                env=self.environment(),
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while " ready\n" not in self.said.read_text() or "Ctrl-C" not in self.said.read_text():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.1)

    def parts(self) -> dict[str, psutil.Process]:
        """The children by what they are."""
        assert self.process is not None
        found = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            line = _command_line(child)
            for name, mark in (("api", "fixline.cli api"), ("worker", "fixline.cli worker"), ("temporal", "start-dev")):
                if mark in line:
                    found[name] = child
        return found

    def client(self, key: str = ADMIN_KEY) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(STOPPED_WITHIN_SECONDS)
        self.process = None
        return code


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    temporal_program()
    running = Up(tmp_path / "data", FIXLINE_ADMIN_KEY=ADMIN_KEY)
    yield running
    if running.process is not None:
        running.process.kill()
        running.process.wait()


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def gone(processes: list[psutil.Process], seconds: float = 10.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return all(each.status() == psutil.STATUS_ZOMBIE for each in alive if each.is_running())


def test_one_up_per_folder_and_a_clean_stop(up: Up) -> None:
    up.start()
    second = subprocess.run(up.command(), env=up.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert up.process is not None
    assert str(up.process.pid) in second.stderr
    assert second.stderr.count("\n") == 1
    parts = up.parts()
    assert set(parts) == {"api", "worker", "temporal"}
    began = time.monotonic()
    assert up.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 20
    assert gone(list(parts.values()), 1)
    said = up.said.read_text()
    order = [re.escape(f"{name} has stopped") for name in ("api", "worker", "temporal")]
    assert re.search(".*".join(order), said, re.DOTALL)
    assert ADMIN_KEY not in said + "".join(log.read_text() for log in up.folder.logs.iterdir())


def test_a_killed_part_comes_back(up: Up) -> None:
    up.start()
    for name in ("api", "worker", "temporal"):
        before = up.parts()[name]
        before.kill()
        deadline = time.monotonic() + 60
        while up.parts().get(name, before).pid == before.pid and time.monotonic() < deadline:
            time.sleep(0.1)
        assert up.parts()[name].pid != before.pid
    assert up.said.read_text().count("started again") == 3
    assert up.end(signal.SIGTERM) == 0


def test_kill_9_leaves_no_process_and_loses_nothing(up: Up, tmp_path: Path) -> None:
    up.start()
    with up.client() as client:
        opened = client.post("/api/v1/requests", json=REPORT)
        assert opened.status_code == 201, opened.text
    parts = up.parts()
    assert up.end(signal.SIGKILL) == -signal.SIGKILL
    assert gone(list(parts.values()))
    up.start()
    request_id = opened.json()["id"]
    with up.client() as client:
        found = client.get(f"/api/v1/requests/{request_id}").json()
        assert (found["status"], found["step"]) == ("open", "inspect")
        held = client.post(f"/api/v1/requests/{request_id}/hold", json={"reason": "Street fair."})
        assert held.status_code in (200, 202), held.text
    doctor = subprocess.run(
        [sys.executable, "-P", "-m", "fixline.cli", "doctor", "--data", str(up.folder.path), "--json"],
        env={**up.environment(), "TEMPORAL_ADDRESS": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = {check["name"]: check for check in json.loads(doctor.stdout)["checks"]}
    assert told["database"]["ok"]
    assert told["temporal"]["ok"]
    assert told["retention"]["text"] == "closed workflows are kept for 90 days"
    assert told["running workflows"]["ok"]
    assert up.end(signal.SIGTERM) == 0


def test_the_admin_key_is_shown_at_the_first_start_only(tmp_path: Path) -> None:
    temporal_program()
    up = Up(tmp_path / "data")
    try:
        up.start()
        (key,) = re.findall(r"Admin key +(fx_\S+)", up.said.read_text())
        with up.client(key) as client:
            assert client.get("/api/v1/overdue").status_code == 200
        assert up.end(signal.SIGTERM) == 0
        up.start()
        assert "fx_" not in up.said.read_text()
        with up.client(key) as client:
            assert client.get("/api/v1/overdue").status_code == 200
        assert up.end(signal.SIGTERM) == 0
    finally:
        if up.process is not None:
            up.process.kill()
            up.process.wait()
