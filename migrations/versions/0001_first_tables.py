"""First tables: people, chats, games with events and results, statistics, bans, webhooks, feed positions.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE players (
    id          bigint PRIMARY KEY,
    name        text NOT NULL,
    username    text,
    locale      text,
    blocked     boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN players.blocked IS 'has blocked the bot: no private message gets through';

CREATE TABLE chats (
    id           bigint PRIMARY KEY,
    type         text NOT NULL,
    title        text NOT NULL,
    locale       text,
    settings     jsonb NOT NULL DEFAULT '{}',
    active       boolean NOT NULL DEFAULT true,
    migrated_to  bigint,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN chats.active IS 'the bot is a member and may write';
COMMENT ON COLUMN chats.migrated_to IS 'the supergroup that this group has become';

CREATE TABLE games (
    id          text PRIMARY KEY,
    kind        text NOT NULL,
    chat_id     bigint NOT NULL,
    topic_id    bigint NOT NULL DEFAULT 0,
    title       text NOT NULL,
    host_id     bigint NOT NULL,
    status      text NOT NULL,
    rules       jsonb NOT NULL,
    summary     jsonb,
    players     integer NOT NULL DEFAULT 0 CHECK (players >= 0),
    prize_pool  numeric NOT NULL DEFAULT 0 CHECK (prize_pool >= 0),
    version     integer NOT NULL CHECK (version >= 0),
    opened_at   timestamptz NOT NULL,
    ended_at    timestamptz,
    CHECK ((ended_at IS NULL) = (status NOT IN ('completed', 'cancelled')))
) WITH (fillfactor = 80);
COMMENT ON COLUMN games.status IS 'the phase, by its public name';
COMMENT ON COLUMN games.version IS 'number of its events so far';
COMMENT ON COLUMN games.topic_id IS 'forum topic; 0 where the chat has none';

CREATE TABLE game_participants (
    game_id    text NOT NULL REFERENCES games ON DELETE CASCADE,
    player_id  bigint NOT NULL,
    name       text NOT NULL,
    joined_at  timestamptz NOT NULL,
    left_at    timestamptz,
    number     integer,
    points     integer NOT NULL DEFAULT 0,
    place      integer CHECK (place > 0),
    prize      numeric NOT NULL DEFAULT 0 CHECK (prize >= 0),
    CONSTRAINT idx_game_participants_game_player PRIMARY KEY (game_id, player_id)
);

CREATE TABLE game_events (
    game_id     text NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    name        text NOT NULL,
    at          timestamptz NOT NULL,
    command_id  text NOT NULL,
    data        jsonb NOT NULL,
    PRIMARY KEY (game_id, version)
);
COMMENT ON TABLE game_events IS 'kept for games.keep_events_days, whatever becomes of the row in games';

CREATE TABLE prizes (
    game_id     text NOT NULL REFERENCES games ON DELETE CASCADE,
    player_id   bigint NOT NULL,
    place       integer NOT NULL CHECK (place > 0),
    amount      numeric NOT NULL CHECK (amount >= 0),
    settled_at  timestamptz NOT NULL,
    PRIMARY KEY (game_id, player_id)
);
COMMENT ON TABLE prizes IS 'a row is written once and never changed';

CREATE TABLE player_stats (
    kind         text NOT NULL,
    chat_id      bigint NOT NULL,
    player_id    bigint NOT NULL,
    name         text NOT NULL,
    games        integer NOT NULL DEFAULT 0,
    wins         integer NOT NULL DEFAULT 0,
    prizes       numeric NOT NULL DEFAULT 0,
    points       bigint NOT NULL DEFAULT 0,
    best_streak  integer NOT NULL DEFAULT 0,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (player_id, chat_id, kind)
);
COMMENT ON TABLE player_stats IS 'completed games only; moved in the transaction that settles the prizes';
COMMENT ON COLUMN player_stats.kind IS 'empty: all kinds together';
COMMENT ON COLUMN player_stats.chat_id IS '0: in all chats together';
COMMENT ON COLUMN player_stats.wins IS 'places up to the number of winners in the rules, one where they name none';

CREATE TABLE bans (
    chat_id     bigint NOT NULL,
    player_id   bigint NOT NULL,
    by          bigint NOT NULL,
    reason      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    PRIMARY KEY (chat_id, player_id)
);
COMMENT ON COLUMN bans.chat_id IS '0: everywhere';

CREATE TABLE webhook_events (
    id               bigserial PRIMARY KEY,
    event_key        text NOT NULL UNIQUE,
    endpoint         text NOT NULL,
    payload          jsonb NOT NULL,
    status           text NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    delivered_at     timestamptz
);

CREATE TABLE feed_checkpoints (
    shard       text PRIMARY KEY,
    position    text NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE feed_checkpoints IS
    'how far the projector has read, for operators; its row is the lock under which a shard is written';
"""

INDEXES = """
-- Who is meant by @name.
CREATE INDEX idx_players_username ON players (lower(username)) WHERE username IS NOT NULL;
-- Recent games of a status: the operator's list, the pruning of ended ones.
CREATE INDEX idx_games_status_ended_at ON games (status, ended_at);
-- /history of a chat; its live games, which have not ended, come first in it.
CREATE INDEX idx_games_chat_ended ON games (chat_id, ended_at DESC);
-- History of all chats.
CREATE INDEX idx_games_ended ON games (ended_at DESC) WHERE ended_at IS NOT NULL;
-- Games to rebuild when Redis is lost, and the operator's live list. A new kind's phases are in it by themselves.
CREATE INDEX idx_active_games ON games (id, status) WHERE status NOT IN ('completed', 'cancelled');
-- /history and /stats of a player.
CREATE INDEX idx_game_participants_player ON game_participants (player_id, joined_at DESC);
-- Pruning by age.
CREATE INDEX idx_game_events_at ON game_events (at);
-- /leaderboard.
CREATE INDEX idx_player_stats_leaderboard
    ON player_stats (chat_id, kind, wins DESC, prizes DESC, points DESC, games, player_id);
-- What is due for delivery, oldest first; pruning of what is delivered.
CREATE INDEX idx_webhook_events_status_created ON webhook_events (status, created_at);
"""


def upgrade() -> None:
    """Create the first tables and their indexes."""
    for statement in (TABLES + INDEXES).split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the first tables."""
    op.execute(
        "DROP TABLE feed_checkpoints, webhook_events, bans, player_stats, prizes, game_events, game_participants,"
        " games, chats, players"
    )
