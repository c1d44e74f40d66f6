"""Benchmark of a thousand games with ten thousand players for ten minutes, under Telegram's real limits.

python -m benchmarks.crowd [--games 1000] [--minutes 10]

One bot process with all roles serves its webhook on embedded stores; the sandbox plays Telegram and refuses calls
beyond the limits. Afterwards the checks of the chaos suite run: every acknowledged action is stored, every game has
ended and shows its end once, no deadline fired late, no call was refused. The figures are in
`benchmarks/out/crowd.json`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import aiohttp
from loguru import logger

from benchmarks.report import Row, row
from chaos import stores
from chaos.audit import Findings, audited, ended_everywhere
from chaos.people import Diary, Tap, games_of, shows_end
from chaos.replicas import Replica
from sandbox import app
from sandbox.control import Control
from sandbox.state import Chat, Message, User
from storage.connections import redis_client

OUT = Path(__file__).parent / "out"
PLAYERS = 10
PICKS = 3
"""Number of picks of a player; after the first, a pick moves to another number.

One player in ten never picks, so that the deadline is exercised.
"""
SHARDS = 8
LOOK_SECONDS = 1.0
SAMPLE_SECONDS = 2.0
LATE_MS = 250
ANSWER_SECONDS = 16.0
START_SECONDS = 180.0
SECRET = "crowd-secret"  # noqa: S105 -- secret of a short-lived local process


class Group:
    """A chat that plays one game; each phase takes a fixed share of the time."""

    def __init__(self, control: Control, chat: Chat, people: Sequence[User], diary: Diary, *, seed: int) -> None:
        self._control = control
        self._chat = chat
        self._people = people
        self._diary = diary
        self._random = Random(seed)

    async def play(self, minutes: float) -> None:
        """Play one game.

        The game is opened in the first fifth of the time and joined in the second; all players but the last pick in the
        rest.
        """
        fifth = 60 * minutes / 5
        await asyncio.sleep(self._random.uniform(0, fifth))
        update_id = self._update_id()
        self._control.say(self._people[0], self._chat, f"/create_game Group {self._chat.id}")
        board = await self._board()
        (game_id,) = games_of(board)
        self._diary.opened[update_id] = game_id
        await asyncio.gather(*(self._take_part(person, board, game_id, fifth) for person in self._people))
        while not self._over(game_id):  # noqa: ASYNC110 -- simulated people look now and then
            await asyncio.sleep(LOOK_SECONDS)

    def _over(self, game_id: str) -> bool:
        return any(shows_end(message, game_id) for message in self._control.bot_messages(self._chat))

    def _update_id(self) -> int:
        return self._control.world.updates.next_id

    async def _board(self) -> Message:
        while True:
            for message in self._control.bot_messages(self._chat):
                if games_of(message):
                    return message
            await asyncio.sleep(LOOK_SECONDS)

    async def _take_part(self, person: User, board: Message, game_id: str, fifth: float) -> None:
        await asyncio.sleep(self._random.uniform(0, fifth / 2))
        await self._tap(person, board, game_id, "j", f"j:{game_id}")
        if person is self._people[-1]:
            return
        await asyncio.sleep(fifth)  # joining is over by then
        for _ in range(PICKS):
            await asyncio.sleep(self._random.uniform(0, fifth / 2))
            await self._tap(person, board, game_id, "p", f"p:{game_id}:{self._random.randint(1, 5 * PLAYERS)}")

    async def _tap(self, person: User, board: Message, game_id: str, verb: str, data: str) -> None:
        update_id, pressed, text, answered = self._update_id(), time.monotonic(), "", 0.0
        with contextlib.suppress(TimeoutError):
            answer = await self._control.press_data(person, board, data).answer(ANSWER_SECONDS)
            text, answered = answer.text or "", time.monotonic()
        tap = Tap(update_id, game_id, person.id, verb, pressed, answered, text)
        self._diary.taps.append(tap)
        if not tap.done:
            self._diary.texts[text] += 1


async def measure(games: int, minutes: float, seed: int = 1) -> tuple[list[Row], Findings]:
    """Play the games and audit the result."""
    async with contextlib.AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crowd-")))
        directory.chmod(0o755)  # noqa: ASYNC240 -- runs once, before everything else
        postgres, cache = await stores.both(directory)
        stack.push_async_callback(postgres.stop)
        stack.push_async_callback(cache.stop)
        box = await stack.enter_async_context(app.serve())
        replica = Replica(0, {}, directory / "bot.log")
        replica.env = _environment(directory, box, replica.port, postgres.dsn, cache.dsn, minutes)
        stack.push_async_callback(replica.close)
        await replica.start()
        async with aiohttp.ClientSession() as session:
            await replica.ready(session, START_SECONDS)
        diary, memory = Diary(), list[float]()
        groups = [_group(box.control, diary, number, seed) for number in range(games)]
        watching = asyncio.create_task(_watch(replica, memory))
        async with asyncio.timeout(120 + 120 * minutes):
            await asyncio.gather(*(group.play(minutes) for group in groups))
            while not await ended_everywhere(postgres.dsn):  # noqa: ASYNC110 -- the projector sends no notification
                await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(2 * LOOK_SECONDS)  # Telegram's last answers are recorded by then
        watching.cancel()
        await replica.stop()
        redis = await stack.enter_async_context(redis_client(cache.dsn))
        found = await audited(diary, box.control, postgres.dsn, redis, (), SHARDS)
        _calls(found, box, replica, directory)
    late = float(found.figures["deadlines late, ms, worst outside of outages"])
    if late > LATE_MS:
        found.breach("deadline late", f"{late:.0f} ms")
    waits = sorted(1000 * (tap.answered - tap.pressed) for tap in diary.taps if tap.answered)
    figures = {
        "crowd.games": ("games", float(found.figures["games announced once"])),
        "crowd.taps": ("taps", float(len(diary.taps))),
        "crowd.errors": ("breaches", float(sum(map(len, found.breaches.values())))),
        "crowd.deadline_late_ms": ("ms", late),
        "crowd.tap_p95_ms": ("ms", waits[int(len(waits) * 0.95)]),
        "crowd.memory_mb": ("MB", max(memory)),
    }
    return [row(name, unit, [value]) for name, (unit, value) in figures.items()], found


def _group(control: Control, diary: Diary, number: int, seed: int) -> Group:
    people = [control.add_user(f"Player {number}.{index}") for index in range(PLAYERS)]
    chat = control.add_group(f"Group {number}", people[0], people[1:])
    return Group(control, chat, people, diary, seed=seed * 1_000_000 + number)


async def _watch(replica: Replica, memory: list[float]) -> None:
    while True:
        memory.append(replica.memory() / 1_000_000)
        await asyncio.sleep(SAMPLE_SECONDS)


def _calls(found: Findings, box: app.Box, replica: Replica, directory: Path) -> None:
    """Report wrong calls, calls beyond the limits, and errors in the bot's log as breaches."""
    for violation in box.control.violations():
        found.breach("wrong call", f"{violation}")
    for what in replica.deaths:
        found.breach("process died", what)
    for line in (directory / "bot.log").read_text().splitlines():
        if " ERROR " in line or " CRITICAL" in line:
            found.breach("error logged", line)
    found.figures["messages sent and edited"] = sum(
        count
        for (method, code), count in box.world.statistics.items()
        if method.startswith(("send", "edit")) and code == 200
    )


def _environment(
    directory: Path, box: app.Box, port: int, postgres_dsn: str, redis_dsn: str, minutes: float
) -> Mapping[str, str]:
    fifth = 60 * minutes / 5
    ours = {
        "TELEGRAM__TOKEN": box.token,
        "TELEGRAM__API_BASE": box.url,
        "TELEGRAM__MODE": "webhook",
        "TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook",
        "TELEGRAM__WEBHOOK_SECRET": SECRET,
        "DATABASE__DSN": postgres_dsn,
        "REDIS__DSN": redis_dsn,
        "REDIS__SHARDS": str(SHARDS),
        "DATA_DIR": str(directory),
        "GAMES__HOST_JOINS": "false",  # the host decides by a tap, as everybody else
        "GAMES__PICK_NUMBER__JOIN_SECONDS": f"{0.7 * fifth:.1f}",
        "GAMES__PICK_NUMBER__SELECTION_SECONDS": f"{2 * fifth:.1f}",
        "LOG__LEVEL": "WARNING",
    }
    return {**os.environ, **{f"TOMBOLA_{name}": value for name, value in ours.items()}}


def main() -> int:
    """Play, print and write the figures. Returns 1 if a check failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logger.remove()
    rows, found = asyncio.run(measure(given.games, given.minutes, given.seed))
    for each in rows:
        print(f"{each.name:<26}{each.median:>12,.1f} {each.unit}")
    for name, value in found.figures.items():
        print(f"  {name:<60}{value}")
    for what, details in found.breaches.items():
        print(f"BREACH: {what}: {len(details)}, as {details[0][:300]}")
    OUT.mkdir(exist_ok=True)
    figures = {each.name: each.median for each in rows}
    document = {**figures, "figures": found.figures, "breaches": found.breaches}
    (OUT / "crowd.json").write_text(json.dumps(document, indent=1) + "\n")
    return int(bool(found.breaches))


if __name__ == "__main__":
    sys.exit(main())
