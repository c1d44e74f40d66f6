"""Dialogs: from the command through the windows to the result."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest
from aiogram_dialog.utils import CB_SEP

from fsm.kind import ChatTopic
from fsm.pick_number import PickNumberGame
from handlers.dialogs.admin import WRITES
from handlers.limited_session import WithinLimits
from play.access import Actor
from play.broadcasts import REASONS
from play.tokens import NotAuthenticated
from storage.audit import AuditEntry
from storage.flags import Change
from telegram.limits import Limits, Rates, Window
from telegram.sender import Outcome as Sent
from telegram.sender import Settled
from tests.handlers.room import (
    ANN,
    BEN,
    BOT_ID,
    FORUM,
    GROUP,
    HOST,
    OPERATOR,
    OTHER_GROUP,
    TEXTS,
    Room,
    as_shown,
    plain,
    text,
)
from tests.support.limits import reserve
from tests.support.telegram import Refusal


def window(room: Room) -> dict[str, Any]:
    """Return the dialog's message as it is shown."""
    (shown,) = room.telegram.windows()
    return shown


def buttons(message: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of the buttons -> their data."""
    rows = message["reply_markup"]["inline_keyboard"]
    return {plain(button["text"]): button["callback_data"] for row in rows for button in row}


async def press(room: Room, words: str, *, by: int = HOST) -> None:
    message = window(room)
    await room.tap(buttons(message)[plain(words)], message, by=by)


async def answer_it(room: Room, words: str, *, by: int = HOST) -> None:
    """Type a reply to the dialog's message."""
    message = window(room)
    sender = {"id": BOT_ID, "is_bot": True, "first_name": "Tombola"}
    chat = message["chat"]["id"]
    topic = {"message_thread_id": 5, "is_topic_message": True} if message.get("is_topic_message") else {}
    await room.say(words, by=by, chat=chat, reply_to_message={**message, "from": sender}, **topic)


async def open_form(
    room: Room, kind: str = "pick_number", *, by: int = HOST, chat: int = GROUP, topic: int = 0, choice: str = ""
) -> None:
    """Open the long form of a new game in private, by the link of the short one."""
    await room.deps.stores.people.saw_chat(chat, "supergroup", "Friends <3")
    await room.say(f"/start new_{chat}_{topic}_{choice}_{kind}", by=by, chat=by)


async def open_all(room: Room, kind: str = "pick_number", *, by: int = HOST) -> None:
    """Open the long form at the list of all settings."""
    await open_form(room, kind, by=by)
    await press(room, text("form-all"), by=by)


async def open_settings(room: Room, kind: str = "") -> None:
    """Open the settings of the group in private, by the link of ``/settings``; if a kind is given, its rules."""
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends <3")
    await room.say(f"/start set_{GROUP}", by=HOST, chat=HOST)
    if kind:
        await press(room, text(f"{kind.replace('_', '-')}-settings-open"))


def edits_of(room: Room) -> list[Any]:
    """Return the calls that changed a message."""
    return room.telegram.named("editMessageText")


async def live(room: Room, chat: int = GROUP, topic: int = 0) -> PickNumberGame:
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(chat, topic))
    state = await room.state(game_id)
    assert isinstance(state, PickNumberGame)
    return state


# -- /newgame ---------------------------------------------------------------------------------------------------


async def test_a_game_is_put_together_and_opened(room: Room) -> None:
    await open_all(room)
    assert plain(window(room)["text"]).startswith(as_shown("pick-number-newgame"))
    await press(room, text("dlg-name-title"))
    await answer_it(room, "Fri <b>day</b>")
    await press(room, text("dlg-name-mode"))
    await press(room, text("dlg-pick-number-mode-reverse"))
    await press(room, text("dlg-name-winners"))
    await press(room, "3")
    await press(room, text("dlg-name-prize"))
    await answer_it(room, "12,50")
    await press(room, text("dlg-name-split"))
    await press(room, text("dlg-split-percentages"))
    await answer_it(room, "50 30 20")
    await press(room, text("dlg-name-selection_seconds"))
    await press(room, "2 min")
    summary = plain(window(room)["text"])
    assert "Fri <b>day</b>" in summary
    assert "50 % / 30 % / 20 %" in summary
    assert "12.50" in summary
    await press(room, text("dlg-back"))
    await press(room, text("dlg-newgame-create"))
    state = await live(room)
    assert state.title == "Fri <b>day</b>"
    rules = state.rules
    assert (rules.mode, rules.winners, str(rules.prize_pool), rules.split) == ("reverse", 3, "12.50", "percentages")
    assert rules.selection_ms == 120_000
    assert room.telegram.windows() == [], "the dialog's message has gone"
    assert room.toasts()[-1] == text("dlg-newgame-opened")
    assert room.errors == []


async def test_every_tap_is_answered_exactly_once(room: Room) -> None:
    await open_form(room)
    await press(room, text("form-all"))
    await press(room, text("dlg-back"))
    await press(room, text("dlg-newgame-create"))
    ids = [params["callback_query_id"] for params in room.telegram.named("answerCallbackQuery")]
    assert len(ids) == len(set(ids)) == 3


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("min_players", "a lot", "dlg-unreadable"),
        ("min_players", "1.5", "dlg-unreadable"),
        ("percentages", "50 50", "rejected-bad-rule-percentages"),
    ],
)
async def test_what_is_typed_wrong_is_said_and_changes_nothing(room: Room, name: str, typed: str, said: str) -> None:
    await open_all(room)
    if name == "percentages":
        await press(room, text("dlg-name-winners"))
        await press(room, "3")
        await press(room, text("dlg-name-prize"))
        await answer_it(room, "10")
        await press(room, text("dlg-name-split"))
        await press(room, text("dlg-split-percentages"))
    else:
        await press(room, text(f"dlg-name-{name}"))
    await answer_it(room, typed)
    arguments = {"rule": "percentages", "given": typed, "low": "3 × > 0", "high": "∑ = 100"}
    assert text(said, **(arguments if said.startswith("rejected-") else {})) in plain(window(room)["text"])
    for _ in range(2):
        await press(room, text("dlg-back"))
    await press(room, text("dlg-newgame-create"))
    rules = (await live(room)).rules
    assert (rules.split, rules.percentages, rules.min_players) == ("auto", (), 2)


async def test_where_a_game_is_on_already_the_dialog_says_so_and_stays(room: Room) -> None:
    await room.open()
    await open_form(room)
    await press(room, text("dlg-newgame-create"))
    assert room.toasts()[-1] == text("rejected-place-taken", limit=1)
    assert window(room)


async def test_after_each_typed_value_the_form_is_shown_below_it(room: Room) -> None:
    await open_all(room)
    await press(room, text("dlg-name-min_players"))
    before = window(room)["message_id"]
    await answer_it(room, "much")
    assert window(room)["message_id"] > before
    assert text("dlg-unreadable") in plain(window(room)["text"])
    await answer_it(room, "5")
    assert "Minimum players: 5" in plain(window(room)["text"])


async def test_asked_for_again_a_dialog_is_shown_below_and_the_old_one_goes(room: Room) -> None:
    for open_it in (open_form, open_form, open_settings):
        before = [shown["message_id"] for shown in room.telegram.windows()]
        await open_it(room)
        assert window(room)["message_id"] not in before
    assert edits_of(room) == []


async def test_what_is_chosen_is_marked_and_long_words_have_a_row_to_themselves(room: Room) -> None:
    await open_all(room)
    await press(room, text("dlg-name-prize"))
    await answer_it(room, "10")
    await press(room, text("dlg-name-winners"))
    assert "✓ 1" in buttons(window(room))
    assert [len(row) for row in window(room)["reply_markup"]["inline_keyboard"]] == [4, 4, 2, 1]
    await press(room, "2")
    await press(room, text("dlg-name-split"))
    assert [len(row) for row in window(room)["reply_markup"]["inline_keyboard"]] == [1, 1, 1, 1]
    assert text("dlg-reply-with-it") not in plain(window(room)["text"])


async def test_from_one_kind_a_form_leads_to_the_other_and_back(room: Room) -> None:
    await open_form(room)
    await press(room, text("quiz-newgame-instead"))
    assert text("quiz-name") in plain(window(room)["text"])
    await press(room, text("pick-number-newgame-instead"))
    assert text("pick-number-name") in plain(window(room)["text"])
    await open_settings(room)
    await press(room, text("quiz-settings-open"))
    assert plain(window(room)["text"]).startswith(as_shown("quiz-settings"))
    await press(room, text("dlg-back"))
    assert plain(window(room)["text"]).startswith(as_shown("form-settings-of", chat="Friends <3"))


async def test_a_command_that_there_is_not_is_no_answer_to_an_open_dialog(room: Room) -> None:
    await room.say("/pack", by=ANN, chat=ANN)
    for line in ("/nonsense", "/admin"):
        await room.say(line, by=ANN, chat=ANN)
        assert await room.answer() == text("cmd-not-understood")


async def test_who_ceases_to_be_a_host_has_no_dialog_any_more(room: Room) -> None:
    await open_form(room)
    room.telegram.appoint(GROUP)
    await room.deps.play.hosts.invalidate(GROUP)
    await press(room, text("dlg-newgame-create"))
    assert room.toasts()[-1] == text("rejected-not-a-host")
    assert await room.deps.stores.games.live_in(ChatTopic(GROUP)) == []


async def test_the_form_opens_the_game_in_the_topic_that_its_link_names(room: Room) -> None:
    await open_form(room, chat=FORUM, topic=5)
    await press(room, text("form-all"))
    await press(room, text("dlg-name-title"))
    await answer_it(room, "In the topic")
    await press(room, text("dlg-back"))
    await press(room, text("dlg-newgame-create"))
    assert (await live(room, FORUM, 5)).title == "In the topic"
    assert room.telegram.windows() == []
    opened = {"title": "In the topic", "chat": "Friends <3"}
    assert [plain(out.params["text"]) for out in await room.sent()] == [text("form-opened", **opened)]


@pytest.mark.parametrize(
    "payload", ["new_", "new_x_0__quiz", "new_-1_0__chess", f"new_{GROUP}_0_t99_quiz", "set_", "set_x", "set_-1_2"]
)
async def test_a_malformed_link_opens_nothing(room: Room, payload: str) -> None:
    await room.say(f"/start {payload}", by=HOST, chat=HOST)
    assert room.telegram.windows() == []
    assert await room.answer()
    assert room.errors == []


async def test_a_forged_link_opens_nothing_for_strangers(room: Room) -> None:
    room.telegram.remove(GROUP, ANN)
    for payload, setting in (
        (f"new_{GROUP}_0__quiz", "hosts"),
        (f"set_{GROUP}", "hosts"),
        (f"new_{GROUP}_0__quiz", "everyone"),
    ):
        await room.deps.stores.people.change_settings(GROUP, {"openers": setting})
        await room.say(f"/start {payload}", by=ANN, chat=ANN)
        refusal = "rejected-not-a-member" if setting == "everyone" else "rejected-not-a-host"
        assert await room.answer() == text(refusal)
    assert room.telegram.windows() == []


async def test_only_settings_that_matter_are_shown(room: Room) -> None:
    await open_all(room)
    shown = buttons(window(room)).keys()
    assert not {text("dlg-name-split"), text("dlg-name-percentages")} & shown
    await press(room, text("dlg-name-winners"))
    await press(room, "3")
    await press(room, text("dlg-name-prize"))
    await answer_it(room, "cinema ticket")
    assert text("dlg-name-split") not in buttons(window(room))
    await press(room, text("dlg-name-prize"))
    await answer_it(room, "100 euro")
    assert text("dlg-name-split") in buttons(window(room))


async def test_a_preset_fills_the_form_and_keeps_the_rest(room: Room) -> None:
    await open_form(room)
    await press(room, text("form-prize"))
    await answer_it(room, "100 euro")
    await press(room, text("form-ready-prize_draw"))
    await press(room, text("dlg-newgame-create"))
    rules = (await live(room)).rules
    assert (rules.currency, rules.absent, rules.join_ms) == ("EUR", "auto", 3_600_000)


async def test_a_template_is_saved_offered_renamed_and_deleted(room: Room) -> None:
    await open_form(room)
    await press(room, text("form-prize"))
    await answer_it(room, "bike; book")
    await press(room, text("form-save"))
    await answer_it(room, "x" * 33)
    assert text("rejected-bad-name", limit=32) in plain(window(room)["text"])
    await answer_it(room, "Friday & co")
    assert as_shown("form-saved", name="Friday & co") in plain(window(room)["text"])
    (saved,) = await room.deps.stores.templates.of_chat(GROUP)
    assert (saved.name, saved.kind, dict(saved.settings)) == (
        "Friday & co", "pick_number", {"winners": "2", "prizes": "bike|book"},
    )  # fmt: skip
    await press(room, text("dlg-close"))
    await open_form(room, choice=f"t{saved.id}")
    await press(room, text("dlg-newgame-create"))
    assert (await live(room)).rules.prizes == ("bike", "book")
    await open_settings(room)
    await press(room, text("form-to-templates"))
    await press(room, "⭐ Friday & co")
    await press(room, text("form-rename"))
    await answer_it(room, "Saturday")
    assert "Saturday" in plain(window(room)["text"])
    await press(room, text("form-delete"))
    await press(room, text("form-delete"))
    assert await room.deps.stores.templates.of_chat(GROUP) == []
    assert plain(window(room)["text"]) == as_shown("form-templates-none")
    assert room.errors == []


async def test_a_stale_window_is_answered_with_a_word(room: Room) -> None:
    await open_form(room)
    old = dict(window(room))
    await press(room, text("dlg-close"))
    await room.tap(buttons(old)[text("dlg-newgame-create")], old, by=HOST)
    assert room.toasts()[-1] == text("dlg-stale")
    await room.tap("nothing-knows-this", old, by=HOST)
    assert room.toasts()[-1] == text("dlg-stale")
    assert room.errors == []


async def test_players_open_no_dialog(room: Room) -> None:
    for command in ("/newgame", "/settings"):
        await room.say(command, by=ANN)
        assert await room.answer() == text("rejected-not-a-host")
    assert room.telegram.writes == []


async def test_state_lives_in_redis_for_a_day_and_is_found_by_another_process(room: Room) -> None:
    await open_form(room)
    stored = await room.redis.keys("tombola:dialog:*")
    assert stored
    for key in stored:
        assert 0 < await room.redis.ttl(key) <= 86_400


# -- /settings --------------------------------------------------------------------------------------------------


async def test_settings_are_stored_and_every_new_game_begins_with_them(room: Room) -> None:
    await open_settings(room, "pick_number")
    await press(room, text("dlg-name-winners"))
    await press(room, "2")
    await press(room, text("dlg-name-join_seconds"))
    await answer_it(room, "0.5")
    await press(room, text("dlg-back"))
    await press(room, text("dlg-name-openers"))
    await press(room, text("dlg-name-host_plays"))
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert chat.settings == {
        "pick_number": {"winners": "2", "join_seconds": "0.5"},
        "openers": "everyone",
        "host_plays": "no",
    }
    await press(room, text("dlg-close"))
    await open_form(room, by=ANN)
    await press(room, text("dlg-newgame-create"), by=ANN)
    rules = (await live(room)).rules
    assert (rules.winners, rules.join_ms) == (2, 500)


@pytest.mark.parametrize("may", [False, True])
async def test_a_pin_without_the_right_to_pin_is_said_at_once(room: Room, *, may: bool) -> None:
    room.telegram.chat(GROUP).permissions["can_pin_messages"] = may
    await open_settings(room)
    await press(room, text("dlg-name-pin"))
    assert text("dlg-pin-yes") in plain(window(room)["text"])
    assert (text("dlg-pin-no-right") in room.toasts()) is not may
    told = len(room.toasts())
    await press(room, text("dlg-name-pin"))
    assert text("dlg-pin-no-right") not in room.toasts()[told:], "no pin needs no right"


async def test_settings_go_back_to_the_defaults(room: Room) -> None:
    await open_settings(room, "pick_number")
    await press(room, text("dlg-name-winners"))
    await press(room, "2")
    await press(room, text("dlg-reset"))
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert chat.settings.get("pick_number") is None


async def test_the_language_of_the_group_is_changed_not_that_of_the_host(room: Room) -> None:
    await open_settings(room)
    await press(room, text("dlg-name-language"))
    await press(room, text("cmd-language-name", "ru"))
    assert text("cmd-language-name", "ru") in plain(window(room)["text"])
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert chat.locale == "ru"
    assert await room.deps.stores.people.locale_of_player(HOST) is None
    assert room.errors == []


# -- /admin -----------------------------------------------------------------------------------------------------


async def test_an_operator_sees_health_and_ends_a_game_by_force(room: Room) -> None:
    game_id = await room.open()
    await room.project()
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    assert "redis: 1 ms" in plain(window(room)["text"])
    await press(room, text("dlg-admin-to-games"), by=OPERATOR)
    await press(room, game_id, by=OPERATOR)
    await press(room, text("dlg-admin-end"), by=OPERATOR)
    assert (await room.state(game_id)).phase == "waiting_for_players"
    await press(room, text("dlg-admin-end"), by=OPERATOR)
    assert (await room.state(game_id)).cancel_reason == "operator"
    assert text("dlg-admin-ended") in plain(window(room)["text"])


async def test_a_window_that_would_show_the_same_is_not_edited(room: Room) -> None:
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    for _ in range(2):
        await press(room, text("dlg-admin-refresh"), by=OPERATOR)
    assert room.telegram.writes == ["sendMessage"]
    await press(room, text("dlg-admin-to-ban"), by=OPERATOR)
    await press(room, text("dlg-back"), by=OPERATOR)
    assert room.telegram.writes == ["sendMessage", "editMessageText", "editMessageText"]
    assert len(room.toasts()) == 4


async def test_an_operator_bans_everywhere_and_lets_in_again(room: Room) -> None:
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-ban"), by=OPERATOR)
    await room.say(f"{ANN} cheats", by=OPERATOR, chat=OPERATOR)
    assert await room.deps.stores.people.is_banned(GROUP, ANN)
    shown = room.telegram.windows()[-1]
    await room.tap(buttons(shown)[text("dlg-admin-unban", name=str(ANN))], shown, by=OPERATOR)
    assert not await room.deps.stores.people.is_banned(GROUP, ANN)


async def test_an_operator_makes_a_token_sees_it_once_and_revokes_it(room: Room) -> None:
    tokens = room.deps.play.tokens
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-tokens"), by=OPERATOR)
    await room.say("king", by=OPERATOR, chat=OPERATOR)
    assert text("dlg-admin-token-wrong") in plain(room.telegram.windows()[-1]["text"])
    await room.say(f"host {GROUP} 90", by=OPERATOR, chat=OPERATOR)
    shown = plain(room.telegram.windows()[-1]["text"])
    (token,) = re.findall(r"tombola_[a-z0-9]{10}_[0-9a-f]{48}", shown)
    made = await tokens.check(token)
    assert (made.role, made.chats, made.owner_id) == ("host", frozenset({GROUP}), OPERATOR)
    prefix = made.prefix
    window_ = room.telegram.windows()[-1]
    await room.tap(buttons(window_)[text("dlg-admin-revoke", token=prefix)], window_, by=OPERATOR)
    assert token not in plain(room.telegram.windows()[-1]["text"])
    with pytest.raises(NotAuthenticated):
        await tokens.check(token)
    await room.deps.stores.audit.flush()
    rows = await room.deps.stores.audit.page(10, actor_id=OPERATOR)
    assert {("create-token", prefix), ("revoke-token", prefix)} <= {(row.action, row.target) for row in rows}


async def test_the_pages_of_live_games_have_one_button_back(room: Room) -> None:
    await room.pool.execute(
        "INSERT INTO games (id, kind, chat_id, topic_id, title, status, host_id, rules, version, opened_at)"
        " SELECT 'g' || n, 'pick_number', $1, n, '', 'drawing', 1, '{}', 1, now() FROM generate_series(1, 20) AS n",
        GROUP,
    )
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-games"), by=OPERATOR)
    await press(room, text("dlg-admin-games-later"), by=OPERATOR)
    markup = room.telegram.windows()[-1]["reply_markup"]
    labels = [button["text"] for row in markup["inline_keyboard"] for button in row]
    assert labels[-3:] == [text("dlg-admin-games-earlier"), text("dlg-admin-games-later"), text("dlg-back")]
    assert len(set(labels)) == len(labels)


async def test_an_operator_sets_a_flag_by_its_name_and_a_share_and_takes_it_back(room: Room) -> None:
    flags = room.deps.play.flags
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-flags"), by=OPERATOR)
    for wrong in ("native-polls 101", "native-polls many", "nothing 5", "native-polls -1"):
        await room.say(wrong, by=OPERATOR, chat=OPERATOR)
        assert text("dlg-admin-flag-wrong") in plain(room.telegram.windows()[-1]["text"]), wrong
    await room.say("native-polls 12.5 %", by=OPERATOR, chat=OPERATOR)
    assert "native-polls: 12.5 %" in plain(room.telegram.windows()[-1]["text"])
    assert flags.setting("native-polls").percent == 12.5
    await flags.change(Actor(OPERATOR, "Olga", OPERATOR), "native-polls", Change(percent=1, on_chats=frozenset({7, 8})))
    await room.say("native-polls 2", by=OPERATOR, chat=OPERATOR)
    assert "native-polls: 2 %, always on in 2 —" in plain(room.telegram.windows()[-1]["text"])
    assert flags.setting("native-polls").on_chats == {7, 8}
    await room.say("native-polls", by=OPERATOR, chat=OPERATOR)
    assert flags.setting("native-polls").percent == 100
    await room.deps.stores.audit.flush()
    rows = await room.deps.stores.audit.page(10, actor_id=OPERATOR)
    assert {("set-flag", "native-polls"), ("reset-flag", "native-polls")} <= {(row.action, row.target) for row in rows}


async def test_a_word_to_all_chats_goes_out_once_to_each_after_a_second_look(room: Room) -> None:
    await room.open()
    await room.sent()
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-cast"), by=OPERATOR)
    await room.say("Maintenance <tonight>\nat nine", by=OPERATOR, chat=OPERATOR)
    assert await room.sent() == []
    shown = room.telegram.windows()[-1]
    assert "Maintenance <tonight>\nat nine" in shown["text"]
    for _ in range(2):
        await room.tap(buttons(shown)[text("dlg-admin-cast-send")], shown, by=OPERATOR)
    broadcasts = room.deps.play.broadcasts
    working = asyncio.create_task(room.work(broadcasts.kind))
    async with asyncio.timeout(60):
        while not (sent := await room.sent()):  # noqa: ASYNC110 -- the job queues it
            await asyncio.sleep(0.01)
    assert [(out.chat_id, out.params["text"]) for out in sent] == [(GROUP, "Maintenance &lt;tonight&gt;\nat nine")]
    await broadcasts.settled(sent[0], Sent(Settled.SENT))
    await working
    (told,) = await room.sent()
    assert (told.chat_id, told.params["text"]) == (OPERATOR, text("dlg-admin-cast-done", count=1))


async def test_an_operator_follows_a_broadcast_and_stops_it(room: Room) -> None:
    await room.open()
    job_id = await room.deps.play.broadcasts.begin(Actor(OPERATOR, "Olga", OPERATOR), "<b>Pause</b>\nat nine", "k")
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-cast"), by=OPERATOR)
    shown = plain(window(room)["text"])
    assert f"#{job_id} “<b>Pause</b>”: under way, sent to 0 of 0" in shown
    await press(room, text("dlg-admin-cast-stop", job=str(job_id)), by=OPERATOR)
    assert text("dlg-admin-cast-stopping") in plain(window(room)["text"])
    await room.work(room.deps.play.broadcasts.kind)
    await press(room, text("dlg-admin-refresh"), by=OPERATOR)
    assert "stopped, sent to 0 of 0" in plain(window(room)["text"])
    assert text("dlg-admin-cast-stop", job=str(job_id)) not in buttons(room.telegram.windows()[-1])
    for locale in TEXTS.LOCALES:
        for reason in (*REASONS, "withdrawn"):
            assert "9" in text("dlg-admin-cast-reason", locale, reason=reason, count=9)


async def test_an_operator_reads_the_audit_log_by_page_and_by_person_and_chat(room: Room) -> None:
    audit = room.deps.stores.audit
    for number in range(WRITES + 2):
        entry = AuditEntry(
            at=room.clock.at, face="telegram", action=f"ban{number}", outcome="not-a-host" if number == 5 else "done",
            actor_id=ANN if number % 2 else BEN, chat_id=GROUP if number < 3 else OTHER_GROUP, target="<i>x</i>" * 9,
        )  # fmt: skip
        audit.note(entry)
    await audit.flush()
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    await press(room, text("dlg-admin-to-audit"), by=OPERATOR)
    first = plain(window(room)["text"])
    assert f"ban{WRITES + 1} <i>x</i>" in first
    assert "ban5" in first
    assert "⚠️ not-a-host" in first
    assert "ban1 " not in first
    await press(room, text("dlg-admin-audit-older"), by=OPERATOR)
    assert "ban1 " in plain(window(room)["text"])
    await press(room, text("dlg-admin-audit-newer"), by=OPERATOR)
    assert plain(window(room)["text"]) == first
    await room.say("everybody", by=OPERATOR, chat=OPERATOR)
    assert text("dlg-admin-audit-wrong") in plain(room.telegram.windows()[-1]["text"])
    await room.say(str(BEN), by=OPERATOR, chat=OPERATOR)
    ofben = plain(room.telegram.windows()[-1]["text"])
    assert ("ban0 " in ofben, "ban1 " in ofben) == (True, False)
    await room.say(str(GROUP), by=OPERATOR, chat=OPERATOR)
    ofgroup = plain(room.telegram.windows()[-1]["text"])
    assert ("ban1 " in ofgroup, "ban3 " in ofgroup) == (True, False)
    await room.say("0", by=OPERATOR, chat=OPERATOR)
    assert "ban3 " in plain(room.telegram.windows()[-1]["text"])


# -- Telegram's limits ------------------------------------------------------------------------------------------


async def test_a_dialogs_messages_keep_to_the_limits(room: Room) -> None:
    full = Limits(room.redis, Rates(overall=(), chat=(Window(60_000, (1, 1, 1, 1)),), group=()), room.clock.now)
    (within,) = room.session.middleware._middlewares
    assert isinstance(within, WithinLimits)
    within._limits = full
    await open_form(room)
    await press(room, text("form-all"))
    assert room.toasts()[-1] == text("rejected-too-busy")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refusal("Bad Gateway", 502, method="sendMessage"), [text("cmd-try-again")]),
        (Refusal("Forbidden: bot was kicked from the group chat", 403, method="sendMessage"), []),
    ],
)
async def test_a_telegram_that_is_away_or_closed_is_no_bug_of_ours(room: Room, error: Refusal, said: list[str]) -> None:
    room.telegram.down = error
    await open_form(room)
    assert [plain(out.params["text"]) for out in await room.sent()] == said
    assert room.errors == []


async def test_a_429_is_told_and_stops_everybodys_calls_to_that_chat(room: Room) -> None:
    room.telegram.script.append(Refusal("Too Many Requests: retry after 30", 429, method="sendMessage", retry_after=30))
    await open_form(room)
    assert await reserve(room.deps.telegram.limits, HOST) > 0
    assert room.errors == []


@pytest.mark.parametrize("item", ["9223372036854775808", "-1", "x", "１"])
async def test_a_forged_item_of_a_list_is_no_item(room: Room, item: str) -> None:
    await room.say("/pack", by=ANN, chat=ANN)
    intent = next(iter(buttons(window(room)).values())).partition(CB_SEP)[0]
    await room.tap(f"{intent}{CB_SEP}pack:{item}", window(room), by=ANN)
    assert room.toasts()[-1] == text("dlg-stale")
    await room.say("/admin", by=OPERATOR, chat=OPERATOR)
    admin = [message for message in room.telegram.windows() if message["chat"]["id"] == OPERATOR][-1]
    intent = next(iter(buttons(admin).values())).partition(CB_SEP)[0]
    await room.tap(f"{intent}{CB_SEP}unban:{item}", admin, by=OPERATOR)
    assert room.toasts()[-1] == text("dlg-stale")
    assert room.errors == []
