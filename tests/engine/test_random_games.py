"""Thousands of random games, by two replicas on one store: each ends, and all invariants hold.

``GAMES=10000 python -m pytest tests/engine/test_random_games.py`` plays more games (default 300), and ``SEED=7``
others.
"""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import pytest

from fsm.engine import Engine, Outcome, Unavailable
from fsm.kind import ChatTopic, Command, Host, Rejected
from fsm.lobby import Cancel, DeadlinePassed, Extend, Join, Leave, MoveChat, OpenGame, Remove, StartNow
from fsm.pick_number import KIND, PickNumber, PickNumberGame, PickNumberRules
from tests.engine.memory import CountedSeeds, Fault, MemoryGames, Shelf
from tests.rules.invariants import MOST_TICKS, check_replay, check_result, check_state
from tests.support.clock import TurnedClock

GAMES = int(os.environ.get("GAMES", "300"))
SEED = int(os.environ.get("SEED", "0"))
TOGETHER = 50
START = 1_700_000_000_000


def random_rules(rng: Random) -> PickNumberRules:
    least, winners = rng.randint(2, 4), rng.randint(1, 10)
    split = rng.choice(["auto", "equal", "percentages"])
    return PickNumberRules(
        mode=rng.choice(["normal", "reverse"]),
        winners=winners,
        prize_pool=Decimal(rng.randint(0, 10**9)).scaleb(-rng.randint(0, 8)),
        split=split,
        percentages=tuple([Decimal(5)] * (winners - 1) + [Decimal(105 - 5 * winners)])
        if split == "percentages"
        else (),
        absent=rng.choice(["drop", "auto"]),
        min_players=least,
        max_players=rng.randint(least, 9),
        range_multiplier=Decimal(rng.randint(10, 50)) / 10,
        max_number=rng.randint(9, 40),
        numbers=rng.choice([None, None, rng.randint(least, 40)]),
    )


@dataclass
class Table:
    """One random game and its players."""

    id: str
    rng: Random
    shelf: Shelf
    engines: tuple[Engine, Engine]
    now: int = START
    acknowledged: set[str] = field(default_factory=set)
    """Ids of acknowledged commands."""
    sent: list[tuple[Command, str]] = field(default_factory=list)
    latest: Outcome | None = None
    """The newest answer."""

    async def send(self, command: Command, command_id: str) -> None:
        """Send a command through either replica. A refusal and an unavailable store are valid answers."""
        self.sent.append((command, command_id))
        try:
            engine = self.rng.choice(self.engines)
            outcome = await engine.execute(self.id, command, command_id=command_id, received=self.now)
        except Rejected:
            assert command_id not in self.acknowledged
            return
        except Unavailable:
            return
        self.note(outcome, command_id)

    def note(self, outcome: Outcome, command_id: str) -> None:
        """Record an acknowledged command; an earlier one must be reported as a duplicate."""
        assert isinstance(outcome.state, PickNumberGame)
        check_state(outcome.state)
        if self.latest is None or outcome.version > self.latest.version:
            self.latest = outcome
        if command_id in self.acknowledged:
            assert outcome.duplicate
        if outcome.events or outcome.duplicate:
            self.acknowledged.add(command_id)

    @property
    def state(self) -> PickNumberGame:
        """Return the game as the store has it."""
        stored = self.shelf.read(self.id)
        assert stored is not None
        assert isinstance(stored.state, PickNumberGame)
        return stored.state

    @property
    def believed(self) -> PickNumberGame:
        """Return the game as people saw it last."""
        assert self.latest is not None
        assert isinstance(self.latest.state, PickNumberGame)
        return self.latest.state

    def command(self, state: PickNumberGame) -> Command:
        """Return an action that somebody may try now."""
        rng, player = self.rng, self.rng.randint(1, 10)
        if state.phase == "number_selection":
            likely: list[Command] = [PickNumber(player, rng.randint(0, state.highest + 1)) for _ in range(6)]
        else:
            likely = [Join(player, f"P{player}")] * 6
        rare = [
            Leave(player),
            Remove(player, 1),
            StartNow(1),
            Extend(1, rng.randint(-1, 60_000)),
            MoveChat(-rng.randint(1, 3)),
            Join(player, f"P{player}"),
            PickNumber(player, 1),
        ]
        if rng.random() < 0.02:
            return self.timer(state)
        return Cancel(1, "host") if rng.random() < 0.003 else rng.choice([*likely, rng.choice(rare)])

    def timer(self, state: PickNumberGame) -> DeadlinePassed:
        """Return a timer that is early, on time, late, or without a deadline."""
        deadline = state.deadline or 0
        self.now = max(self.now, deadline + self.rng.choice([-1, 0, 1, 5_000]))
        return DeadlinePassed(deadline + self.rng.choice([0, 0, 0, -1]))

    async def play(self) -> str:
        """Play the whole game. Returns its last phase."""
        await self.send(
            OpenGame("pick_number", self.id, ChatTopic(-1), Host(1, "H"), "x", random_rules(self.rng), 10**9), "open"
        )
        while self.latest is None:
            await self.send(*self.sent[0])
        for step in range(self.rng.randint(5, 40)):
            state = self.believed
            at_once = [(self.command(state), f"{step}.{n}") for n in range(self.rng.choice([1, 1, 1, 2, 4]))]
            again = [self.rng.choice(self.sent)] if self.rng.random() < 0.2 else []
            await asyncio.gather(*(self.send(*pair) for pair in (*at_once, *again)))
            self.now += self.rng.randint(0, 3_000)
        await self.finish()
        return self.state.phase

    async def finish(self) -> None:
        """Let only timers act until the end."""
        for tick in range(2 * MOST_TICKS):
            deadline = self.state.deadline
            if deadline is None:
                return
            self.now = max(self.now, deadline)
            await asyncio.gather(*(self.send(DeadlinePassed(deadline), f"tick {tick} {n}") for n in range(2)))
        raise AssertionError("the game does not end")

    def check(self) -> None:
        """Check that acknowledged commands are stored once, the events give the state, and there is one result."""
        records = self.shelf.records(self.id)
        ids = Counter(record.command_id for record in records)
        assert set(ids.values()) == {1}
        assert self.acknowledged <= set(ids)
        check_replay(self.shelf.events(self.id), self.state)
        if self.state.phase == "completed":
            check_result(self.state)


async def play_together(first: int, last: int) -> Counter[str]:
    """Play these games concurrently over a store that sometimes fails. Returns the counts of their last phases."""
    rng, shelf = Random(f"{SEED}/{first}"), Shelf({KIND.name: KIND})
    stores = (MemoryGames(shelf), MemoryGames(shelf))
    one, other = (Engine(shelf.codec._kinds, store, TurnedClock(START), CountedSeeds()) for store in stores)
    for store in stores:
        for _ in range(20):
            fails = Fault(Unavailable("cut off"), after=rng.random() < 0.5) if rng.random() < 0.3 else None
            store.commit_faults.append(fails)
    tables = [Table(f"07{index:012d}", Random(f"{SEED}/{index}"), shelf, (one, other)) for index in range(first, last)]
    ended = Counter(await asyncio.gather(*(table.play() for table in tables)))
    for table in tables:
        table.check()
    assert one.games_in_memory + other.games_in_memory <= 2 * len(tables)
    await asyncio.gather(one.close(), other.close())
    return ended


@pytest.mark.timeout(600 + GAMES // 10)
async def test_every_random_game_ends_and_everything_adds_up() -> None:
    ended: Counter[str] = Counter()
    for first in range(0, GAMES, TOGETHER):
        ended += await play_together(first, min(first + TOGETHER, GAMES))
    assert ended.total() == GAMES
    assert ended["completed"] > GAMES // 3
    assert ended["cancelled"] > GAMES // 100
