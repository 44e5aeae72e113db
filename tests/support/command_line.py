"""The command in this process: `fixline(*arguments)` answers with its exit code and what it printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixline.catalog import read_catalog
from fixline.cli.access import publish_definitions
from fixline.cli.app import run
from fixline.cli.definitions import checked_catalog
from fixline.cli.folder import DataFolder
from fixline.store.schema import migrate
from fixline.store.store import Store
from tests.support.city import City
from tests.support.lakeport import LAKEPORT


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


Fixline = Callable[..., Ran]


@pytest.fixture
def fixline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Fixline:
    """Run a command in an empty folder, with no setting but the definitions."""
    import os

    for name in list(os.environ):
        if name.startswith(("FIXLINE_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FIXLINE_DEFINITIONS", str(LAKEPORT))
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        code = run([str(each) for each in arguments])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return ran


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder, migrated and with definitions, on which nothing runs."""
    folder = DataFolder(tmp_path / "data")
    folder.make()
    store = Store(folder.database_url)
    migrate(store)
    publish_definitions(store, checked_catalog(LAKEPORT).definitions.values())
    store.close()
    return folder.path


@pytest.fixture
def stored_city(data: Path) -> Iterator[City]:
    """The city of the data folder."""
    store = Store(DataFolder(data).database_url)
    yield City(store, read_catalog(LAKEPORT).catalog)
    store.close()
