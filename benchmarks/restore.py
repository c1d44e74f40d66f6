"""Drill of a restoration: a backup of a million events, and one store that is older than the other, both ways.

python -m benchmarks.restore [--events 1000000] [--games 300] [--seed N]

The archive is that of `benchmarks/finished.py`. Beside it games are played by random commands. Without `--seed` the
seed is random; it is printed, so that a run can be repeated. Each part ends with a comparison of all games: the version
that PostgreSQL had, or that was acknowledged, with the version that the stores have afterwards. Exits with 1 if one is
missing.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom

import asyncpg
from loguru import logger
from redis.asyncio import Redis

from benchmarks.finished import CODEC, PLAYED, Ended, multiply, past, project
from benchmarks.plan import say
from fsm.engine import Engine
from fsm.kind import ChatTopic, Command, Host, Rejected
from fsm.lobby import DeadlinePassed, Join, OpenGame
from fsm.pick_number import KIND, PickNumber, PickNumberRules
from fsm.registry import KINDS
from storage import backup, migrate
from storage.archive import Archive
from storage.connections import Pool, postgres_pool, redis_client
from storage.embedded import embedded_postgres, embedded_redis
from storage.event_recovery import replay
from storage.feed import Feed
from storage.games import RedisGames
from storage.projector import Projector
from storage.rebuild import bring_forward

SHARDS = 8
FIRST_CHAT = -1_009_000_000_000
COMMANDS = 6
"""Commands of one game in each part, on average."""
LATE = 0.1
"""Share of the commands before which a deadline passes."""
FOLDED = 200
"""Games of the archive that are folded from their events after the restoration."""
ALL_VERSIONS = "SELECT id, version FROM games"


@dataclass
class Clock:
    """A clock that only the drill moves."""

    at: int = field(default_factory=lambda: round(time.time() * 1000))

    def now(self) -> int:
        """Return the time in milliseconds since the epoch."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Move the clock on."""
        self.at += round(seconds * 1000)


@dataclass
class Seeds:
    """Seeds from the drill's random numbers."""

    random: Random

    def seed(self) -> str:
        """Return 32 random bytes, in hex."""
        return f"{self.random.getrandbits(256):064x}"


class House:
    """Live games on both stores, played by random commands, and a projector."""

    def __init__(self, pool: Pool, redis: Redis, random: Random) -> None:
        self.pool, self.redis, self.random = pool, redis, random
        self.clock = Clock()
        self.games = RedisGames(redis, CODEC, shards=SHARDS)
        self.engine = Engine(KINDS, self.games, self.clock, Seeds(random))
        self.done = 0
        self.versions: dict[str, int] = {}
        """Version of each game that was acknowledged last."""

    async def play(self, games: int) -> None:
        """Open games, and send random commands to these and the earlier ones. The rules refuse some of them."""
        for number in range(games):
            place = ChatTopic(FIRST_CHAT - self.done - number)
            game_id = await self.games.reserve_id(place, f"drill:{self.done}:{number}")
            await self._send(game_id, _opening(game_id, place, self.random))
        for _ in range(games * COMMANDS):
            game_id, player = self.random.choice(list(self.versions)), self.random.randrange(1, 8)
            commands: list[Command] = [
                Join(player, f"Player {player}"),
                PickNumber(player, self.random.randrange(1, 20)),
            ]
            deadline = (await self.engine.look(game_id)).state.deadline
            if deadline is not None and self.random.random() < LATE:
                self.clock.at, commands = max(self.clock.at, deadline), [DeadlinePassed(deadline)]
            await self._send(game_id, self.random.choice(commands))

    async def _send(self, game_id: str, command: Command) -> None:
        self.done += 1
        self.clock.at += 10
        try:
            outcome = await self.engine.execute(game_id, command, command_id=f"tg:{self.done}")
        except Rejected:
            return
        self.versions[game_id] = outcome.version

    async def project(self) -> Projector:
        """Let a new projector read the whole feed, as a worker's does."""
        projector = Projector(self.pool)
        caught_up = asyncio.Event()

        async def recover() -> None:
            await replay(self.pool, self.redis, CODEC, self.games, projector)
            caught_up.set()

        feed = Feed(self.redis, self.games.shards, "projector", owner="drill", check=projector.check, caught_up=recover)
        reading = asyncio.create_task(feed.run(projector.handle))
        try:
            async with asyncio.timeout(300):
                while not caught_up.is_set() or not feed.reading or (await feed.lag()).entries:
                    if reading.done():
                        reading.result()
                    await asyncio.sleep(0.05)
        finally:
            reading.cancel()
            await asyncio.wait({reading})
        return projector

    async def stored(self) -> dict[str, int]:
        """Return the version of each game in PostgreSQL."""
        return {row[0]: row[1] for row in await self.pool.fetch(ALL_VERSIONS)}

    async def missing(self, wanted: dict[str, int]) -> int:
        """Return the number of games that PostgreSQL, or Redis for a live one, has in an older version than wanted."""
        present = await self.stored()
        engine = Engine(KINDS, self.games, self.clock, Seeds(self.random))  # one without anything in memory
        lost = {game_id for game_id, version in wanted.items() if present.get(game_id, 0) < version}
        for game_id in self.versions.keys() & wanted.keys():
            lost |= {game_id} if (await engine.look(game_id)).version < wanted[game_id] else set()
        return len(lost)


def _opening(game_id: str, place: ChatTopic, random: Random) -> OpenGame:
    rules = PickNumberRules(max_players=random.randrange(3, 8), winners=1)
    return OpenGame(KIND.name, game_id, place, Host(99, "Host"), "Drill", rules)


# -- the parts ----------------------------------------------------------------------------------------------------


async def restored(house: House, dsn: str, path: Path, archive: list[Ended]) -> dict[str, float]:
    """Back up, play on, and restore both stores from the file."""
    await house.play(len(house.versions) or 1)
    await house.project()
    await house.play(20)  # PostgreSQL does not have these yet: they are in the backup from the feed
    wanted = {**await house.stored(), **house.versions}
    rows = await house.pool.fetchval("SELECT count(*) FROM game_events")
    began = time.perf_counter()
    foot = await backup.back_up(dsn, house.redis, house.games.shards, path, version="drill", recipients=[])
    taken = time.perf_counter() - began
    await asyncio.to_thread(backup.check, path, None)
    checked = time.perf_counter() - began
    before = set(house.versions)
    await house.play(50)
    await house.project()
    house.versions = {game_id: wanted[game_id] for game_id in before}
    began = time.perf_counter()
    await backup.restore(dsn, house.pool, house.redis, path, None)
    filled = time.perf_counter() - began
    again = await bring_forward(house.pool, house.redis, CODEC, house.games)
    whole = time.perf_counter() - began
    house.engine = Engine(KINDS, house.games, house.clock, Seeds(house.random))
    live = {game_id for game_id in before if await _is_live(house, game_id)}
    house.versions = {game_id: wanted[game_id] for game_id in live}
    folded = Archive(house.pool, CODEC)
    unread = [game for game in house.random.sample(archive, FOLDED) if await folded.finished(game.id) is None]
    lost = await house.missing(wanted) + len(unread)
    say(
        f"  backup of {rows:,} events: {taken:.1f} s, with its check {checked:.1f} s; {foot.entries:,} entries of the "
        f"feed in it; restored in {filled:.1f} s, with {len(again.games)} live games {whole:.1f} s; games lost: "
        f"{lost} of {len(wanted):,}"
    )
    return {"backup_seconds": checked, "restore_seconds": whole, "lost": lost}


async def older_redis(house: House) -> dict[str, float]:
    """Put Redis back to an earlier state. PostgreSQL has everything since."""
    await house.project()
    state = [(key, await house.redis.dump(key)) async for key in house.redis.scan_iter(count=1000)]
    await house.play(100)
    await house.project()
    wanted = dict(house.versions)
    await house.redis.flushdb()
    for key, value in state:
        if value is not None:
            await house.redis.restore(key, 0, value)
    began = time.perf_counter()
    again = await bring_forward(house.pool, house.redis, CODEC, house.games)
    seconds = time.perf_counter() - began
    live = {game_id: version for game_id, version in wanted.items() if await _is_live(house, game_id)}
    house.versions = live
    lost = await house.missing(wanted)
    say(
        f"  Redis older: {len(again.games)} games brought forward in {seconds:.1f} s; games lost: {lost} of "
        f"{len(wanted):,}"
    )
    return {"seconds": seconds, "lost": lost}


async def _is_live(house: House, game_id: str) -> bool:
    statement = "SELECT status NOT IN ('completed', 'cancelled') FROM games WHERE id = $1"
    return bool(await house.pool.fetchval(statement, game_id))


async def _on_server(server: str, *statements: str) -> None:
    connection = await asyncpg.connect(server)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Pool]:
    """Open a pool whose statements may take long."""
    async with postgres_pool(dsn, pool_max=4, command_timeout_seconds=3600, statement_timeout_seconds=3600) as pool:
        yield pool


async def drill(events: int, games: int, seed: int) -> dict[str, dict[str, float]]:
    """Do all parts on stores of their own."""
    random = Random(seed)
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        root = Path(directory)
        root.chmod(0o755)  # noqa: ASYNC240 - nothing runs yet
        async with embedded_postgres(root) as server, embedded_redis(root) as cache, redis_client(cache) as redis:
            await _on_server(server, "CREATE DATABASE drill")
            dsn = server.replace("/postgres?", "/drill?")
            await migrate.upgrade(dsn)
            async with opened(dsn) as pool:
                archive = past(max(2 * PLAYED, events // 34), round(time.time() * 1000))
                await project(pool, archive[:PLAYED])
                await multiply(pool, archive)
                house = House(pool, redis, random)
                await house.play(games)
                found = {"backup": await restored(house, dsn, root / "drill.backup", archive)}
                found["older_redis"] = await older_redis(house)
                await house.project()
            await _on_server(server, "CREATE DATABASE earlier TEMPLATE drill")
            async with opened(dsn) as pool:
                house.pool = pool
                await house.play(100)
                await house.project()
                wanted = {**await house.stored(), **house.versions}
            await _on_server(server, "DROP DATABASE drill WITH (FORCE)", "ALTER DATABASE earlier RENAME TO drill")
            async with opened(dsn) as pool:
                house.pool = pool
                found["older_postgres"] = await older_postgres(house, wanted)
    return found


async def older_postgres(house: House, wanted: dict[str, int]) -> dict[str, float]:
    """Let the projector bring an earlier PostgreSQL to the state of Redis."""
    before = await house.stored()
    behind = sum(before.get(game_id, 0) < version for game_id, version in wanted.items())
    began = time.perf_counter()
    projector = await house.project()
    seconds = time.perf_counter() - began
    after = await house.stored()
    lost = sum(after.get(game_id, 0) < version for game_id, version in wanted.items())
    say(
        f"  PostgreSQL older: {behind} games were behind, brought to Redis's state in {seconds:.1f} s; games lost: "
        f"{lost} of {len(wanted):,}, reported as lost: {len(projector.lost)}"
    )
    return {"seconds": seconds, "lost": lost}


def main() -> None:
    """Do the drill and print its figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--games", type=int, default=300, help="live games")
    parser.add_argument("--seed", type=int, default=0, help="of the random commands; 0: a random one")
    given = parser.parse_args()
    logger.remove()
    seed = given.seed or SystemRandom().getrandbits(32)
    say(f"seed {seed}")
    found = asyncio.run(drill(given.events, given.games, seed))
    print(json.dumps({"seed": seed, **found}, indent=2))
    sys.exit(any(part["lost"] for part in found.values()))


if __name__ == "__main__":
    main()
