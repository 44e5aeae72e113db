"""The schema's version: bring a database up to this release, or say that it is behind.

Users need no alembic.ini. Several processes may migrate at once: one does, the others find it done.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import Session

from fixline.errors import FixlineError
from fixline.store.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x0F1C_511E
"""PostgreSQL's advisory lock of whoever migrates; SQLite has one writer anyway."""


class SchemaWrong(FixlineError):
    """The database's schema is not this release's; the text says what to do."""


def migrate(store: Store) -> tuple[str | None, str]:
    """Bring the schema up to this release in one transaction; the revision before and after.

    Raises SchemaWrong when the database belongs to a later release, StoreAway.
    """

    def upgrade(session: Session) -> tuple[str | None, str]:
        connection = session.connection()
        if not store.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _revision(connection)
        _check_known(before)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, head()

    return store.write(upgrade)


def check_schema(store: Store) -> None:
    """Raise SchemaWrong unless the database has exactly this release's schema; StoreAway when it is away."""
    revision = store.read(lambda session: _revision(session.connection()))
    if revision == head():
        return
    _check_known(revision)
    found = f"is at revision {revision}" if revision else "is empty"
    raise SchemaWrong(f"the database {found}, this release needs {head()}: run `fixline migrate`")


def head() -> str:
    """The revision of this release."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None  # noqa: S101 - the revisions travel with the package
    return found


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaWrong(
            f"the database is at revision {revision}, which this release does not know: it belongs to a later release"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
