"""Processes of the bot, and the load balancer in front of their webhooks. None of them outlives the suite."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from storage.embedded import tied_to_this_process

ROOT = Path(__file__).parent.parent
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
"""Longest duration of a graceful stop."""
EARLY_SECONDS = 3.0
"""Time during which a starting process may end by the signal itself, as its handler is not yet installed."""
CHECK_SECONDS = 0.5
"""Interval of the balancer's health checks."""
REVIVE_SECONDS = 1.0
"""Restart delay after an unexpected exit, like a supervisor's."""


def free_port() -> int:
    """Return a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class Replica:
    """One process of the bot, across restarts."""

    number: int
    env: Mapping[str, str]
    log: Path
    arguments: Sequence[str] = ()
    root: Path = ROOT
    """Checkout whose code it runs; another one takes effect at the next start."""
    port: int = field(default_factory=free_port)
    lives: int = 0
    kills: int = 0
    deaths: list[str] = field(default_factory=list)
    """Unexpected exits and failed stops; each is a breach."""
    stops: list[float] = field(default_factory=list)
    """Durations of graceful stops, in seconds."""
    starts: list[float] = field(default_factory=list)
    """Seconds from a start to readiness, with the stores up."""
    process: asyncio.subprocess.Process | None = None
    paused: bool = False
    healthy: bool = False
    """Result of the balancer's last health check."""
    started: float = 0.0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held during a kill, a pause or a start."""
    _watch: "asyncio.Task[None] | None" = None
    _asked: bool = False

    @property
    def pid(self) -> int:
        """Return the current process's id; 0 if there is none."""
        return self.process.pid if self.process is not None and self.process.returncode is None else 0

    async def start(self) -> None:
        """Start the process; it dies with this one."""
        await self._unwatch()
        self._asked, self.paused = False, False
        self.lives += 1
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *tied_to_this_process(),
                *(sys.executable, "-m", "bot", "run", *self.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                env={**self.env, "TOMBOLA_WEB__PORT": str(self.port)},
                start_new_session=True,
            )
        self._watch = asyncio.create_task(self._look_after(self.process), name=f"replica {self.number}")

    async def _look_after(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if not self._asked:
            self.deaths.append(f"replica {self.number} ended by itself with {code} in its life {self.lives}")
            await asyncio.sleep(REVIVE_SECONDS)
            asyncio.get_running_loop().create_task(self.start())

    async def _unwatch(self) -> None:
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        self._watch = None

    async def ready(self, session: aiohttp.ClientSession, seconds: float = READY_SECONDS) -> float:
        """Wait until the process is ready. Returns the seconds. Raises TimeoutError."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with session.get(f"http://127.0.0.1:{self.port}/health/ready") as response:
                        if response.status == 200:
                            return time.monotonic() - began
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """Kill the process (SIGKILL)."""
        process, self._asked = self.process, True
        if process is not None and process.returncode is None:
            self.kills += 1
            process.kill()
            await process.wait()

    async def stop(self) -> None:
        """Terminate the process (SIGTERM), and wait for its end within `STOP_SECONDS`."""
        process, self._asked = self.process, True
        if process is None or process.returncode is not None:
            return
        # A paused process would not handle the signal.
        self.resume()
        began = time.monotonic()
        process.terminate()
        try:
            code = await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.deaths.append(f"replica {self.number} did not stop within {STOP_SECONDS:.0f} s")
            with contextlib.suppress(ProcessLookupError):  # it may have ended just now
                process.kill()
            await process.wait()
            return
        self.stops.append(time.monotonic() - began)
        if code == -signal.SIGTERM and began - self.started < EARLY_SECONDS:
            return  # the signal arrived while Python itself was starting
        if code != 0:
            self.deaths.append(f"replica {self.number} stopped with status {code}")

    def pause(self) -> None:
        """Pause the process (SIGSTOP)."""
        if self.pid:
            self.paused = True
            os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the process (SIGCONT)."""
        if self.pid and self.paused:
            os.kill(self.pid, signal.SIGCONT)
        self.paused = False

    async def close(self) -> None:
        """End the process at once, in any state."""
        self._asked = True
        await self._unwatch()
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


class Balancer:
    """TCP load balancer: each connection goes to the next replica that accepts it.

    Args:
        replicas: where connections go.
        by_request: True to end each connection after one HTTP request, so that requests are shared evenly.
    """

    def __init__(self, replicas: Sequence[Replica], *, by_request: bool = False) -> None:
        self._by_request = by_request
        self.port = 0
        self._replicas = replicas
        self._next = 0
        self._server: asyncio.Server | None = None
        self._checking: asyncio.Task[None] | None = None
        self._pipes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._checking = asyncio.create_task(self._check(), name="health checks")

    async def close(self) -> None:
        """Close the listener and every connection."""
        if self._checking is not None:
            self._checking.cancel()
        if self._server is not None:
            self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _check(self) -> None:
        """Check the readiness of all replicas periodically."""
        limit = aiohttp.ClientTimeout(total=CHECK_SECONDS)
        async with aiohttp.ClientSession(timeout=limit) as session:
            while True:
                for replica in self._replicas:
                    replica.healthy = await _is_ready(session, replica)
                await asyncio.sleep(CHECK_SECONDS)

    def _candidates(self) -> list[Replica]:
        """Return the replicas to try, in rotation: ready ones first, then the others, as health checks may be late."""
        self._next += 1
        count = len(self._replicas)
        turns = [self._replicas[(self._next + step) % count] for step in range(count)]
        return sorted(turns, key=lambda replica: not replica.healthy)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        try:
            for replica in self._candidates():
                with contextlib.suppress(OSError):
                    there = await asyncio.open_connection("127.0.0.1", replica.port)
                    await self._carry(reader, writer, *there)
                    return
        except asyncio.CancelledError:
            pass
        finally:
            self._pipes.discard(task)
            writer.close()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back_reader: asyncio.StreamReader,
        back_writer: asyncio.StreamWriter,
    ) -> None:
        if self._by_request:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                head = await reader.readuntil(b"\r\n\r\n")
                back_writer.write(head[:-2] + b"Connection: close\r\n\r\n")
        ways = [
            asyncio.create_task(_pipe(reader, back_writer)),
            asyncio.create_task(_pipe(back_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back_writer.close()


async def _is_ready(session: aiohttp.ClientSession, replica: Replica) -> bool:
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with session.get(f"http://127.0.0.1:{replica.port}/health/ready") as response:
            return response.status == 200
    return False


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
