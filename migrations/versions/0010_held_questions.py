"""The game for which a question is held, so that held questions of a game that was never opened can be released.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the game to the questions that a chat had, and an index to the jobs about a chat."""
    op.execute("ALTER TABLE asked_questions ADD COLUMN game_id text NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX idx_jobs_chat ON jobs (chat_id, id) WHERE chat_id IS NOT NULL")
    op.execute("COMMENT ON COLUMN asked_questions.game_id IS 'the game that holds it; empty: unknown'")


def downgrade() -> None:
    """Drop the game."""
    op.execute("ALTER TABLE asked_questions DROP COLUMN game_id")
    op.execute("DROP INDEX idx_jobs_chat")
