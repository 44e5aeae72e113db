"""A data folder of `fixline up`: what lies where in it, and who runs on it.

    fixline.db      the store            temporal.db   Temporal's own
    up.lock         held while `up` runs, with its process id
    up.json         the ports chosen last
    logs/           one file per part, rotated at each start

Owns these names. Knows no process and opens no database.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fixline.errors import FixlineError

KEPT_LOGS = 5


class FolderTaken(FixlineError):
    """Another `fixline up` runs on the folder; `pid` is its process, 0 when it has not said so yet."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"`fixline up` already runs on {path} (process {pid or 'unknown'})")
        self.pid = pid


@dataclass(frozen=True)
class DataFolder:
    """The folder at `path`."""

    path: Path

    @property
    def database(self) -> Path:
        """The store's SQLite file."""
        return self.path / "fixline.db"

    @property
    def database_url(self) -> str:
        """The store's URL, with an absolute path."""
        return f"sqlite:///{self.database.resolve()}"

    @property
    def temporal_database(self) -> Path:
        """The Temporal server's SQLite file."""
        return self.path / "temporal.db"

    @property
    def logs(self) -> Path:
        """Where every part logs."""
        return self.path / "logs"

    @property
    def demo_mark(self) -> Path:
        """Lies here once the demonstration's requests have been made."""
        return self.path / "demo.json"

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
        for number in range(KEPT_LOGS - 1, 0, -1):
            older = log.with_suffix(f".log.{number}")
            if older.exists():
                older.replace(log.with_suffix(f".log.{number + 1}"))
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        return log


class FolderLock:
    """Held by the one `up` of a folder; the system lets go of it when that process ends, however it does."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._file = -1

    def __enter__(self) -> FolderLock:
        """Take it. Raises FolderTaken."""
        path = self._folder.path / "up.lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise FolderTaken(self._folder.path, int(text) if text.isdecimal() else 0) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
