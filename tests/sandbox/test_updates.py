"""Long polling: offsets, conflicts, visible messages, and scheduled faults."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiogram import Bot

from sandbox.control import Refused
from tests.sandbox.conftest import Call, Scene


async def received(call: Call, **params: Any) -> list[dict[str, Any]]:
    """Poll once and confirm, as a client does."""
    updates: list[dict[str, Any]] = (await call("getUpdates", **params))["result"]
    if updates:
        await call("getUpdates", offset=updates[-1]["update_id"] + 1, limit=1)
    return updates


async def test_a_waiting_poll_is_answered_by_the_next_update(scene: Scene, call: Call) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await scene.box.control.until(lambda: scene.box.world.updates.polled)
    scene.box.control.say(scene.ann, scene.group, "/help")
    [update] = (await poll)["result"]
    assert update["message"]["text"] == "/help"
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 5}]


async def test_an_offset_confirms_and_a_negative_one_skips(scene: Scene, call: Call) -> None:
    for text in ("/a", "/b", "/c", "/d"):
        scene.box.control.say(scene.ann, scene.group, text)
    first = (await call("getUpdates", limit=2))["result"]
    assert [update["message"]["text"] for update in first] == ["/a", "/b"]
    rest = (await call("getUpdates", offset=first[-1]["update_id"] + 1))["result"]
    assert [update["message"]["text"] for update in rest] == ["/c", "/d"]
    last = (await call("getUpdates", offset=-1))["result"]
    assert [update["message"]["text"] for update in last] == ["/d"]
    assert len(scene.box.world.updates.pending) == 1


async def test_the_second_poller_throws_out_the_first(scene: Scene, call: Call) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=30, offset=5))
    await scene.box.control.until(lambda: scene.box.world.updates.polled)
    second = asyncio.create_task(call("getUpdates", timeout=30, offset=6))
    conflict = await first
    assert conflict["error_code"] == 409
    assert conflict["description"] == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    scene.box.control.say(scene.ann, scene.group, "/help")
    assert len((await second)["result"]) == 1


async def test_a_webhook_ends_polling(scene: Scene, call: Call) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await scene.box.control.until(lambda: scene.box.world.updates.polled)
    assert (await call("setWebhook", url="http://127.0.0.1:1/hook"))["result"] is True
    assert (await poll)["description"] == "Conflict: terminated by setWebhook request"
    assert (await call("getUpdates"))["description"] == (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )
    assert (await call("deleteWebhook", drop_pending_updates=True))["result"] is True
    assert (await call("getUpdates"))["result"] == []


async def test_an_unconfirmed_tap_expires(scene: Scene, call: Call) -> None:
    scene.box.control.say(scene.ann, scene.group, "/help")
    message = scene.posted((await call("sendMessage", chat_id=scene.group.id, text="x"))["result"])
    scene.box.control.press_data(scene.ann, message, "x")
    scene.clock.turn(151)
    assert [list(update)[1] for update in await received(call)] == ["message"]


async def test_privacy_mode_hides_what_is_not_for_the_bot(scene: Scene, call: Call) -> None:
    control, ann, group = scene.box.control, scene.ann, scene.group
    own = scene.posted((await call("sendMessage", chat_id=group.id, text="x"))["result"])
    for text in ("chatter", "/help", "/help@tombola_bot", "/help@other_bot"):
        control.say(ann, group, text)
    control.say(ann, group, "a reply", reply_to=own.id)
    texts = [update["message"]["text"] for update in await received(call)]
    assert texts == ["/help", "/help@tombola_bot", "a reply"]
    control.add_bot(group, ann, admin=True)
    control.say(ann, group, "chatter")
    assert [u["message"]["text"] for u in await received(call, offset=1) if "message" in u] == ["chatter"]


async def test_an_anonymous_admin_speaks_as_the_group(scene: Scene, call: Call) -> None:
    scene.box.control.set_status(scene.group, scene.boris, "administrator", is_anonymous=True)
    scene.box.control.say(scene.boris, scene.group, "/cancel_game")
    [update] = await received(call)
    assert update["message"]["from"]["id"] == 1087968824
    assert update["message"]["sender_chat"]["id"] == scene.group.id


async def test_members_who_may_not_write_are_refused_at_their_phone(scene: Scene) -> None:
    stranger = scene.box.control.add_user("Stranger")
    with pytest.raises(Refused, match="is not in"):
        scene.box.control.say(stranger, scene.group, "hello")
    scene.box.control.set_status(scene.group, scene.boris, "restricted", rights={})
    with pytest.raises(Refused, match="may not send"):
        scene.box.control.say(scene.boris, scene.group, "hello")


async def test_the_bots_own_coming_and_going_is_told(scene: Scene, bot: Bot) -> None:
    scene.box.control.remove_bot(scene.group, scene.ann)
    scene.box.control.add_bot(scene.group, scene.ann)
    scene.box.control.start(scene.ann, "pick_x")
    scene.box.control.block_bot(scene.ann)
    updates = await bot.get_updates(limit=100)
    told = [(u.my_chat_member.chat.id, u.my_chat_member.new_chat_member.status) for u in updates if u.my_chat_member]
    assert told == [(scene.group.id, "kicked"), (scene.group.id, "member"), (scene.ann.id, "kicked")]
    assert "/start pick_x" in [u.message.text for u in updates if u.message]


async def test_only_asked_for_updates_come(scene: Scene, call: Call) -> None:
    scene.box.control.add_bot(scene.group, scene.ann, admin=True)
    await received(call, allowed_updates=["chat_member", "nonsense"], offset=-1)
    scene.box.control.say(scene.ann, scene.group, "/help")
    scene.box.control.leave(scene.group, scene.boris)
    [update] = (await call("getUpdates", offset=1))["result"]
    assert update["chat_member"]["new_chat_member"]["status"] == "left"


@pytest.mark.parametrize(("kind", "code"), [("502", 502), ("500", 500), ("429", 429)])
async def test_an_ordered_trouble_meets_one_call(scene: Scene, call: Call, kind: Any, code: int) -> None:
    scene.box.control.fail(kind, method="getMe", seconds=7)
    assert (await call("getChatMemberCount", chat_id=scene.group.id))["ok"]
    trouble = await call("getMe")
    assert trouble["error_code"] == code
    assert trouble.get("parameters") == ({"retry_after": 7} if code == 429 else None)
    assert (await call("getMe"))["ok"]
    assert scene.box.control.violations() == []


@pytest.mark.parametrize(("kind", "sent"), [("drop", 0), ("lost", 1), ("hang", 0)])
async def test_a_connection_can_break_before_or_after_the_work(scene: Scene, call: Call, kind: Any, sent: int) -> None:
    scene.box.control.fail(kind, seconds=0.01)
    with pytest.raises(aiohttp.ClientPayloadError):
        await call("sendMessage", chat_id=scene.group.id, text="x")
    assert len(scene.box.control.bot_messages(scene.group)) == sent


async def test_garbage_is_no_json(scene: Scene, call: Call) -> None:
    scene.box.control.fail("garbage")
    with pytest.raises(aiohttp.ContentTypeError):
        await call("getMe")


async def test_updates_can_come_twice_and_out_of_order(scene: Scene, call: Call) -> None:
    scene.box.control.duplicate_updates(1)
    scene.box.control.say(scene.ann, scene.group, "/a")
    [first] = (await call("getUpdates"))["result"]
    [again] = (await call("getUpdates", offset=first["update_id"] + 1))["result"]
    assert again == first
    for number in range(20):
        scene.box.control.say(scene.ann, scene.group, f"/n{number}")
    scene.box.control.reorder_updates(1)
    shuffled = (await call("getUpdates", offset=first["update_id"] + 2))["result"]
    ids = [update["update_id"] for update in shuffled]
    assert sorted(ids) == list(range(ids[0] - (ids[0] - min(ids)), min(ids) + len(ids)))
    assert ids != sorted(ids)
