"""Pick Your Number's own command: a game in one line."""

from dataclasses import replace

from fsm import prizes
from fsm.pick_number import KIND, REVERSE
from handlers.commands.named import Command, for_hosts
from handlers.context import UpdateContext
from handlers.opening import open_game
from play.access import Needs


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
    """Title, whether reverse, winners: from the end, so that a title may hold anything that is not last."""
    words = arguments.split()
    winners: int | None = None
    reverse = False
    if words and words[-1].isdecimal() and len(words[-1]) < 4:
        winners = int(words.pop())
    if words and words[-1].lower() == REVERSE:
        reverse = True
        words.pop()
    return " ".join(words).strip("\"'"), reverse, winners


COMMANDS: dict[str, Command] = {"create_game": for_hosts(create_game, Needs.OPEN)}
