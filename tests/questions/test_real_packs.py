"""Files as people, quiz programs and chatbots write them: read as meant, or refused with a line that helps."""

import json
import re

import pytest

from play.pack_texts import mistake_html
from play.packs import vocabulary
from questions.pack_reader import read_pack
from questions.packs import PackRefused
from tests.questions.support import TEXTS, asked, noted, read, refused


def told(content: str, name: str, locale: str) -> str:
    """Return the mistakes of a file as its host reads them."""
    with pytest.raises(PackRefused) as caught:
        read_pack(content.encode(), name, vocabulary(TEXTS, locale))
    lines = "\n".join(mistake_html(TEXTS, locale, mistake) for mistake in caught.value.mistakes)
    return re.sub("[\u2068\u2069]", "", lines)  # without the marks that Fluent puts around a parameter


# -- mistakes in the language of the host ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "named"),
    [("ru", "<code>Неверный 1</code>"), ("es", "<code>Incorrecta 1</code>"), ("en", "<code>Wrong 1</code>")],
)
def test_a_mistake_in_a_table_names_the_column_in_the_language_of_the_host(locale: str, named: str) -> None:
    assert named in told("question,answer,wrong1\nWhy?,yes,\n", "x.csv", locale)
    assert named in told("question,answer,wrong1,wrong2\nWhy?,yes,no,no\n", "x.csv", locale)


def test_the_known_columns_are_listed_in_the_language_of_the_host() -> None:
    russian = told("one,two,three\nfour,five,six\n", "x.csv", "ru")
    assert "Вопрос, Ответ, Неверный 1" in russian
    assert "wrong1" not in russian


def test_a_misspelt_name_is_corrected_in_the_language_it_was_written_in() -> None:
    assert "Сложность" in told("Вопрос;Ответ;Неверный 1;Сложнасть\nЧто?;да;нет;\n", "x.csv", "ru")


def test_a_mistake_in_json_names_the_field_as_json_has_it() -> None:
    questions = [{"question": "Почему?", "answer": "", "wrong": ["нет"]}]
    assert "<code>answer</code>" in told(json.dumps(questions), "x.json", "ru")
    assert "<code>wrong</code>" in told(json.dumps([{"question": "Почему?", "answer": "да"}]), "x.json", "ru")


def test_levels_and_types_are_offered_in_the_language_of_the_host() -> None:
    russian = told("question,answer,wrong1,difficulty,type\nWhy?,yes,no,brutal,\nWho?,me,you,,poll\n", "x.csv", "ru")
    assert "easy" not in russian
    assert "true_false" not in russian


# -- a question and its answer -----------------------------------------------------------------------------------

CAPITALS = [("Capital of Chile?", "Santiago"), ("Capital of Peru?", "Lima"), ("Capital of Cuba?", "Havana")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a table", "Question,Answer\n" + "".join(f"{asks},{answer}\n" for asks, answer in CAPITALS)),
        ("a table with a counter", "№;Вопрос;Ответ\n" + "".join(f"1;{asks};{answer}\n" for asks, answer in CAPITALS)),
        ("Quizlet", "".join(f"{asks}\t{answer}\n" for asks, answer in CAPITALS)),
        ("Quizlet's other separators", "\n\n".join(f"{asks} - {answer}" for asks, answer in CAPITALS)),
        ("semicolons without a header", "".join(f"{asks};{answer}\r\n" for asks, answer in CAPITALS)),
        ("JSON", json.dumps([{"question": asks, "answer": answer} for asks, answer in CAPITALS])),
    ],
)
def test_questions_with_only_their_answers_get_those_of_others_as_wrong_ones(name: str, content: str) -> None:
    pack = read(content, "x.json" if name == "JSON" else "x.txt")
    assert asked(pack)[0] == ("Capital of Chile?", "Santiago", "Lima", "Havana")
    assert "wrong-from-others" in noted(pack)


def test_a_list_without_a_header_says_that_its_first_line_is_a_question() -> None:
    assert "no-header" in noted(read("der Hund\tthe dog\ndie Katze\tthe cat\n", "x.txt"))
    assert refused("Question\tAntwort\nWarum?\tDarum\n", "x.txt")[0] == (1, "answer", "missing-column")
    assert refused("Why?,yes,no\nWho?,me,you\n", "x.csv") == [(1, "", "no-header")]


def test_an_unknown_column_beside_answers_may_hold_the_wrong_ones_and_is_refused() -> None:
    codes = [code for _, _, code in refused("Question,Answer,Zzz\nWhy?,yes,no\nWho?,me,you\n", "x.csv")]
    assert codes == ["missing-column", "unknown-column"]


def test_letters_of_answers_that_stand_elsewhere_are_no_answers() -> None:
    rows = '"Where? A) Lima B) Quito",B\n"Who? A) Me B) You",A\n'
    assert {code for _, _, code in refused(f"Question,Answer\n{rows}", "x.csv")} == {"missing-cell"}


def test_a_number_gets_numbers_as_wrong_answers() -> None:
    rows = "When?,1492\nWhere?,Lima\nHow many?,7\nWho?,Bolívar\nHow long?,12\nHow far?,300\n"
    assert asked(read(f"question,answer\n{rows}", "x.csv"))[0] == ("When?", "1492", "7", "12", "300")


def test_statements_with_true_and_false_are_statements() -> None:
    pack = read("Вопрос;Ответ\nСолнце — звезда;Верно\nЛуна — звезда;Неверно\n", "x.csv")
    assert [(question.type, question.right) for question in pack.questions] == [("true_false", 0), ("true_false", 1)]
    pack = read('[{"question": "The Sun is a star.", "answer": true}]', "x.json")
    assert (pack.questions[0].type, pack.questions[0].right) == ("true_false", 0)


# -- columns as people name them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ['"Lima; Quito; La Paz"', '"Lima, Quito, La Paz"', '"Lima\nQuito\nLa Paz"'])
@pytest.mark.parametrize("name", ["Wrong answers", "Неправильные ответы", "Respuestas incorrectas"])
def test_all_wrong_answers_may_be_in_one_cell(name: str, cell: str) -> None:
    pack = read(f"Question,Answer,{name}\nCapital of Chile?,Santiago,{cell}\n", "x.csv")
    assert asked(pack) == [("Capital of Chile?", "Santiago", "Lima", "Quito", "La Paz")]


def test_a_comma_within_a_number_separates_no_answers() -> None:
    assert asked(read('Вопрос;Ответ;Неверные ответы\nПи?;3,14;"3,41, 2,71"\n', "x.csv")) == [
        ("Пи?", "3,14", "3,41", "2,71")
    ]


def test_columns_without_a_name_are_never_lost_silently() -> None:
    pack = read("question,answer,wrong1,,\nCapital of Chile?,Santiago,Lima,Quito,La Paz\n", "x.csv")
    assert asked(pack) == [("Capital of Chile?", "Santiago", "Lima", "Quito", "La Paz")]
    pack = read("question,,answer,wrong1,category,\nWhy?,aside,yes,no,Geo,check\n", "x.csv")
    assert asked(pack) == [("Why?", "yes", "no")]
    assert noted(pack) == {"unnamed-columns": (2,)}


def test_counters_are_ignored_and_points_are_told() -> None:
    pack = read("№,Вопрос,Ответ,Неверный 1,Баллы,Время\n1,Что?,да,нет,10,20\n", "x.csv")
    assert noted(pack) == {"other-columns": ()}
    assert pack.notes[0].names == ("баллы", "время")


def test_more_than_three_wrong_answers_are_left_out_with_a_note() -> None:
    pack = read("question,answer,wrong1,wrong2,wrong3,wrong4\nWhy?,a,b,c,d,e\n", "x.csv")
    assert (asked(pack), noted(pack)) == ([("Why?", "a", "b", "c", "d")], {"more-answers": (2,)})


@pytest.mark.parametrize("header", ["Question,A,B,C", "Question,Answer 1,Answer 2,Answer 3", "Вопрос,А,Б,В"])
def test_answers_without_the_right_one_are_refused_with_one_line(header: str) -> None:
    assert refused(f"{header}\nWhy?,a,b,c\n", "x.csv") == [(1, "", "no-correct-column")]


@pytest.mark.parametrize(
    ("told_as", "right"),
    [("b)", "Lyon"), ("B.", "Lyon"), ("(b)", "Lyon"), ("Option 2", "Lyon"), ("Option B", "Lyon"), ("B) Lyon", "Lyon"),
     ("lyon", "Lyon"), ("В", "Lyon")],
)  # fmt: skip
def test_the_right_answer_is_named_as_people_do(told_as: str, right: str) -> None:
    text = f"Question,Option A,Option B,Option C,Correct\nWhere?,Paris,Lyon,Nice,{told_as}\n"
    assert asked(read(text, "x.csv")) == [("Where?", right, "Paris", "Nice")]


def test_a_letter_and_a_text_that_disagree_are_refused() -> None:
    for told_as in ("A) Lyon", "D)", "B) Rome"):
        text = f"Question,Option A,Option B,Option C,Correct\nWhere?,Paris,Lyon,Nice,{told_as}\n"
        assert refused(text, "x.csv") == [(2, "E", "no-such-answer")]


@pytest.mark.parametrize("told_as", ["A and C", "A & C", '"A, C"', "AC", "А и С"])
def test_several_letters_are_several_right_answers(told_as: str) -> None:
    (question,) = read(f"Question,A,B,C,D,Correct\nPrimes?,2,4,3,6,{told_as}\n", "x.csv").questions
    assert (question.type, question.answers[:2], question.rights) == ("several", ("2", "3"), (0, 1))


def test_a_number_too_large_to_count_answers_is_an_answer() -> None:
    text = "Вопрос;Вариант 1;Вариант 2;Вариант 3;Ответ\nСколько ног у паука?;6;8;10;8\n"
    assert asked(read(text, "x.csv")) == [("Сколько ног у паука?", "8", "6", "10")]


def test_a_file_with_only_unknown_types_says_so() -> None:
    text = "Type,Question,Option 1,Option 2,Correct\nOpen-ended,Why?,a,b,1\n"
    assert refused(text, "x.csv") == [(0, "", "no-known-types")]


# -- chatbots ----------------------------------------------------------------------------------------------------


def test_numbers_of_questions_and_letters_of_answers_are_taken_off() -> None:
    text = (
        "Question,Option A,Option B,Option C,Correct\n"
        "1. Capital of Chile?,A) Lima,B) Santiago,C) Quito,B) Santiago\n"
        "2. Capital of Peru?,A) Lima,B) Santiago,C) Quito,A\n"
    )
    assert asked(read(text, "x.csv")) == [
        ("Capital of Chile?", "Santiago", "Lima", "Quito"),
        ("Capital of Peru?", "Lima", "Santiago", "Quito"),
    ]


def test_what_only_looks_like_numbering_stays() -> None:
    text = 'question,answer,wrong1,wrong2\n"1. FC Köln: founded?",1. May,2. May,3. May\nWho?,E. Poe,C. Darwin,A. Gide\n'
    assert asked(read(text, "x.csv")) == [
        ("1. FC Köln: founded?", "1. May", "2. May", "3. May"),
        ("Who?", "E. Poe", "C. Darwin", "A. Gide"),
    ]


def test_an_answer_that_names_others_by_letter_is_pointed_out() -> None:
    text = "Question,A,B,C,Correct\nWhich is red?,cherry,tomato,Both A and B,C\n"
    assert noted(read(text, "x.csv")) == {"answers-by-letter": (2,)}


@pytest.mark.parametrize(
    "text",
    [
        (
            "Here are 2 questions:\n\n**1. Capital of Chile?**\nA. Lima\nB. Santiago\n**Answer: B**\n\n---\n"
            "**2. Capital of Peru?**\nA. Lima\nB. Santiago\n**Answer: A**\n"
        ),
        (
            "1. Capital of Chile?\nа) Lima\nб) Santiago\nПравильный ответ: б) Santiago\n\n"
            "2. Capital of Peru?\nа) Lima\nб) Santiago\nОтвет: а\n"
        ),
        (
            "Pregunta 1: Capital of Chile?\na) Lima\nb) Santiago\nRespuesta correcta: b\n"
            "Pregunta 2: Capital of Peru?\na) Lima\nb) Santiago\nRespuesta: Lima\n"
        ),
        (
            "### Question 1\nCapital of Chile?\n- A) Lima\n- B) Santiago ✅\n\n### Question 2\nCapital of Peru?\n"
            "- A) Lima ✅\n- B) Santiago\n"
        ),
        (
            "```csv\nquestion, answer, wrong1\nCapital of Chile?, Santiago, Lima\n"
            '"Capital of Peru?", "Lima", "Santiago"\n```\n\nAnything else?\n'
        ),
        (
            "| # | Question | A | B | Answer |\n|---|:---|---|---|---|\n"
            "| 1 | Capital of Chile? | Lima | **Santiago** | B |\n"
            "| 2 | Capital of Peru? | Lima | Santiago | A |\n"
        ),
        (
            '```json\n[{"question": "Capital of Chile?", "answer": "Santiago", "wrong": ["Lima"]},\n'
            '{"question": "Capital of Peru?", "answer": "Lima", "wrong": ["Santiago"]}]\n```\n'
        ),
    ],
)
@pytest.mark.parametrize("name", ["x.txt", "x.md"])
def test_an_answer_of_a_chatbot_is_read(text: str, name: str) -> None:
    expected = [("Capital of Chile?", "Santiago", "Lima"), ("Capital of Peru?", "Lima", "Santiago")]
    assert asked(read(text, name)) == expected


def test_a_list_with_explanations_and_several_right_answers_is_read() -> None:
    text = "1. Primes?\nA) 2\nB) 3\nC) 4\nAnswer: A and B\nExplanation: 4 is 2 × 2.\n2. Sum?\nA) 4\nB) 5\nAnswer: A\n"
    first, second = read(text, "x.txt").questions
    assert (first.type, first.rights, first.explanation, first.answers) == (
        "several", (0, 1), "4 is 2 × 2.", ("2", "3", "4")
    )  # fmt: skip
    assert (second.text, second.answers) == ("Sum?", ("4", "5"))


def test_a_list_with_a_wrong_or_missing_answer_is_refused_with_its_line() -> None:
    text = "1. Why?\nA) a\nB) b\nAnswer: A\n\n2. Who?\nA) a\nB) b\nAnswer: {}\n"
    for told_as in ("D", "A) b", "c"):
        assert refused(text.format(told_as), "x.txt") == [(6, "ANSWER", "no-such-answer")]
    assert refused("1. Why?\nA) a\nB) b\n2. Who?\nA) a\nB) b\nC) c\nD) d\nAnswer: A\n", "x.txt") == [
        (1, "", "aiken-order")
    ]


def test_escapes_of_html_in_a_table_are_resolved_unless_html_is_asked_for() -> None:
    text = "question,answer,wrong1\nWho said &quot;No&quot;?,Tom &amp; Ann,Bob\nWhich HTML is a quote?,&quot;,&amp;\n"
    assert asked(read(text, "x.csv")) == [
        ('Who said "No"?', "Tom & Ann", "Bob"),
        ("Which HTML is a quote?", "&quot;", "&amp;"),
    ]


# -- JSON as programs and chatbots write it ----------------------------------------------------------------------

OPTIONS = ["Lima", "Santiago", "Quito"]


@pytest.mark.parametrize(
    "item",
    [
        {"options": {"A": "Lima", "B": "Santiago", "C": "Quito"}, "correct_answer": "B"},
        {"answers": [{"text": text, "correct": text == "Santiago"} for text in OPTIONS]},
        {"answers": [{"answer": text, "isCorrect": text == "Santiago"} for text in OPTIONS]},
        {"options": ["A) Lima", "B) Santiago", "C) Quito"], "answer": "B"},
        {"optionA": "Lima", "optionB": "Santiago", "optionC": "Quito", "correctOption": "optionB"},
        {"choices": OPTIONS, "correctAnswer": "Santiago"},
        {"correctAnswer": "Santiago", "wrongAnswers": ["Lima", "Quito"]},
    ],
)
def test_json_names_the_right_answer_in_many_ways(item: dict[str, object]) -> None:
    pack = read(json.dumps([{"question": "Capital of Chile?", **item}]), "x.json")
    assert asked(pack) == [("Capital of Chile?", "Santiago", "Lima", "Quito")]


def test_an_index_in_json_counts_from_where_another_question_proves_it() -> None:
    def rights(first: int, second: int) -> str:
        return json.dumps([{"question": f"{index}?", "options": OPTIONS, "answer": index} for index in (first, second)])

    assert [answers[1] for answers in asked(read(rights(0, 1), "x.json"))] == ["Lima", "Santiago"]
    assert [answers[1] for answers in asked(read(rights(3, 1), "x.json"))] == ["Quito", "Lima"]
    for first, second in ((1, 2), (0, 3)):
        assert {code for _, _, code in refused(rights(first, second), "x.json")} == {"index-answer"}


def test_json_lines_and_russian_fields_are_read() -> None:
    item = {"вопрос": "Столица Чили?", "ответ": "Сантьяго", "неверные": ["Лима", "Кито"]}
    lines = "\n".join(json.dumps({**item, "вопрос": asks}, ensure_ascii=False) for asks in ("Столица Чили?", "Чили?"))
    assert asked(read(lines, "x.jsonl"))[0] == ("Столица Чили?", "Сантьяго", "Лима", "Кито")


# -- other shapes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    ['"A) Lima\nB) Santiago\nC) Quito"', '"A. Lima B. Santiago C. Quito"', '"Lima; Santiago; Quito"',
     '"Lima, Santiago, Quito"', "\"['Lima', 'Santiago', 'Quito']\""],
)  # fmt: skip
@pytest.mark.parametrize("right", ["Santiago", "B", "B) Santiago"])
def test_all_answers_may_be_in_one_cell(cell: str, right: str) -> None:
    pack = read(f"Question,Options,Answer\nCapital of Chile?,{cell},{right}\n", "x.csv")
    assert asked(pack) == [("Capital of Chile?", "Santiago", "Lima", "Quito")]


def test_commas_that_may_stand_within_answers_separate_none() -> None:
    text = 'Question,Options,Answer\nWhere?,"Paris, France{} Rome, Italy","Paris, France"\n'
    assert refused(text.format(","), "x.csv") == [(2, "B", "unclear-list")]
    assert asked(read(text.format(";"), "x.csv")) == [("Where?", "Paris, France", "Rome, Italy")]


def test_a_list_of_python_in_a_cell_is_a_list_of_wrong_answers() -> None:
    text = 'question,correct_answer,incorrect_answers\nCapital of Chile?,Santiago,"[\'Lima\', ""Côte d\'Azur""]"\n'
    assert asked(read(text, "x.csv")) == [("Capital of Chile?", "Santiago", "Lima", "Côte d'Azur")]


@pytest.mark.parametrize("names", [("Q", "A"), ("Вопрос 1", "Ответ"), ("**Pregunta", "**Respuesta")])
def test_questions_and_answers_in_turns_are_read(names: tuple[str, str]) -> None:
    asks, answers = names
    text = "".join(f"{asks}: {question}\n{answers}: {answer}\n\n" for question, answer in CAPITALS)
    assert asked(read(text, "x.txt"))[0] == ("Capital of Chile?", "Santiago", "Lima", "Havana")


@pytest.mark.parametrize("name", ["Wrong answer #1", "Неверный ответ № 1"])
def test_numbers_of_columns_may_have_a_sign(name: str) -> None:
    assert asked(read(f"question;answer;{name}\nWhy?;yes;no\n", "x.csv")) == [("Why?", "yes", "no")]


def test_a_text_that_is_neither_table_nor_list_is_told_both_ways() -> None:
    text = "Q1. Largest planet?\nA) Mars\nB) Jupiter\n\nQ2. Water?\nA) H2O\nB) CO2\n\nAnswers:\n1. B\n2. A\n"
    assert refused(text, "x.txt") == [(0, "", "no-table")]
