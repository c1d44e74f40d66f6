"""Feature flags: shares, operators' changes and files, and the games that keep them."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from openfeature import api as openfeature
from redis.asyncio import Redis

from chaos.stores import Store
from chaos.stores import redis as redis_store
from fsm.kind import ChatTopic
from fsm.lobby import Join
from fsm.pick_number import SECOND_DRAW_FORMAT, PickNumberGame, PickNumberRules
from fsm.quiz import NATIVE_POLLS, QuizGame, QuizRules
from play.access import Actor, NotAnOperator
from play.flags import API_WRITES, MOST_BYTES, BadFlagSetting, Flags, UnknownFlag, defined, in_share
from storage import keys
from storage.connections import Pool, postgres_pool, redis_client
from storage.flags import Change, FlagSettings, Setting
from tests.handlers.room import ANN, BEN, GROUP, HOST, OPERATOR, TEXTS, Room

WHO = Actor(OPERATOR, "Olga", OPERATOR)
HOUR = 30.0
"""Longest wait for an announcement, in seconds; it comes within milliseconds on a machine at rest."""


def another(room: Room, file: Path | None = None) -> Flags:
    """Return the flags of another process."""
    return Flags(FlagSettings(room.pool, room.redis), room.deps.play.access, file)


def test_a_larger_share_contains_a_smaller_one_and_has_about_its_size() -> None:
    chats = [-1001_000_000_000 - number for number in range(5000)]
    sizes = (0, 1, 20, 60, 100)
    shares = [{chat for chat in chats if in_share(SECOND_DRAW_FORMAT, chat, percent)} for percent in sizes]
    assert all(smaller <= larger for smaller, larger in pairwise(shares))
    assert (len(shares[0]), len(shares[-1])) == (0, len(chats))
    assert 0.18 < len(shares[2]) / len(chats) < 0.22
    other = {chat for chat in chats if in_share(NATIVE_POLLS, chat, 20)}
    assert len(other & shares[2]) < len(other) / 2, "the same chats would be the first with every flag"


def test_every_flag_has_an_effect_an_owner_and_an_end() -> None:
    root = Path(__file__).parents[2]
    for name, flag in defined().items():
        assert all(TEXTS.html(locale, f"flag-{name}").endswith(".") for locale in TEXTS.LOCALES), name
        assert (root / flag.owner).exists(), name
        assert 0 <= flag.percent <= 100, name
    assert set(defined()) == {SECOND_DRAW_FORMAT, NATIVE_POLLS, API_WRITES}


async def test_a_change_reaches_another_process_and_can_be_taken_back(room: Room) -> None:
    ours, theirs = room.deps.play.flags, another(room)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(theirs.run())
        assert theirs.is_on(NATIVE_POLLS, GROUP)
        await ours.change(WHO, NATIVE_POLLS, Change(percent=0, on_chats=frozenset({7})))
        async with asyncio.timeout(HOUR):
            while theirs.is_on(NATIVE_POLLS, GROUP):  # noqa: ASYNC110 -- the flags tell nobody that they changed
                await asyncio.sleep(0.01)
        assert theirs.is_on(NATIVE_POLLS, 7)
        assert [flag.source for flag in theirs.all() if flag.name == NATIVE_POLLS] == ["operator"]
        await room.deps.stores.people.chat_migrated(7, -1007)
        async with asyncio.timeout(HOUR):
            while not theirs.is_on(NATIVE_POLLS, -1007):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not theirs.is_on(NATIVE_POLLS, 7), "the setting of a group is that of its supergroup"
        await ours.reset(WHO, NATIVE_POLLS)
        async with asyncio.timeout(HOUR):
            while not theirs.is_on(NATIVE_POLLS, GROUP):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        running.cancel()
    fresh = another(room)
    await ours.change(WHO, API_WRITES, Change(percent=0))
    await fresh.load()
    assert not fresh.is_on(API_WRITES), "a process that starts later has the change too"


async def test_an_operators_change_outweighs_the_file_and_the_file_the_definition(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(f"[{NATIVE_POLLS}]\npercent = 0\n[{API_WRITES}]\npercent = 100\noff_chats = [{GROUP}]\n")
    flags = another(room, file)
    await flags.load()
    assert [flags.is_on(name, GROUP) for name in (SECOND_DRAW_FORMAT, NATIVE_POLLS, API_WRITES)] == [True, False, False]
    assert flags.is_on(API_WRITES, GROUP - 1)
    await flags.change(WHO, NATIVE_POLLS, Change(percent=100))
    assert flags.is_on(NATIVE_POLLS, GROUP)
    await flags.reset(WHO, NATIVE_POLLS)
    assert not flags.is_on(NATIVE_POLLS, GROUP)
    file.unlink()
    await flags.read_file()
    assert flags.is_on(NATIVE_POLLS, GROUP)


@pytest.mark.parametrize(
    "text",
    [
        "percent = 1",
        "[native-polls]",
        "[native-polls]\npercent = 101",
        "\x00",
        "[[[",
        "a = " + "[" * 50_000,
        "[native-polls]\npercent = " + "9" * 5_000,
        "[native-polls]\npercent = nan",
        "#" * (MOST_BYTES + 1),
    ],
    ids=range(9),
)
async def test_a_file_with_a_mistake_changes_nothing(room: Room, tmp_path: Path, text: str) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(f"[{NATIVE_POLLS}]\npercent = 0\n")
    flags = another(room, file)
    await flags.read_file()
    file.write_text(text)
    await flags.read_file()
    assert not flags.is_on(NATIVE_POLLS, GROUP)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "a link to itself"])
async def test_a_path_that_is_no_file_blocks_nothing_and_changes_nothing(room: Room, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(f"[{NATIVE_POLLS}]\npercent = 0\n")
    flags = another(room, file)
    await flags.read_file()
    file.unlink()
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "device":
            file.symlink_to("/dev/zero")
        case _:
            file.symlink_to(file)
    async with asyncio.timeout(HOUR):
        await flags.read_file()
    assert not flags.is_on(NATIVE_POLLS, GROUP)


async def test_a_change_of_the_share_keeps_the_chats_and_a_chat_named_on_one_side_leaves_the_other(room: Room) -> None:
    flags = room.deps.play.flags
    named = Change(percent=5, on_chats=frozenset({7, 8}), off_chats=frozenset({9}))
    await flags.change(WHO, NATIVE_POLLS, named)
    setting = (await flags.change(WHO, NATIVE_POLLS, Change(percent=20))).setting
    assert setting == Setting(percent=20, on_chats=frozenset({7, 8}), off_chats=frozenset({9}))
    setting = (await flags.change(WHO, NATIVE_POLLS, Change(percent=20, off_chats=frozenset({7})))).setting
    assert setting == Setting(percent=20, on_chats=frozenset({8}), off_chats=frozenset({7}))
    setting = (await flags.change(WHO, NATIVE_POLLS, Change(percent=0, on_chats=frozenset()))).setting
    assert setting == Setting(percent=0, off_chats=frozenset({7}))
    fresh = another(room)
    await fresh.load()
    assert fresh.setting(NATIVE_POLLS) == setting


async def test_the_first_change_of_a_share_keeps_the_chats_of_the_file(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(f"[{NATIVE_POLLS}]\npercent = 1\non_chats = [7]\noff_chats = [9]\n")
    flags = another(room, file)
    await flags.load()
    setting = (await flags.change(WHO, NATIVE_POLLS, Change(percent=2, off_chats=frozenset({7, 8})))).setting
    assert setting == Setting(percent=2, off_chats=frozenset({7, 8}))


@pytest.fixture
async def no_postgres(tmp_path: Path) -> AsyncIterator[Pool]:
    """Open a pool on an address where no PostgreSQL is."""
    async with postgres_pool(f"postgresql://tombola@/tombola?host={tmp_path}", pool_min=0) as pool:
        yield pool


@pytest.fixture
async def own_redis() -> AsyncIterator[tuple[Store, Redis]]:
    """Run a Redis that the test can stop, and a client of it."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)
        store = redis_store(Path(directory))
        await store.start()
        try:
            async with redis_client(store.dsn) as client:
                yield store, client
        finally:
            await store.stop()


async def test_a_process_that_starts_without_postgresql_takes_the_changes_last_read(
    room: Room, no_postgres: Pool
) -> None:
    await room.deps.play.flags.change(WHO, NATIVE_POLLS, Change(percent=0, on_chats=frozenset({7})))
    assert await another(room).load()
    fresh = Flags(FlagSettings(no_postgres, room.redis), room.deps.play.access)
    assert not await fresh.load()
    assert [fresh.is_on(NATIVE_POLLS, chat) for chat in (GROUP, 7)] == [False, True]


async def test_a_change_while_redis_is_away_is_kept_and_is_announced_when_redis_is_back(
    room: Room, own_redis: tuple[Store, Redis]
) -> None:
    store, redis = own_redis
    ours, theirs = (Flags(FlagSettings(room.pool, redis), room.deps.play.access) for _ in range(2))
    await store.stop()
    assert (await ours.change(WHO, NATIVE_POLLS, Change(percent=0))).setting.percent == 0
    assert not ours.is_on(NATIVE_POLLS, GROUP)
    assert await theirs.load()
    assert not theirs.is_on(NATIVE_POLLS, GROUP)
    await store.start()
    async with redis.pubsub() as heard, asyncio.TaskGroup() as tasks, asyncio.timeout(HOUR):
        await heard.subscribe(keys.FLAGS_CHANGED)
        running = tasks.create_task(ours.run())
        while (told := await heard.get_message(timeout=HOUR)) is None or told["type"] != "message":
            pass
        running.cancel()
    assert told["data"] == NATIVE_POLLS.encode()


async def test_games_open_and_taps_count_while_flags_cannot_be_read(
    room: Room, own_redis: tuple[Store, Redis], no_postgres: Pool
) -> None:
    flags, (store, redis) = room.deps.play.flags, own_redis
    await flags.change(WHO, SECOND_DRAW_FORMAT, Change(percent=0))
    await store.stop()
    flags._settings = FlagSettings(no_postgres, redis)  # the stores of the flags alone are away
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(flags.run())
        assert not await flags.load()
        game_id = await room.open()
        for player in room.everybody:
            await room.join(game_id, player)
        state = (await room.engine.look(game_id)).state
        assert isinstance(state, PickNumberGame)
        assert {*state.players} == {*room.everybody}
        assert state.format == 1, "the last known setting stays"
        assert not running.done()
        running.cancel()


async def test_a_flag_of_another_version_leaves_the_others_of_the_file_in_use(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(f"[{NATIVE_POLLS}]\npercent = 0\n[of-the-next-version]\npercent = 5\n")
    flags = another(room, file)
    await flags.read_file()
    assert not flags.is_on(NATIVE_POLLS, GROUP)
    assert not flags.is_on("of-the-next-version", GROUP)


async def test_changes_are_for_operators_and_are_checked(room: Room) -> None:
    flags = room.deps.play.flags
    with pytest.raises(NotAnOperator):
        await flags.change(Actor(HOST, "Hana"), NATIVE_POLLS, Change(percent=0))
    with pytest.raises(NotAnOperator):
        await flags.reset(Actor(HOST, "Hana"), NATIVE_POLLS)
    with pytest.raises(UnknownFlag):
        await flags.change(WHO, "another", Change(percent=0))
    with pytest.raises(UnknownFlag):
        await flags.reset(WHO, "another")
    for wrong in (
        Change(percent=-1),
        Change(percent=100.5),
        Change(percent=float("nan")),
        Change(percent=1, on_chats=frozenset({1}), off_chats=frozenset({1})),
        Change(percent=1, on_chats=frozenset(range(1001))),
    ):
        with pytest.raises(BadFlagSetting):
            await flags.change(WHO, NATIVE_POLLS, wrong)
    assert all(flag.source == "definition" for flag in flags.all())
    assert not flags.is_on("another")


async def test_a_game_keeps_the_format_that_it_was_opened_with(room: Room) -> None:
    openings, engine, flags = room.deps.play.openings, room.deps.play.engine, room.deps.play.flags
    host, here = Actor(HOST, "Hana"), ChatTopic(GROUP)

    async def opened(command: str, rules: PickNumberRules) -> str:
        outcome = await openings.open_game(
            host, here, "pick_number", "", rules, command_id=command, received=room.clock.at
        )
        return outcome.state.id

    async def format_of(game_id: str) -> int:
        state = (await engine.look(game_id)).state
        assert isinstance(state, PickNumberGame)
        return state.format

    await flags.change(WHO, SECOND_DRAW_FORMAT, Change(percent=0))
    first = await opened("tg:1", PickNumberRules(join_ms=1000, selection_ms=1000))
    await flags.change(WHO, SECOND_DRAW_FORMAT, Change(percent=100))
    for number, player in enumerate((ANN, BEN)):
        await engine.execute(first, Join(player, str(player)), command_id=f"join:{number}")
    assert await format_of(first) == 1
    await room.close(first)
    second = await opened("tg:2", PickNumberRules())
    assert await format_of(second) == 2
    await room.close(second)
    await flags.change(WHO, SECOND_DRAW_FORMAT, Change(percent=0))
    worded = await opened("tg:3", replace(PickNumberRules(), prizes=("cinema ticket",)))
    assert await format_of(worded) == 2, "the first format could not bind the prize"


async def test_a_quiz_is_opened_without_polls_where_they_are_off(room: Room) -> None:
    await room.deps.play.flags.change(WHO, NATIVE_POLLS, Change(percent=100, off_chats=frozenset({GROUP})))
    opened = await room.deps.play.openings.open_game(
        Actor(HOST, "Hana"),
        ChatTopic(GROUP),
        "quiz",
        "",
        QuizRules(questions=2, polls=True),
        command_id="tg:1",
        received=room.clock.at,
    )
    assert isinstance(opened.state, QuizGame)
    assert opened.state.rules.polls is False


async def test_other_code_can_ask_through_openfeature(room: Room) -> None:
    flags = another(room)
    assert flags.client.get_boolean_details(NATIVE_POLLS, False).reason == "SPLIT"
    assert flags.client.get_boolean_details("another", True).value is True
    assert flags.client.get_string_value(NATIVE_POLLS, "default") == "default"
    assert openfeature.get_provider_metadata(flags.client.domain).name == "tombola"
