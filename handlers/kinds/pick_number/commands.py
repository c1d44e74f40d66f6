"""``/create_game``: opens a game of Pick Your Number in one line."""

import re
from dataclasses import replace

from fsm import prizes
from fsm.lobby import BadRule
from fsm.pick_number import KIND, REVERSE
from handlers.commands.command import Command, for_hosts
from handlers.context import UpdateContext
from handlers.opening import open_game
from play.access import Needs
from play.numbers import whole
from play.rules import with_setting, with_words

WINNERS = re.compile(r"[+\-−]?(\d{1,3}|\d{5,})")
"""A last word that is meant as the number of winners, in digits of any script. Four digits are a year instead."""
LONGEST = 24
"""Longest part of such a word that a refusal quotes, in characters."""


async def create_game(context: UpdateContext) -> None:
    """Handle ``/create_game [title] [reverse] [winners] [conditions]``: open a game with these rules."""
    rules = await context.deps.play.openings.rules(context.chat_topic.chat_id, KIND.name)
    rules, words = with_words(rules, context.arguments.split())
    title, reverse, winners = parsed(" ".join(words))
    if reverse:
        rules = replace(rules, mode=REVERSE)
    if winners is not None:
        rules = with_setting(rules, "winners", str(winners))
    await open_game(context, KIND.name, title, rules)


def parsed(arguments: str) -> tuple[str, bool, int | None]:
    """Return the title, True for reverse mode, and the number of winners or None. The line is read from its end.

    A last word of four digits belongs to the title, because it is probably a year. Raises ``BadRule`` if the number of
    winners is out of range or not in ASCII digits.
    """
    words = arguments.split()
    winners: int | None = None
    reverse = False
    if words and WINNERS.fullmatch(words[-1]):
        given = words.pop()
        winners = whole(given, prizes.MAX_WINNERS, 1)
        if winners is None:
            raise BadRule("winners", given[:LONGEST], "1", str(prizes.MAX_WINNERS))
    if words and words[-1].lower() == REVERSE:
        reverse = True
        words.pop()
    return " ".join(words).strip("\"'"), reverse, winners


COMMANDS: dict[str, Command] = {"create_game": for_hosts(create_game, Needs.OPEN)}
