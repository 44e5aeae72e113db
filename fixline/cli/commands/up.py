"""`fixline up`: the whole system in one command, its data in one folder: prepared, started, kept, stopped, and told to
the operator. One thread, and it stays so: children's leashes hang on it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from fixline.cli import parts
from fixline.cli.common import Trouble
from fixline.cli.folder import DataFolder
from fixline.cli.keeper import Keeper
from fixline.cli.leash import spawn
from fixline.settings import Settings, read_settings

LOOK_EVERY_SECONDS = 0.2
READY_WITHIN_SECONDS = 60.0
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    data: Annotated[Path, typer.Option(help="Folder for all data and logs.")] = Path("fixline-data"),
    host: Annotated[str, typer.Option(help="Address the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the API.")] = 8311,
    temporal_port: Annotated[
        int | None,
        typer.Option(min=1, max=64_535, help="Port of the Temporal server; its UI is 1000 higher. [default: 7233]"),
    ] = None,
    demo: Annotated[int, typer.Option(min=0, max=100_000, help="Make that many demonstration requests, once.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many worker processes.")] = 1,
) -> None:
    settings, folder = read_settings(), DataFolder(data)
    try:
        folder.make()
    except OSError as error:
        raise Trouble(f"--data {data}: {error.strerror}") from None
    with folder.held():
        parts.wait_until_free(host, port, "--port")
        chosen = parts.choose_temporal_port(folder, temporal_port, port)
        folder.remember(temporal=chosen, api=port)
        _Running(parts.Plan(folder, host, port, chosen, workers, demo), settings).run()


class _Running:
    """One run, from the preparation of the folder to the last child's end."""

    def __init__(self, plan: parts.Plan, settings: Settings) -> None:
        self._plan = plan
        self._log = plan.folder.fresh_log("up")
        self._keeper = Keeper(parts.parts_of(plan, settings), plan.folder.fresh_log, self._say)
        self._settings = settings
        self._asked_to_end = False
        self._retention: subprocess.Popen[bytes] | None = None
        self._retention_set = False

    def run(self) -> None:
        """Prepare, start, keep, stop, until a signal ends it. Raises Trouble when it cannot start."""
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
            self._say("stopping")
            if self._retention is not None:
                self._retention.kill()
                self._retention.wait()
            self._keeper.stop()
            self._say("stopped")

    def _say(self, text: str) -> None:
        """One line for the operator, also in logs/up.log."""
        now = datetime.now(UTC)
        with suppress(OSError):  # a terminal that is gone, a full disk: the parts go on
            print(f"{now.astimezone():%H:%M:%S} {text}", flush=True)
        with suppress(OSError), self._log.open("a", encoding="utf-8") as log:
            log.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {text}\n")

    def _prepare(self) -> str | None:
        """Migrate, publish, see to the admin key: the new key, None when there is one already."""
        from fixline.cli.access import ensure_admin, publish_definitions  # heavy: the command's help needs none of it
        from fixline.cli.definitions import checked_catalog
        from fixline.store.schema import migrate
        from fixline.store.store import Store

        if os.environ.get("FIXLINE_DATABASE_URL"):
            self._say(f"FIXLINE_DATABASE_URL is not used here: `up` keeps everything in {self._plan.folder.path}")
        url, synchronous = self._plan.folder.database_url, self._settings.sqlite_synchronous
        with closing(Store(url, synchronous=synchronous)) as store:
            before, after = migrate(store)
            if before != after:
                self._say(f"schema brought to {after}" + (f" from {before}" if before else ""))
            catalog = checked_catalog(self._settings.definitions_folder)
            published = publish_definitions(store, catalog.definitions.values())
            if published:
                self._say(f"definitions published: {', '.join(published)}")
            return ensure_admin(store, self._settings.admin_key)

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
                self._say(f"not everything answers yet; it is being tried on (see {self._plan.folder.logs})")
                return
            self._turn()
        self._say("ready")

    def _see_to_retention(self) -> None:
        """Tell the Temporal server how long to keep closed requests, as soon as it listens."""
        if self._retention_set:
            return
        if self._retention is None:
            with open(os.devnull, "wb") as nowhere:  # it ends by itself in seconds
                self._retention = spawn(parts.retention_command(self._plan), parts.plain_environment(), nowhere)
        elif self._retention.poll() is not None:
            self._retention_set = self._retention.returncode == 0
            self._retention = None

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
        with suppress(OSError):
            print("\n".join([*lines, "", "Ctrl-C stops everything.", ""]), flush=True)

    def _end(self, *_: object) -> None:
        self._asked_to_end = True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except OSError:  # urllib's own are such, too
        return False
