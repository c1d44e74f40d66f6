"""Taps: their effects, permissions and answers."""

import asyncio
from dataclasses import replace

import pytest

from fsm.engine import Unavailable
from fsm.kind import ChatTopic, UnknownGame
from fsm.lobby import Cancel, DeadlinePassed, winners_so_far
from handlers.kinds.registry import VERBS
from handlers.taps import Answer, Call
from play.texts import Texts, units
from tests.engine.memory import Fault
from tests.handlers.table import HOST, Table
from tests.support.games import CHAT

TEXTS = Texts()
EPHEMERAL = {"message_id": 0, "ephemeral_message_id": 77}


@pytest.fixture
def table() -> Table:
    return Table(TEXTS)


def private(user: int) -> dict[str, object]:
    return {"chat_id": user, "chat_type": "private", "message_id": 5}


def the_call(answer: Answer) -> Call:
    (call,) = answer.calls
    return call


# -- a game, tapped ---------------------------------------------------------------------------------------------


async def test_joining_picking_and_moving_are_confirmed_to_that_person_alone(table: Table) -> None:
    game_id = await table.begin()
    assert (await table.tap(1, f"p:{game_id}:7")) == Answer(text="You have 7.")
    assert (await table.tap(1, f"p:{game_id}:8")) == Answer(text="You have 8.")
    taken = await table.tap(2, f"p:{game_id}:8")
    assert (taken.text, taken.outcome) == ("8 is taken. Try another one.", "number-taken")
    assert (await table.tap(2, f"p:{game_id}:7")).text == "You have 7."
    state = await table.state(game_id)
    assert state.picks == {1: 8, 2: 7}


async def test_the_same_update_twice_is_done_once_and_answered_alike(table: Table) -> None:
    game_id = await table.begin()
    tap = table.tap_of(1, f"p:{game_id}:7")
    first, second = await table.answer(tap), await table.taps.answer(tap)
    elsewhere = await table.another().answer(tap)
    assert (first.text, first.outcome) == ("You have 7.", "done")
    assert (second.text, second.outcome) == (elsewhere.text, elsewhere.outcome) == ("You have 7.", "duplicate")


async def test_a_refused_tap_does_not_come_true_when_it_is_delivered_again(table: Table) -> None:
    game_id = await table.begin()
    await table.tap(1, f"p:{game_id}:7")
    tap = table.tap_of(2, f"p:{game_id}:7")
    first = await table.answer(tap)
    await table.tap(1, f"p:{game_id}:8")
    second = await table.answer(tap)
    assert (first.outcome, second.outcome, second.text) == ("number-taken", "duplicate", first.text)
    assert (await table.state(game_id)).picks == {1: 8}


async def test_who_taps_is_known_by_name_from_then_on(table: Table) -> None:
    game_id = await table.begin((1, 2))
    await table.tap(2, f"p:{game_id}:7", user_name="Ben", username="ben")
    assert table.people.seen[2] == ("Ben", "ben")


async def test_of_two_who_tap_one_number_at_once_exactly_one_has_it(table: Table) -> None:
    game_id = await table.begin(range(1, 11))
    answers = await asyncio.gather(*(table.tap(player, f"p:{game_id}:3") for player in range(1, 11)))
    assert sorted(answer.outcome for answer in answers) == ["done", *["number-taken"] * 9]


@pytest.mark.parametrize("warm", [False, True])
async def test_a_person_is_answered_in_their_own_language(table: Table, *, warm: bool) -> None:
    table.people.warm = warm
    game_id = await table.open()
    assert (await table.tap(1, f"j:{game_id}", language="ru")).text == "Вы в игре. Уже 1 игрок."
    table.people.locales[2] = "en"
    assert (await table.tap(2, f"j:{game_id}", language="ru")).text == "You’re in: 2 players so far."


async def test_a_pick_after_the_deadline_is_refused_even_if_the_timer_is_late(table: Table) -> None:
    game_id = await table.begin((1, 2))
    deadline = (await table.state(game_id)).deadline
    assert (await table.tap(1, f"p:{game_id}:7", received=deadline)).outcome == "too-late"
    assert (await table.tap(1, f"p:{game_id}:7", received=deadline - 1)).outcome == "done"


async def test_a_stale_button_of_an_ended_game_says_that_it_is_over(table: Table) -> None:
    game_id = await table.begin((1, 2))
    await table.engine.execute(game_id, Cancel(None, "operator"), command_id="c")
    for verb in (f"j:{game_id}", f"l:{game_id}", f"p:{game_id}:3"):
        assert "cancelled" in ((await table.tap(1, verb)).text or "")
    assert (await table.tap(HOST, f"x:{game_id}")).text == "This game is over."


async def test_a_button_of_a_game_that_nobody_remembers_is_answered(table: Table) -> None:
    for verb in ("j", "g", "o", "f", "r", "x"):
        answer = await table.tap(HOST, f"{verb}:07zzzzzzzzzzzz")
        assert (answer.outcome, answer.text) == ("unknown-game", "That game ended long ago.")


# -- invalid data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "", ":", "p", "p:", "p::", "zz:07abcdefghijkl", "p:07abcdefghijkl", "p:07abcdefghijkl:", "p:07abcdefghijkl:x",
        "p:07abcdefghijkl:-1", "p:07abcdefghijkl:07", "p:07abcdefghijkl:7:7", "p:07abcdefghijkl:７",
        "p:07abcdefghijkl:1e3", "p:07abcdefghijkl: 7", "p:07abcdefghijkl:99999999999999999999", "j:../../etc",
        "j:07ABCDEFGHIJKL", "j:07abcdefghijkl:1", "s:07abcdefghijkl:1", "h:", "h:chess", "o:", "g:", "r:", "x:", "xx:",
        "j:07abcdefghijkl\n", "\x00", "p:07abcdefghijkl:7\n", "🎱:🎱",
    ],
)  # fmt: skip
async def test_data_that_no_button_of_ours_has_gets_a_clear_toast(table: Table, data: str) -> None:
    await table.begin((1, 2))
    before = table.shelf.rows["07abcdefghijkl"].version
    answer = await table.tap(HOST, data)
    assert (answer.outcome, answer.text) == ("garbage", TEXTS.plain("en", "tap-garbage"))
    assert table.shelf.rows.keys() == {"07abcdefghijkl"}
    assert table.shelf.rows["07abcdefghijkl"].version == before


def test_the_fast_path_knows_our_data_from_a_dialogs() -> None:
    taps = Table(TEXTS).taps
    assert all(taps.knows(f"{verb}:07abcdefghijkl") for table in VERBS.values() for verb in table)
    assert all(taps.knows(f"{verb}:x") for verb in "ogbfhkrx")
    assert not any(taps.knows(data) for data in ("", "aBcDeF\x1dok", "lang:ru", "jj:1"))


# -- permissions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm", [False, True])
async def test_a_banned_person_is_refused_everywhere(table: Table, *, warm: bool) -> None:
    table.people.warm = warm
    game_id = await table.begin()
    table.people.banned.add((CHAT, 1))
    for data in (f"j:{game_id}", f"p:{game_id}:3", f"o:{game_id}", f"g:{game_id}:0", f"l:{game_id}", f"f:{game_id}"):
        for where in ({}, EPHEMERAL, private(1)):
            answer = await table.tap(1, data, **where)
            assert answer.outcome == "banned", (data, where)
            assert answer.text
            assert not answer.calls


async def test_a_forged_tap_from_another_group_reaches_no_game(table: Table) -> None:
    game_id = await table.begin()
    table.hosts.hosts.add((-5, 1))
    for data in (f"p:{game_id}:3", f"s:{game_id}", f"xx:{game_id}", f"o:{game_id}", f"r:{game_id}", f"g:{game_id}:1"):
        assert (await table.tap(1, data, chat_id=-5)).outcome == "elsewhere"
    assert not (await table.state(game_id)).picks


async def test_joining_is_for_the_group_and_picking_is_for_the_private_chat_too(table: Table) -> None:
    game_id = await table.open()
    assert (await table.tap(1, f"j:{game_id}", **private(1))).outcome == "join-in-group"
    for player in (1, 2):
        await table.tap(player, f"j:{game_id}")
    await table.tap(HOST, f"s:{game_id}")
    answer = await table.tap(1, f"p:{game_id}:3", **private(1))
    assert answer.text == "You have 3."
    assert the_call(answer).method == "editMessageText"


@pytest.mark.parametrize("verb", ["s", "e", "x", "xx", "r"])
async def test_what_hosts_do_is_for_hosts_as_telegram_knows_them(table: Table, verb: str) -> None:
    game_id = await table.open()
    for player in (1, 2):
        await table.tap(player, f"j:{game_id}")
    before = await table.state(game_id)
    answer = await table.tap(1, f"{verb}:{game_id}")
    assert (answer.outcome, answer.calls) == ("not-a-host", ())
    assert await table.state(game_id) == before


async def test_a_host_extends_and_starts(table: Table) -> None:
    game_id = await table.open()
    for player in (1, 2):
        await table.tap(player, f"j:{game_id}")
    deadline = (await table.state(game_id)).deadline
    assert (await table.tap(HOST, f"e:{game_id}")).outcome == "done"
    assert (await table.state(game_id)).deadline == deadline + 60_000
    assert (await table.tap(HOST, f"s:{game_id}")).outcome == "done"
    assert (await table.tap(HOST, f"s:{game_id}")).text == "The game has already started."


# -- cancelling, with a question first --------------------------------------------------------------------------


async def test_cancelling_asks_the_host_alone_first(table: Table) -> None:
    game_id = await table.begin((1, 2))
    asked = await table.tap(HOST, f"x:{game_id}")
    call = the_call(asked)
    assert call.method == "sendMessage"
    assert call.params["ephemeral_message_parameters"] == {"receiver_user_id": HOST, "callback_query_id": f"q{HOST}"}
    assert [b["callback_data"] for b in call.params["reply_markup"]["inline_keyboard"][0]] == [
        f"xx:{game_id}", f"k:{game_id}",
    ]  # fmt: skip
    assert asked.answered_by_calls
    assert (await table.state(game_id)).phase == "number_selection"
    done = await table.tap(HOST, f"xx:{game_id}", **EPHEMERAL)
    assert the_call(done) == Call(
        "deleteEphemeralMessage", {"chat_id": CHAT, "receiver_user_id": HOST, "ephemeral_message_id": 77}
    )
    assert (await table.state(game_id)).phase == "cancelled"


async def test_where_the_question_cannot_be_shown_the_command_is_named(table: Table) -> None:
    game_id = await table.begin((1, 2))
    otherwise = the_call(await table.tap(HOST, f"x:{game_id}")).otherwise
    assert otherwise is not None
    assert otherwise.params["callback_query_id"] == f"q{HOST}"
    assert "/cancel_game" in otherwise.params["text"]


async def test_keeping_closes_only_what_one_person_sees(table: Table) -> None:
    assert the_call(await table.tap(1, "k:07abcdefghijkl", **EPHEMERAL)).method == "deleteEphemeralMessage"
    assert the_call(await table.tap(1, "k:07abcdefghijkl", **private(1))).params == {"chat_id": 1, "message_id": 5}
    assert not (await table.tap(1, "k:07abcdefghijkl")).calls


# -- own boards -------------------------------------------------------------------------------------------------


async def test_the_own_board_opens_for_the_tapper_alone_in_the_topic_of_the_tap(table: Table) -> None:
    game_id = await table.begin()
    answer = await table.tap(1, f"o:{game_id}", topic_id=9)
    call = the_call(answer)
    assert answer.text is None
    assert answer.answered_by_calls
    assert call.params["ephemeral_message_parameters"] == {"receiver_user_id": 1, "callback_query_id": "q1"}
    assert call.params["message_thread_id"] == 9
    assert call.then == Call("answerCallbackQuery", {"callback_query_id": "q1"})


async def test_where_telegram_cannot_show_it_the_deep_link_is_the_way(table: Table) -> None:
    game_id = await table.begin()
    assert the_call(await table.tap(1, f"o:{game_id}")).otherwise == Call(
        "answerCallbackQuery", {"callback_query_id": "q1", "url": f"https://t.me/tombola_bot?start=g_{game_id}"}
    )


async def test_without_a_name_to_link_to_a_toast_says_where_to_pick() -> None:
    table = Table(TEXTS, bot_username="")
    game_id = await table.begin()
    otherwise = the_call(await table.tap(1, f"o:{game_id}")).otherwise
    assert otherwise is not None
    assert otherwise.params["text"] == TEXTS.plain("en", "tap-no-own-board")


async def test_who_does_not_play_gets_no_own_board(table: Table) -> None:
    game_id = await table.begin()
    answer = await table.tap(42, f"o:{game_id}")
    assert (answer.outcome, answer.calls) == ("not-in-game", ())
    assert answer.text


async def test_a_pick_on_the_own_board_is_shown_there(table: Table) -> None:
    game_id = await table.begin()
    await table.tap(1, f"o:{game_id}")
    call = the_call(await table.tap(1, f"p:{game_id}:7", **EPHEMERAL))
    assert call.method == "editEphemeralMessageText"
    assert (call.params["receiver_user_id"], call.params["ephemeral_message_id"]) == (1, 77)
    assert "<b>7</b>" in call.params["text"]


async def test_an_own_board_is_not_edited_to_what_it_shows_already(table: Table) -> None:
    game_id = await table.begin(numbers=500)
    await table.tap(2, f"p:{game_id}:3")
    await table.tap(1, f"o:{game_id}")
    assert not (await table.tap(1, f"p:{game_id}:3", **EPHEMERAL)).calls  # shown as taken already
    assert (await table.tap(1, f"p:{game_id}:4", **EPHEMERAL)).calls
    assert not (await table.tap(1, f"p:{game_id}:4", **EPHEMERAL)).calls  # already this player's number
    assert (await table.tap(1, f"b:{game_id}:2", **EPHEMERAL)).calls
    assert not (await table.tap(1, f"b:{game_id}:2", **EPHEMERAL)).calls
    assert (await table.tap(1, f"b:{game_id}:0", **EPHEMERAL)).calls


async def test_a_number_that_was_taken_meanwhile_is_shown_so_on_the_own_board(table: Table) -> None:
    game_id = await table.begin()
    await table.tap(1, f"o:{game_id}")
    await table.tap(2, f"p:{game_id}:7")
    answer = await table.tap(1, f"p:{game_id}:7", **EPHEMERAL)
    assert answer.outcome == "number-taken"
    assert "✕ 7" in str(the_call(answer).params["reply_markup"])


async def test_who_taps_a_taken_number_stays_on_its_page(table: Table) -> None:
    game_id = await table.begin(range(1, 21))
    await table.tap(2, f"p:{game_id}:60")
    call = the_call(await table.tap(1, f"p:{game_id}:60", **private(1)))
    labels = [button["text"] for row in call.params["reply_markup"]["inline_keyboard"] for button in row]
    assert "✕ 60" in labels


async def test_a_board_that_a_link_has_opened_is_not_edited_to_what_it_shows(table: Table) -> None:
    game_id = await table.begin()
    await table.tap(2, f"p:{game_id}:3")
    table.taps.opened(1, await table.state(game_id), "en")
    assert not (await table.tap(1, f"p:{game_id}:3", **private(1))).calls
    await table.tap(2, f"p:{game_id}:4")
    assert (await table.tap(1, f"p:{game_id}:4", **private(1))).calls


async def test_an_own_board_left_open_learns_that_picking_is_over(table: Table) -> None:
    game_id = await table.begin()
    await table.tap(1, f"p:{game_id}:7")
    state = await table.state(game_id)
    await table.engine.execute(game_id, DeadlinePassed(state.deadline), command_id="t", received=state.deadline)
    answer = await table.tap(1, f"p:{game_id}:9", **EPHEMERAL)
    assert answer.text == "Picking is closed: the draw is on."
    assert "reply_markup" not in the_call(answer).params


async def test_own_pages_turn_without_touching_the_groups(table: Table) -> None:
    game_id = await table.begin(numbers=500)
    answer = await table.tap(1, f"b:{game_id}:3", **private(1))
    assert the_call(answer).method == "editMessageText"
    assert "76" in str(the_call(answer).params["reply_markup"])
    assert not table.boards.shown


# -- the group's board ------------------------------------------------------------------------------------------


async def test_an_old_boards_arrows_open_the_own_board_and_commit_nothing(table: Table) -> None:
    game_id = await table.begin(numbers=500)
    before = table.shelf.rows[game_id].version
    answer = await table.tap(1, f"g:{game_id}:4")
    (call,) = answer.calls
    assert call.params["ephemeral_message_parameters"]["receiver_user_id"] == 1
    assert table.shelf.rows[game_id].version == before


@pytest.mark.parametrize("page", ["", "20", "99999", "-1", "x"])
async def test_a_page_that_is_not_there_turns_nothing(table: Table, page: str) -> None:
    game_id = await table.begin(numbers=500)
    answer = await table.tap(1, f"b:{game_id}:{page}", ephemeral_message_id=7)
    assert answer.text == TEXTS.plain("en", "tap-turn-hint")
    assert not answer.calls


async def test_a_board_without_pages_says_so(table: Table) -> None:
    game_id = await table.begin()
    answer = await table.tap(1, f"b:{game_id}:0", ephemeral_message_id=7)
    assert answer.text == TEXTS.plain("en", "tap-no-pages")


async def test_a_taken_number_says_so_where_buttons_cannot_be_disabled(table: Table) -> None:
    assert (await table.tap(1, "n:")).text == TEXTS.plain("en", "tap-taken")


# -- outdated messages ------------------------------------------------------------------------------------------


async def test_a_tap_on_an_older_message_works_and_takes_that_message_away_once(table: Table) -> None:
    game_id = await table.begin()
    table.boards.messages[game_id] = (CHAT, 60)
    await table.tap(1, f"p:{game_id}:2", message_id=60)
    answer = await table.tap(1, f"p:{game_id}:3", message_id=50)
    assert answer.text == "You have 3."
    assert the_call(answer) == Call("deleteMessage", {"chat_id": CHAT, "message_id": 50})
    assert not (await table.tap(1, f"p:{game_id}:4", message_id=50)).calls


@pytest.mark.parametrize(
    "keyboard",
    [None, b'{"inline_keyboard":[]}', b'{"inline_keyboard":[[{"text":"x","callback_data":"r:07zzzzzzzzzzzz"}]]}'],
)
async def test_a_forged_tap_takes_no_other_message_of_the_bot_away(table: Table, keyboard: bytes) -> None:
    game_id = await table.begin((1, 2))
    table.boards.messages[game_id] = (CHAT, 60)
    for data in (f"p:{game_id}:7", f"p:{game_id}:7", f"j:{game_id}"):
        assert (await table.tap(1, data, message_id=40, keyboard=keyboard)).calls == ()


@pytest.mark.parametrize("data", ["p:{}:3", "b:{}:0", "l:{}", "xx:{}", "k:{}", "k:"])
async def test_a_forged_tap_in_private_changes_no_other_message(table: Table, data: str) -> None:
    game_id = await table.begin((1, 2), numbers=200)
    table.hosts.hosts.add((CHAT, 1))
    wallet = b'{"inline_keyboard":[[{"text":"x","callback_data":"listed:1"}]]}'
    assert (await table.tap(1, data.format(game_id), **private(1), keyboard=wallet)).calls == ()


async def test_the_living_message_is_never_taken_for_an_orphan(table: Table) -> None:
    game_id = await table.begin()
    for living in ((CHAT, 60), (CHAT, 40), (-5, 999), None):
        if living is None:
            table.boards.messages.pop(game_id, None)
        else:
            table.boards.messages[game_id] = living
        assert not (await table.tap(1, f"p:{game_id}:5", message_id=60)).calls


async def test_the_store_is_not_asked_for_the_living_message_at_every_tap(table: Table) -> None:
    game_id = await table.begin()
    asked = table.boards.asked
    for number in range(1, 9):
        await table.tap(1, f"p:{game_id}:{number}")
    assert table.boards.asked == asked <= 1


async def test_a_tap_is_answered_where_the_living_message_cannot_be_found(table: Table) -> None:
    table.boards.broken = True
    game_id = await table.begin()
    assert (await table.tap(1, f"p:{game_id}:7")).text == "You have 7."


# -- rematch, proof, rules --------------------------------------------------------------------------------------


async def finish(table: Table, game_id: str) -> None:
    for turn in range(100):
        state = await table.state(game_id)
        if state.deadline is None:
            return
        await table.engine.execute(
            game_id, DeadlinePassed(state.deadline), command_id=f"t{turn}", received=state.deadline
        )


async def test_a_rematch_is_the_same_game_again_with_its_host_in_it(table: Table) -> None:
    game_id = await table.begin((1, 2), winners=2)
    for player in (1, 2):
        await table.tap(player, f"p:{game_id}:{player}")
    await finish(table, game_id)
    tap = table.tap_of(HOST, f"r:{game_id}:a")
    answer = await table.answer(tap)
    assert (answer.outcome, answer.text) == ("done", "A rematch is open, and you’re in it.")
    new = await table.state(await table.reserved.reserve_id(ChatTopic(CHAT), tap.command_id))
    old = await table.state(game_id)
    assert replace(new.rules, earlier_winners=()) == old.rules
    assert (new.title, new.place) == (old.title, old.place)
    assert (new.host.id, list(new.players)) == (HOST, [HOST])
    assert (await table.another().answer(tap)).outcome == "done"  # the same update again opens no second game
    assert (await table.tap(HOST, f"r:{game_id}:a")).outcome == "place-taken"


async def test_a_host_is_asked_who_may_join_a_rematch_and_winners_are_refused_at_the_join(table: Table) -> None:
    game_id = await table.begin((1, HOST), winners=1)
    for player in (1, HOST):
        await table.tap(player, f"p:{game_id}:{player % 7 + 1}")
    await finish(table, game_id)
    (winner,) = winners_so_far(await table.state(game_id))
    question = the_call(await table.tap(HOST, f"r:{game_id}"))
    keyboard = question.params["reply_markup"]["inline_keyboard"]
    assert [row[0]["callback_data"] for row in keyboard] == [f"r:{game_id}:a", f"r:{game_id}:n"]
    assert question.otherwise is not None
    assert question.otherwise.params["url"].endswith(f"?start=r_{game_id}")
    tap = table.tap_of(HOST, f"r:{game_id}:n", **EPHEMERAL)
    answer = await table.answer(tap)
    without_host = TEXTS.plain("en", "tap-rematch-without-you")
    assert answer.text == (without_host if winner == HOST else TEXTS.plain("en", "tap-rematch"))
    assert the_call(answer).method == "deleteEphemeralMessage"
    new = await table.reserved.reserve_id(ChatTopic(CHAT), tap.command_id)
    refused = await table.tap(winner, f"j:{new}")
    assert (refused.outcome, refused.text) == ("won-before", TEXTS.plain("en", "rejected-won-before"))
    assert (await table.tap(5, f"j:{new}")).outcome == "done"


async def test_a_rematch_waits_for_the_game_to_end(table: Table) -> None:
    game_id = await table.begin((1, 2))
    assert (await table.tap(HOST, f"r:{game_id}")).text == TEXTS.plain("en", "rejected-still-played")


async def test_a_rematch_of_a_game_that_redis_has_forgotten_comes_from_the_archive(table: Table) -> None:
    game_id = await table.begin((1, 2))
    await table.engine.execute(game_id, Cancel(None, "operator"), command_id="c")
    table.archive.games[game_id] = await table.state(game_id)
    del table.shelf.rows[game_id]
    with pytest.raises(UnknownGame):
        await table.engine.look(game_id)
    assert (await table.tap(HOST, f"r:{game_id}")).outcome == "done"
    assert (await table.tap(1, f"f:{game_id}")).answered_by_calls


async def test_proof_and_rules_are_shown_to_who_asked_alone(table: Table) -> None:
    game_id = await table.begin((1, 2))
    for data, otherwise, how in ((f"f:{game_id}", f"start=f_{game_id}", "url"), ("h:pick_number", "number", "text")):
        call = the_call(await table.tap(1, data))
        assert "ephemeral_message_parameters" in call.params
        assert call.otherwise is not None
        assert otherwise in call.otherwise.params[how]
        here = the_call(await table.tap(1, data, **private(1)))
        assert here.params["chat_id"] == 1
        assert "ephemeral_message_parameters" not in here.params


# -- when things break ------------------------------------------------------------------------------------------


async def test_a_store_that_is_away_gets_an_honest_try_again(table: Table) -> None:
    game_id = await table.begin((1, 2))
    table.store.commit_faults.append(Fault(Unavailable("down")))
    answer = await table.tap(1, f"p:{game_id}:7")
    assert (answer.outcome, answer.text) == ("unavailable", TEXTS.plain("en", "error-unavailable"))
    assert not (await table.state(game_id)).picks


async def test_a_bug_gives_the_person_a_trace_and_the_caller_the_error(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    game_id = await table.begin((1, 2))

    async def broken(chat_id: int, player_id: int) -> bool:
        raise ZeroDivisionError(chat_id, player_id)

    def broken_too(player_id: int) -> str | None:
        raise ZeroDivisionError(player_id)

    for name, bug in (("is_banned", broken), ("remembered_locale", broken_too)):
        with monkeypatch.context() as patched:
            patched.setattr(table.people, name, bug)
            tap = table.tap_of(1, f"p:{game_id}:7")
            answer = await table.answer(tap)
        assert (answer.outcome, answer.alert) == ("error", True)
        assert tap.trace in (answer.text or "")
        assert isinstance(answer.error, ZeroDivisionError)


async def test_a_bug_in_what_is_said_of_a_pick_is_told_though_the_pick_stands(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    game_id = await table.begin((1, 2))
    await table.tap(2, f"p:{game_id}:9")
    plain = table.texts.plain

    def broken(locale: str, text_id: str, **args: object) -> str:
        return plain(locale, text_id, **args) if text_id != "tap-picked" else str(1 // 0)

    monkeypatch.setattr(table.texts, "plain", broken)
    answer = await table.tap(1, f"p:{game_id}:7")
    assert (answer.outcome, answer.alert) == ("error", True)
    assert isinstance(answer.error, ZeroDivisionError)
    assert 1 in (await table.state(game_id)).picks


async def test_every_toast_fits_whatever_people_are_called(table: Table) -> None:
    game_id = await table.open()
    for player, name in enumerate(("<b>" * 21, "😀" * 32, "\u202e" * 64), start=1):
        answer = await table.tap(player, f"j:{game_id}", user_name=name)
        assert units(answer.text or "") <= 200
    assert [p.name for p in (await table.state(game_id)).players.values()] == ["<b>" * 21, "😀" * 32, "—"]
