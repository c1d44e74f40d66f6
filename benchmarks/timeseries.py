"""Queries on 10 million events: every read of the bot and the API, the pruning of a month, the projector's cost.

python -m benchmarks.timeseries [--events 10000000] [--reads 200] [--dsn DSN]

The games are those of `benchmarks/finished.py`: a few are played by the rules and written by the projector, the others
are copies of their rows, spread over a year, in the tables as the migrations make them. One more game has 10,000
players. With `--dsn` the same runs on an empty database with TimescaleDB.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from loguru import logger
from redis.asyncio import Redis

from benchmarks.finished import CODEC, PLAYERS, Ended, bare, loading, multiply, past, present, project
from benchmarks.plan import say
from play.exports import ROWS_A_READ
from storage import migrate, time_series
from storage.achievements import Achievements
from storage.archive import Archive
from storage.connections import Pool, postgres_pool
from storage.embedded import embedded_postgres
from storage.figures import Figures
from storage.people import People
from storage.periods import MONTH, QUARTER, WEEK, period_at
from storage.personal_data import TABLES
from storage.retention import prune

EVENTS_A_GAME = 34
"""Events of a game, about."""
MODELS = 97
LINES = 11
PERIODS = """
INSERT INTO player_periods (chat_id, period, player_id, kind, games, wins, prizes, points)
SELECT g.chat_id, n.name, p.player_id, g.kind, count(*), count(p.place), sum(p.prize), sum(p.points)
FROM game_participants p JOIN games g ON g.id = p.game_id CROSS JOIN LATERAL (VALUES
    (to_char(g.ended_at AT TIME ZONE 'UTC', 'IYYY-"W"IW')), (to_char(g.ended_at AT TIME ZONE 'UTC', 'YYYY-MM')),
    (to_char(g.ended_at AT TIME ZONE 'UTC', 'YYYY-"Q"Q'))
) AS n(name)
GROUP BY 1, 2, 3, 4
"""
LARGE = 10_000
"""Players of one game, the largest that there may be."""
LARGE_GAME = (
    """
    INSERT INTO games (id, kind, chat_id, title, host_id, status, rules, summary, players, version, opened_at, ended_at)
    SELECT $1, kind, chat_id, title, host_id, status, rules, summary, $3::int, $3::int, opened_at, ended_at FROM games
    WHERE id = $2
    """,
    """
    INSERT INTO game_participants (game_id, player_id, name, joined_at, number, place)
    SELECT $1, n, 'Player ' || n, opened_at, n, n FROM games, generate_series(1, $3::int) n WHERE id = $2
    """,
    """
    INSERT INTO prizes (game_id, player_id, place, amount, settled_at, currency)
    SELECT $1, n, n, 1, ended_at, 'EUR' FROM games, generate_series(1, $3::int) n WHERE id = $2
    """,
    """
    INSERT INTO game_events (game_id, version, name, at, command_id, data)
    SELECT $1, n, 'player_joined', opened_at, 'tg:' || n, jsonb_build_object('player_id', n, 'name', 'Player ' || n)
    FROM games, generate_series(1, $3::int) n WHERE id = $2
    """,
)
"""Statements that write the large game beside an ordinary one."""
LISTED = "UPDATE players SET listed = true WHERE id % 20 = 1"


async def divide(pool: Pool, months: int) -> None:
    """Give the past its partitions, as an installation has them that has run for a year."""
    if not await pool.fetchval("SELECT relkind = 'p' FROM pg_class WHERE oid = 'game_events'::regclass"):
        return
    now = datetime.now(UTC)
    for table in time_series.MONTHLY:
        await pool.execute(f"DROP TABLE {table}_first")
        for number in range(now.year * 12 + now.month - 1 - months, now.year * 12 + now.month + 1):
            begin, end = (datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in (number, number + 1))
            await pool.execute(
                f"CREATE TABLE {table}_{begin:%Y_%m} PARTITION OF {table} FOR VALUES FROM ('{begin}') TO ('{end}')"
            )


async def fill(pool: Pool, games: Sequence[Ended]) -> None:
    """Write the games, and the figures of their periods."""
    began = time.perf_counter()
    await project(pool, games[:MODELS])
    await multiply(pool, games)
    await pool.execute("TRUNCATE player_periods")
    async with bare(pool, ["player_periods"]), loading(pool) as connection:
        await connection.execute(PERIODS)
        await connection.execute(LISTED)
    for statement in LARGE_GAME:
        await pool.execute(statement, large(games), games[-1].id, LARGE)
    for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
        await pool.execute(statement)
    events = await pool.fetchval("SELECT count(*) FROM game_events")
    size = await pool.fetchval("SELECT pg_database_size(current_database())")
    say(f"{events:,} events of {len(games):,} games, {size / 1e6:,.0f} MB, in {time.perf_counter() - began:.0f} s")


def large(games: Sequence[Ended]) -> str:
    """Return the id of the large game."""
    return f"{games[-1].id}L"


def reads(pool: Pool, games: Sequence[Ended], seed: int) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """Return the reads of the bot and the API, each for a random chat, person or game.

    A chat or a person is chosen as often as they have played, so the busiest ones are among the slowest reads.
    """
    random, archive, figures = Random(seed), Archive(pool, CODEC), Figures(pool)
    achievements, now = Achievements(pool), datetime.now(UTC)
    people = People(pool, Redis())  # its reads here ask PostgreSQL alone

    def game() -> Ended:
        return random.choice(games)

    def chat() -> int:
        return game().chat_id

    def person() -> int:
        return game().player(random.randrange(PLAYERS))

    def before() -> tuple[int, str]:
        return game().opened_at, "04"

    async def whole(ids: list[str]) -> None:
        for offset in range(0, LARGE, ROWS_A_READ):
            await archive.results(ids, ROWS_A_READ, offset)

    def mine(table: str) -> Callable[[], Awaitable[object]]:
        statement = f"SELECT to_jsonb(t) FROM {table} t WHERE {TABLES[table].mine} LIMIT 10000"  # noqa: S608
        return lambda: pool.fetch(statement, person())

    found: dict[str, Callable[[], Awaitable[object]]] = {
        "history of a chat": lambda: archive.history(chat(), None, LINES),
        "history of a chat, page 20": lambda: archive.history(chat(), None, LINES, 200),
        "history of a person": lambda: archive.history(None, person(), LINES),
        "history of a person in a chat": lambda: archive.history(chat(), person(), LINES),
        "history of all": lambda: archive.history(None, None, LINES),
        "ended games of a chat, API": lambda: archive.ended(50, chat_id=chat(), after=before()),
        "ended games of a person, API": lambda: archive.ended(50, player_id=person(), after=before()),
        "ended games of all, API": lambda: archive.ended(50, after=before()),
        "ended since an hour": lambda: archive.ended_since(round(now.timestamp() * 1000) - 3_600_000, 1000),
        "results of 50 games": lambda: archive.results([game().id for _ in range(50)]),
        "page of an export": lambda: archive.results([game().id for _ in range(100)], ROWS_A_READ),
        "page of a large game's export": lambda: archive.results([large(games)], ROWS_A_READ, random.randrange(LARGE)),
        "whole export of a large game": lambda: whole([large(games)]),
        "participants of a large game": lambda: archive.participants([large(games)], 100),
        "events of a large game, API": lambda: archive.events_after(large(games), random.randrange(LARGE), 50),
        "participants of 50 games": lambda: archive.participants([game().id for _ in range(50)], 10),
        "timeline of a game": lambda: archive.timeline(game().id, 100),
        "events of a game, API": lambda: archive.events_after(game().id, 5, 50),
        "whole game from its events": lambda: archive.finished(game().id),
        "command of a joining": lambda: archive.joined_by(game().id, person()),
        "void games of a chat": lambda: archive.void_games(chat()),
        "live games": lambda: archive.live_games(None, LINES),
        "live games of a chat": lambda: archive.live_games(chat(), LINES),
        "live games of a person": lambda: archive.live_game_of_player(person()),
        "numbers of live games": archive.live_counts,
        "a game": lambda: archive.game(game().id),
        "games, API": lambda: archive.listed(50, after=before()),
        "games of a chat, API": lambda: archive.listed(50, chat_id=chat(), after=before()),
        "completed games, API": lambda: archive.listed(50, status="completed", after=before()),
        "statistics of a person": lambda: archive.player_stats(person()),
        "leaderboard of a chat": lambda: archive.leaderboard(chat(), None, LINES),
        "leaderboard of all": lambda: archive.leaderboard(0, None, LINES),
        "leaderboard of all, page 1000": lambda: archive.leaderboard(0, None, LINES, 10_000),
        "leaderboard of those listed": lambda: figures.leaderboard(0, "", LINES),
        "a person's place in a chat": lambda: figures.around(chat(), "", person()),
        "weeks of a person": lambda: figures.weeks_of_player(person(), 0, now, 12),
        "weeks of a person in a chat": lambda: figures.weeks_of_player(person(), chat(), now, 12),
        "weeks of a chat": lambda: figures.weeks_of_chat(chat(), now, 12),
        "chats of a person": lambda: figures.chats_of_player(person(), 5),
        "chats with a season": lambda: figures.chats_of(period_at(QUARTER, now), 0, 100),
        "podiums of a chat": lambda: figures.podiums(chat(), 3),
        "achievements of a person": lambda: achievements.of_player(person()),
        "a person's name": lambda: people.last_name(person()),
    }
    for length in (WEEK, MONTH, QUARTER):
        name = period_at(length, now - timedelta(days=7))
        found[f"leaderboard of a chat, {length}"] = lambda name=name: figures.leaderboard(chat(), name, LINES)  # type: ignore[misc]
        found[f"leaderboard of those listed, {length}"] = lambda name=name: figures.leaderboard(0, name, LINES)  # type: ignore[misc]
        found[f"a person's place, {length}"] = lambda name=name: figures.around(chat(), name, person())  # type: ignore[misc]
    for table in ("game_participants", "game_events", "prizes", "player_stats", "player_periods", "games"):
        found[f"own data, {table}"] = mine(table)
    return found


async def measured(pool: Pool, games: Sequence[Ended], count: int) -> dict[str, dict[str, float]]:
    """Return p50 and p95 of each read, in milliseconds. The first tenth, with cold caches, is left out."""
    found = {}
    for name, read in reads(pool, games, seed=17).items():
        times = []
        for _ in range(count + count // 10):
            began = time.perf_counter()
            await read()
            times.append((time.perf_counter() - began) * 1000)
        times = sorted(times[count // 10 :])
        found[name] = {"p50": round(times[len(times) // 2], 2), "p95": round(times[int(len(times) * 0.95)], 2)}
        say(f"  {name:40} p50 {found[name]['p50']:8.2f} ms, p95 {found[name]['p95']:8.2f} ms")
    return found


async def pruned(pool: Pool) -> dict[str, float]:
    """Drop all past months, the oldest first. Returns the seconds that the slowest one takes, by table."""
    found = {}
    for table in time_series.MONTHLY:
        slowest, most = 0.0, 0
        for month in sorted(await _past(pool, table), key=lambda each: each.end):  # type: ignore[arg-type, return-value]
            rows = await pool.fetchval(f"SELECT count(*) FROM {month.name}")  # noqa: S608 -- a name from the catalogue
            began = time.perf_counter()
            await time_series.drop(pool, table, month)
            slowest, most = max(slowest, time.perf_counter() - began), max(most, rows)
        found[table] = round(slowest, 3)
        say(f"  pruning a month of {table}, up to {most:,} rows: at most {found[table]} s")
    return found


async def beside(pool: Pool, games: Sequence[Ended]) -> dict[str, float]:
    """Prune the results of the oldest month row by row. Returns its time, and the projector's p95 without and with it.

    A step of the projector is the whole of one game, in one transaction.
    """
    later = present(games, 4000, 1)
    alone = await _projected(pool, later[:200])
    count = await pool.fetchval("SELECT count(*) FROM games WHERE ended_at < $1", (until := _month_after(games[0])))
    began = time.perf_counter()
    pruning = asyncio.create_task(
        prune(pool, round(until.timestamp() * 1000), keep_events_days=3650, keep_results_days=0)
    )
    times = list[float]()
    for game in later[200:]:
        times += await _projected(pool, [game])
        if pruning.done():
            break
    await pruning
    found = {
        "games": count,
        "seconds": round(time.perf_counter() - began, 1),
        "projector_p95_alone": round(sorted(alone)[int(len(alone) * 0.95)], 1),
        "projector_p95_beside": round(sorted(times)[int(len(times) * 0.95)], 1),
    }
    say(f"  pruning the results of a month row by row: {found}")
    return found


async def _projected(pool: Pool, games: Sequence[Ended]) -> list[float]:
    """Write games with the projector. Returns the milliseconds of each."""
    times = []
    for game in games:
        began = time.perf_counter()
        await project(pool, [game])
        times.append((time.perf_counter() - began) * 1000)
    return times


def _month_after(game: Ended) -> datetime:
    return datetime.fromtimestamp(game.opened_at / 1000, UTC) + timedelta(days=31)


async def _past(pool: Pool, table: str) -> list[time_series.Partition]:
    now = datetime.now(UTC)
    return [
        each for each in await time_series.partitions(pool, table) if isinstance(each.end, datetime) and each.end < now
    ]


async def measure(dsn: str, events: int, count: int) -> dict[str, object]:
    """Fill a database and measure all reads and the pruning of a month."""
    await migrate.upgrade(dsn)
    async with postgres_pool(dsn, pool_max=2, command_timeout_seconds=3600, statement_timeout_seconds=3600) as pool:
        await divide(pool, 13)
        games = past(max(MODELS * 2, events // EVENTS_A_GAME), round(time.time() * 1000))
        await fill(pool, games)
        found = {"reads": await measured(pool, games, count), "prune_results": await beside(pool, games)}
        return {**found, "prune_seconds": await pruned(pool)}


async def run(events: int, count: int, dsn: str) -> dict[str, object]:
    """Measure on an embedded PostgreSQL, or on the server that a DSN names."""
    if dsn:
        return await measure(dsn, events, count)
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)  # noqa: ASYNC240 - nothing runs yet
        async with embedded_postgres(Path(directory), durable=False) as embedded:
            return await measure(embedded, events, count)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--reads", type=int, default=200, help="reads of each kind")
    parser.add_argument("--dsn", default="", help="a server instead of the embedded one; its database must be empty")
    given = parser.parse_args()
    logger.remove()
    print(json.dumps(asyncio.run(run(given.events, given.reads, given.dsn)), indent=2))


if __name__ == "__main__":
    main()
