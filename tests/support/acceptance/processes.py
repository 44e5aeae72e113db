"""Real processes for the acceptance tests: parts with a log, and `fixline up` with everything below it.

Owns how they are started (on a leash: they die with the tests), found, killed and looked for afterwards.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from fixline.cli.folder import DataFolder
from fixline.cli.leash import spawn
from fixline.cli.parts import UI_ABOVE, is_free
from tests.support.lakeport import LAKEPORT

FIXLINE = [sys.executable, "-P", "-m", "fixline.cli"]
READY_WITHIN_SECONDS = 90.0
BACK_WITHIN_SECONDS = 60.0
PARTS = {"api": "fixline.cli api", "worker": "fixline.cli worker", "temporal": "server start-dev"}
"""What the command line of each part of `up` contains."""


def free_port() -> int:
    """A free port that has a free one 1000 above it; below those that outgoing connections are given."""
    while True:
        port = random.randint(11_000, 30_000)
        if is_free("127.0.0.1", port) and is_free("127.0.0.1", port + UI_ABOVE):
            return port


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these settings, and none of Fixline's or Temporal's that it came with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FIXLINE_", "TEMPORAL_"))}
    return {**kept, "TEMPORAL_CONFIG_FILE": os.devnull, **settings}


class Part:
    """One process that can be started again after its end; everything that it says goes to one log."""

    def __init__(self, command: list[str], settings: dict[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment(**settings)
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; from the main thread, on which its leash hangs."""
        with self.log.open("ab") as log:
            self.process = spawn(self._command, self._environment, log)

    def end(self, how: signal.Signals, within: float = 30.0) -> int:
        """End it with this signal and wait; its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(within)
        self.process = None
        return code

    def remove(self) -> None:
        """End it, if it still runs."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Up:
    """`fixline up` on a folder; `url` is its API's, `temporal_address` its Temporal server's.

    Its city is the one of `definitions`.
    """

    def __init__(self, path: Path, admin_key: str, definitions: Path = LAKEPORT) -> None:
        self.folder = DataFolder(path)
        self.folder.make()
        port, temporal_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.temporal_address = f"127.0.0.1:{temporal_port}"
        command = [*FIXLINE, "up", "--data", str(path), "--port", str(port), "--temporal-port", str(temporal_port)]
        settings = {"FIXLINE_ADMIN_KEY": admin_key, "FIXLINE_DEFINITIONS": str(definitions)}
        self._up = Part(command, settings, path / "up.out")

    def begin(self) -> None:
        """Start it; from the main thread, on which its leash hangs."""
        self._up.start()

    def wait_until_ready(self) -> None:
        """Wait until everything answers."""
        wait_for_status(f"{self.url}/readyz", 200, READY_WITHIN_SECONDS)

    def below(self) -> list[psutil.Process]:
        """Every process below it."""
        assert self._up.process is not None
        return psutil.Process(self._up.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process | None:
        """The process of one part; None while it is down."""
        for process in self.below():
            with contextlib.suppress(psutil.NoSuchProcess):
                if PARTS[name] in " ".join(process.cmdline()):
                    return process
        return None

    def kill(self, *names: str) -> None:
        """Send SIGKILL to these parts at once, and wait until `up` has started each again."""
        victims = {name: self._running(name) for name in names}
        for victim in victims.values():
            victim.kill()
        for name, victim in victims.items():
            self._running(name, instead_of=victim)

    def kill_all(self) -> None:
        """Send SIGKILL to `up` and everything below it; the parts' ports are free again soon after."""
        below = self.below()
        self._up.end(signal.SIGKILL)
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def stop(self) -> tuple[int, float]:
        """SIGTERM to `up`; its exit code, and the seconds that it took."""
        began = time.monotonic()
        code = self._up.end(signal.SIGTERM, within=60)
        return code, time.monotonic() - began

    def said(self) -> str:
        """What `up` has told its operator, in all its runs."""
        return self._up.log.read_text(encoding="utf-8")

    def remove(self) -> None:
        """End it, if it still runs; the leashes end the rest."""
        self._up.remove()

    def left_over(self) -> list[str]:
        """The command lines of processes that have to do with the folder."""
        return left_over(self.folder.path)

    def _running(self, name: str, instead_of: psutil.Process | None = None) -> psutil.Process:
        deadline = time.monotonic() + BACK_WITHIN_SECONDS
        while time.monotonic() < deadline:
            found = self.part(name)
            if found is not None and found != instead_of:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{name} does not run below `up`: {self.said()[-2000:]}")


def left_over(folder: Path) -> list[str]:
    """The command lines of processes (not this one) that name the folder, there or in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = " ".join(process.cmdline())
            known = [command, *process.environ().values()]
            ours = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if ours and any(str(folder) in text for text in known) and "PYTEST_CURRENT_TEST" not in process.environ():
                found.append(command)
    return found


def wait_for_status(url: str, status: int, within: float) -> httpx.Response:
    """Ask until the answer has this status; the answer."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(url, timeout=5)
        except httpx.TransportError as error:
            last = error
        else:
            if answer.status_code == status:
                return answer
            last = answer.text
        time.sleep(0.1)
    raise AssertionError(f"{url} has not answered {status} within {within} s: {last}")
