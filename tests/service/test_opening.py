"""Opening at the door: numbers, contact data, refusals, repeated keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from fixline.domain.process.decision import Refused
from fixline.service.opening import Contact, open_request
from fixline.service.submissions import KeyReused, StoredCommand
from fixline.store.tables import (
    ClockRow,
    CommandRow,
    ContactRow,
    CounterRow,
    EffectRow,
    JournalRow,
    RequestRow,
    TaskRow,
    table_of,
)
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand

WRITTEN = (RequestRow, CommandRow, JournalRow, TaskRow, ClockRow, EffectRow, ContactRow, CounterRow)


def test_the_whole_of_decision_one_is_there_at_once(city: City) -> None:
    request_id = city.open("pothole")
    row = city.request(request_id)
    assert (row.status, row.step, row.decision, row.last_command, row.signalled) == ("open", "inspect", 1, 1, 0)
    assert row.promised_at is not None
    assert (row.area, row.team, row.latitude, row.longitude) == ("north", "street-inspectors", 41.9, -87.7)
    (command,) = city.commands(request_id)
    assert (command.kind, command.state, command.decision) == ("open", "applied", 1)
    assert command.answer["request"]["id"] == request_id
    assert command.answer["request"]["promised_at"] == row.promised_at.isoformat()
    assert [entry.kind for entry in city.journal(request_id)][::5] == ["opened", "task_offered"]
    assert [effect.kind for effect in city.effects_of(request_id)] == ["order_inspection"]
    assert set(city.clocks(request_id)) == {"first_look", "resolve", "T1.claim"}
    assert assert_consistent(city.store) == 1


def test_numbers_count_the_requests_of_a_year(city: City) -> None:
    assert [city.open("graffiti") for _ in range(3)] == ["SR26-00000001", "SR26-00000002", "SR26-00000003"]


@pytest.mark.parametrize(
    ("instant", "year"),
    [
        (datetime(2027, 1, 1, 5, 59, 59, tzinfo=UTC), "26"),
        (datetime(2027, 1, 1, 6, 0, tzinfo=UTC), "27"),
    ],
)
def test_the_year_is_that_of_the_citys_clocks(city: City, instant: datetime, year: str) -> None:
    city.open("graffiti")
    assert city.open("graffiti", at=instant).startswith(f"SR{year}-0000000")


def test_each_year_counts_anew(city: City) -> None:
    city.open("graffiti")
    assert city.open("graffiti", at=datetime(2027, 6, 1, tzinfo=UTC)) == "SR27-00000001"


def test_contact_data_is_in_one_table_only(city: City) -> None:
    contact = Contact(name="Rosalind Quaverly", email="rosalind@example.org", phone="+1 555 0100")
    request_id = city.open("graffiti", contact=contact)
    with city.store.engine.connect() as connection:
        tables = {model: str(connection.execute(select(table_of(model))).all()) for model in WRITTEN}
    for secret in ("Quaverly", "rosalind@example.org", "555 0100"):
        assert [model.__tablename__ for model, text in tables.items() if secret in text] == ["contact"]
    kept = city.store.read(lambda s: s.get_one(ContactRow, request_id))
    assert (kept.name, kept.email, kept.phone) == (contact.name, contact.email, contact.phone)
    assert city.effects_of(request_id, "notify")[0].destination == "reporter"


def test_nobody_to_tell_means_no_notice(city: City) -> None:
    assert city.effects_of(city.open("graffiti"), "notify") == []


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"answers": {}}, "answers_invalid"),
        ({"answers": {"surface": "marzipan"}}, "answers_invalid"),
        ({"place": None}, "location_missing"),
        ({"photos": ("a", "b", "c", "d", "e", "f")}, "too_many_photos"),
    ],
)
def test_a_refusal_writes_nothing(city: City, details: dict[str, Any], code: str) -> None:
    report = city.report("graffiti", contact=Contact(name="Somebody"), **details)
    with pytest.raises(Refused) as refused:
        city.store.write(lambda s: open_request(s, report, city.zone, city.scheduling))
    assert refused.value.refusal.code == code
    assert [city.count(model) for model in WRITTEN] == [0] * len(WRITTEN)


def test_a_repeated_key_is_answered_by_the_first_request(city: City) -> None:
    def send(body_hash: str) -> StoredCommand:
        report = city.report("graffiti", key="k", body_hash=body_hash)
        return city.store.write(lambda s: open_request(s, report, city.zone, city.scheduling)).row

    first, second = send("one"), send("one")
    assert (second.id, second.request_id, second.answer) == (first.id, first.request_id, first.answer)
    with pytest.raises(KeyReused):
        send("another")
    assert city.count(RequestRow) == 1


def test_one_key_at_once_opens_one_request(city: City) -> None:
    def send() -> str:
        report = city.report("graffiti", key="k", body_hash="one")
        return city.store.write(lambda s: open_request(s, report, city.zone, city.scheduling)).row.request_id

    assert len(set(at_once([send] * 8))) == 1
    assert (city.count(RequestRow), city.count(CommandRow)) == (1, 1)
    assert_consistent(city.store)


def test_many_at_once_get_a_number_each(city: City) -> None:
    opened = at_once([lambda: city.open("graffiti")] * 20)
    assert sorted(opened) == [f"SR26-{n:08d}" for n in range(1, 21)]
    assert assert_consistent(city.store) == 20


def test_a_naive_instant_is_refused(city: City) -> None:
    city.publish(errand())
    with pytest.raises(ValueError, match="zone"):
        city.open(at=datetime(2026, 6, 1))  # noqa: DTZ001 - that is the mistake
    assert city.count(RequestRow) == 0
