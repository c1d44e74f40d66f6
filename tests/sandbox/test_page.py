"""The controls over HTTP, the stream of changes, the page's files, and simulated players."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.filters import Command
from aiogram.types import CallbackQuery
from aiogram.types import Message as BotMessage

from handlers.kinds.registry import FACES
from sandbox import app
from sandbox.players import Players
from tests.sandbox.conftest import Call, Scene

PAGE = Path(app.__file__).parent / "page"


async def act(scene: Scene, http: aiohttp.ClientSession, verb: str, **fields: Any) -> Any:
    async with http.post(f"{scene.box.url}/sandbox/{verb}", json=fields) as response:
        return await response.json()


async def test_a_script_can_do_all_that_people_do(scene: Scene, http: aiohttp.ClientSession, call: Call) -> None:
    user = await act(scene, http, "user", first_name="Chloé", language="fr", chat=scene.group.id)
    assert scene.group.members[user["id"]].status == "member"
    where = {"user": user["id"], "chat": scene.group.id}
    said = await act(scene, http, "say", **where, text="/help")
    assert scene.group.messages[said["message"]].content["text"] == "/help"
    assert (await act(scene, http, "start", user=user["id"], payload="x"))["message"] == 1
    assert "error" in await act(scene, http, "start", user=user["id"], payload="no spaces")
    await act(scene, http, "member", **where, status="administrator", anonymous=True)
    assert scene.group.members[user["id"]].is_anonymous
    await act(scene, http, "upload", **where, name="a.csv", content="YTtiCg==")
    assert [file.content for file in scene.box.world.files.values()] == [b"a;b\n"]
    forum = await act(scene, http, "group", title="Forum", user=user["id"], forum=True)
    topic = await act(scene, http, "topic", chat=forum["id"], user=user["id"], name="Games")
    await act(scene, http, "say", user=user["id"], chat=forum["id"], text="/help", thread=topic["thread"])
    new = await act(scene, http, "migrate", chat=scene.group.id, user=scene.ann.id)
    assert new["type"] == "supergroup"
    await act(scene, http, "block", user=user["id"])
    assert (await call("sendMessage", chat_id=user["id"], text="x"))["error_code"] == 403


async def test_a_script_makes_channels_boosts_and_premium(
    scene: Scene, http: aiohttp.ClientSession, call: Call, refusal: Call
) -> None:
    ann, boris, chat = scene.ann.id, scene.boris.id, scene.group.id
    fields = {"title": "News", "username": "tombola_news", "user": ann}
    channel = await act(scene, http, "channel", **fields, bot_admin=True)
    assert (channel["type"], list(channel["members"])) == ("channel", [str(ann), str(scene.box.world.bot_id)])
    await act(scene, http, "member", chat=channel["id"], user=boris, status="member")
    for person, status in ((boris, "member"), (ann, "creator")):
        member = await call("getChatMember", chat_id="@tombola_news", user_id=person)
        assert member["result"]["status"] == status
    elsewhere = await act(scene, http, "channel", **{**fields, "username": "elsewhere"})
    assert "bot is not a member" in await refusal("getChatMember", chat_id="@elsewhere", user_id=ann)
    await act(scene, http, "member", chat=elsewhere["id"], user=scene.box.world.bot_id, status="member")
    assert "inaccessible" in await refusal("getChatMember", chat_id="@elsewhere", user_id=ann)

    asked = {"chat_id": chat, "user_id": boris}
    assert "CHAT_ADMIN_REQUIRED" in await refusal("getUserChatBoosts", **asked)
    await act(scene, http, "member", chat=chat, user=scene.box.world.bot_id, status="administrator")
    assert (await call("getUserChatBoosts", **asked))["result"] == {"boosts": []}
    row = await act(scene, http, "boost", chat=chat, user=boris)
    assert row["boosts"] == [boris]
    (boost,) = (await call("getUserChatBoosts", **asked))["result"]["boosts"]
    assert (boost["source"]["source"], boost["source"]["user"]["id"]) == ("premium", boris)
    assert boost["add_date"] < boost["expiration_date"]
    await act(scene, http, "boost", chat=chat, user=boris, boosts=False)
    assert (await call("getUserChatBoosts", **asked))["result"] == {"boosts": []}
    assert "initiate conversation" in await refusal("getUserChatBoosts", chat_id=ann, user_id=ann)
    await act(scene, http, "start", user=ann)
    assert "no boosts in the private chat" in await refusal("getUserChatBoosts", chat_id=ann, user_id=ann)

    for premium in (True, False):
        row = await act(scene, http, "premium", user=boris, premium=premium)
        assert row["premium"] is premium
        await act(scene, http, "say", user=boris, chat=chat, text="/help")
        updates = (await call("getUpdates", offset=-1))["result"]
        assert updates[-1]["message"]["from"].get("is_premium", False) is premium
    for verb in ("boost", "premium", "channel"):
        assert "missing" in (await act(scene, http, verb))["error"]


async def test_a_script_can_press_and_wait_for_the_answer(
    scene: Scene, http: aiohttp.ClientSession, call: Call
) -> None:
    sent = scene.posted((await call("sendMessage", chat_id=scene.group.id, text="x"))["result"])
    press = {"user": scene.ann.id, "chat": scene.group.id, "message": sent.id, "data": "x", "wait": 10}
    pressed = asyncio.create_task(act(scene, http, "press", **press))
    await scene.box.control.until(lambda: scene.box.world.queries)
    await call("answerCallbackQuery", callback_query_id=next(iter(scene.box.world.queries)), text="done")
    assert await pressed == {"text": "done", "show_alert": False, "url": None}


async def test_what_is_wrong_is_said_and_nothing_but_json_is_taken(scene: Scene, http: aiohttp.ClientSession) -> None:
    assert await act(scene, http, "say", chat=1) == {"error": "user is missing"}
    assert "known" in await act(scene, http, "nonsense")
    async with http.post(f"{scene.box.url}/sandbox/say", data="{}") as response:
        assert response.status == 415


async def test_the_page_shows_each_person_the_right_messages(
    scene: Scene, http: aiohttp.ClientSession, call: Call
) -> None:
    scene.box.control.add_bot(scene.group, scene.ann, admin=True)
    asked = {"receiver_user_id": scene.ann.id}
    await call(
        "sendMessage",
        chat_id=scene.group.id,
        text="<b>yours</b>",
        parse_mode="HTML",
        ephemeral_message_parameters=asked,
    )

    async def seen(user: int) -> list[dict[str, Any]]:
        async with http.get(f"{scene.box.url}/sandbox/view", params={"user": user, "chat": scene.group.id}) as response:
            view = await response.json()
        return [message for message in view["messages"] if "text" in message["content"]]

    [own] = await seen(scene.ann.id)
    assert own["content"]["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    assert await seen(scene.boris.id) == []


async def test_changes_and_toasts_are_streamed(scene: Scene, http: aiohttp.ClientSession, call: Call) -> None:
    async with http.get(f"{scene.box.url}/sandbox/events") as stream:
        await stream.content.readline()
        sent = scene.posted((await call("sendMessage", chat_id=scene.group.id, text="x"))["result"])
        press = scene.box.control.press_data(scene.ann, sent, "x")
        await call("answerCallbackQuery", callback_query_id=press.query.id, text="done")
        changes: list[dict[str, Any]] = []
        async for line in stream.content:
            if line.startswith(b"data: "):
                changes += json.loads(line[6:])
            if any(change["kind"] == "answer" for change in changes):
                break
    answer = next(change for change in changes if change["kind"] == "answer")
    assert (answer["user"], answer["text"]) == (scene.ann.id, "done")
    assert {"message", "call"} <= {change["kind"] for change in changes}


async def test_calls_and_violations_can_be_read(scene: Scene, http: aiohttp.ClientSession, call: Call) -> None:
    await call("sendMessage", chat_id=scene.group.id)
    async with http.get(f"{scene.box.url}/sandbox/seen") as response:
        seen = await response.json()
    assert seen["calls"][-1]["description"] == "Bad Request: message text is empty"
    assert seen["violations"][0]["method"] == "sendMessage"
    assert seen["statistics"]["calls"] == {"sendMessage": {"400": 1}}


async def test_the_page_and_all_its_parts_are_served(scene: Scene, http: aiohttp.ClientSession) -> None:
    async with http.get(scene.box.url) as response:
        page = await response.text()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    for path in re.findall(r"/page/[\w.]+", page):
        async with http.get(scene.box.url + path) as response:
            assert response.status == 200


@pytest.mark.parametrize("path", sorted(PAGE.glob("*.js")), ids=lambda path: path.name)
def test_no_text_is_ever_read_as_html(path: Path) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text())


async def test_the_demo_has_a_group_of_three_and_the_bot() -> None:
    async with app.serve(demo=True) as box:
        assert box.group is not None
        assert box.group.title == "Friday games"
        names = {box.world.users[user].first_name for user in box.group.members}
        assert names == {"Ann", "Борис", "Chloé", "Tombola"}


def lobby() -> tuple[Dispatcher, dict[str, list[tuple[int, str]]]]:
    """Make a bot that opens a game, lets people join, pick and answer. Odd numbers are taken."""
    dispatcher = Dispatcher()
    did: dict[str, list[tuple[int, str]]] = {"j": [], "p": [], "a": []}
    numbers = [(str(n) if n % 2 == 0 else f"✕ {n}", f"p:g1:{n}") for n in range(1, 9)]
    rows = [[("Join", "j:g1")], numbers, [("A", "a:g1:q1:0"), ("B", "a:g1:q1:1")]]
    keys = {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in row] for row in rows]}

    @dispatcher.message(Command("newgame"))
    async def open_game(message: BotMessage) -> None:
        await message.answer("A game", reply_markup=keys)  # type: ignore[arg-type]  # aiogram validates it

    @dispatcher.callback_query(F.data)
    async def tapped(query: CallbackQuery) -> None:
        data = query.data or ""
        did[data[0]].append((query.from_user.id, data))
        await query.answer()

    return dispatcher, did


async def test_simulated_players_join_pick_and_answer(scene: Scene, bot: Bot) -> None:
    dispatcher, did = lobby()
    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False))
    players = Players(scene.box.control, random.Random(7), pace=0, moves=[face.moves for face in FACES.values()])
    crowd = {user.id for user in players.add(scene.group, 5)}
    scene.box.control.say(scene.ann, scene.group, "/newgame")
    try:
        await scene.box.control.until(lambda: all({user for user, _ in taps} == crowd for taps in did.values()), 60)
        # Nobody taps a number marked as taken; everybody tries once more, as another player may have been faster.
        await scene.box.control.until(lambda: len(did["p"]) == 2 * len(crowd), 60)
    finally:
        await players.stop()
        await dispatcher.stop_polling()
        await polling
    assert {data for _, data in did["p"]} <= {f"p:g1:{number}" for number in (2, 4, 6, 8)}
    assert scene.box.control.violations() == []


async def test_simulated_players_follow_a_link_to_their_own_board_and_pick_there(scene: Scene, bot: Bot) -> None:
    dispatcher, picked = Dispatcher(), set[int]()

    def keys(text: str, data: str) -> Any:
        return {"inline_keyboard": [[{"text": text, "callback_data": data}]]}

    @dispatcher.message(Command("newgame"))
    async def open_game(message: BotMessage) -> None:
        await message.answer("A game", reply_markup=keys("Join", "j:g1"))
        await message.answer("Its board", reply_markup=keys("Pick your number", "o:g1:pick"))

    @dispatcher.message(Command("start"))
    async def own_board(message: BotMessage) -> None:
        await message.answer("Your own board", reply_markup=keys("7", "p:g1:7"))

    @dispatcher.callback_query(F.data)
    async def tapped(query: CallbackQuery) -> None:
        if query.data == "p:g1:7":
            picked.add(query.from_user.id)
        await query.answer(
            url=f"https://t.me/{scene.box.world.bot.username}?start=g_1" if query.data == "o:g1:pick" else None
        )

    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False))
    players = Players(scene.box.control, random.Random(7), pace=0, moves=[face.moves for face in FACES.values()])
    crowd = {user.id for user in players.add(scene.group, 3)}
    scene.box.control.say(scene.ann, scene.group, "/newgame")
    try:
        await scene.box.control.until(lambda: picked == crowd, 60)
    finally:
        await players.stop()
        await dispatcher.stop_polling()
        await polling
    assert scene.box.control.violations() == []
