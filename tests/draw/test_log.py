"""The public log: it has every draw once, despite repetitions; and no change of it goes undetected."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from bot import public_log_commands
from bot.public_log_keeper import DAY_MS, SIGN_ANYWAY_MS, SIGN_MS, PublicLogKeeper
from bot.signatures import SIGNATURES
from fsm import merkle, proof
from fsm.kind import ChatTopic
from fsm.lobby import Cancel, Join, OpenGame, StartNow
from fsm.pick_number import PickNumber, PickNumberGame, PickNumberRules, prove
from storage.archive import Archive
from storage.connections import Pool, postgres_pool
from storage.projector import Projector
from storage.public_log import PublicLog, SeedAudit
from storage.retention import prune
from storage.seeds import Seeds
from telegram.limits import Limits, Rates
from telegram.outbox import Outbox
from tests.contract.played import CHAT, HOST, House, drain, feed_of
from tests.draw import beacons


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


@pytest.fixture
def log(house: House) -> PublicLog:
    return PublicLog(house.pool, house.codec)


async def projected(house: House) -> None:
    await drain(feed_of(house.redis, house.games.shards), house.projector.handle)


async def logged(house: House, log: PublicLog, count: int = 1) -> list[str]:
    """Play games until they are in the log. Returns their ids."""
    games = [await house.play(chat_id=-1000 - number) for number in range(count)]
    await projected(house)
    await log.append()
    return games


async def types(log: PublicLog) -> list[str]:
    return [type_ for _, type_, _ in await log.leaves(0)]


async def test_opening_closing_and_outcome_of_a_draw_are_leaves_in_this_order(house: House, log: PublicLog) -> None:
    await logged(house, log, 2)
    assert await types(log) == ["opening", "closing", "outcome"] * 2
    assert await log.check() == []


async def test_the_proof_of_a_draw_carries_where_the_log_holds_it(house: House, log: PublicLog) -> None:
    first, *_ = await logged(house, log, 5)
    state = (await house.engine.look(first)).state
    assert isinstance(state, PickNumberGame)
    document = prove(state, await log.proof_of(first, house.clock.now()))
    assert document["log"] is not None
    checks = proof.verify(proof.canonical(document), SIGNATURES)
    assert {check.code for check in checks} >= {"log", "head"}
    assert [check.code for check in checks if not check.passed] == []
    for forge in (
        {"salt": "00" * 32},
        {"outcome": document["log"]["opening"]},
        {"head": {**document["log"]["head"], "root": "00" * 32}},
        {"signature": "00" * 64},
    ):
        forged = proof.seal({**document, "log": {**document["log"], **forge}})
        failed = {check.code for check in proof.verify(proof.canonical(forged), SIGNATURES) if not check.passed}
        assert failed & {"log", "head"}


async def test_what_comes_again_is_logged_once_and_appending_at_once_from_everywhere_loses_nothing(
    house: House, log: PublicLog
) -> None:
    games = [await house.play(chat_id=-1000 - number) for number in range(6)]
    await projected(house)
    await house.pool.execute("DELETE FROM feed_checkpoints")
    others = [Projector(house.pool) for _ in range(2)]
    for index, projector in enumerate(others):
        await drain(feed_of(house.redis, house.games.shards, f"again {index}"), projector.handle)
    for game_id in games:  # as after a crash between a commit and its confirmation
        await house.pool.execute(
            "INSERT INTO log_pending (game_id, event) VALUES ($1, 'closing') ON CONFLICT DO NOTHING", game_id
        )
    logs = [PublicLog(house.pool, house.codec) for _ in range(4)]
    await asyncio.gather(*(one.append() for one in logs))
    await log.append()
    assert sorted(await types(log)) == sorted(["opening", "closing", "outcome"] * len(games))
    assert await log.check() == []
    assert await house.pool.fetchval("SELECT count(*) FROM log_pending") == 0


async def test_a_leaf_names_no_player_and_stays_valid_when_the_key_is_deleted(
    house: House, log: PublicLog, capsys: pytest.CaptureFixture[str]
) -> None:
    players = (7_100_000_001, 7_100_000_002, 7_100_000_003)
    game_id = await house.play(players)
    await projected(house)
    await log.append()
    for _, _, data in await log.leaves(0):
        assert not any(str(player).encode() in data for player in players)
    live = await house.begin(players, chat_id=-7)
    await house.do(live, PickNumber(players[0], 1))
    await projected(house)
    await log.append()
    assert await public_log_commands._forget(log, players[0]) == 0
    assert "deleted: 1\n" in capsys.readouterr().out
    assert await public_log_commands._forget(log, 1 << 64) == 1
    assert [row["game_id"] for row in await house.pool.fetch("SELECT game_id FROM log_salts")] == [live]
    assert await log.check() == []
    assert await log.proof_of(game_id, house.clock.now()) is None


async def tamper(house: House, how: str) -> None:
    pool = house.pool
    match how:
        case "removed":
            await pool.execute("DELETE FROM log_leaves WHERE index = 4")
        case "the last removed":
            await pool.execute("DELETE FROM log_leaves WHERE index = (SELECT max(index) FROM log_leaves)")
        case "rewritten":
            await pool.execute("UPDATE log_leaves SET data = 'x' WHERE index = 4")
        case "an inner hash rewritten":
            await pool.execute("UPDATE log_nodes SET hash = sha256('x') WHERE level = 3 AND position = 0")
        case "an inner hash removed":
            await pool.execute("DELETE FROM log_nodes WHERE level = 1 AND position = 0")
        case "reordered":
            await pool.execute("UPDATE log_leaves SET index = index - 7 WHERE index IN (3, 4)")
            await pool.execute("UPDATE log_leaves SET index = -index WHERE index < 0")
        case "all written anew":
            rows = await pool.fetch("SELECT index, type, data FROM log_leaves ORDER BY index")
            data = [b"x" if row["index"] == 4 else row["data"] for row in rows]
            frontier = merkle.Frontier()
            nodes = [node for leaf in data for node in frontier.append(merkle.leaf_hash(leaf))]
            await pool.execute("UPDATE log_leaves SET data = 'x' WHERE index = 4")
            for node in nodes:
                await pool.execute("UPDATE log_nodes SET hash = $3 WHERE level = $1 AND position = $2", *node)
            await pool.execute("DELETE FROM log_heads")


@pytest.mark.parametrize(
    "how",
    [
        "removed",
        "the last removed",
        "rewritten",
        "reordered",
        "an inner hash rewritten",
        "an inner hash removed",
        "all written anew",
    ],
)
async def test_a_leaf_that_is_removed_moved_or_rewritten_is_found(house: House, log: PublicLog, how: str) -> None:
    await logged(house, log, 3)
    head = await log.sign(house.clock.now())
    kept = [(head.size, head.root)]
    assert await log.check(kept) == []
    await tamper(house, how)
    assert await log.check(kept) != []
    if how != "all written anew":
        assert await log.check() != []


async def test_every_tree_begins_with_every_smaller_one(house: House, log: PublicLog) -> None:
    await logged(house, log, 4)
    roots = {}
    frontier = merkle.Frontier()
    roots[0] = frontier.root()
    for _, _, data in await log.leaves(0):
        frontier.append(merkle.leaf_hash(data))
        roots[frontier.size] = frontier.root()
    for new in range(1, frontier.size + 1):
        for old in range(new + 1):
            path = [bytes.fromhex(node) for node in await log.consistency(old, new)]
            assert merkle.is_consistent(old, roots[old], new, roots[new], path)
    with pytest.raises(ValueError, match="largest"):
        await log.consistency(1, frontier.size + 1)


async def test_heads_are_signed_when_the_log_grows_and_every_hour_anyway(house: House, log: PublicLog) -> None:
    outbox = Outbox(house.redis, Limits(house.redis, Rates(), house.clock.now))
    keeper = PublicLogKeeper(log, house.clock, outbox, channel=-100777)
    house.clock.at += -house.clock.at % DAY_MS  # the channel gets one head a day, and no day may end within this test
    await keeper.turn()
    first = await log.last_head()
    assert first is not None
    assert first.size == 0
    await logged(house, log)
    house.clock.at += 60_000
    await keeper.turn()
    second = await log.last_head()
    assert second is not None
    assert second.size == 3
    await keeper.turn()
    assert await log.last_head() == second
    house.clock.at += SIGN_ANYWAY_MS
    await keeper.turn()
    third = await log.last_head()
    assert third is not None
    assert (third.size, third.at) == (3, house.clock.at)
    assert third.key == first.key
    posted = await house.redis.keys("tombola:{send}:item:log-head:*")
    assert len(posted) == 1


async def test_a_log_that_does_not_grow_costs_one_statement_a_turn(
    house: House, log: PublicLog, postgres_dsn: str
) -> None:
    await logged(house, log)
    asked: list[float] = []
    outbox = Outbox(house.redis, Limits(house.redis, Rates(), house.clock.now))
    async with postgres_pool(postgres_dsn, observe=asked.append) as pool:
        keeper = PublicLogKeeper(PublicLog(pool, house.codec), house.clock, outbox, channel=0)
        await keeper.turn()
        asked.clear()
        await pool.fetchval("SELECT 1")
        one = len(asked)  # the statement, and those with which the pool takes its connection back
        await keeper.turn()
        assert len(asked) == 2 * one
        house.clock.at += SIGN_ANYWAY_MS
        await keeper.turn()
    newest = await log.last_head()
    assert newest is not None
    assert newest.at == house.clock.at


async def test_leaves_after_a_head_are_signed_a_minute_later_though_no_more_come(house: House, log: PublicLog) -> None:
    outbox = Outbox(house.redis, Limits(house.redis, Rates(), house.clock.now))
    keeper = PublicLogKeeper(log, house.clock, outbox, channel=0)
    await keeper.turn()
    house.clock.at += SIGN_MS // 2
    await house.play()
    await projected(house)
    await keeper.turn()
    first = await log.last_head()
    assert first is not None
    assert first.size == 0
    house.clock.at = first.at + SIGN_MS
    await keeper.turn()
    second = await log.last_head()
    assert second is not None
    assert (second.size, second.at) == (3, house.clock.at)


async def test_seeds_are_taken_in_order_and_fixed_before_the_first_game(house: House, log: PublicLog) -> None:
    seeds = Seeds(house.pool)
    taken = [await seeds.take(-5) for _ in range(258)]
    assert all(taken)
    known = [seed for seed in taken if seed is not None]
    assert [seed.number for seed in known] == [*range(1, 257), 1, 2]
    assert len({seed.root for seed in known}) == 2
    assert len({seed.seed for seed in known}) == 258
    await log.append()
    leaves = [json.loads(data) for _, _, data in await log.leaves(0)]
    assert [leaf["root"] for leaf in leaves] == list(dict.fromkeys(seed.root for seed in known))


async def test_seeds_taken_at_once_are_taken_once(house: House) -> None:
    seeds = Seeds(house.pool)
    taken = [seed for seed in await asyncio.gather(*(seeds.take(-5) for _ in range(40))) if seed is not None]
    assert sorted(seed.number for seed in taken) == list(range(1, 41))
    assert len({seed.root for seed in taken}) == 1


async def test_a_seed_of_a_game_that_was_not_opened_is_given_to_the_next_or_logged_as_unused(
    house: House, log: PublicLog
) -> None:
    seeds = Seeds(house.pool)
    first = await seeds.take(-5)
    await seeds.give_back(-5, first)
    again = await seeds.take(-5)
    assert again == first
    await seeds.take(-5)
    await seeds.give_back(-5, again)
    await log.append()
    assert await types(log) == ["seeds", "unused"]


async def opened_with_seed(house: House) -> str:
    """Open a game with its own seed. Returns its id."""
    chat_topic = ChatTopic(-1005)
    game_id = await house.games.reserve_id(chat_topic, "seeded")
    opening = OpenGame("pick_number", game_id, chat_topic, HOST, "", PickNumberRules(prize_pool=Decimal(1)))
    await house.do(game_id, replace(opening, content=await Seeds(house.pool).take(-1005)))
    return game_id


async def test_a_game_that_ends_in_its_lobby_leaves_no_gap(house: House, log: PublicLog) -> None:
    game_id = await opened_with_seed(house)
    await house.cancel(game_id)
    await projected(house)
    await log.append()
    last = json.loads((await log.leaves(0))[-1][2])
    assert (last["type"], last["number"], last["game"], last["reason"]) == ("unused", 1, game_id, "host")


async def test_a_game_that_is_cancelled_while_numbers_are_picked_is_in_the_log_with_its_seed(
    house: House, log: PublicLog
) -> None:
    game_id = await opened_with_seed(house)
    for player in (1, 2):
        await house.do(game_id, Join(player, "x"))
    await house.do(game_id, StartNow(HOST.id))
    await house.do(game_id, PickNumber(1, 1))
    await house.cancel(game_id)
    await projected(house)
    await log.append()
    last = json.loads((await log.leaves(0))[-1][2])
    assert (last["outcome"], last["reason"]) == ("cancelled", "host")
    assert len(last["seed"]) == 64
    assert await types(log) == ["seeds", "opening", "outcome"]


async def test_the_command_line_tells_whether_the_log_is_whole(
    house: House, log: PublicLog, capsys: pytest.CaptureFixture[str]
) -> None:
    await logged(house, log, 2)
    assert await public_log_commands._check(log, []) == 0
    head = await log.sign(house.clock.now())
    assert await public_log_commands._check(log, [f"{head.size}:{head.root}"]) == 0
    assert await public_log_commands._check(log, [f"{head.size}:{'00' * 32}"]) == 1
    assert await public_log_commands._check(log, ["5"]) == 1
    await tamper(house, "rewritten")
    assert await public_log_commands._check(log, []) == 1
    said: Any = capsys.readouterr().out
    assert "the log is whole: 6 leaves" in said
    assert "leaf 4 is not the one that was logged" in said


async def test_the_commands_show_no_proof_and_sign_no_head_of_a_log_that_lacks_a_leaf(
    house: House, log: PublicLog, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    game_id, *_ = await logged(house, log)
    assert await public_log_commands._proof(log, game_id) == 0
    assert await public_log_commands._head(log) == 0
    await pool.execute("DELETE FROM log_leaves WHERE index = 1")
    capsys.readouterr()
    heads = await pool.fetchval("SELECT count(*) FROM log_heads")
    assert await public_log_commands._proof(log, game_id) == 1
    assert await public_log_commands._head(log) == 1
    assert await public_log_commands._consistency(log, 1, 2) == 1
    assert capsys.readouterr().out == "the log is damaged: leaf 1 is missing\n" * 3
    assert await pool.fetchval("SELECT count(*) FROM log_heads") == heads


async def test_a_void_draw_counts_in_the_figures_of_its_chat(house: House, log: PublicLog) -> None:
    beacon = beacons.chain(house.clock.at - 60_000)
    game_id = await house.begin((1, 2), beacon=beacon)
    for player in (1, 2):
        await house.do(game_id, PickNumber(player, player))
    await house.do(game_id, Cancel(5, "operator"))
    await house.play()
    await projected(house)
    archive = Archive(house.pool, house.codec)
    assert await archive.void_games(CHAT) == 1
    assert [game.status for game in await archive.history(CHAT, None, 5) if game.id == game_id] == ["void"]
    await log.append()
    ends = [json.loads(data) for _, type_, data in await log.leaves(0) if type_ == "outcome"]
    assert ("void", "operator") in {(end["outcome"], end["reason"]) for end in ends}


# -- seeds ------------------------------------------------------------------------------------------------------

ROOT_OF_SEEDS, OTHER_ROOT = "ab" * 32, "cd" * 32


def seeds_leaf(root: str = ROOT_OF_SEEDS, size: int = 256) -> tuple[str, bytes]:
    return "seeds", proof.canonical({"type": "seeds", "root": root, "size": size})


def opening(number: int, root: str = ROOT_OF_SEEDS) -> tuple[str, bytes]:
    statement = {"game": f"g{number}", "at": 1, "seeds": {"root": root, "number": number}}
    return "opening", proof.opening_leaf(proof.canonical(statement).decode())


def unused(number: int) -> tuple[str, bytes]:
    return "unused", proof.unused_leaf(ROOT_OF_SEEDS, number, "", "not_opened")


@pytest.mark.parametrize(
    ("leaves", "troubles", "gaps"),
    [
        ([seeds_leaf(), opening(1), unused(2), opening(3)], 0, []),
        ([seeds_leaf(), opening(1), opening(4)], 0, [2, 3]),
        ([opening(1)], 1, []),
        ([seeds_leaf(OTHER_ROOT), opening(1)], 1, []),
        ([seeds_leaf(), opening(257)], 1, []),
        ([seeds_leaf(size=10**18), opening(10**15)], 2, []),
        ([("seeds", b"\xff"), ("opening", b"[]"), ("unused", b'{"number": "1"}')], 3, []),
        ([seeds_leaf(), opening(1), opening(1)], 1, []),
        ([seeds_leaf(), unused(1), opening(1)], 1, []),
        ([seeds_leaf(size=1), opening(1)], 1, []),
    ],
    ids=[
        "honest",
        "passed over",
        "no tree",
        "another tree",
        "beyond the tree",
        "endless",
        "rewritten",
        "twice",
        "unused yet used",
        "own tree",
    ],
)
def test_seeds_are_held_against_the_trees_that_the_log_had_before(
    leaves: list[tuple[str, bytes]], troubles: int, gaps: list[int]
) -> None:
    audit = SeedAudit()
    for index, (type_, leaf) in enumerate(leaves):
        audit.add(index, type_, leaf)
    assert len(audit.troubles) == troubles
    assert [number for _, number in audit.gaps()] == gaps


async def test_a_seed_that_was_taken_and_given_back_leaves_no_gap(
    pool: Pool, log: PublicLog, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = Seeds(pool)
    first, second = await seeds.take(CHAT), await seeds.take(CHAT)
    await seeds.give_back(CHAT, first)
    await seeds.give_back(CHAT, second)
    await log.append()
    audit = await log.seeds()
    assert audit.troubles == []
    assert audit.gaps() == []
    assert await public_log_commands._leaves(log, 0, 10) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in shown] == ["0", "1"]
    assert await public_log_commands._check(log, []) == 0


async def test_pruning_a_game_deletes_its_key_and_leaves_the_log_whole(house: House, log: PublicLog) -> None:
    [game_id] = await logged(house, log)
    await prune(house.pool, house.clock.at + 100 * 86_400_000, keep_events_days=50, keep_results_days=50)
    assert await house.pool.fetchval("SELECT count(*) FROM log_salts WHERE game_id = $1", game_id) == 0
    assert await log.check() == []


async def test_a_repeated_note_makes_no_new_key_for_a_game_that_was_forgotten(house: House, log: PublicLog) -> None:
    [game_id] = await logged(house, log)
    await house.pool.execute("DELETE FROM log_salts")
    await house.pool.execute("INSERT INTO log_pending (game_id, event) VALUES ($1, 'end')", game_id)
    await log.append()
    assert await house.pool.fetchval("SELECT count(*) FROM log_salts") == 0
    assert await log.check() == []
