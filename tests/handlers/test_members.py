"""The bot's own life in a chat, and groups that move."""

from typing import Any

from fsm.kind import ChatTopic
from tests.handlers.room import ANN, BEN, BOT, BOT_ID, FORUM, GROUP, HOST, Room, chat_of, plain, text, user

ME = {"id": BOT_ID, "is_bot": True, "first_name": "Tombola"}
NEW_GROUP = -100999


def member(status: str, **more: Any) -> dict[str, Any]:
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


async def changed(room: Room, before: dict[str, Any], after: dict[str, Any], *, chat: int = GROUP, **by: Any) -> None:
    who = {**user(chat if chat > 0 else ANN), **by}
    await room.update(
        my_chat_member={
            "chat": chat_of(chat), "from": who, "date": 0, "old_chat_member": before, "new_chat_member": after,
        }
    )  # fmt: skip


async def test_added_the_bot_greets_in_the_language_of_who_added_it(room: Room) -> None:
    await changed(room, member("left"), member("member"), language_code="ru")
    assert await room.answer() == text("cmd-added", "ru", bot=BOT)
    chat = await room.deps.people.chat(GROUP)
    assert chat is not None
    assert (chat.active, chat.locale) == (True, "ru")


async def test_added_again_it_speaks_what_the_group_chose(room: Room) -> None:
    await room.say("/language ru", by=HOST)
    await room.sent()
    await changed(room, member("left"), member("member"), language_code="en")
    assert await room.answer() == text("cmd-added", "ru", bot=BOT)


async def test_promotion_is_no_reason_to_greet(room: Room) -> None:
    await changed(room, restricted(can_send=True), member("member"))
    assert await room.sent() == []


async def test_removed_the_bot_ends_the_games_of_all_topics(room: Room) -> None:
    games = [await room.open(chat=FORUM, topic=topic) for topic in (0, 5)]
    await room.project()
    await changed(room, member("member"), member("kicked"), chat=FORUM)
    for game_id in games:
        assert (await room.game(game_id)).cancel_reason == "bot_removed"
    chat = await room.deps.people.chat(FORUM)
    assert chat is not None
    assert not chat.active


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
    await room.deps.people.flush()
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
    assert (await room.game(game_id)).place == ChatTopic(NEW_GROUP)
    assert await room.deps.games.live_in(ChatTopic(NEW_GROUP)) == [game_id]
    assert await room.deps.people.is_banned(NEW_GROUP, 77)
    await room.say("/join", by=BEN, chat=NEW_GROUP)
    assert list((await room.game(game_id)).players) == [ANN, BEN]


async def test_the_game_of_a_chat_that_moved_before_anybody_saw_it_is_let_be(room: Room) -> None:
    await room.update(message=room.message(None, chat=GROUP, migrate_to_chat_id=NEW_GROUP))
    assert await room.sent() == []
