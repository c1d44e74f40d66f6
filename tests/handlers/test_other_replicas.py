"""Several processes play the same games: the memory of one may have a state that another has left behind."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.clock import SystemEntropy
from fsm.engine import Engine
from fsm.kind import ChatTopic
from fsm.lobby import Cancel
from fsm.registry import KINDS
from play.next_games import BOARD_WAIT_MS
from play.telling import PIN, YES
from storage.pins import Pin, Pins
from storage.polls import Polls
from telegram.outbox import Outgoing
from telegram.sender import Outcome, Settled
from tests.handlers.quizzes import questions
from tests.handlers.room import ANN, BEN, GROUP, HOST, Room, text, user
from tests.handlers.test_weeks import moments
from tests.support.games import GAME, PICK_NUMBER, QUIZ, Script

BOARD = Outgoing(
    id=f"board:{GAME}:1:0",
    chat_id=GROUP,
    method="sendMessage",
    params={"text": "x"},
    slot=f"board:{GAME}",
    game_id=GAME,
)
SENT = Outcome(Settled.SENT, message_id=7)


async def elsewhere(room: Room, script: Script[Any], **rules: Any) -> None:
    """Open a game that the handlers' process remembers from then on, and let another process play on."""
    room.script = script
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    await room.do(GAME, script.opening(GAME, ChatTopic(GROUP), **rules))
    await room.deps.stores.games.settle_in(ChatTopic(GROUP), GAME)
    room.engine = Engine(KINDS, room.deps.stores.games, room.clock, SystemEntropy())


async def toast(room: Room, data: str, *, by: int) -> str | None:
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": data}]]}
    await room.tap(data, room.message("a board", reply_markup=markup), by=by)
    return room.toasts()[-1]


async def test_a_player_who_joined_elsewhere_opens_their_own_board(room: Room) -> None:
    await elsewhere(room, PICK_NUMBER)
    await room.join(GAME, ANN, BEN)
    await room.start(GAME)
    assert await toast(room, f"o:{GAME}", by=ANN) != text("own-not-in-game")


async def test_a_game_that_ended_elsewhere_has_a_rematch(room: Room) -> None:
    await elsewhere(room, PICK_NUMBER)
    await room.do(GAME, Cancel(HOST, "host"))
    assert await toast(room, f"r:{GAME}", by=HOST) == text("tap-rematch")


async def test_somebody_who_joined_elsewhere_and_leaves_the_group_leaves_the_game(room: Room) -> None:
    await elsewhere(room, PICK_NUMBER)
    await room.join(GAME, ANN, BEN)
    await room.deps.play.departures.went(GROUP, BEN, "tg:1", room.clock.at)
    assert list((await room.state(GAME)).players) == [ANN]


async def test_a_banned_player_who_joined_elsewhere_cannot_vote(room: Room) -> None:
    await elsewhere(room, QUIZ, content=questions(3), questions=3)
    await room.join(GAME, ANN, BEN)
    await room.start(GAME)
    await room.deps.stores.people.ban(GROUP, BEN, HOST, "")
    await Polls(room.redis).sent("777", GAME, 0, 50)
    for person in (BEN, ANN):  # Ann's vote would bring the memory up to date
        ballot = {"poll_id": "777", "option_ids": [1], "option_persistent_ids": ["1"]}
        await room.update(poll_answer={**ballot, "user": user(person)})
    assert list((await room.state(GAME)).replies) == [ANN]


async def test_the_board_of_a_game_that_was_cancelled_elsewhere_is_not_pinned(room: Room, redis: Redis) -> None:
    await elsewhere(room, PICK_NUMBER)
    await room.deps.stores.people.change_settings(GROUP, {PIN: YES})
    await room.do(GAME, Cancel(HOST, "host"))
    await moments(room, redis).settled(BOARD, SENT)
    assert await room.sent() == []
    assert await Pins(redis).all() == []


class EndingPins(Pins):
    """The pinned boards, of which one is noted at the moment at which its game ends."""

    def __init__(self, redis: Redis, end: Callable[[], Awaitable[object]]) -> None:
        super().__init__(redis)
        self._end = end

    async def note(self, pin: Pin) -> None:
        await super().note(pin)
        await self._end()


@pytest.mark.parametrize("handled", [False, True])
async def test_a_pin_that_crosses_the_end_of_its_game_is_undone(room: Room, redis: Redis, *, handled: bool) -> None:
    await elsewhere(room, PICK_NUMBER)
    await room.deps.stores.people.change_settings(GROUP, {PIN: YES})

    async def end() -> None:
        await room.do(GAME, Cancel(HOST, "host"))
        if handled:
            await beside.handle(await room.feed())

    beside = moments(room, redis, EndingPins(redis, end))
    await beside.settled(BOARD, SENT)
    calls = [out for out in await room.sent() if out.method.endswith("inChatMessage")]
    assert [out.method for out in calls][-2:] == ["pinChatMessage", "unpinChatMessage"]
    await beside.settled(calls[-1], Outcome(Settled.DONE))
    assert await Pins(redis).all() == []


async def test_nobody_is_called_to_a_game_that_has_begun_elsewhere(room: Room) -> None:
    await elsewhere(room, PICK_NUMBER)
    await room.deps.stores.people.saw_chat(ANN, "private", "Ann")
    await room.deps.stores.subscriptions.add(GROUP, ANN)
    await room.project()
    await room.do(GAME, Cancel(HOST, "host"))
    room.clock.turn(BOARD_WAIT_MS / 1000)
    await room.work(room.deps.play.next_games.kind)
    assert await room.sent() == []
