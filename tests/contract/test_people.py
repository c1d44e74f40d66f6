"""People, chats and bans: processes learn each other's changes; without PostgreSQL nobody is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis

from storage.connections import Pool, postgres_pool
from storage.people import CHANGED, People, _Memory
from tests.contract.played import House, until

CHAT = -1_001_234_567_100


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give PostgreSQL time on a busy machine: after the usual second the cached rows would be used."""
    monkeypatch.setattr("storage.people.READ_SECONDS", 60.0)


@pytest.fixture
def people(pool: Pool, redis: Redis) -> People:
    return People(pool, redis)


@asynccontextmanager
async def listening(people: People, redis: Redis, number: int = 1) -> AsyncIterator[People]:
    """Let it receive changes during the block."""
    task = asyncio.create_task(people.run())
    async with asyncio.timeout(60):
        while dict(await redis.pubsub_numsub(CHANGED)).get(CHANGED.encode(), 0) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    yield people
    task.cancel()
    await asyncio.wait({task})


@asynccontextmanager
async def postgresql_away(pool: Pool, people: People) -> AsyncIterator[None]:
    """Replace its pool by one whose server is unreachable."""
    async with postgres_pool("postgresql://nobody@127.0.0.1:1/none", pool_min=0) as away:
        people._pool = away
        yield
        people._pool = pool


async def test_nobody_is_known_at_first(people: People) -> None:
    assert await people.locale_of_player(7) is None
    assert await people.chat(CHAT) is None
    assert await people.name_in(CHAT, 7) is None
    assert await people.find_player("ann") is None
    assert not await people.is_banned(CHAT, 7)
    assert await people.bans(CHAT) == []
    assert await people.chats_active(-(10**15), 10) == []


async def test_players_seen_are_found_by_name_in_whatever_case(people: People, pool: Pool, redis: Redis) -> None:
    people.saw_player(7, "Ann <b>", "Ann_7")
    people.saw_player(8, "N\0ul \udc00", None)
    await people.flush()
    other = People(pool, redis)
    assert await other.find_player("ann_7") == (7, "Ann <b>")
    assert await pool.fetchval("SELECT array_agg(name ORDER BY id) FROM players") == ["Ann <b>", "Nul ?"]


async def test_a_new_name_replaces_the_old_one_and_the_same_name_is_not_written(people: People, pool: Pool) -> None:
    people.saw_player(7, "Ann", "ann")
    await people.flush()
    written = await pool.fetchval("SELECT updated_at FROM players")
    people.saw_player(7, "Ann", "ann")
    await people.flush()
    assert await pool.fetchval("SELECT updated_at FROM players") == written
    people.saw_player(7, "Anna", None)
    await people.close()
    assert tuple(await pool.fetchrow("SELECT name, username FROM players") or ()) == ("Anna", None)


async def test_whoever_is_seen_after_months_is_noted_as_seen(people: People, pool: Pool, redis: Redis) -> None:
    people.saw_player(7, "Ann", "ann")
    await people.flush()
    await pool.execute("UPDATE players SET updated_at = now() - interval '31 days'")
    later = People(pool, redis)
    later.saw_player(7, "Ann", "ann")
    await later.flush()
    assert await pool.fetchval("SELECT now() - updated_at < interval '1 hour' FROM players")


async def test_a_language_is_remembered_and_kept(people: People, pool: Pool, redis: Redis) -> None:
    await people.set_player_locale(7, "ru")
    people.saw_player(7, "Ann", None)
    await people.flush()
    for each in (people, People(pool, redis)):
        assert await each.locale_of_player(7) == "ru"


async def test_a_chat_keeps_its_settings_when_its_title_changes(people: People) -> None:
    await people.saw_chat(CHAT, "group", "Friends")
    await people.change_settings(CHAT, {"winners": 2, "split": "equal"})
    await people.set_chat_locale(CHAT, "ru")
    await people.change_settings(CHAT, {"split": None, "absent": "auto"})
    await people.saw_chat(CHAT, "supergroup", "Good \0friends")
    chat = await people.chat(CHAT)
    assert chat is not None
    assert (chat.type, chat.title, chat.locale) == ("supergroup", "Good friends", "ru")
    assert chat.settings == {"winners": 2, "absent": "auto"}
    assert chat.active


async def test_settings_can_be_made_in_a_chat_that_was_never_seen(people: People) -> None:
    await people.change_settings(CHAT, {"winners": 2})
    chat = await people.chat(CHAT)
    assert chat is not None
    assert chat.settings == {"winners": 2}


async def test_chats_that_are_gone_get_no_broadcast_until_they_are_seen_again(people: People) -> None:
    for chat_id in range(-5, 0):
        await people.saw_chat(chat_id, "group", "x")
    await people.chat_gone(-3)
    assert [chat.id for chat in await people.chats_active(-(10**15), 3)] == [-5, -4, -2]
    assert [chat.id for chat in await people.chats_active(-2, 3)] == [-1]
    await people.saw_chat(-3, "group", "x")
    assert len(await people.chats_active(-(10**15), 10)) == 5


async def test_a_ban_holds_in_its_chat_and_a_general_one_everywhere(people: People) -> None:
    await people.ban(CHAT, 7, 1, "rude")
    await people.ban(0, 8, 1, "bot", None)
    assert await people.is_banned(CHAT, 7)
    assert not await people.is_banned(-200, 7)
    assert await people.is_banned(-200, 8)
    assert [(ban.player_id, ban.by, ban.reason, ban.expires_at) for ban in await people.bans(CHAT)] == [
        (7, 1, "rude", None)
    ]
    await people.unban(CHAT, 7)
    await people.unban(0, 8)
    assert not await people.is_banned(CHAT, 7)
    assert not await people.is_banned(-200, 8)


async def test_a_ban_ends_when_it_expires(people: People, pool: Pool) -> None:
    await people.ban(CHAT, 7, 1, "", 1000)
    assert not await people.is_banned(CHAT, 7)
    assert await people.bans(CHAT) == []
    future = round((await pool.fetchval("SELECT now()")).timestamp() * 1000) + 60_000
    await people.ban(CHAT, 7, 1, "", future)
    assert await people.is_banned(CHAT, 7)
    assert [ban.expires_at for ban in await people.bans(CHAT)] == [future]


async def test_what_one_process_changes_another_knows_at_once(people: People, pool: Pool, redis: Redis) -> None:
    async with listening(People(pool, redis), redis) as other:
        assert not await other.is_banned(CHAT, 7)
        assert await other.chat(CHAT) is None
        assert await other.locale_of_player(7) is None
        await people.ban(CHAT, 7, 1, "")
        await people.saw_chat(CHAT, "group", "x")
        await people.set_player_locale(7, "ru")
        await until(lambda: other._locales.fresh(7) is None)
        assert await other.is_banned(CHAT, 7)
        assert await other.chat(CHAT) is not None
        assert await other.locale_of_player(7) == "ru"
        await people.unban(CHAT, 7)
        await until(lambda: other._bans.fresh(CHAT) is None)
        assert not await other.is_banned(CHAT, 7)


async def test_a_warm_ban_list_asks_nobody(people: People, pool: Pool) -> None:
    await people.is_banned(CHAT, 7)
    async with postgresql_away(pool, people):
        for player in range(1000):
            assert not await people.is_banned(CHAT, player)


async def test_bans_of_many_chats_are_read_together_and_page_by_page(
    people: People, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    banned = {(chat_id, player_id) for chat_id in (-300, -200, CHAT, 0) for player_id in (7, 8, 9)} - {(CHAT, 8)}
    for chat_id, player_id in banned:
        if chat_id != 0 or player_id == 9:
            await people.ban(chat_id, player_id, 1, "")
    asked = list[tuple[Any, ...]]()

    async def fetch(query: str, *arguments: Any) -> list[Any]:
        asked.append(arguments)
        return await pool.fetch(query, *arguments)

    monkeypatch.setattr("storage.people.BANS_A_READ", 2)
    people = People(pool, people._redis)
    monkeypatch.setattr(people, "_pool", SimpleNamespace(fetch=fetch))
    pairs = [(chat_id, player_id) for chat_id in (-400, -300, -200, CHAT) for player_id in (7, 8, 9)]
    found = await asyncio.gather(*(people.is_banned(*pair) for pair in pairs))
    here = {pair for pair, is_banned in zip(pairs, found, strict=True) if is_banned}
    assert here == {pair for pair in pairs if pair in banned or pair[1] == 9}
    reads = [set(chat_ids) for chat_ids, *_ in asked]
    assert reads[0] == {-400}
    assert reads[1] == {-400, -300, -200, CHAT, 0}, reads  # chats that were asked for meanwhile are read too


async def test_while_postgresql_is_away_what_is_remembered_goes_on_to_hold(people: People, pool: Pool) -> None:
    await people.ban(CHAT, 7, 1, "")
    await people.change_settings(CHAT, {"winners": 3})
    assert await people.is_banned(CHAT, 7)
    assert await people.chat(CHAT) is not None
    for memory in (people._bans, people._chats, people._locales):
        memory.drop_all()
    async with postgresql_away(pool, people):
        assert await people.is_banned(CHAT, 7)
        chat = await people.chat(CHAT)
        assert chat is not None
        assert chat.settings == {"winners": 3}
        assert not await people.is_banned(-999, 7)
        assert await people.locale_of_player(99) is None
        people.saw_player(9, "Later", None)
        await people.saw_chat(-5, "group", "x")
        with pytest.raises(ConnectionRefusedError):
            await people.ban(CHAT, 8, 1, "")
        with pytest.raises(ConnectionRefusedError):
            await people.flush()
    await people.flush()
    assert await pool.fetchval("SELECT name FROM players WHERE id = 9") == "Later"


async def test_while_one_asks_whether_postgresql_is_back_nobody_else_waits() -> None:
    asked, back = list[int](), asyncio.Event()

    async def read(key: int) -> str:
        asked.append(key)
        await back.wait()
        return "row"

    memory: _Memory[int, str] = _Memory(read)
    memory._away_until = 1e-9  # a time long past
    first = asyncio.create_task(memory.get(1, ""))
    await asyncio.sleep(0)
    assert await memory.get(2, "unknown") == "unknown"
    back.set()
    assert await first == "row"
    assert asked == [1]
    assert await memory.get(2, "unknown") == "row"


async def test_a_group_that_becomes_a_supergroup_takes_everything_along(
    people: People, pool: Pool, redis: Redis
) -> None:
    house = House(pool, redis)
    await people.saw_chat(-1, "group", "Friends")
    await people.set_chat_locale(-1, "ru")
    await people.change_settings(-1, {"winners": 2})
    await people.ban(-1, 7, 1, "")
    await house.play((1, 2), chat_id=-1)
    await house.project()
    for _ in range(2):  # reported twice, by Telegram's notice and by a send
        await people.chat_migrated(-1, -1007)
    chat, old = await people.chat(-1007), await people.chat(-1)
    assert chat is not None
    assert old is not None
    assert (chat.title, chat.locale, chat.settings, chat.active) == ("Friends", "ru", {"winners": 2}, True)
    assert (old.active, old.migrated_to) == (False, -1007)
    assert await people.is_banned(-1007, 7)
    assert not await people.is_banned(-1, 7)
    assert await pool.fetchval("SELECT count(*) FROM games WHERE chat_id = -1007") == 1
    rows = await pool.fetch("SELECT chat_id, kind, sum(games) FROM player_stats GROUP BY 1, 2")
    assert {tuple(row) for row in rows} == {
        (0, "", 2), (0, "pick_number", 2), (-1007, "", 2), (-1007, "pick_number", 2)
    }  # fmt: skip


async def test_who_blocked_the_bot_is_noted(people: People, pool: Pool) -> None:
    people.saw_player(7, "Ann", None)
    await people.flush()
    await people.player_blocked(7)
    assert await pool.fetchval("SELECT blocked FROM players WHERE id = 7")
    await people.player_blocked(7, blocked=False)
    assert not await pool.fetchval("SELECT blocked FROM players WHERE id = 7")


async def test_players_seen_are_written_in_the_background(people: People, pool: Pool, redis: Redis) -> None:
    async with listening(people, redis):
        for player in range(3000):
            people.saw_player(player, f"P{player}", None)
        await until(lambda: not people._waiting)
    assert await pool.fetchval("SELECT count(*) FROM players") == 3000
