"""Achievements: what each is earned for, as data. The texts `achievement-<name>` name them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from fsm.lobby import Standing


class Totals(NamedTuple):
    """A player's figures in a chat, all kinds together, including the game that has just ended."""

    games: int
    wins: int
    points: int
    best_streak: int


class PlayedGame(NamedTuple):
    """A player's part in the game that has just ended.

    `winners` is the number of winners in the rules, `players` the number of participants with a result.
    """

    players: int
    winners: int
    standing: Standing

    @property
    def won(self) -> bool:
        """True if the player has one of the winning places."""
        return self.standing.place is not None and self.standing.place <= self.winners


@dataclass(frozen=True, slots=True)
class Achievement:
    """An achievement. A player earns it once in a chat, with the first game after which `earned` is True."""

    name: str
    mark: str
    earned: Callable[[Totals, PlayedGame], bool]


def _games(least: int) -> Callable[[Totals, PlayedGame], bool]:
    return lambda totals, _: totals.games >= least


def _wins(least: int) -> Callable[[Totals, PlayedGame], bool]:
    return lambda totals, _: totals.wins >= least


def _streak(least: int) -> Callable[[Totals, PlayedGame], bool]:
    return lambda totals, _: totals.best_streak >= least


ACHIEVEMENTS: Final = (
    Achievement("first-win", "🥇", _wins(1)),
    Achievement("wins-10", "🏆", _wins(10)),
    Achievement("wins-50", "👑", _wins(50)),
    Achievement("games-10", "🎲", _games(10)),
    Achievement("games-100", "💯", _games(100)),
    Achievement("streak-5", "🔥", _streak(5)),
    Achievement("streak-10", "⚡", _streak(10)),
    Achievement("points-10000", "🧠", lambda totals, _: totals.points >= 10_000),
    Achievement("crowd", "🏟", lambda _, game: game.won and game.players >= 20),
    Achievement("duel", "🤺", lambda _, game: game.won and game.players == 2 and game.standing.place == 1),
    Achievement("number-one", "☝️", lambda _, game: game.won and game.standing.number == 1),
    Achievement("last-place", "🎯", lambda _, game: game.standing.place == game.winners >= 2),
    Achievement("first-prize", "🎁", lambda _, game: game.standing.prize > 0 or bool(game.standing.award)),
)
"""All achievements, in the order in which lists show them. A name is stored, so it never changes its meaning."""
BY_NAME: Final = {each.name: each for each in ACHIEVEMENTS}


def earned(totals: Totals, game: PlayedGame) -> list[str]:
    """Return the names of all achievements whose condition holds after a game, also of those earned before."""
    return [each.name for each in ACHIEVEMENTS if each.earned(totals, game)]
