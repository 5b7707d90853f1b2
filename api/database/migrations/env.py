"""What Alembic runs for each command: on the connection that migrate.py hands over, in one transaction."""

from alembic import context

from api.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
