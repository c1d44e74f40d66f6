"""The bot's membership of chats, and groups that become supergroups."""

from typing import Any

import pytest

from fsm.kind import ChatTopic
from handlers.kinds.verb import Tap
from handlers.taps import Answer
from sandbox.state import Status
from storage import keys
from storage.chat_members import FRESH_MS, KEPT_MS
from tests.handlers.room import ANN, BEN, BOT, BOT_ID, FORUM, GROUP, HOST, NoBoards, Room, chat_of, plain, text, user
from tests.support.telegram import Refusal

ME = {"id": BOT_ID, "is_bot": True, "first_name": "Tombola"}
NEW_GROUP = -100999


def member(status: Status, **more: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"until_date": 0} if status == "kicked" else {}
    return {"status": status, "user": ME, **defaults, **more}


def restricted(*, can_send: bool) -> dict[str, Any]:
    rights = [
        "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
        "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
        "can_add_web_page_previews", "can_react_to_messages", "can_edit_tag", "can_change_info", "can_invite_users",
        "can_pin_messages", "can_manage_topics",
    ]  # fmt: skip
    return member("restricted", is_member=True, until_date=0, **dict.fromkeys(rights, can_send))


async def changed(
    room: Room,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    chat: int = GROUP,
    update_id: int | None = None,
    **by: Any,
) -> None:
    who = {**user(chat if chat > 0 else ANN), **by}
    change = {"chat": chat_of(chat), "from": who, "date": 0, "old_chat_member": before, "new_chat_member": after}
    await room.deliver({"update_id": update_id or next(room.ids), "my_chat_member": change})


async def test_added_the_bot_greets_in_the_language_of_who_added_it(room: Room) -> None:
    room.telegram.chat(GROUP).permissions["can_pin_messages"] = True
    await changed(room, member("left"), member("member"), language_code="ru")
    (greeting,) = await room.sent()
    assert plain(greeting.params["text"]) == text("cmd-added", "ru")
    ((play,), (settings,)) = greeting.params["reply_markup"]["inline_keyboard"]
    assert (play["text"], play["callback_data"]) == (text("cmd-added-play", "ru"), "new:")
    assert settings["url"] == f"https://t.me/{BOT}?start=set_{GROUP}"
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert (chat.active, chat.locale) == (True, "ru")


async def test_missing_rights_are_explained_with_what_they_are_for(room: Room) -> None:
    room.telegram.chat(GROUP).permissions["can_send_polls"] = False  # pinning is not for everybody from the start
    await changed(room, member("left"), member("member"))
    parts = ("cmd-added", "cmd-rights", "cmd-right-can-send-polls", "cmd-right-can-pin-messages")
    greeting, *rest = (text(part) for part in parts)
    assert await room.answer() == "\n\n".join([greeting, "\n".join(rest)])


async def test_a_host_hears_in_private_why_nothing_is_seen(room: Room) -> None:
    await room.say("/start", by=HOST, chat=HOST)
    await room.sent()
    room.telegram.chat(GROUP).permissions["can_send_messages"] = False
    for line in ("/newgame", "/settings", "/create_game Friday"):
        await room.say(line, by=HOST)
        told = {out.chat_id: plain(out.params["text"]) for out in await room.sent()}
        assert told[HOST] == text("cmd-muted-now", chat="Friends <3"), line
    assert await room.deps.stores.games.live_in(ChatTopic(GROUP)) == []
    await changed(room, member("left"), member("member"), id=HOST)
    assert await room.answer() == text("cmd-muted-from-the-start", chat="Friends <3")


async def test_added_again_it_speaks_what_the_group_chose(room: Room) -> None:
    room.telegram.chat(GROUP).permissions["can_pin_messages"] = True
    await room.say("/language ru", by=HOST)
    await room.sent()
    await changed(room, member("left"), member("member"), language_code="en")
    assert await room.answer() == text("cmd-added", "ru")


async def test_promotion_is_no_reason_to_greet(room: Room) -> None:
    await changed(room, restricted(can_send=True), member("member"))
    assert await room.sent() == []


async def test_removed_the_bot_ends_the_games_of_all_topics(room: Room) -> None:
    games = [await room.open(chat=FORUM, topic=topic) for topic in (0, 5)]
    await room.project()
    await changed(room, member("member"), member("kicked"), chat=FORUM)
    for game_id in games:
        assert (await room.state(game_id)).cancel_reason == "bot_removed"
    chat = await room.deps.stores.people.chat(FORUM)
    assert chat is not None
    assert not chat.active


async def test_added_again_the_bot_shows_ends_that_the_archive_has_not_learned_yet(room: Room) -> None:
    game_id = await room.open()
    await room.project()
    await changed(room, member("member"), member("kicked"))
    await changed(room, member("left"), member("member"))  # before the projector has seen the cancellation
    assert isinstance(room.deps.boards, NoBoards)
    assert room.deps.boards.ends == [game_id]


async def test_an_addition_that_is_handled_before_the_removal_is_the_one_that_stays(room: Room) -> None:
    game_id = await room.open()
    await room.project()
    removed, added = next(room.ids), next(room.ids)
    await changed(room, member("left"), member("member"), update_id=added)
    await room.sent()
    assert isinstance(room.deps.boards, NoBoards)
    room.deps.boards.ends.clear()
    await changed(room, member("member"), member("kicked"), update_id=removed)
    assert (await room.state(game_id)).cancel_reason == "bot_removed"
    assert room.deps.boards.ends == [game_id]
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert chat.active
    gone_again = next(room.ids)
    await changed(room, member("member"), member("kicked"), update_id=gone_again)
    await changed(room, member("left"), member("member"), update_id=added)  # delivered once more
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert not chat.active


async def test_an_unblocking_that_is_handled_before_the_blocking_is_the_one_that_stays(room: Room) -> None:
    await room.say("/start", chat=ANN)
    await room.deps.stores.people.flush()
    blocked, unblocked = next(room.ids), next(room.ids)
    await changed(room, member("kicked"), member("member"), chat=ANN, update_id=unblocked)
    await changed(room, member("member"), member("kicked"), chat=ANN, update_id=blocked)
    assert await room.pool.fetchval("SELECT blocked FROM players WHERE id = $1", ANN) is False


async def test_who_mutes_the_bot_is_told_in_private_if_they_have_spoken_to_it(room: Room) -> None:
    await changed(room, member("member"), restricted(can_send=False))
    assert await room.sent() == []
    await room.say("/start", chat=ANN)
    await room.sent()
    await changed(room, member("member"), restricted(can_send=False))
    (told,) = await room.sent()
    assert told.chat_id == ANN
    assert plain(told.params["text"]) == text("cmd-muted", chat="Friends <3")


async def test_who_blocks_the_bot_is_noted_until_they_unblock_it(room: Room) -> None:
    await room.say("/start", chat=ANN)
    await room.deps.stores.people.flush()
    await changed(room, member("member"), member("kicked"), chat=ANN)
    blocked = "SELECT blocked FROM players WHERE id = $1"
    assert await room.pool.fetchval(blocked, ANN) is True
    await changed(room, member("kicked"), member("member"), chat=ANN)
    assert await room.pool.fetchval(blocked, ANN) is False


async def test_a_game_follows_its_group_whichever_notice_comes_and_however_often(room: Room) -> None:
    game_id = await room.open()
    await room.say("/join", by=ANN)
    await room.say("/ban 77", by=HOST)
    await room.sent()
    from_old = room.message(None, chat=GROUP, migrate_to_chat_id=NEW_GROUP)
    from_new = room.message(None, chat=NEW_GROUP, migrate_from_chat_id=GROUP)
    for notice in (from_old, from_new, from_old):
        await room.update(message=notice)
    assert (await room.state(game_id)).place == ChatTopic(NEW_GROUP)
    assert await room.deps.stores.games.live_in(ChatTopic(NEW_GROUP)) == [game_id]
    assert await room.deps.stores.people.is_banned(NEW_GROUP, 77)
    await room.say("/join", by=BEN, chat=NEW_GROUP)
    assert list((await room.state(game_id)).players) == [ANN, BEN]


async def test_the_game_of_a_chat_that_moved_before_anybody_saw_it_is_let_be(room: Room) -> None:
    await room.update(message=room.message(None, chat=GROUP, migrate_to_chat_id=NEW_GROUP))
    assert await room.sent() == []


# -- players who leave the group --------------------------------------------------------------------------------


async def person_changed(room: Room, player: int, status: Status, *, update_id: int | None = None) -> None:
    """Deliver the update that a bot with administrator rights gets."""
    more: dict[str, Any] = {"until_date": 0} if status == "kicked" else {}
    room.telegram.remove(GROUP, player, status)
    change = {
        "chat": chat_of(GROUP),
        "from": user(HOST),
        "date": 0,
        "old_chat_member": {"status": "member", "user": user(player)},
        "new_chat_member": {"status": status, "user": user(player), **more},
    }
    await room.deliver({"update_id": update_id or next(room.ids), "chat_member": change})


async def test_a_return_that_is_handled_before_the_departure_is_the_one_that_stays(room: Room) -> None:
    await room.open()
    await room.say("/join", by=ANN)
    left, came = next(room.ids), next(room.ids)
    await person_changed(room, ANN, "member", update_id=came)
    await person_changed(room, ANN, "left", update_id=left)
    assert not await room.deps.stores.people.has_departed(GROUP, ANN)
    await person_changed(room, ANN, "left", update_id=next(room.ids))
    await person_changed(room, ANN, "member", update_id=came)  # delivered once more
    assert await room.deps.play.members.is_member(GROUP, ANN) is False


async def notice_of_leaving(room: Room, player: int) -> None:
    """Deliver the service message that any bot of a small group sees."""
    room.telegram.remove(GROUP, player, "left")
    await room.say(None, by=player, left_chat_member=user(player))


@pytest.mark.parametrize("heard", ["update", "notice"])
async def test_somebody_who_leaves_the_group_leaves_its_lobbies(room: Room, heard: str) -> None:
    game_id = await room.open()
    for player in (ANN, BEN):
        await room.say("/join", by=player)
    await (person_changed(room, ANN, "left") if heard == "update" else notice_of_leaving(room, ANN))
    assert list((await room.state(game_id)).players) == [BEN]


@pytest.mark.parametrize("status", ["left", "kicked"])
async def test_somebody_who_was_removed_is_out_of_the_selection_and_picks_on_neither_path(
    room: Room, status: Status
) -> None:
    game_id = await room.open()
    for player in (ANN, BEN):
        await room.say("/join", by=player)
    await room.say("/startnow", by=HOST)
    board = room.message("board")
    await room.tap(f"p:{game_id}:3", board, by=ANN)
    await person_changed(room, ANN, status)
    for where in (board, room.message("board", chat=ANN)):
        await room.tap(f"p:{game_id}:4", where, by=ANN)
        assert room.toasts()[-1] == text("rejected-not-a-member")
    fast = room.deps.taps.begin(tap_of(game_id, ANN), Nobody())
    assert not fast, "the fast path leaves it to be refused"
    state = await room.state(game_id)
    assert (state.phase, list(state.players), state.picks) == ("number_selection", [BEN], {}), (
        "the number is free again"
    )
    await person_changed(room, ANN, "member")
    await room.tap(f"p:{game_id}:5", board, by=ANN)
    assert room.toasts()[-1] == text("rejected-not-in-game")
    await room.tap(f"p:{game_id}:3", board, by=BEN)
    assert (await room.state(game_id)).picks == {BEN: 3}


class Nobody:
    """Promise that ignores its answer."""

    def done(self) -> bool:
        return False

    def set_result(self, _answer: Answer, /) -> None:
        """Ignore the answer."""

    def set_exception(self, _exception: Exception, /) -> None:
        """Ignore the error."""


def tap_of(game_id: str, player: int) -> Tap:
    return Tap(
        update_id=9_000_000, query_id="q", user_id=player, user_name="P", chat_id=GROUP, chat_type="supergroup",
        message_id=1, data=f"p:{game_id}:9", received=1_800_000_000_000,
    )  # fmt: skip


async def test_whether_somebody_is_in_the_group_is_asked_of_telegram_once_a_minute(room: Room) -> None:
    await room.open()
    for _ in range(3):
        await room.say("/join", by=ANN)
        await room.say("/leave", by=ANN)
    asked = [params for params in room.telegram.named("getChatMember") if params["user_id"] == ANN]
    assert asked == [{"chat_id": GROUP, "user_id": ANN}]
    await room.redis.pexpire(keys.member_key(GROUP, ANN), KEPT_MS - FRESH_MS)  # a minute later
    await room.say("/join", by=ANN)
    assert len([params for params in room.telegram.named("getChatMember") if params["user_id"] == ANN]) == 2


async def test_while_telegram_is_away_its_last_answer_counts_for_a_day(room: Room) -> None:
    game_id = await room.open()
    room.telegram.remove(GROUP, BEN, "left")
    for person in (ANN, BEN):
        await room.say("/join", by=person)
        await room.say("/leave", by=person)
        await room.redis.pexpire(keys.member_key(GROUP, person), KEPT_MS - FRESH_MS)
    room.telegram.down = Refusal("Bad Gateway", 502, method="getChatMember")
    for person in (ANN, BEN):
        await room.say("/join", by=person)
    assert (await room.state(game_id)).players.keys() == {ANN}


async def test_an_update_about_a_person_is_an_answer(room: Room) -> None:
    game_id = await room.open()
    await room.say("/join", by=ANN)
    room.telegram.down = Refusal("Bad Gateway", 502, method="getChatMember")
    await room.say(None, by=ANN, left_chat_member=user(ANN))
    await room.say("/join", by=ANN)
    assert ANN not in (await room.state(game_id)).players


@pytest.mark.parametrize(
    ("refusal", "joins"),
    [
        (Refusal("Bad Gateway", 502, method="getChatMember"), True),
        (Refusal("Bad Request: CHAT_ADMIN_REQUIRED", method="getChatMember"), True),
        (Refusal("Bad Request: user not found", method="getChatMember"), False),
        (Refusal("Bad Request: PARTICIPANT_ID_INVALID", method="getChatMember"), False),
    ],
)
async def test_a_game_goes_on_where_telegram_cannot_tell_who_is_in_the_group(
    room: Room, refusal: Refusal, *, joins: bool
) -> None:
    game_id = await room.open()
    room.telegram.down = refusal
    await room.say("/join", by=ANN)
    assert (ANN in (await room.state(game_id)).players) is joins
    await room.say(f"/status {game_id}", by=BEN, chat=BEN)
    assert plain((await room.sent())[-1].params["text"]) == text("rejected-not-a-member"), "and keeps its secrets"


async def test_a_departure_follows_the_group_to_its_new_id(room: Room) -> None:
    await room.deps.stores.people.player_departed(GROUP, ANN)
    await room.deps.stores.people.chat_migrated(GROUP, NEW_GROUP)
    assert await room.deps.stores.people.has_departed(NEW_GROUP, ANN)
    assert not await room.deps.stores.people.has_departed(GROUP, ANN)
    assert await room.redis.pttl(keys.departed_key(NEW_GROUP)) > 0
