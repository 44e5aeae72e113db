"""The data folder's lock, logs and ports; children on a leash, kept alive, stopped in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fixline.cli.commands.serve import without_query
from fixline.cli.common import Trouble
from fixline.cli.folder import KEPT_LOGS, DataFolder
from fixline.cli.keeper import Keeper
from fixline.cli.parts import Part, Plan, choose_temporal_port, is_free, wait_until_free

SLEEPER = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
PARENT = """
import sys
from pathlib import Path
from fixline.cli.leash import spawn
with Path(sys.argv[1]).open("wb") as log:
    child = spawn([sys.executable, "-c", "import time; time.sleep(60)"], {}, log, by_kernel=sys.argv[2] == "kernel")
print(child.pid, flush=True)
child.wait()
"""


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def data_folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    return made


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("how", ["kernel", "watch"])
def test_a_child_dies_with_its_parent(how: str, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), how],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    below = {child, *(each.pid for each in psutil.Process(child).children(recursive=True))}
    assert runs(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_for(lambda: not any(runs(pid) for pid in below))


def test_a_killed_part_is_started_again_and_all_stop_in_order(data_folder: DataFolder) -> None:
    said: list[str] = []
    parts = [Part(name, SLEEPER, {}, leaves, 5.0) for name, leaves in (("last", 2), ("first", 0), ("middle", 1))]
    keeper = Keeper(parts, data_folder.fresh_log, said.append)
    keeper.start()

    def started(name: str) -> list[int]:
        """Every process that the part has been, each of which wrote its number to the log."""
        log = data_folder.logs / f"{name}.log"
        return [int(line) for line in log.read_text().splitlines()]

    assert wait_for(lambda: all(started(part.name) for part in parts))
    os.kill(started("middle")[0], signal.SIGKILL)

    def back() -> bool:
        keeper.look()
        return len(started("middle")) == 2

    assert wait_for(back)
    assert len(started("first")) == 1
    assert "SIGKILL" in said[0]
    said.clear()
    keeper.stop()
    assert said == ["first has stopped", "middle has stopped", "last has stopped"]
    assert not any(runs(pid) for part in parts for pid in started(part.name))


def test_a_part_that_does_not_leave_is_ended(data_folder: DataFolder) -> None:
    stubborn = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True); "
        "time.sleep(60)"
    )
    said: list[str] = []
    keeper = Keeper([Part("mule", [sys.executable, "-c", stubborn], {}, 0, 0.3)], data_folder.fresh_log, said.append)
    keeper.start()
    log = data_folder.logs / "mule.log"
    assert wait_for(lambda: log.read_text().endswith("\n"))
    pid = int(log.read_text())
    keeper.stop()
    assert said == ["mule did not leave in time and was ended"]
    assert not runs(pid)


def test_a_folder_has_one_holder(data_folder: DataFolder) -> None:
    with data_folder.held(), pytest.raises(Trouble, match=str(os.getpid())), data_folder.held():
        pass
    with data_folder.held():
        pass


def test_logs_are_moved_aside(data_folder: DataFolder) -> None:
    for number in range(KEPT_LOGS + 3):
        data_folder.fresh_log("api").write_text(str(number))
    assert (data_folder.logs / "api.log").read_text() == str(KEPT_LOGS + 2)
    assert (data_folder.logs / "api.log.1").read_text() == str(KEPT_LOGS + 1)
    assert len(list(data_folder.logs.iterdir())) == KEPT_LOGS + 1


def test_the_folder_is_its_owners(data_folder: DataFolder) -> None:
    assert data_folder.path.stat().st_mode & 0o077 == 0


def test_ports_are_remembered(data_folder: DataFolder) -> None:
    assert data_folder.remembered() == {}
    data_folder.remember(temporal=20_001, api=8311)
    assert data_folder.remembered() == {"temporal": 20_001, "api": 8311}
    (data_folder.path / "up.json").write_text("[]")
    assert data_folder.remembered() == {}


def test_a_taken_port_is_named_with_its_option(taken_port: int, data_folder: DataFolder) -> None:
    with pytest.raises(Trouble, match=rf"port {taken_port} .* --port"):
        wait_until_free("127.0.0.1", taken_port, "--port")
    with pytest.raises(Trouble, match=rf"port {taken_port} .* --temporal-port"):
        choose_temporal_port(data_folder, taken_port, 8311)


def test_the_temporal_server_and_its_page_keep_off_the_apis_port(data_folder: DataFolder) -> None:
    for asked in (20_400, 19_400):
        with pytest.raises(Trouble, match=rf"--temporal-port {asked}: it takes {asked} and {asked + 1000}"):
            choose_temporal_port(data_folder, asked, 20_400)
    data_folder.remember(temporal=19_400)
    assert choose_temporal_port(data_folder, None, 20_400) != 19_400


def test_a_remembered_port_that_is_taken_gives_way(taken_port: int, data_folder: DataFolder) -> None:
    data_folder.remember(temporal=taken_port)
    chosen = choose_temporal_port(data_folder, None, 8311)
    assert chosen != taken_port
    assert is_free("127.0.0.1", chosen)
    assert is_free("127.0.0.1", chosen + 1000)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8311"),
        ("0.0.0.0", "http://127.0.0.1:8311"),
        ("::", "http://[::1]:8311"),
        ("::1", "http://[::1]:8311"),
        ("city.example", "http://city.example:8311"),
    ],
)
def test_the_printed_address_can_be_opened(data_folder: DataFolder, host: str, url: str) -> None:
    assert Plan(data_folder, host, 8311, 7233, 1, 0).public_url == url


def test_access_lines_have_no_query() -> None:
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "",
        0,
        '%s - "%s %s HTTP/%s" %d',
        ("1.2.3.4", "GET", "/a?q=Main+St", "1.1", 200),
        None,
    )
    assert without_query(record)
    assert record.getMessage() == '1.2.3.4 - "GET /a HTTP/1.1" 200'
