"""A quiz played by a group: by buttons, by polls, with photos, with a hundred people; points are recomputed."""

import json
import re
from collections.abc import AsyncIterator
from fractions import Fraction
from functools import partial
from typing import Any

import pytest_asyncio

from bot.settings import GAMES
from fsm.kind import ChatTopic, Host
from fsm.question import Question
from handlers.kinds.quiz.settings import QuizSection
from sandbox.control import buttons
from sandbox.state import Message, User
from tests.e2e.conftest import Table, seated
from tests.support.games import QUIZ

BASE = {"easy": 100, "medium": 200, "hard": 300}
MARKS = re.compile("[\u2060\u2068\u2069]")
Data = dict[str, Any]


async def begun(table: Table, command: str = QUIZ.line) -> str:
    """Open a quiz, let everybody join and a host start it. Returns its id."""
    game_id = await table.begin(line=command)
    await table.says("Question 1 of")
    return game_id


async def question(table: Table, game_id: str) -> Any:
    """Return the current question, as the server knows it."""
    state: Any = (await table.bot.engine.look(game_id)).state
    return state.question


async def ids(table: Table, game_id: str) -> set[str]:
    """Return the ids of a quiz's questions."""
    state: Any = (await table.bot.engine.look(game_id)).state
    return {each.id for each in state.questions}


async def press(table: Table, person: User, game_id: str, number: int, choice: int) -> str:
    """Tap an answer. Returns the toast."""
    return plain((await table.press(person, f"a:{game_id}:{number}:{choice}")).text)


def plain(text: str) -> str:
    """Remove the marks that isolate people's input."""
    return MARKS.sub("", text)


async def events_of(table: Table, game_id: str) -> list[tuple[str, Data]]:
    """Return all stored events once the game has ended."""
    statement = "SELECT name, data FROM game_events WHERE game_id = $1 ORDER BY version"
    for _ in range(400):
        rows = await table.bot.pool.fetch(statement, game_id)
        if rows and rows[-1]["name"] == "game_completed":
            return [(row["name"], json.loads(row["data"])) for row in rows]
        await table.bot.pool.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("the end was never written")


def recomputed(events: list[tuple[str, Data]]) -> dict[int, int]:
    """Return each player's points, from the events and the published formula alone."""
    rules: Data = next(data["rules"] for name, data in events if name == "game_opened")
    asked: list[Data] = next(data["questions"] for name, data in events if name == "questions_set")
    points = {data["player_id"]: 0 for name, data in events if name == "player_joined"}
    streaks = dict.fromkeys(points, 0)
    given: dict[int, tuple[int, Fraction]] = {}
    for name, data in events:
        if name == "question_opened":
            given = {}
        elif name == "answer_given":
            assert data["player_id"] not in given, "one answer a player and question"
            given[data["player_id"]] = (data["choice"], Fraction(data["remaining"], rules["question_ms"]))
        elif name == "question_revealed":
            now = asked[data["question"]]
            base = BASE[now["difficulty"]]
            for player in points:
                choice, left = given.get(player, (None, Fraction(0)))
                if choice == now["right"]:
                    points[player] += base + int(base * left / 2) + min(100, 20 * streaks[player])
                    streaks[player] += 1
                else:
                    streaks[player] = 0
    return points


def check_standings(events: list[tuple[str, Data]]) -> list[Data]:
    """Check points, order and places against the recomputation. Returns the standings."""
    standings: list[Data] = events[-1][1]["standings"]
    points = recomputed(events)
    assert {each["player_id"]: each.get("points", 0) for each in standings} == points
    ordered = [points[each["player_id"]] for each in standings]
    assert ordered == sorted(ordered, reverse=True)
    for each in standings:
        better = sum(other > points[each["player_id"]] for other in ordered)
        assert each.get("place") == (better + 1 if points[each["player_id"]] else None)
    return standings


async def test_a_group_plays_a_quiz_to_the_right_standings(table: Table) -> None:
    game_id = await begun(table)
    for number in range(3):
        await table.says(f"Question {number + 1} of 3")
        asked = await question(table, game_id)
        for index, person in enumerate(table.people):
            await table.turn(0.5)
            choice = asked.right if index != number else (asked.right + 1) % len(asked.answers)
            said = await press(table, person, game_id, number, choice)
            assert asked.answers[choice] in said
        revealed = await table.says(f"(?s)Question {number + 1} of 3.*✅")
        assert asked.answers[asked.right][:20] in plain(revealed.content["text"])
        await table.turn(10)
    await table.says("🏆")
    check_standings(await events_of(table, game_id))
    table.no_complaints()


async def test_who_is_too_late_twice_or_not_in_it_is_told_so(polled: Table) -> None:
    stranger = polled.people.pop()
    game_id = await begun(polled, "/start_quiz 2 15")
    first = await press(polled, polled.host, game_id, 0, 0)
    assert first.startswith("Your answer: A")
    assert "already answered A" in await press(polled, polled.host, game_id, 0, 1)
    assert "not in this game" in await press(polled, stranger, game_id, 0, 1)
    polled.clock.turn(16)
    assert "Too late" in await press(polled, polled.people[1], game_id, 0, 1)
    await polled.turn(0)
    assert "Question 1 is closed" in await press(polled, polled.people[2], game_id, 0, 1)
    polled.no_complaints()


async def test_nothing_in_the_chat_tells_the_right_answer_or_who_answered_what_before_the_reveal(polled: Table) -> None:
    game_id = await begun(polled, "/start_quiz 1 15")
    before = await polled.says("Question 1 of 1")
    shown = [dict(before.content), buttons(before)]
    for person in polled.people[1:]:
        await press(polled, person, game_id, 0, 1)
    answered = await polled.says("answered: 4 of 5")
    assert "✅" not in str(answered.content)
    assert buttons(answered) == shown[1], "the buttons say nothing either"
    for person in polled.people:
        assert person.name not in str(answered.content)
    polled.no_complaints()


async def test_the_right_answer_is_shown_at_the_deadline(table: Table) -> None:
    game_id = await begun(table, "/start_quiz 3 15")
    for number in range(3):
        await table.says(f"Question {number + 1} of 3")
        for person in table.people[: number + 1]:
            await table.turn(4)
            await press(table, person, game_id, number, 0)
        await table.turn(15 - 4 * (number + 1))
        await table.box.control.until_message(table.group, f"(?s)Question {number + 1} of.*✅", timeout=30)
        await table.turn(3)
    table.no_complaints()


async def test_a_photo_is_shown_with_its_question_and_goes_with_it(polled: Table) -> None:
    picture = polled.box.world.add_file("photo", "map.png", "image/png", b"x", (600, 400))
    asked = Question(id="p1", text="Which island is this?", answers=("Crete", "Malta"), photo=picture.id)
    other = Question(id="p2", text="And without a photo?", answers=("Yes", "No"))
    game_id, chat_topic, host = "00photosphotos", ChatTopic(polled.group.id), Host(polled.host.id, "Hana")
    opening = QUIZ.opening(game_id, chat_topic, host, content=(asked, other), questions=2, join_ms=1000)
    await polled.bot.engine.execute(game_id, opening, command_id="o")
    await polled.join(game_id, *polled.people)
    await polled.turn(2)
    photo = await polled.until(lambda: next((m for m in shown(polled) if "photo" in m.content), None))
    assert photo.content["photo"][0]["file_id"] == picture.id
    await polled.turn(15)
    await polled.turn(3)
    await polled.says("Question 2 of 2")
    await polled.until(lambda: not [m for m in shown(polled) if "photo" in m.content])
    polled.no_complaints()


def shown(table: Table) -> list[Message]:
    """Return the bot's messages in the group."""
    return table.box.control.bot_messages(table.group)


async def test_a_host_pauses_and_resumes(polled: Table) -> None:
    game_id = await begun(polled, "/start_quiz 1 15")
    asked = await question(polled, game_id)
    await polled.turn(5)
    assert "admin" in (await polled.tap(polled.people[1], "^z:")).text
    await polled.tap(polled.host, "^z:")
    paused = await polled.says("paused")
    assert asked.text[:15] not in paused.content["text"]
    await polled.turn(60)
    assert "paused" in await press(polled, polled.people[1], game_id, 0, 0)
    await polled.tap(polled.host, "^y:")
    await polled.says("Closes")
    assert (await press(polled, polled.people[1], game_id, 0, asked.right)).startswith("Your answer")
    await polled.turn(4)
    assert (await press(polled, polled.people[2], game_id, 0, asked.right)).startswith("Your answer")
    polled.no_complaints()


async def test_everybody_who_has_opened_a_private_chat_gets_their_own_summary_there(polled: Table) -> None:
    control = polled.box.control
    for person in polled.people[:3]:
        control.start(person)
    control.start(polled.people[3])
    control.block_bot(polled.people[3])
    game_id = await begun(polled, "/start_quiz 1 15")
    asked = await question(polled, game_id)
    for person in polled.people:
        await press(polled, person, game_id, 0, asked.right if person is polled.host else (asked.right + 1) % 4)
    await polled.turn(20)
    await polled.says("🏆")
    own = await polled.says("Your place", chat=control.private(polled.host))
    assert "🥇" in own.content["text"]
    other = await polled.says("No points this time", chat=control.private(polled.people[1]))
    assert asked.answers[asked.right] in plain(other.content["text"])
    assert not control.find(control.private(polled.people[3]), "points")
    polled.no_complaints()


async def test_a_rematch_asks_other_questions(polled: Table) -> None:
    game_id = await begun(polled, "/start_quiz 5 15")
    first = await ids(polled, game_id)
    for _ in range(12):
        await polled.turn(19)
    await polled.says("🏆")
    assert "rematch" in (await polled.tap(polled.host, "^r:")).text
    (again, _), *_ = await polled.bot.games.deadlines(polled.clock.now() + 10**9)
    second = await ids(polled, again)
    assert len(second) == 5
    assert not first & second
    polled.no_complaints()


# -- native polls -----------------------------------------------------------------------------------------------


def the_poll(table: Table, after: int = 0) -> Message | None:
    """Return the newest poll in the group, or None."""
    polls = [m for m in table.box.control.bot_messages(table.group) if m.poll_id is not None and m.id > after]
    return polls[-1] if polls else None


async def polls_on(table: Table) -> None:
    await table.bot.pool.execute(
        "INSERT INTO chats (id, type, title, settings) VALUES ($1, 'group', '', $2::jsonb)"
        " ON CONFLICT (id) DO UPDATE SET settings = excluded.settings",
        table.group.id,
        '{"quiz": {"polls": "yes"}}',
    )


async def test_a_quiz_by_telegrams_own_polls_has_the_same_points(table: Table) -> None:
    await polls_on(table)
    game_id = await begun(table, "/start_quiz 2 15")
    last = 0
    for number in range(2):
        poll = await table.until(partial(the_poll, table, last))
        asked = await question(table, game_id)
        last = poll.id
        kept = table.box.world.polls[str(poll.poll_id)]
        assert (kept.type, kept.is_anonymous, kept.hide_results, kept.correct) == ("quiz", False, True, [asked.right])
        for index, person in enumerate(table.people[1:]):
            await table.turn(0.5)
            table.box.control.vote(person, poll, asked.right if index else (asked.right + 1) % len(asked.answers))
        await table.says("answered: 4 of 5")
        await table.turn(14)
        await table.until(partial(getattr, kept, "is_closed"))
        await table.says(f"(?s)Question {number + 1} of 2.*✅")
        await table.turn(16)
    await table.says("🏆")
    standings = check_standings(await events_of(table, game_id))
    assert sum(bool(each.get("points")) for each in standings) == 3
    table.no_complaints()


async def test_where_polls_are_forbidden_the_answers_are_on_buttons(polled: Table) -> None:
    await polls_on(polled)
    rights = {"can_send_messages": True}
    polled.box.control.set_status(polled.group, polled.box.world.bot, "restricted", by=polled.host, rights=rights)
    game_id = await begun(polled, "/start_quiz 1 15")
    instead = await polled.says("can’t send polls")
    answer = await polled.box.control.press(polled.host, instead, f"a:{game_id}:0:2").answer()
    assert plain(answer.text).startswith("Your answer: C")


# -- packs ------------------------------------------------------------------------------------------------------

PACK = b"question,answer,wrong1,wrong2\nWhere is Kyoto?,Japan,China,Korea\nWhere is Porto?,Portugal,Spain,Italy\n"


async def test_a_pack_is_sent_kept_played_and_given_back(polled: Table) -> None:
    control, host = polled.box.control, polled.host
    private = control.private(host)
    control.start(host)
    control.upload(host, private, "bad.csv", b"question,answer,wrong1\nWhere is Kyoto?,,Nara\n")
    control.upload(host, private, "Cities.csv", PACK)  # at once: neither answer swallows the other
    await polled.says("has a mistake", chat=private)
    await polled.says("Where is Kyoto", chat=private)
    await polled.tap(host, "Keep it", chat=private)
    await polled.says("is yours. To play it", chat=private)
    control.say(host, private, "/pack")
    await polled.tap(host, "Cities", chat=private)
    await polled.tap(host, "JSON", chat=private)
    document = await polled.until(
        lambda: next((m for m in control.bot_messages(private) if "document" in m.content), None)
    )
    assert b"Kyoto" in polled.box.world.files[document.content["document"]["file_id"]].content
    control.start(host, f"new_{polled.group.id}_0__quiz")
    await polled.tap(host, "^⚙️ All settings", chat=private)
    await polled.tap(host, "Questions from", chat=private)
    await polled.tap(host, "Cities", chat=private)
    await polled.tap(host, "Back", chat=private)
    await polled.tap(host, "Open the game", chat=private)
    await polled.says("2 questions")
    polled.no_complaints()


# -- a hundred people -------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def crowd(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Table]:
    """Create a group of a hundred people and the bot, by webhook."""
    games = GAMES.model_validate({"quiz": QuizSection(max_players=100)})
    async with seated(postgres_dsn, redis_dsn, "webhook", people=100, games=games) as found:
        yield found


async def everybody_is_found(table: Table) -> None:
    """Check that the standings name everybody once, and show one's own result."""
    result = await table.says("🏆")
    standings = [line for line in plain(str(result.content["text"])).splitlines() if not line.startswith("🏅")]
    found = re.findall(r"Player \d+", "\n".join(standings))
    assert sorted(found) == sorted(person.name for person in table.people)
    await table.tap(table.people[7], "^o:")
    await table.says("Points:|No points", user=table.people[7])


async def test_a_hundred_people_play_ten_questions_within_telegrams_limits(crowd: Table) -> None:
    for person in crowd.people[::2]:
        crowd.box.control.start(person)
    game_id = await begun(crowd, "/start_quiz 10 15 100")
    for number in range(10):
        await crowd.says(f"Question {number + 1} of 10")
        asked = await question(crowd, game_id)
        for index, person in enumerate(crowd.people):
            if index == 50:
                await crowd.turn(7)
            if index == 95:
                crowd.clock.turn(7.2 if number % 2 else 9)
            choice = (asked.right + (index * 7 + number) % 3 // 2) % len(asked.answers)
            said = await press(crowd, person, game_id, number, choice)
            assert said.startswith("Your answer") or (index >= 95 and re.search("Too late|is closed", said))
            if index % 10 == 0:
                assert "already" in await press(crowd, person, game_id, number, 0)
        await crowd.turn(1)
        await crowd.says(f"(?s)Question {number + 1} of 10.*✅")
        await crowd.turn(12)
    await crowd.says("🏆")
    standings = check_standings(await events_of(crowd, game_id))
    assert len(standings) == 100
    await everybody_is_found(crowd)
    private = [crowd.box.control.private(person) for person in crowd.people[::2]]
    await crowd.until(lambda: all(crowd.box.control.find(chat, "Points|No points") for chat in private), steps=400)
    crowd.no_complaints()
