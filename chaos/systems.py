"""Other systems: some play by the HTTP API, others receive webhooks, each in its own bad way.

A system that plays repeats each request with its idempotency key until the answer is final, as `docs/api.md` says. The
audit compares its records, and those of the receivers, with PostgreSQL.
"""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web
from redis.asyncio import Redis

from chaos.audit import Findings
from play.access import Role
from play.standard_webhooks import BadSignature, StaleCall, secret_of, verify
from play.tokens import Tokens
from sandbox.state import Chat, User
from storage.api_tokens import ApiTokens
from storage.connections import Pool

PATIENCE_SECONDS = 10.0
"""Time after which a system gives up a request whose effect it does not know."""
REPEATED = 0.2
"""Share of the final answers after which the same request is sent once more."""
SLOW_SECONDS = 1.0
SETTLE_SECONDS = 120.0
FINAL = frozenset({"completed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Written:
    """One write by the API. `status` is 0 if no final answer came."""

    key: str
    path: str
    game_id: str
    status: int
    code: str
    tries: int


@dataclass(slots=True)
class Journal:
    """Observations of the systems that play."""

    writes: list[Written] = field(default_factory=list)
    repeated: int = 0
    differences: list[str] = field(default_factory=list)
    """Repetitions whose answer was another one than the first."""
    errors: list[str] = field(default_factory=list)
    """Answers that report a bug."""


class Player:
    """A system that opens and plays games in a chat by the API, one after the other."""

    def __init__(self, url: str, token: str, chat: Chat, people: Sequence[User], rng: Random, journal: Journal) -> None:
        self.stopping = False
        self._url = f"{url}/api/v1"
        self._token = token
        self._chat = chat
        self._people = people
        self._rng = rng
        self._journal = journal

    async def play(self) -> None:
        """Play until `stopping` is set and the last game has ended."""
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bearer {self._token}"}) as http:
            while not self.stopping:
                await self._game(http)
                await asyncio.sleep(self._rng.uniform(0.1, 0.5))

    async def _game(self, http: aiohttp.ClientSession) -> None:
        kind = self._rng.choice(("pick_number", "quiz"))
        rules = {"numbers": "20"} if kind == "pick_number" else {"questions": "2", "question_seconds": "5"}
        game = await self._write(http, "/games", {"chat_id": self._chat.id, "kind": kind, "rules": rules})
        if game is None:
            game = await self._live(http)  # it was opened all the same, or another one is still live
        if game is None:
            return
        path = f"/games/{game['id']}"
        for person in self._people:
            await self._write(http, f"{path}/players", {"player_id": person.id, "name": person.first_name})
        await self._write(http, f"{path}/start", None)
        moved: set[Any] = set()
        while game["phase"] not in FINAL:
            await asyncio.sleep(0.2)
            game = await self._read(http, path) or game
            turn = game["phase"], game["state"].get("index")
            if game["phase"] in {"number_selection", "question_open"} and turn not in moved:
                moved.add(turn)
                for person in self._people:
                    await self._move(http, path, game, person.id)

    async def _move(self, http: aiohttp.ClientSession, path: str, game: Mapping[str, Any], player: int) -> None:
        if game["phase"] == "number_selection":
            await self._write(http, f"{path}/picks", {"player_id": player, "number": self._rng.randint(1, 20)})
        else:
            answer = {"player_id": player, "question": game["state"]["index"], "choice": self._rng.randint(0, 1)}
            await self._write(http, f"{path}/answers", answer)

    async def _live(self, http: aiohttp.ClientSession) -> Any:
        page = await self._read(http, f"/games?chat={self._chat.id}&live=true")
        return await self._read(http, f"/games/{page['items'][0]['id']}") if page and page["items"] else None

    async def _read(self, http: aiohttp.ClientSession, path: str) -> Any:
        status, body = await self._send(http, "GET", path, None, "")
        return body if status == 200 else None

    async def _write(self, http: aiohttp.ClientSession, path: str, body: Any) -> Any:
        """Send a write until its answer is final. Returns the game, or None."""
        key, began, tries = secrets.token_hex(8), time.monotonic(), 0
        status, answer = 0, dict[str, Any]()
        while time.monotonic() - began < PATIENCE_SECONDS:
            tries += 1
            status, answer = await self._send(http, "POST", path, body, key)
            if _is_final(status, answer):
                break
            status = 0
            await asyncio.sleep(self._rng.uniform(0.1, 0.5))
        game_id = path.split("/")[2] if path.startswith("/games/") else answer["id"] if status == 201 else ""
        code = answer.get("code", "") if status >= 400 else ""
        self._journal.writes.append(Written(key, path, game_id, status, code, tries))
        if status and self._rng.random() < REPEATED:
            await self._repeat(http, path, body, key, (status, answer))
        return answer if 200 <= status < 300 else None

    async def _repeat(
        self, http: aiohttp.ClientSession, path: str, body: Any, key: str, first: tuple[int, Any]
    ) -> None:
        again = await self._send(http, "POST", path, body, key)
        if not _is_final(*again):
            return
        self._journal.repeated += 1
        # A refusal's trace belongs to its first attempt, and is kept with it.
        if again != first:
            self._journal.differences.append(f"{path} {key}: {first} and then {again}")

    async def _send(self, http: aiohttp.ClientSession, method: str, path: str, body: Any, key: str) -> tuple[int, Any]:
        """Send a request. Returns the status and the answer; 0 if none came."""
        headers = {"Idempotency-Key": key} if key else {}
        try:
            async with http.request(method, self._url + path, json=body, headers=headers) as response:
                answer = await response.json(content_type=None)
                if response.status == 500:
                    self._journal.errors.append(f"{method} {path}: {answer}")
                return response.status, answer
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return 0, {}


def _is_final(status: int, answer: Any) -> bool:
    return 0 < status < 500 and status != 429 and not (status == 409 and answer["code"] == "request-in-progress")


# -- receivers --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Receiver:
    """One endpoint's receiver.

    Attributes:
        manner: its behaviour: `good`, `slow`, `down`, `garbage`, `limited` (429), or `gone` (410).
        endpoint_id: the endpoint.
        secrets: the secrets that it accepts.
        accepted: ids that it has answered with 204, in order.
        bodies: the first body of each id.
        forged: calls whose signature was wrong, or whose body differed from the first one.
        refused: number of calls that it did not accept.
    """

    manner: str
    endpoint_id: str = ""
    secrets: list[bytes] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    forged: list[str] = field(default_factory=list)
    refused: int = 0


class Receivers:
    """An HTTP server with all receivers.

    Args:
        manners: the behaviour of each.
    """

    def __init__(self, manners: Sequence[str] = ("good", "slow", "down", "garbage", "limited", "gone")) -> None:
        self.all = [Receiver(manner) for manner in manners]
        self.url = ""
        self.mended = False
        """True if all of them accept every call from now on."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a loopback port for the block."""
        app = web.Application()
        app.router.add_post("/{number:[0-9]+}", self._receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        receiver, body = self.all[int(request.match_info["number"])], await request.read()
        try:
            id_ = verify(receiver.secrets, {k.lower(): v for k, v in request.headers.items()}, body, time.time())
        except (BadSignature, StaleCall) as problem:
            receiver.forged.append(type(problem).__name__)
            return web.Response(status=400)
        if body != receiver.bodies.setdefault(id_, body):
            receiver.forged.append(f"{id_}: {body!r} after {receiver.bodies[id_]!r}")
        if not self.mended and (refusal := await _refusal(receiver, request)) is not None:
            receiver.refused += 1
            return refusal
        receiver.accepted.append(id_)
        return web.Response(status=204)


async def _refusal(receiver: Receiver, request: web.Request) -> web.StreamResponse | None:
    """Return the answer of a receiver in its bad times; None if it accepts the call."""
    match receiver.manner:
        case "slow":
            await asyncio.sleep(SLOW_SECONDS)
        case "gone":
            return web.Response(status=410)
        case "limited" if receiver.refused <= 2 * len(receiver.accepted):
            return web.Response(status=429, headers={"Retry-After": "1"})
        case "down" | "garbage":
            transport = request.transport
            if transport is not None:
                if receiver.manner == "garbage" and isinstance(transport, asyncio.WriteTransport):
                    transport.write(b"\0\1 220 mail.example ESMTP\r\n")
                transport.close()
            return web.Response(status=500)
    return None


# -- all of them ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Systems:
    """The systems of an act."""

    url: str
    operator: str
    players: list[Player]
    receivers: Receivers
    journal: Journal

    async def begin(self, http: aiohttp.ClientSession) -> None:
        """Register all receivers."""
        for number, receiver in enumerate(self.receivers.all):
            made = await self._ask(http, "", {"url": f"{self.receivers.url}/{number}", "description": receiver.manner})
            receiver.endpoint_id, secret = made["id"], secret_of(made["secret"])
            assert secret is not None, "shown in the form that receivers configure"
            receiver.secrets.append(secret)

    async def rotate(self, http: aiohttp.ClientSession) -> None:
        """Give each endpoint a second secret in the middle of everything; both sign for a day."""
        for receiver in self.receivers.all:
            made = await self._ask(http, f"/{receiver.endpoint_id}/rotate", {})
            secret = secret_of(made["secret"] or "")
            if secret is not None:  # None: a repeated request does not show it
                receiver.secrets = [secret, *receiver.secrets] if receiver.manner != "good" else [secret]

    async def settled(self, http: aiohttp.ClientSession, pool: Pool, since: float) -> bool:
        """Let all receivers accept calls, and wait until they have all messages. Returns False if they do not."""
        self.receivers.mended = True
        for receiver in self.receivers.all:
            if receiver.manner == "gone":
                await self._ask(http, f"/{receiver.endpoint_id}", {"enabled": True}, method="PATCH")
                moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
                await self._ask(http, f"/{receiver.endpoint_id}/recover", {"since": moment})
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_SECONDS:
            if not await pool.fetchval("SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'"):
                return True
            # The schedule would take hours; instead of the clock, its times are moved.
            await pool.execute(
                "UPDATE webhook_deliveries SET due_at = now() WHERE status = 'pending' AND due_at > now()"
            )
            await pool.execute("UPDATE webhook_endpoints SET paused_until = now() WHERE paused_until > now()")
            await pool.execute("UPDATE jobs SET due_at = now() WHERE status = 'queued' AND kind = 'webhooks'")
            await asyncio.sleep(0.5)
        return False

    async def _ask(self, http: aiohttp.ClientSession, path: str, body: Any, *, method: str = "POST") -> Any:
        """Send a request until it succeeds."""
        headers = {"Authorization": f"Bearer {self.operator}", "Idempotency-Key": secrets.token_hex(8)}
        began = time.monotonic()
        while True:
            try:
                url = f"{self.url}/api/v1/chats/0/webhooks{path}"
                async with http.request(method, url, json=body, headers=headers) as response:
                    if response.status < 300:
                        return await response.json()
                    if time.monotonic() - began > SETTLE_SECONDS:
                        raise AssertionError(await response.text())
            except (aiohttp.ClientError, OSError, TimeoutError):
                if time.monotonic() - began > SETTLE_SECONDS:
                    raise
            await asyncio.sleep(0.3)


async def systems(
    url: str,
    pool: Pool,
    redis: Redis,
    groups: Sequence[tuple[Chat, Sequence[User]]],
    receivers: Receivers,
    clock: Any,
    rng: Random,
) -> Systems:
    """Return systems that play in some groups, with tokens."""
    tokens = Tokens(ApiTokens(pool, redis), clock)
    operator, _ = await tokens.issue(Role.OPERATOR)
    journal, players = Journal(), []
    for chat, people in groups:
        token, _ = await tokens.issue(Role.HOST, frozenset({chat.id}))
        players.append(Player(url, token, chat, people, Random(rng.random()), journal))
    return Systems(url, operator, players, receivers, journal)


# -- audit ------------------------------------------------------------------------------------------------------


async def audited(found: Findings, made: Systems, dsn: str, *, losses: int) -> None:
    """Check that each write by the API has one effect, and that each receiver has each event."""
    connection = await asyncpg.connect(dsn)
    try:
        events = await connection.fetch(
            "SELECT game_id, version, name, command_id FROM game_events"
            " WHERE command_id LIKE 'api:%' OR name IN ('game_opened', 'game_completed', 'game_cancelled')"
        )
        statuses = await connection.fetch("SELECT status, count(*) FROM webhook_deliveries GROUP BY 1")
    finally:
        await connection.close()
    _writes(found, made.journal, events, losses=losses)
    for receiver in made.receivers.all:
        check_received(found, receiver, events)
    found.figures |= {f"webhook deliveries {status}": count for status, count in statuses}


def _writes(found: Findings, journal: Journal, events: Sequence[Any], *, losses: int) -> None:
    games: dict[str, set[str]] = {}
    for row in events:
        if row["command_id"].startswith("api:"):
            games.setdefault(row["command_id"].rpartition(":")[2], set()).add(row["game_id"])
    for write in journal.writes:
        has = games.get(write.key, set())
        if len(has) > 1:
            found.breach("one key, several games", f"{write}: {has}")
        if 200 <= write.status < 300 and has != {write.game_id}:
            found.breach("acknowledged by the API and lost", f"{write}: {has}")
        if write.status >= 400 and has:
            found.breach("refused by the API and done", f"{write}: {has}")
    for difference in journal.differences if not losses else ():
        found.breach("a repeated request had another answer", difference)
    for error in journal.errors:
        found.breach("the API reported a bug", error)
    statuses = Counter(write.status for write in journal.writes)
    found.figures |= {
        "writes by API": len(journal.writes),
        "writes by API done, each in PostgreSQL once": sum(n for status, n in statuses.items() if 200 <= status < 300),
        "writes by API without a final answer": statuses[0],
        "writes by API that needed retries": sum(1 for write in journal.writes if write.tries > 1),
        "requests by API repeated, with the same answer": journal.repeated - len(journal.differences),
    }


def check_received(found: Findings, receiver: Receiver, events: Sequence[Any]) -> None:
    """Check that a receiver has each event that it should have, under one id, as it was sent."""
    told: Callable[[str], bool] = {"game_opened", "game_completed", "game_cancelled"}.__contains__
    due = {f"{row['game_id']}.{row['version']}": row for row in events if told(row["name"])}
    have = set(receiver.accepted)
    for id_ in due.keys() - have:
        found.breach("webhook lost", f"{receiver.manner}: {id_}")
    for id_, row in due.items():
        body = json.loads(receiver.bodies.get(id_, b"null"))
        if body is not None and body["type"] != row["name"].replace("_", ".", 1):
            found.breach("webhook of another type", f"{receiver.manner}: {id_} {body}")
    events_told: dict[tuple[Any, ...], str] = {}
    for id_, content in receiver.bodies.items():
        body = json.loads(content)
        event = (body["type"], body["data"].get("game_id"), body["data"].get("version"))
        # A repeat is allowed, because a sender may die before it has recorded an answer; receivers know it by its id.
        if event[1] is not None and events_told.setdefault(event, id_) != id_:
            found.breach("one event under two ids", f"{receiver.manner}: {events_told[event]} and {id_}")
    for each in receiver.forged:
        found.breach("webhook with a wrong signature or another body", f"{receiver.manner}: {each}")
    if receiver.manner == "good":
        _ordered(found, receiver)
    found.figures[f"webhooks accepted by the receiver that is {receiver.manner}, refused, repeated with their id"] = (
        f"{len(have)}, {receiver.refused}, {len(receiver.accepted) - len(have)}"
    )


def _ordered(found: Findings, receiver: Receiver) -> None:
    """Check that the messages of each game came in order: no call to this receiver fails on its side."""
    latest: dict[str, int] = {}
    for id_ in dict.fromkeys(receiver.accepted):
        game_id, _, version = id_.rpartition(".")
        if game_id and version.isdigit():
            if int(version) < latest.get(game_id, 0):
                found.breach("webhooks out of order", f"{id_} after version {latest[game_id]}")
            latest[game_id] = int(version)
