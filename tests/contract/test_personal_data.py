"""Personal data: the list covers the schema and the keys, an export is whole, an erasure leaves results and proofs."""

import asyncio
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from fsm import proof
from fsm.pick_number import prove
from play.occurrences import NO_HOST
from play.privacy import GROUPS
from play.recurring import word_of
from storage import keys
from storage.aliases import ERASED_NAME, new_alias, scrubbed
from storage.archive import Archive
from storage.connections import Pool
from storage.feed import Entry
from storage.figures import Figures
from storage.people import People
from storage.periods import QUARTER, period_at
from storage.personal_data import KEYS, NOT_PERSONAL, TABLES, PersonalData
from storage.projector import Projector
from tests.contract.played import CHAT, House, rows

ROOT = Path(__file__).parents[2]
ANN = 7001001
"""A number that nothing else in the tables contains."""
OTHER_KEYS = {
    "ALPHABET", "PREFIX", "EVENTS_UNPUBLISHED", "FIGURES_CHANGED", "FLAGS_CHANGED", "JOBS_ENQUEUED",
    "LEASES_RELEASED", "PEOPLE_CHANGED", "TOKENS_CHANGED",
}  # fmt: skip
"""Constants of `storage/keys.py` that are no keys with personal data: channels carry numbers, and keep nothing."""
NO_PEOPLE = {
    "bot_key", "bots_key", "clock_key", "deadlines_key", "flags_known_key",
    "game_pattern", "is_game_id", "kept_from_key", "lease_keys",
    "new_game_id", "every_pattern", "use_one_slot", "cluster_slot",
    "pins_key", "poll_key", "polled_key", "probe_key", "processes_key", "profile_key", "profile_request_key",
    "published_key", "rate_key", "reader_key",
    "reservation_key", "seen_call_key", "shard_name", "shard_of_chat", "shard_of_game", "stuck_key", "topic_key",
    "update_deaths_key", "update_key", "webhook_key",
}  # fmt: skip
"""Functions of `storage/keys.py` whose keys hold nothing about a person."""
NUMBERS = re.compile(r"(^|_)(player|owner|host|asked_by|created_by|by|actor|user|person|member|winner)(_id)?$")
"""Names of columns that hold a person's number."""


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


async def test_the_list_has_every_table_and_every_column_with_a_person(pool: Pool) -> None:
    columns = await pool.fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " JOIN pg_class ON relname = table_name"
        " WHERE table_schema = 'public' AND relnamespace = 'public'::regnamespace AND NOT relispartition"
    )
    found: dict[str, set[str]] = {}
    for table, column, _ in columns:
        found.setdefault(table, set())
        if NUMBERS.search(column) and (table, column) != ("jobs", "owner"):  # the process that does a job
            found[table].add(column)
    assert found.keys() - TABLES.keys() - NOT_PERSONAL.keys() == set(), "classify the new table in personal_data.py"
    assert TABLES.keys() & NOT_PERSONAL.keys() == set()
    assert (TABLES.keys() | NOT_PERSONAL.keys()) - found.keys() == set(), "a table that is gone"
    unlisted = {table: names - {*TABLES[table].columns} for table, names in found.items() if table in TABLES}
    assert {table: names for table, names in unlisted.items() if names} == {}
    assert {table: names for table, names in found.items() if names and table in NOT_PERSONAL} == {}
    assert {table for tables in GROUPS.values() for table in tables} <= TABLES.keys()


def test_the_list_has_every_key() -> None:
    named = {name for name, value in vars(keys).items() if not name.startswith("_") and (
        (callable(value) and getattr(value, "__module__", "") == keys.__name__) or isinstance(value, str)
    )}  # fmt: skip
    assert named - KEYS.keys() - OTHER_KEYS - NO_PEOPLE == set(), "classify the new key in personal_data.py"
    assert (KEYS.keys() | OTHER_KEYS | NO_PEOPLE) - named == set(), "a key that is gone"


async def lived(house: House, pool: Pool, redis: Redis) -> list[str]:
    """Give a person a row in every table, and return the ids of their games."""
    people = People(pool, redis)
    games = [await house.play((ANN, 2, 3), winners=3, currency="EUR" if number else "") for number in range(3)]
    people.saw_player(ANN, "Ann Example", "ann_example")
    await people.flush()
    await people.set_player_locale(ANN, "ru")
    await people.saw_chat(ANN, "private", "Ann Example")
    await people.ban(CHAT, ANN, 99, "spam")
    await people.ban(CHAT - 1, 5, ANN, "")
    await house.project()
    await pool.execute("UPDATE games SET host_id = $1 WHERE id = $2", ANN, games[0])
    await pool.execute("INSERT INTO wallets VALUES ($1, $2, now())", ANN, "0x" + "a" * 40)
    await pool.execute("INSERT INTO question_packs (owner_id, name, locale) VALUES ($1, 'Pack', 'en')", ANN)
    await pool.execute(
        "INSERT INTO pack_questions (pack_id, position, id, text, answers, difficulty, category)"
        " SELECT id, 1, 'x', 'Text', '{yes,no}', '', '' FROM question_packs"
    )
    await pool.execute(
        "INSERT INTO asked_questions (chat_id, question_id, text, answer, asked_at) VALUES ($1, 'q', '', '', now())",
        ANN,
    )
    await pool.execute("INSERT INTO chat_templates (chat_id, name, kind) VALUES ($1, 'Friday', 'quiz')", ANN)
    await pool.execute("INSERT INTO jobs (kind, key, asked_by, status) VALUES ('old', 'x', $1, 'done')", ANN)
    job = await pool.fetchval("INSERT INTO jobs (kind, key) VALUES ('broadcast', 'x') RETURNING id")
    await pool.execute("INSERT INTO broadcast_chats (job_id, chat_id) VALUES ($1, $2)", job, ANN)
    await pool.execute(
        "INSERT INTO api_tokens (prefix, hash, role, name, owner_id, created_at)"
        " VALUES ('p', '', 'host', 'Ann', $1, now())",
        ANN,
    )
    for table in ("webhook_endpoints (url, ", "webhook_sources ("):
        value = "'https://a.example', " if "url" in table else ""
        await pool.execute(
            f"INSERT INTO {table}id, chat_id, secret, created_by) VALUES ({value}'a', $1, 'secret', $2)", CHAT, ANN
        )
    await pool.execute(
        "INSERT INTO audit_log (at, face, actor_id, token, action, chat_id, target, origin, outcome)"
        " VALUES (now(), 'api', $1, '', 'ban', $2, '', '', 'done')",
        ANN, CHAT,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO season_podiums VALUES ($1, '2026-Q1', 1, $2, 'Ann Example', 1, 1, 0, now())", CHAT, ANN
    )
    body = msgspec.json.encode({"data": {"standings": [{"player_id": ANN, "name": "Ann Example"}]}})
    version = await pool.fetchval("SELECT version FROM games WHERE id = $1", games[0])
    await pool.execute(
        "INSERT INTO webhook_messages (id, type, chat_id, payload) VALUES ($1, 'game.completed', $2, $3)",
        f"{games[0]}.{version}", CHAT, body,
    )  # fmt: skip
    await pool.execute("INSERT INTO game_subscriptions VALUES ($1, $2)", CHAT, ANN)
    await pool.execute(
        "INSERT INTO recurring_games (chat_id, template_id, unit, every, minute, starts_on, zone, next_on, next_at,"
        " wake_at, host_id, host_name)"
        " VALUES ($1, 1, 'week', 1, 1, now(), 'UTC', now(), now(), now(), $2, 'Ann Example')",
        CHAT, ANN,
    )  # fmt: skip
    await redis.set(keys.challenge_key(ANN), "sign me")
    return games


async def erase(pool: Pool, redis: Redis, house: House, player: int = ANN) -> int:
    """Erase a person. Returns the alias."""
    data, at, alias = PersonalData(pool, redis), house.clock.now(), new_alias()
    for _ in range(2):  # a process died after the first time
        await data.begin(player, alias, at, 0, partial(word_of, outcome=NO_HOST))
    while await data.erase_games(player, alias, at):
        pass
    return alias


async def everything(pool: Pool) -> dict[str, list[str]]:
    """Return all rows as text, by table; bytes as the text that they contain."""
    tables = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    found = {}
    for (table,) in tables:
        shown = "t.id || ' ' || convert_from(t.payload, 'UTF8')" if table == "webhook_messages" else "t::text"
        found[table] = [row[0] for row in await pool.fetch(f"SELECT {shown} FROM {table} t")]
    return found


async def test_an_export_has_the_rows_of_every_table_and_no_secret(house: House, pool: Pool, redis: Redis) -> None:
    await lived(house, pool, redis)
    data = PersonalData(pool, redis)
    found = await data.export(ANN)
    assert found.keys() == {*TABLES, "challenge"} - {"erasures"}
    assert (await data.counts(ANN)).keys() == TABLES.keys() - {"erasures"}
    assert found["players"][0]["username"] == "ann_example"
    assert not any(
        "secret" in row or "hash" in row for rows_ in found.values() for row in rows_ if isinstance(row, dict)
    )
    assert await data.export(123456) == {}


async def test_after_an_erasure_the_name_is_nowhere_and_the_number_where_the_list_says(
    house: House, pool: Pool, redis: Redis
) -> None:
    await lived(house, pool, redis)
    before = await everything(pool)
    name = house.name_of(ANN)
    assert any(name in row for rows_ in before.values() for row in rows_)
    alias = await erase(pool, redis, house)
    after = await everything(pool)
    texts = {table: "\n".join(rows_) for table, rows_ in after.items()}
    for word in ("Ann Example", "ann_example", name, "0xaaaa"):
        assert [table for table, text in texts.items() if word in text] == [], word
    kept = {table for table, text in texts.items() if str(ANN) in text}
    assert kept == {"game_events", "bans", "audit_log", "erasures"}
    assert await redis.exists(keys.challenge_key(ANN)) == 0
    assert str(alias) in texts["game_participants"]
    assert "revoked" not in texts["api_tokens"]
    assert await pool.fetchval("SELECT revoked_at IS NOT NULL FROM api_tokens")


async def test_proofs_and_totals_stay_valid(house: House, pool: Pool, redis: Redis, tmp_path: Path) -> None:
    games = await lived(house, pool, redis)
    archive, figures = Archive(pool, house.codec), Figures(pool)

    async def totals() -> list[Any]:
        period = period_at(QUARTER, datetime.fromtimestamp(house.clock.now() / 1000, UTC))
        lists = [await figures.leaderboard(CHAT, each, 10) for each in ("", period)]
        return [
            [(row.place, row.games, row.wins, row.prizes, row.points, row.totals) for row in each] for each in lists
        ]

    before = await totals()
    alias = await erase(pool, redis, house)
    assert await totals() == before
    recomputed = await pool.fetch(
        "SELECT player_id, count(*), sum(prize) FROM game_participants GROUP BY player_id ORDER BY player_id"
    )
    assert [row[0] for row in recomputed] == [alias, 2, 3]
    stored = await pool.fetch("SELECT player_id, games FROM player_stats WHERE chat_id = 0 AND kind = '' ORDER BY 1")
    assert [(row[0], row[1]) for row in recomputed] == [tuple(row) for row in stored]
    assert sum(row[2] for row in recomputed) == await pool.fetchval("SELECT sum(amount) FROM prizes") == Decimal(30)
    document = tmp_path / "proof.json"
    for game_id in games:
        state = await archive.finished(game_id)
        assert state is not None
        assert state.players[ANN].name == ERASED_NAME
        document.write_bytes(proof.canonical(prove(state)))  # type: ignore[arg-type]
        assert all(check.passed for check in proof.verify(document.read_bytes()))
    verifier = await asyncio.create_subprocess_exec(sys.executable, "verify.py", document, cwd=ROOT)
    assert await verifier.wait() == 0
    summaries = [msgspec.json.decode(row[0]) for row in await pool.fetch("SELECT summary FROM games")]
    assert any(winner[1] == ERASED_NAME for summary in summaries for winner in summary["winners"])


async def feed(house: House, redis: Redis) -> list[Entry]:
    """Return all entries of the feed."""
    return [
        Entry(id_.decode(), shard, fields[b"g"].decode(), int(fields[b"v"]) + 1, fields[b"k"].decode(),
              fields[b"p"].decode(), None, fields[b"r"])
        for shard in house.games.shards for id_, fields in await rows(redis, keys.feed_key(shard))
    ]  # fmt: skip


async def test_events_that_come_after_an_erasure_bring_no_name_back(house: House, pool: Pool, redis: Redis) -> None:
    await house.play((ANN, 2, 3), winners=2)
    entries = await feed(house, redis)
    await house.projector.handle(entries)
    stored = await everything(pool)
    alias = await erase(pool, redis, house)
    await Projector(pool).handle(entries)
    assert house.name_of(ANN) not in str(await everything(pool)), "a repeated batch changes nothing"
    for table in ("games", "game_events", "game_participants", "prizes", "player_stats", "player_periods", "players"):
        await pool.execute(f"DELETE FROM {table}")
    await pool.execute("DELETE FROM feed_checkpoints")
    await Projector(pool).handle(entries)
    after = await everything(pool)
    assert house.name_of(ANN) not in str(after)
    assert str(alias) in str(after["player_stats"])
    assert str(ANN) not in str(after["player_stats"] + after["players"])
    assert len(after["game_participants"]) == len(stored["game_participants"])
    assert await Archive(pool, house.codec).folded(entries[0].game_id, "pick_number") is not None


async def test_a_person_who_comes_back_is_new(house: House, pool: Pool, redis: Redis) -> None:
    await lived(house, pool, redis)
    await erase(pool, redis, house)
    house.clock.turn(60)
    game = await house.play((ANN, 2), winners=1)
    await house.project()
    (row,) = await pool.fetch(
        "SELECT games, name FROM player_stats WHERE player_id = $1 AND chat_id = 0 AND kind = ''", ANN
    )
    assert tuple(row) == (1, house.name_of(ANN))
    assert await pool.fetchval("SELECT count(*) FROM players WHERE id = $1 AND locale IS NULL", ANN) == 1
    again = await erase(pool, redis, house)
    assert (
        await pool.fetchval("SELECT player_id FROM game_participants WHERE game_id = $1 AND player_id < 0", game)
        == again
    )


@pytest.mark.parametrize(
    ("stored", "alias", "left"),
    [
        ({"player_id": 7, "name": "Ann"}, None, {"player_id": 7, "name": "—"}),
        ({"player_id": 7, "name": "Ann"}, -1, {"player_id": -1, "name": "—"}),
        ({"player_id": 8, "name": "Ann"}, -1, {"player_id": 8, "name": "Ann"}),
        ({"host": {"id": 7, "name": "Ann"}, "id": 7}, -1, {"host": {"id": -1, "name": "—"}, "id": 7}),
        ({"gained": {"7": 5, "8": 7}, "points": 7}, -1, {"gained": {"-1": 5, "8": 7}, "points": 7}),
        ({"earlier_winners": [7, 8], "by": 7}, -1, {"earlier_winners": [-1, 8], "by": -1}),
        ([{"standings": [{"player_id": 7, "name": "x", "points": 7}]}], None,
         [{"standings": [{"player_id": 7, "name": "—", "points": 7}]}]),
    ],
)  # fmt: skip
def test_a_person_is_removed_from_json_and_nothing_else_is(stored: Any, alias: int | None, left: Any) -> None:
    assert msgspec.json.decode(scrubbed(msgspec.json.encode(stored), 7, alias)) == left
