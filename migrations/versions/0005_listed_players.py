"""Players who agreed to be shown in the list of all groups. By default nobody is.

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
    """Drop the index and the column."""
    op.execute("ALTER TABLE players DROP COLUMN listed")
