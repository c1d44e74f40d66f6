"""Commands: their permissions, their answers, and their effects on the game."""

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from fsm import proof
from fsm.kind import ChatTopic
from fsm.lobby import Join
from fsm.pick_number import REVERSE, PickNumberGame
from handlers.command_menus import ALL, calls, publish
from handlers.commands.players import group_help, private_help
from handlers.kinds.pick_number.commands import parsed
from play.access import ANONYMOUS, Access
from play.hosts import Hosts
from play.telling import MESSAGES, QUIET
from play.texts import NAME_LIMIT, units
from telegram.outbox import Outgoing
from tests.handlers.room import (
    ANN,
    BEN,
    BOT,
    BOT_ID,
    FORUM,
    GROUP,
    HOST,
    OPERATOR,
    OTHER_GROUP,
    TEXTS,
    Room,
    as_shown,
    chat_of,
    plain,
    text,
    user,
)

# -- commands addressed to the bot ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"text": "hello everybody"},
        {"text": "/help@AnotherBot"},
        {"text": "/weather"},
        {"text": "/path/to/file"},
        {"text": "/help", "forward_origin": {"type": "hidden_user", "date": 0, "sender_user_name": "x"}},
        {"text": "/help", "via_bot": {"id": 5, "is_bot": True, "first_name": "Via"}},
        {"text": "/help", "from": {"id": 7, "is_bot": True, "first_name": "Robot"}},
        {"text": "/help", "sender_chat": {"id": -100777, "type": "channel", "title": "News"}},
        {"text": "/help", "is_automatic_forward": True},
        {
            "text": "Me neither",
            "reply_to_message": {"message_id": 1, "date": 0, "chat": chat_of(GROUP), "from": user(BEN)},
        },
        {"text": "/admin"},
    ],
)
async def test_what_is_not_for_the_bot_is_not_answered(room: Room, more: dict[str, Any]) -> None:
    await room.update(message={**room.message(None), **more})
    assert await room.sent() == []
    assert room.telegram.calls == []


async def test_edits_and_channel_posts_are_not_answered(room: Room) -> None:
    await room.update(edited_message=room.message("/help", edit_date=1))
    post = {"message_id": 1, "date": 0, "chat": {"id": -100777, "type": "channel", "title": "News"}, "text": "/help"}
    await room.update(channel_post=post)
    assert await room.sent() == []


@pytest.mark.parametrize("line", ["/help", f"/help@{BOT}", f"/HELP@{BOT.upper()}", "/help  and more"])
async def test_a_command_works_with_and_without_the_bots_name(room: Room, line: str) -> None:
    await room.say(line)
    (answer,) = await room.sent()
    assert plain(answer.params["text"]) == plain(group_help(TEXTS, "en"))
    assert answer.params["reply_parameters"]["allow_sending_without_reply"] is True


@pytest.mark.parametrize(
    "notice",
    [
        {"pinned_message": {"message_id": 1, "date": 0, "chat": chat_of(ANN), "from": user(BOT_ID), "text": "x"}},
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}},
        {"write_access_allowed": {"from_request": True}},
        {"boost_added": {"boost_count": 1}},
        {"something_newer_than_we_are": {}},
    ],
)
async def test_telegrams_own_notices_are_not_answered_in_private_either(room: Room, notice: dict[str, Any]) -> None:
    await room.update(message={**room.message(None, chat=ANN), **notice})
    assert await room.sent() == []


async def test_the_same_update_twice_answers_once(room: Room) -> None:
    raw = {"update_id": 7, "message": room.message("/help")}
    await room.deliver(raw)
    await room.deliver(raw)
    assert len(await room.sent()) == 1


async def test_a_command_seen_by_its_sender_alone_is_answered_to_them_alone(room: Room) -> None:
    await room.update(message={**room.message("/help"), "message_id": 0, "ephemeral_message_id": 31})
    (answer,) = await room.sent()
    assert answer.params["ephemeral_message_parameters"] == {"receiver_user_id": ANN}
    assert answer.params["reply_parameters"] == {"ephemeral_message_id": 31}
    assert answer.expires_at == room.clock.at + 14_000


async def test_an_answer_goes_to_the_topic_and_only_where_there_is_one(room: Room) -> None:
    await room.say("/help", chat=FORUM, message_thread_id=8, is_topic_message=True)
    await room.say("/help", chat=GROUP, message_thread_id=9)
    assert {(out.chat_id, out.topic_id) for out in await room.sent()} == {(FORUM, 8), (GROUP, None)}


async def test_in_private_whatever_is_not_understood_gets_a_word(room: Room) -> None:
    await room.say("how are you?", chat=ANN)
    assert await room.answer() == text("cmd-not-understood")
    await room.say("/admin", chat=ANN)
    assert await room.answer() == text("cmd-not-understood")


async def test_a_flood_is_told_once_and_then_ignored(room: Room) -> None:
    for _ in range(60):
        await room.say("/help", chat=ANN)
    answers = [plain(out.params["text"]) for out in await room.sent()]
    assert answers.count(text("cmd-slow-down")) == 1
    assert len(answers) == 31
    room.clock.at += 60_000
    await room.say("/help", chat=ANN)
    assert len(await room.sent()) == 1


# -- playing ----------------------------------------------------------------------------------------------------


async def test_a_game_is_joined_and_left(room: Room) -> None:
    game_id = await room.open()
    await room.say("/join", by=ANN)
    assert await room.answer() == text("cmd-joined", title="Friday", count=1)
    assert list((await room.state(game_id)).players) == [ANN]
    await room.say("/join", by=ANN)
    assert await room.answer() == text("rejected-already-joined")
    await room.say("/leave", by=ANN)
    assert await room.answer() == text("cmd-left", title="Friday")
    assert not (await room.state(game_id)).players


async def test_in_a_topic_who_made_the_topic_is_not_meant_by_what_answers_nobody(room: Room) -> None:
    room.telegram.appoint(FORUM, HOST)
    notice = {
        **room.message(None, by=BEN, chat=FORUM, message_thread_id=7, is_topic_message=True),
        "message_id": 7,
        "forum_topic_created": {"name": "Games", "icon_color": 7322096},
    }
    topic: dict[str, Any] = {"message_thread_id": 7, "is_topic_message": True, "reply_to_message": notice}
    await room.say("/ban", by=HOST, chat=FORUM, **topic)
    await room.say("/stats", by=ANN, chat=FORUM, **topic)
    whom, stats = [plain(each.params["text"]) for each in await room.sent()]
    assert whom == text("rejected-who-is-meant")
    assert stats == text("cmd-stats-none", name="Ann <b>")
    assert not await room.deps.stores.people.is_banned(FORUM, BEN)


async def test_without_a_game_joining_says_so(room: Room) -> None:
    await room.say("/join")
    assert await room.answer() == text("rejected-no-game-here")


async def test_each_topic_has_its_own_game(room: Room) -> None:
    one, two = await room.open(chat=FORUM, topic=5), await room.open(chat=FORUM, topic=6)
    await room.say("/join", chat=FORUM, message_thread_id=6, is_topic_message=True)
    assert not (await room.state(one)).players
    assert list((await room.state(two)).players) == [ANN]


async def test_an_anonymous_administrator_opens_a_game_but_cannot_play(room: Room) -> None:
    await room.say("/create_game", by=ANONYMOUS)
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    assert (await room.state(game_id)).host.id == GROUP
    await room.say("/join", by=ANONYMOUS)
    assert await room.answer() == text("rejected-needs-a-person")
    await room.say("/cancel_game", by=ANONYMOUS)
    assert (await room.state(game_id)).phase == "cancelled"


async def test_a_banned_player_is_told_and_kept_out(room: Room) -> None:
    game_id = await room.open()
    await room.say("/join", by=ANN)
    reply_to = {"message_id": 1, "date": 0, "chat": chat_of(GROUP), "from": user(ANN)}
    await room.say("/ban spoils it", by=HOST, reply_to_message=reply_to)
    assert not (await room.state(game_id)).players
    await room.sent()
    await room.say("/join", by=ANN)
    assert await room.answer() == text("rejected-banned")
    await room.say(f"/unban {ANN}", by=HOST)
    await room.sent()
    await room.say("/join", by=ANN)
    assert list((await room.state(game_id)).players) == [ANN]


async def test_a_banned_player_comes_back_by_no_other_button(room: Room) -> None:
    game_id = await room.open()
    in_topic = await room.open(chat=FORUM, topic=5)
    await room.say(f"/ban {ANN}", by=HOST)
    for chat, refusal in ((ANN, "rejected-banned"), (OTHER_GROUP, "rejected-elsewhere")):
        await room.sent()
        await room.say(f"/join {game_id}", by=ANN, chat=chat)
        assert await room.answer() == text(refusal)
    assert not (await room.state(game_id)).players
    await room.say(f"/start g_{game_id}", chat=ANN)
    assert await room.answer() == text("rejected-banned")
    await room.say("/join", by=BEN, chat=FORUM, message_thread_id=5, is_topic_message=True)
    await room.project()
    await room.say(f"/ban {BEN}", by=HOST, chat=FORUM)
    assert not (await room.state(in_topic)).players


async def test_a_host_cannot_be_banned_nor_can_a_player_ban(room: Room) -> None:
    await room.say(f"/ban {HOST}", by=HOST)
    assert await room.answer() == text("rejected-cannot-ban")
    await room.say(f"/ban {BEN}", by=ANN)
    assert await room.answer() == text("rejected-not-a-host")
    await room.say("/ban", by=HOST)
    assert await room.answer() == text("rejected-who-is-meant")


# -- leading a game ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ("", False, None)),
        ("Friday draw", ("Friday draw", False, None)),
        ("Friday draw reverse 3", ("Friday draw", True, 3)),
        ("Friday 13 2", ("Friday 13", False, 2)),
        ("Reverse", ("", True, None)),
        ('"Top 5"', ("Top 5", False, None)),
    ],
)
def test_a_game_in_one_line_is_read_from_its_end(line: str, expected: tuple[str, bool, int | None]) -> None:
    assert parsed(line) == expected


async def test_a_game_is_opened_in_one_line(room: Room) -> None:
    game_id = await room.open(line="/create_game <b>Fri & day</b> reverse 3")
    state = await room.state(game_id)
    assert isinstance(state, PickNumberGame)
    assert (state.title, state.rules.mode, state.rules.winners) == ("<b>Fri & day</b>", REVERSE, 3)
    assert await room.sent() == []


async def test_a_line_that_is_wrong_gets_one_line_back(room: Room) -> None:
    await room.say("/create_game Friday 99", by=HOST)
    assert "99" in await room.answer()
    await room.say("/extend soon", by=HOST)
    assert await room.answer() == text("cmd-usage-extend")


async def test_players_open_no_games_unless_the_chat_lets_them(room: Room) -> None:
    await room.say("/create_game", by=ANN)
    assert await room.answer() == text("rejected-not-a-host")
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    await room.deps.stores.people.change_settings(GROUP, {"openers": "everyone", "pick_number": {"winners": "2"}})
    await room.say("/create_game", by=ANN)
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    state = await room.state(game_id)
    assert isinstance(state, PickNumberGame)
    assert state.rules.winners == 2


async def test_a_host_extends_removes_starts_and_cancels(room: Room) -> None:
    game_id = await room.open()
    before = (await room.state(game_id)).deadline
    await room.say("/extend 30", by=HOST)
    assert (await room.state(game_id)).deadline == (before or 0) + 30_000
    for player in (ANN, BEN, 23):
        await room.say("/join", by=player)
    await room.deps.stores.people.flush()
    await room.say(f"/remove @USER{BEN}", by=HOST)
    assert list((await room.state(game_id)).players) == [ANN, 23]
    await room.say("/startnow", by=ANN)
    await room.say("/startnow", by=HOST)
    assert (await room.state(game_id)).phase == "number_selection"
    await room.say("/cancel_game", by=HOST)
    assert (await room.state(game_id)).cancel_reason == "host"


async def test_a_cancelled_game_has_one_message_and_an_answer_only_where_that_message_does_not_appear(
    room: Room,
) -> None:
    await room.open()
    await room.sent()
    await room.say("/cancel_game", by=HOST)
    assert await room.sent() == []  # the consumer of the feed sends the message of the cancellation
    room.telegram.appoint(FORUM, HOST)
    game_id = await room.open(chat=FORUM, topic=5)
    await room.sent()
    await room.say(f"/cancel_game {game_id}", by=HOST, chat=FORUM, message_thread_id=7, is_topic_message=True)
    assert await room.answer() == text("cmd-cancelled", title="Friday")
    await room.deps.stores.people.change_settings(GROUP, {MESSAGES: QUIET})
    await room.open()
    await room.sent()
    await room.say("/cancel_game", by=HOST)
    assert await room.answer() == text("cmd-cancelled", title="Friday")


async def test_a_host_here_rules_no_game_elsewhere(room: Room) -> None:
    game_id = await room.open()
    room.telegram.appoint(OTHER_GROUP, BEN)
    await room.say(f"/cancel_game {game_id}", by=BEN, chat=OTHER_GROUP)
    assert await room.answer() == text("rejected-elsewhere")
    assert (await room.state(game_id)).phase == "waiting_for_players"


@pytest.mark.parametrize("command", ["create_game", "newgame", "startnow", "extend", "remove", "cancel_game", "ban"])
async def test_in_private_the_commands_of_hosts_say_where_they_belong(room: Room, command: str) -> None:
    await room.say(f"/{command}", chat=HOST, by=HOST)
    (answer,) = await room.sent()
    assert plain(answer.params["text"]) == text("cmd-use-in-group")
    (((button,),),) = [answer.params["reply_markup"]["inline_keyboard"]]
    assert button["url"] == f"https://t.me/{BOT}?startgroup=true"


# -- looking ----------------------------------------------------------------------------------------------------


async def test_status_tells_a_number_only_in_private(room: Room) -> None:
    game_id = await room.open()
    await room.say("/status")
    assert text("cmd-you-are-out") in await room.answer()
    for player in (ANN, BEN):
        await room.say("/join", by=player)
    await room.say("/startnow", by=HOST)
    await room.sent()
    await room.tap(f"p:{game_id}:7", room.message("board"), by=ANN)
    await room.project()
    await room.say("/status")
    in_group = await room.answer()
    assert text("cmd-you-are-in") in in_group
    await room.say("/status", chat=ANN)
    assert text("pick-number-own-line", number=7) in await room.answer()


async def test_who_plays_nothing_is_told_so_in_private(room: Room) -> None:
    for line in ("/status", "/games"):
        await room.say(line, chat=ANN)
        assert await room.answer() == text("cmd-games-none-private")


async def test_names_in_lists_are_short_and_turn_nothing_around(room: Room) -> None:
    long, hebrew = "Ann " * 30, "\u05d0\u05d1\u05d2"
    game_id = await room.open(line="/create_game 2")
    for player, name in ((ANN, long), (BEN, hebrew)):
        await room.do(game_id, Join(player, name))
    await room.start(game_id)
    await room.finish(game_id)
    await room.sent()
    for line in ("/leaderboard", "/history"):
        await room.say(line, by=HOST)
        (answer,) = await room.sent()
        shown = re.findall("\u2068(.*?)\u2069", answer.params["text"])
        assert hebrew in shown
        assert all(units(name) <= NAME_LIMIT for name in shown)


async def test_a_quiz_without_a_right_answer_is_in_the_history_without_winners(room: Room) -> None:
    game_id = await room.open(line="/start_quiz 1")
    for player in (ANN, BEN):
        await room.do(game_id, Join(player, room.name_of(player)))
    await room.close(game_id)
    await room.sent()
    await room.say("/history")
    assert "players: 2, nobody won · " in await room.answer()


async def test_figures_come_from_what_was_played(room: Room) -> None:
    game_id = await room.play(line="/create_game Friday")
    for line, wanted in (
        ("/stats", "1"),
        ("/leaderboard", "Ben &amp; co"),
        ("/history", game_id),
        ("/leaderboard", "Ann &lt;b&gt;"),
    ):
        await room.say(line)
        assert wanted in await room.answer()
    await room.say("/stats", by=23)
    assert await room.answer() == text("cmd-stats-none", name="U23")
    await room.say("/games")
    assert await room.answer() == text("cmd-games-none")


async def test_games_lists_what_is_played_with_a_way_to_it(room: Room) -> None:
    game_id = await room.open()
    await room.project()
    await room.say("/games")
    (answer,) = await room.sent()
    assert game_id in answer.params["text"]
    assert answer.params["reply_markup"]["inline_keyboard"][0][0]["url"].endswith(f"?start=g_{game_id}")


def shown(outgoing: Outgoing) -> str:
    """Return the text of a message as people see it."""
    return unescape(re.sub("<[^>]+>", "", str(outgoing.params["text"])))


async def test_lists_of_the_longest_titles_and_names_are_one_message(room: Room) -> None:
    long = "\U0001f600" * 64
    for number in range(12):
        chat = -2000 - number
        room.telegram.appoint(chat, HOST)
        game_id = await room.open(chat=chat, line=f"/create_game {long} 3")
        for player in (ANN, BEN, 23):
            await room.do(game_id, Join(player, f"{long} {long}"))
    await room.project()
    await room.sent()
    for line in ("/status", "/games"):
        await room.say(line, chat=ANN)
        (outgoing,) = await room.sent()
        assert shown(outgoing).count(long) == 10
        assert units(shown(outgoing)) <= 4096
        assert sum(map(len, outgoing.params.get("reply_markup", {}).get("inline_keyboard", []))) <= 10
    for number in range(12):
        (game_id,) = await room.deps.stores.games.live_in(ChatTopic(-2000 - number))
        await room.start(game_id)
        await room.finish(game_id, (ANN, BEN, 23))
    for line in ("/history", "/leaderboard"):
        await room.say(line, chat=ANN)
        (outgoing,) = await room.sent()
        assert units(shown(outgoing)) <= 4096


async def listed(room: Room, data: str, *, by: int = ANN) -> Outgoing:
    """Tap a button of the group's leaderboard, and return the answer."""
    markup = {"inline_keyboard": [[{"text": "list", "callback_data": data}]]}
    await room.tap(data, room.message("the best", reply_markup=markup), by=by)
    (answer,) = await room.sent()
    return answer


async def test_a_tap_on_the_leaderboard_opens_a_list_of_ones_own(room: Room) -> None:
    await room.say("/leaderboard")
    (answer,) = await room.sent()
    buttons = [button for row in answer.params["reply_markup"]["inline_keyboard"] for button in row]
    data = {button["text"]: button["callback_data"] for button in buttons}
    own = await listed(room, data[as_shown("cmd-best-show-all")])
    assert own.params["ephemeral_message_parameters"]["receiver_user_id"] == ANN
    assert as_shown("cmd-best-all") in own.params["text"]
    assert len(room.toasts()) == 1
    mine = {**room.message("mine"), "message_id": 0, "ephemeral_message_id": 5}
    await room.tap(f"top:{GROUP}:w:0", mine)
    (edit,) = await room.sent()
    assert (edit.method, edit.params["ephemeral_message_id"]) == ("editEphemeralMessageText", 5)


async def test_a_medal_is_for_those_who_have_won(room: Room) -> None:
    await room.play()
    lines = plain((await listed(room, f"top:{GROUP}:a:0")).params["text"]).splitlines()
    assert [line.removeprefix("<b>")[:2].strip() for line in lines[1:]] == ["🥇", "2."]


async def test_a_leaderboard_has_periods_and_the_rows_around_oneself(room: Room) -> None:
    await room.play()
    for letter, period in (("w", "week"), ("m", "month"), ("s", "season"), ("a", "ever")):
        answer = await listed(room, f"top:{GROUP}:{letter}:0")
        title = text(f"cmd-best-title-{period}", list=text("cmd-best-chat"))
        assert plain(answer.params["text"]).startswith(title)
        assert len(answer.params["text"].splitlines()) == 3
        around = await listed(room, f"top:{GROUP}:{letter}:me", by=BEN)
        assert "<b>🥇" in around.params["text"] or "<b>2." in around.params["text"]
    around = await listed(room, f"top:{GROUP}:w:me", by=HOST)
    assert text("cmd-best-without-you") in plain(around.params["text"])


@pytest.mark.parametrize("data", ["top:", "top:0", "top:0:0", "top:x:y:z", "top:-1:w:-5", "top:0:w:9999999", "top:::"])
async def test_any_button_of_a_leaderboard_shows_one(room: Room, data: str) -> None:
    answer = await listed(room, data)
    assert as_shown("cmd-best-all") in answer.params["text"] or as_shown("cmd-best-chat") in answer.params["text"]


async def test_the_proof_is_a_document_that_verifies(room: Room) -> None:
    game_id = await room.open()
    await room.say("/fair")
    assert await room.answer() == text("rejected-nothing-to-prove")
    await room.say(f"/fair {game_id}")
    assert await room.answer() == text("rejected-nothing-to-prove")
    await room.join(game_id, ANN, BEN)
    await room.start(game_id)
    await room.finish(game_id)
    await room.say("/fair")
    (call,) = room.telegram.named("sendDocument")
    assert call["chat_id"] == GROUP
    assert call["caption"]
    ((name, document),) = room.telegram.uploads
    assert name == f"proof-{game_id}.json"
    assert json.loads(document)["opening"]["game"] == game_id
    assert all(check.passed for check in proof.verify(document))


async def test_the_proof_is_found_by_the_message_that_is_answered_and_after_redis_has_forgotten(room: Room) -> None:
    game_id = await room.play()
    await room.redis.flushall()
    room.deps.play.engine._games.clear()
    board = {
        "message_id": 1,
        "date": 0,
        "chat": chat_of(GROUP),
        "from": {"id": BOT_ID, "is_bot": True, "first_name": "T"},
        "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": f"r:{game_id}"}]]},
    }
    await room.say("/fair", reply_to_message=board)
    assert len(room.telegram.uploads) == 1


# -- private chat -----------------------------------------------------------------------------------------------


async def test_start_greets_and_offers_to_be_added(room: Room) -> None:
    await room.say("/start", chat=ANN)
    (answer,) = await room.sent()
    assert plain(answer.params["text"]) == text("cmd-start", name="Ann <b>")
    assert "reply_parameters" not in answer.params


async def test_a_deep_link_opens_ones_own_board(room: Room) -> None:
    game_id = await room.open()
    for player in (ANN, BEN):
        await room.say("/join", by=player)
    await room.say("/startnow", by=HOST)
    await room.sent()
    await room.say(f"/start g_{game_id}", chat=ANN)
    (answer,) = await room.sent()
    assert answer.chat_id == ANN
    data = [
        button.get("callback_data", "") for row in answer.params["reply_markup"]["inline_keyboard"] for button in row
    ]
    assert any(each.startswith(f"p:{game_id}:") for each in data)
    await room.say("/start g_nonsense", chat=ANN)
    assert await room.answer() == text("rejected-unknown-game")


# -- languages --------------------------------------------------------------------------------------------------


async def test_a_person_and_a_group_each_have_their_language(room: Room) -> None:
    await room.say("/language ru", chat=ANN)
    assert await room.answer() == text("cmd-language-own-set", "ru")
    await room.say("/help", chat=ANN)
    assert await room.answer() == plain(private_help(TEXTS, "ru"))
    await room.say("/help", by=ANN)
    assert await room.answer() == plain(group_help(TEXTS, "en"))
    await room.say("/language ru", by=ANN)
    assert await room.answer() == text("rejected-not-a-host")
    await room.say("/language", by=HOST)
    (question,) = await room.sent()
    choices = [row[0]["callback_data"] for row in question.params["reply_markup"]["inline_keyboard"]]
    asked = {**room.message("?"), "reply_markup": question.params["reply_markup"]}
    assert "lang:ru" in choices
    await room.tap("lang:ru", asked, by=HOST)
    await room.sent()
    await room.say("/help", by=BEN)
    assert await room.answer() == plain(group_help(TEXTS, "ru"))


async def test_what_one_person_alone_reads_in_a_group_is_in_their_language(room: Room) -> None:
    await room.say("/language ru", chat=ANN)
    await room.answer()
    await room.update(message={**room.message("/help"), "message_id": 0, "ephemeral_message_id": 31})
    assert await room.answer() == plain(group_help(TEXTS, "ru"))
    await room.say("/leaderboard")
    assert text("cmd-best-chat") in await room.answer()


async def test_telegrams_language_code_is_the_first_guess_in_private(room: Room) -> None:
    await room.update(message={**room.message("/help", chat=ANN), "from": {**user(ANN), "language_code": "ru-RU"}})
    assert await room.answer() == plain(private_help(TEXTS, "ru"))


# -- menus ------------------------------------------------------------------------------------------------------


def test_every_command_is_described_in_every_language_and_scope(room: Room) -> None:
    published = [params for method, params in calls(room.deps) if method == "setMyCommands"]
    assert len(published) == 4 * len(TEXTS.LOCALES)
    for params in published:
        for command in params["commands"]:
            assert command["command"] in ALL
            assert 1 <= len(command["description"]) <= 256
            assert not command["description"].startswith("cmd-")
    named = {command["command"] for params in published for command in params["commands"]}
    assert named == ALL - {"admin"}
    assert not room.deps.play.texts.missing


def test_what_the_bot_says_of_itself_fits(room: Room) -> None:
    for method, params in calls(room.deps):
        assert len(params.get("description", "")) <= 512, method
        assert len(params.get("short_description", "")) <= 120, method


# -- errors -----------------------------------------------------------------------------------------------------


async def test_a_bug_is_counted_and_the_person_gets_its_trace(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_host(*_: Any, **__: Any) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(Hosts, "is_host", is_host)
    await room.say("/startnow", by=HOST)
    answer = await room.answer()
    assert room.errors == ["ZeroDivisionError"]
    assert answer.startswith(text("cmd-our-mistake", trace="|").split("|")[0])


async def test_operators_have_a_command_more(room: Room) -> None:
    await room.say("/help", chat=OPERATOR, by=OPERATOR)
    assert text("cmd-help-operator") in await room.answer()


async def test_an_operator_who_has_blocked_the_bot_keeps_no_other_from_their_menu(room: Room) -> None:
    room.telegram.control.block_bot(room.telegram.person(ANN))
    deps = room.deps
    access = Access(
        people=deps.stores.people,
        hosts=deps.play.hosts,
        members=deps.play.members,
        operators={ANN, OPERATOR},
        now=deps.play.clock.now,
    )
    deps = replace(deps, play=replace(deps.play, access=access))
    for operator in access.operators:
        await deps.stores.people.saw_chat(operator, "private", "")
    await publish(deps)
    told = [each["scope"]["chat_id"] for each in room.telegram.named("setMyCommands") if "chat_id" in each["scope"]]
    assert set(told) == {ANN, OPERATOR}


async def test_a_typed_id_shows_the_name_of_no_stranger_to_this_group(room: Room) -> None:
    await room.say("/create_game Elsewhere", by=HOST, chat=FORUM)
    await room.say("/join", by=ANN, chat=FORUM)
    await room.project()
    await room.deps.stores.people.flush()
    game_id = await room.open()
    await room.say("/join", by=BEN)
    await room.project()
    await room.sent()
    for command, said in (
        ("ban", "cmd-banned-somebody"),
        ("ban", "cmd-banned-already"),
        ("unban", "cmd-unbanned"),
        ("unban", "cmd-not-banned"),
        ("remove", "cmd-remove-not-in-game"),
    ):
        await room.say(f"/{command} {ANN}", by=HOST)
        assert await room.answer() == text(said, name=str(ANN))
    await room.say(f"/remove {BEN} {game_id}", by=HOST)
    assert "Ben" in await room.answer()


# -- numbers ----------------------------------------------------------------------------------------------------

NO_NUMBERS = ("9223372036854775808", "99999999999999999999", "9" * 400, "-1", "１２", "٣", "1_000", "+7")


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("command", ["ban", "unban", "remove"])
async def test_an_id_that_nobody_has_is_refused_in_words(room: Room, command: str, number: str) -> None:
    await room.open()
    await room.sent()
    await room.say(f"/{command} {number}", by=HOST)
    assert await room.answer() == text("rejected-who-is-meant")
    assert room.errors == []


@pytest.mark.parametrize("number", ["1 000", "5\xa0123\xa0456", "77\u202f000 spam", "100 200"])
@pytest.mark.parametrize("command", ["ban", "unban", "remove"])
async def test_the_first_digits_of_an_id_with_blanks_are_nobodys_id(room: Room, command: str, number: str) -> None:
    await room.open()
    await room.sent()
    await room.say(f"/{command} {number}", by=HOST)
    assert await room.answer() == text("rejected-id-with-blanks")


async def test_a_reason_may_begin_with_a_number(room: Room) -> None:
    await room.say("/ban 1234567 100 messages of spam", by=HOST)
    assert await room.answer() == text("cmd-banned-somebody", name="1234567")


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_seconds_questions_and_winners_that_cannot_be_read_are_refused_in_words(room: Room, number: str) -> None:
    await room.say(f"/start_quiz {number}", by=HOST)
    if number not in {"１２", "٣"}:  # a number of questions is an amount, and accepts the digits of any script
        answer = await room.answer()
        assert answer == text("cmd-usage-start_quiz") or answer.startswith(text("dlg-name-questions"))
    await room.say("/cancel_game", by=HOST)
    await room.sent()
    await room.say(f"/create_game Friday {number}", by=HOST)
    titled = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    if number == "1_000":  # no number in any script: a word of the title
        assert (await room.state(titled[0])).title == "Friday 1_000"
    else:
        said = await room.answer()
        assert said.startswith(f"{text('dlg-name-winners')}: ")
        assert number[:24] in said
        assert titled == []
        await room.open()
    await room.sent()
    await room.say(f"/extend {number}", by=HOST)
    assert await room.answer() == text("cmd-usage-extend")
    assert room.errors == []
