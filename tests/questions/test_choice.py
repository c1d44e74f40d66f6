"""Similarity of questions, and the choice of a chat's next ones."""

from random import Random

import pytest

from fsm.question import Question
from questions.bank import bank
from questions.choice import choose
from questions.similarity import Gist, Seen, fingerprint, gist, near, near_pairs


def question(text: str, answer: str, photo: str | None = None) -> Question:
    asked = Gist(text, answer, photo)
    return Question(id=fingerprint(asked), text=text, answers=(answer, "something else"), photo=photo)


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("What is the capital of Japan?", "What's the capital of Japan?", "Tokyo"),
        ("What is the capital of Japan?", "WHAT  IS the capital of JAPAN", "tokyo"),
        ("Which planet is closest to the Sun?", "Closest to the Sun is which planet?", "Mercury"),
        ("Какой город является столицей Канады?", "Какой город сейчас является столицей Канады?", "Оттава"),
        ("Who painted the Mona Lisa?", "Who painted the “Mona Lisa”?", "Leonardo"),
    ],
)
def test_a_rewording_with_the_same_answer_is_near(one: str, other: str, answer: str) -> None:
    assert near(Gist(one, answer), Gist(other, answer.upper()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Gist("What is the capital of Japan?", "Tokyo"), Gist("What is the capital of Jordan?", "Amman")),
        (Gist("How much is 2 + 2?", "4"), Gist("How much is 2 - 2?", "0")),
        (Gist("Who wrote Hamlet?", "Shakespeare"), Gist("Which playwright was born in Stratford?", "Shakespeare")),
        (Gist("Who is this?", "Bach", "photo-1"), Gist("Who is this?", "Bach", "photo-2")),
    ],
)
def test_questions_of_one_pattern_or_one_answer_are_not_near(one: Gist, other: Gist) -> None:
    assert not near(one, other)


def test_the_same_question_with_another_answer_is_near_as_one_of_them_is_wrong() -> None:
    assert near(Gist("In which year?", "1945"), Gist("in which  YEAR?", "1946"))


def test_a_question_is_the_same_whatever_its_case_spaces_and_accents_are_written_like() -> None:
    assert fingerprint(Gist("Où est-ce ?", "ici")) == fingerprint(Gist("OU\u0300  EST-CE ?", "Ici"))
    assert fingerprint(Gist("2+2?", "4")) != fingerprint(Gist("2-2?", "4"))
    assert fingerprint(Gist("Who?", "x", "photo-1")) != fingerprint(Gist("Who?", "x", "photo-2"))


def test_the_bank_has_no_two_that_are_near() -> None:
    for language in ("en", "ru"):
        assert list(near_pairs(bank(language))) == []


def test_what_was_seen_is_found_by_its_number() -> None:
    seen = Seen([Gist("One?", "1"), Gist("Two?", "2")])
    seen.add(Gist("What is the capital of Japan?", "Tokyo"))
    assert seen.near(Gist("What's the capital of Japan?", "tokyo")) == 2
    assert seen.near(Gist("two?", "3")) == 1
    assert seen.near(Gist("Three?", "3")) is None


@pytest.mark.timeout(60)  # a second; a hundred times that if each is compared with each
def test_a_thousand_questions_with_two_answers_are_compared_in_time() -> None:
    many = [question(f"{Random(n).random()} is larger than {n}", str(n % 2 == 0)) for n in range(1000)]
    list(near_pairs(many))


# -- choosing ---------------------------------------------------------------------------------------------------

POOL = [question(f"Number {n * 7919}?", f"answer {n}") for n in range(20)]


def asked(*questions: Question, at: int = 1000) -> dict[str, tuple[int, Gist]]:
    return {each.id: (at, gist(each)) for each in questions}


def test_what_was_never_asked_comes_first() -> None:
    chosen = choose(POOL, asked(*POOL[:15]), 5, Random(1).shuffle)
    assert {each.id for each in chosen} == {each.id for each in POOL[15:]}


def test_what_was_asked_longest_ago_comes_next() -> None:
    had = asked(*POOL[:10], at=1000) | asked(*POOL[10:], at=2000)
    chosen = choose(POOL, had, 12, Random(1).shuffle)
    assert {each.id for each in POOL[:10]} <= {each.id for each in chosen}


def test_a_chat_gets_all_of_a_pack_before_any_of_it_again() -> None:
    had: dict[str, tuple[int, Gist]] = {}
    shuffle = Random(3).shuffle
    order: list[str] = []
    for now in range(4):
        chosen = choose(POOL, had, 6, shuffle)
        had |= asked(*chosen, at=now)
        order += [each.id for each in chosen]
    assert len(set(order[:18])) == 18
    assert set(order) == {each.id for each in POOL}


def test_two_near_ones_are_not_asked_in_one_quiz_while_there_are_others() -> None:
    twins = [question("What is the capital of Japan?", "Tokyo"), question("What's the capital of Japan?", "Tokyo")]
    for seed in range(20):
        chosen = choose([*twins, *POOL[:3]], {}, 4, Random(seed).shuffle)
        assert len({each.id for each in chosen} & {each.id for each in twins}) == 1
        everything = choose([*twins, *POOL[:3]], {}, 5, Random(seed).shuffle)
        assert len(everything) == 5


def test_what_is_near_to_something_asked_comes_after_the_fresh_and_before_the_asked() -> None:
    first, again = question("What is the capital of Japan?", "Tokyo"), question("What's the capital of Japan?", "Tokyo")
    pool = [first, again, *POOL[:2]]
    assert again.id not in {each.id for each in choose(pool, asked(first), 2, Random(1).shuffle)}
    assert {each.id for each in choose(pool, asked(first), 3, Random(1).shuffle)} == {q.id for q in pool[1:]}


def test_a_choice_is_as_long_as_the_pool_at_most_and_in_random_order() -> None:
    assert choose([], {}, 5, Random(1).shuffle) == ()
    assert len(choose(POOL, {}, 500, Random(1).shuffle)) == 20
    orders = {tuple(each.id for each in choose(POOL, {}, 5, Random(seed).shuffle)) for seed in range(30)}
    assert len(orders) == 30


def test_a_language_without_a_bank_gets_the_english_one() -> None:
    assert bank("xx") == bank("en")
    assert {each.pack for each in bank("ru")} == {"bank"}
    assert all(each.sound for language in ("en", "ru") for each in bank(language))
