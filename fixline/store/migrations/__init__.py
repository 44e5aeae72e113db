"""The history of the schema, as alembic revisions; `fixline.store.schema` runs them."""
