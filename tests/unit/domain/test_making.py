"""The short ways of making records come to the same as pydantic's long ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from fixline.domain.commands import Place, Role
from fixline.domain.making import as_json, changed, made, reread
from fixline.domain.state import ClockState, Position

NOW = datetime(2026, 3, 8, 7, 59, 59, 123456, tzinfo=UTC)
POSITION = Position(step="inspect", visit=1, entered_at=NOW)
VALUES: dict[str, Any] = {
    "text": "T1",
    "count": 3,
    "share": 0.5,
    "none": None,
    "true": True,
    "role": Role.CREW,
    "clock": ClockState.RUNNING,
    "place": Place(latitude=41.9, longitude=-87.7),
    "nested": [{"at": NOW, "role": Role.ADMIN}],
    "span": timedelta(hours=4),
    "whole_second": NOW.replace(microsecond=0),
    "at": NOW,
    "elsewhere": datetime(2026, 7, 1, 8, tzinfo=ZoneInfo("America/Chicago")),
    "offset": datetime(2026, 7, 1, 8, tzinfo=timezone(timedelta(hours=2))),
    "read": TypeAdapter(datetime).validate_json('"2026-03-08T07:59:59Z"'),
    "naive": datetime(2026, 7, 1, 8),  # noqa: DTZ001 - a crew's form may hold one
}


@pytest.mark.parametrize("name", VALUES)
def test_values_as_json_are_those_of_pydantic(name: str) -> None:
    assert as_json({name: VALUES[name]}) == to_jsonable_python({name: VALUES[name]}, by_alias=True)
    assert type(as_json({name: VALUES[name]})[name]) is type(to_jsonable_python(VALUES[name]))


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_as_json_is_that_of_pydantic(at: datetime) -> None:
    assert as_json({"at": at}) == to_jsonable_python({"at": at})


def test_a_record_made_is_the_record_constructed() -> None:
    values = {"step": "inspect", "visit": 1, "entered_at": NOW, "waiting_as": None, "wait_until": NOW}
    short, long = made(Position, values), Position.model_validate(values)
    assert (short, short.model_fields_set, short.model_dump_json()) == (
        long,
        long.model_fields_set,
        long.model_dump_json(),
    )


def test_a_record_changed_is_the_copy_with_an_update() -> None:
    short, long = changed(POSITION, {"visit": 2}), POSITION.model_copy(update={"visit": 2})
    assert (short, short.model_fields_set) == (long, long.model_fields_set)
    assert POSITION.visit == 1


def test_changed_fields_are_read_and_others_passed_over() -> None:
    found = reread(POSITION, {"entered_at": "2026-03-09T00:00:00Z", "visit": 2, "for_readers": "x"})
    assert found == Position(step="inspect", visit=2, entered_at=datetime(2026, 3, 9, tzinfo=UTC))


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError):
        reread(POSITION, {"entered_at": "soon"})
