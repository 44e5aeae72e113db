"""Open requests near by: found over their index, nearest first; a report attached at its opening; on both databases."""

from __future__ import annotations

import math
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from fixline.domain.definition.model import Definition, Duplicates
from fixline.domain.process.decision import Refused
from fixline.messages import EffectInput
from fixline.service.opening import Preview, preview
from fixline.store.queries.duplicates import NEAREST, OLDEST, parameters
from fixline.store.store import Store
from fixline.store.tables import RequestRow
from tests.support.city import MORNING, City
from tests.support.consistency import assert_consistent
from tests.support.types import promised

HERE = (41.9, -87.7)
METRES_PER_DEGREE = math.radians(1) * 6_371_008.8


def hole(then: str = "attach", **rules: Any) -> Definition:
    """A type that looks for duplicates within 30 metres."""
    duplicates = {"within_m": 30, "opened_in_last": "30 calendar days", "then": then, **rules}
    return promised(
        "5 calendar days", type="hole", title="A hole", intake={"location": "optional", "duplicates": duplicates}
    )


def away(north: float = 0.0, east: float = 0.0) -> dict[str, float]:
    """A place so many metres from here."""
    latitude = HERE[0] + north / METRES_PER_DEGREE
    longitude = HERE[1] + east / METRES_PER_DEGREE / math.cos(math.radians(HERE[0]))
    return {"latitude": latitude, "longitude": longitude}


def possible(city: City, request_id: str) -> list[tuple[str, float]]:
    """What the report was answered with: ids and distances."""
    (command, *_) = city.commands(request_id)
    return [(each["id"], each["distance_m"]) for each in command.answer["possible_duplicates"]]


def deliver(city: City) -> None:
    """Whatever requests have to tell each other arrives."""
    ids = [row.id for row in city.store.read(lambda s: list(s.exec(select(RequestRow))))]
    under_way = True
    while under_way:
        under_way = False
        for request_id in ids:
            for effect in city.effects_of(request_id, "tell_request"):
                if effect.state != "done":
                    city.effects.tell(EffectInput(request_id, effect.id, city.now))
                    under_way = True


def test_the_nearest_come_first_and_what_is_farther_does_not(city: City) -> None:
    """By the distance on the sphere, in all directions; of equals the older one."""
    city.publish(hole("suggest"))
    far = city.open("hole", place=away(north=30.1))
    edge = city.open("hole", place=away(east=29.9))
    near = city.open("hole", place=away(north=-7, east=-7))
    twin = city.open("hole", place=away(north=-7, east=-7))
    city.open("hole", place=away(east=-31))
    found = possible(city, city.open("hole", place=away()))
    assert found == [(near, 9.9), (twin, 9.9), (edge, 29.9)]
    assert far not in dict(found)


def test_what_is_shown_is_what_the_public_may_know(city: City) -> None:
    """Id, distance, date, status, step and title."""
    city.publish(hole("suggest"))
    first = city.open("hole", place=away(), description="Call me at home.")
    (command, *_) = city.commands(city.open("hole", place=away()))
    assert command.answer["possible_duplicates"] == [
        {
            "id": first,
            "distance_m": 0.0,
            "opened_at": MORNING.isoformat(),
            "status": "open",
            "step": "work",
            "title": "A hole",
        }
    ]


def test_at_most_five(city: City) -> None:
    """The nearest ones."""
    city.publish(hole("suggest"))
    ids = [city.open("hole", place=away(north=number)) for number in range(20, 0, -2)]
    found = possible(city, city.open("hole", place=away()))
    assert [each for each, _ in found] == ids[:4:-1]


def test_others_are_no_duplicates(city: City) -> None:
    """Those of another type, closed, opened long ago, attached, or somewhere without a place."""
    city.publish(hole("suggest"), promised(intake={"location": "optional"}))
    city.open("promise", place=away())
    city.open("hole", place={"address": "1 Main Street"})
    city.open("hole", place=away(), opened_at=MORNING.replace(month=4))
    cancelled = city.open("hole", place=away())
    city.do(cancelled, "cancel", reason="x")
    attached = city.open("hole", place=away())
    original = {"id": "SR20-00000001", "opened_at": "2020-01-01T00:00:00Z"}
    city.do(attached, "attach", to=original, reason="x")
    assert possible(city, city.open("hole", place=away())) == []
    assert possible(city, city.open("hole", place={"address": "1 Main Street"})) == []


def test_a_report_is_attached_to_the_oldest(city: City) -> None:
    """Also where a younger one is nearer; with its first decision, and the original hears of it."""
    city.publish(hole())
    oldest = city.open("hole", place=away(north=25))
    city.later(minutes=1)
    younger = city.open("hole", place=away(north=-20))
    city.later(minutes=1)
    third = city.open("hole", place=away(north=2))
    assert [row.kind for row in city.journal(younger)][:2] == ["opened", "clock_started"], "45 metres from the oldest"
    assert possible(city, third) == [(younger, 22.0), (oldest, 23.0)]
    row = city.request(third)
    assert (row.attached_to, row.step, row.promised_at, row.next_at, row.decision) == (oldest, None, None, None, 1)
    (command, *_) = city.commands(third)
    assert command.body["attach_to"]["id"] == oldest
    assert not city.tasks(third)
    deliver(city)
    assert [entry.data["duplicate"] for entry in city.journal(oldest, "duplicate_attached")] == [third]
    assert_consistent(city.store)


def test_a_preview_says_so_and_writes_nothing(city: City) -> None:
    """What would happen, with what the report may repeat."""
    city.publish(hole())
    first = city.open("hole", place=away())
    report = city.report("hole", place=away(north=3))
    found = city.store.read(lambda s: preview(s, report, "SR99-00000000"))
    assert isinstance(found, Preview)
    assert found.decision.state.attached_to == first
    assert [each["id"] for each in found.alike.possible] == [first]
    assert city.count(RequestRow) == 1


def test_the_same_report_again_has_the_same_answer(city: City) -> None:
    """What was found is kept with the command."""
    city.publish(hole())
    first = city.open("hole", place=away())
    again = {"place": away(), "key": "k", "body_hash": "h"}
    second = city.open("hole", **again)
    city.do(first, "cancel", reason="x")
    assert city.open("hole", **again) == second
    assert possible(city, second) == [(first, 0.0)]


def test_duplicates_close_with_their_original(city: City) -> None:
    """Each once, and the rows say so."""
    city.publish(hole())
    first = city.open("hole", place=away())
    others = []
    for _ in range(3):
        city.later(minutes=1)
        others.append(city.open("hole", place=away()))
    deliver(city)
    city.do(first, "complete", task=city.task(first).id, outcome="done")
    deliver(city)
    for each in others:
        row = city.request(each)
        assert (row.status, row.outcome, row.attached_to) == ("closed", "duplicate", first)
        assert len(city.journal(each, "closed")) == 1
    assert_consistent(city.store)


def test_a_bad_report_has_used_up_no_number(city: City) -> None:
    """What is refused is refused before anything is written."""
    city.publish(hole())
    city.open("hole", place=away())
    report = city.report("hole", place=away(), answers={"nonsense": 1})
    with pytest.raises(Refused) as found:
        city.store.read(lambda s: preview(s, report, "SR99-00000000"))
    assert found.value.refusal.code == "answers_invalid"


@pytest.mark.parametrize("statement", [NEAREST, OLDEST], ids=["nearest", "oldest"])
def test_the_search_reads_no_more_than_its_index(store: Store, statement: Any) -> None:
    """No full scan, and not the index of all requests of the type either."""
    rules = Duplicates.model_validate({"within_m": 30, "opened_in_last": "30 calendar days"})
    wanted = parameters("hole", rules, *HERE, MORNING)

    def plan(session: Session) -> str:
        if not store.sqlite:
            _fill(session)
        bind = session.get_bind()
        compiled = statement.compile(dialect=bind.dialect)
        explain = "EXPLAIN QUERY PLAN " if store.sqlite else "EXPLAIN "
        processed = compiled.construct_params(wanted)
        for name, process in compiled._bind_processors.items():
            processed[name] = process(processed[name])
        values = tuple(processed[name] for name in compiled.positiontup) if compiled.positional else processed
        rows = session.connection().exec_driver_sql(explain + str(compiled), values).all()
        return "\n".join(str(row) for row in rows)

    found = store.write(plan)
    assert "ix_request_open_place" in found, found
    assert "SCAN request" not in found
    assert "Seq Scan" not in found


def _fill(session: Session) -> None:
    """A small table is read whole whatever its indexes; so it gets as many rows as a city has in a week."""
    session.execute(
        text(
            "INSERT INTO request (id, type, status, on_hold, channel, description, source_facts, opened_at,"
            " accepted_at, updated_at, decision, last_command, signalled, created_by, latitude, longitude)"
            " SELECT 'X' || n, CASE WHEN n % 2 = 0 THEN 'hole' ELSE 'other' END, 'open', false, 'api', '', '{}',"
            " now(), now(), now(), 1, 1, 1, 'x', 41.6 + (n % 400) * 0.001, -87.9 + (n / 400) * 0.01"
            " FROM generate_series(1, 20000) AS n"
        )
    )
    session.execute(text("ANALYZE request"))
