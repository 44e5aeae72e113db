"""One run of `fixline up`: prepares the folder, starts the parts, keeps them, stops them.

Owns the order of things and what the operator is told. One thread, and it stays so: children's leashes hang on it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fixline.cli.first_start import ensure_admin, publish_definitions
from fixline.cli.folder import DataFolder, FolderLock, FolderTaken
from fixline.cli.outcome import Trouble
from fixline.cli.up.keeper import Keeper
from fixline.cli.up.parts import Plan, parts_of, plain_environment, retention_command
from fixline.cli.up.ports import choose_temporal_port, wait_until_free
from fixline.settings import Settings
from fixline.store.schema import migrate
from fixline.store.store import Store

LOOK_EVERY_SECONDS = 0.2
READY_WITHIN_SECONDS = 60.0
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_up(
    settings: Settings, data: Path, host: str, port: int, temporal_port: int | None, demo: int, workers: int
) -> None:
    """Run until a signal ends it. Raises Trouble when it cannot start."""
    folder = DataFolder(data)
    try:
        folder.make()
    except OSError as error:
        raise Trouble(f"--data {data}: {error.strerror}") from None
    try:
        with FolderLock(folder):
            wait_until_free(host, port, "--port")
            chosen = choose_temporal_port(folder, temporal_port, port)
            folder.remember(temporal=chosen, api=port)
            Running(Plan(folder, host, port, chosen, workers, demo), settings).run()
    except FolderTaken as taken:
        raise Trouble(f"{taken}: stop that one first, or name another folder with --data") from None


class Running:
    """One run of `up`, from the preparation of the folder to the last child's end."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self._plan = plan
        self._log = plan.folder.fresh_log("up")
        self._keeper = Keeper(parts_of(plan, settings), plan.folder.fresh_log, self.say)
        self._settings = settings
        self._asked_to_end = False
        self._retention: subprocess.Popen[bytes] | None = None
        self._retention_set = False

    def run(self) -> None:
        """Prepare, start, keep, stop."""
        for ending in ENDINGS:
            if ending is not signal.SIGHUP or signal.getsignal(ending) is not signal.SIG_IGN:  # as under nohup
                signal.signal(ending, self._end)
        admin_key = self._prepare()
        try:
            self._keeper.start()
            try:
                self._wait_until_ready()
            finally:
                self._announce(admin_key)  # whatever happens: this is the only time that the key is shown
            while not self._asked_to_end:
                self._turn()
        finally:
            for ending in ENDINGS:
                signal.signal(ending, signal.SIG_IGN)
            self.say("stopping")
            self._stop_retention()
            self._keeper.stop()
            self.say("stopped")

    def say(self, text: str) -> None:
        """One line for the operator, also in logs/up.log."""
        now = datetime.now(UTC)
        with contextlib.suppress(OSError):  # a terminal that is gone, a full disk: the parts go on
            print(f"{now.astimezone():%H:%M:%S} {text}", flush=True)
        with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as log:
            log.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {text}\n")

    def _prepare(self) -> str | None:
        """Migrate, publish, see to the admin key: the new key, None when there is one already."""
        if os.environ.get("FIXLINE_DATABASE_URL"):
            self.say(f"FIXLINE_DATABASE_URL is not used here: `up` keeps everything in {self._plan.folder.path}")
        store = Store(self._plan.folder.database_url, synchronous=self._settings.sqlite_synchronous)
        try:
            before, after = migrate(store)
            if before != after:
                self.say(f"schema brought to {after}" + (f" from {before}" if before else ""))
            published = publish_definitions(store, self._settings.definitions_folder)
            if published:
                self.say(f"definitions published: {', '.join(published)}")
            return ensure_admin(store, self._settings.admin_key)
        finally:
            store.close()

    def _turn(self) -> None:
        time.sleep(LOOK_EVERY_SECONDS)
        self._keeper.look()
        self._see_to_retention()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not (self._retention_set and _answers(f"{self._plan.public_url}/healthz")):
            if self._asked_to_end:
                return
            if time.monotonic() > deadline:
                self.say(f"not everything answers yet; it is being tried on (see {self._plan.folder.logs})")
                return
            self._turn()
        self.say("ready")

    def _see_to_retention(self) -> None:
        """Tell the Temporal server how long to keep closed requests, as soon as it listens."""
        if self._retention_set:
            return
        if self._retention is None:
            self._retention = subprocess.Popen(  # noqa: S603 - the command is made by us; ends by itself in seconds
                retention_command(self._plan),
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        elif self._retention.poll() is not None:
            self._retention_set = self._retention.returncode == 0
            self._retention = None

    def _stop_retention(self) -> None:
        if self._retention is not None:
            self._retention.kill()
            self._retention.wait()

    def _announce(self, admin_key: str | None) -> None:
        plan = self._plan
        lines = [
            "",
            f"  Fixline        {plan.public_url}",
            f"  API            {plan.public_url}/docs",
            f"  Temporal UI    {plan.temporal_ui_url}",
            f"  Data and logs  {plan.folder.path}",
        ]
        if admin_key is not None:
            lines += [f"  Admin key      {admin_key}", "                 shown this once; only its hash is kept"]
        elif self._settings.admin_key is not None:
            lines.append("  Admin key      the one in FIXLINE_ADMIN_KEY")
        else:
            lines.append("  Admin key      shown at the first start; `fixline keys create` makes others")
        with contextlib.suppress(OSError):
            print("\n".join([*lines, "", "Ctrl-C stops everything.", ""]), flush=True)

    def _end(self, _number: int, _frame: Any) -> None:
        self._asked_to_end = True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
