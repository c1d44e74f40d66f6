"""The game for which a question is held, so that held questions of a game that was never opened can be released.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the game to the questions that a chat had."""
    op.execute("ALTER TABLE asked_questions ADD COLUMN game_id text NOT NULL DEFAULT ''")
    op.execute("COMMENT ON COLUMN asked_questions.game_id IS 'the game that holds it; empty: unknown'")


def downgrade() -> None:
    """Drop the game."""
    op.execute("ALTER TABLE asked_questions DROP COLUMN game_id")
