"""Alembic's entry point: run the migrations on the connection that `storage/migrate.py` passes."""

from alembic import context
from sqlalchemy import Connection

connection = context.config.attributes.get("connection")
if not isinstance(connection, Connection):
    raise SystemExit("Migrations are run by `python -m bot migrate`.")
context.configure(connection=connection)
context.run_migrations()
