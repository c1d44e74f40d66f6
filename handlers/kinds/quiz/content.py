"""The content of a quiz: questions from the bank or a host's pack. A chat gets none twice while new ones are left."""

from dataclasses import replace
from random import SystemRandom

from loguru import logger

from fsm.engine import Clock
from fsm.lobby import OpenGame
from fsm.question import POLLED, Question
from fsm.quiz import NATIVE_POLLS, QuizRules
from handlers.kinds.quiz.pace import pace_of
from play.content import ContentProvider, NoQuestions
from play.texts import DEFAULT_LOCALE
from questions.bank import bank
from storage.connections import POSTGRES_GONE
from storage.jobs import NewJob
from storage.people import People
from storage.questions import Filter, Questions
from storage.seeds import Seeds

PREPARATION = "quiz"
"""The kind of job that goes on with a quiz after its questions were taken, see ``preparation.py``."""
PREPARE_SECONDS = 60.0
"""Delay after which it looks whether the quiz was opened; longer than any opening takes."""


class QuizContent:
    """Takes questions for quizzes from the bank or a pack, and returns questions that were not asked."""

    def __init__(self, questions: Questions, people: People, clock: Clock) -> None:
        self._questions = questions
        self._people = people
        self._clock = clock

    async def take(self, opening: OpenGame) -> OpenGame:
        """Choose the questions of a quiz and note them as asked. Raises ``NoQuestions``.

        If there are fewer questions than the rules want, the rules are reduced to their number.
        """
        rules: QuizRules = opening.rules
        chat_topic, game_id = opening.place, opening.game_id
        if NATIVE_POLLS in opening.without:
            rules = replace(rules, polls=False)
        only = Filter(rules.categories, (rules.difficulty,) if rules.difficulty else ())
        locale = await locale_of(self._people, chat_topic.chat_id)
        try:
            chosen = await self._questions.choose(
                chat_topic.chat_id,
                rules.questions,
                self._clock.now(),
                locale=locale,
                pack_id=rules.pack,
                only=only,
                game_id=game_id,
                job=preparation_of(chat_topic.chat_id, game_id),
            )
        except POSTGRES_GONE as problem:
            if rules.pack is not None:
                raise
            logger.warning(
                "choosing questions at random, because the chat's earlier questions are unknown: {}", problem
            )
            fitting = [question for question in bank(locale) if only.passes(question)]
            chosen = tuple(SystemRandom().sample(fitting, min(rules.questions, len(fitting))))
        if not chosen:
            raise NoQuestions
        rules = replace(rules, questions=len(chosen))
        photos = any(question.photo for question in chosen)
        polls = any(question.type in POLLED for question in chosen)
        fitted = replace(rules, pace_ms=pace_of(rules, photos=photos, polls=polls))
        return replace(opening, rules=fitted, content=chosen)

    async def give_back(self, opening: OpenGame) -> None:
        """Release questions that were noted as asked, but were not."""
        try:
            await self._questions.give_back(opening.place.chat_id, opening.content, opening.game_id)
        except POSTGRES_GONE as problem:
            logger.warning("unused questions remain recorded as asked: {}", problem)


def content(questions: Questions, people: People, _seeds: Seeds, clock: Clock) -> ContentProvider:
    """Return the provider of questions for quizzes."""
    provider = QuizContent(questions, people, clock)
    return ContentProvider(provider.take, provider.give_back)


def preparation_of(chat_id: int, game_id: str) -> NewJob:
    """Return the job that prepares a quiz, or releases its questions if it was not opened."""
    return NewJob(PREPARATION, game_id, chat_id=chat_id, delay=PREPARE_SECONDS)


async def locale_of(people: People, chat_id: int) -> str:
    """Return the locale of a chat."""
    chat = await people.chat(chat_id)
    return chat.locale if chat is not None and chat.locale else DEFAULT_LOCALE


def sample(rules: QuizRules) -> tuple[Question, ...]:
    """Take the first questions of the bank."""
    return bank(DEFAULT_LOCALE)[: rules.questions]
