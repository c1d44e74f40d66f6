"""The chats of a broadcast, each with its state.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"

TABLES = """
CREATE TABLE broadcast_chats (
    job_id      bigint NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    chat_id     bigint NOT NULL,
    state       text NOT NULL DEFAULT 'waiting',
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, chat_id)
);
COMMENT ON TABLE broadcast_chats IS 'pruned with the job of the broadcast';
COMMENT ON COLUMN broadcast_chats.chat_id IS 'the id when the broadcast began; the outbox forwards to supergroups';
CREATE INDEX idx_broadcast_chats_open ON broadcast_chats (job_id, state, chat_id)
    WHERE state IN ('waiting', 'queuing', 'queued', 'leaving');
CREATE INDEX idx_broadcast_chats_chat ON broadcast_chats (chat_id);
"""


def upgrade() -> None:
    """Create the table."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE broadcast_chats")
