"""Alembic's entry: runs the revisions on the connection that `fixline.store.schema` hands over.

There is no alembic.ini and no URL here.
"""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from fixline.store import tables  # noqa: F401 - importing it registers the tables


def run() -> None:
    """Run the wanted revisions inside the caller's transaction."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
