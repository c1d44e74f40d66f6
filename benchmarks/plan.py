"""How much is measured, and saying how it goes."""

import sys
from dataclasses import dataclass

from benchmarks.load import Run
from benchmarks.world import World, planned

CONNECTIONS = 100
"""What Telegram keeps open to a webhook at most."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        shape: of the games, see `world.SHAPES`.
        seed: of everything random.
        runs: of each figure.
        seconds: of each run.
        only: names of parts and of stacks; empty: all.
        games: another number of games than the shape's.
        players: another number of players in each.
    """

    shape: str = "many-small"
    seed: int = 1
    runs: int = 5
    seconds: float = 4.0
    only: frozenset[str] = frozenset()
    games: int = 0
    players: int = 0

    def wants(self, *names: str) -> bool:
        """Whether something by any of these names is to be measured."""
        return not self.only or bool(self.only & set(names))

    def few(self) -> int:
        """Runs of what takes long, or varies little."""
        return max(1, self.runs * 3 // 5)

    def world(self) -> World:
        """The games."""
        return planned(self.shape, games=self.games, players=self.players)

    def run(self, port: int, *, rate: float = 0.0, commands: bool = False) -> Run:
        """One run against that port."""
        warm = min(1.0, self.seconds / 4)
        return Run(port=port, seconds=self.seconds, warm=warm, connections=CONNECTIONS, rate=rate, commands=commands)


def say(text: str) -> None:
    """Tell how it goes."""
    print(text, file=sys.stderr, flush=True)
