"""``/start_quiz``: opens a quiz in one line."""

from dataclasses import replace
from decimal import Decimal

from fsm.quiz import KIND, QuizRules
from handlers.commands.command import Command, for_hosts
from handlers.context import UpdateContext
from handlers.opening import open_game
from play.access import Needs
from play.numbers import Unreadable, amount
from play.rules import with_words


async def start_quiz(context: UpdateContext) -> None:
    """Handle ``/start_quiz [questions] [seconds] [players] [conditions]``: open a quiz with these rules."""
    rules = await context.deps.play.openings.rules(context.chat_topic.chat_id, KIND.name)
    rules, words = with_words(rules, context.arguments.split())
    wanted = with_line(rules, " ".join(words), context.locale)
    if wanted is None:
        await context.reply("cmd-usage-start_quiz")
        return
    await open_game(context, KIND.name, "", wanted)


def with_line(rules: QuizRules, arguments: str, locale: str) -> QuizRules | None:
    """Return the rules with the questions, seconds and most players of a line; None if the line is ambiguous."""
    words = arguments.split()
    numbers = [_number(word, locale) for word in words]
    if len(words) > 3 or None in numbers:
        return None
    questions, seconds, players = (*numbers, None, None, None)[:3]
    if any(count is not None and count != int(count) for count in (questions, players)):
        return None  # only seconds may be fractions
    if questions is not None:
        rules = replace(rules, questions=int(questions))
    if seconds is not None:
        rules = replace(rules, question_ms=int(seconds * 1000))
    if players is not None:
        rules = replace(rules, max_players=int(players), min_players=min(rules.min_players, int(players)))
    return rules


def _number(word: str, locale: str) -> Decimal | None:
    try:
        return amount(word, locale)
    except Unreadable:
        return None


COMMANDS: dict[str, Command] = {"start_quiz": for_hosts(start_quiz, Needs.OPEN)}
