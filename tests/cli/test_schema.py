"""The migrations make what the models say, and a database that is behind is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import Session, SQLModel

from fixline.store.schema import SchemaWrong, check_schema, head, migrate
from fixline.store.store import Store


def test_migrated_schema_is_the_models(store: Store) -> None:
    def differences(session: Session) -> list[object]:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    migrate(store)
    assert store.read(differences) == []


def test_partial_indexes_hold_what_the_models_say(store: Store) -> None:
    def partial(session: Session) -> set[str]:
        found = (
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'"
            if store.sqlite
            else "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%WHERE%' AND schemaname = 'public'"
        )
        return set(session.execute(text(found)).scalars())

    wanted = {
        index.name
        for table in SQLModel.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert store.read(partial) == wanted
    assert len(wanted) >= 8


def test_migrating_again_changes_nothing(store: Store) -> None:
    assert migrate(store) == (head(), head())
    check_schema(store)


def test_an_empty_database_is_behind(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SchemaWrong, match="run `fixline migrate`"):
        check_schema(store)
    assert migrate(store) == (None, head())
    check_schema(store)
    store.close()


def test_a_later_release_is_named(sqlite_store: Store) -> None:
    sqlite_store.write(lambda s: s.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    for look in (check_schema, migrate):
        with pytest.raises(SchemaWrong, match="later release"):
            look(sqlite_store)
