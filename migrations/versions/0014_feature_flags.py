"""The changes that operators made to feature flags.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table. It has a row for each flag that was changed, so it needs no pruning."""
    op.execute("""
        CREATE TABLE feature_flags (
            name text PRIMARY KEY,
            percent double precision NOT NULL CHECK (percent BETWEEN 0 AND 100),
            on_chats bigint[] NOT NULL,
            off_chats bigint[] NOT NULL,
            reason text NOT NULL,
            changed_at timestamptz NOT NULL
        )
    """)
    op.execute("COMMENT ON TABLE feature_flags IS 'changes by operators; play/flags.toml defines the flags'")


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE feature_flags")
