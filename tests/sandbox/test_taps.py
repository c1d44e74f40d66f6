"""Taps and their answers, ephemeral messages, and native polls."""

import asyncio
import random
from typing import Any

import pytest
from aiogram import Bot
from aiogram.types import EphemeralMessageParameters, InputPollOption

from sandbox.control import Refused
from sandbox.errors import NOT_MODIFIED, OLD_QUERY
from sandbox.players import Players
from sandbox.state import Message
from tests.sandbox.conftest import Call, Scene

KEYS = {"inline_keyboard": [[{"text": "Join", "callback_data": "j:1", "style": "primary"}]]}


async def keyed(scene: Scene, call: Call) -> Message:
    """Let the bot post a message with one button."""
    return scene.posted((await call("sendMessage", chat_id=scene.group.id, text="x", reply_markup=KEYS))["result"])


async def test_a_tap_is_answered_once_with_a_toast(scene: Scene, call: Call, bot: Bot) -> None:
    press = scene.box.control.press(scene.ann, await keyed(scene, call), "Join")
    [update] = await bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert (query.data, query.from_user.id) == ("j:1", scene.ann.id)
    assert query.message is not None
    assert query.message.chat.id == scene.group.id
    assert await bot.answer_callback_query(query.id, text="You're in", show_alert=True)
    answer = await press.answer()
    assert (answer.text, answer.show_alert) == ("You're in", True)
    again = await call("answerCallbackQuery", callback_query_id=query.id)
    assert again["description"] == f"Bad Request: {OLD_QUERY}"


async def test_who_is_cancelled_just_as_their_tap_is_answered_stops(scene: Scene, call: Call) -> None:
    press = scene.box.control.press(scene.ann, await keyed(scene, call), "j:1")
    waiting = asyncio.create_task(press.answer())
    await asyncio.sleep(0)
    press.query.answer.set_result({"text": "In", "show_alert": False, "url": None})
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_tap_grows_old_in_fifteen_seconds(scene: Scene, call: Call, refusal: Call) -> None:
    press = scene.box.control.press(scene.ann, await keyed(scene, call), "j:1")
    scene.clock.turn(16)
    answer = await refusal("answerCallbackQuery", callback_query_id=press.query.id)
    assert answer == f"Bad Request: {OLD_QUERY}"
    assert scene.box.control.statistics()["taps"] == {"pressed": 1, "late": 1, "unanswered": 1}
    assert scene.box.control.violations() == []


async def test_a_toast_has_200_characters_and_no_foreign_address(scene: Scene, call: Call, refusal: Call) -> None:
    query = scene.box.control.press(scene.ann, await keyed(scene, call), "j:1").query.id
    too_long = await refusal("answerCallbackQuery", callback_query_id=query, text="x" * 201)
    assert too_long == "Bad Request: MESSAGE_TOO_LONG"
    foreign = await refusal("answerCallbackQuery", callback_query_id=query, url="https://example.org")
    assert foreign == "Bad Request: URL_INVALID"
    own = await call("answerCallbackQuery", callback_query_id=query, url="https://t.me/tombola_bot?start=x")
    assert own["result"] is True


async def test_only_members_can_press_and_only_what_is_there(scene: Scene, call: Call) -> None:
    message = await keyed(scene, call)
    with pytest.raises(Refused):
        scene.box.control.press(scene.ann, message, "p:1:2")
    with pytest.raises(Refused):
        scene.box.control.press(scene.box.control.add_user("Stranger"), message, "j:1")


async def test_an_ephemeral_message_is_seen_by_one_person(scene: Scene, call: Call, bot: Bot) -> None:
    message = await keyed(scene, call)
    press = scene.box.control.press(scene.ann, message, "j:1")
    parameters = EphemeralMessageParameters(receiver_user_id=scene.ann.id, callback_query_id=press.query.id)
    sent = await bot.send_message(scene.group.id, "yours", ephemeral_message_parameters=parameters)
    assert (sent.message_id, sent.ephemeral_message_id) == (0, 1)
    assert sent.receiver_user is not None
    assert sent.receiver_user.id == scene.ann.id
    assert scene.box.control.texts(scene.ann, scene.group) == ["x", "yours"]
    assert scene.box.control.texts(scene.boris, scene.group) == ["x"]


async def test_an_ephemeral_message_can_stand_in_place_of_the_tapped_one(scene: Scene, call: Call) -> None:
    message = await keyed(scene, call)
    await call("sendMessage", chat_id=scene.group.id, text="later")
    query = scene.box.control.press(scene.ann, message, "j:1").query.id
    asked = {"receiver_user_id": scene.ann.id, "callback_query_id": query, "replace_callback_query_message": True}
    sent = await call("sendMessage", chat_id=scene.group.id, text="yours", ephemeral_message_parameters=asked)
    assert scene.box.control.texts(scene.ann, scene.group) == ["yours", "later"]
    assert scene.box.control.texts(scene.boris, scene.group) == ["x", "later"]
    target = {
        "chat_id": scene.group.id,
        "receiver_user_id": scene.ann.id,
        "ephemeral_message_id": sent["result"]["ephemeral_message_id"],
    }
    assert (await call("deleteEphemeralMessage", **target))["result"] is True
    assert scene.box.control.texts(scene.ann, scene.group) == ["x", "later"]


async def test_an_ephemeral_message_is_edited_and_its_buttons_work(scene: Scene, call: Call, refusal: Call) -> None:
    query = scene.box.control.press(scene.ann, await keyed(scene, call), "j:1").query.id
    asked = {"receiver_user_id": scene.ann.id, "callback_query_id": query}
    send = {"chat_id": scene.group.id, "ephemeral_message_parameters": asked, "reply_markup": KEYS}
    sent = (await call("sendMessage", text="yours", **send))["result"]
    target: dict[str, Any] = {"chat_id": scene.group.id, "receiver_user_id": scene.ann.id}
    target["ephemeral_message_id"] = sent["ephemeral_message_id"]
    same = await refusal("editEphemeralMessageText", **target, text="yours", reply_markup=KEYS)
    assert same == f"Bad Request: {NOT_MODIFIED}"
    assert (await call("editEphemeralMessageText", **target, text="<b>new</b>", parse_mode="HTML"))["result"] is True
    assert (await call("editEphemeralMessageReplyMarkup", **target, reply_markup=KEYS))["result"] is True
    own = scene.group.ephemeral[sent["ephemeral_message_id"]]
    press = scene.box.control.press(scene.ann, own, "Join")
    update = list(scene.box.world.updates.pending.values())[-1].body["callback_query"]
    assert update["message"]["ephemeral_message_id"] == own.ephemeral_id
    replacing = asked | {"callback_query_id": press.query.id, "replace_callback_query_message": True}
    nested = await call("sendMessage", chat_id=scene.group.id, text="z", ephemeral_message_parameters=replacing)
    assert nested["ok"] is False
    assert scene.box.control.bot_messages(scene.group, scene.boris) != scene.box.control.bot_messages(
        scene.group, scene.ann
    )


async def test_without_a_fresh_tap_only_an_admin_speaks_ephemerally(scene: Scene, call: Call, refusal: Call) -> None:
    query = scene.box.control.press(scene.ann, await keyed(scene, call), "j:1").query.id
    send = {"chat_id": scene.group.id, "text": "yours"}
    bare = {"receiver_user_id": scene.ann.id}
    denied = await refusal("sendMessage", **send, ephemeral_message_parameters=bare)
    assert denied == "Bad Request: not enough rights to send ephemeral messages to the chat"
    other = {"receiver_user_id": scene.boris.id, "callback_query_id": query}
    assert await refusal("sendMessage", **send, ephemeral_message_parameters=other) == f"Bad Request: {OLD_QUERY}"
    scene.clock.turn(16)
    late = bare | {"callback_query_id": query}
    assert await refusal("sendMessage", **send, ephemeral_message_parameters=late) == f"Bad Request: {OLD_QUERY}"
    scene.box.control.add_bot(scene.group, scene.ann, admin=True)
    assert (await call("sendMessage", **send, ephemeral_message_parameters=bare))["ok"]


async def test_an_ephemeral_command_is_between_its_sender_and_the_bot(scene: Scene, call: Call) -> None:
    await call("setMyCommands", commands=[{"command": "status", "description": "x", "is_ephemeral": True}])
    command = scene.box.control.say(scene.ann, scene.group, "/status")
    assert (command.id, command.ephemeral_id) == (0, 1)
    assert scene.box.control.texts(scene.boris, scene.group) == []
    [update] = (await call("getUpdates"))["result"]
    assert update["message"]["ephemeral_message_id"] == 1
    asked = {
        "reply_parameters": {"ephemeral_message_id": 1},
        "ephemeral_message_parameters": {"receiver_user_id": scene.ann.id},
    }
    assert (await call("sendMessage", chat_id=scene.group.id, text="all is well", **asked))["ok"]
    assert scene.box.control.texts(scene.ann, scene.group) == ["/status", "all is well"]


async def test_a_quiz_poll_closes_by_the_clock(scene: Scene, bot: Bot) -> None:
    sent = await bot.send_poll(
        scene.group.id,
        "Which is a prime?",
        [InputPollOption(text="4"), InputPollOption(text="7")],
        type="quiz",
        correct_option_ids=[1],
        is_anonymous=False,
        open_period=10,
        hide_results_until_closes=True,
    )
    assert sent.poll is not None
    message = scene.group.messages[sent.message_id]
    scene.box.control.vote(scene.ann, message, 1)
    with pytest.raises(Refused, match="final"):
        scene.box.control.vote(scene.ann, message, 0)
    scene.clock.turn(10)
    scene.box.control.clock_turned()
    with pytest.raises(Refused, match="closed"):
        scene.box.control.vote(scene.boris, message, 0)
    updates = await bot.get_updates(limit=100)
    assert [update.poll_answer.option_ids for update in updates if update.poll_answer] == [[1]]
    final = [update.poll for update in updates if update.poll][-1]
    assert final.is_closed
    assert [option.voter_count for option in final.options] == [0, 1]


async def test_a_poll_is_stopped_once(scene: Scene, call: Call, refusal: Call) -> None:
    poll = {"chat_id": scene.group.id, "question": "?", "options": [{"text": "a"}, "b"]}
    sent = (await call("sendPoll", **poll))["result"]
    stop = {"chat_id": scene.group.id, "message_id": sent["message_id"]}
    assert (await call("stopPoll", **stop))["result"]["is_closed"] is True
    assert await refusal("stopPoll", **stop) == "Bad Request: poll has already been closed"


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"question": "x" * 301}, "poll question length must not exceed 300"),
        ({"options": []}, "poll must have at least 1 option"),
        ({"options": [{"text": "x"}] * 13}, "poll can't have more than 12 options"),
        ({"options": [{"text": "x" * 101}]}, "poll options length must not exceed 100"),
        ({"type": "quiz"}, "wrong correct option ID specified"),
        ({"type": "quiz", "correct_option_ids": [2]}, "wrong correct option ID specified"),
        ({"type": "quiz", "correct_option_ids": [0], "explanation": "x" * 201}, "explanation is too long"),
        ({"open_period": 4}, "wrong open period specified"),
        ({"options": [{"text": "a"}, {"text": "a "}]}, "poll options must be different"),
        ({"description": "x" * 1025}, "poll description is too long"),
        ({"allow_adding_options": True}, "options can't be added to anonymous polls and quizzes"),
        ({"members_only": True}, "voting can be limited in channels only"),
        ({"country_codes": ["ES"]}, "voting can be limited in channels only"),
        (
            {"type": "quiz", "correct_option_ids": [0], "allows_revoting": True},
            "votes in quizzes can't be changed",
        ),
        (
            {"type": "quiz", "correct_option_ids": [0], "explanation": "a\nb\nc\nd"},
            "explanation contains too many line feeds",
        ),
        ({"type": "quiz", "correct_option_ids": [0, 1]}, "wrong correct option ID specified"),
        (
            {"type": "quiz", "correct_option_ids": [1, 0], "allows_multiple_answers": True},
            "wrong correct option ID specified",
        ),
    ],
)
async def test_a_wrong_poll_is_refused(scene: Scene, refusal: Call, params: dict[str, Any], description: str) -> None:
    poll = {"chat_id": scene.group.id, "question": "?", "options": [{"text": "a"}, {"text": "b"}]} | params
    assert await refusal("sendPoll", **poll) == f"Bad Request: {description}"
    assert scene.box.world.polls == {}


async def answer_taps(bot: Bot, count: int) -> None:
    """Answer the next taps, this many."""
    offset = 0
    while count:
        for update in await bot.get_updates(offset=offset, timeout=30):
            offset = update.update_id + 1
            if update.callback_query is not None:
                await bot.answer_callback_query(update.callback_query.id)
                count -= 1


async def test_simulated_players_vote_once_in_the_polls_of_a_game_that_they_have_joined(
    scene: Scene, call: Call, bot: Bot
) -> None:
    poll = {"chat_id": scene.group.id, "question": "Primes?", "options": [{"text": each} for each in "2349"],
            "is_anonymous": False}  # fmt: skip
    early = scene.posted((await call("sendPoll", **poll, is_closed=True))["result"])
    quiz = scene.posted((await call("sendPoll", **poll, type="quiz", correct_option_ids=[0]))["result"])
    several = {"type": "quiz", "correct_option_ids": [0, 1], "allows_multiple_answers": True}
    many = scene.posted((await call("sendPoll", **poll, **several))["result"])
    players = Players(scene.box.control, random.Random(7), pace=0)
    crowd = {user.id for user in players.add(scene.group, 5)}
    polls = [scene.box.world.polls[message.poll_id or ""] for message in (quiz, many, early)]
    try:
        assert not any(each.votes for each in polls)  # nobody votes before a game is joined
        await keyed(scene, call)
        await answer_taps(bot, len(crowd))
        await scene.box.control.until(lambda: all(each.votes.keys() == crowd for each in polls[:2]), 60)
    finally:
        await players.stop()
    assert {len(options) for options in polls[0].votes.values()} == {1}
    assert {len(options) for options in polls[1].votes.values()} > {1}
    assert not polls[2].votes
