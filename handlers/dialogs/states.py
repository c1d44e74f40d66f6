"""The windows of the dialogs that lead to each other."""

from aiogram.fsm.state import State, StatesGroup


class NewGame(StatesGroup):
    """A new game of Pick Your Number."""

    summary = State()
    field = State()


class NewQuiz(StatesGroup):
    """A new quiz."""

    summary = State()
    field = State()


class ChatSettings(StatesGroup):
    """A chat's settings, and its rules of Pick Your Number."""

    summary = State()
    field = State()
    language = State()


class QuizSettings(StatesGroup):
    """A chat's rules of quizzes."""

    summary = State()
    field = State()
