"""The processes of a cluster: the API under uvicorn, a worker that waits for Temporal.

Owns how both start (settings, schema, definitions checked first) and how they leave on SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import signal

import uvicorn
from temporalio.client import Client

from fixline import loops
from fixline.catalog import Organisation
from fixline.cli.first_start import checked_catalog
from fixline.cli.logs import WithoutQuery, log_to_stderr
from fixline.settings import Settings
from fixline.store.schema import check_schema
from fixline.store.store import Store
from fixline.temporal.client import connect

log = logging.getLogger("fixline.worker")

API_LEAVES_WITHIN_SECONDS = 2
CONNECT_PAUSE_SECONDS = 0.5
LONGEST_CONNECT_PAUSE_SECONDS = 10.0
SPARE_CONNECTIONS = 4
"""Connections of a worker beside those of its slots: the relay, and the look at the database."""


def serve_api(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first."""
    log_to_stderr(settings.log_level)
    _check_database(settings)
    logging.getLogger("uvicorn.access").addFilter(WithoutQuery())
    # uvicorn raises the signal that ended it once more when it has left gracefully; that is a good end here.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    config = uvicorn.Config(
        "api:create_app",
        factory=True,
        host=host,
        port=port,
        log_config=None,
        timeout_graceful_shutdown=API_LEAVES_WITHIN_SECONDS,
    )
    config.load()
    gc.collect()
    gc.freeze()  # definitions and modules stay: the collector need not go through them again and again
    uvicorn.Server(config).run()


def serve_worker(settings: Settings) -> None:
    """Work until SIGTERM or Ctrl-C; activities under way are given a moment."""
    log_to_stderr(settings.log_level)
    catalog = checked_catalog(settings.definitions_folder)
    assert catalog.organisation is not None  # noqa: S101 - without it there are findings
    connections = settings.worker_slots + SPARE_CONNECTIONS
    store = Store(settings.database_url, pool_size=connections, synchronous=settings.sqlite_synchronous)
    check_schema(store)
    loops.run(_work(store, catalog.organisation, settings))
    store.close()
    log.info("left")


def _check_database(settings: Settings) -> None:
    store = Store(settings.database_url, synchronous=settings.sqlite_synchronous)
    try:
        check_schema(store)
    finally:
        store.close()


async def _work(store: Store, organisation: Organisation, settings: Settings) -> None:
    """Connect and work until SIGTERM or Ctrl-C, then leave cleanly."""
    working = asyncio.create_task(_connect_and_work(store, organisation, settings))
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _connect_and_work(store: Store, organisation: Organisation, settings: Settings) -> None:
    client = await _connected()
    # The roots are modules of their own that nothing imports; they are named, as uvicorn is given the API's.
    root = importlib.import_module("worker")
    await root.run_worker(client, store, organisation, settings)


async def _connected() -> Client:
    """A client, as soon as Temporal answers; one line for each change of the reason why it does not."""
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
