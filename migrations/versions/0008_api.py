"""The HTTP API: its tokens, the key of their hashes, and the audit log; indexes for lists of games.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE api_tokens (
    prefix        text PRIMARY KEY,
    hash          bytea NOT NULL,
    role          text NOT NULL,
    chats         bigint[],
    name          text NOT NULL,
    owner_id      bigint NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);
COMMENT ON COLUMN api_tokens.hash IS 'HMAC-SHA-256 of the whole token: nobody can make the token from it';
COMMENT ON COLUMN api_tokens.chats IS 'the chats that the token is limited to; NULL: all';
CREATE INDEX idx_api_tokens_created ON api_tokens (created_at DESC, prefix DESC);
CREATE INDEX idx_api_tokens_chats ON api_tokens USING gin (chats) WHERE chats IS NOT NULL;
-- The key of the hashes, where none is configured: one row.
CREATE TABLE api_key (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    key  bytea NOT NULL
);
-- Lists of games, latest first: of a chat, of all chats.
CREATE INDEX idx_games_chat_opened ON games (chat_id, opened_at DESC, id DESC);
CREATE INDEX idx_games_opened ON games (opened_at DESC, id DESC);
"""


def upgrade() -> None:
    """Create the tables and the indexes."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables and the indexes."""
    op.execute("DROP TABLE api_tokens, api_key")
    op.execute("DROP INDEX idx_games_chat_opened, idx_games_opened")
