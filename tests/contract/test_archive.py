"""The archive: finished games are found again, in pages, and every query uses an index."""

import ast
import asyncio
import importlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

import storage
from fsm import merkle
from fsm.achievements import PlayedGame
from fsm.kind import ChatTopic, Host
from fsm.lobby import Standing
from fsm.question import Question
from fsm.registry import KINDS
from fsm.schedule import Schedule
from storage import migrate
from storage.achievements import Achievements, Ended, note_achievements
from storage.api_tokens import ApiTokens
from storage.archive import Archive
from storage.audit import Audit, AuditEntry
from storage.broadcast_chats import BroadcastChats
from storage.codec import Codec
from storage.connections import Pool, postgres_pool
from storage.event_recovery import replay
from storage.feed import Entry
from storage.figures import Figures
from storage.flags import Change, FlagSettings, Setting
from storage.jobs import Jobs, NewJob, wake
from storage.people import People
from storage.public_log import PublicLog
from storage.questions import Questions
from storage.rebuild import bring_forward, forgotten, games_in, put_back, rebuild, restore_missing
from storage.recurring import RecurringGame, RecurringGames
from storage.retention import BATCH, GAMES, prune
from storage.seeds import Seeds
from storage.subscriptions import Subscriptions
from storage.templates import Templates
from storage.unpublished import Unpublished
from storage.wallets import Wallets
from storage.webhooks import _OTHERWISE, _RESEAL, Attempt, WebhookMessage, Webhooks, publish
from tests.contract.played import HOST, House
from tests.support.clock import TurnedClock

DAY_MS = 86_400_000


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


@pytest.fixture
def archive(pool: Pool) -> Archive:
    return Archive(pool, Codec(KINDS))


async def test_figures_of_a_player(house: House, archive: Archive) -> None:
    for chat in (-1, -2):
        await house.play((1, 2), chat_id=chat)
    await house.project()
    found = [await archive.player_stats(player) for player in (1, 2)]
    assert [(each.kind, each.games) for stats in found for each in stats] == [("pick_number", 2)] * 2
    assert sum(each.wins for stats in found for each in stats) == 2
    assert sum(each.prizes for stats in found for each in stats) == Decimal(20)
    assert await archive.player_stats(3) == []


async def test_the_best_come_first_and_pages_go_on_counting(house: House, archive: Archive) -> None:
    for chat in (-1, -1, -1, -2):
        await house.play((1, 2, 3), chat_id=chat)
    await house.project()
    for chat_id, kind, games in ((-1, None, 3), (-2, "pick_number", 1), (0, None, 4)):
        rows = await archive.leaderboard(chat_id, kind, 10)
        assert [row.place for row in rows] == [1, 2, 3]
        assert [row.wins for row in rows] == sorted((row.wins for row in rows), reverse=True)
        assert {row.games for row in rows} == {games}
        assert sum(row.wins for row in rows) == games
        assert await archive.leaderboard(chat_id, kind, 2, 1) == rows[1:]
    assert await archive.leaderboard(0, "quiz", 10) == []


async def test_history_of_a_chat_of_a_player_and_of_all(house: House, archive: Archive) -> None:
    first = await house.play((1, 2), chat_id=-1)
    house.clock.at += 1
    second = await house.play((2, 3), chat_id=-1)
    house.clock.at += 1
    elsewhere = await house.play((1, 2), chat_id=-2)
    house.clock.at += 1
    cancelled = await house.begin((2, 3), chat_id=-1)
    await house.cancel(cancelled)
    live = await house.begin((1, 2, 3), chat_id=-1)
    await house.project()

    async def ids(chat: int | None, player: int | None, limit: int = 10, offset: int = 0) -> list[str]:
        return [game.id for game in await archive.history(chat, player, limit, offset)]

    assert await ids(-1, None) == [cancelled, second, first]
    assert await ids(-1, None, 1, 1) == [second]
    assert await ids(None, 1) == [elsewhere, first]
    assert await ids(-1, 1) == [first]
    assert await ids(None, None) == [cancelled, elsewhere, second, first]
    game = (await archive.history(-2, None, 1))[0]
    assert (game.kind, game.title, game.chat_id, game.status, game.players) == (
        "pick_number", "<b> & Söhne", -2, "completed", 2
    )  # fmt: skip
    assert [(winner.place, winner.prize) for winner in game.winners] == [(1, Decimal("10.00"))]
    assert game.ended_at == house_ended(await house.engine.look(elsewhere))
    assert (await archive.history(-1, None, 1))[0].winners == []
    assert live not in await ids(None, None)


def house_ended(outcome: Any) -> int:
    ended: int = outcome.state.ended_at
    return ended


async def test_live_games_of_a_chat_and_of_all(house: House, archive: Archive) -> None:
    await house.play()
    games = [await house.begin((n, 50), chat_id=-n) for n in (1, 2, 3)]
    await house.project()
    assert [game.id for game in await archive.live_games(-2, 10)] == [games[1]]
    assert [game.id for game in await archive.live_games(None, 10)] == sorted(games)
    assert [game.id for game in await archive.live_games(None, 1, 1)] == sorted(games)[1:2]
    game = await archive.game(games[0])
    assert game is not None
    assert (game.host_id, game.status, game.players, game.ended_at) == (HOST.id, "number_selection", 2, None)
    assert sorted(await archive.live_game_of_player(50)) == sorted(games)
    assert await archive.live_game_of_player(1) == [games[0]]
    assert await archive.game("00" + "z" * 12) is None


async def test_the_timeline_has_every_event_in_pages(house: House, archive: Archive) -> None:
    game_id = await house.play()
    await house.project()
    game = await archive.game(game_id)
    assert game is not None
    rows = await archive.timeline(game_id, 1000)
    assert [row.version for row in rows] == list(range(1, game.version + 1))
    assert (rows[0].name, rows[-1].name) == ("game_opened", "game_completed")
    assert await archive.timeline(game_id, 3, 2) == rows[2:5]


async def test_a_game_that_is_not_over_or_not_whole_is_not_finished(house: House, archive: Archive, pool: Pool) -> None:
    live, over = await house.begin(chat_id=-1), await house.play(chat_id=-2)
    await house.project()
    assert await archive.finished(live) is None
    assert await archive.finished("00" + "z" * 12) is None
    assert await archive.finished(over) is not None
    await pool.execute("DELETE FROM game_events WHERE game_id = $1 AND version = 3", over)
    assert await archive.finished(over) is None


async def test_old_events_are_pruned_and_results_stay(house: House, archive: Archive, pool: Pool) -> None:
    house.clock.at -= 400 * DAY_MS
    old, live = await house.play(chat_id=-1), await house.begin(chat_id=-2)
    house.clock.at += 400 * DAY_MS
    recent = await house.play(chat_id=-3)
    await house.project()
    await Webhooks(pool).add("a", -1, "https://a.example", (), "", b"", 0)
    await pool.execute(
        "INSERT INTO webhook_messages (id, type, chat_id, payload, created_at)"
        " SELECT n::text, 'game.opened', -1, '', now() - n * interval '1 day' FROM generate_series(0, 99) n"
    )
    await pool.execute(
        "INSERT INTO webhook_deliveries (endpoint_id, message_id, created_at)"
        " SELECT 'a', id, created_at FROM webhook_messages"
    )
    await pool.execute(
        "INSERT INTO bans (chat_id, player_id, by, expires_at) VALUES (-1, 1, 9, now() - interval '40 days'),"
        " (-1, 2, 9, NULL), (-1, 3, 9, now() - interval '1 day')"
    )
    events = len(await archive.timeline(old, 1000))
    pruned = await prune(pool, house.clock.at, keep_events_days=365, keep_results_days=1095)
    assert (pruned.events, pruned.bans) == (events, 1)
    assert 69 <= pruned.webhook_deliveries == pruned.webhook_messages <= 70
    assert await archive.timeline(old, 10) == []
    assert await archive.timeline(live, 10)
    assert await archive.finished(recent) is not None
    assert [game.id for game in await archive.history(-1, None, 10)] == [old]
    assert await archive.player_stats(1)
    assert (await prune(pool, house.clock.at, keep_events_days=365, keep_results_days=1095)).events == 0


async def everything(pool: Pool) -> dict[str, set[str]]:
    """Return all rows by table."""
    tables = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    return {name: {row[0] for row in await pool.fetch(f"SELECT t::text FROM {name} t")} for (name,) in tables}


async def test_results_go_when_they_are_old_and_nothing_else_goes(house: House, archive: Archive, pool: Pool) -> None:
    house.clock.at -= 1100 * DAY_MS
    live = await house.begin((3, 4), chat_id=-2)
    old, cancelled = await house.play((1, 2), chat_id=-1), await house.begin((1, 2), chat_id=-3)
    await house.cancel(cancelled)
    house.clock.at += 1100 * DAY_MS
    recent = await house.play((5, 6), chat_id=-1)
    await house.project()
    before = await everything(pool)
    pruned = await prune(pool, house.clock.at, keep_events_days=365, keep_results_days=1095)
    assert (pruned.games, pruned.chats, pruned.players) == (2, 0, 0)
    after = await everything(pool)
    for table, rows in before.items():
        of_games = table in {"games", "game_participants", "prizes", "game_events"}
        gone = {row for row in rows if of_games and (old in row or cancelled in row)}
        assert bool(gone) is of_games
        if table == "player_periods":  # those of the years before the last one go
            gone = {row for row in rows if row.split(",")[1] < str(datetime.now(UTC).year - 1)}
            assert gone
        assert after[table] == rows - gone
    assert [game.id for game in await archive.history(None, None, 10)] == [recent]
    assert [game.id for game in await archive.live_games(None, 10)] == [live]
    assert [(each.kind, each.games) for each in await archive.player_stats(1)] == [("pick_number", 1)]
    assert {row.player_id for row in await archive.leaderboard(-1, None, 10)} == {1, 2, 5, 6}


OLD_GAMES = """
INSERT INTO games (id, kind, chat_id, title, host_id, status, rules, version, opened_at, ended_at)
SELECT '00' || lpad(n::text, 12, '0'), 'quiz', -1, 'Game', 9, 'completed', '{}', 3, now() - interval '5 years',
    now() - interval '4 years' FROM generate_series(1, 250) n;
INSERT INTO game_participants (game_id, player_id, name, joined_at)
SELECT '00' || lpad('7', 12, '0'), n, 'Player', now() FROM generate_series(1, 3500) n;
INSERT INTO prizes SELECT game_id, player_id, 1, 1, now() FROM game_participants;
"""
COUNT_DELETED = """
CREATE TABLE deleted (name text, rows int);
CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO deleted SELECT TG_TABLE_NAME, count(*) FROM gone; RETURN NULL; END $$;
"""


async def test_no_statement_deletes_more_than_a_batch_however_large_a_game_was(
    empty_database: str, house: House
) -> None:
    await migrate.upgrade(empty_database)
    async with postgres_pool(empty_database) as pool:
        await pool.execute(OLD_GAMES + COUNT_DELETED)
        for table in ("games", "game_participants", "prizes"):
            await pool.execute(
                f"CREATE TRIGGER counted AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone"
                " FOR EACH STATEMENT EXECUTE FUNCTION count_deleted()"
            )
        assert (await prune(pool, house.clock.at, keep_events_days=365, keep_results_days=1095)).games == 250
        rows = await pool.fetch("SELECT name, max(rows), sum(rows) FROM deleted GROUP BY name ORDER BY name")
    assert [tuple(row) for row in rows] == [
        ("game_participants", BATCH, 3500),
        ("games", GAMES, 250),
        ("prizes", BATCH, 3500),
    ]


async def test_several_that_prune_at_once_delete_each_game_once(house: House, pool: Pool) -> None:
    await pool.execute(OLD_GAMES)
    pruned = await asyncio.gather(
        *(prune(pool, house.clock.at, keep_events_days=365, keep_results_days=1095) for _ in range(3))
    )
    assert sum(each.games for each in pruned) == 250
    for table in ("games", "game_participants", "prizes"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_people_and_chats_of_the_past_are_forgotten_unless_something_of_them_is_kept(
    house: House, pool: Pool, redis: Redis
) -> None:
    await pool.execute(
        "INSERT INTO players (id, name, updated_at) SELECT n, 'Player', now() - interval '4 years'"
        " FROM generate_series(1, 2500) n"
    )
    await pool.execute("UPDATE players SET updated_at = now() - interval '2 years' WHERE id = 1")
    game = await house.begin((2, 10))
    await house.project()
    await pool.execute("INSERT INTO player_stats (player_id, chat_id, kind, name) VALUES (3, -1, '', 'Player')")
    await pool.execute("INSERT INTO bans (chat_id, player_id, by) VALUES (-1, 4, 9)")
    await Wallets(pool, redis).put(5, "0x" + "1" * 40, 1)
    await Questions(pool).add_pack(6, "Mine", "en", [])
    people = People(pool, redis)
    people.saw_player(7, "Player", None)
    await people.flush()
    await pool.execute(
        "INSERT INTO chats (id, type, title, active, updated_at) VALUES"
        " (-1, 'group', 'Here', true, now() - interval '4 years'),"
        " (-2, 'group', 'Left', false, now() - interval '2 years'),"
        " (-3, 'group', 'Gone', false, now() - interval '4 years')"
    )
    await pool.execute("INSERT INTO chat_templates (chat_id, name, kind) VALUES (-2, 'x', 'quiz'), (-3, 'x', 'quiz')")
    pruned = await prune(pool, house.clock.at, keep_events_days=365, keep_results_days=1095)
    assert await pool.fetchval("SELECT array_agg(chat_id) FROM chat_templates") == [-2]
    assert (pruned.chats, pruned.players) == (1, 2500 - 8)
    assert {row[0] for row in await pool.fetch("SELECT id FROM players")} == {1, 2, 3, 4, 5, 6, 7, 10}
    assert {row[0] for row in await pool.fetch("SELECT id FROM chats")} == {-1, -2}
    assert (await house.engine.look(game)).state.phase == "number_selection"


# -- indexes --------------------------------------------------------------------------------------------------------

FILL = """
INSERT INTO games (id, kind, chat_id, title, host_id, status, rules, players, version, opened_at, ended_at, summary)
SELECT lpad((n % 8)::text, 2, '0') || lpad(n::text, 12, '0'), 'pick_number', -(n % 500) - 1, 'Game', 9,
    CASE WHEN n % 200 = 0 THEN 'drawing' WHEN n % 10 = 1 THEN 'cancelled' ELSE 'completed' END, '{"winners": 1}', 2, 3,
    now() - n * interval '10 minutes', CASE WHEN n % 200 = 0 THEN NULL ELSE now() - n * interval '9 minutes' END, '{}'
FROM generate_series(1, 20000) n;
INSERT INTO game_participants (game_id, player_id, name, joined_at, place)
SELECT id, (hashtext(id) % 3000 + 3000) * 3 + n, 'Player', opened_at, n FROM games, generate_series(1, 2) n;
INSERT INTO game_events (game_id, version, name, at, command_id, data)
SELECT id, n, 'player_left', opened_at, 'tg:1', '{}' FROM games, generate_series(1, 3) n;
INSERT INTO player_stats (player_id, chat_id, kind, name, games, wins)
SELECT p.player_id, c.id, k.name, 'Player', count(*), count(*) % 7 FROM game_participants p
JOIN games g ON g.id = p.game_id, LATERAL (VALUES (0::bigint), (g.chat_id)) c(id),
    (VALUES (''), ('pick_number')) k(name)
GROUP BY 1, 2, 3;
INSERT INTO prizes SELECT game_id, player_id, 1, 1, joined_at FROM game_participants WHERE place = 1;
INSERT INTO players (id, name, username)
SELECT DISTINCT player_id, 'Player', 'user' || player_id FROM game_participants;
INSERT INTO players (id, name, updated_at)
SELECT -n, 'Player', now() - n * interval '1 day' FROM generate_series(1, 5000) n;
INSERT INTO chats (id, type, title) SELECT -n, 'group', 'Chat' FROM generate_series(1, 5000) n;
INSERT INTO chats (id, type, title, active, updated_at)
SELECT -n, 'group', 'Chat', false, now() - n * interval '1 hour' FROM generate_series(5001, 10000) n;
INSERT INTO webhook_endpoints (id, chat_id, url, secret)
SELECT 'ep' || n, -n, 'https://a.example', '' FROM generate_series(1, 2000) n;
INSERT INTO webhook_sources (id, chat_id, secret) SELECT 'in' || n, -n, '' FROM generate_series(1, 2000) n;
INSERT INTO webhook_messages (id, type, chat_id, payload, created_at)
SELECT id, 'game.opened', chat_id, '', opened_at FROM games;
INSERT INTO webhook_deliveries (endpoint_id, message_id, status, created_at)
SELECT 'ep' || -chat_id, id, CASE WHEN chat_id % 50 = 0 THEN 'pending' ELSE 'delivered' END, opened_at FROM games;
INSERT INTO webhook_attempts (delivery_id, status, ms) SELECT id, 200, 1 FROM webhook_deliveries;
INSERT INTO jobs (kind, key, chat_id, status, updated_at)
SELECT 'old', n::text, -(n % 500), CASE WHEN n % 100 = 0 THEN 'dead' ELSE 'done' END, now() - n * interval '1 minute'
FROM generate_series(1, 20000) n;
INSERT INTO broadcast_chats (job_id, chat_id, state)
SELECT 1 + n % 200, -n, CASE WHEN n % 50 = 0 THEN 'queued' ELSE 'sent' END FROM generate_series(1, 20000) n;
INSERT INTO audit_log (at, face, actor_id, token, action, chat_id, target, origin, outcome)
SELECT now() - n * interval '1 hour', 'api', n % 500, 'token' || n % 500, 'ban', -(n % 500), n % 500, '', 'done'
FROM generate_series(1, 20000) n;
INSERT INTO api_tokens (prefix, hash, role, chats, name, owner_id, created_at, expires_at)
SELECT 'token' || n, '', 'viewer', CASE WHEN n % 5 = 0 THEN ARRAY[-n] END, '', 0, now() - n * interval '1 minute',
    CASE WHEN n % 2 = 0 THEN now() - n * interval '1 day' END FROM generate_series(1, 5000) n;
INSERT INTO bans (chat_id, player_id, by, expires_at)
SELECT -(n % 500), n, 9, CASE WHEN n % 2 = 0 THEN now() - n * interval '1 hour' END FROM generate_series(1, 5000) n;
INSERT INTO wallets SELECT n, '0x' || lpad(n::text, 40, '0'), now() FROM generate_series(1, 5000) n;
INSERT INTO player_prizes SELECT player_id, chat_id, kind, 'EUR', 10 FROM player_stats;
INSERT INTO player_periods (chat_id, period, player_id, kind, games)
SELECT chat_id, '2026-Q' || q, player_id, kind, games FROM player_stats, generate_series(1, 4) q WHERE kind <> '';
INSERT INTO player_achievements (player_id, chat_id, achievement, game_id, earned_at)
SELECT player_id, chat_id, 'first-win', '', now() FROM player_stats WHERE kind <> '' AND chat_id <> 0;
INSERT INTO season_podiums SELECT -n, '2026-Q1', 1, n, 'Ann', 1, 1, 1, now() FROM generate_series(1, 5000) n;
INSERT INTO erasures SELECT n, -n, now() - n * interval '1 hour' FROM generate_series(1, 5000) n;
UPDATE players SET listed = true WHERE id % 500 = 1;
INSERT INTO chat_templates (chat_id, name, kind) SELECT -n / 5, 'Name ' || n, 'quiz' FROM generate_series(100, 5000) n;
INSERT INTO recurring_games (chat_id, template_id, unit, every, minute, starts_on, zone, next_on, next_at, wake_at,
    host_id)
SELECT -n / 5, n, 'day', 1, 1200, now(), 'UTC', now(), now() + n * interval '1 hour', now() + n * interval '1 hour', n
FROM generate_series(100, 5000) n;
INSERT INTO game_subscriptions (chat_id, player_id) SELECT -n / 5, n FROM generate_series(100, 5000) n;
INSERT INTO draw_seeds SELECT -n, 'root', '', 256, 1 FROM generate_series(100, 5000) n;
INSERT INTO log_salts SELECT n::text, '' FROM generate_series(1, 5000) n;
INSERT INTO log_heads SELECT n, n, '', '' FROM generate_series(1, 4000) n;
INSERT INTO question_packs (owner_id, name, locale)
SELECT n / 5, 'Pack ' || n, 'en' FROM generate_series(1, 5000) n;
INSERT INTO pack_questions (pack_id, position, id, text, answers, difficulty, category)
SELECT p.id, n, n::text, 'Text', '{yes,no}', '', '' FROM question_packs p, generate_series(1, 4) n;
INSERT INTO asked_questions (chat_id, question_id, text, answer, asked_at)
SELECT -(n % 500), n::text, 'Text', 'yes', now() - n * interval '1 hour' FROM generate_series(1, 20000) n;
"""
STATEMENT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s")
LARGE = (
    r"Seq Scan on (?!feed_checkpoints|feature_flags|log_pending|log_key|unpublished_events"
    r"|\w+_(?:rest|\d{4}(?:_\d\d)?)\b)\w+"
)
"""Scans of whole tables, but for small ones and the empty partitions of the time to come: the rows are in the first."""
WHOLE = {text.strip() for text in (_OTHERWISE, _RESEAL)}
"""Queries that read a small table whole: the new encryption of all secrets, after the key has changed."""
ALL_CHATS = "INSERT INTO broadcast_chats"
"""Beginning of the query that lists all chats for a broadcast."""
OTHERS = {"time_series", "migrate", "embedded", "connections", "rights", "personal_data", "backup"}
"""Modules whose queries concern the database itself or all of it, not some rows; and the erasure of a person's data,
which is a job that a person asks for once, and may read a small table whole."""


@pytest.fixture
async def filled(empty_database: str) -> str:
    """Return the DSN of a database with 20,000 games and fresh statistics."""
    await migrate.upgrade(empty_database)
    connection = await asyncpg.connect(empty_database)
    await connection.execute(FILL)
    await fill_log(connection)
    # Plans follow the statistics of this moment: autovacuum would replace them at some time during the test.
    for table in await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    ):
        await connection.execute(f'ALTER TABLE "{table[0]}" SET (autovacuum_enabled = off)')
    await connection.execute("ANALYZE")
    await connection.close()
    return empty_database


async def fill_log(connection: asyncpg.Connection) -> None:
    """Put a public log of 4,096 leaves there."""
    leaves = [(index, f"07{index // 3:012}", f"type {index % 3}", b"%d" % index) for index in range(4096)]
    frontier = merkle.Frontier()
    nodes = [node for leaf in leaves for node in frontier.append(merkle.leaf_hash(leaf[3]))]
    await connection.copy_records_to_table("log_leaves", columns=("index", "game_id", "type", "data"), records=leaves)
    await connection.copy_records_to_table("log_nodes", columns=("level", "position", "hash"), records=nodes)


async def use_draws(pool: Pool, house: House, game_id: str) -> None:
    """Call all that draws ask PostgreSQL."""
    seeds, log, now = Seeds(pool), PublicLog(pool, house.codec), house.clock.at
    for chat in (-7, -(10**12)):
        seed = await seeds.take(chat)
        await seeds.give_back(chat, seed)
        await seeds.give_back(chat, seed)
    await log.append()
    await log.sign(now)
    await log.proof_of(game_id, now)
    await log.consistency(5, 4000)
    await log.check()
    await log.forget(3)


async def use_broadcast_chats(pool: Pool, redis: Redis, job_id: int) -> None:
    """Call all that the chats of a broadcast ask PostgreSQL."""
    chats = BroadcastChats(pool, redis)
    await chats.list_active(job_id)
    async with pool.acquire() as connection:
        await chats.take(connection, job_id, 2)
    for chat in await chats.queuing(job_id):
        await chats.mark(job_id, {chat.chat_id: "queued"}, ("queuing",))
    await chats.unsettled(job_id)
    await chats.keep_back(job_id)
    await chats.counts([job_id])


async def use_recurring(pool: Pool) -> None:
    """Call all that recurring games and subscriptions ask PostgreSQL."""
    games, subscriptions = RecurringGames(pool), Subscriptions(pool)
    day = date(2026, 12, 4)
    schedule, host = Schedule(unit="day", minute=1200, starts_on=day), Host(7, "Hana")
    new = RecurringGame(
        chat_topic=ChatTopic(-7), template_id=1, schedule=schedule, zone="UTC", next_on=day,
        next_at=1_796_000_000_000, host=host,
    )  # fmt: skip
    added = await games.add(new)
    assert added is not None
    known = await games.one(-7, added)
    assert known is not None
    await games.save(known, known)
    await games.of_chat(-7)
    await games.due(1_797_000_000_000, 10)
    await games.next_wake()
    await games.page(0, 10)
    await games.delete(-7, added)
    await subscriptions.add(-7, 7)
    await subscriptions.of_player(7)
    await subscriptions.of_chat(-7, 0, 10)
    await subscriptions.remove(-7, 7)
    await subscriptions.remove_all(7)


async def nothing() -> None:
    """Ring no bell."""


async def use_bridge(pool: Pool) -> None:
    """Call all that the bridge asks PostgreSQL."""
    unpublished = Unpublished(pool)
    first, second, _ = await unpublished.due(10, 2)
    await unpublished.waiting()
    await unpublished.put_off(first.game_id, 1)
    await unpublished.published({first.game_id: 2, second.game_id: second.last})
    await unpublished.give_up_pruned()


async def use_jobs(pool: Pool, redis: Redis) -> None:
    """Call all that jobs ask PostgreSQL."""
    jobs = Jobs(pool, redis)
    await jobs.enqueue(NewJob("test", "a"), NewJob("test", "b"))
    await wake(pool, "test", [("a", None, None)])
    await jobs.hasten("test", "b")
    first, second = await jobs.claim({"test": 2}, "me")
    await jobs.renew([first, second])
    async with jobs.transaction(first) as connection:
        await jobs.record(first, b"{}", connection)
    await jobs.run_again(first, 60)
    await jobs.end(second, "dead")
    await jobs.send_again(second.id)
    await jobs.cancel(second.id)
    await jobs.next_due(["test"])
    for chats in (None, [-7]):
        await jobs.page(kind="old", chats=chats, before=10_000)
    await use_broadcast_chats(pool, redis, first.id)
    await jobs.get(first.id)
    await jobs.find("test", "a")
    await jobs.counts()


async def use_webhooks(pool: Pool) -> None:
    """Call all that webhooks ask PostgreSQL."""
    webhooks = Webhooks(pool)
    endpoint = await webhooks.add("new", -7, "https://a.example", (), "", b"", 0)
    await webhooks.count(-7)
    for chat in (None, -7):
        await webhooks.endpoints(chat)
    await webhooks.endpoint("new")
    delivery = await webhooks.send(endpoint, WebhookMessage("example", "webhook.example", -7, b"{}"))
    await webhooks.next_delivery("new")
    attempt = Attempt(datetime.now(UTC), 200, "", 1)
    async with pool.acquire() as connection, connection.transaction():
        await publish(connection, [WebhookMessage("m", "game.opened", -7, b"{}")])
        await webhooks.failed(connection, "new", delivery, attempt, again=5, pause=5)
        await webhooks.succeeded(connection, "new", delivery, attempt)
        await webhooks.disable(connection, "new", "gone")
    await webhooks.deliveries("ep7", status="pending", before=10_000)
    await webhooks.delivery("new", delivery)
    await webhooks.resend("new", delivery)
    await webhooks.recover("ep7", datetime.now(UTC))
    await webhooks.change("new", enabled=False)
    await webhooks.rotate("new", b"", 5)
    await webhooks.counts()
    await webhooks.remove("new")
    await webhooks.add_source("new", -7, 0, "", b"", 0)
    await webhooks.sources(-7)
    await webhooks.source("new")
    await webhooks.remove_source("new")


async def use_api(pool: Pool, redis: Redis, archive: Archive, now: int) -> None:
    """Call all that jobs, tokens and the API's lists ask PostgreSQL."""
    await use_jobs(pool, redis)
    await use_recurring(pool)
    flags = FlagSettings(pool, redis)
    await flags.set("a flag", Change(percent=1), Setting(percent=1))
    await flags.all()
    await flags.reset("a flag")
    await use_webhooks(pool)
    tokens = ApiTokens(pool, redis)
    await tokens.add("new", "secret", role="viewer", chats=None, name="", owner_id=0, created_at=now, expires_at=None)
    await tokens.found("new")
    await tokens.all_found(["new"])
    await tokens.page(10, (now, "z"))
    await tokens.used({"new": now})
    await tokens.revoke("new", now)
    for chat in (None, -7):
        await archive.listed(10, chat_id=chat)
        for player in (None, 7):
            await archive.ended(10, chat_id=chat, player_id=player, after=(now, "04"))
    game = "04" + "20004".zfill(12)
    await archive.results([game])
    await archive.events_after(game, 1, 10)
    await archive.joined_by(game, 7)
    people, audit = People(pool, redis), Audit(pool, TurnedClock(now))
    await people.change_settings_if(-7, await people.chat_now(-7), {"a": 1}, "en")
    await people.chats(-(10**15), 10)
    await people.last_name(7)
    audit.note(AuditEntry(at=now, face="api", action="ban"))
    await audit.flush()
    for filters in ({}, {"chat_id": -7}, {"actor_id": 7}, {"token": "new"}, {"target": game}):
        await audit.page(10, **filters)


async def use_listing(pool: Pool, people: People, templates: Templates) -> None:
    """Call all that the list of players and the templates of a chat ask PostgreSQL."""
    await use_templates(templates)
    await people.set_listed(7, listed=True)
    await people.is_listed(7)
    await Archive(pool, Codec(KINDS)).participants(["00" + "a" * 20], 10)
    figures, now = Figures(pool), datetime.now(UTC)
    for chat_id, period in ((0, ""), (0, "2026-W01"), (-7, ""), (-7, "2026-Q4")):
        await figures.leaderboard(chat_id, period, 10)
        await figures.around(chat_id, period, 7, kind="quiz")
    await figures.weeks_of_player(7, 0, now, 12)
    await figures.weeks_of_chat(-7, now, 12)
    await figures.chats_of_player(7, 5)
    await figures.chats_of("2026-Q4", 0, 100)
    await figures.podiums(-7, 3)
    await Achievements(pool).of_player(7)
    await Achievements(pool).projected("00x")
    best = await figures.leaderboard(-7, "", 3)
    async with pool.acquire() as connection:
        part = PlayedGame(2, 1, Standing(7, "Ann", place=1))
        await note_achievements(connection, [Ended("00x", -7, now, part)], [])
        await note_achievements(connection, [Ended("00x", -7, now, part)], [(7, -7, "", 1, 1, 0, 0)])
        await figures.crown(connection, -7, "2026-Q4", best, now)
    await Achievements(pool).announce(-7, "00x", 0)


async def use_everything(pool: Pool, redis: Redis, house: House) -> None:  # noqa: PLR0915 -- a list
    """Call every function that queries PostgreSQL."""
    archive, people, game = Archive(pool, house.codec), People(pool, redis), "04" + "20004".zfill(12)
    known = "04" + "4".zfill(12)
    await archive.ended_since(0, 10)
    await archive.player_stats(7)
    for kind in (None, "pick_number"):
        await archive.leaderboard(0, kind, 10, 20)
        await archive.leaderboard(-7, kind, 10)
    for chat, player in ((-7, None), (None, 7), (-7, 7), (None, None)):
        await archive.history(chat, player, 10, 10)
    await archive.live_games(None, 10)
    await archive.live_games(-7, 10)
    await archive.live_counts()
    await archive.void_games(-7)
    await use_listing(pool, people, Templates(pool))
    await archive.live_game_of_player(7)
    await archive.game(game)
    await archive.timeline(game, 10)
    await archive.folded(game, "pick_number")
    for player in (7, 8):
        people.saw_player(player, "New name", "user")
    await people.flush()
    await people.locale_of_player(7)
    await people.known_since(7)
    await people.set_player_locale(7, "ru")
    await people.player_blocked(7)
    await people.find_player("User9")
    await people.chat(-7)
    await people.saw_chat(-7, "group", "x")
    await people.change_settings(-7, {"a": 1})
    await people.is_banned(-7, 7)
    await people.bans(-7)
    await people.chats_of([-7])
    await people.chats_active(-(10**15), 10)
    await people.chats_met(7)
    await people.chat_migrated(-9, -1009)
    await people.name_in(-7, 9)
    await people.set_chat_locale(-7, "ru")
    await people.chat_gone(-8)
    await people.ban(-7, 8, 9, "")
    await people.unban(-7, 8)
    await use_api(pool, redis, archive, house.clock.at)
    await use_questions(Questions(pool), house.clock.at)
    wallets = Wallets(pool, redis)
    await wallets.put(9999, "0x" + "1" * 40, house.clock.at)
    await wallets.of(9999)
    await wallets.remove(9999)
    await prune(pool, house.clock.at, keep_events_days=100, keep_results_days=120)
    games = [await house.play(currency=currency) for currency in ("", "EUR", "$")]
    house.projector.on_unpublished = nothing
    await house.project()
    await use_bridge(pool)
    await use_recovery(pool, redis, house, game)
    await use_draws(pool, house, games[0])
    record = b'[{"c":"tg:2","at":1,"e":[["player_left",{"player_id":7}],["chat_moved",{"chat_id":-1011}]]}]'
    entries = [
        Entry("", known[:2], f"{n % 8:02}{n:012}", 4, "pick_number", "drawing", None, record)
        for n in range(200, 20_000, 200)
    ]
    await house.projector.handle(entries[:10])
    await house.projector.handle(entries[:10])
    await house.projector.handle(entries)


async def use_templates(templates: Templates) -> None:
    """Call all that the templates of a chat ask PostgreSQL."""
    saved = await templates.save(-7, "Friday", "pick_number", "", {"winners": "2"})
    assert saved is not None
    await templates.of_chat(-7)
    await templates.one(-7, saved)
    await templates.rename(-7, saved, "Saturday")
    await templates.delete(-7, saved)


async def use_recovery(pool: Pool, redis: Redis, house: House, game: str) -> None:
    """Call all that asks PostgreSQL after a failover of either store."""
    await rebuild(pool, redis, house.codec, house.games)
    await forgotten(pool, redis, house.codec, since=house.clock.at - 600_000)
    await bring_forward(pool, redis, house.codec, house.games)
    await put_back(pool, redis, house.codec, house.games, game)
    assert not await restore_missing(pool, redis, house.codec, house.games, "no-such-game")
    in_redis = [game_id async for page in games_in(redis) for game_id in page]
    await pool.execute("UPDATE games SET version = version - 1 WHERE id = ANY($1)", in_redis)  # as if it had lost some
    await replay(pool, redis, house.codec, house.games, house.projector)


async def use_questions(questions: Questions, now: int) -> None:
    """Call every function of packs and asked questions that queries PostgreSQL."""
    one, other = (Question(id=text, text=text, answers=("yes", "no")) for text in ("One?", "Another?"))
    pack = await questions.add_pack(7, "Mine", "en", [one])
    await questions.rename_pack(pack.id, 7, "Still mine")
    await questions.packs(7)
    await questions.pack(pack.id, 7)
    await questions.add_question(pack.id, 7, other)
    await questions.change_question(pack.id, 7, 1, Question(id="x", text="Third?", answers=("yes", "no")))
    await questions.questions(pack.id)
    await questions.question(pack.id, 1)
    await questions.choose(-7, 1, now, pack_id=pack.id)
    await questions.delete_question(pack.id, 7, 1)
    await questions.delete_pack(pack.id, 7)
    await questions.asked(-7)
    await questions.note_asked(-7, [one], now)
    await questions.give_back(-7, [one])
    await questions.prune(now)
    await questions.release(-7, "a game", ())
    await questions.knows_game("a game")


def queries() -> Iterator[tuple[str, str]]:
    """Yield module and text of every complete or partial query in the source of `storage`."""
    for file in sorted(Path(storage.__path__[0]).glob("[!_]*.py")):
        if file.stem in OTHERS:
            continue
        names = vars(importlib.import_module(f"storage.{file.stem}"))
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.JoinedStr | ast.Constant):
                continue
            try:
                text = eval(compile(ast.Expression(node), file.name, "eval"), names)
            except NameError:  # the query depends on a local variable, so its text cannot be searched for
                assert not STATEMENT.match(ast.unparse(node).strip("f'\"")), f"{file}: {ast.unparse(node)}"
                continue
            if isinstance(text, str) and STATEMENT.match(text):
                yield file.stem, text.strip()


async def test_every_query_finds_its_rows_by_an_index(filled: str, redis: Redis) -> None:
    asked: dict[str, tuple[Any, ...]] = {}

    def note(query: Any) -> None:
        asked.setdefault(query.query, tuple(query.args))

    async with postgres_pool(filled, pool_max=1) as pool:
        async with pool.acquire() as connection:
            connection.add_query_logger(note)
        await use_everything(pool, redis, House(pool, redis))
    for module, text in queries():
        if text in WHOLE:
            continue
        assert any(text in query for query in asked), f"not asked by use_everything: storage.{module}: {text}"
    statements = {q: a for q, a in asked.items() if STATEMENT.match(q) and "pg_" not in q and ALL_CHATS not in q}
    assert len(statements) >= 80
    scans: list[str] = []
    # One transaction, because prepared statements and settings belong to a session, and a pooler may stand between.
    async with postgres_pool(filled) as pool, pool.acquire() as connection, connection.transaction():
        for query, given in statements.items():
            # a list of arguments for many calls: the first one is enough
            arguments = given[0] if given and isinstance(given[0], tuple) else given
            await connection.execute(f"PREPARE asked AS {query}")
            await connection.execute("SET plan_cache_mode = force_generic_plan")
            nulls = f"({', '.join(['NULL'] * len(arguments))})" if arguments else ""
            generic = await connection.fetch(f"EXPLAIN EXECUTE asked {nulls}")
            await connection.execute("RESET plan_cache_mode; DEALLOCATE asked")
            custom = await connection.fetch(f"EXPLAIN {query}", *arguments)
            for plan in (generic, custom):
                text = "\n".join(row[0] for row in plan)
                if re.search(LARGE, text):
                    scans.append(f"{query}\n{text}")
        best = await connection.fetch(
            "EXPLAIN SELECT player_id FROM player_stats WHERE chat_id = 0 AND kind = ''"
            " ORDER BY wins DESC, prizes DESC, points DESC, games, player_id LIMIT 10"
        )
    assert not scans, "\n\n".join(scans)
    assert not re.search("Sort", "\n".join(row[0] for row in best)), "a page of the leaderboard reads no more than that"
