"""One bad item in a loop: it is set aside, counted and reported; the others are handled."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

import handlers.boards
from bot.deadlines import Deadlines
from bot.tasks import Tasks
from fsm.engine import Engine, Unavailable
from fsm.kind import Game
from fsm.lobby import Join
from fsm.registry import KINDS
from handlers.boards import PROGRESS, TRIES, Boards
from handlers.kinds import registry
from play.texts import Texts
from storage import keys
from storage.administrators import Administrators
from storage.breakers import Circuit, GuardedStore
from storage.connections import Pool
from storage.people import People
from storage.rebuild import bring_forward, rebuild
from storage.retention import prune
from storage.set_aside import SetAside
from telegram.limits import Limits
from telegram.outbox import Outbox
from tests.contract.played import House

DAY_MS = 86_400_000


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


class Counted(SetAside):
    """Set-aside of items with the counts that metrics get."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        super().__init__(lambda loop: self.counts.update([loop]))


def boards_of(house: House, aside: SetAside) -> Boards:
    return Boards(
        engine=house.engine,
        games=house.games,
        outbox=Outbox(house.redis, Limits(house.redis, now=house.clock.now)),
        texts=Texts(),
        people=People(house.pool, house.redis),
        administrators=Administrators(house.redis),
        clock=house.clock,
        bot_username="tombola_bot",
        aside=aside,
    )


def break_view_of(game_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the view of one game raise, like a bug."""
    right = registry.of_state

    def of_state(state: Any) -> Any:
        if state.id == game_id:
            raise KeyError("a bug in a view")
        return right(state)

    monkeypatch.setattr(registry, "of_state", of_state)


async def shown(house: House) -> set[str]:
    """Return the games whose board waits in the outbox."""
    return {
        key.decode().rpartition("board:")[2] async for key in house.redis.scan_iter(match="tombola:{send}:slot:board:*")
    }


async def test_one_games_view_that_raises_stops_the_progress_of_no_other_game(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    games = [await house.open(chat_id=-number - 1) for number in range(5)]
    aside = Counted()
    boards = boards_of(house, aside)
    bad = games[1]
    break_view_of(bad, monkeypatch)
    await boards.take_over()
    for _ in range(2 * TRIES):
        await boards.flush()
        house.clock.at += 10 * 60_000
    assert await shown(house) == set(games) - {bad}
    assert aside.counts[PROGRESS] == TRIES, "it is not tried for ever"
    found = await aside.check()
    assert not found["ok"]
    assert any(bad in name for name in found["latest"])
    monkeypatch.undo()
    await boards.take_over()
    await boards.flush()
    assert bad in await shown(house)
    assert (await aside.check())["ok"], "it was shown after all"


async def test_progress_is_rendered_only_as_far_as_it_can_be_sent_soon(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers.boards, "READY", 2)
    games = [await house.open(chat_id=-number - 1) for number in range(5)]
    boards = boards_of(house, Counted())
    await boards.take_over()
    counts = []
    for _ in range(4):
        await boards.flush()
        await boards.flush()
        counts.append(len(await shown(house)))
        await house.redis.delete("tombola:{send}:ready:3")  # as if these were sent
    assert counts == [2, 4, 5, 5]
    assert await shown(house) == set(games)


async def test_one_games_view_that_raises_keeps_no_other_game_from_being_sent_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    games = [await house.open(chat_id=-number - 1) for number in range(3)]
    aside = Counted()
    boards = boards_of(house, aside)
    break_view_of(games[0], monkeypatch)
    await boards.send_anew()
    assert await shown(house) == set(games[1:])
    assert aside.counts["sending anew"] == 1


async def test_a_game_that_cant_be_read_stops_no_other_games_deadline(house: House) -> None:
    games = [await house.open(chat_id=-number - 1) for number in range(4)]
    await house.redis.hset(keys.game_key(games[0]), "s", b"no snapshot")
    house.engine = house.new_engine()
    house.clock.at += DAY_MS
    aside, tasks = Counted(), Tasks(lambda *_: None)
    deadlines = Deadlines(
        engine=house.engine, games=house.games, redis=house.redis, clock=house.clock, tasks=tasks, aside=aside
    )
    leading = asyncio.create_task(deadlines.lead())
    async with asyncio.timeout(60):
        while {game_id for game_id, _ in await house.games.due(house.clock.at)} != {games[0]}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await house.redis.publish(keys.deadlines_key(games[0][:2]), b"\xffnot one of ours")
        while aside.counts["deadlines heard"] == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert not tasks.failed.is_set()
    assert aside.counts["deadlines"] >= 1
    assert deadlines.stats.fired["error"] == aside.counts["deadlines"]
    overdue = await house.games.overdue(house.clock.at)
    assert list(overdue.stuck) == [games[0]], "the game is named"
    assert overdue.ms == 0, "its deadline is not one that no process fires"
    assert not leading.done()
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    await tasks.close()


async def test_a_live_game_that_cant_be_folded_keeps_no_other_from_being_put_back(house: House, pool: Pool) -> None:
    games = [await house.begin(chat_id=-number - 1) for number in range(3)]
    await house.project()
    await pool.execute(
        "UPDATE game_events SET name = n.name, data = n.data FROM game_events n "
        "WHERE n.game_id = $1 AND n.version = 2 AND game_events.game_id = $1 AND game_events.version = 1",
        games[1],
    )
    await house.redis.flushall()
    rebuilt = await rebuild(pool, house.redis, house.codec, house.games)
    assert {game.id for game in rebuilt.games} == {games[0], games[2]}
    assert rebuilt.left == (games[1],)


async def test_chats_are_told_of_restored_games_although_the_circuit_to_redis_is_still_open(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.boards.RESTORED_AGAIN_SECONDS", 0.05)
    games = [await house.begin(chat_id=-number - 1) for number in range(3)]
    states = [(await house.engine.look(game_id)).state for game_id in games]
    circuit = Circuit("redis", pause_seconds=0.2)

    async def fail() -> None:
        raise Unavailable

    while circuit.state != "opened":
        with pytest.raises(Unavailable):
            await circuit.run(fail(), (Unavailable,))
    house.engine = Engine(KINDS, GuardedStore(house.games, circuit), house.clock, house.entropy)
    aside = Counted()
    await boards_of(house, aside).tell_of_restored(states)
    assert not aside.counts
    waiting = [key.decode() async for key in house.redis.scan_iter(match="*:item:*")]
    notices = [key for key in waiting if ":item:restored:" in key]
    assert len(notices) == len(games)
    assert len(waiting) == 2 * len(games), "each chat gets one notice and one board"


async def test_games_of_an_interrupted_restoration_are_returned_by_the_next_one(house: House, pool: Pool) -> None:
    games = [await house.begin(chat_id=-number - 1) for number in range(3)]
    await house.project()
    await house.redis.flushall()
    restored = list[Game]()
    await bring_forward(pool, house.redis, house.codec, house.games, restored)
    assert {game.id for game in restored} == set(games)
    again = await bring_forward(pool, house.redis, house.codec, house.games, restored)
    assert [game.id for game in again.games] == [game.id for game in restored], "none is restored twice, none forgotten"


async def test_a_table_that_cant_be_pruned_keeps_no_other_from_being_pruned(house: House, pool: Pool) -> None:
    await house.play()
    await house.project()
    await pool.execute(
        "INSERT INTO bans (chat_id, player_id, by, expires_at) VALUES (-1, 2, 3, now() - interval '1 year')"
    )
    await pool.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse BEFORE DELETE ON game_events FOR EACH ROW EXECUTE FUNCTION refuse()
        """
    )
    try:
        with pytest.raises(asyncpg.RaiseError):
            await prune(pool, house.clock.at + 400 * DAY_MS, keep_events_days=1, keep_results_days=1)
    finally:
        await pool.execute("DROP TRIGGER refuse ON game_events; DROP FUNCTION refuse")
    assert await pool.fetchval("SELECT count(*) FROM bans") == 0
    assert await pool.fetchval("SELECT count(*) FROM games") == 0


async def test_a_player_that_cant_be_stored_keeps_no_other_from_being_written(pool: Pool, redis: Redis) -> None:
    people = People(pool, redis)
    for player in (1, 2, 2**70, 3):
        people.saw_player(player, f"Player {player}", None)
    people.saw_player(4, "Nul", "user\0name")
    await people.flush()
    assert await pool.fetchval("SELECT array_agg(id ORDER BY id) FROM players") == [1, 2, 3]


async def test_a_strange_message_on_the_channel_of_changes_stops_nobody_from_hearing_the_others(
    pool: Pool, redis: Redis
) -> None:
    people, other = People(pool, redis), People(pool, redis)
    running = asyncio.create_task(people.run())
    assert await people.locale_of_player(1) is None
    async with asyncio.timeout(60):
        while await redis.publish("tombola:people:changed", b"chat:\xff\xfe") == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await redis.publish("tombola:people:changed", b"player:many")
        await other.set_player_locale(1, "ru")
        while await people.locale_of_player(1) != "ru":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_item_is_left_alone_for_longer_after_each_failure_until_it_succeeds() -> None:
    aside = Counted()
    assert not aside.waits("loop", "item")
    assert [aside.add("loop", "item", ValueError()) for _ in range(3)] == [1, 2, 3]
    assert aside.waits("loop", "item")
    assert not aside.waits("loop", "another")
    aside.done("loop", "item")
    assert not aside.waits("loop", "item")


async def test_a_game_that_cant_be_projected_holds_up_no_other(house: House, pool: Pool) -> None:
    bad, good = await house.open(chat_id=-1), await house.open(chat_id=-2)
    shard = keys.feed_key(bad[:2])
    await house.redis.xadd(shard, {"g": bad, "v": 1, "k": "pick_number", "p": "lobby", "d": "", "r": b"no JSON"})
    await house.do(bad, Join(1, "A"))
    await house.do(good, Join(1, "A"))
    await house.project()
    assert await pool.fetchval("SELECT version FROM games WHERE id = $1", good) == 2
