"""The time series on a real TimescaleDB: PostgreSQL 17 with the extension, compiled to WebAssembly, or a server.

The projector writes the same games into it and into the PostgreSQL of the other tests, which has plain partitions: the
two databases must give the same answers. The WebAssembly is one session of one process, so connections take turns, and
it has no COPY from a client. The rows of the projector's two COPYs are therefore inserted there; all else is its own
code. With `TIMESCALE_DSN`, the address of a server on which the extension is loaded, nothing is replaced, and the tests
that need COPY and several connections run too.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from storage import backup, migrate, time_series
from storage.archive import Archive
from storage.connections import Pool, postgres_pool
from storage.figures import Figures
from storage.personal_data import PersonalData
from storage.projector import Projector
from storage.retention import prune
from tests.contract.played import CHAT, Heard, House, drain, feed_of

DAY_MS = 86_400_000
SERVER = os.environ.get("TIMESCALE_DSN", "")
needs_server = pytest.mark.skipif(not SERVER, reason="TIMESCALE_DSN names no server: the WebAssembly has no COPY")
ERASED = 3
WRITTEN = ("games", "game_participants", "game_events", "prizes", "players", "player_stats", "player_periods")
"""Tables of games and their figures."""


@pytest.fixture
async def timescale() -> AsyncIterator[str]:
    """Run the server, or make a database on the one that is given. Yields the DSN of an empty database."""
    if SERVER:
        name = f"test_{uuid4().hex}"
        await on_server(f"CREATE DATABASE {name}")
        address = urlsplit(SERVER)
        yield urlunsplit(address._replace(path=f"/{name}"))
        await on_server(f"DROP DATABASE {name} WITH (FORCE)")
        return
    node = shutil.which("node")
    assert node, "no node"
    server = await asyncio.create_subprocess_exec(
        node,
        "server.mjs",
        cwd=Path(os.environ["TIMESCALE"]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    try:
        async with asyncio.timeout(300):
            port = int(await server.stdout.readline())
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        server.stdin.close()  # it ends by itself then
        await server.wait()


async def on_server(statement: str) -> None:
    connection = await asyncpg.connect(SERVER)
    await connection.execute(statement)
    await connection.close()


async def answers(pool: Pool, house: House, games: list[str], redis: Redis) -> dict[str, Any]:
    """Return the answers to the queries about time series and their games."""
    archive, figures = Archive(pool, house.codec), Figures(pool)
    now = datetime.fromtimestamp(house.clock.at / 1000, UTC)
    own = await PersonalData(pool, redis).counts(2)
    return {
        "history": await archive.history(CHAT, None, 10),
        "own": await archive.history(None, 2, 10),
        "results": await archive.results(games),
        "events": {game: await archive.timeline(game, 1000) for game in games},
        "whole": {game: (await archive.finished(game)) for game in games},
        "weeks": await figures.weeks_of_chat(CHAT, now, 12),
        "of a person": await figures.weeks_of_player(2, 0, now, 12),
        "leaderboard": await figures.leaderboard(CHAT, f"{now.year:04}-{now.month:02}", 10),
        "prizes": await pool.fetch("SELECT * FROM prizes ORDER BY game_id, player_id"),
        "own data": {name: count for name, count in own.items() if name in WRITTEN},
    }


async def chunks(pool: Pool, *, compressed: bool) -> int:
    """Return the number of chunks that are compressed, or of those that are not."""
    count: int = await pool.fetchval(
        "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = ANY($1) AND is_compressed = $2",
        list(time_series.MONTHLY),
        compressed,
    )
    return count


async def insert(connection: Any, table: str, *, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> None:
    """Insert records, in place of asyncpg's COPY."""
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    for record in records:
        await connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", *record)


async def test_events_and_prizes_are_hypertables_with_the_same_answers(
    timescale: str, pool: Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(pool, redis)
    present, games = house.clock.at, []
    for days in (500, 100, 0):
        house.clock.at = present - days * DAY_MS
        games.append(await house.play((1, 2, ERASED), chat_id=CHAT))
    house.clock.at = present
    await house.project()
    said = await answers(pool, house, games, redis)
    assert all(said["whole"].values())

    assert await migrate.upgrade(timescale, within=120) == migrate.head()
    async with postgres_pool(timescale, pool_max=1) as hyper:
        with monkeypatch.context() as patched:
            if not SERVER:
                patched.setattr(asyncpg.Connection, "copy_records_to_table", insert)
            entries = Heard()
            await drain(feed_of(redis, house.games.shards, "hypertables"), entries)
            await Projector(hyper).handle(entries.entries)
            await Projector(hyper).handle(entries.entries)  # delivered again: writes nothing twice
        assert await answers(hyper, house, games, redis) == said
        assert await chunks(hyper, compressed=True) == 0

        # Compression changes no answer; an erasure still reaches the rows.
        now = datetime.fromtimestamp(present / 1000, UTC)
        assert await time_series.make_ahead(hyper, now) == 0  # the extension makes chunks
        assert await time_series.compress(hyper, now) >= 4
        assert await chunks(hyper, compressed=True) >= 4
        assert await answers(hyper, house, games, redis) == said
        for each in (pool, hyper):
            await erase(each, redis, present)
            assert await each.fetchval("SELECT count(*) FROM prizes WHERE player_id = $1", ERASED) == 0
        said = await answers(pool, house, games, redis)
        assert await answers(hyper, house, games, redis) == said

        # An old month is dropped; the results of its game stay.
        dropped = [await prune(each, present, keep_events_days=365, keep_results_days=1095) for each in (pool, hyper)]
        assert [each.partitions for each in dropped] == [0, 1]  # there the rows are in the first partition
        said = await answers(pool, house, games, redis)
        assert said["events"][games[0]] == []
        assert await answers(hyper, house, games, redis) == said

    # Both ways, with the rows.
    for revision in ("0018", migrate.head()):
        await (migrate.downgrade(timescale, revision) if revision == "0018" else migrate.upgrade(timescale, within=120))
        async with postgres_pool(timescale, pool_max=1) as hyper:
            hypertables = await hyper.fetchval("SELECT count(*) FROM timescaledb_information.hypertables")
            assert hypertables == (0 if revision == "0018" else len(time_series.MONTHLY))
            assert await answers(hyper, house, games, redis) == said


async def erase(pool: Pool, redis: Redis, at: int) -> None:
    """Erase a person."""
    data = PersonalData(pool, redis)
    await data.begin(ERASED, -77, at, 0, None)
    while await data.erase_games(ERASED, -77, at):
        pass


async def past_games(house: House, *days: int) -> list[str]:
    """Play games that ended some days ago. Returns their ids."""
    present, games = house.clock.at, []
    for each in days:
        house.clock.at = present - each * DAY_MS
        games.append(await house.play((1, 2, ERASED), chat_id=CHAT))
    house.clock.at = present
    return games


@needs_server
@pytest.mark.parametrize("compressed", [False, True])
async def test_a_backup_of_hypertables_is_restored_into_them(
    timescale: str, redis: Redis, tmp_path: Path, *, compressed: bool
) -> None:
    await migrate.upgrade(timescale)
    async with postgres_pool(timescale) as hyper:
        house = House(hyper, redis)
        games = await past_games(house, 300, 100, 0)
        await house.project()
        if compressed:
            assert await time_series.compress(hyper, datetime.fromtimestamp(house.clock.at / 1000, UTC)) >= 4
        said = await answers(hyper, house, games, redis)
        assert all(said["whole"].values())
        path = tmp_path / "taken"
        await backup.back_up(timescale, redis, house.games.shards, path, version="1", recipients=[])
        later = await house.play((1, 2, ERASED), chat_id=CHAT)
        await house.project()
        await backup.restore(timescale, hyper, redis, path, None)
        assert await answers(hyper, house, games, redis) == said
        assert await hyper.fetchval("SELECT count(*) FROM games WHERE id = $1", later) == 0


@needs_server
async def test_a_backup_of_plain_partitions_is_restored_into_hypertables_and_back(
    timescale: str, pool: Pool, postgres_dsn: str, redis: Redis, tmp_path: Path
) -> None:
    house = House(pool, redis)
    games = await past_games(house, 300, 100, 0)
    await house.project()
    said = await answers(pool, house, games, redis)
    await migrate.upgrade(timescale)
    async with postgres_pool(timescale) as hyper:
        for dsn, target_dsn, target in ((postgres_dsn, timescale, hyper), (timescale, postgres_dsn, pool)):
            path = tmp_path / target_dsn.rpartition("/")[2].partition("?")[0]
            await backup.back_up(dsn, redis, house.games.shards, path, version="1", recipients=[])
            await backup.restore(target_dsn, target, redis, path, None)
            assert await answers(target, house, games, redis) == said


@needs_server
async def test_months_are_compressed_and_dropped_while_the_projector_writes(timescale: str, redis: Redis) -> None:
    await migrate.upgrade(timescale)
    async with postgres_pool(timescale) as hyper:
        house = House(hyper, redis)
        old = await past_games(house, *range(500, 60, -40))
        await house.project()
        games = [await house.play((1, 2, ERASED), chat_id=CHAT) for _ in range(20)]
        writing = asyncio.create_task(house.project())
        while not writing.done():
            await prune(hyper, house.clock.at, keep_events_days=365, keep_results_days=1095)
            await asyncio.sleep(0)
        await writing
        archive = Archive(hyper, house.codec)
        assert all([await archive.finished(game) for game in games])
        assert await archive.timeline(old[0], 10) == []
        assert await archive.finished(old[-1]) is not None
        assert await chunks(hyper, compressed=True) >= 4
