"""The games whose events the bridge to a broker has not published yet.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the table."""
    op.execute("""
        CREATE TABLE unpublished_events (
            game_id  text PRIMARY KEY,
            first    int NOT NULL,
            last     int NOT NULL,
            tries    int NOT NULL DEFAULT 0,
            since    timestamptz NOT NULL DEFAULT now(),
            due_at   timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        COMMENT ON TABLE unpublished_events IS
        'written by the projector if bridge.url is set; a row is deleted when the broker has its game''s events'
    """)
    # `last` is in no index, so that the projector's updates of it stay on their page.
    op.execute("CREATE INDEX idx_unpublished_events_due ON unpublished_events (due_at, game_id)")


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE unpublished_events")
