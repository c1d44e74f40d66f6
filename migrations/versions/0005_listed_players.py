"""Players who want to be seen in the list of all groups; nobody is unless they say so.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the column, and the index that finds those players."""
    op.execute("ALTER TABLE players ADD COLUMN listed boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN players.listed IS 'shown by name to people of other groups: the player asked for it'")
    op.execute("CREATE INDEX idx_players_listed ON players (id) WHERE listed")


def downgrade() -> None:
    """Drop both."""
    op.execute("ALTER TABLE players DROP COLUMN listed")
