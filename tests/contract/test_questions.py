"""Packs and asked questions on a real PostgreSQL."""

import asyncio
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from redis.asyncio import Redis

from fsm.question import Question
from questions.bank import bank
from questions.packs import Mistakes, Row, pack_of
from questions.similarity import Gist, fingerprint, gist
from storage.connections import Pool
from storage.people import People
from storage.questions import (
    MAX_PACKS,
    Filter,
    NameTaken,
    PackFull,
    Questions,
    TooManyPacks,
    categories,
)

OWNER, OTHER, CHAT = 7, 8, -1_001_234_567_100
NOW = 1_700_000_000_000
DAY = 86_400_000


def some(count: int, about: str = "pack") -> list[Question]:
    """Return dissimilar questions."""
    made = []
    for number in range(count):
        asked = Gist(f"{about} {number * 7919}?", f"{about} answer {number}")
        answers = (asked.answer, "wrong one", "wrong two", "wrong three")
        made.append(Question(id=fingerprint(asked), text=asked.text, answers=answers, category=f"c{number % 3}"))
    return made


@pytest.fixture
def questions(pool: Pool) -> Questions:
    return Questions(pool, shuffle=Random(5).shuffle)


# -- packs ------------------------------------------------------------------------------------------------------


async def test_a_pack_is_kept_as_it_was_and_found_by_its_owner(questions: Questions) -> None:
    hard = replace(some(1)[0], difficulty="hard", photo="https://example.org/a.jpg", answers=("pack answer 0", "no"))
    kept = [replace(hard, id=fingerprint(gist(hard))), *some(3)[1:]]
    title = await questions.add_pack(OWNER, "Mine", "ru", kept)
    assert await questions.packs(OWNER) == [title]
    assert await questions.pack(title.id, OWNER) == title
    assert (title.name, title.locale, title.size) == ("Mine", "ru", 3)
    found = await questions.questions(title.id)
    assert found == [(at, replace(question, pack=str(title.id))) for at, question in enumerate(kept, 1)]
    assert await questions.question(title.id, 2) == found[1][1]
    assert await questions.questions(title.id, limit=1, offset=1) == found[1:2]


async def test_a_pack_keeps_questions_of_every_type_with_their_explanations(questions: Questions) -> None:
    kept = pack_of(
        [
            Row(1, {"question": "Planets?", "type": "several", "answer": "Mars | Venus", "wrong1": "Moon | Sun"}),
            Row(2, {"question": "In order?", "type": "order", "answer": "one | two | three", "source": "A book"}),
            Row(3, {"question": "How high?", "type": "number", "answer": "8849 ± 50", "explanation": "By radar."}),
            Row(4, {"question": "How many?", "type": "number", "answer": "-7.25"}),
            Row(5, {"question": "A fish?", "type": "true_false", "answer": "false"}),
        ],
        Mistakes(),
    ).questions
    title = await questions.add_pack(OWNER, "Types", "en", kept)
    found = [question for _, question in await questions.questions(title.id)]
    assert found == [replace(question, pack=str(title.id)) for question in kept]
    changed = replace(found[2], explanation="", number=Decimal(1))
    assert await questions.change_question(title.id, OWNER, 3, changed)
    again = await questions.question(title.id, 3)
    assert again is not None
    assert (again.number, again.explanation, again.source) == (Decimal(1), "", "")


async def test_a_pack_is_its_owners_alone(questions: Questions) -> None:
    title = await questions.add_pack(OWNER, "Mine", "en", some(2))
    assert await questions.packs(OTHER) == []
    assert await questions.pack(title.id, OTHER) is None
    assert not await questions.rename_pack(title.id, OTHER, "Stolen")
    assert not await questions.delete_pack(title.id, OTHER)
    assert not await questions.change_question(title.id, OTHER, 1, some(1, "new")[0])
    assert not await questions.delete_question(title.id, OTHER, 1)
    assert await questions.add_question(title.id, OTHER, some(1, "new")[0]) is None
    assert await questions.packs(OWNER) == [title]


async def test_two_packs_of_a_host_have_two_names(questions: Questions) -> None:
    await questions.add_pack(OWNER, "Mine", "en", some(1))
    second = await questions.add_pack(OWNER, "Second", "en", some(1))
    await questions.add_pack(OTHER, "Mine", "en", some(1))
    with pytest.raises(NameTaken):
        await questions.add_pack(OWNER, "Mine", "en", some(1))
    with pytest.raises(NameTaken):
        await questions.rename_pack(second.id, OWNER, "Mine")
    assert await questions.rename_pack(second.id, OWNER, "Third")
    assert [title.name for title in await questions.packs(OWNER)] == ["Mine", "Third"]


async def test_a_pack_that_fails_halfway_leaves_nothing(questions: Questions) -> None:
    twice = some(1) * 2
    with pytest.raises(NameTaken):
        await questions.add_pack(OWNER, "Mine", "en", twice)
    assert await questions.packs(OWNER) == []


async def test_packs_and_their_questions_are_bounded_even_in_a_race(questions: Questions) -> None:
    results = await asyncio.gather(
        *(questions.add_pack(OWNER, f"Pack {number}", "en", some(1)) for number in range(MAX_PACKS + 5)),
        return_exceptions=True,
    )
    assert Counter(type(result).__name__ for result in results) == {"PackTitle": MAX_PACKS, "TooManyPacks": 5}
    with pytest.raises(TooManyPacks):
        await questions.add_pack(OWNER, "One more", "en", some(1))
    with pytest.raises(PackFull):
        await questions.add_pack(OTHER, "Large", "en", some(1001))
    large = await questions.add_pack(OTHER, "Large", "en", some(1000))
    with pytest.raises(PackFull):
        await questions.add_question(large.id, OTHER, some(1, "new")[0])


async def test_questions_are_changed_added_and_taken_out_one_by_one(questions: Questions) -> None:
    title = await questions.add_pack(OWNER, "Mine", "en", some(3))
    new, newer = some(2, "new")
    assert await questions.change_question(title.id, OWNER, 2, new)
    assert await questions.delete_question(title.id, OWNER, 1)
    assert not await questions.delete_question(title.id, OWNER, 1)
    assert await questions.add_question(title.id, OWNER, newer) == 4
    found = await questions.questions(title.id)
    assert [(at, question.text) for at, question in found] == [(2, new.text), (3, some(3)[2].text), (4, newer.text)]
    with pytest.raises(NameTaken):
        await questions.add_question(title.id, OWNER, new)
    with pytest.raises(NameTaken):
        await questions.change_question(title.id, OWNER, 3, new)
    assert await questions.delete_pack(title.id, OWNER)
    assert await questions.questions(title.id) == []


async def test_a_right_answer_is_kept_first_wherever_it_was(questions: Questions) -> None:
    moved = replace(some(1)[0], answers=("wrong one", "pack answer 0", "wrong two"), right=1)
    title = await questions.add_pack(OWNER, "Mine", "en", [moved])
    kept = await questions.question(title.id, 1)
    assert kept is not None
    assert (kept.answers, kept.right) == (("pack answer 0", "wrong one", "wrong two"), 0)


# -- choosing ---------------------------------------------------------------------------------------------------


async def test_the_bank_is_used_up_before_anything_comes_twice(questions: Questions) -> None:
    size = len(bank("en"))
    had: list[str] = []
    for round_ in range(size // 30):
        had += [question.id for question in await questions.choose(CHAT, 30, NOW + round_)]
    had += [question.id for question in await questions.choose(CHAT, size - len(had), NOW + 1000)]
    assert len(had) == len(set(had)) == size
    again = await questions.choose(CHAT, 30, NOW + 2000)
    assert {question.id for question in again} <= set(had[:30])


async def test_a_question_of_the_bank_is_the_same_in_both_languages(questions: Questions) -> None:
    english = await questions.choose(CHAT, 300, NOW, locale="en")
    russian = await questions.choose(CHAT, 38, NOW, locale="ru")
    assert not {question.id for question in english} & {question.id for question in russian}
    assert any("а" <= char <= "я" for char in russian[0].text)


async def test_two_choices_at_once_share_nothing(questions: Questions) -> None:
    chosen = await asyncio.gather(*(questions.choose(CHAT, 40, NOW) for _ in range(8)))
    ids = [question.id for each in chosen for question in each]
    assert len(ids) == len(set(ids)) == 320


async def test_chats_do_not_take_each_others_questions(questions: Questions) -> None:
    everything = len(bank("en"))
    assert len(await questions.choose(CHAT, everything, NOW)) == everything
    assert len(await questions.asked(-200)) == 0


async def test_a_pack_a_category_and_a_difficulty_can_be_asked_for(questions: Questions) -> None:
    title = await questions.add_pack(OWNER, "Mine", "en", some(9))
    assert {q.pack for q in await questions.choose(CHAT, 5, NOW, pack_id=title.id)} == {str(title.id)}
    only = await questions.choose(CHAT, 50, NOW, pack_id=title.id, only=Filter(categories=("C1",)))
    assert [question.category for question in only] == ["c1"] * 3
    hard = await questions.choose(CHAT, 10, NOW, only=Filter(("space",), ("hard",)))
    assert {(question.category, question.difficulty) for question in hard} == {("space", "hard")}
    assert await questions.choose(CHAT, 10, NOW, only=Filter(("nothing such",))) == ()


async def test_the_same_question_in_another_pack_counts_as_asked(questions: Questions) -> None:
    first = await questions.add_pack(OWNER, "One", "en", some(4))
    second = await questions.add_pack(OWNER, "Two", "en", some(6))
    await questions.choose(CHAT, 4, NOW, pack_id=first.id)
    fresh = await questions.choose(CHAT, 2, NOW + 1, pack_id=second.id)
    assert {question.text for question in fresh} == {question.text for question in some(6)[4:]}


async def test_what_was_given_back_was_never_asked(questions: Questions) -> None:
    title = await questions.add_pack(OWNER, "Mine", "en", some(4))
    first = await questions.choose(CHAT, 2, NOW, pack_id=title.id)
    await questions.give_back(CHAT, first[:1])
    rest = await questions.choose(CHAT, 3, NOW + 1, pack_id=title.id)
    assert {question.id for question in rest} == {q.id for q in some(4)} - {first[1].id}


async def test_what_a_model_wrote_is_noted_and_told_to_it_again(questions: Questions) -> None:
    written = some(3, "model")
    await questions.note_asked(CHAT, written[:2], NOW)
    await questions.note_asked(CHAT, written[2:], NOW + 5)
    told = await questions.asked(CHAT)
    assert told[-1] == gist(written[2])
    assert set(told) == {gist(question) for question in written}
    assert await questions.asked(CHAT, limit=1) == [gist(written[2])]


async def test_a_migrated_chat_keeps_what_it_was_asked(questions: Questions, pool: Pool, redis: Redis) -> None:
    title = await questions.add_pack(OWNER, "Mine", "en", some(4))
    await questions.choose(CHAT, 2, NOW, pack_id=title.id)
    await questions.choose(-1001, 2, NOW, pack_id=title.id)
    people = People(pool, redis)
    await people.chat_migrated(CHAT, -1001)
    await people.chat_migrated(CHAT, -1001)
    assert await questions.asked(CHAT) == []
    assert 2 <= len(await questions.asked(-1001)) <= 4


async def test_what_was_asked_long_ago_is_forgotten(questions: Questions) -> None:
    await questions.note_asked(CHAT, some(2500), NOW)
    await questions.note_asked(CHAT, some(2, "recent"), NOW + 200 * DAY)
    assert await questions.prune(NOW + 366 * DAY) == 2500
    assert len(await questions.asked(CHAT)) == 2
    assert await questions.prune(NOW + 366 * DAY) == 0


async def test_questions_hold_any_text(questions: Questions) -> None:
    strange = Question(id="x", text="'; DROP TABLE 😀 \\ %s $1 {}?", answers=("a'b", 'c"d', "{e,f}", "NULL"))
    title = await questions.add_pack(OWNER, "{'", "en", [strange])
    kept = await questions.question(title.id, 1)
    assert kept is not None
    assert (kept.text, kept.answers) == (strange.text, strange.answers)


def test_categories_are_counted_largest_first() -> None:
    assert list(categories(some(7)).items()) == [("c0", 3), ("c1", 2), ("c2", 2)]
    assert len(categories(bank("en"))) == 13
