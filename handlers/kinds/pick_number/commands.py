"""Pick Your Number's own command: a game in one line."""

import re
from dataclasses import replace

from fsm import prizes
from fsm.lobby import BadRule
from fsm.pick_number import KIND, REVERSE
from handlers.commands.named import Command, for_hosts
from handlers.context import UpdateContext
from handlers.opening import open_game
from play.access import Needs
from play.numbers import whole

WINNERS = re.compile(r"[+\-−]?(\d{1,3}|\d{5,})")
"""A word that somebody means as a number, in whatever digits."""
LONGEST = 24
"""Characters of such a word that a refusal repeats."""


async def create_game(incoming: UpdateContext) -> None:
    """``/create_game [title] [reverse] [winners]``: the chat's own rules, with what the line says."""
    title, reverse, winners = parsed(incoming.arguments)
    rules = await incoming.deps.openings.rules(incoming.place.chat_id, KIND.name)
    if reverse:
        rules = replace(rules, mode=REVERSE)
    if winners is not None:
        fits = len(rules.percentages) == winners
        split = rules.split if fits or rules.split != prizes.PERCENTAGES else prizes.AUTO
        rules = replace(rules, winners=winners, split=split, percentages=rules.percentages if fits else ())
    await open_game(incoming, KIND.name, title, rules)


def parsed(arguments: str) -> tuple[str, bool, int | None]:
    """Return the title, whether the game is reverse, and the winners, read from the end of the line.

    A last word of four digits belongs to the title: it is a year. Raises ``BadRule`` for winners that nobody can count.
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
