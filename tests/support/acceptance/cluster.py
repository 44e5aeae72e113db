"""The system as its operators run it: the fixtures `up` and `cluster`, removed with every process of theirs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from fixline.settings import PACKAGED_DEFINITIONS
from fixline.store.schema import migrate
from fixline.store.store import Store
from tests.support.acceptance.audit import make_keys
from tests.support.acceptance.processes import FIXLINE, Part, Up, free_port, wait_for_status
from tests.support.lakeport import LAKEPORT
from tests.support.temporal import START_WITHIN_SECONDS, temporal_program

ADMIN_KEY = "the-admin-key-of-the-acceptance-tests"


class Cluster:
    """The parts as separate processes on one SQLite file; Temporal can be taken away and brought back."""

    def __init__(self, path: Path, program: str) -> None:
        self._port, api_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{api_port}"
        self.temporal_address = f"127.0.0.1:{self._port}"
        self.store = Store(f"sqlite:///{path / 'fixline.db'}")
        migrate(self.store)
        settings = {
            "FIXLINE_DATABASE_URL": self.store.url,
            "FIXLINE_DEFINITIONS": str(LAKEPORT),
            "FIXLINE_ADMIN_KEY": ADMIN_KEY,
            "FIXLINE_LOG_LEVEL": "DEBUG",
            "TEMPORAL_ADDRESS": self.temporal_address,
        }
        server = [program, "server", "start-dev", "--headless", "--log-level", "error"]
        server += ["--ip", "127.0.0.1", "--port", str(self._port), "--db-filename", str(path / "temporal.db")]
        self.temporal = Part(server, {}, path / "temporal.log")
        self.api = Part([*FIXLINE, "api", "--port", str(api_port)], settings, path / "api.log")
        self.worker = Part([*FIXLINE, "worker"], settings, path / "worker.log")

    def start_temporal(self) -> None:
        """Start it on its file, and wait until it listens."""
        self.temporal.start()
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, self.temporal.log.read_text(encoding="utf-8")[-2000:]
                time.sleep(0.05)
            else:
                return

    def start(self) -> None:
        """Start every part, and wait until the API says that everything is there."""
        self.start_temporal()
        self.api.start()
        self.worker.start()
        wait_for_status(f"{self.url}/readyz", 200, 90)

    def keys(self) -> dict[str, str]:
        """A key of each role that clients play."""
        return make_keys(self.store, TEAMS)

    async def client(self) -> Client:
        """A client of its Temporal server."""
        return await Client.connect(self.temporal_address)

    def remove(self) -> None:
        """End what still runs."""
        for part in (self.api, self.worker, self.temporal):
            part.remove()
        self.store.close()


TEAMS = [
    *("street-inspectors", "asphalt-central", "street-dispatch", "graffiti-removal", "graffiti-paint"),
    *("rodent-control", "lighting-repair", "lighting-emergency", "lighting-night-patrol"),
    *("vehicle-inspectors", "vehicles-desk", "tow-trucks"),
]
"""The teams on the journeys' way."""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """`fixline up` on a fresh folder, with the frozen city; not started yet."""
    temporal_program()
    system = Up(tmp_path / "data", ADMIN_KEY)
    yield system
    system.remove()


@pytest.fixture
def shipped_up(tmp_path: Path) -> Iterator[Up]:
    """`fixline up` on a fresh folder, with the city that is shipped, as a new user has it; not started yet."""
    temporal_program()
    system = Up(tmp_path / "data", ADMIN_KEY, PACKAGED_DEFINITIONS)
    yield system
    system.remove()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """API, worker and Temporal server by themselves; not started yet."""
    system = Cluster(tmp_path, temporal_program())
    yield system
    system.remove()
