"""Figures by week, month and quarter, achievements, podiums of seasons, and erasures of personal data.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"

TABLES = """
CREATE TABLE player_periods (
    chat_id    bigint NOT NULL,
    period     text NOT NULL,
    player_id  bigint NOT NULL,
    kind       text NOT NULL,
    games      integer NOT NULL DEFAULT 0,
    wins       integer NOT NULL DEFAULT 0,
    prizes     numeric NOT NULL DEFAULT 0,
    points     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (chat_id, period, player_id, kind)
);
COMMENT ON TABLE player_periods IS 'completed games by the period, in UTC, in which they ended';
COMMENT ON COLUMN player_periods.period IS '2026-W48 (ISO 8601), 2026-11 or 2026-Q4';
COMMENT ON COLUMN player_periods.prizes IS 'amounts without a currency';
-- A player's weeks; the list of all chats.
CREATE INDEX idx_player_periods_player ON player_periods (player_id, period);
-- The chats that played in a season; pruning.
CREATE INDEX idx_player_periods_period ON player_periods (period, chat_id);
CREATE TABLE player_achievements (
    player_id    bigint NOT NULL,
    chat_id      bigint NOT NULL,
    achievement  text NOT NULL,
    game_id      text NOT NULL,
    earned_at    timestamptz NOT NULL,
    told_in      text NOT NULL DEFAULT '',
    PRIMARY KEY (player_id, chat_id, achievement)
);
COMMENT ON COLUMN player_achievements.game_id IS 'the game that completed it';
COMMENT ON COLUMN player_achievements.told_in IS 'the game whose result announced it; empty: not announced';
-- The achievements that a result may announce; the move of a chat.
CREATE INDEX idx_player_achievements_chat ON player_achievements (chat_id, earned_at);
CREATE TABLE season_podiums (
    chat_id  bigint NOT NULL,
    season   text NOT NULL,
    place    integer NOT NULL CHECK (place > 0),
    player_id bigint NOT NULL,
    name     text NOT NULL,
    games    integer NOT NULL,
    wins     integer NOT NULL,
    points   bigint NOT NULL,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (chat_id, season, place)
);
-- Export and erasure of a player.
CREATE INDEX idx_season_podiums_player ON season_podiums (player_id);
CREATE TABLE erasures (
    player_id  bigint PRIMARY KEY,
    alias      bigint NOT NULL,
    erased_at  timestamptz NOT NULL
);
COMMENT ON TABLE erasures IS 'events from before an erasure that come late are stored under the alias; pruned by age';
CREATE INDEX idx_erasures_at ON erasures (erased_at);
-- The games that a person hosted; the jobs that a person asked for.
CREATE INDEX idx_games_host ON games (host_id);
CREATE INDEX idx_jobs_asked_by ON jobs (asked_by) WHERE asked_by <> 0;
"""
FILL = """
INSERT INTO player_periods (chat_id, period, player_id, kind, games, wins, prizes, points)
SELECT g.chat_id, p.name, s.player_id, g.kind, count(*),
    count(*) FILTER (WHERE s.place <= COALESCE((g.rules->>'winners')::int, 1)),
    sum(CASE WHEN s.currency = '' THEN s.prize ELSE 0 END), sum(s.points)
FROM games g
JOIN game_events e ON e.game_id = g.id AND e.version = g.version AND e.name = 'game_completed'
CROSS JOIN LATERAL (
    SELECT (i->>'player_id')::bigint AS player_id, (i->>'place')::int AS place,
        COALESCE((i->>'prize')::numeric, 0) AS prize, COALESCE((i->>'points')::bigint, 0) AS points,
        COALESCE(i->>'currency', '') AS currency
    FROM jsonb_array_elements(e.data->'standings') AS i
) AS s
CROSS JOIN LATERAL (VALUES
    (to_char(g.ended_at AT TIME ZONE 'UTC', 'IYYY-"W"IW')), (to_char(g.ended_at AT TIME ZONE 'UTC', 'YYYY-MM')),
    (to_char(g.ended_at AT TIME ZONE 'UTC', 'YYYY-"Q"Q'))
) AS p(name)
WHERE g.ended_at > now() - interval '100 days' AND g.status = 'completed'
GROUP BY 1, 2, 3, 4
"""
"""The statement that counts the games of the last season, which ended before the table existed."""


def upgrade() -> None:
    """Create the tables, and count the games of the last season."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(FILL.replace(":", "\\:"))


def downgrade() -> None:
    """Drop the tables and indexes."""
    op.execute("DROP TABLE player_periods, player_achievements, season_podiums, erasures")
    op.execute("DROP INDEX idx_games_host, idx_jobs_asked_by")
