"""Soak test: does memory, or the number of tasks, connections, files or keys, grow over very many updates?

python -m chaos.soak [--games 20000] [--quick]

One real bot process serves its webhook on embedded stores; a minimal Telegram answers everything at once; groups play
one game after the other as fast as they get answers. Days pass quickly in Redis: each sample shortens the TTL of every
key, so that data kept for a week is seen to expire. Prints a table, writes `chaos/out/soak.svg` and `soak.json`; the
status is 1 if the second half of the run grew by more than 1 %.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from statistics import linear_regression
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from loguru import logger
from redis.asyncio import Redis

from chaos import stores
from chaos.replicas import Replica, free_port
from storage.connections import redis_client
from storage.scripts import script

OUT = Path(__file__).parent / "out"
TOKEN = "42:soak-token-000000000000000000000"  # noqa: S105 -- token of a local Telegram
SECRET = "soak-secret"  # noqa: S105
SAMPLE_SECONDS = 2.0
A_SAMPLE_MS = 6 * 3600 * 1000
"""Time that passes for the keys of Redis at each sample."""
MOST_GROWTH = 0.01
HOSTS = 12
"""Number of hosts in a chat."""
BOARD_SECONDS = 120.0
GAME = re.compile(r'"callback_data":"(\w+):([0-9a-z]{22}|[0-9a-z]{14})')
AGE = script("chaos", "age")


class Telegram:
    """Minimal Bot API without limits, which reports new boards to waiting groups."""

    def __init__(self) -> None:
        self.calls = 0
        self.boards: dict[int, asyncio.Future[str]] = {}
        """Chat -> future of the game that is opened there next."""
        self.ends: dict[str, asyncio.Event] = {}
        """Game -> event that is set when its end has been shown."""
        self._ids = count(1)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call."""
        self.calls += 1
        raw = await request.read()
        return web.Response(body=self._result(request.match_info["method"], raw), content_type="application/json")

    def _result(self, method: str, raw: bytes) -> bytes:
        match method:
            case "getMe":
                return b'{"ok":true,"result":{"id":42,"is_bot":true,"first_name":"Soak","username":"soak_bot"}}'
            case "getWebhookInfo":
                return b'{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}'
            case "getChatAdministrators":
                hosts = hosts_of(abs(msgspec.json.decode(raw)["chat_id"]))
                members = [{"status": "administrator", "user": {"id": host}} for host in hosts]
                return msgspec.json.encode({"ok": True, "result": members})
            case "sendMessage" | "editMessageText":
                self._shown(raw.decode())
                return b'{"ok":true,"result":{"message_id":%d,"date":0,"chat":{"id":1,"type":"group"}}}' % next(
                    self._ids
                )
            case _:
                return b'{"ok":true,"result":true}'

    def _shown(self, text: str) -> None:
        for verb, game_id in GAME.findall(text)[:1]:
            params = msgspec.json.decode(text)
            waiting = self.boards.get(params["chat_id"])
            if waiting is not None and verb == "j" and not waiting.done():
                waiting.set_result(game_id)
            if verb == "r" and game_id in self.ends:
                self.ends[game_id].set()


def hosts_of(chat: int) -> Sequence[int]:
    """Return the hosts of a chat. They take turns, as no person taps as fast as one host of all games would.

    All of them are known to the bot after a few games.
    """
    return range(1_000_000 + chat * 100, 1_000_000 + chat * 100 + HOSTS)


@dataclass
class Group:
    """A chat that plays game after game, each over a separate connection."""

    chat: int
    players: Sequence[int]
    rng: Random
    moves: int
    telegram: Telegram
    port: int
    updates: "count[int]"
    tally: "Tally"
    played: int = 0
    _connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def play(self) -> None:
        """Play until there are enough games."""
        while self.tally.started < self.tally.wanted:
            self.tally.started += 1
            try:
                await self._game()
            finally:
                self._hang_up()

    async def _game(self) -> None:
        board = self.telegram.boards[-self.chat] = asyncio.get_running_loop().create_future()
        hosts, self.played = hosts_of(self.chat), self.played + 1
        host = hosts[self.played % len(hosts)]
        await self._post(self._command(host, "/create_game Soak"))
        game_id = await asyncio.wait_for(board, BOARD_SECONDS)
        over = self.telegram.ends[game_id] = asyncio.Event()
        people = [host, *self.rng.sample(self.players, 9)]
        for person in people:
            await self._post(self._tap(person, f"j:{game_id}"))
        await self._post(self._tap(people[0], f"s:{game_id}"))
        for move in range(self.moves):
            person = self.rng.randrange(9)  # all but the last, whose pick closes the selection
            await self._post(self._tap(people[person], f"p:{game_id}:{person * 5 + 1 + move % 5}"))
        for index, person in enumerate(people):
            await self._post(self._tap(person, f"p:{game_id}:{index * 5 + 1}"))
        await asyncio.wait_for(over.wait(), BOARD_SECONDS)
        del self.telegram.ends[game_id]
        self.tally.games += 1

    async def _post(self, body: bytes) -> None:
        """Deliver an update like Telegram: over a kept-alive connection, repeatedly until it is accepted."""
        head = (
            f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # the server has closed the idle connection
                answer = await self._exchange(head.encode() + body)
                self.tally.updates += 1
                if answer.startswith(b"HTTP/1.1 200"):
                    return
                await asyncio.sleep(0.2)  # 503: try again
            self._hang_up()
            self.tally.repeated += 1

    async def _exchange(self, request: bytes) -> bytes:
        """Send a request. Returns the head of the answer; its body is discarded.

        Raises ``OSError`` and ``IncompleteReadError``.
        """
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._connection
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", answer, re.IGNORECASE)
        if length is not None and int(length[1]):
            await reader.readexactly(int(length[1]))
        elif length is None:
            while (size := int(await reader.readline(), 16)) > 0:
                await reader.readexactly(size + 2)
            await reader.readline()
        return answer

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
        self._connection = None

    def _person(self, person: int) -> dict[str, Any]:
        return {"id": person, "is_bot": False, "first_name": f"Player {person}", "language_code": "en"}

    def _command(self, host: int, text: str) -> bytes:
        chat = {"id": -self.chat, "type": "group", "title": f"Group {self.chat}"}
        entities = [{"type": "bot_command", "offset": 0, "length": len(text.partition(" ")[0])}]
        message = {"message_id": next(self.updates), "date": int(time.time()), "chat": chat, "text": text}
        message |= {"from": self._person(host), "entities": entities}
        return msgspec.json.encode({"update_id": next(self.updates), "message": message})

    def _tap(self, person: int, data: str) -> bytes:
        update_id = next(self.updates)
        message = {"message_id": 10**9, "date": 0, "chat": {"id": -self.chat, "type": "group"}, "text": "board"}
        query = {"id": str(update_id), "from": self._person(person), "message": message, "data": data}
        return msgspec.json.encode({"update_id": update_id, "callback_query": {**query, "chat_instance": "1"}})


@dataclass
class Tally:
    """Progress of the run."""

    wanted: int
    started: int = 0
    games: int = 0
    updates: int = 0
    repeated: int = 0
    samples: list[dict[str, float]] = field(default_factory=list)


MEASURES = ("rss_mb", "tasks", "files", "sockets", "redis_clients", "redis_keys", "redis_keys_for_ever", "redis_mb")
"""Measures that must stay flat; `tasks` and similar counts may vary by a few."""


async def sample(replica: Replica, redis: Redis, session: aiohttp.ClientSession, tally: Tally) -> dict[str, float]:
    """Return one row of the table."""
    async with session.get(f"http://127.0.0.1:{replica.port}/metrics") as response:
        text = await response.text()
    tasks = re.search(r"^tombola_tasks (\S+)", text, re.MULTILINE)
    files = _files(replica.pid)
    memory: Any = await redis.info("memory")
    clients: Any = await redis.info("clients")
    keyspace: Any = await redis.info("keyspace")
    keys = keyspace.get("db0", {"keys": 0, "expires": 0})
    return {
        "rss_mb": replica.memory() / 2**20,
        "tasks": float(tasks[1]) if tasks else 0,
        "files": len(files),
        "sockets": sum(name.startswith("socket:") for name in files),
        "redis_clients": clients["connected_clients"],
        "redis_keys": keys["keys"],
        "redis_keys_for_ever": keys["keys"] - keys["expires"],
        "redis_mb": memory["used_memory"] / 2**20,
        "games": tally.games,
        "updates": tally.updates,
    }


def _files(pid: int) -> list[str]:
    """Return the targets of a process's open files."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            found.append(str(path.readlink()))
    return found


async def watch(replica: Replica, redis: Redis, tally: Tally) -> None:
    """Sample and age the keys of Redis until cancelled."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        while True:
            row = await sample(replica, redis, session, tally)
            tally.samples.append({"seconds": round(time.monotonic() - began, 1), **row})
            cursor: Any = b"0"
            while True:
                cursor = await redis.eval(AGE, 0, cursor, A_SAMPLE_MS)
                if cursor == b"0":
                    break
            await asyncio.sleep(SAMPLE_SECONDS)


async def main() -> int:
    """Play, watch and judge the growth."""
    parser = argparse.ArgumentParser(prog="python -m chaos.soak", description=__doc__)
    parser.add_argument("--games", type=int, default=20_000)
    parser.add_argument("--moves", type=int, default=80, help="extra taps on numbers in each game")
    parser.add_argument("--groups", type=int, default=48, help="number of groups that play concurrently")
    parser.add_argument("--players", type=int, default=3000, help="total number of players")
    parser.add_argument("--quick", action="store_true", help="play a few games, to check that everything works")
    given = parser.parse_args()
    games, groups = (150, 12) if given.quick else (given.games, given.groups)
    logger.remove()
    tally = Tally(games)
    async with contextlib.AsyncExitStack() as stack:
        await _played(stack, tally, groups, given.players, given.moves)
    growth = _growth(tally.samples)
    _print(tally, growth)
    _write(tally, growth)
    grown = growth["rss_mb"] > MOST_GROWTH and not given.quick
    return 1 if grown or tally.games < games else 0


async def _played(stack: contextlib.AsyncExitStack, tally: Tally, groups: int, players: int, moves: int) -> None:
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
    directory.chmod(0o755)  # noqa: ASYNC240 -- runs once, before everything else
    postgres, redis_store = await stores.both(directory)
    stack.push_async_callback(postgres.stop)
    stack.push_async_callback(redis_store.stop)
    telegram, port = Telegram(), free_port()
    application = web.Application()
    application.router.add_post("/bot{token}/{method}", telegram.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    replica = Replica(0, _environment(directory, port, postgres.dsn, redis_store.dsn), directory / "bot.log")
    stack.push_async_callback(replica.close)
    await replica.start()
    async with aiohttp.ClientSession() as session:
        await replica.ready(session)
    redis = await stack.enter_async_context(redis_client(redis_store.dsn))
    rng, updates = Random(1), count(1)
    people = range(1, players + 1)
    # Each group has its own people: a person in several games at once would look like a flood, and be refused.
    playing = [
        Group(number + 1, own, Random(rng.random()), moves, telegram, replica.port, updates, tally).play()
        for number, own in enumerate(people[number::groups] for number in range(groups))
    ]
    watching = asyncio.create_task(watch(replica, redis, tally))
    try:
        await asyncio.gather(*playing)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await replica.stop()


def _environment(directory: Path, port: int, postgres_dsn: str, redis_dsn: str) -> Mapping[str, str]:
    ours = {
        "TELEGRAM__TOKEN": TOKEN,
        "TELEGRAM__API_BASE": f"http://127.0.0.1:{port}",
        "TELEGRAM__MODE": "webhook",
        "TELEGRAM__WEBHOOK_URL": "http://127.0.0.1:1/telegram/webhook",
        "TELEGRAM__WEBHOOK_SECRET": SECRET,
        "TELEGRAM__SEND_RATE": "10000",
        "TELEGRAM__CHAT_RATE": "10000",
        "TELEGRAM__GROUP_PER_MINUTE": "600000",
        "DATABASE__DSN": postgres_dsn,
        "REDIS__DSN": redis_dsn,
        "DATA_DIR": str(directory),
        "GAMES__HOST_JOINS": "false",  # the host decides by a tap, as everybody else
        "GAMES__PICK_NUMBER__REVEAL_SECONDS": "0.01",
        "GAMES__MAX_LIVE_PER_CHAT": "5",
        "LOG__LEVEL": "WARNING",
    }
    return {**os.environ, **{f"TOMBOLA_{name}": value for name, value in ours.items()}}


# -- results ----------------------------------------------------------------------------------------------------


def _growth(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the growth over the second half by a least-squares line, which is robust against fluctuation."""
    half = samples[len(samples) // 2 :]
    return {name: _slope(half, name) if len(half) > 3 else 0.0 for name in MEASURES}


def _slope(rows: Sequence[Mapping[str, float]], name: str) -> float:
    """Return a measure's growth from the first row to the last, as a share of its level."""
    times, values = [row["seconds"] for row in rows], [row[name] for row in rows]
    slope, start = linear_regression(times, values)
    before, after = start + slope * times[0], start + slope * times[-1]
    return (after - before) / max(before, 1e-9)


def _print(tally: Tally, growth: Mapping[str, float]) -> None:
    names = ("seconds", "games", "updates", *MEASURES)
    print("  ".join(f"{name:>12}" for name in names))
    step = max(1, len(tally.samples) // 20)
    for row in tally.samples[::step]:
        print("  ".join(f"{row[name]:>12.1f}" for name in names))
    print(
        f"\n{tally.games} games, {tally.updates} updates, {tally.repeated} of them repeated; growth in the second half:"
    )
    for name in MEASURES:
        print(f"  {name:<22}{growth[name]:>+9.2%}")


def _write(tally: Tally, growth: Mapping[str, float]) -> None:
    OUT.mkdir(exist_ok=True)
    document = {"games": tally.games, "updates": tally.updates, "growth": growth, "samples": tally.samples}
    (OUT / "soak.json").write_text(json.dumps(document, indent=1) + "\n")
    (OUT / "soak.svg").write_text(_svg(tally.samples))


def _svg(samples: Sequence[Mapping[str, float]]) -> str:
    """Draw a small chart for each measure over the seconds of the run."""
    width, height, parts = 760, 90, []
    last = samples[-1]["seconds"] or 1
    for index, name in enumerate(MEASURES):
        top, most = index * (height + 40) + 30, max(row[name] for row in samples) or 1
        points = " ".join(
            f"{20 + row['seconds'] / last * (width - 40):.1f},{top + height - row[name] / most * height:.1f}"
            for row in samples
        )
        parts.append(
            f'<text x="20" y="{top - 8}">{name}: {samples[-1][name]:.1f} (most {most:.1f})</text>'
            f'<path d="M20 {top + height}H{width - 20}" stroke="#ccc"/>'
            f'<polyline points="{points}" fill="none" stroke="#0a6" stroke-width="1.5"/>'
        )
    tall = len(MEASURES) * (height + 40) + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
