"""Prepared statements: the same values and the same transaction as SQLAlchemy's own, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from fixline.store.prepared import Prepared
from fixline.store.store import Store, StoreAway
from fixline.store.tables import ApiKeyRow, CounterRow, table_of
from tests.support.databases import Postgres

KEY = table_of(ApiKeyRow)
COUNTER = table_of(CounterRow)
INSERT_KEY = Prepared(insert(KEY))
READ_KEYS = Prepared(select(KEY).where(KEY.c.role == "crew").order_by(KEY.c.id))
COUNT = Prepared(update(COUNTER).where(COUNTER.c.name == bindparam("name_")))
READ_COUNT = Prepared(select(COUNTER.c.last).where(COUNTER.c.name == bindparam("name_")))
INSERT_COUNT = Prepared(insert(COUNTER))
MADE_AT = datetime(2026, 6, 1, 7, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))


def key(number: int, **changed: Any) -> dict[str, Any]:
    """The columns of an API key."""
    columns = {"id": f"k{number}", "name": f"n{number}", "role": "crew", "teams": ["Straße", "b"], "department": None}
    return {**columns, "hash": f"h{number}", "created_at": MADE_AT, "revoked_at": None, **changed}


def last(session: Session) -> Any:
    """What the counter says."""
    return READ_COUNT.first(session, {"name_": "n"})


def test_values_are_read_as_they_were_written(store: Store) -> None:
    store.write(lambda s: INSERT_KEY.run(s, [key(1), key(2, department="streets"), key(3, role="admin")]))
    store.write(lambda s: INSERT_KEY.run(s, [key(4)]))
    store.write(lambda s: INSERT_KEY.run(s, []))
    rows = store.read(lambda s: READ_KEYS.all(s, {}))
    by_objects = store.read(lambda s: [s.get_one(ApiKeyRow, name).model_dump() for name in ("k1", "k2", "k4")])
    assert [dict(zip(KEY.columns.keys(), row, strict=True)) for row in rows] == by_objects
    assert by_objects[0]["teams"] == ["Straße", "b"]
    assert (by_objects[0]["created_at"], by_objects[0]["created_at"].tzinfo) == (MADE_AT, UTC)


def test_no_row_is_none(store: Store) -> None:
    assert store.read(last) is None


def test_objects_and_prepared_statements_share_a_transaction(store: Store) -> None:
    def both(session: Session) -> Any:
        session.add(CounterRow(name="n", last=1))
        session.flush()
        COUNT.run(session, {"name_": "n", "last": 2})
        return session.get_one(CounterRow, "n", populate_existing=True).last

    assert store.write(both) == 2
    assert store.read(last) == (2,)


def test_an_object_that_is_only_added_is_written(store: Store) -> None:
    store.write(lambda s: s.add(CounterRow(name="n", last=3)))
    assert store.read(last) == (3,)


def test_an_error_undoes_prepared_statements_and_objects(store: Store) -> None:
    store.write(lambda s: INSERT_COUNT.run(s, {"name": "n", "last": 1}))

    def fails(session: Session) -> None:
        COUNT.run(session, {"name_": "n", "last": 2})
        session.add(CounterRow(name="m", last=1))
        session.flush()
        raise KeyError("a mistake")

    with pytest.raises(KeyError):
        store.write(fails)
    assert store.read(last) == (1,)
    assert store.read(lambda s: READ_COUNT.first(s, {"name_": "m"})) is None


def test_a_key_that_stays_taken_is_the_error_that_callers_know(store: Store) -> None:
    store.write(lambda s: INSERT_COUNT.run(s, {"name": "n", "last": 1}))
    with pytest.raises(IntegrityError):
        store.write(lambda s: INSERT_COUNT.run(s, {"name": "n", "last": 7}))
    assert store.read(last) == (1,)


def test_a_session_of_another_making_will_do(store: Store) -> None:
    with Session(store.engine) as session, session.begin():
        INSERT_COUNT.run(session, {"name": "n", "last": 5})
    assert store.read(last) == (5,)


@pytest.mark.postgres
def test_a_connection_that_breaks_is_an_absence_and_leaves_the_pool(postgres: Postgres, postgres_store: Store) -> None:
    postgres_store.write(lambda s: INSERT_COUNT.run(s, {"name": "n", "last": 1}))

    def breaks(session: Session) -> None:
        COUNT.run(session, {"name_": "n", "last": 2})
        postgres.stop()
        COUNT.run(session, {"name_": "n", "last": 3})

    try:
        with pytest.raises(StoreAway):
            postgres_store.write(breaks)
    finally:
        postgres.start()
    assert postgres_store.read(last) == (1,)
