"""Where a command finds its data: the folder that `--data` names, else the settings.

Owns the opening of the store for commands, and the address of the Temporal server that belongs to it. A
command that reads never makes a database where there is none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixline.cli.folder import DataFolder
from fixline.cli.outcome import WrongUse
from fixline.settings import Settings
from fixline.store.schema import check_schema
from fixline.store.store import Store

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Place:
    """A store's URL; the folder of `up` it lies in, if any; the Temporal address to use, None for the settings'."""

    url: str
    folder: DataFolder | None
    temporal_address: str | None

    @property
    def beside(self) -> Path:
        """Where a file about this store may be put: next to its data folder, else the working folder."""
        return self.folder.path.resolve().parent if self.folder else Path.cwd()


def find_place(settings: Settings, data: Path | None) -> Place:
    """The store to work on. Raises WrongUse when there is none."""
    url = DataFolder(data).database_url if data is not None else settings.database_url
    if not url.startswith(SQLITE):
        return Place(url, None, None)
    file = Path(url.removeprefix(SQLITE))
    if not file.is_file():
        where = f"--data {data}" if data is not None else "FIXLINE_DATABASE_URL"
        raise WrongUse(f"{where}: there is no database {file}; `fixline up` or `fixline migrate` makes one")
    folder = DataFolder(file.parent)
    ports = folder.remembered()
    if not ports:
        return Place(url, None if data is None else folder, None)
    ours = data is not None or "TEMPORAL_ADDRESS" not in os.environ
    return Place(url, folder, f"127.0.0.1:{ports['temporal']}" if ours and "temporal" in ports else None)


@contextmanager
def open_store(settings: Settings, place: Place) -> Iterator[Store]:
    """The store, checked to be of this release. Raises SchemaWrong, StoreAway."""
    store = Store(place.url, synchronous=settings.sqlite_synchronous)
    try:
        check_schema(store)
        yield store
    finally:
        store.close()
