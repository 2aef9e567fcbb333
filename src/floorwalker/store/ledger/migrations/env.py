"""Alembic's entry: runs the versions over a connection that the ledger hands in."""

from alembic import context

from floorwalker.store.ledger.tables import metadata

# Alembic fills this module's `context` only while it migrates; at any other import there is nothing to do.
if hasattr(context, "config"):
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
