"""The course of a game as a group sees it: messages for its moments, edits for its progress, and not too many."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from redis.asyncio import Redis

from bot.settings import GAMES
from handlers.kinds.pick_number.settings import PickNumberSection
from sandbox.control import buttons
from sandbox.state import Message
from storage.pins import Pin, Pins
from tests.e2e.conftest import Table, seated
from tests.e2e.test_quiz import plain, polls_on

MOST, MOST_A_QUESTION = 6, 2
"""New messages of a game, as docs/decisions/course.md promises."""


@pytest_asyncio.fixture
async def slow(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of five people with a minute to pick, and a draw at the usual pace."""
    games = GAMES.model_validate({"pick_number": PickNumberSection(reveal_seconds=2, selection_seconds=60)})
    async with seated(postgres_dsn, redis_dsn, "polling", games=games) as found:
        yield found


async def chooses(table: Table, *labels: str) -> None:
    """Change settings of the group in the private dialog, with one tap on each button."""
    private = table.box.control.private(table.host)
    table.box.control.start(table.host, f"set_{table.group.id}")
    for label in labels:
        await table.tap(table.host, label, chat=private)
    await table.tap(table.host, "Close", chat=private)


def sent(table: Table) -> list[Message]:
    """Return the bot's messages in the group, without its greeting."""
    return [m for m in table.box.control.bot_messages(table.group) if not text_of(m).startswith("Hello!")]


def text_of(message: Message) -> str:
    return str(message.content.get("text") or message.content.get("caption") or "")


@dataclass
class Frames:
    """Record of the texts that the group has seen."""

    table: Table
    texts: list[str] = field(default_factory=list)

    async def until_over(self) -> None:
        """Turn the clock until the result is there, and look at the messages after each step."""
        for _ in range(1_000):
            await self.table.turn(0.5)
            await asyncio.sleep(0.01)
            texts = [text_of(message) for message in sent(self.table)]
            self.texts += [text for text in texts if text not in self.texts]
            if any("🏆" in text for text in texts) and any("🏁" in text for text in texts):
                return
        raise AssertionError(f"no result: {self.texts[-3:]}")


async def plays(table: Table, *, latecomers: int = 0) -> None:
    """Open a game, join, and pick; this many players pick nothing."""
    game_id = await table.begin(line="/create_game Friday 3")
    await table.says("Take a number")
    await table.all_choose(game_id, table.people[: len(table.people) - latecomers])


async def test_moments_are_new_messages_that_lead_to_the_board_and_progress_is_edits(slow: Table) -> None:
    await plays(slow)
    frames = Frames(slow)
    await frames.until_over()
    board, *moments = sent(slow)
    signs = [text_of(moment)[0] for moment in moments]
    assert signs == ["🎱", "✋", "🎱", "🏆"]
    assert all(moment.reply_to == board.id for moment in moments)
    assert len(sent(slow)) <= MOST
    result = moments[-1]
    mentioned = [entity for entity in result.content["entities"] if entity["type"] == "text_mention"]
    assert len(mentioned) == 3
    assert any(entity["type"] == "expandable_blockquote" for entity in result.content["entities"])
    assert plain(text_of(board)) == "🎱 Friday\n\n🏁 It’s over. The result is in the message below. 👇"
    assert not board.markup
    labels = [button["text"] for button in buttons(result)]
    assert labels == ["Rematch", "Share", "How it was drawn"]
    assert "Seed" not in text_of(result)
    shown = [text for text in frames.texts if "Drawn" in text and "🏆" not in text and "🧾" not in text]
    places = [len(re.findall("🥇|🥈|🥉", text)) for text in shown]
    assert places == [1, 2, 3], "each place is seen, one by one"
    slow.no_complaints()


async def test_the_first_board_already_shows_the_host_who_joined_by_opening(postgres_dsn: str, redis_dsn: str) -> None:
    async with seated(postgres_dsn, redis_dsn, "polling", host_joins=True) as table:
        for line, sign in (("/create_game", "🎱"), ("/start_quiz 3 10", "🧠")):
            table.box.control.say(table.host, table.group, line)
            await table.says(f"{sign}")
            calls = [call for call in table.box.world.calls if call.method == "sendMessage"]
            boards = [str(call.params["text"]) for call in calls if "j:" in str(call.params.get("reply_markup"))]
            assert table.host.name in boards[-1]
            assert "Nobody" not in boards[-1]
            table.box.control.say(table.host, table.group, "/cancel_game")
            await table.says("A host cancelled the game")


async def test_late_players_are_reminded_once_in_private_if_they_started_the_bot(slow: Table) -> None:
    control, (*_, known, unknown) = slow.box.control, slow.people
    control.start(known)
    await slow.says("Hello", chat=control.private(known))
    await plays(slow, latecomers=2)
    private = await slow.says("time is running out", chat=control.private(known))
    group = await slow.says("it’s your turn")
    (mention,) = (entity for entity in group.content["entities"] if entity["type"] == "text_mention")
    assert mention["user"]["id"] == unknown.id
    assert group.reply_to == sent(slow)[0].id
    game_id = buttons(private)[0]["callback_data"].split(":")[1]
    answer = await control.press_data(known, private, f"p:{game_id}:9").answer()
    assert answer.text == "You have 9."
    await slow.says("🏆")
    assert len([m for m in sent(slow) if "your turn" in text_of(m)]) == 1
    await slow.until(lambda: "🥇" in text_of(private) or None)
    assert "until" not in text_of(private)
    assert len(sent(slow)) <= MOST
    slow.no_complaints()


async def test_a_quiet_group_sees_edits_and_the_two_receipts_of_the_draw_without_a_sound(slow: Table) -> None:
    await chooses(slow, "Messages in the group", "Messages in the group")
    await plays(slow, latecomers=1)
    await slow.says("🏆")
    await slow.turn(5)
    assert [text_of(message)[0] for message in sent(slow)] == ["🏆", "🎱", "✋"]
    calls = [call for call in slow.box.world.calls if call.method == "sendMessage"]
    receipts = [call for call in calls if "Keep this message" in str(call.params)]
    assert len(receipts) == 2
    assert all(call.params.get("disable_notification") for call in receipts)
    slow.no_complaints()


async def test_a_lively_group_also_hears_the_last_call_in_a_seventh_message(slow: Table) -> None:
    await chooses(slow, "Messages in the group")
    await plays(slow, latecomers=1)
    await slow.says("🏆")
    await slow.until(lambda: "🏁" in text_of(sent(slow)[0]) or None)
    signs = [text_of(message)[0] for message in sent(slow)]
    assert signs == ["🎱", "📣", "🎱", "⏰", "✋", "🎱", "🏆"]
    assert len(sent(slow)) <= MOST + 1
    slow.no_complaints()


async def test_the_board_is_pinned_while_the_game_lives(slow: Table) -> None:
    slow.box.control.add_bot(slow.group, slow.host, admin=True)
    await chooses(slow, "Pin the game’s message")
    await slow.open()
    board = await slow.says("Everyone takes a number")
    await slow.until(lambda: slow.group.pinned == [board.id] or None)
    slow.box.control.say(slow.host, slow.group, "/cancel_game")
    await slow.until(lambda: slow.group.pinned == [] or None)
    found = await slow.until(lambda: next((m for m in sent(slow) if m.reply_to == board.id), None))
    assert "A host cancelled the game" in text_of(found)
    await slow.until(lambda: "🚫" in text_of(board) or None)
    assert "A host" not in text_of(board), "the reason is said once"
    assert not board.markup
    slow.no_complaints()


async def test_a_bot_that_is_added_again_shows_that_its_game_is_over_and_unpins_it(slow: Table) -> None:
    control = slow.box.control
    control.add_bot(slow.group, slow.host, admin=True)
    await chooses(slow, "Pin the game’s message")
    await slow.begin(line="/create_game Friday")
    board = await slow.says("Take a number")
    await slow.until(lambda: slow.group.pinned == [board.id] or None)
    control.remove_bot(slow.group, slow.host)
    await slow.turn(1)
    control.add_bot(slow.group, slow.host, admin=True)
    await slow.until(lambda: slow.group.pinned == [] or None)
    await slow.until(lambda: "removed from the chat" in text_of(board) or None)
    assert "until" not in text_of(board).lower()


async def test_a_result_that_was_refused_stands_on_the_board_once_the_bot_may_write_again(slow: Table) -> None:
    await slow.begin(line="/create_game Friday")
    board = await slow.says("Take a number")
    slow.box.control.mute_bot(slow.group, slow.host)
    for _ in range(40):
        await slow.turn(2)
    slow.box.control.set_status(slow.group, slow.box.world.bot, "member", by=slow.host)
    await slow.until(lambda: "Nobody picked" in text_of(board) or None)
    assert "below" not in text_of(board)


async def test_a_pin_of_a_game_that_ended_while_no_bot_ran_is_undone(postgres_dsn: str, redis_dsn: str) -> None:
    async with Redis.from_url(redis_dsn) as redis:
        await Pins(redis).note(Pin("00abcdefghijklmnopqrst", -100_001, 7))
    async with seated(postgres_dsn, redis_dsn, "polling") as table:
        calls = table.box.world.calls
        call = await table.until(lambda: next((c for c in calls if c.method == "unpinChatMessage"), None))
        assert (str(call.params["chat_id"]), str(call.params["message_id"])) == ("-100001", "7")
        async with asyncio.timeout(30):
            while await Pins(table.bot.redis).all():  # noqa: ASYNC110 -- the store sends no event
                await asyncio.sleep(0.05)


async def test_an_own_board_in_the_group_shows_the_result_and_no_time_that_is_over(slow: Table) -> None:
    game_id = await slow.begin(line="/create_game Friday 3")
    await slow.says("Take a number")
    for person in slow.people[:2]:
        await slow.tap(person, "^o:")
    first, second = slow.group.ephemeral.values()
    assert "Your pick" in text_of(first)
    await slow.tap(slow.people[1], "^o:")
    await slow.until(lambda: second not in slow.group.ephemeral.values() or None)
    third = list(slow.group.ephemeral.values())[-1]
    await slow.all_choose(game_id)
    await slow.until(lambda: all("🥇" in text_of(board) for board in (first, third)) or None)
    assert not first.markup
    assert "until" not in text_of(first) + text_of(third)
    slow.no_complaints()


async def test_the_winners_have_a_picture_where_the_group_wants_one(slow: Table) -> None:
    await chooses(slow, "Picture of the winners")
    await plays(slow)
    result = await slow.until(lambda: next((m for m in sent(slow) if "photo" in m.content), None), steps=400)
    assert result.reply_to == sent(slow)[0].id
    assert "🥇" in text_of(result)
    assert buttons(result)
    assert len(sent(slow)) <= MOST
    slow.no_complaints()


async def test_a_quiz_of_polls_sends_one_message_a_question_and_two_around_them(slow: Table) -> None:
    questions = 3
    await polls_on(slow)
    await slow.begin(slow.people[:3], line=f"/start_quiz {questions} 10")
    await slow.until(lambda: "🏁" in text_of(sent(slow)[0]) or None, steps=400)
    await slow.says("🏆")
    told = [text_of(message)[0] for message in sent(slow) if message.poll_id is None]
    assert told == ["🧠", "🏆"]
    assert len(sent(slow)) == questions + 2 <= MOST_A_QUESTION * questions + 3
    slow.no_complaints()


async def test_each_question_on_buttons_is_a_new_message_and_folds_to_its_answer(slow: Table) -> None:
    await slow.begin(slow.people[:3], line="/start_quiz 2 10")
    first = await slow.says("Question 1 of 2")
    board = sent(slow)[0]
    await slow.until(lambda: "Each question comes as a new message" in text_of(board) or None)
    assert first.reply_to == board.id
    asked = plain(text_of(first)).split("\n\n")[2]
    second = await slow.says("Question 2 of 2")
    assert second.id > first.id
    await slow.until(lambda: not first.markup or None)
    assert plain(text_of(first)).startswith(f"Question 1 of 2\n\n{asked}\n✅ ")
    await slow.until(lambda: "🏁" in text_of(sent(slow)[0]) or None, steps=400)
    await slow.says("🏆")
    await slow.until(lambda: not second.markup or None)
    assert len(sent(slow)) == 4
    calls = [call.params for call in slow.box.world.calls if call.method == "sendMessage"]
    calls = [call for call in calls if str(call["text"]).startswith("🧠") and "Question" in str(call["text"])]
    assert [bool(call.get("disable_notification")) for call in calls] == [False, True]
    slow.no_complaints()


async def test_in_a_quiet_group_the_questions_are_edits_of_the_board(slow: Table) -> None:
    await chooses(slow, "Messages in the group", "Messages in the group")
    await slow.begin(slow.people[:3], line="/start_quiz 2 10")
    await slow.says("Question 2 of 2")
    await slow.says("🏆")
    assert len(sent(slow)) == 1
    slow.no_complaints()
