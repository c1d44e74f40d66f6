"""What kinds of games have beside rules, views and verbs. A kind that needs none of it is not in here."""

from fsm.engine import Clock
from handlers.kinds.consumer import ConsumerContext
from handlers.kinds.quiz.consumer import QuizConsumer
from handlers.kinds.quiz.content import QuizContent
from play.content import ContentProvider, ContentProviders
from storage.people import People
from storage.questions import Questions

SHOWS = (QuizConsumer.name,)
"""What `shows` gives, by name: each reads the feed as a group of its own."""


def supplies(questions: Questions, people: People, clock: Clock) -> ContentProviders:
    """What games are played with, by kind."""
    quiz = QuizContent(questions, people, clock)
    return {"quiz": ContentProvider(quiz.take, quiz.give_back)}


def shows(stage: ConsumerContext) -> tuple[QuizConsumer, ...]:
    """What is shown beside the living messages."""
    return (QuizConsumer(stage),)
