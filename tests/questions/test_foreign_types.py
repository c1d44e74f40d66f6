"""Questions of other programs keep their type, explanation, formatting and pictures, or a note tells of the loss."""

from decimal import Decimal
from typing import Any

import pytest

from questions.packs import Pack
from tests.questions.support import asked, noted, read, refused


def only(pack: Pack) -> Any:
    (question,) = pack.questions
    return question


# -- GIFT ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "number", "tolerance"),
    [
        ("#3.141:0.001", "3.141", "0.001"),
        ("#1..5", "3", "2"),
        ("#1822", "1822", "0"),
        ("#-12.5:2", "-12.5", "2"),
        ("#\n  =1822:0#Right\n  =%50%1822:2#Nearly\n", "1822", "0"),
        ("#=%100%7:1 =%50%6:1", "7", "1"),
    ],
)
def test_a_number_of_gift_is_asked_for_with_its_tolerance(inside: str, number: str, tolerance: str) -> None:
    question = only(read(f"When was Grant born? {{{inside}}}", "x.gift"))
    assert (question.type, question.number, question.tolerance) == ("number", Decimal(number), Decimal(tolerance))
    assert question.explanation == ("Right" if "Right" in inside else "")


def test_weights_of_gift_tell_which_answers_are_right() -> None:
    text = """
Several? {~%33.3%a ~%33.3%b ~%33.3%c ~%-100%d}

One of two? {=a =b ~c}

Nearly? {=a ~%50%b ~c}

Weighed? {~%100%a ~%0%b}
"""
    pack = read(text, "x.gift")
    assert asked(pack) == [
        ("Several?", "a", "b", "c", "d"), ("One of two?", "a", "c"), ("Nearly?", "a", "c"), ("Weighed?", "a", "b"),
    ]  # fmt: skip
    assert [question.rights for question in pack.questions] == [(0, 1, 2), (), (), ()]
    assert noted(pack) == {"alternatives": (4,), "partly-right": (6,)}


def test_a_gap_of_gift_stands_close_to_the_sign_after_it() -> None:
    pack = read("Jesus was from {=Nazareth#Yes ~%25%Bethlehem#Born there ~Rome#No ~Galilee#Near}.", "x.gift")
    assert asked(pack) == [("Jesus was from _____.", "Nazareth", "Rome", "Galilee")]
    assert noted(pack) == {"explanations": (1,), "partly-right": (1,)}


def test_comments_of_gift_explain_the_answer() -> None:
    text = """
General? {=a#Yes ~b#No ####Because}

Sun? {T#It is one#Right you are####The nearest star}

Moon? {FALSE#It is none}

Plain? {=a#Yes, a \\= b ~b}
"""
    pack = read(text, "x.gift")
    assert [question.explanation for question in pack.questions] == ["Because", "The nearest star", "", "Yes, a = b"]
    assert [question.right for question in pack.questions[1:3]] == [0, 1]
    assert set(noted(pack)) == {"explanations"}


# -- Moodle -------------------------------------------------------------------------------------------------------


def moodle(type_: str, body: str, text: str = "Which?") -> str:
    return (
        f'<quiz><question type="{type_}"><questiontext format="html"><text><![CDATA[{text}]]></text></questiontext>'
        f"{body}</question></quiz>"
    )


def answer(text: str, fraction: float, more: str = "") -> str:
    return f'<answer fraction="{fraction}"><text><![CDATA[{text}]]></text>{more}</answer>'


def test_every_type_of_moodle_that_the_quiz_has_is_kept() -> None:
    comment = "<generalfeedback><text>Because</text></generalfeedback>"
    several = "<single>false</single>" + answer("a", 50) + answer("b", 50) + answer("c", -100) + comment
    question = only(read(moodle("multichoice", several), "x.xml"))
    assert (question.answers, question.rights, question.explanation) == (("a", "b", "c"), (0, 1), "Because")
    number = answer("9.81", 100, "<tolerance>0.01</tolerance>") + answer("10", 50, "<tolerance>1</tolerance>")
    question = only(read(moodle("numerical", number), "x.xml"))
    assert (question.number, question.tolerance) == (Decimal("9.81"), Decimal("0.01"))
    order = answer("third", 3) + answer("first", 1) + answer("second", 2)
    question = only(read(moodle("ordering", order), "x.xml"))
    assert (question.type, question.answers) == ("order", ("first", "second", "third"))
    truth = answer("true", 0) + answer("false", 100, "<feedback><text>It is not</text></feedback>")
    question = only(read(moodle("truefalse", truth), "x.xml"))
    assert (question.right, question.explanation) == (1, "It is not")


@pytest.mark.parametrize("type_", ["shortanswer", "matching", "cloze", "essay", "description", "ddwtos", "numerical"])
def test_types_of_moodle_that_the_quiz_does_not_have_are_told(type_: str) -> None:
    text = moodle(type_, answer("a", 100)).replace("</quiz>", moodle("truefalse", answer("true", 100))[6:])
    pack = read(text, "x.xml")
    assert (len(pack.questions), noted(pack)) == (1, {"other-types": (1,)})


def test_formatting_of_html_keeps_its_meaning() -> None:
    text = "<p>What is 10<sup>3</sup> x H<sub>2</sub>O<br>&amp; e<sup>-x</sup>?</p><table><td>a</td><td>b</td></table>"
    body = "<single>true</single>" + answer("m<sup>2</sup>", 100) + answer("<p>&lt;b&gt;</p>", 0)
    pack = read(moodle("multichoice", body, text), "x.xml")
    assert asked(pack) == [("What is 10³ x H₂O & e^(-x)? a b", "m²", "<b>")]


def test_pictures_sounds_and_formulas_are_taken_or_told() -> None:
    body = "<single>true</single>" + answer("a", 100) + answer("b", 0)
    address = "https://example.org/a.png?x=1&amp;y=2"
    pack = read(moodle("multichoice", body, f'Who? <img src="{address}" alt="">'), "x.xml")
    assert (only(pack).photo, noted(pack)) == ("https://example.org/a.png?x=1&y=2", {})
    lost = '<img src="@@PLUGINFILE@@/a.png"><audio src="b.mp3"></audio> \\(x^2\\)'
    text = moodle("multichoice", body, lost + "Who?").replace(
        "</questiontext>", '<file name="a.png">A</file></questiontext>'
    )
    assert set(noted(read(text, "x.xml"))) == {"pictures", "sounds", "formulas"}
    images = "<single>true</single>" + answer('<img src="@@PLUGINFILE@@/a.png">', 100) + answer('<img src="b.png">', 0)
    text = moodle("multichoice", images).replace("</quiz>", moodle("truefalse", answer("true", 100))[6:])
    pack = read(text, "x.xml")
    assert (len(pack.questions), noted(pack)["empty-answers"]) == (1, (1,))


def test_moodles_encoding_is_known_whatever_it_declares() -> None:
    text = '<?xml version="1.0" encoding="windows-1251"?>' + moodle("truefalse", answer("true", 100), "Вода мокрая.")
    for encoding in ("cp1251", "utf-8", "utf-16"):
        assert only(read(text.encode(encoding), "x.xml")).text == "Вода мокрая."


# -- Anki ---------------------------------------------------------------------------------------------------------


def test_the_gaps_of_ankis_texts_are_asked_for() -> None:
    text = (
        "#separator:tab\n#html:true\n#notetype column:1\n#tags column:4\n"
        "Cloze\t{{c1::Canberra::city}} was founded in {{c2::1913}}.\tIn Australia\tgeo\n"
        "Basic\tCapital of <b>Peru</b>?\tLima\tgeo\n"
    )
    pack = read(text, "deck.txt")
    assert [(question.text, question.answers[0], question.explanation) for question in pack.questions] == [
        ("_____ (city) was founded in 1913.", "Canberra", "In Australia"),
        ("Canberra was founded in _____.", "1913", "In Australia"),
        ("Capital of Peru?", "Lima", ""),
    ]


def test_an_extra_field_of_anki_explains_the_answer_and_media_are_told() -> None:
    text = (
        "#separator:tab\n#html:true\n#columns:Front\tBack\tHint\tExtra\n"
        'Sun? <img src="sun.jpg">\tstar\twarm\tThe nearest one\n[sound:m.mp3]Moon?\tmoon\t\t\n'
    )
    pack = read(text, "deck.txt")
    assert [question.explanation for question in pack.questions] == ["The nearest one", ""]
    assert noted(pack) == {"pictures": (4,), "sounds": (5,), "fields": (4,), "wrong-from-others": ()}
    plain = read("#separator:semicolon\na?;b;why\nc?;d;\n", "deck.txt")
    assert plain.questions[0].explanation == "why"


# -- Open Trivia DB and explanations ------------------------------------------------------------------------------


def test_a_statement_of_open_trivia_db_is_true_or_false() -> None:
    text = (
        '{"results":[{"type":"boolean","difficulty":"easy","category":"Science &amp; Art","question":"It&#039;s so.",'
        '"correct_answer":"False","incorrect_answers":["True"]}]}'
    )
    question = only(read(text, "x.json"))
    assert (question.type, question.text, question.answers[question.right]) == ("true_false", "It's so.", "False")
    assert question.category == "Science & Art"


def test_a_question_of_the_trivia_api_is_read() -> None:
    text = (
        '[{"category":"science","id":"622a","correctAnswer":"Mercury","incorrectAnswers":["Venus","Mars","Earth"],'
        '"question":{"text":"Which planet is first?"},"tags":[],"type":"text_choice","difficulty":"easy"}]'
    )
    assert asked(read(text, "x.json")) == [("Which planet is first?", "Mercury", "Venus", "Mars", "Earth")]


def test_a_long_explanation_is_cut_and_told() -> None:
    text = f"Question,A,B,Answer,Explanation\nWhich?,one,two,A,{'because ' * 40}\n"
    pack = read(text, "x.csv")
    assert only(pack).explanation.endswith("because…")
    assert len(only(pack).explanation) <= 200
    assert noted(pack) == {"long-explanations": (2,)}


def test_more_right_answers_than_a_question_may_have_are_told() -> None:
    options = ",".join(f"O{n}" for n in range(1, 11))
    header = ",".join(f"Option {n}" for n in range(1, 11))
    text = f'Question,{header},Correct\nAll?,{options},"1,2,3,4,5,6,7,8,9"\nMost?,{options},"1,2"\n'
    pack = read(text, "x.csv")
    assert (len(only(pack).answers), only(pack).rights) == (8, (0, 1))
    assert noted(pack) == {"several-right": (2,), "more-answers": (3,)}


def test_right_answers_are_told_by_letters_and_texts_too() -> None:
    for told in ("A;C", "a, c", "one; three", "1,3", "A/C"):
        text = f'Question,A,B,C,Answer\nWhich?,one,two,three,"{told}"\n'
        assert only(read(text, "x.csv")).rights == (0, 1), told
    assert refused('Question,A,B,C,Answer\nWhich?,one,two,three,"one; four"\n', "x.csv") == [(2, "E", "no-such-answer")]


# -- what is not certain ------------------------------------------------------------------------------------------


def test_a_number_that_could_be_an_answers_text_is_a_mistake_except_in_templates() -> None:
    row = "How many?,2,4,3,5,4,20"
    assert refused(f"Question,Option 1,Option 2,Option 3,Option 4,Correct,Time\n{row}\n", "x.csv") == [
        (2, "F", "ambiguous-answer")
    ]
    header = "Question Text,Option 1,Option 2,Option 3,Option 4,Correct Answer,Time in seconds"
    assert asked(read(f"{header}\n{row}\n", "x.csv")) == [("How many?", "5", "2", "4", "3")]


def test_long_fractions_keep_their_answers_right_and_odd_ones_are_refused() -> None:
    body = "<single>false</single>" + "".join(answer(each, 14.2857142857) for each in "abcdefg") + answer("h", -100)
    assert only(read(moodle("multichoice", body), "x.xml")).rights == tuple(range(7))
    text = moodle("multichoice", '<answer fraction="33,3"><text>a</text></answer>' + answer("b", 0))
    assert refused(text, "x.xml") == [(0, "", "damaged-xml")]
    assert only(read("Which? {~%33.333333333%a ~%66.666666667%b ~c}", "x.gift")).rights == (0, 1)


def test_a_letter_of_aiken_that_stands_twice_is_a_mistake() -> None:
    assert refused("Which?\nA. one\nB. two\nB. three\nANSWER: B\n", "x.txt") == [(4, "", "aiken-order")]


# -- lists of answers in JSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "rights"),
    [
        ('"options": ["a", "b"], "answer": "b"', ("b",)),
        ('"choices": ["one", "two", "three"], "correctAnswer": "C"', ("three",)),
        ('"options": ["2", "4"], "correct": 4', ("4",)),
        ('"options": ["one", "two", "three"], "correct": ["one", "three"]', ("one", "three")),
    ],
)
def test_a_json_question_with_a_list_of_answers_is_read(item: str, rights: tuple[str, ...]) -> None:
    pack = read(f'[{{"question": "Which?", {item}, "explanation": "So", "points": 5}}]', "x.json")
    assert only(pack).answers[: len(rights)] == rights
    assert only(pack).explanation == "So"
    assert {note.code: note.names for note in pack.notes} == {"other-columns": ("points",)}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ('"options": ["one", "two"], "answer": 1', "index-answer"),
        ('"options": ["b", "a"], "answer": "a"', "no-such-answer"),
        ('"options": ["one", "two"], "answer": "three"', "no-such-answer"),
        ('"options": ["one", "two"]', "missing-right"),
        ('"options": "one", "answer": "one"', "bad-list"),
        ('"options": ["one", "two"], "answer": {"id": 1}', "not-text"),
    ],
)
def test_a_json_question_whose_right_answer_is_not_certain_is_a_mistake(item: str, code: str) -> None:
    assert code in [found for *_, found in refused(f'[{{"question": "Which?", {item}}}]', "x.json")]
