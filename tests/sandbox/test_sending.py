"""Sending, editing and deleting, and every way in which they are refused."""

from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.errors import NOT_MODIFIED
from tests.sandbox.conftest import Call, Scene

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + (64).to_bytes(4) + (48).to_bytes(4)


def keyboard(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inline_keyboard": list(rows)}


def key(data: str, text: str = "x") -> dict[str, Any]:
    return {"text": text, "callback_data": data}


async def test_aiogram_sends_and_edits_a_formatted_message(scene: Scene, bot: Bot) -> None:
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Go", callback_data="j:1")]])
    sent = await bot.send_message(scene.group.id, "<b>Hi</b>", parse_mode="HTML", reply_markup=markup)
    assert sent.html_text == "<b>Hi</b>"
    edited = await bot.edit_message_text(
        "<i>Bye</i>", chat_id=sent.chat.id, message_id=sent.message_id, parse_mode="HTML"
    )
    assert not isinstance(edited, bool)
    assert (edited.text, edited.reply_markup, bool(edited.edit_date)) == ("Bye", None, True)
    assert scene.box.control.violations() == []


@pytest.mark.parametrize("encoding", ["query", "urlencoded", "multipart", "json", "nested json as string"])
async def test_all_encodings_of_a_call_say_the_same(scene: Scene, http: aiohttp.ClientSession, encoding: str) -> None:
    url = f"{scene.box.url}/bot{scene.box.token}/SENDmessage"
    markup = '{"inline_keyboard":[[{"text":"Go","callback_data":"x"}]]}'
    flat = {"chat_id": str(scene.group.id), "text": "Привет", "reply_markup": markup}
    multipart = aiohttp.FormData(flat, default_to_multipart=True)
    nested = flat | {"reply_markup": keyboard([key("x", "Go")]), "chat_id": scene.group.id}
    given: dict[str, dict[str, Any]] = {
        "query": {"params": flat},
        "urlencoded": {"data": flat},
        "multipart": {"data": multipart},
        "json": {"json": nested},
        "nested json as string": {"json": flat},
    }
    async with http.request("GET" if encoding == "query" else "POST", url, **given[encoding]) as response:
        answer = await response.json()
    assert answer["result"]["text"] == "Привет"
    assert answer["result"]["reply_markup"] == keyboard([key("x", "Go")])


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        ("/bot42:wrong/getMe", 401, "Unauthorized"),
        ("/botnonsense/getMe", 401, "Unauthorized: invalid token specified"),
        ("/bot{token}/getTea", 404, "Not Found: method not found"),
        ("/bot{token}", 404, "Not Found"),
    ],
)
async def test_wrong_addresses(
    scene: Scene, http: aiohttp.ClientSession, path: str, code: int, description: str
) -> None:
    async with http.get(scene.box.url + path.format(token=scene.box.token)) as response:
        assert response.status == code
        assert await response.json() == {"ok": False, "error_code": code, "description": description}


@pytest.mark.parametrize(
    ("kind", "body", "description"),
    [
        ("application/x-www-form-urlencoded", b"text=\xff", "strings must be encoded in UTF-8"),
        ("application/json", b'{"text":"\xff"}', "can't parse JSON object"),
        ("application/json", b"[" * 100_000, "can't parse JSON object"),
    ],
)
async def test_junk_is_refused(
    scene: Scene, http: aiohttp.ClientSession, kind: str, body: bytes, description: str
) -> None:
    url = f"{scene.box.url}/bot{scene.box.token}/sendMessage"
    async with http.post(url, data=body, headers={"Content-Type": kind}) as response:
        assert response.status == 400
        assert (await response.json())["description"] == f"Bad Request: {description}"


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": None}, "message text is empty"),
        ({"text": " \n "}, "text must be non-empty"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "x" * 33_000}, "text is too long"),
        (
            {"text": "<b>x", "parse_mode": "html"},
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        ({"parse_mode": "Nonsense"}, "unsupported parse_mode"),
        ({"chat_id": None}, "chat_id is empty"),
        ({"chat_id": 999}, "chat not found"),
        ({"chat_id": "@nobody"}, "chat not found"),
        ({"reply_parameters": {"message_id": 777}}, "message to be replied not found"),
        ({"reply_parameters": {}}, "message identifier is not specified"),
        ({"reply_parameters": {"ephemeral_message_id": 1}}, "message to be replied not found"),
        ({"reply_markup": keyboard([key("x" * 65)])}, "BUTTON_DATA_INVALID"),
        ({"reply_markup": keyboard([key("ы" * 33)])}, "BUTTON_DATA_INVALID"),
        ({"reply_markup": keyboard([key("")])}, "BUTTON_DATA_INVALID"),
        (
            {"reply_markup": keyboard([{"text": "x"}])},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"reply_markup": keyboard([key("x")] * 9)}, "reply markup is too long"),
        ({"reply_markup": keyboard(*[[key("x")]] * 101)}, "reply markup is too long"),
        ({"reply_markup": keyboard(*[[key("x" * 64, "y" * 100)]] * 80)}, "reply markup is too long"),
        (
            {"reply_markup": keyboard([{"text": "x", "url": "nowhere"}])},
            "inline keyboard button URL 'nowhere' is invalid: Wrong HTTP URL",
        ),
        (
            {"reply_markup": keyboard([{"text": "x", "web_app": {"url": "https://a.b"}}])},
            "BUTTON_TYPE_INVALID",
        ),
        ({"reply_markup": "{nonsense"}, "can't parse reply keyboard markup JSON object"),
    ],
)
async def test_a_wrong_message_is_refused_and_recorded(
    scene: Scene, refusal: Call, params: dict[str, Any], description: str
) -> None:
    given = {"chat_id": scene.group.id, "text": "x"} | params
    assert await refusal("sendMessage", **given) == f"Bad Request: {description}"
    [violation] = scene.box.control.violations()
    assert (violation.method, violation.kind) == ("sendMessage", "refused")


async def test_an_unknown_parameter_is_ignored_but_recorded(scene: Scene, call: Call) -> None:
    markup = keyboard([key("x") | {"colour": "red"}])
    answer = await call("sendMessage", chat_id=scene.group.id, text="x", extra=1, reply_markup=markup)
    assert answer["ok"]
    kinds = [(violation.kind, violation.description) for violation in scene.box.control.violations()]
    assert ("schema", "unknown parameter extra") in kinds
    assert ("schema", "unknown parameter reply_markup.inline_keyboard.0.0.colour") in kinds


async def test_what_was_documented_once_is_recorded_as_well(scene: Scene, call: Call) -> None:
    assert (await call("sendMessage", chat_id=scene.group.id, text="x", disable_web_page_preview=True))["ok"]
    [violation] = scene.box.control.violations()
    assert violation.description == "unknown parameter disable_web_page_preview"


async def test_an_edit_that_changes_nothing_is_refused(scene: Scene, call: Call, refusal: Call) -> None:
    sent = (await call("sendMessage", chat_id=scene.group.id, text="x", reply_markup=keyboard([key("a")])))["result"]
    target = {"chat_id": scene.group.id, "message_id": sent["message_id"]}
    again = await refusal("editMessageText", **target, text=" x ", reply_markup=keyboard([key("a")]))
    assert again == f"Bad Request: {NOT_MODIFIED}"
    assert (await call("editMessageText", **target, text="x", reply_markup=keyboard([key("b")])))["ok"]
    assert (await refusal("editMessageReplyMarkup", **target, reply_markup=keyboard([key("b")]))).endswith(NOT_MODIFIED)
    assert await refusal("editMessageText", **target, text="x" * 4097) == "Bad Request: MESSAGE_TOO_LONG"


async def test_only_the_bots_own_messages_can_be_edited(scene: Scene, refusal: Call) -> None:
    theirs = scene.box.control.say(scene.ann, scene.group, "mine")
    edit = {"chat_id": scene.group.id, "text": "x"}
    assert await refusal("editMessageText", **edit, message_id=theirs.id) == "Bad Request: message can't be edited"
    assert await refusal("editMessageText", **edit, message_id=999) == "Bad Request: message to edit not found"


async def test_a_message_deleted_under_the_bot_is_no_fault_of_the_bot(scene: Scene, call: Call, refusal: Call) -> None:
    sent = scene.posted((await call("sendMessage", chat_id=scene.group.id, text="x"))["result"])
    scene.box.world.remove(sent)
    edit = await refusal("editMessageText", chat_id=scene.group.id, message_id=sent.id, text="y")
    assert edit == "Bad Request: message to edit not found"
    assert scene.box.control.violations() == []


async def test_deleting_needs_rights_and_is_possible_for_two_days(scene: Scene, call: Call, refusal: Call) -> None:
    own = (await call("sendMessage", chat_id=scene.group.id, text="x"))["result"]["message_id"]
    theirs = scene.box.control.say(scene.ann, scene.group, "mine").id
    delete = {"chat_id": scene.group.id}
    assert await refusal("deleteMessage", **delete, message_id=theirs) == "Bad Request: message can't be deleted"
    scene.clock.turn(49 * 3600)
    assert "can't be deleted for everyone" in await refusal("deleteMessage", **delete, message_id=own)
    scene.box.control.add_bot(scene.group, scene.ann, admin=True)
    assert (await call("deleteMessages", **delete, message_ids=[theirs, 999]))["result"] is True
    assert await refusal("deleteMessage", **delete, message_id=theirs) == "Bad Request: message to delete not found"


async def test_whom_the_bot_may_write_to(scene: Scene, call: Call, refusal: Call) -> None:
    control, ann = scene.box.control, scene.ann
    write = {"chat_id": ann.id, "text": "x"}
    assert await refusal("sendMessage", **write) == "Forbidden: bot can't initiate conversation with a user"
    control.start(ann)
    assert (await call("sendMessage", **write))["ok"]
    control.block_bot(ann)
    assert await refusal("sendMessage", **write) == "Forbidden: bot was blocked by the user"
    control.unblock_bot(ann)
    ann.deactivated = True
    assert await refusal("sendMessage", **write) == "Forbidden: user is deactivated"
    bot_id = scene.box.world.bot_id
    assert await refusal("sendMessage", chat_id=bot_id, text="x") == "Forbidden: the bot can't send messages to the bot"
    assert control.violations() == []


async def test_a_bot_that_was_thrown_out_or_muted_is_told_so(scene: Scene, call: Call, refusal: Call) -> None:
    control, write = scene.box.control, {"chat_id": scene.group.id, "text": "x"}
    control.mute_bot(scene.group, scene.ann)
    assert await refusal("sendMessage", **write) == "Bad Request: not enough rights to send text messages to the chat"
    control.remove_bot(scene.group, scene.ann)
    assert await refusal("sendMessage", **write) == "Forbidden: bot was kicked from the group chat"
    control.set_status(scene.group, scene.box.world.bot, "left")
    assert await refusal("sendMessage", **write) == "Forbidden: bot is not a member of the group chat"
    control.add_bot(scene.group, scene.ann)
    assert (await call("leaveChat", chat_id=scene.group.id))["result"] is True
    scene.box.world.set_member(scene.group, scene.box.world.bot, "member")
    control.delete_group(scene.group)
    assert await refusal("sendMessage", **write) == "Forbidden: the group chat was deleted"


async def test_a_migrated_group_names_its_successor(scene: Scene, call: Call) -> None:
    new = scene.box.control.migrate(scene.group, scene.ann)
    answer = await call("sendMessage", chat_id=scene.group.id, text="x")
    assert answer["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert answer["parameters"] == {"migrate_to_chat_id": new.id}
    services = [update.body["message"] for update in scene.box.world.updates.pending.values()]
    assert services[0]["migrate_to_chat_id"] == new.id
    assert services[1]["migrate_from_chat_id"] == scene.group.id
    assert (await call("sendMessage", chat_id=new.id, text="x"))["ok"]


async def test_topics_of_a_forum(scene: Scene, call: Call, refusal: Call) -> None:
    control = scene.box.control
    forum = control.add_group("Forum", scene.ann, forum=True)
    topic = control.add_topic(forum, "Games", scene.ann)
    sent = (await call("sendMessage", chat_id=forum.id, text="x", message_thread_id=topic))["result"]
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (topic, True)
    assert sent["reply_to_message"]["forum_topic_created"]["name"]
    missing = await refusal("sendMessage", chat_id=forum.id, text="x", message_thread_id=999)
    assert missing == "Bad Request: message thread not found"
    control.close_topic(forum, topic, scene.ann)
    closed = await refusal("sendMessage", chat_id=forum.id, text="x", message_thread_id=topic)
    assert closed == "Bad Request: TOPIC_CLOSED"
    assert (await call("sendMessage", chat_id=scene.group.id, text="x", message_thread_id=7))["ok"]


async def test_photos_and_documents_go_up_and_come_down(scene: Scene, bot: Bot) -> None:
    sent = await bot.send_document(
        scene.group.id, BufferedInputFile(b"a;b\n", "pack.csv"), caption="<b>pack</b>", parse_mode="HTML"
    )
    assert sent.document is not None
    assert sent.document.file_name == "pack.csv"
    file = await bot.get_file(sent.document.file_id)
    assert file.file_path is not None
    content = await bot.download_file(file.file_path)
    assert content is not None
    assert content.read() == b"a;b\n"
    photo = await bot.send_photo(scene.group.id, BufferedInputFile(PNG, "x.png"))
    assert photo.photo is not None
    assert (photo.photo[0].width, photo.photo[0].height) == (64, 48)
    again = await bot.send_photo(scene.group.id, photo.photo[0].file_id)
    assert again.photo is not None


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (b"", "file must be non-empty"),
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (PNG[:16] + (9000).to_bytes(4) + (9000).to_bytes(4), "PHOTO_INVALID_DIMENSIONS"),
    ],
)
async def test_a_wrong_photo_is_refused(
    scene: Scene, http: aiohttp.ClientSession, content: bytes, description: str
) -> None:
    form = aiohttp.FormData({"chat_id": str(scene.group.id)})
    form.add_field("photo", content, filename="x.png")
    async with http.post(f"{scene.box.url}/bot{scene.box.token}/sendPhoto", data=form) as response:
        assert (await response.json())["description"] == f"Bad Request: {description}"


async def test_pinning_needs_the_right(scene: Scene, call: Call, refusal: Call) -> None:
    sent = (await call("sendMessage", chat_id=scene.group.id, text="x"))["result"]["message_id"]
    pin = {"chat_id": scene.group.id, "message_id": sent}
    denied = await refusal("pinChatMessage", **pin)
    assert denied == "Bad Request: not enough rights to manage pinned messages in the chat"
    scene.box.control.add_bot(scene.group, scene.ann, admin=True)
    assert (await call("pinChatMessage", **pin))["result"] is True
    assert (await call("getChat", chat_id=scene.group.id))["result"]["pinned_message"]["message_id"] == sent
    assert (await call("unpinChatMessage", chat_id=scene.group.id))["result"] is True


async def test_aiogram_reads_chats_and_members(scene: Scene, bot: Bot) -> None:
    chat = await bot.get_chat(scene.group.id)
    assert (chat.title, chat.type) == ("Friday <games>", "group")
    assert await bot.get_chat_member_count(scene.group.id) == 3
    assert [member.status for member in await bot.get_chat_administrators(scene.group.id)] == ["creator"]
    scene.box.control.set_status(scene.group, scene.boris, "administrator", is_anonymous=True)
    for user, status in ((scene.ann, "creator"), (scene.boris, "administrator"), (scene.box.world.bot, "member")):
        assert (await bot.get_chat_member(scene.group.id, user.id)).status == status
    stranger = scene.box.control.add_user("Stranger")
    assert (await bot.get_chat_member(scene.group.id, stranger.id)).status == "left"
    assert (await bot.get_me()).username == "tombola_bot"


async def test_banning_needs_the_right_and_spares_the_owner(scene: Scene, call: Call, refusal: Call) -> None:
    ban = {"chat_id": scene.group.id, "user_id": scene.boris.id}
    assert await refusal("banChatMember", **ban) == "Bad Request: not enough rights to restrict/unrestrict chat member"
    scene.box.control.add_bot(scene.group, scene.ann, admin=True)
    owner = await refusal("banChatMember", chat_id=scene.group.id, user_id=scene.ann.id)
    assert owner == "Bad Request: can't remove chat owner"
    assert (await call("banChatMember", **ban))["result"] is True
    assert (await call("getChatMember", **ban))["result"]["status"] == "kicked"


async def test_commands_are_kept_by_scope_and_language(scene: Scene, call: Call, refusal: Call) -> None:
    control = scene.box.control
    await call("setMyCommands", commands=[{"command": "help", "description": "Help"}])
    russian = [{"command": "help", "description": "Помощь"}]
    await call("setMyCommands", commands=russian, language_code="ru", scope={"type": "all_group_chats"})
    assert control.commands(scene.ann, scene.group)[0]["description"] == "Help"
    assert control.commands(scene.boris, scene.group)[0]["description"] == "Помощь"
    assert control.commands(scene.boris, control.private(scene.boris))[0]["description"] == "Help"
    many = [{"command": f"c{number}", "description": "x"} for number in range(101)]
    assert await refusal("setMyCommands", commands=many) == "Bad Request: BOT_COMMANDS_TOO_MUCH"
    wrong = [{"command": "Nö", "description": "x"}]
    assert await refusal("setMyCommands", commands=wrong) == "Bad Request: BOT_COMMAND_INVALID"
