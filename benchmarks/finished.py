"""Benchmark: does an archive of 100,000 finished games slow down the games in play?

The same work runs with the archive and without it. Two pairs of stores run side by side and alternate, so that a slow
minute of the machine affects both:

- taps at a fixed rate on a server whose Redis keeps finished games for a day. It keeps 10,000 of them, a month's share
  of 100,000 a year, and more keys than a day otherwise leaves there;
- the projector on a backlog of games that are opened, played and ended, so that all these tables grow;
- the reads that players wait for, only with the archive: without it the tables are empty.

A few games are played by the rules and written by the projector. The others are copies of their rows, spread over a
year, for twenty thousand people who play in groups of ten. The busiest of a thousand chats has three thousand games,
the quietest fifty. A copy has its own ids and times, except for the times inside its events, which no query reads.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from statistics import median

from redis.asyncio import Redis

from benchmarks import stacks
from benchmarks.machine import cpu_seconds
from benchmarks.plan import Plan, say
from benchmarks.projector import SHARDS as SHARD_NAMES
from benchmarks.projector import put, read_backlog
from benchmarks.report import Row, row
from benchmarks.stacks import Stack, Stores
from benchmarks.taps import asleep, awake, checked
from benchmarks.world import SHARDS, planned, seeded
from fsm.engine import Commit, CommitResult, Record
from fsm.kind import ChatTopic, Command, Host, changed
from fsm.lobby import DeadlinePassed, Join, OpenGame
from fsm.pick_number import KIND, NUMBER_SELECTION, PickNumber, PickNumberGame, PickNumberRules
from fsm.registry import KINDS
from storage import keys
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import Connection, Pool, postgres_pool, redis_client
from storage.embedded import embedded_postgres, embedded_redis
from storage.feed import Entry, Feed
from storage.games import RedisGames
from storage.projector import Projector

GAMES, IN_REDIS = 100_000, 10_000
FEW = 200
"""Number of games in a quick run, which only shows that the benchmark works."""
PLAYED = 97
"""Number of games that are played instead of copied. A prime, so that each group of ten has copies of many of them."""
PLAYERS = 10
EACH = 50
"""Games of each group of ten."""
MOVERS = 5
"""Players of a game who move to another number."""
FIRST_TEN = 700_000_000
"""Base of the player ids: a group of ten has this number, or one of the next, followed by a digit."""
FIRST_CHAT = -1_001_000_000_000
YEAR_MS, DAY_MS = 365 * 86_400_000, 86_400_000
A_STEP = 2000
"""Number of games that one statement copies."""
FILL_SECONDS = 600.0
RULES = PickNumberRules(max_players=PLAYERS, winners=3, prize_pool=Decimal(100))
CODEC = Codec(KINDS)

RATE = 1000.0
"""Taps a second: a fifth of the capacity of one server."""
LIVE = 500
"""Number of games in play during the measurement."""
TURNS = 4
"""Number of short series of taps in a run. Several are needed: the disk varies more than the two sides differ."""
TAPPED, PROJECTED = 0, 1
"""Numbers of the Redis databases for taps and for the projector."""
READS, FEW_READS = 200, 5
"""Numbers of reads of each kind, the second one in a quick run."""
LINES = 11
"""Lines of a page, plus one that tells whether another page follows."""
LAST_PAGE = 1000
"""Number of the last page that a person could reach by tapping."""

_COPIES = """
CREATE UNLOGGED TABLE copies (number int, id text, model text, chat_id bigint, ten text, opened_at timestamptz)
"""
_OF = "FROM copies c JOIN games m ON m.id = c.model {}"
_LATER = "c.opened_at - m.opened_at"
_TEN, _MODELS_TEN = "c.ten::bigint", "m.host_id / 10"
_STEPS = {
    "games": f"""
    INSERT INTO games (id, kind, chat_id, topic_id, title, host_id, status, rules, summary, players, prize_pool,
        version, opened_at, ended_at)
    SELECT c.id, m.kind, c.chat_id, m.topic_id, m.title, {_TEN} * 10 + m.host_id % 10, m.status, m.rules, m.summary,
        m.players, m.prize_pool, m.version, c.opened_at, m.ended_at + ({_LATER}) {_OF.format("")}
    """,
    "game_participants": f"""
    INSERT INTO game_participants (game_id, player_id, name, joined_at, left_at, number, points, place, prize)
    SELECT c.id, {_TEN} * 10 + p.player_id % 10, p.name, p.joined_at + ({_LATER}), p.left_at + ({_LATER}), p.number,
        p.points, p.place, p.prize {_OF.format("JOIN game_participants p ON p.game_id = m.id")}
    """,
    "prizes": f"""
    INSERT INTO prizes (game_id, player_id, place, amount, settled_at)
    SELECT c.id, {_TEN} * 10 + p.player_id % 10, p.place, p.amount, p.settled_at + ({_LATER})
    {_OF.format("JOIN prizes p ON p.game_id = m.id")}
    """,
    "game_events": f"""
    INSERT INTO game_events (game_id, version, name, at, command_id, data)
    SELECT c.id, e.version, e.name, e.at + ({_LATER}), e.command_id,
        replace(replace(e.data::text, ({_MODELS_TEN})::text, c.ten), m.id, c.id)::jsonb
    {_OF.format("JOIN game_events e ON e.game_id = m.id")}
    """,
}
"""Statements that copy the rows of all games, by table. Copies are read in the order of time."""
_PEOPLE = """
INSERT INTO players (id, name) SELECT DISTINCT ON (player_id) player_id, name FROM game_participants
ON CONFLICT DO NOTHING
"""
_CHATS = """
INSERT INTO chats (id, type, title) SELECT DISTINCT chat_id, 'supergroup', 'Friday games' FROM games
ON CONFLICT DO NOTHING
"""
_FIGURES = """
INSERT INTO player_stats AS s (player_id, chat_id, kind, name, games, wins, prizes, points)
SELECT p.player_id, c.id, k.name, max(p.name), count(*), count(*) FILTER (WHERE p.place <= (g.rules->>'winners')::int),
    sum(p.prize), sum(p.points)
FROM game_participants p JOIN games g ON g.id = p.game_id
CROSS JOIN LATERAL (VALUES (0::bigint), (g.chat_id)) AS c(id)
CROSS JOIN LATERAL (VALUES (''), (g.kind)) AS k(name)
GROUP BY p.player_id, c.id, k.name
ON CONFLICT (player_id, chat_id, kind)
DO UPDATE SET games = excluded.games, wins = excluded.wins, prizes = excluded.prizes, points = excluded.points
"""
"""Statement that adds up players' figures as the projector does."""
_KEYS = """
SELECT conname AS name, conrelid::regclass::text AS on, contype = 'f' AS refers, pg_get_constraintdef(oid) AS made
FROM pg_constraint
WHERE (conrelid = ANY($1::text[]::regclass[]) OR confrelid = ANY($1::text[]::regclass[]))
    AND connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f') AND conparentid = 0
ORDER BY contype = 'f' DESC
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
WHERE i.indrelid = ANY($1::text[]::regclass[]) AND c.oid IS NULL
"""
_LOADING = ("SET work_mem = '512MB'", "SET maintenance_work_mem = '1GB'", "SET synchronous_commit = off")
"""Settings of a session that fills tables."""


# -- games that have ended --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """A finished game: its chat, its players and its time."""

    number: int
    id: str
    chat_id: int
    ten: int
    opened_at: int

    def player(self, number: int) -> int:
        """Return the id of a player, by the number within the group of ten."""
        return 10 * self.ten + number


def past(games: int, now: int) -> list[Ended]:
    """Return the games of a year, oldest first."""
    return [_ended(number, games, now - DAY_MS - YEAR_MS + YEAR_MS * number // games) for number in range(games)]


def present(games: Sequence[Ended], count: int, turn: int) -> list[Ended]:
    """Return a number of today's games by people who have met before; each turn returns different ones."""
    first, now = len(games) + turn * count, games[-1].opened_at + DAY_MS
    return [_ended(number, len(games), now) for number in range(first, first + count)]


def _ended(number: int, games: int, opened_at: int) -> Ended:
    """Return a finished game. The number of groups that a chat has falls with the square root of the chat's number."""
    tens = max(1, games // EACH)
    chat_id = FIRST_CHAT - int(tens / 2 * (number % tens / tens) ** 2)
    game_id = keys.new_game_id(ChatTopic(chat_id), SHARDS, seeded(f"finished:{number}"))
    return Ended(number, game_id, chat_id, FIRST_TEN + number % tens, opened_at)


def played(game: Ended) -> tuple[PickNumberGame, tuple[Record, ...]]:
    """Play a game by the rules: all join, some move, all deadlines pass. Returns the final state and all records."""
    random = Random(game.number)
    numbers = random.sample(range(1, RULES.highest(PLAYERS) + 1), PLAYERS + MOVERS)
    opening = OpenGame(KIND.name, game.id, ChatTopic(game.chat_id), Host(game.player(0), "Player 0"), "Friday", RULES)
    commands: list[Command] = [
        *(Join(game.player(n), f"Player {n}") for n in range(PLAYERS)),
        *(PickNumber(game.player(n), numbers[PLAYERS + n]) for n in range(MOVERS)),
        *(PickNumber(game.player(n), numbers[n]) for n in range(PLAYERS)),
    ]
    records: list[Record] = []

    def after(state: PickNumberGame | None, command: Command, at: int) -> PickNumberGame:
        events = KIND.decide(state, command, at, f"{random.getrandbits(256):064x}")
        records.append(Record(f"tg:{500_000_000 + 100 * game.number + len(records)}", at, events))
        return KIND.fold(state, events)

    state = after(None, opening, game.opened_at)
    for second, command in enumerate(commands, 1):
        state = after(state, command, game.opened_at + 1000 * second)
    while (deadline := state.deadline) is not None:
        state = after(state, DeadlinePassed(deadline), deadline)
    return state, tuple(records)


@dataclass(frozen=True)
class Backlog:
    """Feed entries of games that are played concurrently."""

    entries: list[dict[str, str | int | bytes]]
    events: int


def backlog(games: Sequence[Ended], *, left: int = 0) -> Backlog:
    """Play games by the rules.

    `left` commands at the end of each game are kept back for later.
    """
    steps: list[list[dict[str, str | int | bytes]]] = []
    events = 0
    for game in games:
        state, records = played(game)
        version = 0
        for step, record in enumerate(records[: len(records) - left]):
            raw = CODEC.encode_records(KIND, [record])
            phase = state.phase if record is records[-1] else NUMBER_SELECTION
            if step == len(steps):
                steps.append([])
            steps[step].append({"g": game.id, "v": version, "k": KIND.name, "p": phase, "d": "", "r": raw})
            version += len(record.events)
        events += version
    return Backlog([entry for step in steps for entry in step], events)


async def project(pool: Pool, games: Sequence[Ended]) -> None:
    """Play games and write them with the projector."""
    for game in games:
        state, records = played(game)
        raw = CODEC.encode_records(KIND, records)
        entry = Entry("", keys.shard_of_game(game.id), game.id, 1, KIND.name, state.phase, None, raw)
        await Projector(pool).handle([entry])


@asynccontextmanager
async def bare(pool: Pool, tables: Sequence[str]) -> AsyncIterator[None]:
    """Take the keys and indexes off tables while they are filled, and build the same ones afterwards.

    A random key written row by row into an index larger than the server's buffers is most of the time of a large fill.
    """
    async with loading(pool) as connection:
        constraints = await connection.fetch(_KEYS, list(tables))
        indexes = await connection.fetch(_INDEXES, list(tables))
        for key in constraints:
            await connection.execute(f"ALTER TABLE {key['on']} DROP CONSTRAINT {key['name']}")
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
    yield
    async with loading(pool) as connection:
        for key in reversed(constraints):
            await connection.execute(f"ALTER TABLE {key['on']} ADD CONSTRAINT {key['name']} {key['made']}")
        for index in indexes:  # ON ONLY would leave a table's partitions without the index
            await connection.execute(index["made"].replace(" ON ONLY ", " ON ", 1))


@asynccontextmanager
async def loading(pool: Pool) -> AsyncIterator[Connection]:
    """Lend a connection with settings for large statements."""
    async with pool.acquire() as connection:
        for setting in _LOADING:
            await connection.execute(setting)
        yield connection
        await connection.execute("RESET ALL")


async def multiply(pool: Pool, games: Sequence[Ended]) -> None:
    """Copy the first games, which are stored already, to all other games in every table that the projector writes."""
    await pool.execute(_COPIES)
    async with bare(pool, list(_STEPS)), loading(pool) as connection:
        rows = [_copy(game, games[game.number % PLAYED]) for game in games[PLAYED:]]
        await connection.copy_records_to_table("copies", records=rows)
        await connection.execute("ANALYZE")
        for statement in _STEPS.values():
            await connection.execute(statement)
        await connection.execute("ANALYZE")
        for statement in (_PEOPLE, _CHATS, _FIGURES):
            await connection.execute(statement)
    for statement in ("DROP TABLE copies", "VACUUM ANALYZE", "CHECKPOINT"):  # neither may run during a measurement
        await pool.execute(statement)


def _copy(game: Ended, model: Ended) -> tuple[int, str, str, int, str, datetime]:
    opened_at = datetime.fromtimestamp(game.opened_at / 1000, UTC)
    return game.number, game.id, model.id, game.chat_id, str(game.ten), opened_at


async def keep(redis: Redis, games: Sequence[Ended]) -> None:
    """Leave in Redis the keys that a finished game keeps for a day; its feed has been read and trimmed."""
    store = RedisGames(redis, CODEC, shards=SHARDS)
    models = [played(game) for game in games[:PLAYED]]
    for first in range(0, len(games), A_STEP):
        commits = []
        for game in games[first : first + A_STEP]:
            state, records = models[game.number % len(models)]
            version = sum(len(record.events) for record in records)
            chat_topic = ChatTopic(game.chat_id)
            ended = changed(state, id=game.id, place=chat_topic)
            commits.append(Commit(game.id, KIND, 0, version, ended, records, {}, (chat_topic, 1)))
        results = await store.commit(commits)
        assert set(results) == {CommitResult.COMMITTED}, results[:3]
        await redis.delete(*(keys.feed_key(shard) for shard in store.shards))


# -- with them and without ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """A pair of stores, with a server that is paused between its turns, and a reader of the feed."""

    name: str
    stores: Stores
    stack: Stack
    pool: Pool
    redis: Redis
    feed: Feed

    async def taps(self, plan: Plan) -> tuple[float, float, float]:
        """Return a tap's processor time in microseconds, and the median and 95th percentile of latencies in ms."""
        async with awake(self.stack) as stack:
            before = cpu_seconds(stack.pid)
            report = await checked(stack, plan.run(stack.port, rate=RATE), self.stores)
            cost = (cpu_seconds(stack.pid) - before) / max(1, report.done) * 1e6
        p50, p95 = (report.latencies.get(name, 0.0) for name in ("p50", "p95"))
        say(f"  beside {self.name}: {cost:.0f} us of processor a tap, p50 {p50:.2f} ms, p95 {p95:.2f} ms")
        return cost, p50, p95

    async def projects(self, backlog: Backlog) -> tuple[float]:
        """Return the projector's time for an event, in microseconds."""
        for first in range(0, len(backlog.entries), A_STEP):
            await put(self.redis, backlog.entries[first : first + A_STEP])
        by_wall, _ = await read_backlog(self.feed, Projector(self.pool), backlog.events)
        say(f"  beside {self.name}: the projector writes {by_wall:,.0f} events/s")
        return (1e6 / by_wall,)


@asynccontextmanager
async def side(stores: Stores, plan: Plan, name: str, games: Sequence[Ended]) -> AsyncIterator[Side]:
    """Set up one side, with an archive of games."""
    async with AsyncExitStack() as lifetime:
        directory = stores.directory / name
        directory.mkdir(mode=0o755)
        postgres = await lifetime.enter_async_context(embedded_postgres(directory))
        redis = await lifetime.enter_async_context(embedded_redis(directory))
        own = Stores(stores.directory, postgres, redis, stores.api)
        await own.made(TAPPED)
        dsn = own.postgres_database(TAPPED)
        pool = await lifetime.enter_async_context(
            postgres_pool(dsn, command_timeout_seconds=FILL_SECONDS, statement_timeout_seconds=FILL_SECONDS)
        )
        if games:
            began = time.perf_counter()
            await project(pool, games[:PLAYED])
            await multiply(pool, games)
            async with redis_client(own.database(TAPPED)) as kept:
                await keep(kept, games[-IN_REDIS:])
            size = await pool.fetchval("SELECT pg_database_size(current_database())")
            say(f"  {len(games):,} games in {time.perf_counter() - began:.0f} s, {size / 1e6:,.0f} MB of PostgreSQL")
        world = planned("many-small", games=plan.games or LIVE)
        stack = await lifetime.enter_async_context(stacks.tombola(own, world, TAPPED, name=f"beside-{name}"))
        await lifetime.enter_async_context(stacks.loaded(stack, own, plan.seed))
        await asleep(stack, own, lifetime)
        client = await lifetime.enter_async_context(redis_client(own.database(PROJECTED)))
        feed = Feed(client, SHARD_NAMES, "projector", owner="benchmark")
        yield Side(name, own, stack, pool, client, feed)


def reads(archive: Archive, games: Sequence[Ended], seed: int) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """Return the reads that people wait for, each for a random chat, person or game.

    A chat is chosen as often as it has played.
    """
    random = Random(seed)

    def game() -> Ended:
        return random.choice(games)

    def person() -> int:
        return game().player(random.randrange(PLAYERS))

    return {
        "history": lambda: archive.history(game().chat_id, None, LINES),
        "own_history": lambda: archive.history(None, person(), LINES),
        "stats": lambda: archive.player_stats(person()),
        "leaderboard": lambda: archive.leaderboard(game().chat_id, None, LINES),
        "leaderboard_of_all": lambda: archive.leaderboard(0, None, LINES),
        "last_page": lambda: archive.leaderboard(0, None, LINES, LAST_PAGE * (LINES - 1)),
        "archive": lambda: archive.finished(game().id),
        "live_in_chat": lambda: archive.live_games(game().chat_id, LINES - 1),
        "live_of_player": lambda: archive.live_game_of_player(person()),
    }


async def _timed(read: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Return the sorted durations of a number of reads, in milliseconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await read()
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


async def in_turns(
    none: Side, many: Side, times: int, work: Callable[[Side, int], Awaitable[Sequence[float]]]
) -> list[list[float]]:
    """Do the same work on both sides alternately. Returns each figure's ratios, many / none."""
    ratios = []
    for number in range(times):
        turns = (many, none) if number % 2 else (none, many)
        found = {side.name: await work(side, number) for side in turns}
        ratios.append([after / max(before, 1e-9) for before, after in zip(found["none"], found["many"], strict=True)])
    return [list(each) for each in zip(*ratios, strict=True)]


async def measure(stores: Stores, plan: Plan) -> list[Row]:
    """Measure everything. Taps come first, because the projector leaves PostgreSQL with background work."""
    games = past(FEW if plan.games else GAMES, round(time.time() * 1000))
    async with side(stores, plan, "none", []) as none, side(stores, plan, "many", games) as many:
        ended = await many.pool.fetchval("SELECT count(*) FROM games WHERE ended_at IS NOT NULL")
        short = replace(plan, seconds=plan.seconds / 2)
        cpu, p50, p95 = await in_turns(none, many, TURNS * plan.runs, lambda each, _: each.taps(short))
        live = plan.games or LIVE
        backlogs = [backlog(present(games, live, number), left=int(not number)) for number in range(plan.runs + 1)]
        for each in (none, many):
            await each.projects(backlogs[0])  # afterwards nothing is new to the stores, and some games are in play
        (events,) = await in_turns(none, many, plan.runs, lambda each, number: each.projects(backlogs[number + 1]))
        return [
            row("finished.games", "games", [ended]),
            row("finished.tap_cpu_ratio", "x", cpu),
            row("finished.tap_p50_ratio", "x", p50),
            row("finished.tap_p95_ratio", "x", p95),
            row("finished.projector_ratio", "x", events),
            *await _read(Archive(many.pool, CODEC), games, plan.seed, FEW_READS if plan.games else READS),
        ]


async def _read(archive: Archive, games: Sequence[Ended], seed: int, count: int) -> list[Row]:
    rows, slowest = [], 0.0
    for name, read in reads(archive, games, seed).items():
        times = await _timed(read, count)
        p95 = times[int(0.95 * len(times))]
        slowest = max(slowest, p95)
        rows.append(row(f"finished.{name}_ms", "ms", times))
        say(f"  {name}: {median(times):.2f} ms, p95 {p95:.2f} ms")
    return [*rows, row("finished.slowest_p95_ms", "ms", [slowest])]
