"""Redis is another one than before: games that PostgreSQL has newer are put back before any command is decided.

A failover to a replica, a restart with an older file or a restored copy may take a game back to an earlier version than
PostgreSQL has. Deciding on that would lose what was confirmed. Each new connection therefore asks the server who it is;
while the answer is a new one, no connection is given out until the games have been compared. That costs a tap nothing:
it happens when connecting.
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

FIELDS = (b"run_id:", b"master_replid:")
"""Lines of INFO that differ after a restart, a failover and a promotion."""
HOLD_SECONDS = 10.0
"""Longest time for which commands are held back if PostgreSQL can't be asked."""
AGAIN_SECONDS = 0.5

AWAY = (*POSTGRES_AWAY, RedisError, OSError, Unavailable)
"""Errors of a comparison while a store is away."""

PutBack = Callable[[], Awaitable[Rebuilt]]
"""Puts back the games that PostgreSQL has newer. Raises one of `AWAY`."""
Tell = Callable[[Sequence[Game]], Awaitable[object]]
"""Tells the chats of games that were put back."""
Spawn = Callable[[str, Coroutine[Any, Any, None]], object]


class FailoverGuard:
    """Lets a client connect to a Redis that was not seen before only when its games have been compared.

    Args:
        client: the client by which games are read and committed; it must not have connected yet.
    """

    def __init__(self, client: Redis) -> None:
        self.failovers = 0
        """Number of times that another Redis was found."""
        self._work: tuple[PutBack, Tell, Spawn] | None = None
        self._known: set[bytes] = set()
        """Servers whose games were compared."""
        self._comparing: set[bytes] = set()
        client.connection_pool.connection_kwargs["redis_connect_func"] = self._connected

    def begin(self, put_back: PutBack, tell: Tell, spawn: Spawn) -> None:
        """Compare from now on. The start of a process has compared the server of before.

        Args:
            put_back: compares, by another client.
            tell: told of the games that were put back, when the client connects again.
            spawn: runs something by that name in a task that somebody owns.
        """
        self._work = put_back, tell, spawn

    async def compare(self) -> None:
        """Compare now, once, if PostgreSQL is there: at the start of a process that does not put games back anyway."""
        if self._work is not None:
            put_back, tell, _ = self._work
            rebuilt = await _tried(put_back)
            await tell(rebuilt.games if rebuilt else ())

    @property
    def comparing(self) -> bool:
        """Return True while commands are held back."""
        return bool(self._comparing)

    async def _connected(self, connection: Any) -> None:
        """Greet the server as redis-py does, and ask for its identity.

        Raises:
            redis.exceptions.ConnectionError: the games of this server have not been compared yet.
        """
        await connection.on_connect()
        server = await _who(connection)
        if self._work is None:
            self._known.add(server)
        if server in self._known or self._work is None:
            return
        if server not in self._comparing:
            self._comparing.add(server)
            self.failovers += 1
            logger.warning("another Redis than before: its games are compared with PostgreSQL's first")
            _, _, spawn = self._work
            spawn("comparing with PostgreSQL", self._compare(server, *self._work[:2]))
        raise RedisConnectionError("another Redis than before: its games are compared first")

    async def _compare(self, server: bytes, put_back: PutBack, tell: Tell) -> None:
        """Compare until nothing is left; when that takes too long, let commands go on meanwhile."""
        began, restored = time.monotonic(), list[Game]()
        try:
            while True:
                rebuilt = await _tried(put_back)
                if rebuilt is not None:
                    restored += rebuilt.games
                    if not rebuilt.left or server in self._known:  # what is left was told, and waits for the projector
                        break
                if server in self._comparing and time.monotonic() - began > HOLD_SECONDS:
                    logger.error("commands go on before all games could be compared with PostgreSQL's")
                    self._admit(server)
                await asyncio.sleep(jitter(AGAIN_SECONDS))
        finally:
            self._admit(server)
        await tell(restored)

    def _admit(self, server: bytes) -> None:
        self._comparing.discard(server)
        self._known.add(server)


async def _tried(put_back: PutBack) -> Rebuilt | None:
    """Return the games that were put back; None while a store is away."""
    try:
        return await put_back()
    except AWAY as problem:
        logger.warning("games can't be compared yet: {}", type(problem).__name__)
        return None


async def _who(connection: Any) -> bytes:
    """Return the server's identity; an empty one if it does not tell, under an ACL without INFO."""
    found: list[bytes] = []
    for section in ("server", "replication"):
        await connection.send_command("INFO", section, check_health=False)
        try:
            lines = bytes(await connection.read_response()).splitlines()
        except ResponseError as problem:
            logger.warning("Redis does not tell who it is, so that a failover is not noticed: {}", problem)
            return b""
        found += [line for line in lines if line.startswith(FIELDS)]
    return b" ".join(found)
