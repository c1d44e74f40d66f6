"""Telegram's sending limits."""

from typing import Any

import aiohttp
import pytest

from sandbox.errors import ApiError
from sandbox.limits import Limits
from tests.sandbox.conftest import Call, Scene
from tests.support.clock import TurnedClock


def refused(limits: Limits, chat: int, *, group: bool = False) -> int | None:
    """Spend once. Returns the seconds to wait if that is refused, otherwise None."""
    try:
        limits.spend(chat, group=group)
    except ApiError as problem:
        return problem.retry_after
    return None


def test_a_chat_takes_a_burst_of_five_and_then_one_a_second(clock: TurnedClock) -> None:
    limits = Limits(clock.seconds)
    assert [refused(limits, 1) for _ in range(6)] == [None] * 5 + [1]
    for _ in range(20):
        clock.turn(1)
        assert refused(limits, 1) is None
        assert refused(limits, 1) == 1
    assert limits.refused["chat"] == 21


def test_a_group_takes_twenty_a_minute(clock: TurnedClock) -> None:
    limits = Limits(clock.seconds)
    for _ in range(20):
        assert refused(limits, -1, group=True) is None
        clock.turn(2)
    assert refused(limits, -1, group=True) == 20
    clock.turn(20)
    assert refused(limits, -1, group=True) is None


def test_all_chats_together_take_thirty_a_second(clock: TurnedClock) -> None:
    limits = Limits(clock.seconds)
    assert [refused(limits, chat) for chat in range(31)] == [None] * 30 + [1]
    clock.turn(1)
    assert refused(limits, 99) is None


@pytest.fixture
def limited(scene: Scene) -> Scene:
    scene.box.world.limits.enabled = True
    return scene


async def test_edits_count_and_answers_do_not(limited: Scene, call: Call, refusal: Call) -> None:
    send: dict[str, Any] = {"chat_id": limited.group.id}
    sent = (await call("sendMessage", **send, text="0"))["result"]["message_id"]
    for number in range(1, 5):
        assert (await call("editMessageText", **send, message_id=sent, text=str(number)))["ok"]
    assert await refusal("editMessageText", **send, message_id=sent, text="5") == "Too Many Requests: retry after 1"
    for _ in range(10):
        query = limited.box.control.press_data(limited.ann, limited.group.messages[sent], "x").query.id
        assert (await call("answerCallbackQuery", callback_query_id=query))["ok"]
    assert [violation.kind for violation in limited.box.control.violations()] == ["limit"]
    assert limited.box.control.statistics()["limits"] == {"chat": 1}


async def test_what_one_person_sees_counts_as_well_and_so_does_stopping_a_poll(
    limited: Scene, call: Call, refusal: Call
) -> None:
    send: dict[str, Any] = {"chat_id": limited.group.id}
    options = [{"text": "4"}, {"text": "7"}]
    poll = (await call("sendPoll", **send, question="Prime?", options=options))["result"]["message_id"]
    query = limited.box.control.press_data(limited.ann, limited.group.messages[poll], "x").query.id
    asked = {"receiver_user_id": limited.ann.id, "callback_query_id": query}
    sent = (await call("sendMessage", **send, text="x", ephemeral_message_parameters=asked))["result"]
    own = {"receiver_user_id": limited.ann.id, "ephemeral_message_id": sent["ephemeral_message_id"]}
    for number in range(3):
        assert (await call("editEphemeralMessageText", **send, **own, text=str(number)))["ok"]
    assert await refusal("stopPoll", **send, message_id=poll) == "Too Many Requests: retry after 1"
    limited.clock.turn(1)
    assert (await call("stopPoll", **send, message_id=poll))["ok"]
    late = await refusal("sendMessage", **send, text="x", ephemeral_message_parameters=asked)
    assert late == "Too Many Requests: retry after 1"


async def test_the_wait_stands_in_the_header_and_in_the_body(limited: Scene, http: aiohttp.ClientSession) -> None:
    url = f"{limited.box.url}/bot{limited.box.token}/sendMessage"
    for _ in range(5):
        await http.post(url, json={"chat_id": limited.group.id, "text": "x"})
    async with http.post(url, json={"chat_id": limited.group.id, "text": "x"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert (await response.json())["parameters"] == {"retry_after": 1}
