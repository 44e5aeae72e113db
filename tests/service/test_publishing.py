"""Which version is current: published on purpose, or taken from the folder at a start."""

from __future__ import annotations

import pytest

from fixline.domain.definition.model import Definition
from fixline.service.publishing import Taken, find_version, list_versions, publish_on_purpose, take_folder
from fixline.store.versions import Versions, VersionUnknown
from tests.support.city import City
from tests.support.types import errand

FIRST, SECOND, THIRD = (errand(title=title) for title in ("First", "Second", "Third"))


def start(city: City, *folder: Definition) -> Taken:
    """A start with a folder of these definitions."""
    return city.store.write(lambda s: take_folder(s, folder, city.now))


def publish(city: City, definition: Definition) -> str:
    """Somebody publishes it; what came of it."""
    done = city.store.write(lambda s: publish_on_purpose(s, definition, city.now, "ann"))
    return done.state


def current(city: City) -> Definition:
    """The errand that new requests follow."""
    return city.store.read(lambda s: Versions().current(s, "errand")).definition


def test_a_start_follows_the_folder_also_back(city: City) -> None:
    assert start(city, FIRST).published == ("errand",)
    assert start(city, SECOND).published == ("errand",)
    assert start(city, FIRST) == Taken((), ())
    assert current(city) == FIRST


def test_a_start_keeps_what_was_published_until_the_folder_has_it(city: City) -> None:
    start(city, FIRST)
    assert publish(city, SECOND) == "published"
    for folder in (FIRST, THIRD):  # an older file, and one that nobody has published
        kept = start(city, folder).kept
        assert [(each.type, each.number) for each in kept] == [("errand", 2)]
        assert "version 2" in kept[0].warning
        assert current(city) == SECOND
    assert start(city, SECOND) == Taken((), ())
    start(city, THIRD)
    assert current(city) == THIRD


def test_publishing_again(city: City) -> None:
    start(city, FIRST)
    assert [publish(city, each) for each in (FIRST, SECOND, SECOND, FIRST)] == [
        "unchanged",
        "published",
        "unchanged",
        "current_again",
    ]
    assert start(city, SECOND).kept
    assert current(city) == FIRST


def test_versions_are_listed_and_found(city: City) -> None:
    start(city, FIRST)
    city.open()
    publish(city, SECOND)
    lines = city.store.read(lambda s: list_versions(s, "errand"))
    assert [(line.number, line.title, line.current, line.open, line.published_by) for line in lines] == [
        (2, "Second", True, 0, "ann"),
        (1, "First", False, 1, None),
    ]
    second = SECOND.version
    for wanted in ("2", "current", second, second[:8]):
        assert find_version(lines, "errand", wanted).hash == second
    for wanted in ("3", second[:7], "newest", ""):
        with pytest.raises(VersionUnknown):
            find_version(lines, "errand", wanted)
