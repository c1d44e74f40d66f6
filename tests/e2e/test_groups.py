"""Kinds of groups: forums, migrations, anonymous administrators, removed bots, odd names, and a hundred people."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio

from bot.settings import GAMES
from handlers.kinds.pick_number.settings import PickNumberSection
from tests.e2e.conftest import Table, seated

HOSTILE = (
    "<b>",
    "Eve <3 & co",
    "_x_",
    "\u202eright to left",
    "שלום",
    "👩‍👩‍👧‍👦🎉",
    "a\u0301\u0301\u0301\u0301",
    "@admin /stop #x $y",
)


async def test_names_and_titles_of_any_kind_break_no_message(table: Table) -> None:
    for name in HOSTILE:
        table.people.append(table.box.control.add_user(name[:60]))
        table.box.control.join(table.group, table.people[-1])
    game_id = await table.begin(line="/create_game <i>Title</i> & <3 _x_ 3")
    await table.says("Take a number")
    for number, person in enumerate(table.people, start=3):  # there are too many numbers for buttons on the board
        assert (await table.press(person, f"p:{game_id}:{number}")).text
    await table.close(game_id)
    result = await table.says("🏆")
    assert "<i>Title</i> & <3 _x_" in re.sub("[\u2060\u2068\u2069]", "", str(result.content["text"]))
    table.no_complaints()


async def test_a_game_follows_its_group_into_the_supergroup(polled: Table) -> None:
    game_id = await polled.begin()
    await polled.says("Take a number")
    polled.group = polled.box.control.migrate(polled.group, polled.host)
    await polled.finish(game_id)
    await polled.says("🏆")
    polled.no_complaints()


async def test_a_game_ends_when_the_bot_is_removed_and_another_can_begin_afterwards(polled: Table) -> None:
    await polled.join(await polled.open(), *polled.people)
    polled.box.control.remove_bot(polled.group, polled.host)
    await polled.until(lambda: not polled.box.world.updates.pending)
    polled.box.control.add_bot(polled.group, polled.host)
    await polled.open("/create_game Again")
    polled.no_complaints()


async def test_who_made_a_topic_is_not_meant_by_a_command_that_answers_nobody_there(polled: Table) -> None:
    control, maker = polled.box.control, polled.people[1]
    forum = control.add_group("Forum", polled.host, polled.people[1:], kind="supergroup", forum=True)
    topic = control.add_topic(forum, "Games", maker)
    control.say(polled.host, forum, "/ban", thread_id=topic)
    await polled.says("Who do you mean", chat=forum)
    control.say(maker, forum, "/create_game", thread_id=topic)
    await polled.says("Only admins", chat=forum)
    polled.no_complaints()


async def test_topics_of_a_forum_have_games_of_their_own(polled: Table) -> None:
    control = polled.box.control
    forum = control.add_group("Forum", polled.host, polled.people[1:], kind="supergroup", forum=True)
    one, two = (control.add_topic(forum, name, polled.host) for name in ("one", "two"))
    control.say(polled.host, forum, "/create_game First", thread_id=one)
    first = await polled.says("First", chat=forum)
    control.say(polled.host, forum, "/create_game Second", thread_id=two)
    second = await polled.says("Second", chat=forum)
    assert (first.thread_id, second.thread_id) == (one, two)
    control.say(polled.host, forum, "/create_game Third", thread_id=one)
    refusal = await polled.says("already", chat=forum, user=polled.host)
    assert (refusal.thread_id, "Third" in str(refusal.content)) == (one, False)
    polled.no_complaints()


async def test_an_anonymous_administrator_hosts(polled: Table) -> None:
    control = polled.box.control
    control.set_status(polled.group, polled.people[1], "administrator", is_anonymous=True)
    control.say(polled.people[1], polled.group, "/create_game Masked")
    await polled.says("Masked")
    for person in polled.people[:3]:
        await polled.tap(person, "^j:")
    control.say(polled.people[1], polled.group, "/startnow")
    await polled.says("Take a number")
    polled.no_complaints()


async def test_a_member_who_is_no_host_opens_and_cancels_nothing(polled: Table) -> None:
    polled.box.control.say(polled.people[1], polled.group, "/create_game Mine")
    await polled.says("Only admins")
    await polled.open()
    polled.box.control.say(polled.people[1], polled.group, "/cancel_game")
    await polled.until(lambda: not polled.box.world.updates.pending)
    assert (await polled.tap(polled.people[1], "^j:")).text
    polled.no_complaints()


@pytest_asyncio.fixture
async def crowd(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of a hundred people and the bot, by webhook."""
    games = GAMES.model_validate({"pick_number": PickNumberSection(reveal_seconds=0.2, winners=10, max_players=100)})
    async with seated(postgres_dsn, redis_dsn, "webhook", people=100, games=games) as found:
        yield found


async def test_a_hundred_people_play_within_telegrams_limits(crowd: Table) -> None:
    game_id = await crowd.open("/create_game Crowd reverse 10")
    await crowd.join(game_id, *crowd.people)
    await crowd.says("number")
    for number, person in enumerate(crowd.people, start=1):
        assert str(number) in ((await crowd.press(person, f"p:{game_id}:{number}")).text or "")
    await crowd.close(game_id)
    await crowd.says("🏆")
    crowd.no_complaints()


async def test_a_bot_that_may_write_again_shows_the_game_as_it_is_by_then(polled: Table) -> None:
    game_id = await polled.open()
    control = polled.box.control
    control.mute_bot(polled.group, polled.host)
    await polled.until(lambda: not polled.box.world.updates.pending)
    await polled.join(game_id, *polled.people)
    await polled.turn(61)
    control.add_bot(polled.group, polled.host)
    await polled.says("Take a number")


async def test_data_of_other_messages_buttons_changes_no_living_message(polled: Table) -> None:
    await polled.open()
    board = await polled.says("Everyone takes a number")
    shown = dict(board.content)
    for data in ("lang:ru", "lang:xx", "top:0:0", "hist:c:0"):
        await polled.box.control.press_data(polled.people[1], board, data).answer()
    await polled.tap(polled.host, "^h:")
    assert board.content["text"].splitlines()[0] == shown["text"].splitlines()[0]
    assert "Everyone takes" in board.content["text"]
    polled.no_complaints()
