"""Connections to PostgreSQL and Redis: bounded pools with timeouts, and retries of repeatable work."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import asyncpg
import hiredis
import stamina
from loguru import logger
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    DataError,
    InvalidResponse,
    MovedError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage import keys
from storage.dsn import PostgresAddress, postgres_address, redis_address
from storage.wrong_address import WrongAddress, diagnosed, lasting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from asyncpg.pool import PoolConnectionProxy
    from redis.asyncio.connection import AbstractConnection

# Quoted because asyncpg's classes are generic for the type checker alone.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Result = TypeVar("Result")

POSTGRES_GONE = (
    OSError,  # includes TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,  # also raised by a rollback on a connection that has just been lost
    asyncpg.InternalClientError,  # may be raised when such a connection returns to the pool
)
"""Errors of asyncpg while the server is away, starting, stopping or full."""
POSTGRES_AGAIN = (
    *POSTGRES_GONE,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
)
"""Errors after which a whole transaction may run again, if repeating it is harmless."""
POSTGRES_REFUSES = (
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password, for instance
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ProtocolViolationError,  # a pooler's refusal of a session parameter
    asyncpg.UndefinedObjectError,  # a parameter that the server does not know
    asyncpg.InvalidParameterValueError,
    asyncpg.CantChangeRuntimeParamError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidSchemaNameError,
    WrongAddress,
)
"""Errors of a server that answers and refuses us: waiting does not help. The texts hold no password."""
REDIS_GONE = (OSError, RedisConnectionError, RedisTimeoutError, BusyLoadingError)
"""Errors of redis-py while the server is away, loading its log, or too slow."""
REDIS_REFUSES = (AuthenticationError, ResponseError, WrongAddress)
"""Errors of a server that answers and refuses us: wrong password, unknown database, untrusted certificate."""
MOVED = (MovedError, AskError, TryAgainError, ClusterDownError, ReadOnlyError)
"""Errors of a server that has not, or no longer, the keys."""
MOVED_WORDS = ("READONLY", "CLUSTERDOWN", "MOVED ")
"""Words of these errors in the error of a script, in which Redis 6.2 wraps them."""

CLOSE_SECONDS = 3
"""Time that a closing pool gives to running queries, in seconds."""
FIRST_SECONDS = 1.0
"""Limit of the first attempt to reach Redis, after which its address is examined."""
HEALTH_CHECK_SECONDS = 15
"""Idle time after which a Redis connection is pinged before its next use, in seconds."""
IDLE_SECONDS = 5
"""Longest pause between two statements of a transaction, in seconds; then the server ends the session."""
LOCK_SECONDS = 3
"""Longest wait of a statement for a lock, in seconds."""
TRANSACTION_SECONDS = 30
"""Longest duration of a transaction, in seconds, which PostgreSQL enforces from version 17 on."""
# A session whose client has sent Parse but not yet Execute is "active", so that its idle time has no limit.
_LIMITS = f"""
SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'; SET LOCAL lock_timeout = '{LOCK_SECONDS}s';
SELECT set_config('transaction_timeout', '{TRANSACTION_SECONDS}s', true)
    WHERE current_setting('transaction_timeout', true) IS NOT NULL
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

    A `jsonb` parameter is encoded JSON, `bytes` or `str`, and a `jsonb` column is read as `bytes`: events are passed on
    as they are stored, so that no layer parses them in between.

    Args:
        dsn: connection string of PostgreSQL, in libpq's format.
        pool_min: connections opened at once and kept.
        pool_max: most connections; further work waits for one.
        connect_timeout_seconds: limit for opening one connection.
        command_timeout_seconds: limit for one query, measured here; raises `TimeoutError`.
        statement_timeout_seconds: limit for one statement, measured by the server, which then cancels it.
        start_timeout_seconds: longest wait for a server that is not up yet.
        application_name: name of the sessions in `pg_stat_activity`.
        observe: called with the duration of each query, in seconds.

    Raises:
        POSTGRES_GONE: one of these, if the server has not answered in time.
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

    # Each attempt makes a new pool: asyncpg treats a pool that failed to connect as open.
    @stamina.retry(on=postgres_comes, attempts=None, timeout=start_timeout_seconds, wait_initial=0.05, wait_max=2)
    async def opened() -> Pool:
        return await asyncpg.create_pool(
            min_size=pool_min,
            max_size=pool_max,
            connect=opener.open,
            init=prepared,
            reset=_leave_session,
        )

    pool = await opened()
    try:
        yield pool
    finally:
        await _close(pool)


async def _leave_session(_connection: Connection) -> None:
    """Return a connection to the pool without asyncpg's query that resets its session.

    asyncpg has rolled back an open transaction before. Nothing else can be left: settings and advisory locks belong to
    transactions here, and nobody uses LISTEN, since poolers could not keep it. The query would cost a round trip after
    each statement, a tenth of the processor time of a read.
    """


def postgres_comes(error: Exception) -> bool:
    """Return True if waiting can help. A wrong address is an OSError too, but waiting does not cure it."""
    return isinstance(error, POSTGRES_GONE) and not isinstance(error, POSTGRES_REFUSES)


class PooledConnection(asyncpg.Connection):
    """A connection through a pooler that gives each transaction another session, such as pgbouncer's transaction mode.

    Nothing may be left in a session: no named prepared statement, no setting. asyncpg sends a statement with arguments
    in two steps, which the pooler takes for two transactions, so each such statement runs in an explicit transaction.
    That costs two more round trips. A statement without arguments is one message and is sent unchanged.
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

    async def _whole(self, call: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        if self.is_in_transaction():
            return await call(*args, **options)
        async with self.transaction():
            return await call(*args, **options)


class _Opener:
    """Opens the connections of one pool, and detects at the first one whether a pooler is in between.

    Args:
        address: address of the server.
        timeout: limit for opening a connection, in seconds.
        command_timeout: limit for each query, in seconds; None for no limit.
        settings: settings that every session should begin with. A pooler may refuse some of these; connections then
            go without them. Settings of the address itself are never left out.
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
        """Open one connection, with the arguments that asyncpg's pool passes. Raises asyncpg's errors."""
        try:
            if self._pooled is None:
                self._pooled = await self._meets_a_pooler()
            while True:
                try:
                    return await self._connect(self._wanted, pooled=self._pooled, loop=loop)
                except asyncpg.ProtocolViolationError as error:
                    if not self._leaves_out(str(error)):
                        raise
        except OSError as error:
            raise lasting(error) or error from None

    async def _meets_a_pooler(self) -> bool:
        """Detect a pooler: it tells the client an invented process id, which differs from the server's own."""
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
        """Leave the setting that a pooler refuses out of later attempts.

        Returns False if the setting is not ours to drop.
        """
        match = re.search(r"unsupported startup parameter: (\w+)", refusal)
        name = match[1] if match else ""
        if name not in self._wanted or name in self._address.settings:
            return False
        del self._wanted[name]
        logger.warning("a pooler refuses {}: set it for the role in PostgreSQL instead", name)
        return True


async def postgres_connection(dsn: str, *, within: float) -> asyncpg.Connection[asyncpg.Record]:
    """Open one connection that leaves nothing in its session, so that it works through a pooler.

    Raises asyncpg's errors.
    """
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
    """Close the pool, waiting for running queries only for a while: a server that is gone never answers."""
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

    A process that is stopped (SIGSTOP, a paused virtual machine) in the middle of a transaction keeps its locks. After
    `IDLE_SECONDS`, or `TRANSACTION_SECONDS` if it was stopped in the middle of a statement, the server ends such a
    session, so that others can proceed. The limits are set in the transaction, not when connecting, because a pooler in
    transaction mode refuses or forgets session settings.

    Raises:
        asyncpg.LockNotAvailableError: another transaction has kept a row for `LOCK_SECONDS`.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LIMITS)
        yield connection


async def in_transaction(
    pool: Pool, work: Callable[[Connection], Awaitable[Result]], *, attempts: int = 5, timeout_seconds: float = 10
) -> Result:
    """Run work in one transaction, and repeat it if a race or a lost connection undid it.

    If the connection is lost during the commit, the outcome is unknown. Therefore `work` must be harmless to repeat, by
    a checkpoint or `ON CONFLICT`.

    Raises:
        POSTGRES_AGAIN: one of these, after the last attempt.
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
    """Open a client with a bounded pool, on which callers wait rather than fail; close it at the end.

    Nothing connects before the first command. No command is repeated automatically, because a command that timed out
    may have been executed; callers repeat only harmless ones. Answers are `bytes`.

    Args:
        dsn: `redis://`, `rediss://`, `unix://`, `redis+sentinel://host,host/service`, `redis+cluster://host,host`, or
            `rediss+cluster://host,host`. On a cluster all keys are in one slot, for the whole process.
        pool_size: most connections.
        timeout_seconds: limit for connecting, for an answer, and for the wait for a free connection.
        client_name: name of the connections in `CLIENT LIST`.

    Raises:
        ValueError: the DSN is not one of Redis.
    """
    address = redis_address(dsn)
    keys.use_one_slot(cluster=bool(address.nodes))
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
    primary: Any = None
    if address.sentinels:
        kind: Any = Sentinel
        sentinel = kind(address.sentinels, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
        primary = partial(_primary, sentinel, address.service, asyncio.Lock())
    elif address.nodes:
        given = {name: value for name, value in pool.connection_kwargs.items() if name not in {"host", "port"}}
        primary = ClusterNodes(address.nodes, partial(pool.connection_class, **given)).owner
    if primary is not None:
        kinds = (_PrimaryConnection, *kinds)
    pool.connection_class = type("Connection", kinds, {"primary": staticmethod(primary)} if primary else {})
    client = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
        for each in sentinel.sentinels if sentinel else ():
            await each.aclose()


def packed(name: str, *arguments: Any) -> bytes:
    """Encode a command in the Redis protocol with hiredis, without redis-py's check of each argument.

    A name may consist of several words. Raises `redis.exceptions.DataError`.
    """
    try:
        command: bytes = hiredis.pack_command((*name.split(), *arguments))
    except TypeError as error:
        raise DataError(str(error)) from error
    return command


class PinnedConnections:
    """A few connections kept outside of the pool for pipelined commands, such as the commits of a flight.

    Taking a connection from redis-py's pool and returning it costs as much as a commit. A small pool gives none away,
    because others would wait for them. The connections close with their client.

    Args:
        client: client from whose pool the connections are taken.
        most: most connections to keep.
    """

    def __init__(self, client: Redis, most: int) -> None:
        self._pool: Any = client.connection_pool
        self._most = most if self._pool.max_connections >= 4 * most else 0
        self._kept: list[AbstractConnection] = []

    async def exchange(self, commands: Sequence[bytes], *, seconds: float = 5) -> list[Any]:
        """Send packed commands in one write; return their answers in order, errors of the server among them.

        This is a pipeline of redis-py with one timer in all instead of one for each command. Raises redis-py's errors
        if the server is away or takes longer than `seconds`.
        """
        kept = bool(self._kept)
        connection = self._kept.pop() if kept else await self._pool.get_connection()
        try:
            async with asyncio.timeout(seconds):
                if kept:
                    await self._pool.ensure_connection(connection)  # as the pool checks those it hands out
                await connection.send_packed_command(b"".join(commands))
                return [await _answer(connection) for _ in commands]
        except BaseException as problem:
            await connection.disconnect(nowait=True)  # late answers must not be taken for those of the next commands
            if isinstance(problem, TimeoutError):
                raise RedisTimeoutError("timeout while waiting for answers") from None
            raise
        finally:
            if len(self._kept) < self._most and connection.is_connected and not connection.should_reconnect():
                self._kept.append(connection)
            else:
                await self._pool.release(connection)


async def _answer(connection: AbstractConnection) -> Any:
    """Read the next answer; return an error of the server as a value. Any other error closes the connection."""
    try:
        return await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        return error


async def _primary(sentinel: Any, service: str, alone: asyncio.Lock) -> tuple[str, int]:
    """Ask for the primary's address, one caller at a time: redis-py reorders its list of Sentinels while it asks."""
    async with alone:
        address: tuple[str, int] = await sentinel.discover_master(service)
        return address


class ClusterNodes:
    """The servers of a Redis Cluster, of which one has all keys.

    Args:
        nodes: host and port of at least one server that is up.
        connection: makes a connection of redis-py to the host and port given.
    """

    def __init__(self, nodes: Sequence[tuple[str, int]], connection: Callable[..., AbstractConnection]) -> None:
        self._given = nodes
        self._nodes = list(nodes)
        self._connection = connection

    async def owner(self) -> tuple[str, int]:
        """Return host and port of the server that has the slot of all keys.

        Raises:
            redis.exceptions.ConnectionError: no server tells.
        """
        failure: Exception = RedisConnectionError("no server of the cluster has the slot of the keys")
        for node in [*self._nodes]:
            try:
                owner = await self._told_by(*node)
            except (*REDIS_GONE, ResponseError) as error:
                failure = error
                owner = None
            if owner is not None:
                return owner
            # Another one is asked first next time: this one may be away, or cut off from the others.
            self._nodes.remove(node)
            self._nodes.append(node)
        raise failure

    async def _told_by(self, host: str, port: int) -> tuple[str, int] | None:
        connection: Any = self._connection(host=host, port=port)
        try:
            await connection.connect()
            await connection.send_command("CLUSTER", "SLOTS")
            ranges: Any = await connection.read_response()
        finally:
            await connection.disconnect(nowait=True)
        known = [(_host(server[0], host), int(server[1])) for row in ranges for server in row[2:]]
        self._nodes = list(dict.fromkeys([(host, port), *known, *self._given]))
        slot = keys.cluster_slot()
        owners = (row[2] for row in ranges if row[0] <= slot <= row[1])
        return next(((_host(name, host), int(at)) for name, at, *_ in owners), None)


def _host(told: bytes | None, asked: str) -> str:
    """Return a host as a server of the cluster tells it: without a name, it is the host that was asked."""
    return told.decode() if told and told != b"?" else asked


def of_cluster(client: Redis) -> bool:
    """Return whether the client's address is that of a Redis Cluster."""
    primary: Any = getattr(client.connection_pool.connection_class, "primary", None)
    return isinstance(getattr(primary, "__self__", None), ClusterNodes)


class _PrimaryConnection:
    """Connection that asks the Sentinels, or the cluster, for the primary each time that it connects."""

    async def _connect(self: Any) -> None:
        self.host, self.port = await self.primary()
        await super()._connect()  # type: ignore[misc] # the next class in the order of resolution is redis-py's

    async def read_response(self: Any, *args: Any, **options: Any) -> Any:
        """Read a response.

        If the server is no longer the primary, disconnect, so that the next command finds the new primary.
        """
        try:
            return await super().read_response(*args, **options)  # type: ignore[misc]
        except ResponseError as error:
            if not isinstance(error, MOVED) and not any(word in str(error) for word in MOVED_WORDS):
                raise
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"the server is no longer the primary: {error}") from error


class _CancellableConnection:
    """Connection that sends without `asyncio.wait_for` and encodes with hiredis instead of in Python.

    Up to Python 3.11 `wait_for` loses a cancellation that arrives just when the write ends, and it costs a task for
    each command. The encoder is the one of redis-py's synchronous client.
    """

    def pack_command(self, *arguments: Any) -> list[bytes]:
        """Encode a command in the Redis protocol. Raises `redis.exceptions.DataError`."""
        return [packed(*arguments)]

    async def send_packed_command(
        self: Any,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002 - the signature is redis-py's
    ) -> None:
        """Send a command. Raises redis-py's errors, after closing the connection."""
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
            await self.disconnect(nowait=True)  # half a command may have been sent
            raise


async def redis_ready(
    client: Redis, *, timeout_seconds: float = 30, waiting: Callable[[Exception], object] | None = None
) -> None:
    """Wait until Redis answers and has loaded its data.

    Args:
        client: client made by `redis_client`.
        timeout_seconds: longest wait for a server that is starting.
        waiting: called with the first failed attempt's error, if the wait continues.

    Raises:
        REDIS_REFUSES: one of these, at once: waiting does not cure a wrong password or address.
        REDIS_GONE: one of these, if Redis has not answered in time.
    """
    asked = False

    async def fault_of(error: Exception) -> BaseException:
        """Return the error to raise; ask the address itself after the first failure."""
        nonlocal asked
        # redis-py reports a wrong password and a refused handshake as a lost connection: look for the cause.
        refusal = next((each for each in _chain(error) if isinstance(each, REDIS_REFUSES)), None) or lasting(error)
        if refusal is None and not asked:
            asked = True
            refusal = await _diagnosed_redis(client)
            if refusal is None and isinstance(error, InvalidResponse):
                refusal = WrongAddress("another program answers there instead of Redis")
            if refusal is None and waiting is not None:
                waiting(error)
        return refusal or error

    def passes(error: Exception) -> bool:
        return isinstance(error, REDIS_GONE) and not isinstance(error, REDIS_REFUSES)

    async for attempt in stamina.retry_context(
        on=passes, attempts=None, timeout=timeout_seconds, wait_initial=0.02, wait_max=1
    ):
        with attempt:
            try:
                # A TLS handshake with a server that speaks without it gets no answer: look for such a fault soon.
                async with asyncio.timeout(None if asked else FIRST_SECONDS):
                    await client.ping()
            except (*REDIS_GONE, *REDIS_REFUSES, InvalidResponse) as error:
                raise await fault_of(error) from None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it, nearest first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def _diagnosed_redis(client: Redis) -> WrongAddress | None:
    """Ask what answers at a client's address, unless that is a socket's path or given by Sentinels."""
    pool: Any = client.connection_pool
    if "host" not in pool.connection_kwargs or issubclass(pool.connection_class, _PrimaryConnection):
        return None
    tls = issubclass(pool.connection_class, SSLConnection)
    given = pool.connection_kwargs
    return await diagnosed(given["host"], given.get("port", 6379), wanted="Redis", tls=tls)


async def diagnosed_postgres(dsn: str) -> WrongAddress | None:
    """Ask what answers at the first host of a DSN, unless that is a socket's directory."""
    parts = urlsplit(postgres_address(dsn).dsn)
    first = parts.netloc.rpartition("@")[2].partition(",")[0]
    match = re.fullmatch(r"(\[[^\]]+\]|[^:]+)(?::(\d+))?", first)
    if match is None:
        return None
    return await diagnosed(match[1].strip("[]"), int(match[2] or 5432), wanted="PostgreSQL", tls=False)


def storable(text: str) -> str:
    """Return a text without the characters that PostgreSQL can't store: NUL and lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()
