"""The composition root of the HTTP service: builds the parts, publishes the definitions, answers with the app.

`uvicorn --factory api:create_app` serves it; tests hand their own parts in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from sqlmodel import Session
from temporalio.client import Client

from fixline.catalog import Catalog, Organisation, read_catalog
from fixline.errors import FixlineError
from fixline.identity import ensure_admin_key
from fixline.outbound import KINDS
from fixline.service.publishing import Taken, take_folder
from fixline.service.requests import RequestService
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import utc_now
from fixline.settings import Settings, read_settings
from fixline.store.store import Store
from fixline.store.versions import Versions
from fixline.temporal.attributes import SearchAttributes
from fixline.temporal.client import connect
from fixline.temporal.health import TaskQueueHealth
from fixline.temporal.signals import Signals
from fixline.web.app import build_app
from fixline.web.parts import Parts

log = logging.getLogger(__name__)


class DefinitionsWrong(FixlineError, ValueError):
    """The definitions have findings; the text has one per line."""


def create_app(
    settings: Settings | None = None,
    *,
    store: Store | None = None,
    client: Client | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The app, ready to serve on a migrated database. Temporal may be away; it is reached at the first call.

    Raises SettingsError, DefinitionsWrong, and StoreAway when the database is away or not migrated.
    """
    settings = settings or read_settings()
    catalog, organisation = checked_catalog(settings)
    catalog.areas.prepare()
    store = store or Store(settings.database_url, synchronous=settings.sqlite_synchronous)
    prepare(store, catalog, settings, clock())
    client, queue, versions = client or _client(), settings.task_queue, Versions()
    service = RequestService(
        store,
        Signals(client, store, task_queue=queue, attributes=SearchAttributes(client)),
        ZoneInfo(organisation.city.timezone),
        versions,
        answer_within_seconds=settings.answer_within_seconds,
        clock=clock,
        scheduling=Scheduling(settings.due_per_second, KINDS if settings.notices_url or organisation.notices else ()),
    )
    return build_app(
        Parts(
            store=store,
            service=service,
            temporal=TaskQueueHealth(client, queue),
            versions=versions,
            organisation=organisation,
            catalog=catalog,
            max_body_bytes=settings.max_body_bytes,
        )
    )


def checked_catalog(settings: Settings) -> tuple[Catalog, Organisation]:
    """The definitions of the settings' folder. Raises DefinitionsWrong with every finding."""
    reading = read_catalog(settings.definitions_folder)
    organisation = reading.catalog.organisation
    if reading.findings or organisation is None:
        raise DefinitionsWrong("\n".join(str(finding) for finding in reading.findings))
    return reading.catalog, organisation


def prepare(store: Store, catalog: Catalog, settings: Settings, now: datetime) -> None:
    """Publish what has changed, and make the settings' admin key the one that works."""

    def write(session: Session) -> Taken:
        taken = take_folder(session, catalog.definitions.values(), now)
        if settings.admin_key is not None:
            ensure_admin_key(session, settings.admin_key.get_secret_value(), now)
        return taken

    for kept in store.write(write).kept:
        log.warning(kept.warning)


def _client() -> Client:
    """A client that connects when it is first used; made on a loop of its own, since the caller's may be running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, connect(lazy=True)).result()
