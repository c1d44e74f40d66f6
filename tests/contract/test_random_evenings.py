"""Random games of both kinds, by two replicas on one Redis, written by two projectors.

PostgreSQL's tables are then compared with a second computation, from the stored events alone and without the bot's
code. ``GAMES=10000 python -m pytest tests/contract/test_random_evenings.py`` plays more games, and ``SEED=7`` others;
``RACES=1000`` sets the number of races of two people for one number.
"""

import asyncio
import json
import os
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic, Command, Rejected
from fsm.lobby import Cancel, DeadlinePassed, Extend, Join, Leave, MoveChat, OpenGame, Remove, StartNow
from fsm.pick_number import KIND, NumberTaken, PickNumber, PickNumberGame, PickNumberRules
from fsm.quiz import Answer, QuizGame, QuizRules
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import Pool
from tests.contract.played import HOST, House
from tests.rules.invariants import check_replay, check_result, check_state
from tests.rules.quizzes import some_questions

GAMES = int(os.environ.get("GAMES", "60"))
SEED = os.environ.get("SEED", "0")
RACES = int(os.environ.get("RACES", "300"))
TOGETHER = 30
MOST_STEPS = 200
CHATS = (-1, -2, -3)
ALL = 10**6
"""A limit above every count here."""


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


def rules_of(kind: str, rng: Random) -> Any:
    """Return random, small rules of a kind."""
    pool, winners = Decimal(rng.randint(0, 10**6)).scaleb(-rng.randint(0, 8)), rng.randint(1, 10)
    if kind == "quiz":
        return QuizRules(questions=2, prize_pool=pool, winners=winners, max_players=rng.randint(2, 6))
    return PickNumberRules(
        mode=rng.choice(["normal", "reverse"]),
        winners=winners,
        prize_pool=pool,
        absent=rng.choice(["drop", "auto"]),
        max_players=rng.randint(2, 6),
        max_number=rng.randint(6, 20),
    )


@dataclass
class Evening:
    """One game, and all actions of people and timers through either replica."""

    id: str
    kind: str
    engines: tuple[Engine, Engine]
    rng: Random
    now: int
    sent: list[tuple[Command, str, int]] = field(default_factory=list)
    latest: Outcome | None = None

    async def send(self, command: Command, command_id: str, now: int) -> None:
        self.sent.append((command, command_id, now))
        with suppress(Rejected):
            outcome = await self.rng.choice(self.engines).execute(self.id, command, command_id=command_id, received=now)
            if isinstance(outcome.state, PickNumberGame):
                check_state(outcome.state)
            if self.latest is None or outcome.version > self.latest.version:
                self.latest = outcome

    def somebodys(self, state: Any) -> Command:
        rng, player = self.rng, self.rng.randint(1, 8)
        rare: list[Command] = [Leave(player), Remove(player, 9), StartNow(9), Extend(9, rng.randint(1, 9999))]
        if rng.random() < 0.15:
            return rng.choice(rare)
        if rng.random() < 0.01:
            return Cancel(9, "host")
        if isinstance(state, QuizGame):
            return Answer(player, max(state.index, 0), rng.randint(0, 3)) if state.index >= 0 else Join(player, "Q")
        picking = state.phase == "number_selection"
        return PickNumber(player, rng.randint(1, state.highest)) if picking else Join(player, f"<P{player}>")

    async def play(self, chat_topic: ChatTopic) -> None:
        content = some_questions(2) if self.kind == "quiz" else None
        opening = OpenGame(self.kind, self.id, chat_topic, HOST, "x", rules_of(self.kind, self.rng), ALL, content)
        await self.send(opening, f"{self.id}:open", self.now)
        for step in range(MOST_STEPS):
            assert self.latest is not None
            state = self.latest.state
            if state.deadline is None:
                return
            at_once = [(self.somebodys(state), f"{self.id}:{step}.{n}", self.now) for n in range(3)]
            if self.rng.random() < 0.3:  # by both replicas' timers, on time, early or late
                self.now = max(self.now, state.deadline + self.rng.choice([-1, 0, 0, 5_000]))
                at_once += [(DeadlinePassed(state.deadline), f"{self.id}:timer {step}.{n}", self.now) for n in range(2)]
            if self.rng.random() < 0.2:
                at_once.append(self.rng.choice(self.sent))
            if self.rng.random() < 0.003:
                at_once.append((MoveChat(-int(self.id, 36)), f"{self.id}:move {step}", self.now))
            await asyncio.gather(*(self.send(*order) for order in at_once))
            self.now += self.rng.randint(0, 2_000)
        raise AssertionError("the game does not end")


async def play(house: House) -> None:
    """Play all games, many at a time, while two projectors read."""
    engines = (house.new_engine(), house.new_engine())
    projecting = [asyncio.create_task(house.project_for_ever(owner=owner)) for owner in ("one", "other")]
    for first in range(0, GAMES, TOGETHER):
        evenings = []
        for index in range(first, min(first + TOGETHER, GAMES)):
            rng = Random(f"{SEED}/{index}")
            chat_topic, kind = ChatTopic(rng.choice(CHATS)), rng.choice(["pick_number", "pick_number", "quiz"])
            game_id = await house.games.reserve_id(chat_topic, f"{SEED}/{index}")
            now = house.clock.at + rng.randint(0, 10**6)
            evenings.append((Evening(game_id, kind, engines, rng, now), chat_topic))
        await asyncio.gather(*(evening.play(chat_topic) for evening, chat_topic in evenings))
    for task in projecting:
        task.cancel()
    await asyncio.wait(projecting)
    await house.project(owner="last")


@dataclass
class Told:
    """Result of the events, computed without the bot's code."""

    figures: dict[tuple[int, int, str], list[Any]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0, 0]))
    """(player, chat or 0, kind or "") -> games, wins, prizes, points, best streak."""
    ended: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Game -> status, time of its end."""
    stayed: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Player -> games that the player had not left before their end."""
    prizes: Counter[tuple[str, int, Decimal]] = field(default_factory=Counter)


def tell(rows: list[Any]) -> Told:  # noqa: PLR0912 -- one branch for each event
    """Compute the result of all events, in order."""
    told, chats, players = Told(), {}, defaultdict(set)
    moved: dict[int, int] = {}
    completed = []
    kinds, winners = {}, {}
    for game, name, raw in rows:
        data = json.loads(raw, parse_float=Decimal)
        if name == "game_opened":
            chats[game] = data["place"]["chat_id"]
            kinds[game], winners[game] = (
                ("quiz" if "questions" in data["rules"] else "pick_number"),
                data["rules"]["winners"],
            )
        elif name == "player_joined":
            players[game].add(data["player_id"])
        elif name in {"player_left", "player_removed"}:
            players[game].discard(data["player_id"])
        elif name == "chat_moved":
            moved[chats[game]] = chats[game] = data["chat_id"]
        elif name in {"game_completed", "game_cancelled"}:
            told.ended[game] = (name.removeprefix("game_"), data["at"])
            for player in players[game]:
                told.stayed[player].add(game)
            if name == "game_completed":
                completed.append((game, data["standings"]))
    for game, standings in completed:
        chat = chats[game]
        while chat in moved:
            chat = moved[chat]
        for one in standings:
            place, prize = one["place"], Decimal(one["prize"])
            if prize:
                told.prizes[game, one["player_id"], prize] += 1
            for where in (0, chat):
                for kind in ("", kinds[game]):
                    sums = told.figures[one["player_id"], where, kind]
                    sums[0] += 1
                    sums[1] += place is not None and place <= winners[game]
                    sums[2] += prize
                    sums[3] += one["points"]
                    sums[4] = max(sums[4], one["streak"])
    return told


@pytest.mark.timeout(600 + GAMES)
async def test_postgresql_says_what_the_events_say_of_random_games_of_both_kinds(house: House, pool: Pool) -> None:
    await play(house)
    rows = await pool.fetch("SELECT game_id, name, data FROM game_events ORDER BY game_id, version")
    told, archive = tell([tuple(row) for row in rows]), Archive(pool, house.codec)
    assert len(told.ended) == GAMES
    assert {how for how, _ in told.ended.values()} == {"completed", "cancelled"}
    found = {(row[0], row[1], row[2]): list(row[3:]) for row in await pool.fetch(
        "SELECT player_id, chat_id, kind, games, wins, prizes, points, best_streak FROM player_stats"
    )}  # fmt: skip
    assert found == dict(told.figures)
    for chat in {chat for _, chat, _ in told.figures}:
        for kind in ("", "pick_number", "quiz"):
            board = await archive.leaderboard(chat, kind or None, ALL)
            expected = sorted(
                ((p, sums) for (p, where, k), sums in told.figures.items() if (where, k) == (chat, kind)),
                key=lambda row: (-row[1][1], -row[1][2], -row[1][3], row[1][0], row[0]),
            )
            assert [(r.player_id, r.games, r.wins, r.prizes, r.points) for r in board] == [
                (p, *sums[:4]) for p, sums in expected
            ]
    for player in range(1, 9):
        stats = {each.kind: [each.games, each.wins, each.prizes, each.points, each.best_streak]
                 for each in await archive.player_stats(player)}  # fmt: skip
        assert stats == {k: sums for (p, where, k), sums in told.figures.items() if p == player and not where and k}
        history = await archive.history(None, player, ALL)
        assert {game.id for game in history} == told.stayed[player]
        assert await archive.live_game_of_player(player) == []
    history = await archive.history(None, None, ALL)
    assert {game.id: (game.status, game.ended_at) for game in history} == told.ended
    assert [game.ended_at for game in history] == sorted((at for _, at in told.ended.values()), reverse=True)
    assert await archive.live_games(None, ALL) == []
    settled = await pool.fetch("SELECT game_id, player_id, amount FROM prizes")
    assert Counter(tuple(row) for row in settled) == told.prizes
    unpaid = await pool.fetch(
        "SELECT kind, summary FROM games g WHERE status = 'completed' AND prize_pool <>"
        " (SELECT COALESCE(sum(amount), 0) FROM prizes p WHERE p.game_id = g.id)"
    )
    # a quiz without any correct answer
    assert [tuple(row) for row in unpaid] == [("quiz", b'{"winners": []}')] * len(unpaid)
    codec = Codec({KIND.name: KIND})
    for game in history:
        state = await archive.finished(game.id)
        if isinstance(state, PickNumberGame):
            stored = await archive.timeline(game.id, ALL)
            check_replay([codec.decode_event(KIND, row.name, row.data) for row in stored], state)
            if state.phase == "completed":
                check_result(state)


async def test_of_two_who_want_one_number_on_two_replicas_one_gets_it_and_the_other_is_told(house: House) -> None:
    game_id = await house.begin((1, 2, 3), numbers=10_000, selection_ms=86_400_000)
    one, other = house.new_engine(), house.new_engine()

    async def pick(engine: Engine, player: int, number: int) -> Outcome | Rejected:
        try:
            return await engine.execute(
                game_id, PickNumber(player, number), command_id=f"{player}:{number}", received=house.clock.at
            )
        except Rejected as refusal:
            return refusal

    for number in range(1, RACES + 1):
        engines = (one, other) if number % 2 else (other, one)
        results = await asyncio.gather(pick(engines[0], 1, number), pick(engines[1], 2, number))
        winner = next(player for player, result in zip((1, 2), results, strict=True) if isinstance(result, Outcome))
        assert results[2 - winner] == NumberTaken(number)
        state = (await one.look(game_id)).state
        assert isinstance(state, PickNumberGame)
        assert state.owners[number] == winner
        assert state.picks[winner] == number
        check_state(state)
