"""The store that a command works on: the folder's that `--data` names, else the settings'; and what a new one needs. A
command that reads never makes a database where there is none."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr
from sqlmodel import Session

from fixline.cli.common import WrongUse
from fixline.cli.folder import DataFolder
from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import Role
from fixline.identity import ADMIN_NAME, create_key, ensure_admin_key, list_keys
from fixline.service.publishing import take_folder
from fixline.service.submissions import utc_now
from fixline.settings import Settings, read_settings
from fixline.store.schema import check_schema
from fixline.store.store import Store

SQLITE = "sqlite:///"
log = logging.getLogger(__name__)


@contextmanager
def open_store(settings: Settings, url: str, pool_size: int = 10) -> Iterator[Store]:
    """A store, checked to be of this release. Raises SchemaWrong, StoreAway."""
    store = Store(url, pool_size=pool_size, synchronous=settings.sqlite_synchronous)
    try:
        check_schema(store)
        yield store
    finally:
        store.close()


@dataclass(frozen=True)
class Place:
    """A store's URL; the folder of `up` it lies in, if any; the Temporal address to use, None for the settings'."""

    settings: Settings
    url: str
    folder: DataFolder | None = None
    temporal_address: str | None = None

    def open(self) -> AbstractContextManager[Store]:
        """The store, checked to be of this release. Raises SchemaWrong, StoreAway."""
        return open_store(self.settings, self.url)


def find_place(data: Path | None) -> Place:
    """The store to work on. Raises WrongUse when there is none, SettingsError."""
    settings = read_settings()
    url = DataFolder(data).database_url if data is not None else settings.database_url
    if not url.startswith(SQLITE):
        return Place(settings, url)
    file = Path(url.removeprefix(SQLITE))
    if not file.is_file():
        where = f"--data {data}" if data is not None else "FIXLINE_DATABASE_URL"
        raise WrongUse(f"{where}: there is no database {file}; `fixline up` or `fixline migrate` makes one")
    folder = DataFolder(file.parent)
    ports = folder.remembered()
    ours = "temporal" in ports and (data is not None or "TEMPORAL_ADDRESS" not in os.environ)
    address = f"127.0.0.1:{ports['temporal']}" if ours else None
    return Place(settings, url, folder if ports or data is not None else None, address)


def publish_definitions(store: Store, definitions: Iterable[Definition]) -> tuple[str, ...]:
    """Make these current, as a start does; the types that got a version the store had not known."""
    taken = store.write(partial(take_folder, definitions=definitions, now=utc_now()))
    for kept in taken.kept:
        log.warning(kept.warning)
    return taken.published


def ensure_admin(store: Store, wanted: SecretStr | None) -> str | None:
    """See to an admin's key: the wanted one, else one made now when there is none; answers the one made."""

    def work(session: Session) -> str | None:
        now = utc_now()
        if wanted is not None:
            ensure_admin_key(session, wanted.get_secret_value(), now)
            return None
        keys = list_keys(session)
        if any(key.role is Role.ADMIN and key.revoked_at is None for key in keys):
            return None
        taken = any(key.name == ADMIN_NAME for key in keys)
        return create_key(session, f"{ADMIN_NAME}-{uuid4().hex[:8]}" if taken else ADMIN_NAME, Role.ADMIN, now)

    return store.write(work)
