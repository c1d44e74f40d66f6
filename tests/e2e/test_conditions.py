"""Conditions to join a game, which hosts set and everybody has to meet, the host included."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from sandbox.control import buttons
from storage import keys
from tests.e2e.conftest import Table, seated
from tests.e2e.test_quiz import plain


@pytest_asyncio.fixture
async def table(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of five people; the bot is an administrator. Hosts join the games that they open."""
    async with seated(postgres_dsn, redis_dsn, "polling", host_joins=True) as found:
        found.box.control.add_bot(found.group, found.host, admin=True)
        yield found


async def joins(table: Table, number: int, line: str = "") -> str:
    """Open a game if there is a line, and tap Join as a person. Returns the answer."""
    if line:
        await table.open(line)
    return plain((await table.tap(table.people[number], f"^j:{table.games[-1]}$")).text or "")


async def test_a_game_for_members_of_a_channel_leads_the_others_there(table: Table) -> None:
    control = table.box.control
    channel = control.add_channel("News", "tombola_news", table.host, bot_admin=True)
    refused = await joins(table, 1, "/create_game Friday +@tombola_news")
    assert "Join t.me/tombola_news" in refused
    lobby = await table.says("Who may join: members of @tombola_news")
    assert {"text": "@tombola_news", "url": "https://t.me/tombola_news"} in buttons(lobby)
    control.join(channel, table.people[1])
    await table.bot.redis.delete(keys.member_key("@tombola_news", table.people[1].id))  # a minute later
    assert "You’re in" in await joins(table, 1)
    table.no_complaints()


async def test_a_channel_whose_members_the_bot_cannot_see_is_no_condition(table: Table) -> None:
    table.box.control.add_channel("News", "tombola_news", table.host)
    for name in ("tombola_news", "no_such_channel"):
        table.box.control.say(table.host, table.group, f"/create_game Friday +@{name}")
        await table.says(f"I can’t see the members of .*{name}.*admin of that channel", user=table.host)
    assert not table.button("^j:")


async def test_premium_and_boosts_are_seen_and_a_host_is_not_exempt(table: Table) -> None:
    control = table.box.control
    control.premium(table.people[1])
    await table.open("/create_game Friday +premium +boost")
    lobby = await table.says("Who may join: boosters of this chat · Telegram Premium users")
    assert "Nobody has joined yet" in str(lobby.content["text"])
    assert "Telegram Premium" in await joins(table, 0)
    assert "boost the group" in await joins(table, 1)
    control.boost(table.group, table.people[1])
    await table.bot.redis.delete(keys.booster_key(table.group.id, table.people[1].id))
    assert "You’re in" in await joins(table, 1)
    control.say(table.people[2], table.group, "/join")
    await table.says("This game is for people with Telegram Premium", user=table.people[2])
    table.no_complaints()


async def test_boosts_are_no_condition_where_the_bot_cannot_see_them(postgres_dsn: str, redis_dsn: str) -> None:
    async with seated(postgres_dsn, redis_dsn, "polling") as table:
        table.box.control.say(table.host, table.group, "/start_quiz 3 +boost")
        await table.says("I can’t see who boosts this group")


async def test_people_whom_the_bot_has_not_known_for_long_enough_do_not_join(table: Table) -> None:
    refused = await joins(table, 1, "/start_quiz 3 15 +7d")
    assert "I’ve known for 7 days" in refused
    earlier = "UPDATE players SET created_at = now() - interval '8 days' WHERE id = $1 RETURNING id"
    async with asyncio.timeout(60):
        while not await table.bot.pool.fetchval(earlier, table.people[1].id):  # noqa: ASYNC110 -- it is stored a little later
            await asyncio.sleep(0.05)
    assert "You’re in" in await joins(table, 1)
    table.no_complaints()


async def test_a_host_sets_conditions_in_the_private_form(table: Table) -> None:
    control, private = table.box.control, table.box.control.private(table.host)
    control.add_channel("News", "tombola_news", table.host, bot_admin=True)
    control.start(table.host, f"new_{table.group.id}_0__pick_number")
    await table.tap(table.host, "All settings|Everything|More", chat=private)
    await table.tap(table.host, "Members of a channel", chat=private)
    control.say(table.host, private, "https://t.me/tombola_ghosts")
    await table.says("I can’t see the members of", chat=private)
    control.say(table.host, private, "https://t.me/tombola_news")
    await table.tap(table.host, "Premium only", chat=private)
    await table.tap(table.host, "^yes$", chat=private)
    await table.tap(table.host, "Back", chat=private)
    answer = await table.tap(table.host, "Open", chat=private)
    assert "without you" in str(answer.text)
    lobby = await table.says("Who may join: members of @tombola_news · Telegram Premium users")
    assert "Nobody has joined yet" in str(lobby.content["text"])
