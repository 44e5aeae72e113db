"""`fixline import`: a backlog or history from another system."""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fixline.catalog import Catalog
from fixline.cli.access import Place, find_place, publish_definitions
from fixline.cli.common import FOUND, AsJson, Trouble, WrongUse
from fixline.cli.definitions import checked_catalog
from fixline.cli.folder import DataFolder
from fixline.service.importing import MAPPINGS, HeaderUnfit, Importer, Rejects
from fixline.settings import Settings, read_settings
from fixline.store.schema import migrate
from fixline.store.store import Store


def import_file(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    mapping: Annotated[str, typer.Option(help="How the source writes its records: chicago, la.")],
    data: Annotated[
        Path | None,
        typer.Option(help="A folder of `fixline up`, also while it runs. [default: the settings' database]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go. [default: FILE.rejects.csv beside the data folder]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    told = _import(file, mapping, data, rejects, dry_run=dry_run)
    if as_json:
        print(json.dumps(told))
    else:
        counts = ("imported", "updated", "unchanged", "rejected")
        print(f"{told['rows']:,} rows: " + ", ".join(f"{told[name]:,} {name}" for name in counts))
        print(f"{told['repeated']:,} of the unchanged are earlier rows of a repeated number")
        print(f"{told['seconds']} s, {told['peak_mb']} MB at most" + (", nothing written" if dry_run else ""))
        if told["rejects"]:
            print(f"rejected rows: {told['rejects']}")
    if told["rejected"]:
        raise typer.Exit(FOUND)


def _import(file: Path, mapping_name: str, data: Path | None, rejects: Path | None, *, dry_run: bool) -> dict[str, Any]:
    """Import the file; the summary as it is shown. Raises WrongUse, Trouble."""
    began = time.monotonic()
    settings = read_settings()
    mapping = MAPPINGS.get(mapping_name)
    if mapping is None:
        raise WrongUse(f"--mapping {mapping_name}: must be one of {', '.join(MAPPINGS)}")
    if not file.is_file():
        raise WrongUse(f"there is no file {file}")
    catalog = checked_catalog(settings.definitions_folder)
    assert catalog.organisation is not None  # noqa: S101 - without it there are findings
    zone = ZoneInfo(catalog.organisation.city.timezone)
    place = _place(settings, data, catalog)
    beside = place.folder.path.resolve().parent if place.folder else Path.cwd()
    target = rejects or beside / f"{file.stem}.rejects.csv"
    if target.resolve() == file.resolve():
        raise WrongUse(f"--rejects {target}: is the file to import")
    with place.open() as store, Rejects(None if dry_run else target) as rejected:
        tell = partial(print, file=sys.stderr, flush=True)
        importer = Importer(store, mapping, zone, catalog.areas, dry_run=dry_run, tell=tell)
        try:
            summary = importer.run(file, rejected)
        except HeaderUnfit as unfit:
            raise WrongUse(f"{file}: {unfit}") from None
        except OSError as error:
            raise Trouble(f"{error.filename or file}: {error.strerror}") from None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        **asdict(summary),
        "seconds": round(time.monotonic() - began, 2),
        "peak_mb": round(peak / (1_048_576 if sys.platform == "darwin" else 1024), 1),
        "rejects": str(target) if rejected.written else None,
        "dry_run": dry_run,
    }


def _place(settings: Settings, data: Path | None, catalog: Catalog) -> Place:
    """The store to import into. A folder named by --data on which `up` has never run is made ready first."""
    if data is not None and not DataFolder(data).database.is_file():
        folder = DataFolder(data)
        try:
            folder.make()
        except OSError as error:
            raise WrongUse(f"--data {data}: {error.strerror}") from None
        with closing(Store(folder.database_url, synchronous=settings.sqlite_synchronous)) as store:
            migrate(store)
            publish_definitions(store, catalog.definitions.values())
    return find_place(data)
