"""Circuit breakers in front of the stores: while one is away nobody waits for its timeout again and again.

What they guard is what people wait for. The feed and its consumers are not guarded: they wait for a store by their own
rules, and lose nothing by it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OPENED, HalfOpenedState, OpenedState

from fsm.engine import Commit, Committed, GameStore, Stored, Unavailable
from storage.connections import POSTGRES_GONE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker

    from storage.connections import Pool

FAILURES = 5
"""So many failures in a row open a circuit."""
PAUSE_SECONDS = 1.0
"""How long it then refuses at once; after that calls are tried again."""

ANSWER_SECONDS = 12.0
"""To get a connection of PostgreSQL's pool and an answer: a little longer than a statement may take."""

Result = TypeVar("Result")


class PostgresAwayError(OSError):
    """PostgreSQL was away a moment ago, and is not asked. One of `POSTGRES_GONE`, as every OSError."""


class Breaker(Protocol):
    """Has a circuit breaker."""

    @property
    def state(self) -> str:
        """`closed` (all is well), `opened` or `half-opened`."""


class Circuit:
    """One circuit, made when it is first used."""

    def __init__(self, name: str, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._name = name
        self._factory = AsyncCircuitBreakerFactory(default_threshold=FAILURES, default_ttl=pause_seconds)
        self._breaker: AsyncCircuitBreaker | None = None

    @property
    def state(self) -> str:
        """`closed` (all is well), `opened` or `half-opened`."""
        return CLOSED if self._breaker is None else str(self._breaker.context.state)

    async def run(self, call: Awaitable[Result], counted: tuple[type[Exception], ...]) -> Result:
        """Await a call; errors that are `counted` count against the circuit. Raises `OpenedState` where it is open."""
        if self._breaker is None:
            self._breaker = await self._factory.get_breaker(self._name)
        other: Exception | None = None
        forgive_steps(self._breaker)
        try:
            async with self._breaker:
                try:
                    return await call
                except counted:
                    raise
                except Exception as error:  # noqa: BLE001 -- an answer all the same: raised where the circuit is not told
                    other = error
        except OpenedState:
            if hasattr(call, "close"):
                call.close()
            raise
        assert other is not None
        raise other


def forgive_steps(breaker: AsyncCircuitBreaker) -> None:
    """Half-open a circuit that was opened in the future: purgatory counts its pause by a wall clock that may be set."""
    opened_at = breaker.context.opened_at
    if breaker.context.state == OPENED and opened_at is not None and opened_at > time.time():
        breaker.context.set_state(HalfOpenedState())


class GuardedStore:
    """A game store that refuses at once while its Redis is known to be away: whoever taps is told to try again."""

    def __init__(self, store: GameStore, circuit: Circuit) -> None:
        self._store = store
        self._circuit = circuit

    async def load(self, game_id: str) -> Stored | None:
        """As of the store."""
        return await self._run(self._store.load(game_id))

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Committed | asyncio.Future[Committed]]:
        """As of the store."""
        return await self._run(self._store.commit(commits))

    async def _run(self, call: Awaitable[Result]) -> Result:
        try:
            return await self._circuit.run(call, (Unavailable,))
        except OpenedState:
            raise Unavailable("Redis was away a moment ago") from None


class GuardedPool:
    """The reads and single statements of a pool; while PostgreSQL is known to be away they raise at once.

    Transactions (`acquire`) are not guarded: who writes several things at once knows how to wait.
    """

    def __init__(self, pool: Pool, circuit: Circuit, *, seconds: float = ANSWER_SECONDS) -> None:
        self._pool = pool
        self._circuit = circuit
        self._seconds = seconds

    def acquire(self) -> Any:
        """A connection for a transaction, as of the pool. Raises ``TimeoutError`` where none comes free in time."""
        return self._pool.acquire(timeout=self._seconds)

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Rows."""
        return await self._run(self._pool.fetch, query, *arguments)

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """The first row, or None."""
        return await self._run(self._pool.fetchrow, query, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row, or None."""
        return await self._run(self._pool.fetchval, query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement."""
        return await self._run(self._pool.execute, query, *arguments)

    async def _run(self, method: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
        try:
            return await self._circuit.run(self._in_time(method, *arguments), POSTGRES_GONE)
        except OpenedState:
            raise PostgresAwayError("PostgreSQL was away a moment ago") from None

    async def _in_time(self, method: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
        """The wait for a free connection included, which the pool's own timeouts leave out."""
        async with asyncio.timeout(self._seconds):
            return await method(*arguments)
