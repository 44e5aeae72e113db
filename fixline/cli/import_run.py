"""The work behind `fixline import`: the store, the city's zone and areas, the rejects file, the summary."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fixline.catalog import Catalog
from fixline.cli.access import Place, find_place, open_store
from fixline.cli.first_start import checked_catalog, publish_catalog
from fixline.cli.folder import DataFolder
from fixline.cli.outcome import Trouble, WrongUse
from fixline.service.importing import MAPPINGS, HeaderUnfit, Importer, Rejects
from fixline.settings import Settings, read_settings
from fixline.store.schema import migrate
from fixline.store.store import Store


def run_import(
    file: Path,
    mapping_name: str,
    data: Path | None,
    rejects: Path | None,
    *,
    dry_run: bool,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Import the file; the summary as it is shown. Raises WrongUse, Trouble."""
    began = time.monotonic()
    settings = read_settings()
    mapping = MAPPINGS.get(mapping_name)
    if mapping is None:
        raise WrongUse(f"--mapping {mapping_name}: must be one of {', '.join(MAPPINGS)}")
    if not file.is_file():
        raise WrongUse(f"there is no file {file}")
    catalog = checked_catalog(settings.definitions_folder)
    place = _place(settings, data, catalog)
    target = rejects or place.beside / f"{file.stem}.rejects.csv"
    if target.resolve() == file.resolve():
        raise WrongUse(f"--rejects {target}: is the file to import")
    with open_store(settings, place) as store, Rejects(None if dry_run else target) as rejected:
        importer = Importer(store, mapping, _zone(catalog), catalog.areas, dry_run=dry_run, tell=tell)
        try:
            summary = importer.run(file, rejected)
        except HeaderUnfit as unfit:
            raise WrongUse(f"{file}: {unfit}") from None
        except OSError as error:
            raise Trouble(f"{error.filename or file}: {error.strerror}") from None
    return {
        **asdict(summary),
        "seconds": round(time.monotonic() - began, 2),
        "peak_mb": peak_mb(),
        "rejects": str(target) if rejected.written else None,
        "dry_run": dry_run,
    }


def _zone(catalog: Catalog) -> ZoneInfo:
    assert catalog.organisation is not None  # noqa: S101 - without it there are findings
    return ZoneInfo(catalog.organisation.city.timezone)


def _place(settings: Settings, data: Path | None, catalog: Catalog) -> Place:
    """The store to import into. A folder named by --data on which `up` has never run is made ready first."""
    if data is not None and not DataFolder(data).database.is_file():
        folder = DataFolder(data)
        try:
            folder.make()
        except OSError as error:
            raise WrongUse(f"--data {data}: {error.strerror}") from None
        store = Store(folder.database_url, synchronous=settings.sqlite_synchronous)
        try:
            migrate(store)
            publish_catalog(store, catalog)
        finally:
            store.close()
    return find_place(settings, data)


def peak_mb() -> float:
    """The most memory this process has held, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1_048_576 if sys.platform == "darwin" else 1024), 1)
