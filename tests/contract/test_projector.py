"""The projector: every event reaches PostgreSQL once, with results and figures, despite repetitions and losses."""

import asyncio
import json
from collections import Counter
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from bot.tasks import Tasks
from fsm.engine import Unavailable
from fsm.kind import ChatTopic
from fsm.lobby import Join, Leave, OpenGame, Remove
from fsm.question import Question
from fsm.quiz import QuizRules
from storage import keys
from storage.archive import Archive
from storage.connections import Pool
from storage.feed import Entry, Unprocessable
from storage.jobs import Jobs
from storage.people import People
from storage.projector import Forked, Projector
from storage.strict_durability import StrictGames
from storage.webhooks import Webhooks
from tests.contract.played import CHAT, HOST, House, drain, feed_of, rows


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


TABLES = (
    "games", "game_events", "game_participants", "prizes", "player_stats", "player_periods", "player_achievements",
    "players", "webhook_deliveries",
)  # fmt: skip


async def everything(pool: Pool) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows, without their write times."""
    found = {}
    for table in TABLES:
        rows = [dict(row) for row in await pool.fetch(f"SELECT * FROM {table}")]
        found[table] = sorted(
            (tuple(v for k, v in row.items() if k not in {"updated_at", "created_at", "next_attempt_at", "id"})
             for row in rows),
            key=repr,
        )  # fmt: skip
    return found


async def entries_of(redis: Redis, shards: tuple[str, ...]) -> list[Entry]:
    """Return all entries of the feed, even if every group has read them."""
    found = []
    for shard in shards:
        for id_, fields in await rows(redis, keys.feed_key(shard)):
            found.append(
                Entry(
                    id_.decode(), shard, fields[b"g"].decode(), int(fields[b"v"]) + 1, fields[b"k"].decode(),
                    fields[b"p"].decode(), None, fields[b"r"],
                )
            )  # fmt: skip
    return found


async def test_a_whole_game_is_in_postgresql_when_it_is_over(house: House, pool: Pool) -> None:
    game_id = await house.play(winners=2)
    await house.project()
    game = await pool.fetchrow("SELECT * FROM games")
    assert game is not None
    assert (game["id"], game["status"], game["players"], game["chat_id"]) == (game_id, "completed", 3, CHAT)
    assert (game["title"], game["host_id"], game["prize_pool"]) == ("<b> & Söhne", HOST.id, Decimal("10.00"))
    assert (
        game["version"]
        == await pool.fetchval("SELECT count(*) FROM game_events")
        == await pool.fetchval("SELECT max(version) FROM game_events")
    )
    state = (await house.engine.look(game_id)).state
    placed = {s.player_id: (s.place, s.prize, s.number) for s in state.standings}  # type: ignore[attr-defined]
    rows = await pool.fetch("SELECT player_id, place, prize, number FROM game_participants")
    assert {row[0]: tuple(row)[1:] for row in rows} == placed
    assert await pool.fetchval("SELECT sum(amount) FROM prizes") == Decimal("10.00")
    assert await pool.fetchval("SELECT count(*) FROM prizes") == 2
    assert len(json.loads(game["summary"])["winners"]) == 2


async def test_the_state_is_what_the_stored_events_make_of_it(house: House, pool: Pool) -> None:
    game_id = await house.play(winners=2, mode="reverse")
    await house.project()
    assert await Archive(pool, house.codec).finished(game_id) == (await house.engine.look(game_id)).state


async def test_a_feed_that_comes_again_from_its_beginning_changes_nothing(
    house: House, pool: Pool, redis: Redis
) -> None:
    for chat in range(5):
        await house.play(chat_id=-chat - 1)
    live = await house.begin(chat_id=-50)
    await house.project()
    before = await everything(pool)
    for shard in house.games.shards:
        await redis.xgroup_setid(keys.feed_key(shard), "projector", "0")
    await house.project()
    assert await everything(pool) == before
    assert await pool.fetchval("SELECT status FROM games WHERE id = $1", live) == "number_selection"


async def test_any_batches_in_any_overlap_give_the_same_rows(house: House, pool: Pool, redis: Redis) -> None:
    for chat in range(3):
        await house.play(chat_id=-chat - 1, winners=2)
    entries = await entries_of(redis, house.games.shards)
    await house.projector.handle(entries)
    at_once = await everything(pool)
    for table in (*TABLES, "feed_checkpoints"):
        await pool.execute(f"DELETE FROM {table}")
    house.projector = Projector(pool)  # the previous projector would take this for a loss
    for index in range(0, len(entries), 2):
        await house.projector.handle(entries[max(0, index - 3) : index + 2])
    assert await everything(pool) == at_once


async def test_two_projectors_on_one_shard_write_everything_once(house: House, pool: Pool, redis: Redis) -> None:
    for chat in range(3):
        await house.play(chat_id=-chat - 1)
    entries = await entries_of(redis, house.games.shards)
    others = [Projector(pool) for _ in range(4)]
    await asyncio.gather(*(other.handle(entries) for other in others))
    total = await pool.fetchval("SELECT sum(version) FROM games")
    assert sum(other.events for other in others) == total == await pool.fetchval("SELECT count(*) FROM game_events")
    assert await pool.fetchval("SELECT sum(amount) FROM prizes") == 3 * Decimal("10.00")
    assert await pool.fetchval("SELECT games FROM player_stats WHERE player_id = 1 AND chat_id = 0 AND kind = ''") == 3


async def test_only_amounts_of_one_currency_are_added_up_and_words_are_kept(house: House, pool: Pool) -> None:
    for currency in ("EUR", "EUR", "$", ""):
        await house.play((1, 2), currency=currency)
    await house.play((1, 2), prize_pool=Decimal(0), prizes=("Cinema ticket",))
    await house.project()
    rows = await pool.fetch(
        "SELECT currency, sum(amount) FROM player_prizes WHERE chat_id = 0 AND kind = '' GROUP BY 1"
    )
    assert {tuple(row) for row in rows} == {("EUR", 20), ("$", 10)}
    assert await pool.fetchval("SELECT sum(prizes) FROM player_stats WHERE chat_id = 0 AND kind = ''") == 10
    assert await pool.fetchval("SELECT count(*) FROM prizes WHERE award = 'Cinema ticket' AND amount = 0") == 1
    archive = Archive(pool, house.codec)
    totals = [row.totals for row in await archive.leaderboard(CHAT, None, 10)]
    assert sum(total.get("EUR", Decimal(0)) for total in totals) == 20
    assert (await archive.history(CHAT, None, 1))[0].winners[0].award == "Cinema ticket"


async def test_figures_are_kept_for_kind_and_chat_and_for_all(house: House, pool: Pool) -> None:
    for chat in (-1, -1, -2):
        await house.play((1, 2), chat_id=chat)
    await house.project()
    rows = await pool.fetch("SELECT kind, chat_id, sum(games), sum(wins), sum(prizes) FROM player_stats GROUP BY 1, 2")
    assert {tuple(row) for row in rows} == {
        (kind, chat, 2 * games, games, 10 * games)
        for kind in ("", "pick_number")
        for chat, games in ((0, 3), (-1, 2), (-2, 1))
    }


async def test_cancelled_games_count_for_nothing(house: House, pool: Pool) -> None:
    game_id = await house.begin()
    await house.cancel(game_id)
    await house.project()
    row = await pool.fetchrow("SELECT status, ended_at, summary FROM games")
    assert row is not None
    assert row["status"] == "cancelled"
    assert row["ended_at"] is not None
    assert json.loads(row["summary"]) == {"reason": "host", "by": HOST.id}
    assert await pool.fetchval("SELECT count(*) FROM player_stats") == 0
    assert await pool.fetchval("SELECT count(*) FROM prizes") == 0


async def test_who_left_is_known_to_have_left_and_who_came_back_to_be_there(house: House, pool: Pool) -> None:
    game_id = await house.open()
    for player in (1, 2, 3):
        await house.do(game_id, Join(player, f"P{player}"))
    await house.do(game_id, Leave(1))
    await house.project()
    await house.do(game_id, Remove(2, HOST.id))
    await house.do(game_id, Join(1, "P1 again"))
    await house.project()
    rows = await pool.fetch("SELECT player_id, name, left_at IS NULL AS there FROM game_participants ORDER BY 1")
    assert [tuple(row) for row in rows] == [(1, "P1 again", True), (2, "P2", False), (3, "P3", True)]
    assert await pool.fetchval("SELECT players FROM games") == 2
    assert await Archive(pool, house.codec).live_game_of_player(1) == [game_id]
    assert await Archive(pool, house.codec).live_game_of_player(2) == []


async def test_a_group_that_becomes_a_supergroup_takes_games_and_figures_along(house: House, pool: Pool) -> None:
    await house.play((1, 2), chat_id=-1)
    live = await house.begin((1, 2), chat_id=-1)
    await house.play((1, 2), chat_id=-1007)
    await house.move(live, -1007)
    await house.finish(live, (1, 2))
    await house.project()
    assert await pool.fetchval("SELECT count(*) FROM games WHERE chat_id = -1007") == 3
    rows = await pool.fetch("SELECT chat_id, sum(games) FROM player_stats WHERE kind = '' GROUP BY 1")
    assert {tuple(row) for row in rows} == {(0, 6), (-1007, 6)}


async def test_a_game_that_ends_under_the_old_id_counts_for_the_supergroup(
    house: House, pool: Pool, redis: Redis
) -> None:
    await People(pool, redis).chat_migrated(-1, -1007)
    await house.play((1, 2), chat_id=-1)
    await house.project()
    rows = await pool.fetch("SELECT DISTINCT chat_id FROM player_stats")
    assert {row[0] for row in rows} == {0, -1007}


async def test_webhooks_report_an_event_once_to_each_endpoint_that_wants_it(
    house: House, pool: Pool, redis: Redis
) -> None:
    webhooks = Webhooks(pool)
    for name, chat, types in (("all", 0, ()), ("one", -1, ()), ("ends", 0, ("game.completed",)), ("else", -9, ())):
        await webhooks.add(name, chat, "https://a.example", types, "", b"s" * 32, 0)
    await webhooks.add("off", -1, "https://a.example", (), "", b"s" * 32, 0)
    await webhooks.change("off", enabled=False)
    done = await house.play(chat_id=-1)
    await house.cancel(await house.begin(chat_id=-2))
    rung = []

    async def ring() -> None:
        rung.append(True)

    house.projector.on_published = ring
    entries = await entries_of(redis, house.games.shards)
    await house.projector.handle(entries)
    await pool.execute("DELETE FROM game_events; DELETE FROM games")  # as if PostgreSQL had lost them
    await house.projector.handle(entries)
    deliveries = [each for name in ("all", "one", "ends", "else", "off") for each in await webhooks.deliveries(name)]
    told = Counter((each.endpoint_id, each.type, each.status) for each in deliveries)
    assert told == {
        ("all", "game.opened", "pending"): 2,
        ("all", "game.completed", "pending"): 1,
        ("all", "game.cancelled", "pending"): 1,
        ("one", "game.opened", "pending"): 1,
        ("one", "game.completed", "pending"): 1,
        ("ends", "game.completed", "pending"): 1,
        ("off", "game.opened", "missed"): 1,
        ("off", "game.completed", "missed"): 1,
    }
    jobs = await Jobs(pool, redis).page(kind="webhooks")
    assert {(job.key, job.chat_id) for job in jobs} == {("all", None), ("one", -1), ("ends", None)}
    assert rung
    payload = await pool.fetchval("SELECT payload FROM webhook_messages WHERE type = 'game.completed'")
    body = json.loads(payload)
    assert (body["type"], body["data"]["game_id"], body["data"]["chat_id"]) == ("game.completed", done, -1)
    assert len(body["data"]["standings"]) == 3


async def test_webhooks_do_not_report_a_quizs_questions(house: House, pool: Pool) -> None:
    await Webhooks(pool).add("all", 0, "https://a.example", (), "", b"s" * 32, 0)
    chat_topic = ChatTopic(-1)
    game_id = await house.games.reserve_id(chat_topic, "quiz")
    question = Question(id="q", text="The question?", answers=("Right", "Wrong"))
    rules = QuizRules(questions=1)
    await house.do(game_id, OpenGame("quiz", game_id, chat_topic, HOST, "Quiz", rules, 9, (question,)))
    await house.project()
    payload: bytes = await pool.fetchval("SELECT payload FROM webhook_messages")
    assert b"Right" not in payload
    assert b"question?" not in payload
    assert json.loads(payload)["data"]["title"] == "Quiz"


async def test_text_that_postgresql_can_not_store_is_stored_without(house: House, pool: Pool) -> None:
    game_id = await house.open()
    await house.do(game_id, Join(1, "N\0L \\u0000 \\\0"))
    await house.project()
    assert await pool.fetchval("SELECT name FROM game_participants") == "N�L \\u0000 \\�"
    stored = await pool.fetchval("SELECT data->>'name' FROM game_events WHERE name = 'player_joined'")
    assert stored == "N�L \\u0000 \\�"


async def test_another_event_at_a_version_that_is_stored_is_noticed(house: House, redis: Redis) -> None:
    game_id = await house.open()
    await house.do(game_id, Join(1, "A"), "tg:one")
    await house.project()
    entries = [entry for entry in await entries_of(redis, house.games.shards) if entry.game_id == game_id]
    last = entries[-1]
    forked = Entry(
        last.id, last.shard, game_id, last.first_version, last.kind, last.phase, None,
        last.records.replace(b"tg:one", b"tg:two"),
    )  # fmt: skip
    with pytest.raises(Forked):
        await house.projector.handle([forked])


@pytest.mark.parametrize(
    "records", [b"", b"[", b"[]", b"{}", b'[{"c":"x","at":1,"e":[["player_joined",{}]]}]', b"null"]
)
async def test_an_entry_that_makes_no_sense_is_refused_for_good(house: House, records: bytes, pool: Pool) -> None:
    entry = Entry("1-1", "00", "00aaaaaaaaaaaa", 1, "pick_number", "waiting_for_players", None, records)
    with pytest.raises(Unprocessable):
        await house.projector.handle([entry])
    assert await pool.fetchval("SELECT count(*) FROM game_events") == 0


async def test_an_entry_that_can_not_be_stored_holds_up_nobody_and_is_kept(
    house: House, pool: Pool, redis: Redis
) -> None:
    broken = keys.shard_of_chat(-1, len(house.games.shards))
    await house.play(chat_id=-1)
    await redis.xadd(
        keys.feed_key(broken), {"g": broken + "x" * 12, "v": 0, "k": "pick_number", "p": "x", "d": "", "r": "[]"}
    )
    await house.play(chat_id=-1)
    feed = feed_of(redis, house.games.shards)
    await drain(feed, house.projector.handle)
    assert feed.set_aside == 1
    assert await pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'") == 2


async def test_a_position_is_moved_with_what_was_written(house: House, pool: Pool, redis: Redis) -> None:
    await house.play()
    await house.project()
    shard = keys.shard_of_chat(CHAT, len(house.games.shards))
    last = (await rows(redis, keys.feed_key(shard)))[-1][0]
    assert await pool.fetchval("SELECT position FROM feed_checkpoints WHERE shard = $1", shard) == last.decode()


async def test_connections_that_break_at_any_instant_lose_and_double_nothing(
    house: House, pool: Pool, postgres_dsn: str
) -> None:
    saboteur = await asyncpg.connect(postgres_dsn)
    breaking = asyncio.create_task(_break_connections(saboteur))
    projecting = asyncio.create_task(house.project_for_ever())
    games = await asyncio.gather(*(house.play((1, 2, 3), chat_id=-n - 1, winners=2) for n in range(40)))
    breaking.cancel()
    await asyncio.wait({breaking})
    await saboteur.close()
    versions = [(await house.engine.look(game_id)).version for game_id in games]
    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'") < 40:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    projecting.cancel()
    await asyncio.wait({projecting})
    assert await pool.fetchval("SELECT count(*) FROM game_events") == sum(versions)
    assert await pool.fetchval("SELECT sum(amount) FROM prizes") == 400
    assert await pool.fetchval("SELECT sum(games) FROM player_stats WHERE chat_id = 0 AND kind = ''") == 120


async def _break_connections(saboteur: "asyncpg.Connection[asyncpg.Record]") -> None:
    while True:
        await saboteur.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE '%game%' AND pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0.02)


# -- strict durability --------------------------------------------------------------------------------------------


def strictly(house: House) -> StrictGames:
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    return StrictGames(house.games, Projector(house.pool), house.codec, tasks.spawn)


@pytest.fixture
def strict(house: House) -> House:
    house.engine = house.new_engine()
    house.engine._store = strictly(house)
    return house


async def versions(pool: Pool) -> dict[str, int]:
    return {row[0]: row[1] for row in await pool.fetch("SELECT game_id, max(version) FROM game_events GROUP BY 1")}


async def test_strictly_what_was_acknowledged_is_in_postgresql(strict: House, pool: Pool) -> None:
    game_id = await strict.open()
    for player in range(1, 6):
        outcome = await strict.do(game_id, Join(player, "x"))
        assert (await versions(pool))[game_id] >= outcome.version


async def test_strictly_written_events_are_written_once_though_the_projector_reads_them_too(
    strict: House, pool: Pool
) -> None:
    games = await asyncio.gather(*(strict.play((1, 2), chat_id=-chat) for chat in range(1, 9)))
    before = await everything(pool)
    await strict.project()
    assert await everything(pool) == before
    assert len(games) == await pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'")


async def test_strict_replicas_wait_for_each_other(strict: House, pool: Pool) -> None:
    game_id = await strict.open(max_players=50)
    engines = []
    for _ in range(4):
        engine = strict.new_engine()
        engine._store = strictly(strict)
        engines.append(engine)
    outcomes = await asyncio.gather(
        *(engines[n % 4].execute(game_id, Join(n + 1, "x"), command_id=f"tg:j{n}") for n in range(40))
    )
    assert (await versions(pool))[game_id] == max(outcome.version for outcome in outcomes)
    assert await pool.fetchval("SELECT count(*) FROM game_participants") == 40


async def test_a_command_that_redis_alone_has_is_answered_strictly_when_postgresql_has_it_too(
    house: House, pool: Pool
) -> None:
    game_id = await house.open()
    await house.do(game_id, Join(1, "x"), "tg:lost answer")
    engine = house.new_engine()
    engine._store = strictly(house)
    again = asyncio.ensure_future(engine.execute(game_id, Join(1, "x"), command_id="tg:lost answer"))
    assert not (await asyncio.wait({again}, timeout=0.1))[0]
    await house.project()
    assert (await again).duplicate
    assert (await versions(pool))[game_id] == (await again).version


async def test_a_game_that_waits_for_postgresql_holds_back_no_other(house: House) -> None:
    ahead = await house.open()  # not projected yet
    house.engine = house.new_engine()
    house.engine._store = strictly(house)
    other = await house.open(chat_id=-2)
    waiting = [asyncio.ensure_future(house.do(ahead, Join(player, "x"))) for player in (1, 2)]
    await asyncio.gather(*(house.do(other, Join(player, "x")) for player in (1, 2, 3)))
    assert not any(each.done() for each in waiting)
    assert (await house.do(other, Join(4, "x"))).events
    await house.project()
    assert all(outcome.events for outcome in await asyncio.gather(*waiting))


async def test_strictly_a_stopping_process_confirms_nothing(house: House) -> None:
    def refused(_name: str, work: Any) -> None:
        work.close()
        raise RuntimeError("stopping")

    house.engine = house.new_engine()
    house.engine._store = StrictGames(house.games, Projector(house.pool), house.codec, refused)
    with pytest.raises(Unavailable):
        await house.open()


async def test_strictly_what_waits_while_postgresql_hangs_is_given_up_in_time_and_done_when_it_goes_on(
    house: House, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine = house.new_engine()
    house.engine._store = strictly(house)
    games = [await house.open(chat_id=-chat) for chat in (1, 2, 3)]
    monkeypatch.setattr("storage.strict_durability.CONFIRM_SECONDS", 0.3)
    async with pool.acquire() as saboteur, saboteur.transaction():
        await saboteur.execute("LOCK TABLE game_events IN ACCESS EXCLUSIVE MODE")
        for player in (1, 2):
            answers = await asyncio.gather(
                *(house.do(game_id, Join(player, "x"), f"tg:{game_id}:{player}") for game_id in games),
                return_exceptions=True,
            )
            assert [type(answer) for answer in answers] == [Unavailable] * 3
    monkeypatch.undo()
    await house.project()
    for game_id in games:
        for player in (1, 2):
            assert (await house.do(game_id, Join(player, "x"), f"tg:{game_id}:{player}")).duplicate
        assert (await versions(pool))[game_id] == (await house.engine.look(game_id)).version


async def test_strictly_two_connections_at_most_confirm_while_postgresql_hangs(
    house: House, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine = house.new_engine()
    house.engine._store = strictly(house)
    games = [await house.open(chat_id=-chat) for chat in range(1, 9)]
    writing, most, write = 0, 0, Projector.write

    async def counted(projector: Projector, entries: Any, *, gaps: bool) -> frozenset[str]:
        nonlocal writing, most
        writing += 1
        most = max(most, writing)
        try:
            return await write(projector, entries, gaps=gaps)
        finally:
            writing -= 1

    monkeypatch.setattr(Projector, "write", counted)
    async with pool.acquire() as saboteur, saboteur.transaction():
        await saboteur.execute("LOCK TABLE game_events IN ACCESS EXCLUSIVE MODE")
        joining = []
        for game_id in games:
            joining.append(asyncio.ensure_future(house.do(game_id, Join(1, "x"))))
            while (await house.games.load(game_id)).version < 2:  # type: ignore[union-attr] # noqa: ASYNC110 -- Redis sends no event
                await asyncio.sleep(0)
    assert all(outcome.events for outcome in await asyncio.gather(*joining))
    assert most == 2
