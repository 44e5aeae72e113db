"""The demonstration: the same day for the same seed, answers that every definition takes, nothing twice."""

from __future__ import annotations

import random
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func
from sqlmodel import select

from fixline.catalog import Catalog
from fixline.cli.access import publish_definitions
from fixline.cli.definitions import checked_catalog
from fixline.demo import fresh_keys
from fixline.demo.city import Planned, fill, past, plan_day
from fixline.demo.reports import write_backlog
from fixline.domain.definition.fields import FieldKind, FormField
from fixline.domain.definition.forms import read_answers
from fixline.domain.process.kinds.human import HumanStep
from fixline.identity import find_key
from fixline.service.submissions import utc_now
from fixline.settings import PACKAGED_DEFINITIONS
from fixline.store.queries.supervision import OVERDUE, Scope
from fixline.store.store import Store
from fixline.store.tables import EffectRow, RequestRow

CHICAGO = ZoneInfo("America/Chicago")
TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return checked_catalog(PACKAGED_DEFINITIONS)


@pytest.fixture(scope="module")
def day(catalog: Catalog) -> list[Planned]:
    return plan_day(311, 100, catalog.definitions, catalog.areas, TODAY)


def test_a_day_is_the_same_for_the_same_seed(catalog: Catalog, day: list[Planned]) -> None:
    assert plan_day(311, 100, catalog.definitions, catalog.areas, TODAY) == day
    assert plan_day(312, 100, catalog.definitions, catalog.areas, TODAY) != day


def test_a_day_has_every_type_and_an_old_part(catalog: Catalog, day: list[Planned]) -> None:
    assert {each.type for each in day} == {name for name, each in catalog.definitions.items() if each.takes_requests}
    assert 20 <= sum(each.age is not None for each in day) <= 50
    assert all(catalog.areas.locate(each.latitude, each.longitude) for each in day)
    assert all(each.contact.get("email", "@example.org").endswith("@example.org") for each in day)


def test_a_day_has_things_that_are_reported_twice(day: list[Planned]) -> None:
    places = [(each.type, each.address) for each in day]
    assert len(places) - len(set(places)) == 6


def test_answers_fit(catalog: Catalog, day: list[Planned]) -> None:
    for each in day:
        _, problems = read_answers(catalog.definitions[each.type].intake.questions, each.answers)
        assert problems == ()


def test_forms_can_be_filled_for_every_outcome(catalog: Catalog) -> None:
    dice = random.Random(1)
    for definition in catalog.definitions.values():
        for step in definition.steps.values():
            if not isinstance(step, HumanStep):
                continue
            for outcome in step.then:
                form = fill(dice, step.form, partial(past, dice, TODAY), outcome=outcome)
                _, problems = read_answers(step.form, form, outcome=outcome)
                assert problems == (), (definition.type, step.title, outcome)


def test_a_number_is_never_below_the_least_of_its_field() -> None:
    fields = {"metres": FormField(kind=FieldKind.NUMBER, min=0.1, max=500, required=True)}
    for seed in range(200):
        dice = random.Random(seed)
        form = fill(dice, fields, partial(past, dice, TODAY))
        assert read_answers(fields, form)[1] == (), form


def test_the_backlog_is_written_once_and_overdue_at_once(
    sqlite_store: Store, catalog: Catalog, day: list[Planned]
) -> None:
    publish_definitions(sqlite_store, checked_catalog(PACKAGED_DEFINITIONS).definitions.values())
    written = write_backlog(sqlite_store, day, 311, CHICAGO, catalog.areas)
    assert written == sum(each.age is not None for each in day)
    assert write_backlog(sqlite_store, day, 311, CHICAGO, catalog.areas) == 0
    assert sqlite_store.read(lambda s: s.exec(select(func.count()).select_from(RequestRow)).one()) == written
    assert sqlite_store.read(lambda s: OVERDUE.totals(s, Scope(utc_now())))["count"] > 3
    kinds = sqlite_store.read(lambda s: set(s.exec(select(EffectRow.kind))))
    assert "escalate" not in kinds


def test_crews_get_new_keys_at_each_start(sqlite_store: Store, catalog: Catalog) -> None:
    assert catalog.organisation is not None
    first = fresh_keys(sqlite_store, catalog.organisation)
    second = fresh_keys(sqlite_store, catalog.organisation)
    team = "asphalt-north"
    assert sqlite_store.read(lambda s: find_key(s, first[team])) is None
    found = sqlite_store.read(lambda s: find_key(s, second[team]))
    assert found is not None
    assert found.teams == (team,)
