"""Commands and dialogs against a Bot API server that checks every call, with Telegram's real limits."""

from collections.abc import AsyncIterator
from functools import partial

import pytest_asyncio

from bot.settings import GAMES
from handlers.kinds.pick_number.settings import PickNumberSection
from sandbox.control import buttons
from sandbox.state import Chat
from tests.e2e.conftest import Table, seated


@pytest_asyncio.fixture
async def table(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of three and the bot."""
    games = GAMES.model_validate({"pick_number": PickNumberSection(reveal_seconds=0.2)})
    async with seated(postgres_dsn, redis_dsn, "polling", people=3, games=games) as found:
        yield found


def another(table: Table, chat: Chat, seen: int) -> bool | None:
    """Return True if the bot has written more than this many messages, otherwise None."""
    return len(table.box.control.bot_messages(chat)) > seen or None


def menu(table: Table, person: int) -> set[str]:
    """Return the commands in a person's menu in the group."""
    return {each["command"] for each in table.box.control.commands(table.people[person], table.group)}


def ephemeral_menu(table: Table) -> set[str]:
    """Return the ephemeral commands in the host's menu in the group."""
    commands = table.box.control.commands(table.host, table.group)
    return {each["command"] for each in commands if each.get("is_ephemeral")}


async def test_a_game_is_opened_by_the_short_form_that_only_its_host_sees(table: Table) -> None:
    control = table.box.control
    await table.says("I host games")
    await table.until(lambda: "newgame" in ephemeral_menu(table) or None)
    seen = len(control.bot_messages(table.group))
    control.say(table.host, table.group, "/newgame")
    await table.tap(table.host, "Quiz")
    await table.tap(table.host, "⚡ Quick")
    await table.says("5 questions", user=table.host)
    assert len(control.bot_messages(table.group)) == seen, "nobody else has seen the form"
    opened = await table.tap(table.host, "Open the game")
    assert opened.text == "The game is open."
    await table.says("5 questions")
    table.no_complaints()


async def test_a_game_is_put_together_in_private(table: Table) -> None:
    control, private = table.box.control, table.box.control.private(table.host)
    control.say(table.host, table.group, "/newgame")
    await table.tap(table.host, "Pick Your Number")
    form = await table.says("to pick", user=table.host)
    (link,) = [button["url"] for button in buttons(form) if "url" in button]
    control.start(table.host, link.partition("start=")[2])
    await table.tap(table.host, "^🎁 Prize$", chat=private)
    await table.says("What can be won", chat=private)
    control.say(table.host, private, "Cinema ticket")
    await table.says("Cinema ticket", chat=private)
    await table.tap(table.host, "Open the game", chat=private)
    await table.says("is open in", chat=private)
    await table.says("Cinema ticket")
    await table.tap(table.people[1], "^j:")
    table.no_complaints()


async def test_every_command_of_players_is_answered_without_a_wrong_call(table: Table) -> None:
    person = table.people[1]
    private = table.box.control.private(person)
    table.box.control.start(person)
    await table.says("I host games", chat=private)
    for command in ("help", "status", "games", "stats", "leaderboard", "history", "fair", "language"):
        seen = table.box.control.bot_messages(private)
        table.box.control.say(person, private, f"/{command}")
        await table.until(partial(another, table, private, len(seen)))
    table.no_complaints()


async def test_menus_are_published_to_everybody(table: Table) -> None:
    await table.until(lambda: "ban" in menu(table, 0) or None)
    assert {"join", "leave", "fair"} <= menu(table, 1)
    assert not {"newgame", "settings"} & menu(table, 1)
    assert {"newgame", "settings", "ban", "join"} <= menu(table, 0)
    table.no_complaints()


async def test_a_command_whose_answer_is_for_one_alone_is_seen_by_nobody_else(table: Table) -> None:
    person, other = table.people[1], table.people[2]
    await table.until(lambda: "join" in menu(table, 1) or None)
    table.box.control.say(person, table.group, "/help")
    await table.says("For everybody", user=person)
    assert not [text for text in table.box.control.texts(other, table.group) if "For everybody" in text]
    table.no_complaints()
