"""What kinds of games have beside rules, views and verbs. A kind that needs none of it is not in here."""

from fsm.engine import Clock
from handlers.quiz_show import QuizShow
from handlers.quiz_supply import QuizSupply
from handlers.stage import Show, Stage
from handlers.supplies import Supplies
from storage.people import People
from storage.questions import Questions

SHOWS = (QuizShow.name,)
"""What `shows` gives, by name: each reads the feed as a group of its own."""


def supplies(questions: Questions, people: People, clock: Clock) -> Supplies:
    """What games are played with, by kind."""
    return {"quiz": QuizSupply(questions, people, clock)}


def shows(stage: Stage) -> tuple[Show, ...]:
    """What is shown beside the living messages."""
    return (QuizShow(stage),)
