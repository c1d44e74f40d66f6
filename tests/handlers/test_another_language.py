"""A copy of a locale under another code is offered and spoken everywhere, without any other change."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.verifier_words import words
from handlers.command_menus import calls
from handlers.commands.players import private_help
from play.texts import FOLDER, Texts
from storage.connections import Pool
from tests.handlers.room import ANN, GROUP, build_room, plain, text
from tests.handlers.test_dialogs import open_settings, press


async def test_a_folder_is_all_that_a_language_needs(
    redis: Redis, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "locales")
    shutil.copytree(folder / "ru", folder / "it")
    commands = folder / "it" / "commands.ftl"
    renamed = commands.read_text(encoding="utf-8").replace("= Русский\n", "= Italiano\n")
    commands.write_text(renamed, encoding="utf-8")
    texts = Texts(folder)
    monkeypatch.setattr("tests.handlers.room.TEXTS", texts)
    async with build_room(redis, pool) as room:
        menus = [method for method, params in calls(room.deps) if params.get("language_code") == "it"]
        assert sorted(menus) == ["setMyCommands"] * 4 + ["setMyDescription", "setMyShortDescription"]

        await room.say("/language", by=ANN, chat=ANN)
        (asked,) = await room.sent()
        keyboard = asked.params["reply_markup"]["inline_keyboard"]
        offered = {button["callback_data"]: plain(button["text"]) for row in keyboard for button in row}
        assert offered["lang:it"] == "Italiano"
        await room.tap("lang:it", {**room.message("?", chat=ANN), "reply_markup": asked.params["reply_markup"]})
        await room.sent()
        await room.say("/help", by=ANN, chat=ANN)
        assert await room.answer() == plain(private_help(texts, "it"))

        await open_settings(room)
        await press(room, text("dlg-name-language"))
        await press(room, "Italiano")
        chat = await room.deps.stores.people.chat(GROUP)
        assert chat is not None
        assert chat.locale == "it"
    assert texts.pick("it-CH") == "it"
    assert texts.number("it", Decimal("1234567.5")) == "1.234.567,50"
    assert words(texts)["it"]["page-language"] == "Italiano"
    assert not texts.missing
