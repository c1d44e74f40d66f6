"""Seeds that are fixed in advance, and the public log of draws.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
-- The seeds of a chat: all follow from `secret`, their hashes are the leaves of a tree with this root.
CREATE TABLE draw_seeds (
    chat_id bigint PRIMARY KEY,
    root text NOT NULL,
    secret bytea NOT NULL,
    size integer NOT NULL,
    taken integer NOT NULL DEFAULT 0
);
-- What is to be appended to the public log, in this order.
CREATE TABLE log_pending (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    game_id text NOT NULL,
    event text NOT NULL,
    data bytea
);
CREATE UNIQUE INDEX idx_log_pending_game ON log_pending (game_id, event) WHERE game_id <> '';
-- The log. Rows are only ever added.
CREATE TABLE log_leaves (
    index bigint PRIMARY KEY,
    game_id text NOT NULL,
    type text NOT NULL,
    data bytea NOT NULL,
    appended_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_log_leaves_game ON log_leaves (game_id, type) WHERE game_id <> '';
-- Hashes of complete subtrees: level 0 holds those of the leaves.
CREATE TABLE log_nodes (
    level smallint NOT NULL,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (level, position)
);
-- Keys of the hashes in a game's leaves. Without its key a leaf names nobody any more.
CREATE TABLE log_salts (
    game_id text PRIMARY KEY,
    salt bytea NOT NULL
);
-- Signed tree heads, as published.
CREATE TABLE log_heads (
    size bigint NOT NULL,
    at bigint NOT NULL,
    root bytea NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (size, at)
);
CREATE INDEX idx_log_heads_at ON log_heads (at);
-- The key that signs them: one row.
CREATE TABLE log_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seed bytea NOT NULL
);
"""


def upgrade() -> None:
    """Create the tables of seeds and of the log."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables of seeds and of the log."""
    op.execute("DROP TABLE draw_seeds, log_pending, log_leaves, log_nodes, log_salts, log_heads, log_key")
