"""A data folder of `fixline up`: what lies where in it, and who runs on it.

fixline.db      the store            temporal.db   Temporal's own
up.lock         held while `up` runs, with its process id
up.json         the ports chosen last
logs/           one file per part, rotated at each start
demo.json       lies there once the demonstration's requests have been made
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixline.cli.common import Trouble

KEPT_LOGS = 5


class DataFolder:
    """The folder at `path`, and what lies in it; the store's URL has an absolute path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "fixline.db"
        self.database_url = f"sqlite:///{self.database.resolve()}"
        self.temporal_database = path / "temporal.db"
        self.logs = path / "logs"
        self.demo_mark = path / "demo.json"

    def make(self) -> None:
        """Make the folder, readable by its owner alone: contact data will lie in it. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(exist_ok=True, mode=0o700)

    def remembered(self) -> dict[str, int]:
        """The ports of the last start by name; empty before the first."""
        try:
            found = json.loads((self.path / "up.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {name: port for name, port in found.items() if isinstance(port, int)} if isinstance(found, dict) else {}

    def remember(self, **ports: int) -> None:
        """Keep the ports for the next start, and for the commands that look for the running parts."""
        fresh = self.path / "up.json.new"
        fresh.write_text(json.dumps(ports) + "\n", encoding="utf-8")
        fresh.replace(self.path / "up.json")

    def fresh_log(self, name: str) -> Path:
        """The path of a part's log; those of earlier starts are moved aside, the oldest goes."""
        log = self.logs / f"{name}.log"
        for number in range(KEPT_LOGS - 1, -1, -1):
            older = log.with_suffix(f".log.{number}") if number else log
            if older.exists():
                older.replace(log.with_suffix(f".log.{number + 1}"))
        return log

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the one `up` of the folder, until the process ends, however it does. Raises Trouble."""
        descriptor = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read(32).strip()
                process = text if text.isdecimal() else "unknown"
                raise Trouble(
                    f"`fixline up` already runs on {self.path} (process {process}): "
                    "stop that one first, or name another folder with --data"
                ) from None
            file.truncate()
            print(os.getpid(), file=file, flush=True)
            yield
