"""Importing into a store that has the definitions: `imported(rows)` writes a CSV file and imports it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, col, select

from fixline.catalog import Catalog
from fixline.cli.access import publish_definitions
from fixline.cli.definitions import checked_catalog
from fixline.service.importing import MAPPINGS, Importer, Rejects, Summary
from fixline.settings import PACKAGED_DEFINITIONS
from fixline.store.store import Store
from fixline.store.tables import RequestRow

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
HEADER = [
    "Creation_Date",
    "Status",
    "Completion_Date",
    "Service_Request_Number",
    "Type_of_Service_Request",
    "What_is_the_Nature_of_this_Code_Violation",
    "Street_Address",
    "ZIP_Code",
    "X_Coordinate",
    "Y_Coordinate",
    "Ward",
    "Police_District",
    "Community_Area",
    "Latitude",
    "Longitude",
]


def row(number: str, **changes: str) -> list[str]:
    """A row of the sanitation file: completed, in the middle of the city, unless changed."""
    usual = {
        "Creation_Date": "2013-05-06",
        "Status": "Completed",
        "Completion_Date": "2013-05-09",
        "Service_Request_Number": number,
        "Type_of_Service_Request": "Sanitation Code Violation",
        "What_is_the_Nature_of_this_Code_Violation": "Garbage in yard",
        "Street_Address": "100 S STATE ST",
        "ZIP_Code": "60603.0",
        "Ward": "42.0",
        "Latitude": "41.8804",
        "Longitude": "-87.6278",
    }
    assert not changes.keys() - set(HEADER)
    return [(usual | changes).get(name, "") for name in HEADER]


def open_row(number: str, **changes: str) -> list[str]:
    """A row that is open at the source."""
    return row(number, **({"Status": "Open", "Completion_Date": ""} | changes))


@dataclass(frozen=True)
class Imported:
    """What an import came to: its summary, and the rejects file's rows."""

    summary: Summary
    rejects: list[dict[str, str]]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Imported, updated, unchanged, rejected; their sum is the number of rows."""
        found = self.summary
        assert found.imported + found.updated + found.unchanged + found.rejected == found.rows
        return found.imported, found.updated, found.unchanged, found.rejected


Import = Callable[..., Imported]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return checked_catalog(PACKAGED_DEFINITIONS)


@pytest.fixture
def imported(store: Store, catalog: Catalog, tmp_path: Path) -> Import:
    """Import these rows."""
    publish_definitions(store, checked_catalog(PACKAGED_DEFINITIONS).definitions.values())

    def run(
        rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, *, dry_run: bool = False, now: datetime = NOW
    ) -> Imported:
        file, rejected = tmp_path / "source.csv", tmp_path / "source.rejects.csv"
        rejected.unlink(missing_ok=True)
        with file.open("w", newline="") as out:
            csv.writer(out).writerows([header, *rows])
        mapping = MAPPINGS["chicago"]
        with Rejects(None if dry_run else rejected) as rejects:
            importer = Importer(store, mapping, CHICAGO, catalog.areas, dry_run=dry_run, clock=lambda: now)
            summary = importer.run(file, rejects)
        return Imported(summary, _rows(rejected))

    return run


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def stored(store: Store) -> Callable[[str], Any]:
    """The request that was imported under a number."""

    def find(number: str) -> Any:
        def read(session: Session) -> RequestRow | None:
            return session.exec(select(RequestRow).where(col(RequestRow.external_id) == number)).first()

        return store.read(read)

    return find


def fixline_import(file: Path, data: Path, mapping: str) -> dict[str, Any]:
    """Run `fixline import` as a process of its own; its summary."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "fixline.cli",
            "import",
            str(file),
            "--mapping",
            mapping,
            "--data",
            str(data),
            "--json",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if told["rejected"] else 0)
    return told
