"""Alembic's entry: the journal hands over its open connection, so there is nothing to configure."""

from __future__ import annotations

from alembic import context

from responder.edges.journal.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
