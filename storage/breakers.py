"""Circuit breakers in front of the stores, so that callers do not wait for a timeout again and again during an outage.

They guard the reads and commits that a person waits for. The feed and its consumers are not guarded: they retry by
rules of their own, and an outage costs them nothing but time.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OPENED, HalfOpenedState, OpenedState

from fsm.engine import Commit, Committed, GameStore, Record, Stored, Unavailable
from storage.connections import POSTGRES_GONE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker

    from storage.connections import Pool

FAILURES = 5
"""Consecutive failures that open a circuit."""
PAUSE_SECONDS = 1.0
"""Time for which an open circuit refuses at once, in seconds. After that the next call is a trial."""

ANSWER_SECONDS = 12.0
"""Limit for getting a pooled connection and an answer, in seconds: a little above the limit of one statement."""

Result = TypeVar("Result")


class PostgresAwayError(OSError):
    """A refusal without asking, because PostgreSQL was away a moment ago.

    Being an OSError, it is one of `POSTGRES_GONE`.
    """


class Breaker(Protocol):
    """An object that reports the state of a circuit breaker."""

    @property
    def state(self) -> str:
        """Return `closed` (healthy), `opened` or `half-opened`."""


class Circuit:
    """A circuit breaker that is created on first use, because the library creates one with a coroutine."""

    def __init__(self, name: str, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._name = name
        self._factory = AsyncCircuitBreakerFactory(default_threshold=FAILURES, default_ttl=pause_seconds)
        self._breaker: AsyncCircuitBreaker | None = None

    @property
    def state(self) -> str:
        """Return `closed` (healthy), `opened` or `half-opened`."""
        return CLOSED if self._breaker is None else str(self._breaker.context.state)

    async def run(self, call: Awaitable[Result], counted: tuple[type[Exception], ...]) -> Result:
        """Await a call; errors of the `counted` types count against the circuit. Raises `OpenedState` if it is open."""
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
                except Exception as error:  # noqa: BLE001 -- the store did answer: raise outside, do not count it
                    other = error
        except OpenedState:
            # A coroutine that is never awaited warns when it is collected.
            if hasattr(call, "close"):
                call.close()
            raise
        assert other is not None
        raise other


def forgive_steps(breaker: AsyncCircuitBreaker) -> None:
    """Half-open a circuit that seems to have opened in the future.

    purgatory measures the pause by the wall clock, which may be set back.
    """
    opened_at = breaker.context.opened_at
    if breaker.context.state == OPENED and opened_at is not None and opened_at > time.time():
        breaker.context.set_state(HalfOpenedState())


class GuardedStore:
    """A game store that refuses at once while Redis is known to be away, so that a tap gets its answer quickly."""

    def __init__(self, store: GameStore, circuit: Circuit) -> None:
        self._store = store
        self._circuit = circuit

    async def load(self, game_id: str) -> Stored | None:
        """Load as the store does; raise ``Unavailable`` at once if the circuit is open."""
        return await self._run(self._store.load(game_id))

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Read as the store does; raise ``Unavailable`` at once if the circuit is open."""
        return await self._run(self._store.records_since(game_id, known))

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Committed | asyncio.Future[Committed]]:
        """Commit as the store does; raise ``Unavailable`` at once if the circuit is open."""
        return await self._run(self._store.commit(commits))

    async def _run(self, call: Awaitable[Result]) -> Result:
        try:
            return await self._circuit.run(call, (Unavailable,))
        except OpenedState:
            raise Unavailable("Redis was away a moment ago") from None


class GuardedPool:
    """The reads and single statements of a pool; while PostgreSQL is known to be away they raise at once.

    Transactions (`acquire`) are not guarded: callers that write several rows at once have retries of their own.
    """

    def __init__(self, pool: Pool, circuit: Circuit, *, seconds: float = ANSWER_SECONDS) -> None:
        self._pool = pool
        self._circuit = circuit
        self._seconds = seconds

    def acquire(self) -> Any:
        """Acquire a connection for a transaction. Raises ``TimeoutError`` if none comes free in time."""
        return self._pool.acquire(timeout=self._seconds)

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Return all rows of a query."""
        return await self._run(self._pool.fetch, query, *arguments)

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """Return the first row of a query, or None."""
        return await self._run(self._pool.fetchrow, query, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Return the first value of the first row, or None."""
        return await self._run(self._pool.fetchval, query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement and return its status, such as ``UPDATE 1``."""
        return await self._run(self._pool.execute, query, *arguments)

    async def _run(self, method: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
        try:
            return await self._circuit.run(self._in_time(method, *arguments), POSTGRES_GONE)
        except OpenedState:
            raise PostgresAwayError("PostgreSQL was away a moment ago") from None

    async def _in_time(self, method: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
        """Limit the call and its wait for a free connection, which the pool's own timeouts do not count."""
        async with asyncio.timeout(self._seconds):
            return await method(*arguments)
