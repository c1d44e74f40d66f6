"""Questions of every type, answered in the group by taps and polls; explanations; people who come late."""

from decimal import Decimal
from functools import partial
from typing import Any

from fsm.kind import ChatTopic, Host
from fsm.question import Question
from sandbox.control import buttons
from tests.e2e.conftest import Table
from tests.e2e.test_quiz import events_of, plain, question, the_poll
from tests.support.games import QUIZ

GAME = "00alltypestype"
SEVERAL = Question(
    id="s",
    text="Which are planets?",
    answers=("Mars", "Saturn", "Sirius", "Moon"),
    type="several",
    right=None,
    rights=(0, 1),
    explanation="The Moon is a moon & Sirius a <star>.",
    source="https://example.org/planets",
)
ORDER = Question(
    id="o", text="The oldest first?", answers=("Wheel", "Press", "Radio"), type="order", right=None, rights=(0, 1, 2)
)
NUMBER = Question(
    id="n",
    text="How high is Everest?",
    answers=(),
    type="number",
    right=None,
    number=Decimal(8849),
    tolerance=Decimal(5),
)
CLOSEST = Question(id="c", text="How many stars are seen?", answers=(), type="number", right=None, number=Decimal(5000))


async def opened(table: Table, *content: Question, **rules: Any) -> None:
    """Open a quiz with these questions, joined by the first three people, and start it."""
    host = Host(table.host.id, "Hana")
    rules = {"questions": len(content), "join_ms": 1000, "min_players": 3, "question_ms": 3_600_000, **rules}
    opening = QUIZ.opening(GAME, ChatTopic(table.group.id), host, content=content, **rules)
    await table.bot.engine.execute(GAME, opening, command_id="open")
    await table.join(GAME, *table.people[:3])
    await table.turn(2)
    await table.says(f"Question 1 of {len(content)}")


async def keys(table: Table, index: int, person: Any, pressed: str) -> str:
    """Tap keys in the group and then, if there is such a button, "Done". Returns the last answer."""
    said = ""
    for key in pressed:
        said = plain((await table.press(person, f"d:{GAME}:{index}:{key}")).text)
    if table.button(f"^c:{GAME}:{index}$"):
        said = plain((await table.press(person, f"c:{GAME}:{index}")).text)
    return said


async def after_reveal(table: Table, number: int, of: int) -> str:
    """Wait for the reveal of a question. Returns its text."""
    shown = await table.says(f"(?s)Question {number} of {of}.*✅")
    text = plain(shown.content["text"])
    await table.turn(20)
    return text


async def test_a_group_answers_every_type_by_taps_and_only_the_player_sees_the_draft(polled: Table) -> None:
    await opened(polled, SEVERAL, ORDER, NUMBER, CLOSEST)
    one, two, three = polled.people[:3]
    asked = await question(polled, GAME)
    right = "".join(map(str, asked.rights))
    said = plain((await polled.press(one, f"d:{GAME}:0:{right[0]}")).text)
    assert said == f"So far: {'ABCD'[int(right[0])]}"
    before = str([message.content for message in polled.box.control.bot_messages(polled.group)])
    assert "So far" not in before
    assert (await keys(polled, 0, one, right[1])).startswith("Your answer: ")
    assert "Choose an answer first" in plain((await polled.press(two, f"c:{GAME}:0")).text)
    await keys(polled, 0, two, right[0])
    await keys(polled, 0, three, right)
    text = await after_reveal(polled, 1, 4)
    assert "💡 The Moon is a moon & Sirius a <star>. (example.org)" in text

    await polled.says("Question 2 of 4")
    asked = await question(polled, GAME)
    right = "".join(map(str, asked.rights))
    assert (await keys(polled, 1, one, right)).startswith("Your answer: ")
    for person in (two, three):
        await keys(polled, 1, person, right[::-1])
    assert "Wheel" in await after_reveal(polled, 2, 4)

    await polled.says("Question 3 of 4")
    assert await keys(polled, 2, one, "8850") == "Your answer: 8850. It’s locked in."
    await keys(polled, 2, two, "8855")
    await keys(polled, 2, three, "-1.5")
    assert "8,849 ± 5" in await after_reveal(polled, 3, 4)

    await polled.says("Question 4 of 4")
    for person, number in ((one, "9000"), (two, "1000"), (three, "6000")):
        await keys(polled, 3, person, number)
    assert "5,000" in await after_reveal(polled, 4, 4)
    await polled.says("🏆")
    gained = [set(data["gained"]) for name, data in await events_of(polled, GAME) if name == "question_revealed"]
    ids = [str(person.id) for person in polled.people[:3]]
    assert gained == [{ids[0], ids[2]}, {ids[0]}, {ids[0]}, {ids[2]}]
    polled.no_complaints()


async def test_a_poll_takes_several_answers_and_shows_the_explanation_and_other_types_come_on_buttons(
    polled: Table,
) -> None:
    await opened(polled, SEVERAL, ORDER, polls=True)
    poll = await polled.until(partial(the_poll, polled))
    kept = polled.box.world.polls[str(poll.poll_id)]
    asked = await question(polled, GAME)
    assert (kept.allows_multiple_answers, kept.correct) == (True, list(asked.rights))
    assert kept.explanation["explanation"] == "The Moon is a moon & Sirius a <star>. (example.org)"
    for person, options in zip(polled.people[:3], (asked.rights, asked.rights[:1], (0, 1, 2)), strict=True):
        polled.box.control.vote(person, poll, *options)
    await after_reveal(polled, 1, 2)
    await polled.says("Question 2 of 2")
    asked = await question(polled, GAME)
    for person in polled.people[:3]:
        await keys(polled, 1, person, "".join(map(str, asked.rights)))
    await after_reveal(polled, 2, 2)
    await polled.says("🏆")
    gained = [set(data["gained"]) for name, data in await events_of(polled, GAME) if name == "question_revealed"]
    assert gained == [{str(polled.people[0].id)}, {str(person.id) for person in polled.people[:3]}]
    polled.no_complaints()


async def test_people_join_a_running_quiz_by_button_and_command_and_answer_the_next_question(
    polled: Table,
) -> None:
    asked = [Question(id=f"q{n}", text=f"Question {n}?", answers=("Yes", "No")) for n in range(2)]
    await opened(polled, *asked)
    control, late = polled.box.control, polled.people[3]
    assert "You’re in" in (await polled.tap(late, f"^j:{GAME}$")).text
    control.say(polled.people[4], polled.group, "/join")
    await polled.says("You’re in", user=polled.people[4])
    state: Any = (await polled.bot.engine.look(GAME)).state
    assert set(state.late) == {polled.people[3].id, polled.people[4].id}
    assert "from the next one on" in plain((await polled.press(late, f"a:{GAME}:0:0")).text)
    for person in polled.people[:3]:
        await polled.press(person, f"a:{GAME}:0:0")
    await after_reveal(polled, 1, 2)
    shown = await polled.says("Question 2 of 2")
    assert not [button for button in buttons(shown) if button.get("callback_data") == f"j:{GAME}"]
    right = (await question(polled, GAME)).right
    for person in polled.people[:5]:
        assert plain((await polled.press(person, f"a:{GAME}:1:{right}")).text).startswith("Your answer")
    await after_reveal(polled, 2, 2)
    await polled.says("🏆")
    standings = (await events_of(polled, GAME))[-1][1]["standings"]
    points = {row["player_id"]: row.get("points", 0) for row in standings}
    assert 200 <= points[late.id] <= 300, "one right answer, without a streak"
    polled.no_complaints()
