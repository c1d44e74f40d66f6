"""Files as people, quiz programs and chatbots write them: read as meant, or refused with a line that helps."""

import json
import re

import pytest

from play.pack_texts import mistake_html
from play.packs import vocabulary
from questions.pack_reader import read_pack
from questions.packs import PackRefused
from tests.questions.support import TEXTS


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
    russian = told("one two three\nfour\n", "x.csv", "ru")
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
