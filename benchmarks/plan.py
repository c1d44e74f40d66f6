"""Extent of a measurement, and progress messages."""

import sys
from dataclasses import dataclass

from benchmarks.load import Run
from benchmarks.world import World, planned

CONNECTIONS = 100
"""The most connections that Telegram opens to a webhook."""


@dataclass(frozen=True)
class Plan:
    """Extent of a measurement.

    Attributes:
        shape: shape of the games, see `world.SHAPES`.
        seed: seed of all random numbers.
        runs: number of runs for each figure.
        seconds: duration of each run.
        only: names of parts and of stacks; empty for all.
        games: number of games, instead of the shape's.
        players: number of players in each game, instead of the shape's.
    """

    shape: str = "many-small"
    seed: int = 1
    runs: int = 5
    seconds: float = 4.0
    only: frozenset[str] = frozenset()
    games: int = 0
    players: int = 0

    def wants(self, *names: str) -> bool:
        """Return whether the measurement with one of these names is selected."""
        return not self.only or bool(self.only & set(names))

    def few(self) -> int:
        """Number of runs for slow or steady measurements."""
        return max(1, self.runs * 3 // 5)

    def world(self) -> World:
        """Return the games."""
        return planned(self.shape, games=self.games, players=self.players)

    def run(self, port: int, *, rate: float = 0.0, commands: bool = False) -> Run:
        """Return one run's parameters against a port."""
        warm = min(1.0, self.seconds / 4)
        return Run(port=port, seconds=self.seconds, warm=warm, connections=CONNECTIONS, rate=rate, commands=commands)


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)
