"""A database as an earlier release left it.

Owns the way back through the migrations; the way forward is the product's own.
"""

from __future__ import annotations

from alembic import command
from sqlmodel import Session

from fixline.store.schema import _config, migrate
from fixline.store.store import Store


def through(store: Store, revision: str) -> None:
    """Take the schema down to that revision, and up to this release's again."""

    def back(session: Session) -> None:
        config = _config()
        config.attributes["connection"] = session.connection()
        command.downgrade(config, revision)

    store.write(back)
    migrate(store)
