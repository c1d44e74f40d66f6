"""Indexes for the pruning of unseen players, left chats and expired bans.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"

INDEXES = """
-- Players that were not seen for years.
CREATE INDEX idx_players_updated ON players (updated_at, id);
-- Whether a player is banned anywhere, and so still known.
CREATE INDEX idx_bans_player ON bans (player_id);
-- Bans that have ended.
CREATE INDEX idx_bans_expires ON bans (expires_at) WHERE expires_at IS NOT NULL;
-- Chats that the bot has left.
CREATE INDEX idx_chats_left ON chats (updated_at) WHERE NOT active;
"""


def upgrade() -> None:
    """Create the indexes."""
    for statement in INDEXES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the indexes."""
    op.execute("DROP INDEX idx_players_updated, idx_bans_player, idx_bans_expires, idx_chats_left")
