"""Prizes with a currency or in words, and the templates of chats.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = """
ALTER TABLE prizes ADD COLUMN currency text NOT NULL DEFAULT '', ADD COLUMN award text NOT NULL DEFAULT '';
COMMENT ON COLUMN prizes.award IS 'the prize in words; its amount is then 0';
COMMENT ON COLUMN player_stats.prizes IS 'amounts without a currency; player_prizes has the others';
-- Totals of amounts, by currency. Chat and kind as in player_stats.
CREATE TABLE player_prizes (
    player_id bigint NOT NULL,
    chat_id bigint NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (player_id, chat_id, kind, currency)
);
CREATE INDEX idx_player_prizes_chat ON player_prizes (chat_id);
-- Settings of a game under a name, which the hosts of a chat have saved.
CREATE TABLE chat_templates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    title text NOT NULL DEFAULT '',
    settings jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_chat_templates_name ON chat_templates (chat_id, lower(name));
"""


def upgrade() -> None:
    """Create the tables and columns."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE player_prizes, chat_templates")
    op.execute("ALTER TABLE prizes DROP COLUMN currency, DROP COLUMN award")
    op.execute("COMMENT ON COLUMN player_stats.prizes IS NULL")
