"""Names, wins and prizes of a group: only its members see them, unless the player permits others to."""

import re
from typing import Any

import pytest

from fsm.kind import ChatTopic
from tests.handlers.room import ANN, BEN, GROUP, HOST, OTHER_GROUP, Room, as_shown, chat_of, text

STRANGER = 77


def data_of(markup: dict[str, Any]) -> list[str]:
    """Return the callback data of a keyboard."""
    return [button["callback_data"] for row in markup["inline_keyboard"] for button in row]


@pytest.fixture
async def played(room: Room) -> str:
    """Return a finished game of a private group, played by Ann and Ben; the stranger is not in that group."""
    room.telegram.remove(GROUP, STRANGER, "left")
    game_id = await room.play(line="/create_game Friday")
    await room.sent()
    return game_id


def as_bold(text_id: str) -> str:
    return text("cmd-best-title-ever", list=text(text_id))


async def tap_on(room: Room, label: str, *, by: int) -> str:
    """Tap a button of the last list. Returns the list's new text."""
    (shown,) = await room.sent()
    markup = shown.params["reply_markup"]
    buttons = (button for row in markup["inline_keyboard"] for button in row)
    data = next(button["callback_data"] for button in buttons if button["text"] == label)
    await room.tap(data, {**room.message("list", chat=shown.chat_id), "reply_markup": markup}, by=by)
    return await room.answer()


@pytest.mark.usefixtures("played")
async def test_the_list_of_all_groups_shows_only_those_who_want_to_be_seen(room: Room) -> None:
    await room.say("/leaderboard", by=STRANGER, chat=STRANGER)
    assert await room.answer() == "\n".join(
        [as_bold("cmd-best-all"), text("cmd-best-none-ever"), text("cmd-best-listed")]
    )
    await room.say("/leaderboard", by=BEN, chat=BEN)
    assert "Ben &amp; co" in await tap_on(room, text("cmd-best-show-me"), by=BEN)
    await room.say("/leaderboard", by=STRANGER, chat=STRANGER)
    shown = await room.answer()
    assert "Ben &amp; co" in shown
    assert "Ann" not in shown
    await room.say("/leaderboard", by=BEN, chat=BEN)
    assert "Ben" not in await tap_on(room, text("cmd-best-hide-me"), by=BEN)


@pytest.mark.usefixtures("played")
async def test_the_list_of_all_groups_is_no_other_in_a_group(room: Room) -> None:
    await room.say("/leaderboard", by=STRANGER, chat=OTHER_GROUP)
    assert not re.search("Ann|Ben", await tap_on(room, text("cmd-best-show-all"), by=STRANGER))


@pytest.mark.usefixtures("played")
async def test_the_list_of_a_group_opens_in_private_to_its_members_alone(room: Room) -> None:
    await room.say("/leaderboard", by=BEN, chat=BEN)
    (shown,) = await room.sent()
    message = {**room.message("list", chat=BEN), "reply_markup": shown.params["reply_markup"]}
    own = next(data for data in data_of(message["reply_markup"]) if data.startswith(f"top:{GROUP}:"))
    await room.tap(own, message, by=BEN)
    assert re.search("Ann.*Ben|Ben.*Ann", await room.answer(), re.DOTALL)
    await room.tap(own, {**message, "chat": chat_of(STRANGER)}, by=STRANGER)
    assert await room.sent() == []
    assert room.toasts()[-1] == as_shown("rejected-not-a-member")


@pytest.mark.usefixtures("played")
async def test_stats_of_somebody_else_are_those_of_this_group(room: Room) -> None:
    said_by_ann = {"reply_to_message": room.message("hello", by=ANN, chat=OTHER_GROUP)}
    await room.say("/stats", by=STRANGER, chat=OTHER_GROUP, **said_by_ann)
    assert await room.answer() == text("cmd-stats-none", name="Ann <b>")
    await room.say("/stats", by=BEN, reply_to_message=room.message("hello", by=ANN))
    assert "1" in (await room.answer()).partition("\n")[2]
    await room.say("/stats", by=ANN, chat=OTHER_GROUP)
    assert "1" in (await room.answer()).partition("\n")[2], "one's own are one's own to show"


@pytest.mark.parametrize("line", ["/status {}", "/fair {}", "/start f_{}", "/start g_{}"])
async def test_the_id_of_a_game_opens_nothing_to_a_stranger(room: Room, played: str, line: str) -> None:
    game_id = played if "f" in line else await room.open()
    await room.sent()
    await room.say(line.format(game_id), by=STRANGER, chat=STRANGER)
    assert await room.answer() == text("rejected-not-a-member")
    assert not room.telegram.named("sendDocument")
    await room.say(line.format(game_id), by=HOST, chat=HOST)
    answers = [each.params["text"] for each in await room.sent()]
    assert text("rejected-not-a-member") not in answers
    assert answers or room.telegram.named("sendDocument")


@pytest.mark.parametrize("verb", ["o", "b", "g", "f"])
async def test_nor_does_a_forged_button(room: Room, played: str, verb: str) -> None:
    game_id = played if verb == "f" else await room.open()
    data = f"{verb}:{game_id}" + (":0" if verb in "bg" else "")
    await room.tap(data, room.message("x", chat=STRANGER), by=STRANGER)
    assert room.toasts()[-1] == text("rejected-not-a-member")


async def test_ids_of_games_cannot_be_searched_and_the_same_update_opens_one_game(room: Room) -> None:
    games = room.deps.stores.games
    ids = {await games.reserve_id(ChatTopic(chat), "tg:1") for chat in range(-50, 0)}
    assert len(ids) == 50
    assert {len(each) for each in ids} == {22}, "after the shard 20 random characters of 36: 103 bits"
    assert await games.reserve_id(ChatTopic(-1), "tg:1") in ids
    assert await games.reserve_id(ChatTopic(-1), "tg:2") not in ids
    await room.redis.delete("tombola:opens:-1:0:tg:1")
    assert await games.reserve_id(ChatTopic(-1), "tg:1") not in ids, "nothing but chance is in an id"
    assert 0 < await room.redis.pttl("tombola:opens:-1:0:tg:1") <= 86_400_000
