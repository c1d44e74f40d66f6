"""Commands and dialogs against a Bot API server that checks every call, with Telegram's real limits."""

from collections.abc import AsyncIterator
from functools import partial

import pytest_asyncio

from bot.settings import GAMES
from handlers.kinds.pick_number.settings import PickNumberSection
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


async def test_a_game_is_put_together_in_a_dialog(table: Table) -> None:
    table.box.control.say(table.host, table.group, "/newgame")
    await table.tap(table.host, "^Mode$")
    await table.tap(table.host, "last ones standing")
    await table.tap(table.host, "^Title$")
    prompt = await table.says("What the game is called")
    table.box.control.say(table.host, table.group, "Dialog <b>game</b>", reply_to=prompt.id)
    await table.says("last ones standing(.|\n)*|Dialog")
    stranger = await table.tap(table.people[1], "Open the game")
    assert stranger.text.startswith("Somebody else opened this menu.")
    opened = await table.tap(table.host, "Open the game")
    assert opened.text == "The game is open."
    board = await table.says("Dialog")
    assert board.content
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
