"""The Bot API client against a real HTTP server."""

import asyncio
import subprocess
import sys
import traceback
from typing import Any

import pytest

from telegram.client import (
    ApiError,
    BadCall,
    BotApi,
    ChatGone,
    CircuitOpen,
    Conflict,
    MessageGone,
    Migrated,
    NoRights,
    NotModified,
    QueryTooOld,
    RetryAfter,
    ServerDown,
    TopicGone,
    Unauthorized,
)
from tests.support.telegram import TOKEN, Call, Garbage, Refusal, Telegram

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
TEXTS: list[tuple[int, str, type[ApiError]]] = [
    (400, NOT_MODIFIED, NotModified),
    (400, "Bad Request: TOPIC_NOT_MODIFIED", NotModified),
    (400, "Bad Request: message to edit not found", MessageGone),
    (400, "Bad Request: message to delete not found", MessageGone),
    (400, "Bad Request: message to be replied not found", MessageGone),
    (400, "Bad Request: message to pin not found", MessageGone),
    (400, "Bad Request: message to copy not found", MessageGone),
    (400, "Bad Request: message can't be edited", MessageGone),
    (400, "Bad Request: message can't be deleted", MessageGone),
    (400, "Bad Request: message can't be deleted for everyone", MessageGone),
    (400, "Bad Request: there is no text in the message to edit", MessageGone),
    (400, "Bad Request: chat not found", ChatGone),
    (403, "Forbidden: bot was blocked by the user", ChatGone),
    (403, "Forbidden: user is deactivated", ChatGone),
    (403, "Forbidden: bot can't initiate conversation with a user", ChatGone),
    (403, "Forbidden: the bot can't send messages to the bot", ChatGone),
    (403, "Forbidden: bot was kicked from the supergroup chat", ChatGone),
    (403, "Forbidden: bot is not a member of the channel chat", ChatGone),
    (403, "Forbidden: the group chat was deleted", ChatGone),
    (400, "Bad Request: not enough rights to send text messages to the chat", NoRights),
    (400, "Bad Request: need administrator rights in the channel chat", NoRights),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN", NoRights),
    (403, "Forbidden: something new", NoRights),
    (400, "Bad Request: message thread not found", TopicGone),
    (400, "Bad Request: TOPIC_CLOSED", TopicGone),
    (400, "Bad Request: query is too old and response timeout expired or query ID is invalid", QueryTooOld),
    (401, "Unauthorized", Unauthorized),
    (404, "Not Found", Unauthorized),
    (404, "Not Found: method not found", BadCall),
    (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        Conflict,
    ),
    (400, "Bad Request: message text is empty", BadCall),
    (400, "Bad Request: can't parse entities: unexpected end tag at byte offset 3", BadCall),
    (413, "Request Entity Too Large", BadCall),
    (500, "Internal Server Error", ServerDown),
    (502, "Bad Gateway", ServerDown),
]


@pytest.mark.parametrize(("status", "text", "kind"), TEXTS)
async def test_each_of_telegrams_texts_has_its_meaning(
    telegram: Telegram, api: BotApi, status: int, text: str, kind: type[ApiError]
) -> None:
    telegram.script.append(Refusal(text, status))

    with pytest.raises(ApiError) as caught:
        await api.call("sendMessage", {"chat_id": 1, "text": "x"})
    assert type(caught.value) is kind
    assert caught.value.text == text


async def test_a_result_comes_back_and_parameters_arrive_as_they_are(telegram: Telegram, api: BotApi) -> None:
    entities = [{"type": "bold", "offset": 0, "length": 1}]
    params: dict[str, Any] = {"chat_id": 5, "text": "é", "entities": entities, "protect_content": True}

    result = await api.call("sendMessage", params | {"message_thread_id": None})
    assert (result["text"], result["entities"], result["chat"]["id"]) == ("é", entities, 5)
    assert telegram.calls[0].params == params


async def test_files_go_as_multipart(telegram: Telegram, api: BotApi) -> None:
    entities = [{"type": "bold", "offset": 0, "length": 1}]
    params: dict[str, Any] = {"chat_id": 5, "caption": "x", "caption_entities": entities}
    result = await api.call("sendDocument", params, {"document": ("p.png", b"\x89P")})

    assert (result["caption"], result["caption_entities"]) == ("x", entities)
    assert telegram.calls[0].params == params
    assert telegram.uploads == [("p.png", b"\x89P")]


async def test_429_says_how_long_and_migration_where_to(telegram: Telegram, api: BotApi) -> None:
    telegram.script.append(Refusal("Too Many Requests: retry after 17", 429, retry_after=17))
    telegram.script.append(Refusal("Bad Request: group chat was upgraded to a supergroup chat", 400, migrate_to=-1001))

    with pytest.raises(RetryAfter) as limited:
        await api.call("sendMessage")
    with pytest.raises(Migrated) as moved:
        await api.call("sendMessage")
    assert limited.value.seconds == 17
    assert moved.value.chat_id == -1001


@pytest.mark.parametrize("body", [b"<html>502</html>", b"", b"[1]", b'{"ok":'])
async def test_garbage_is_a_server_that_is_down(telegram: Telegram, api: BotApi, body: bytes) -> None:
    telegram.script.append(Garbage(body))

    with pytest.raises(ServerDown):
        await api.call("getMe")


async def test_a_server_that_never_answers_is_down(telegram: Telegram, api: BotApi) -> None:
    async def never(_call: Call) -> None:
        await asyncio.Event().wait()

    telegram.gate = never
    with pytest.raises(ServerDown):
        await api.call("getMe", seconds=0.05)


async def test_the_token_is_in_no_error_and_no_repr(telegram: Telegram, api: BotApi) -> None:
    nowhere = BotApi(TOKEN, "http://127.0.0.1:1")
    broken = BotApi(TOKEN, "nonsense://x")
    telegram.script.append(Refusal(f"Bad Request: url https://x/bot{TOKEN}/ is bad"))
    telegram.script.append(Garbage(b"?"))
    for client in (nowhere, broken, api, api):
        with pytest.raises(ApiError) as caught:
            await client.call("getMe")
        shown: BaseException | None = caught.value
        while shown is not None:
            assert "secret" not in repr(shown) + str(shown) + "".join(traceback.format_exception(shown))
            shown = shown.__cause__ or shown.__context__
        assert "secret" not in repr(client)
    await nowhere.close()
    await broken.close()


async def test_the_circuit_opens_after_failures_in_a_row_and_spares_the_server(telegram: Telegram) -> None:
    api = BotApi(TOKEN, telegram.base, failures=3, pause=3600)
    telegram.down = Refusal("Bad Gateway", 502)
    for _ in range(3):
        with pytest.raises(ServerDown):
            await api.call("getMe")

    assert api.state == "opened"
    with pytest.raises(CircuitOpen) as refused:
        await api.call("getMe")
    assert 3590 < refused.value.seconds <= 3600
    assert len(telegram.calls) == 3
    await api.close()


async def test_a_server_without_disabled_buttons_gets_others_from_its_first_refusal_on(
    telegram: Telegram, api: BotApi
) -> None:
    telegram.script.append(
        Refusal("Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    )
    keyboard = {"inline_keyboard": [[{"text": "✕ 7", "disabled": {}}, {"text": "8", "callback_data": "p:1:8"}]]}
    for _ in range(2):
        await api.call("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": keyboard})
    first, second, third = (call.params["reply_markup"]["inline_keyboard"][0] for call in telegram.calls)
    assert "disabled" in first[0]
    assert second == third == [{"text": "✕ 7", "callback_data": "n:"}, {"text": "8", "callback_data": "p:1:8"}]


async def test_refusals_and_429s_leave_the_circuit_closed(telegram: Telegram) -> None:
    api = BotApi(TOKEN, telegram.base, failures=2)
    telegram.down = Refusal("Too Many Requests: retry after 1", 429, retry_after=1)
    for _ in range(4):
        with pytest.raises(RetryAfter):
            await api.call("getMe")

    assert api.state == "closed"
    await api.close()


async def test_after_its_pause_one_call_alone_tries_and_closes_the_circuit(telegram: Telegram) -> None:
    api = BotApi(TOKEN, telegram.base, failures=1, pause=0)
    telegram.down = Refusal("Bad Gateway", 502)
    with pytest.raises(ServerDown):
        await api.call("getMe")
    arrived, free = asyncio.Event(), asyncio.Event()

    async def hold(_call: Call) -> None:
        arrived.set()
        await free.wait()

    telegram.down, telegram.gate = None, hold
    probe = asyncio.create_task(api.call("getMe"))
    await arrived.wait()
    with pytest.raises(CircuitOpen):
        await api.call("getMe")
    free.set()
    await probe

    assert api.state == "closed"
    await api.call("getMe")
    await api.close()


def test_the_sender_does_not_import_aiogram() -> None:
    code = "import telegram.sender, sys; sys.exit('aiogram' in sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True)
