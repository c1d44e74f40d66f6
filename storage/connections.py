"""Connections to the two stores: bounded pools with timeouts, and retries of what is safe to repeat."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg
import hiredis
import stamina
from loguru import logger
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, DataError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage.dsn import PostgresAddress, postgres_address, redis_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from asyncpg.pool import PoolConnectionProxy
    from redis.asyncio.connection import AbstractConnection

# Quoted, as asyncpg's classes are generic for the type checker alone.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Result = TypeVar("Result")

POSTGRES_GONE = (
    OSError,  # TimeoutError is one of them
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,  # also what a rollback raises on a connection that has just been lost
    asyncpg.InternalClientError,  # what giving such a connection back to the pool may raise
)
"""What asyncpg raises while the server is away, starting, stopping or full."""
POSTGRES_AGAIN = (
    *POSTGRES_GONE,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""After these a whole transaction may be tried again, where repeating it is harmless."""
POSTGRES_REFUSES = (
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password is one
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ProtocolViolationError,  # how a pooler refuses a parameter of the session
    asyncpg.UndefinedObjectError,  # a parameter that the server does not know
    asyncpg.InvalidParameterValueError,
    asyncpg.CantChangeRuntimeParamError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidSchemaNameError,
    ssl.SSLCertVerificationError,
)
"""Errors of a server that is there, but not for us: waiting helps nobody. The texts hold no password."""
REDIS_GONE = (OSError, RedisConnectionError, RedisTimeoutError, BusyLoadingError)
"""What redis-py raises while the server is away, loading its log, or too slow."""
REDIS_REFUSES = (AuthenticationError, ResponseError, ssl.SSLCertVerificationError)
"""Errors of a server that is there, but not for us: a wrong password, a database that it has not, a certificate."""

CLOSE_SECONDS = 3
"""How long a closing pool waits for queries in hand."""
HEALTH_CHECK_SECONDS = 15
"""A Redis connection that was idle for longer is pinged before its next use."""
IDLE_SECONDS = 5
"""How long the server waits in a transaction for the next statement."""
LOCK_SECONDS = 3
"""How long a statement waits for a lock."""
_LIMITS = f"""
SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'; SET LOCAL lock_timeout = '{LOCK_SECONDS}s'
"""
JSONB_VERSION = b"\x01"
"""First byte of a jsonb value in PostgreSQL's binary protocol."""


@asynccontextmanager
async def postgres_pool(  # noqa: PLR0913 -- limits, each by its name
    dsn: str,
    *,
    pool_min: int = 1,
    pool_max: int = 10,
    connect_timeout_seconds: float = 5,
    command_timeout_seconds: float = 10,
    statement_timeout_seconds: float = 10,
    start_timeout_seconds: float = 30,
    application_name: str = "tombola",
    observe: Callable[[float], None] | None = None,
) -> AsyncIterator[Pool]:
    """Open a pool, waiting for a server that is not up yet; close it at the end.

    A `jsonb` parameter is encoded JSON, `bytes` or `str`, and a `jsonb` column is read as `bytes`: events travel
    encoded, so that nobody parses what is only passed on.

    Args:
        dsn: PostgreSQL's, as libpq writes it.
        pool_min: connections opened at once and kept.
        pool_max: connections at most; more work waits for one.
        connect_timeout_seconds: to open one connection.
        command_timeout_seconds: to answer one query, seen from here; raises `TimeoutError`.
        statement_timeout_seconds: for one statement, seen from the server, which then cancels it.
        start_timeout_seconds: to wait for the server.
        application_name: how the sessions are called in `pg_stat_activity`.
        observe: told of the seconds that each query took.

    Raises:
        POSTGRES_GONE: one of them, where the server has not answered in time.
        asyncpg.PostgresError: the server refuses, for instance the password.
    """
    address = postgres_address(dsn)
    opener = _Opener(
        address,
        timeout=address.connect_timeout or connect_timeout_seconds,
        command_timeout=command_timeout_seconds,
        settings={
            "application_name": application_name,
            "statement_timeout": str(int(statement_timeout_seconds * 1000)),
            "timezone": "UTC",
        },
    )

    async def prepared(connection: Connection) -> None:
        await _raw_jsonb(connection)
        if observe is not None:
            connection.add_query_logger(lambda query: observe(query.elapsed))

    # A new pool at each attempt: asyncpg takes one that could not connect for one that is open.
    @stamina.retry(on=postgres_comes, attempts=None, timeout=start_timeout_seconds, wait_initial=0.05, wait_max=2)
    async def opened() -> Pool:
        return await asyncpg.create_pool(
            min_size=pool_min,
            max_size=pool_max,
            connect=opener.open,
            init=prepared,
        )

    pool = await opened()
    try:
        yield pool
    finally:
        await _close(pool)


def postgres_comes(error: Exception) -> bool:
    """Whether it helps to wait. A certificate that is not trusted is an OSError, and stays as it is."""
    return isinstance(error, POSTGRES_GONE) and not isinstance(error, POSTGRES_REFUSES)


class PooledConnection(asyncpg.Connection):
    """A connection through a pooler that gives each transaction another session, as pgbouncer's transaction mode.

    Nothing may be left in a session: no named prepared statement, no setting. asyncpg sends a statement with arguments
    in two steps, each a transaction of its own for the pooler, so each such statement runs in an explicit transaction.
    That costs two round trips more. A statement without arguments is one message and goes as it is.
    """

    # ruff: noqa: D102 - asyncpg's methods, with asyncpg's meaning

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        if not args:
            return await super().execute(query, **options)
        return await self._whole(super().execute, query, *args, **options)

    async def executemany(self, *args: Any, **options: Any) -> None:
        await self._whole(super().executemany, *args, **options)

    async def fetch(self, *args: Any, **options: Any) -> Any:
        return await self._whole(super().fetch, *args, **options)

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        return await self._whole(super().fetchval, *args, **options)

    async def fetchrow(self, *args: Any, **options: Any) -> Any:
        return await self._whole(super().fetchrow, *args, **options)

    async def fetchmany(self, *args: Any, **options: Any) -> Any:
        return await self._whole(super().fetchmany, *args, **options)

    async def copy_records_to_table(self, *args: Any, **options: Any) -> Any:
        return await self._whole(super().copy_records_to_table, *args, **options)

    async def set_type_codec(self, *args: Any, **options: Any) -> None:
        await self._whole(super().set_type_codec, *args, **options)

    def get_reset_query(self) -> str:
        """Nothing to reset: a session keeps nothing of ours, and the one asked would be anybody's."""
        return ""

    async def _whole(self, call: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        if self.is_in_transaction():
            return await call(*args, **options)
        async with self.transaction():
            return await call(*args, **options)


class _Opener:
    """Opens the connections of one pool, and finds out at the first whether there is a pooler between.

    Args:
        address: of the server.
        timeout: to open a connection.
        command_timeout: for each query.
        settings: settings that every session should begin with. A pooler may refuse one of these, and then each
            connection goes without it; what the address itself asks for is never left out.
    """

    def __init__(
        self, address: PostgresAddress, *, timeout: float, command_timeout: float | None, settings: dict[str, str]
    ) -> None:
        self._address = address
        self._wanted = settings
        self._options: Any = {"timeout": timeout, "command_timeout": command_timeout}
        if address.system_certificates:
            self._options["ssl"] = ssl.create_default_context()
        self._pooled: bool | None = address.pooled or None

    async def open(self, *_dsn: Any, loop: asyncio.AbstractEventLoop | None = None, **_classes: Any) -> Any:
        """Open one connection. Raises what asyncpg raises. The arguments are what asyncpg's pool passes."""
        if self._pooled is None:
            self._pooled = await self._meets_a_pooler()
        while True:
            try:
                return await self._connect(self._wanted, pooled=self._pooled, loop=loop)
            except asyncpg.ProtocolViolationError as error:
                if not self._leaves_out(str(error)):
                    raise

    async def _meets_a_pooler(self) -> bool:
        """Whether there is one: it makes up the process id that a client is told at its start."""
        connection = await self._connect({}, pooled=True)
        try:
            pooled: bool = await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid()
        finally:
            await connection.close()
        if pooled:
            logger.info("PostgreSQL is behind a pooler: each statement runs in a transaction of its own")
        return pooled

    async def _connect(
        self, settings: Mapping[str, str], *, pooled: bool, loop: asyncio.AbstractEventLoop | None = None
    ) -> Any:
        return await asyncpg.connect(
            self._address.dsn,
            loop=loop,
            server_settings={**settings, **self._address.settings},
            connection_class=PooledConnection if pooled else asyncpg.Connection,
            **(self._options | {"statement_cache_size": 0} if pooled else self._options),
        )

    def _leaves_out(self, refusal: str) -> bool:
        """Leave out the setting that a pooler refuses to begin with. False if it is none of ours."""
        match = re.search(r"unsupported startup parameter: (\w+)", refusal)
        name = match[1] if match else ""
        if name not in self._wanted or name in self._address.settings:
            return False
        del self._wanted[name]
        logger.warning("a pooler refuses {}: set it for the role in PostgreSQL instead", name)
        return True


async def postgres_connection(dsn: str, *, within: float) -> asyncpg.Connection[asyncpg.Record]:
    """Open one connection that leaves nothing in a session, pooler or not. Raises asyncpg's errors."""
    address = postgres_address(dsn)
    opener = _Opener(
        replace(address, pooled=True),
        timeout=min(within, address.connect_timeout or within),
        command_timeout=None,
        settings={},
    )
    connection: asyncpg.Connection[asyncpg.Record] = await opener.open()
    return connection


async def _close(pool: Pool) -> None:
    """Wait for the work in hand, but not for ever: a server that has gone away never answers."""
    try:
        await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
    except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
        pool.terminate()


async def _raw_jsonb(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: JSONB_VERSION + (value.encode() if isinstance(value, str) else bytes(value)),
        decoder=lambda value: value[1:],
    )


@asynccontextmanager
async def bounded_transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Begin a transaction that frees its locks soon if this process is frozen, and waits for others' only so long.

    A process that is stopped (SIGSTOP, a paused virtual machine) in the middle of a transaction keeps its locks: after
    `IDLE_SECONDS` the server ends its session, so that others go on. The limits are set in the transaction, not when
    connecting, because a pooler in transaction mode refuses or forgets those.

    Raises:
        asyncpg.LockNotAvailableError: another transaction has kept a row for `LOCK_SECONDS`.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LIMITS)
        yield connection


async def in_transaction(
    pool: Pool, work: Callable[[Connection], Awaitable[Result]], *, attempts: int = 5, timeout_seconds: float = 10
) -> Result:
    """Run that work in one transaction, and again where a race or a lost connection undid it.

    Where the connection is lost in the middle of the commit, nobody can tell whether it went through: `work` must be
    harmless to repeat, as by a checkpoint or `ON CONFLICT`.

    Raises:
        POSTGRES_AGAIN: one of them, after the last attempt.
    """
    async for attempt in stamina.retry_context(
        on=POSTGRES_AGAIN, attempts=attempts, timeout=timeout_seconds, wait_initial=0.02, wait_max=1
    ):
        with attempt:
            async with bounded_transaction(pool) as connection:
                return await work(connection)
    raise AssertionError("stamina raises after the last attempt")  # pragma: no cover


@asynccontextmanager
async def redis_client(
    dsn: str, *, pool_size: int = 16, timeout_seconds: float = 5, client_name: str = "tombola"
) -> AsyncIterator[Redis]:
    """Open a client whose pool is bounded and makes work wait for a connection, rather than fail; close it at the end.

    Nothing connects before the first command. A command is never repeated behind the caller's back, as one that timed
    out may have been done: who knows that a repetition is harmless repeats. Answers are `bytes`.

    Args:
        dsn: `redis://`, `rediss://`, `unix://`, or `redis+sentinel://host,host/service`.
        pool_size: connections at most.
        timeout_seconds: to connect, to answer, and to wait for a free connection.
        client_name: how the connections are called in `CLIENT LIST`.

    Raises:
        ValueError: the DSN is not one of Redis.
    """
    address = redis_address(dsn)
    pool = BlockingConnectionPool.from_url(
        address.dsn,
        max_connections=pool_size,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=HEALTH_CHECK_SECONDS,
        retry=Retry(NoBackoff(), 0),
        client_name=client_name,
    )
    kinds: tuple[type, ...] = (_CancellableConnection, pool.connection_class)
    sentinel: Any = None
    if address.sentinels:
        kind: Any = Sentinel
        sentinel = kind(address.sentinels, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
        kinds = (_PrimaryConnection, *kinds)
    members = {"primary": sentinel and partial(_primary, sentinel, address.service, asyncio.Lock())}
    pool.connection_class = type("Connection", kinds, members)
    client = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
        for each in sentinel.sentinels if sentinel else ():
            await each.aclose()


def packed(name: str, *arguments: Any) -> bytes:
    """A command as it goes over the wire: what redis-py does around hiredis, without a look at each argument.

    A name may be of several words. Raises `redis.exceptions.DataError`.
    """
    try:
        command: bytes = hiredis.pack_command((*name.split(), *arguments))
    except TypeError as error:
        raise DataError(str(error)) from error
    return command


class PinnedConnections:
    """Connections of a client that are kept for commands in one piece: the commits of a tap's flight go this way.

    To take a connection from redis-py's pool and to give it back costs as much as a commit. Of a small pool none is
    kept: others would wait for it. They are closed with their client.

    Args:
        client: whose connections they are.
        most: how many are kept, as many as are needed at once.
    """

    def __init__(self, client: Redis, most: int) -> None:
        self._pool: Any = client.connection_pool
        self._most = most if self._pool.max_connections >= 4 * most else 0
        self._kept: list[AbstractConnection] = []

    async def exchange(self, commands: Sequence[bytes], *, seconds: float = 5) -> list[Any]:
        """Send packed commands in one piece; gives their answers in order, the server's errors among them.

        What a pipeline of redis-py does, with one timer in all instead of one a command. Raises what redis-py raises
        where the server is away or takes longer than that.
        """
        kept = bool(self._kept)
        connection = self._kept.pop() if kept else await self._pool.get_connection()
        try:
            async with asyncio.timeout(seconds):
                if kept:
                    await self._pool.ensure_connection(connection)  # as of those that the pool gives
                await connection.send_packed_command(b"".join(commands))
                return [await _answer(connection) for _ in commands]
        except BaseException as problem:
            await connection.disconnect(nowait=True)  # what still comes must not be taken for the next one's answers
            if isinstance(problem, TimeoutError):
                raise RedisTimeoutError("timeout while waiting for answers") from None
            raise
        finally:
            if len(self._kept) < self._most and connection.is_connected and not connection.should_reconnect():
                self._kept.append(connection)
            else:
                await self._pool.release(connection)


async def _answer(connection: AbstractConnection) -> Any:
    """The next answer, an error as it is; on anything else that goes wrong the connection is closed."""
    try:
        return await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        return error


async def _primary(sentinel: Any, service: str, alone: asyncio.Lock) -> tuple[str, int]:
    """Ask for the primary's address, one connection at a time: redis-py reorders its Sentinels while it asks."""
    async with alone:
        address: tuple[str, int] = await sentinel.discover_master(service)
        return address


class _PrimaryConnection:
    """Asks the Sentinels where the primary is, each time that it connects."""

    async def _connect(self: Any) -> None:
        self.host, self.port = await self.primary()
        await super()._connect()  # type: ignore[misc] # of redis-py's class, which stands behind

    async def read_response(self: Any, *args: Any, **options: Any) -> Any:
        """Read a response. A primary that has become a replica is left: the next command finds the new one."""
        try:
            return await super().read_response(*args, **options)  # type: ignore[misc]
        except ResponseError as error:
            if "READONLY" not in str(error):  # Redis 6.2 puts it inside of a script's error
                raise
            await self.disconnect(nowait=True)
            raise RedisConnectionError("the primary has become a replica") from error


class _CancellableConnection:
    """Sends as redis-py does, but for `asyncio.wait_for`, and for encoding in Python what hiredis encodes in C.

    Up to Python 3.11 `wait_for` loses a cancellation that comes just when the sending ends, and it costs a task a
    command. The encoder is the one of redis-py's synchronous client.
    """

    def pack_command(self, *arguments: Any) -> list[bytes]:
        """A command as it goes over the wire. Raises `redis.exceptions.DataError`."""
        return [packed(*arguments)]

    async def send_packed_command(
        self: Any,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002 - the signature is redis-py's
    ) -> None:
        """Send a command. Raises redis-py's errors, with the connection closed."""
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()
        encoded = command.encode() if isinstance(command, str) else command
        try:
            async with asyncio.timeout(self.socket_timeout):
                self._writer.writelines([encoded] if isinstance(encoded, bytes) else encoded)
                await self._writer.drain()
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise RedisTimeoutError("timeout while sending") from None
        except OSError as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"while sending: {error}") from error
        except BaseException:
            await self.disconnect(nowait=True)  # half a command may be on the wire
            raise


async def redis_ready(client: Redis, *, timeout_seconds: float = 30) -> None:
    """Wait until Redis answers and has loaded its data.

    Raises:
        REDIS_REFUSES: one of them, at once.
        REDIS_GONE: one of them, where it has not in time.
    """

    def passes(error: Exception) -> bool:
        return isinstance(error, REDIS_GONE) and not isinstance(error, REDIS_REFUSES)

    async for attempt in stamina.retry_context(
        on=passes, attempts=None, timeout=timeout_seconds, wait_initial=0.02, wait_max=1
    ):
        with attempt:
            try:
                await client.ping()
            except RedisConnectionError as error:
                # redis-py makes a lost connection of a refusal of its first words, and of a certificate's.
                raise next((cause for cause in _causes(error) if isinstance(cause, REDIS_REFUSES)), error) from None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Return the errors that led to this one."""
    while (cause := error.__cause__ or error.__context__) is not None:
        yield cause
        error = cause
