"""The composition root: what stops a start, and what a start does."""

import re
from pathlib import Path

import pytest

import api
from fixline.settings import PACKAGED_DEFINITIONS, Settings
from fixline.store.store import Store, StoreAway
from fixline.store.versions import Versions
from tests.support.api import ADMIN_KEY, Service


def settings(**changes: object) -> Settings:
    """Settings of one test."""
    return Settings.model_validate({"definitions": PACKAGED_DEFINITIONS, "admin_key": ADMIN_KEY, **changes})


def test_findings_stop_the_start_and_are_told(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "organisation.yaml").write_text("city: {name: X, timezone: Nowhere}\n")
    with pytest.raises(api.DefinitionsWrong, match=r"organisation\.yaml:1:\d+: FX702"):
        api.create_app(settings(definitions=tmp_path), store=sqlite_store)


async def test_a_start_publishes_once_also_on_a_running_loop(sqlite_store: Store) -> None:
    for _ in range(2):
        api.create_app(settings(), store=sqlite_store)
    found = sqlite_store.read(Versions().all_current)
    assert len(found) == len({each.definition.type for each in found}) > 5
    assert {each.number for each in found} == {1}
    assert {each.number for each in found} == {1}


def test_a_database_that_is_not_migrated_stops_the_start(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(StoreAway):
        api.create_app(settings(), store=store)
    store.close()


async def test_the_apis_pages_need_nothing_from_elsewhere(service: Service) -> None:
    """/docs and all that it loads come from here: a city's network may be closed."""
    page = (await service.call("GET", "/docs", by=None)).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 3
    for address in loaded:
        answer = await service.call("GET", address, by=None)
        assert (answer.status_code, len(answer.content) > 100) == (200, True), address
