"""`fixline api`, `fixline worker`, `fixline migrate`: the parts one by one, for a cluster; and the demonstration's.

The parts log one line each, to standard error, in UTC; contact data and keys are never given to a logger, and queries
of URLs are cut off before they are written.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fixline.catalog import Organisation
from fixline.cli.access import open_store
from fixline.cli.definitions import checked_catalog
from fixline.cli.folder import DataFolder
from fixline.settings import Settings, read_settings
from fixline.store.schema import migrate as migrate_schema
from fixline.store.store import Store

if TYPE_CHECKING:
    from temporalio.client import Client

log = logging.getLogger("fixline.worker")

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("sqlalchemy", "alembic", "httpx", "httpcore", "asyncio")
"""Libraries that tell at INFO what is of no use to an operator."""
CONNECT_PAUSE_SECONDS = 0.5
LONGEST_CONNECT_PAUSE_SECONDS = 10.0
SPARE_CONNECTIONS = 4
"""Connections of a worker beside those of its slots: the relay, and the look at the database."""


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8311,
) -> None:
    import uvicorn

    settings = read_settings()
    log_to_stderr(settings.log_level)
    with open_store(settings, settings.database_url):
        pass  # a database that is away or behind is told before anything listens
    logging.getLogger("uvicorn.access").addFilter(without_query)
    # uvicorn raises the signal that ended it once more when it has left gracefully; that is a good end here.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    config = uvicorn.Config(
        "api:create_app", factory=True, host=host, port=port, log_config=None, timeout_graceful_shutdown=2
    )
    config.load()
    gc.collect()
    gc.freeze()  # definitions and modules stay: the collector need not go through them again and again
    uvicorn.Server(config).run()


def worker() -> None:
    import uvloop

    settings = read_settings()
    log_to_stderr(settings.log_level)
    organisation = checked_catalog(settings.definitions_folder).organisation
    assert organisation is not None  # noqa: S101 - without it there are findings
    with open_store(settings, settings.database_url, settings.worker_slots + SPARE_CONNECTIONS) as store:
        uvloop.run(_until_told(_work(store, organisation, settings)))
    log.info("left")


def migrate() -> None:
    settings = read_settings()
    with closing(Store(settings.database_url, synchronous=settings.sqlite_synchronous)) as store:
        before, after = migrate_schema(store)
    was = f"at {before}" if before else "empty"
    print(f"the schema is at {after}" + ("" if before == after else f", it was {was}"))


def demo_crews(
    data: Annotated[Path, typer.Option(help="The folder of `fixline up`.")],
    url: Annotated[str, typer.Option(help="Where the API answers.")],
    requests: Annotated[int, typer.Option(min=0, help="How many requests to make, once per folder.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed makes the same day.")] = 311,
) -> None:
    from fixline.demo import demonstrate

    settings, folder = read_settings(), DataFolder(data)
    log_to_stderr(settings.log_level)
    catalog = checked_catalog(settings.definitions_folder)
    with open_store(settings, folder.database_url) as store:
        asyncio.run(_until_told(demonstrate(store, catalog, folder.demo_mark, url, requests, seed)))


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Work until SIGTERM or Ctrl-C, then leave cleanly; what is under way is given a moment."""
    working = asyncio.create_task(work)
    for ending in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ending, working.cancel)
    with suppress(asyncio.CancelledError):
        await working


async def _work(store: Store, organisation: Organisation, settings: Settings) -> None:
    client = await _connected()
    # The roots are modules of their own that nothing imports; they are named, as uvicorn is given the API's.
    await importlib.import_module("worker").run_worker(client, store, organisation, settings)


async def _connected() -> Client:
    """A client, as soon as Temporal answers; one line for each change of the reason why it does not."""
    from fixline.temporal.client import connect

    pause, reason = CONNECT_PAUSE_SECONDS, ""
    while True:
        try:
            client = await connect()
        except RuntimeError as error:
            if str(error) != reason:
                reason = str(error)
                log.warning("Temporal does not answer, trying on: %s", reason)
        else:
            log.info("connected to Temporal at %s", client.service_client.config.target_host)
            return client
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_CONNECT_PAUSE_SECONDS)


def log_to_stderr(level: str) -> None:
    """Log from this level on; the libraries' own small talk from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def without_query(record: logging.LogRecord) -> bool:
    """Cuts the query off the path in uvicorn's access lines: it may hold what somebody searched for. Always true."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, version, status = record.args
        record.args = (client, method, str(path).partition("?")[0], version, status)
    return True
