"""People who are gone from the group, at each action by which a person can take part in a game.

Telegram tells the bot nothing of their leaving here: it is found by asking.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fsm.kind import ChatTopic
from fsm.lobby import OpenGame
from handlers.kinds.verb import Tap
from play.access import EVERYONE, OPENERS
from play.member_checks import MemberChecks
from play.occurrences import REMIND
from sandbox.state import Status
from storage import keys
from storage.chat_members import FRESH_MS, KEPT_MS
from storage.polls import Polls
from storage.set_aside import SetAside
from tests.handlers.quizzes import questions
from tests.handlers.room import ANN, BEN, BOT_ID, GROUP, HOST, Room, text, user
from tests.support.games import PICK_NUMBER, QUIZ
from tests.support.telegram import Call, Refusal

GAME = "00doorsdoorsdo"
REFUSED = "not-a-member"
ASKED = "getChatMember"


async def opened(room: Room, opening: OpenGame) -> None:
    """Open a game, as one of the group's live games."""
    await room.do(GAME, opening)
    await room.deps.stores.games.settle_in(opening.place, GAME)


async def lobby(room: Room) -> None:
    """Open a game that Ben has joined."""
    await opened(room, PICK_NUMBER.opening(GAME, ChatTopic(GROUP)))
    await room.join(GAME, BEN)


async def selection(room: Room) -> None:
    """Let Ann and Ben pick numbers, up to the moment at which Ann is found to be gone."""
    await opened(room, PICK_NUMBER.opening(GAME, ChatTopic(GROUP)))
    await room.join(GAME, ANN, BEN)
    await room.start(GAME)
    await found(room)


async def question(room: Room) -> None:
    """Ask the first question of a quiz in which Ann is found to be gone."""
    await asked_first(room)
    await found(room)


async def asked_first(room: Room) -> None:
    """Ask the first question of a quiz."""
    await opened(room, QUIZ.opening(GAME, ChatTopic(GROUP), content=questions(3), questions=3))
    await room.join(GAME, ANN, BEN)
    await room.start(GAME)


async def ended(room: Room) -> None:
    """Play a game to its end."""
    await opened(room, PICK_NUMBER.opening(GAME, ChatTopic(GROUP)))
    await room.join(GAME, BEN, HOST)
    await room.start(GAME)
    await room.finish(GAME, [BEN, HOST])


async def anyone_opens(room: Room) -> None:
    """Let everyone open games."""
    await room.deps.stores.people.change_settings(GROUP, {OPENERS: EVERYONE})


def tapping(data: str, *, person: int = ANN, **fields: Any) -> Callable[[Room], Awaitable[str]]:
    """Return an action: a tap on the group's board, unless ``fields`` say otherwise. It returns the tap's outcome."""

    async def act(room: Room) -> str:
        defaults: dict[str, Any] = {"chat_id": GROUP, "chat_type": "supergroup", "message_id": 1}
        tap = Tap(
            update_id=next(room.ids), query_id="q", user_id=person, user_name="P", data=data, received=room.clock.at,
            **{**defaults, **fields},
        )  # fmt: skip
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        assert not room.deps.taps.begin(tap, answered), "the fast path leaves the tap to be refused"
        return (await room.deps.taps.answer(tap)).outcome

    return act


def saying(line: str, *, private: bool = False) -> Callable[[Room], Awaitable[str]]:
    """Return an action: a command. It returns the code of the refusal, or the bot's answer."""

    async def act(room: Room) -> str:
        await room.say(line, chat=ANN if private else GROUP)
        return code(await room.answer())

    return act


def pressing(data: str) -> Callable[[Room], Awaitable[str]]:
    """Return an action: a tap on a button of another message. It returns the code of the refusal, or the toast."""

    async def act(room: Room) -> str:
        keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": data}]]}
        await room.tap(data, room.message("a message", reply_markup=keyboard))
        return code(str(room.toasts()[-1]))

    return act


async def vote(room: Room) -> str:
    """Vote in a native poll, which tells nobody of a refusal."""
    await Polls(room.redis).sent("777", GAME, 0, 50)
    for person in (ANN, BEN):
        ballot = {"poll_id": "777", "option_ids": [1], "option_persistent_ids": ["1"]}
        await room.update(poll_answer={**ballot, "user": user(person)})
    return REFUSED if (await room.state(GAME)).replies.keys() == {BEN} else "counted"


def code(answer: str) -> str:
    """Return the code of the refusal that a text stands for; another text unchanged."""
    return REFUSED if answer == text("rejected-not-a-member") else answer


ACTIONS: Mapping[str, tuple[Callable[[Room], Awaitable[None]], Callable[[Room], Awaitable[str]]]] = {
    "join by the button": (lobby, tapping(f"j:{GAME}")),
    "join by the command": (lobby, saying("/join")),
    "open the own board by its link": (selection, saying(f"/start g_{GAME}", private=True)),
    "pick on the group's board": (selection, tapping(f"p:{GAME}:4")),
    "pick on the own board": (selection, tapping(f"p:{GAME}:4", ephemeral_message_id=7)),
    "pick in private": (selection, tapping(f"p:{GAME}:4", chat_id=ANN, chat_type="private")),
    "answer by the button": (question, tapping(f"a:{GAME}:0:1")),
    "choose one of several answers": (question, tapping(f"d:{GAME}:0:1")),
    "confirm several answers": (question, tapping(f"c:{GAME}:0")),
    "answer on the own board": (question, tapping(f"a:{GAME}:0:1", ephemeral_message_id=7)),
    "answer in private": (question, tapping(f"a:{GAME}:0:1", chat_id=ANN, chat_type="private")),
    "vote in the native poll": (question, vote),
    "join a running quiz": (question, tapping(f"j:{GAME}")),
    "open a game by the command": (anyone_opens, saying("/create_game Friday")),
    "open a game by the button": (anyone_opens, pressing("new:")),
    "open a game by the link": (anyone_opens, saying(f"/start new_{GROUP}_0__pick_number", private=True)),
    "subscribe by the command": (lobby, saying("/nextgame")),
    "subscribe by the button": (lobby, pressing(REMIND)),
    "subscribe by the link": (lobby, saying(f"/start next_{-GROUP}", private=True)),
}


@asynccontextmanager
async def checking(room: Room) -> AsyncIterator[MemberChecks]:
    """Run the checks during the block."""
    checks = MemberChecks(
        engine=room.engine, members=room.deps.play.members, departures=room.deps.play.departures, clock=room.clock,
        aside=SetAside(),
    )  # fmt: skip
    task = asyncio.create_task(checks.run())
    try:
        yield checks
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 -- checks tell nobody when they are done
            await asyncio.sleep(0.01)


async def found(room: Room, person: int = ANN) -> None:
    """Let the checks follow the feed until they have found that a person is gone."""
    async with checking(room) as checks:
        await checks.handle(await room.feed())
        await until(lambda: room.deps.stores.people.has_departed(GROUP, person))
        await until(lambda: _is_out(room, person))


async def _is_out(room: Room, person: int) -> bool:
    state = await room.state(GAME)
    return person not in state.players or person in getattr(state, "gone", ())


async def a_minute_later(room: Room, *people: int) -> None:
    """Let the answers about people be a minute old, after the bot has stored them."""
    for person in people:

        async def aged(key: str = keys.member_key(GROUP, person)) -> bool:
            return bool(await room.redis.pexpire(key, KEPT_MS - FRESH_MS))

        await until(aged)


@pytest.mark.parametrize("status", ["left", "kicked"])
@pytest.mark.parametrize("action", ACTIONS)
async def test_somebody_who_is_gone_from_the_group_is_refused(room: Room, action: str, status: Status) -> None:
    prepare, act = ACTIONS[action]
    room.telegram.remove(GROUP, ANN, status)
    await prepare(room)
    await room.sent()
    live = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    before = [(await room.state(game_id)).players for game_id in live]
    assert await act(room) == REFUSED
    assert await room.deps.stores.games.live_in(ChatTopic(GROUP)) == live
    assert [(await room.state(game_id)).players for game_id in live] == before
    assert room.errors == []


async def test_a_host_who_is_gone_opens_no_rematch(room: Room) -> None:
    await ended(room)
    room.telegram.remove(GROUP, HOST, "left")
    await room.deps.play.hosts.invalidate(GROUP)
    assert await tapping(f"r:{GAME}:a", person=HOST)(room) == "not-a-host"
    assert await room.deps.stores.games.live_in(ChatTopic(GROUP)) == []


# -- checks -----------------------------------------------------------------------------------------------------


async def test_the_pick_of_somebody_who_left_unnoticed_is_free_again_before_selection_closes(room: Room) -> None:
    game_id = await room.begin()
    async with checking(room) as checks:
        room.telegram.remove(GROUP, BEN, "left")
        await room.choose(game_id, BEN, 4)
        assert (await room.state(game_id)).picks == {BEN: 4}, "the pick itself waits for nobody"
        await checks.handle(await room.feed())
        await until(lambda: room.deps.stores.people.has_departed(GROUP, BEN))
        await room.choose(game_id, ANN, 4)
        state = await room.state(game_id)
    assert (state.phase, list(state.players), state.owners) == ("drawing", [ANN], {4: ANN})


async def test_entries_are_final_whoever_leaves_later(room: Room) -> None:
    game_id = await room.begin()
    await room.all_choose(game_id)
    before = await room.state(game_id)
    room.telegram.remove(GROUP, ANN, "kicked")
    async with checking(room) as checks:
        await checks.handle(await room.feed())
        await until(lambda: room.deps.stores.people.has_departed(GROUP, ANN))
    assert (before.phase, await room.state(game_id)) == ("drawing", before)


async def test_players_are_checked_when_selection_opens_and_again_before_it_closes(room: Room) -> None:
    game_id = await room.begin()
    async with checking(room) as checks:
        await checks.handle(await room.feed())
        await until(lambda: _asked(room, ANN, BEN))
        room.telegram.remove(GROUP, BEN, "left")
        await a_minute_later(room, ANN, BEN)
        checks._checked.clear()
        room.clock.at = (await room.state(game_id)).deadline - 1000
        await checks.handle([])
        await until(lambda: _alone(room, game_id, ANN))  # the mark of those who are gone comes before the removal
    await room.deps.play.departures.came(GROUP, BEN)
    assert list((await room.state(game_id)).players) == [ANN]


async def _alone(room: Room, game_id: str, player: int) -> bool:
    return list((await room.state(game_id)).players) == [player]


async def _asked(room: Room, *people: int) -> bool:
    return set(people) <= set(_questions(room))


def _questions(room: Room) -> list[int]:
    """Return the people whom Telegram was asked about, without the bot itself."""
    return [params["user_id"] for params in room.telegram.named(ASKED) if params["user_id"] != BOT_ID]


async def test_a_minute_has_one_question_about_a_person_however_often_they_move(room: Room) -> None:
    game_id = await room.begin()
    async with checking(room) as checks:
        for number in range(1, 6):
            await room.choose(game_id, ANN, number)
            await checks.handle(await room.feed())
        await until(lambda: _asked(room, ANN, BEN))
    assert sorted(_questions(room)) == [ANN, BEN]


async def test_while_telegram_does_not_answer_a_chats_checks_are_dropped_and_nobody_is_taken_out(room: Room) -> None:
    game_id = await room.begin()
    room.telegram.remove(GROUP, BEN, "left")
    room.telegram.down = Refusal("Bad Gateway", 502, method=ASKED)
    async with checking(room) as checks:
        await checks.handle(await room.feed())
        await until(lambda: _asked(room, ANN))
        await until(lambda: _no_more(checks))
    assert _questions(room) == [ANN]
    assert list((await room.state(game_id)).players) == [ANN, BEN]


async def _no_more(checks: MemberChecks) -> bool:
    return not checks._waiting and checks._count == 0


async def test_somebody_who_is_back_joins_again_though_nobody_told_the_bot(room: Room) -> None:
    room.telegram.remove(GROUP, ANN, "left")
    await question(room)
    room.telegram.remove(GROUP, ANN, "member")
    assert await tapping(f"j:{GAME}")(room) == REFUSED, "the answer is less than a minute old"
    await a_minute_later(room, ANN)
    await room.tap(f"j:{GAME}", room.message("board"), by=ANN)
    assert (await room.state(GAME)).gone == ()
    assert not await room.deps.stores.people.has_departed(GROUP, ANN)


async def test_a_quiz_keeps_the_points_of_somebody_who_has_left(room: Room) -> None:
    await asked_first(room)
    await room.push(ANN, f"a:{GAME}:0:0")
    room.telegram.remove(GROUP, ANN, "left")
    await found(room)
    state = await room.state(GAME)
    assert (state.gone, state.replies.keys()) == ((ANN,), {ANN})


# -- the wait for Telegram ----------------------------------------------------------------------------------------


async def test_a_join_that_waits_for_telegram_holds_nobody_else(room: Room) -> None:
    await lobby(room)
    asked, told = asyncio.Event(), asyncio.Event()

    async def gate(call: Call) -> None:
        if call.method == ASKED and call.params["user_id"] == ANN:
            asked.set()
            await told.wait()

    room.telegram.gate = gate
    waiting = asyncio.create_task(room.say("/join", by=ANN))
    await asked.wait()
    await room.say("/leave", by=BEN)
    await room.say("/join", by=BEN)
    await room.say("/join", by=HOST)
    assert list((await room.state(GAME)).players) == [BEN, HOST]
    told.set()
    await waiting
    assert ANN in (await room.state(GAME)).players


async def test_after_a_question_without_an_answer_nobody_waits_for_another(room: Room) -> None:
    await lobby(room)
    never = asyncio.Event()

    async def gate(call: Call) -> None:
        if call.method == ASKED:
            await never.wait()

    room.telegram.gate = gate
    await room.say("/join", by=ANN)
    await room.say("/join", by=HOST)
    assert _questions(room) == [ANN], "the host's join did not ask"
    assert list((await room.state(GAME)).players) == [BEN, ANN, HOST]
    never.set()
