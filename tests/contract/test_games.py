"""One suite for every implementation of the engine's ``GameStore``, then tests of Redis alone."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from fsm.engine import Commit, CommitResult, Engine, GameStore, Outcome, Record, Stored, Unavailable
from fsm.kind import ChatTopic, Command, Event, Host, Rejected
from fsm.lobby import Cancel, DeadlinePassed, Extend, Join, Leave, MoveChat, OpenGame, PlaceTaken, StartNow
from fsm.pick_number import KIND, NumberTaken, PickNumber, PickNumberGame, PickNumberRules
from storage import keys
from storage.codec import Codec, UnreadableGame
from storage.connections import redis_client
from storage.games import LIVE_TTL_MS, RedisGames
from tests.engine.memory import CountedSeeds, MemoryGames, Shelf
from tests.support.clock import TurnedClock

SHARDS = 4
NOW = 1_700_000_000_000
CODEC = Codec({KIND.name: KIND})
Replicas = Callable[[], GameStore]


def redis_games(redis: Redis) -> RedisGames:
    return RedisGames(redis, CODEC, shards=SHARDS, keep_finished_ms=60_000)


@pytest.fixture(params=["memory", "redis"])
def replicas(request: pytest.FixtureRequest) -> Replicas:
    """Return a function that creates another replica's store over the same games."""
    if request.param == "memory":
        shelf = Shelf({KIND.name: KIND})
        return lambda: MemoryGames(shelf)
    redis = request.getfixturevalue("redis")
    return lambda: redis_games(redis)


def game_id(chat: int = -1, command: str = "tg:1") -> str:
    return keys.new_game_id(ChatTopic(chat), SHARDS, int.from_bytes(sha256(f"{chat}/{command}".encode()).digest()))


def opening(chat: int = -1, command: str = "tg:1", **fields: Any) -> OpenGame:
    rules = PickNumberRules(**fields.pop("rules", {}))
    return OpenGame("pick_number", game_id(chat, command), ChatTopic(chat), Host(1, "Hana"), "x", rules, **fields)


class Script:
    """Model of a game: builds the commits of commands, and records accepted ones. Command ids look like Telegram's."""

    def __init__(self, chat: int = -1, command: str = "tg:1", **fields: Any) -> None:
        self.opening = opening(chat, command, **fields)
        self.state: PickNumberGame | None = None
        self.version = 0
        self.seen: dict[str, int] = {}
        self.now = NOW

    def commit(self, *commands: Command) -> Commit:
        """Build the commit of these commands. It is recorded by ``done``."""
        state, version, records = self.state, self.version, list[Record]()
        for command in commands:
            events = KIND.decide(state, command, self.now, "5eed" * 16)
            assert events
            state, version = KIND.fold(state, events), version + len(events)
            records.append(Record(f"tg:{987_654_000 + version}", self.now, events))
        assert state is not None
        claim = (self.opening.place, self.opening.max_live) if self.state is None else None
        return Commit(state.id, KIND, self.version, version, state, tuple(records), dict(self.seen), claim)

    def open(self) -> Commit:
        """Build the commit that opens the game."""
        return self.commit(self.opening)

    def done(self, commit: Commit) -> None:
        """Record the commit as accepted."""
        assert isinstance(commit.state, PickNumberGame)
        self.state, self.version = commit.state, commit.version
        self.seen |= {record.command_id: record.at for record in commit.records}

    def stored(self) -> Stored:
        """Return the game that a store should load."""
        assert self.state is not None
        return Stored(KIND, self.state, self.version, self.seen)

    @property
    def compare(self) -> Commit:
        """Build a commit that only compares the version."""
        assert self.state is not None
        return Commit(self.state.id, KIND, self.version, self.version, self.state, (), self.seen)


async def accepted(store: GameStore, script: Script, *commands: Command) -> None:
    """Commit these commands together."""
    commit = script.commit(*commands)
    assert await store.commit([commit]) == [CommitResult.COMMITTED]
    script.done(commit)


def long_game() -> Iterator[Command]:
    """Yield about two hundred commands: joining and leaving, picking and moving, the whole show."""
    for player in range(1, 31):
        yield Join(player, f"Player <{player}> é")
        if player % 5 == 0:
            yield Leave(player)
            yield Join(player, f"Player {player} again")
    yield Extend(1, 60_000)
    yield MoveChat(-1)
    yield StartNow(1)
    for turn in range(4):
        for player in range(1, 30):
            yield PickNumber(player, 1 + (player * 5 + turn) % 150)
    yield PickNumber(30, 150)


# -- the contract


async def test_a_game_that_was_never_opened_is_none(replicas: Replicas) -> None:
    assert await replicas().load(game_id()) is None
    assert await replicas().load("nonsense") is None
    assert await replicas().load("") is None


async def test_what_one_replica_commits_another_loads_at_every_version(replicas: Replicas) -> None:
    writer, reader, script = replicas(), replicas(), Script(rules={"reveal_ms": 0, "mode": "reverse"})
    await accepted(writer, script, script.opening)
    for command in long_game():
        try:
            await accepted(writer, script, command)
        except (Rejected, AssertionError):
            continue  # nothing to commit
        assert await reader.load(script.opening.game_id) == script.stored()
    assert script.state is not None
    while script.state.deadline is not None:
        script.now = max(script.now, script.state.deadline)
        await accepted(writer, script, DeadlinePassed(script.state.deadline))
        assert await reader.load(script.opening.game_id) == script.stored()
    assert script.state.phase == "completed"
    assert script.version > 170


async def test_the_records_after_any_version_lead_to_the_state_that_is_loaded(replicas: Replicas) -> None:
    script, writer, reader = Script(rules={"reveal_ms": 0}), replicas(), replicas()
    await accepted(writer, script, script.opening)
    known, followed = [replace(script.stored(), seen=dict(script.seen))], 0
    for command in long_game():
        try:
            await accepted(writer, script, command)
        except (Rejected, AssertionError):
            continue  # nothing to commit
        for earlier in (known[-1], known[-len(known) // 2]):
            records = await reader.records_since(script.opening.game_id, earlier)
            if records is None:
                continue  # a snapshot has replaced them
            followed += 1
            assert isinstance(earlier.state, PickNumberGame)
            state = KIND.fold(earlier.state, [event for record in records for event in record.events])
            assert state == script.state
            assert earlier.version + sum(len(record.events) for record in records) == script.version
        known.append(replace(script.stored(), seen=dict(script.seen)))
    assert followed > len(known)
    assert await reader.records_since(script.opening.game_id, known[-1]) == []


async def test_a_state_of_another_history_has_no_later_records(replicas: Replicas) -> None:
    script, store = Script(), replicas()
    await accepted(store, script, script.opening)
    for player in range(1, 5):
        await accepted(store, script, Join(player, "x"))
    known, (command_id, at) = script.stored(), next(reversed(script.seen.items()))
    id_ = script.opening.game_id
    assert await store.records_since(id_, known) == []
    ahead = replace(known, version=known.version + 1)
    assert await store.records_since(id_, ahead) is None
    assert await store.records_since(game_id(-2), known) is None
    assert await store.records_since(id_, replace(known, incarnation="5eed5eed")) is None
    repeated = {**known.seen, command_id: at + 1}  # by the same command, sent again after a loss
    assert await store.records_since(id_, replace(known, seen=repeated)) is None
    assert await store.records_since(id_, replace(known, seen={**known.seen, "tg:1": at})) is None


async def test_several_commands_of_a_game_are_one_commit(replicas: Replicas) -> None:
    store, script = replicas(), Script()
    await accepted(store, script, script.opening, *(Join(player, "x") for player in range(1, 61)))
    await accepted(store, script, *(Join(player, "x") for player in range(61, 90)))
    assert await replicas().load(script.opening.game_id) == script.stored()


@pytest.mark.parametrize("expected", [0, 1, 3, 99])
async def test_a_commit_at_another_version_is_a_conflict_and_writes_nothing(replicas: Replicas, expected: int) -> None:
    store, script = replicas(), Script()
    await accepted(store, script, script.opening)
    await accepted(store, script, Join(1, "x"))
    wrong = replace(script.commit(Join(2, "x")), expected=expected)
    assert await store.commit([wrong]) == [CommitResult.CONFLICT]
    assert await replicas().load(script.opening.game_id) == script.stored()
    assert await store.commit([replace(wrong, expected=2)]) == [CommitResult.COMMITTED]


async def test_a_commit_without_records_only_compares(replicas: Replicas) -> None:
    store, script = replicas(), Script()
    await accepted(store, script, script.opening)
    assert await store.commit([script.compare]) == [CommitResult.COMMITTED]
    old = script.compare
    await accepted(store, script, Join(1, "x"))
    assert await store.commit([old]) == [CommitResult.CONFLICT]
    assert await replicas().load(script.opening.game_id) == script.stored()


async def test_a_comparison_with_a_game_that_is_gone_is_a_conflict(replicas: Replicas) -> None:
    script = Script()
    script.done(script.open())
    assert await replicas().commit([script.compare]) == [CommitResult.CONFLICT]


async def test_of_two_commits_on_one_version_the_first_is_taken(replicas: Replicas) -> None:
    store, script = replicas(), Script()
    await accepted(store, script, script.opening)
    first, second = script.commit(Join(1, "x")), script.commit(Join(2, "x"))
    assert await store.commit([first, second]) == [CommitResult.COMMITTED, CommitResult.CONFLICT]
    script.done(first)
    assert await replicas().load(script.opening.game_id) == script.stored()


async def test_each_commit_of_a_call_is_answered_for_itself_and_in_order(replicas: Replicas) -> None:
    store = replicas()
    good, late, taken, other = Script(-1), Script(-2), Script(-1, "tg:2"), Script(-3)
    await accepted(store, late, late.opening)
    old = late.commit(Join(1, "x"))
    await accepted(store, late, Join(2, "x"))
    results = await store.commit([good.open(), old, taken.open(), other.open(), late.compare])
    assert results == [
        CommitResult.COMMITTED,
        CommitResult.CONFLICT,
        CommitResult.OCCUPIED,
        CommitResult.COMMITTED,
        CommitResult.COMMITTED,
    ]
    assert await store.load(taken.opening.game_id) is None


async def test_a_game_is_opened_once(replicas: Replicas) -> None:
    one, other, script = replicas(), replicas(), Script(max_live=5)
    commit = script.open()
    results = await asyncio.gather(one.commit([commit]), other.commit([commit]))
    assert sorted(result.value for (result,) in results if isinstance(result, CommitResult)) == [
        "committed",
        "conflict",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a_place_holds_as_many_live_games_as_it_may(replicas: Replicas, limit: int) -> None:
    store = replicas()
    scripts = [Script(-1, f"tg:{index}", max_live=limit) for index in range(limit + 2)]
    results = [(await store.commit([script.open()]))[0] for script in scripts]
    assert results == [CommitResult.COMMITTED] * limit + [CommitResult.OCCUPIED] * 2
    ended = scripts[0]
    ended.done(ended.open())
    await accepted(store, ended, Cancel(None, "operator"))
    assert await store.commit([scripts[-1].open()]) == [CommitResult.COMMITTED]
    assert await store.commit([scripts[-2].open()]) == [CommitResult.OCCUPIED]


async def test_places_are_told_apart_by_chat_and_topic(replicas: Replicas) -> None:
    store = replicas()
    base = Script()
    places = [ChatTopic(-1), ChatTopic(-1, 7), ChatTopic(-1, 8), ChatTopic(-11), ChatTopic(1)]
    for index, place in enumerate(places):
        base.opening = replace(opening(command=f"tg:{index}"), place=place)
        assert await store.commit([base.open()]) == [CommitResult.COMMITTED]
        base.opening = replace(opening(command=f"again:{index}"), place=place)
        assert await store.commit([base.open()]) == [CommitResult.OCCUPIED]


async def test_what_can_not_be_written_is_told_to_its_game_alone(replicas: Replicas) -> None:
    store, good, bad = replicas(), Script(-1), Script(-2)
    await accepted(store, bad, bad.opening)
    results = await store.commit([bad.commit(Join(1, "half \ud83d")), good.open()])
    assert isinstance(results[0], Exception)
    assert results[1] == CommitResult.COMMITTED
    assert await store.load(bad.opening.game_id) == bad.stored()
    await accepted(store, bad, Join(2, "x"))


async def test_an_empty_call_is_answered_emptily(replicas: Replicas) -> None:
    assert list(await replicas().commit([])) == []


# -- two engines on one store


def engine(store: GameStore) -> Engine:
    return Engine({KIND.name: KIND}, store, TurnedClock(NOW), CountedSeeds())


async def told(call: Awaitable[Outcome]) -> Outcome | Rejected:
    """Return the outcome of a call, or its refusal."""
    try:
        return await call
    except Rejected as refusal:
        return refusal


async def race(engines: tuple[Engine, Engine], game: str, number: int, rng: Random) -> int:
    """Let players 1 and 2 tap the same free number at different replicas. Returns the winner; the other is refused."""
    taps = [
        told(engines[index].execute(game, PickNumber(player, number), command_id=f"tap {number} {player}"))
        for index, player in rng.sample([(0, 1), (1, 2)], 2)
    ]
    answers = await asyncio.gather(*taps)
    assert [answer for answer in answers if isinstance(answer, Rejected)] == [NumberTaken(number=number)]
    (done,) = [answer for answer in answers if isinstance(answer, Outcome)]
    assert isinstance(done.state, PickNumberGame)
    return done.state.owners[number]


async def test_of_two_who_tap_one_number_at_once_one_gets_it_and_the_other_is_told_a_thousand_times(
    replicas: Replicas,
) -> None:
    engines, rng, wins = (engine(replicas()), engine(replicas())), Random(1), Counter[int]()
    for chat in range(1, 11):
        game = game_id(chat)
        await engines[0].execute(game, opening(chat, rules={"numbers": 2000}), command_id="open")
        for player in (1, 2, 3):
            await engines[0].execute(game, Join(player, "x"), command_id=f"join {player}")
        await engines[0].execute(game, StartNow(1), command_id="start")
        for number in range(1, 101):
            wins[await race(engines, game, number, rng)] += 1
        stored = await replicas().load(game)
        assert stored is not None
        assert isinstance(stored.state, PickNumberGame)
        assert {player: number for number, player in stored.state.owners.items()} == stored.state.picks
    assert wins.total() == 1000
    assert min(wins.values()) > 100


async def test_of_two_who_open_a_game_in_one_place_at_once_one_does(replicas: Replicas) -> None:
    engines = (engine(replicas()), engine(replicas()))
    for chat in range(1, 101):
        answers = await asyncio.gather(
            *(
                told(one.execute(game_id(chat, name), opening(chat, name), command_id=name))
                for one, name in zip(engines, ("tg:1", "tg:2"), strict=True)
            )
        )
        assert [answer for answer in answers if isinstance(answer, Rejected)] == [PlaceTaken(limit=1)]


# -- Redis alone


async def all_keys(redis: Redis) -> list[str]:
    return sorted([key.decode() async for key in redis.scan_iter()])


async def feed(redis: Redis, shard: str) -> list[dict[bytes, bytes]]:
    entries: Any = await redis.xrange(keys.feed_key(shard))
    return [fields for _, fields in entries]


async def test_redis_that_forgot_its_scripts_is_taught_again(redis: Redis) -> None:
    store, script = redis_games(redis), Script()
    await accepted(store, script, script.opening)
    await redis.script_flush()
    await accepted(store, script, Join(1, "x"))
    assert await store.load(script.opening.game_id) == script.stored()
    await redis.script_flush()
    assert await store.records_since(script.opening.game_id, script.stored()) == []


async def test_every_key_has_a_time_to_live_but_the_feed_and_the_index_of_deadlines(redis: Redis) -> None:
    store = redis_games(redis)
    scripts = [Script(-index) for index in range(1, 9)]
    for script in scripts:
        await accepted(store, script, script.opening)
        for player in range(1, 41):  # enough commands for a snapshot and a tail
            await accepted(store, script, Join(player, "x"))
    for script in scripts[:4]:
        await accepted(store, script, Cancel(None, "operator"))
    owned = {keys.feed_key(shard) for shard in store.shards} | {keys.deadlines_key(shard) for shard in store.shards}
    ended = {script.opening.game_id for script in scripts[:4]}
    for key in await all_keys(redis):
        left = await redis.pttl(key)
        if key in owned:
            assert left == -1
        else:
            assert 0 < left <= (60_000 if key[-14:] in ended else LIVE_TTL_MS)
    for shard in store.shards:
        members: Any = await redis.zrange(keys.deadlines_key(shard), 0, -1)
        assert not {member.decode() for member in members} & ended


async def test_all_keys_of_a_game_and_its_feed_share_a_hash_tag(redis: Redis) -> None:
    store, script = redis_games(redis), Script(-77)
    await accepted(store, script, script.opening)
    await accepted(store, script, Join(1, "x"))
    tag = "{" + script.opening.game_id[:2] + "}"
    assert len(await all_keys(redis)) == 5
    assert all(key.startswith(f"tombola:{tag}:") for key in await all_keys(redis))


async def test_the_feed_has_every_commit_once_in_order_and_nothing_else(redis: Redis) -> None:
    store, script = redis_games(redis), Script()
    await accepted(store, script, script.opening)
    await accepted(store, script, Join(1, "x"), Join(2, "x"))
    assert await store.commit([replace(script.compare, expected=1)]) == [CommitResult.CONFLICT]
    assert await store.commit([script.compare]) == [CommitResult.COMMITTED]
    await accepted(store, script, Cancel(None, "operator"))
    entries = await feed(redis, script.opening.game_id[:2])
    assert [int(entry[b"v"]) for entry in entries] == [0, 1, 4]
    assert [entry[b"p"].decode() for entry in entries] == ["waiting_for_players", "players_joining", "cancelled"]
    assert [entry[b"d"] for entry in entries] == [b"%d" % (NOW + 900_000), b"%d" % (NOW + 60_000), b""]
    events: list[Event] = []
    for entry in entries:
        assert (entry[b"g"].decode(), entry[b"k"]) == (script.opening.game_id, b"pick_number")
        events += [event for record in CODEC.decode_records(KIND, entry[b"r"]) for event in record.events]
    assert KIND.fold(None, events) == script.state


async def test_deadlines_are_indexed_found_when_due_and_told_when_they_change(redis: Redis) -> None:
    store, script = redis_games(redis), Script()
    game, channel = script.opening.game_id, keys.deadlines_key(script.opening.game_id[:2])
    heard = redis.pubsub()
    await heard.subscribe(channel)
    await heard.get_message(timeout=60)
    await accepted(store, script, script.opening)
    lobby = NOW + 900_000
    assert await store.deadlines(lobby) == [(game, lobby)]
    assert (await store.due(lobby), await store.due(lobby - 1)) == ([(game, lobby)], [])
    await accepted(store, script, Join(1, "x"))  # a command without effect on the deadline
    await accepted(store, script, Join(2, "x"))
    assert await store.deadlines(lobby) == [(game, NOW + 60_000)]
    await accepted(store, script, Cancel(None, "operator"))
    assert await store.deadlines(lobby) == []
    messages = [await heard.get_message(timeout=60) for _ in range(2)]
    assert [message["data"] for message in messages if message] == [
        f"{game} {lobby}".encode(),
        f"{game} {NOW + 60_000}".encode(),
    ]
    await heard.aclose()  # type: ignore[no-untyped-call]


async def test_the_most_overdue_come_first_over_all_shards_and_a_vanished_game_is_forgotten(redis: Redis) -> None:
    store = redis_games(redis)
    scripts = [Script(-index) for index in range(1, 20)]
    for index, script in enumerate(scripts):
        script.now = NOW + index * 7 % 19
        await accepted(store, script, script.opening)
    due = await store.due(NOW + 10**9)
    assert [deadline for _, deadline in due] == sorted(NOW + 900_000 + index for index in range(19))
    for game, _ in due:
        await store.forget_deadline(game)
    assert await store.due(NOW + 10**9) == []


async def test_a_place_whose_game_has_vanished_heals_itself(redis: Redis) -> None:
    store, lost, next_one = redis_games(redis), Script(), Script(command="tg:2")
    await accepted(store, lost, lost.opening)
    assert await store.live_in(ChatTopic(-1)) == [lost.opening.game_id]
    assert await store.commit([next_one.open()]) == [CommitResult.OCCUPIED]
    await redis.delete(keys.game_key(lost.opening.game_id))
    assert await store.commit([next_one.open()]) == [CommitResult.COMMITTED]
    assert await store.live_in(ChatTopic(-1)) == [next_one.opening.game_id]


def chats_of_two_shards() -> tuple[int, int]:
    """Return two chat ids whose games live in different shards."""
    home = keys.shard_of_chat(-1, SHARDS)
    return -1, next(chat for chat in range(-100, -2) if keys.shard_of_chat(chat, SHARDS) != home)


async def migrated(store: RedisGames, script: Script, new: int) -> None:
    """Turn the chat of a live game into a supergroup, as the handlers do."""
    await accepted(store, script, MoveChat(new))
    await store.settle_in(ChatTopic(new), script.opening.game_id)
    await store.leave_topics(script.opening.game_id, [ChatTopic(script.opening.place.chat_id)])


async def test_a_migrated_game_is_found_in_its_new_chat_holds_its_place_and_leaves_it_at_the_end(
    redis: Redis,
) -> None:
    store = redis_games(redis)
    old, new = chats_of_two_shards()
    script, rival = Script(old), Script(new, "tg:2")
    await accepted(store, script, script.opening)
    await migrated(store, script, new)
    assert (await store.live_in(ChatTopic(old)), await store.live_in(ChatTopic(new))) == ([], [script.opening.game_id])
    assert await store.commit([rival.open()]) == [CommitResult.OCCUPIED]
    await accepted(store, script, Join(1, "x"))
    assert await store.load(script.opening.game_id) == script.stored()
    await accepted(store, script, Cancel(None, "operator"))
    assert await store.live_in(ChatTopic(new)) == []
    assert await store.commit([rival.open()]) == [CommitResult.COMMITTED]


async def test_an_ended_game_releases_its_place_and_is_kept_for_a_while(redis: Redis) -> None:
    store, script = redis_games(redis), Script()
    await accepted(store, script, script.opening)
    await accepted(store, script, Cancel(None, "operator"))
    assert await store.live_in(ChatTopic(-1)) == []
    assert await store.load(script.opening.game_id) == script.stored()
    assert 0 < await redis.pttl(keys.game_key(script.opening.game_id)) <= 60_000
    assert not await redis.exists(keys.tail_key(script.opening.game_id))


async def test_a_game_of_twenty_players_takes_less_than_eleven_kilobytes_at_any_time(redis: Redis) -> None:
    store, script = redis_games(redis), Script(rules={"mode": "reverse", "reveal_ms": 0, "winners": 3})
    game, sizes = script.opening.game_id, list[int]()

    async def step(*commands: Command) -> None:
        await accepted(store, script, *commands)
        used = [await redis.memory_usage(key) for key in (keys.game_key(game), keys.tail_key(game))]
        sizes.append(sum(size or 0 for size in used))

    await step(script.opening)
    for player in range(1, 21):
        await step(Join(5_000_000_000 + player, f"Alexandra P. {player}"))
    await step(StartNow(1))
    for turn in range(3):
        for player in range(1, 21 if turn == 2 else 20):
            await step(PickNumber(5_000_000_000 + player, player + turn * 20))
    assert script.state is not None
    while script.state.deadline is not None:
        script.now = max(script.now, script.state.deadline)
        await step(DeadlinePassed(script.state.deadline))
    assert script.state.phase == "completed"
    assert max(sizes) < 11_264  # 10,009 on Redis 6.2, 10,704 on 7.0, 10,608 on 8.2


async def test_a_redis_that_can_not_be_reached_is_unavailable() -> None:
    async with redis_client("redis://127.0.0.1:1") as nowhere:
        store, script = redis_games(nowhere), Script()
        with pytest.raises(Unavailable):
            await store.load(game_id())
        with pytest.raises(Unavailable):
            await store.commit([script.open()])
        with pytest.raises(Unavailable):
            await store.due(NOW)


async def test_a_redis_without_memory_is_unavailable_and_writes_nothing(redis: Redis) -> None:
    store, script = redis_games(redis), Script()
    await redis.config_set("maxmemory", "1")
    try:
        (result,) = await store.commit([script.open()])
    finally:
        await redis.config_set("maxmemory", "0")
    assert isinstance(result, Unavailable)
    assert await all_keys(redis) == []
    await accepted(store, script, script.opening)


@pytest.mark.parametrize("field", ["k", "s"])
async def test_a_game_that_this_version_can_not_read_is_said_to_be_so(redis: Redis, field: str) -> None:
    store, script = redis_games(redis), Script()
    await accepted(store, script, script.opening)
    await redis.hset(keys.game_key(script.opening.game_id), field, "chess")
    with pytest.raises(UnreadableGame):
        await store.load(script.opening.game_id)


async def test_what_is_stored_are_names_and_no_module_paths(redis: Redis) -> None:
    store, script = redis_games(redis), Script()
    await accepted(store, script, script.opening)
    await accepted(store, script, Join(1, "x"))
    raw = (await redis.lrange(keys.tail_key(script.opening.game_id), 0, -1))[0]
    (record,) = msgspec.json.decode(raw)
    assert record == {
        "c": "tg:987654002",
        "at": NOW,
        "e": [["player_joined", {"player_id": 1, "name": "x", "at": NOW}]],
    }
