"""Guard against a failover of Redis that loses commits: games that are newer in PostgreSQL are restored first.

A failover to a replica, a restart with an older file or a restored backup may take a game back to an earlier version
than PostgreSQL has. A decision on that version would lose confirmed moves. Each new connection therefore asks the
server for its identity; if that is a new one, no connection is handed out until the games have been compared. The check
happens when connecting, so it costs a tap nothing.

A former primary that is still alive goes on accepting writes: Sentinels demote it about eight seconds after they have
promoted another. So before comparing, this process closes its connections to the former server. Otherwise it would go
on committing there, and PostgreSQL would confirm games that the new server never receives. Only one server is known at
a time, so that a return to the former one is noticed too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from fsm.engine import Unavailable
from fsm.kind import Game
from storage.leases import jitter
from storage.rebuild import AWAY as POSTGRES_AWAY
from storage.rebuild import Rebuilt
from storage.strict_durability import CONFIRM_SECONDS

FIELDS = (b"run_id:", b"master_replid:")
"""Lines of INFO that differ after a restart, a failover and a promotion."""
HOLD_SECONDS = 10.0
"""Longest time for which commands are held back if PostgreSQL can't be asked, in seconds."""
AGAIN_SECONDS = 0.5
LATE_SECONDS = CONFIRM_SECONDS + 1.0
"""Time after which the games are compared once more, in seconds.

Until then PostgreSQL may confirm commits of the former server (strict durability).
"""

AWAY = (*POSTGRES_AWAY, RedisError, OSError, Unavailable)
"""Errors of a comparison while a store is away."""

PutBack = Callable[[], Awaitable[Rebuilt]]
"""A function that restores the games that are newer in PostgreSQL. Raises one of `AWAY`."""
Tell = Callable[[Sequence[Game]], Awaitable[object]]
"""A function that informs the chats of restored games."""
Spawn = Callable[[str, Coroutine[Any, Any, None]], object]


class FailoverGuard:
    """Hook that lets a client connect to an unknown Redis only after its games have been compared.

    Args:
        client: client that reads and commits games; it must not have connected yet.
        comparing: client through which games are compared, nor this one. It is handed out while commands are held back.
    """

    def __init__(self, client: Redis, comparing: Redis) -> None:
        self.failovers = 0
        """Number of unknown servers met since the start."""
        self._work: tuple[PutBack, Tell, Spawn] | None = None
        self._known: bytes | None = None
        """Identity of the server whose games were compared."""
        self._comparing: bytes | None = None
        """Identity of the server whose games are being compared, while commands are held back."""
        self._clients = client, comparing
        client.connection_pool.connection_kwargs["redis_connect_func"] = self._connected
        comparing.connection_pool.connection_kwargs["redis_connect_func"] = self._greet

    def begin(self, put_back: PutBack, tell: Tell, spawn: Spawn) -> None:
        """Start comparing at each unknown server. The server met so far counts as compared: the start has done it.

        Args:
            put_back: compares and restores, through another client.
            tell: called with the restored games when the client can connect again.
            spawn: runs a named coroutine in an owned task.
        """
        self._work = put_back, tell, spawn

    async def compare(self) -> None:
        """Compare once, if PostgreSQL is there. For a process whose start does not restore games anyway."""
        if self._work is not None:
            put_back, tell, _ = self._work
            rebuilt = await _tried(put_back)
            await tell(rebuilt.games if rebuilt else ())

    @property
    def comparing(self) -> bool:
        """Return True while commands are held back."""
        return self._comparing is not None

    async def _connected(self, connection: Any) -> None:
        """Complete a connection, unless commands are held back.

        Raises:
            redis.exceptions.ConnectionError: the games of this server have not been compared yet.
        """
        await self._greet(connection)
        if self.comparing:
            raise RedisConnectionError("another Redis than before: its games are compared first")

    async def _greet(self, connection: Any) -> None:
        """Complete the connection as redis-py does, ask the server for its identity, and compare an unknown server."""
        await connection.on_connect()
        server = await _who(connection)
        if self._work is None:
            self._known = server
        elif server != (self._known if self._comparing is None else self._comparing):
            self._comparing = server
            self.failovers += 1
            logger.warning("Redis is another server than before; comparing its games with PostgreSQL first")
            put_back, tell, spawn = self._work
            spawn("comparing with PostgreSQL", self._compare(server, put_back, tell))

    async def _compare(self, server: bytes, put_back: PutBack, tell: Tell) -> None:
        """Compare until no game is left, and once more later. Ends early if yet another server is met.

        If the comparison takes longer than `HOLD_SECONDS`, commands proceed meanwhile.
        """
        began, restored = time.monotonic(), list[Game]()
        try:
            await self._leave()
            while server in {self._comparing, self._known}:
                rebuilt = await _tried(put_back)
                if rebuilt is not None:
                    restored += rebuilt.games
                    if not rebuilt.left or server == self._known:  # the rest was reported and waits for the projector
                        break
                if server == self._comparing and time.monotonic() - began > HOLD_SECONDS:
                    logger.error("accepting commands before all games were compared with PostgreSQL")
                    self._admit(server)
                await asyncio.sleep(jitter(AGAIN_SECONDS))
        finally:
            self._admit(server)
        await tell(restored)
        await asyncio.sleep(LATE_SECONDS)
        late = await _tried(put_back)
        if late is not None and late.games:
            await tell(late.games)

    async def _leave(self) -> None:
        """Close all connections, those in use too: they may lead to the former server. Their commands fail."""
        for client in self._clients:
            await client.connection_pool.disconnect(inuse_connections=True)

    def _admit(self, server: bytes) -> None:
        """Hand out connections to a server, unless another one has been met since."""
        if server == self._comparing:
            self._known, self._comparing = server, None


async def _tried(put_back: PutBack) -> Rebuilt | None:
    """Return the restored games, or None while a store is away."""
    try:
        return await put_back()
    except AWAY as problem:
        logger.warning("cannot compare games with PostgreSQL yet: {}", type(problem).__name__)
        return None


async def _who(connection: Any) -> bytes:
    """Return the server's identity; empty if an ACL forbids INFO."""
    found: list[bytes] = []
    for section in ("server", "replication"):
        await connection.send_command("INFO", section, check_health=False)
        try:
            lines = bytes(await connection.read_response()).splitlines()
        except ResponseError as problem:
            logger.warning("Redis does not reveal its identity, so a failover would go unnoticed: {}", problem)
            return b""
        found += [line for line in lines if line.startswith(FIELDS)]
    return b" ".join(found)
