"""Definition versions: published, current, never changed; a request keeps the one it was opened with."""

from __future__ import annotations

import threading
from datetime import datetime
from functools import partial

import pytest
from sqlmodel import Session, select

from fixline.domain.definition.model import Definition
from fixline.domain.process.decision import Refused
from fixline.store import versions
from fixline.store.tables import DefinitionVersionRow
from fixline.store.versions import Versions, VersionUnknown, publish
from tests.support.city import City, at_once
from tests.support.types import errand


def test_a_new_content_is_a_new_version(city: City) -> None:
    first, second = errand(), errand(title="Another errand")
    city.publish(first)
    city.publish(second)
    current = city.store.read(lambda s: Versions().current(s, "errand"))
    assert (current.hash, current.number, current.definition) == (second.version, 2, second)
    assert current.published_at == city.now


def test_the_same_content_changes_nothing(city: City) -> None:
    definition = errand()
    city.publish(definition)
    published = city.now
    city.later(days=1)
    assert city.store.write(lambda s: publish(s, definition, city.now)) is False
    current = city.store.read(lambda s: Versions().current(s, "errand"))
    assert (current.number, current.published_at) == (1, published)


def test_going_back_makes_the_old_version_current_again(city: City) -> None:
    first, second = errand(), errand(title="Another errand")
    for definition in (first, second, first):
        city.publish(definition)
    current = city.store.read(lambda s: Versions().current(s, "errand"))
    assert (current.hash, current.number) == (first.version, 1)
    wanted = select(DefinitionVersionRow).where(DefinitionVersionRow.type == "errand")
    rows = city.store.read(lambda s: list(s.exec(wanted)))
    assert sorted((row.number, row.current) for row in rows) == [(1, True), (2, False)]


def test_every_packaged_type_has_one_current_version(city: City) -> None:
    current = city.store.read(lambda s: Versions().all_current(s))
    assert [each.definition.type for each in current] == sorted(city.catalog.definitions)
    assert [each.definition for each in current] == [city.catalog.definitions[each.definition.type] for each in current]


def test_an_open_request_keeps_its_version(city: City) -> None:
    city.publish(errand())
    request_id = city.open()
    steps = errand().model_dump(mode="json", by_alias=True)["steps"]
    steps["work"]["then"] = {"finished": "fixed"}
    city.publish(errand(steps=steps))
    task = city.task(request_id).id
    with pytest.raises(Refused) as refused:
        city.do(request_id, "complete", task=task, outcome="finished")
    assert refused.value.refusal.code == "unknown_outcome"
    assert city.do(request_id, "complete", task=task, outcome="done").state == "applied"
    newer = city.open()
    assert city.do(newer, "complete", task=city.task(newer).id, outcome="finished").state == "applied"


def test_what_nobody_has_published(city: City) -> None:
    with pytest.raises(VersionUnknown):
        city.store.read(lambda s: Versions().current(s, "dragon"))
    with pytest.raises(VersionUnknown):
        city.store.read(lambda s: Versions().load(s, "0" * 64))


def test_a_version_is_read_once_per_process(city: City) -> None:
    city.publish(errand())
    versions = Versions()
    version = errand().version
    found = city.store.read(lambda s: versions.load(s, version))
    assert city.store.read(lambda s: versions.load(s, version)) is found


def test_two_that_publish_a_type_for_the_first_time_leave_one_current_version(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither finds a row at which to wait for the other; on SQLite writers take turns anyway."""
    first, second = errand(title="First"), errand(title="Second")
    under_way, go_on = threading.Event(), threading.Event()
    real_add = versions._add

    def add(session: Session, definition: Definition, now: datetime, *, current: bool) -> None:
        if definition is first and not under_way.is_set():
            under_way.set()
            go_on.wait(0.5)
        real_add(session, definition, now, current=current)

    monkeypatch.setattr(versions, "_add", add)
    other = threading.Thread(target=city.publish, args=(first,))
    other.start()
    assert under_way.wait(5)
    city.publish(second)
    go_on.set()
    other.join()
    wanted = select(DefinitionVersionRow).where(DefinitionVersionRow.type == "errand")
    rows = city.store.read(lambda s: list(s.exec(wanted)))
    assert (len(rows), [row.current for row in rows].count(True)) == (2, 1)


def test_publishing_at_once_leaves_one_current_version(city: City) -> None:
    definitions = [errand(title=f"Errand {n}") for n in range(4)]
    at_once([partial(city.publish, d) for d in definitions * 2])
    wanted = select(DefinitionVersionRow).where(DefinitionVersionRow.type == "errand")
    rows = city.store.read(lambda s: list(s.exec(wanted)))
    assert sorted(row.number for row in rows) == [1, 2, 3, 4]
    assert [row.current for row in rows].count(True) == 1
