"""Recurring games of chats, and subscriptions of people to a private word when a game opens.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE recurring_games (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id           bigint NOT NULL,
    topic_id          bigint NOT NULL DEFAULT 0,
    template_id       bigint NOT NULL,
    unit              text NOT NULL CHECK (unit IN ('day', 'week', 'month')),
    every             integer NOT NULL,
    weekdays          integer NOT NULL DEFAULT 0,
    month_day         integer NOT NULL DEFAULT 0,
    minute            integer NOT NULL,
    starts_on         date NOT NULL,
    announce_minutes  integer NOT NULL DEFAULT 0,
    paused            text NOT NULL DEFAULT '',
    skip_on           date,
    zone              text NOT NULL,
    next_on           date NOT NULL,
    next_at           timestamptz NOT NULL,
    wake_at           timestamptz NOT NULL,
    announced_on      date,
    last_on           date,
    last_outcome      text NOT NULL DEFAULT '',
    opening           text NOT NULL DEFAULT '',
    host_id           bigint NOT NULL,
    host_name         text NOT NULL DEFAULT '',
    version           bigint NOT NULL DEFAULT 0,
    updated_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN recurring_games.template_id IS 'no foreign key: a row whose template is gone is paused';
COMMENT ON COLUMN recurring_games.weekdays IS 'bits, Monday the lowest';
COMMENT ON COLUMN recurring_games.minute IS 'local time in minutes since midnight';
COMMENT ON COLUMN recurring_games.paused IS 'the reason of a pause: host, template, not-a-host';
COMMENT ON COLUMN recurring_games.next_on IS 'local date of the next occurrence; next_at follows from it and zone';
COMMENT ON COLUMN recurring_games.wake_at IS 'time of the announcement, then of the occurrence';
COMMENT ON COLUMN recurring_games.opening IS 'id of the game of the next occurrence, once its opening has begun';
CREATE INDEX idx_recurring_games_chat ON recurring_games (chat_id, id);
CREATE INDEX idx_recurring_games_wake ON recurring_games (wake_at, id) WHERE paused = '';
CREATE TABLE game_subscriptions (
    chat_id     bigint NOT NULL,
    player_id   bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, player_id)
);
CREATE INDEX idx_game_subscriptions_player ON game_subscriptions (player_id, chat_id);
"""


def upgrade() -> None:
    """Create the tables."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE recurring_games, game_subscriptions")
