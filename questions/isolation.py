"""Reading of uploaded files in separate processes, so that no file can harm the bot."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

import msgspec
from loguru import logger

from questions.packs import Mistake, Pack, PackRefused, Vocabulary
from questions.reader_process import Reply, Request

ROOT = Path(__file__).parent.parent
AT_ONCE = 2
"""Number of files that are read concurrently."""
MOST_WAITING = 6
"""Limit of files that one person may have waiting."""
SECONDS = 15.0
"""Seconds until a process is killed. The limit is generous, as the process may have to wait for a processor."""
PROGRAM = ("-m", "questions.reader_process")
INHERITED = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""Environment variables passed to the process. The others may hold secrets."""


class TooManyFiles(Exception):
    """One person has too many files waiting."""


class FileReader:
    """Reader of files: one at a time for each person, a few at a time in all.

    Args:
        program: the arguments of Python that start the reading process.
        seconds: the time after which a process is killed.
    """

    def __init__(self, *, program: Sequence[str] = PROGRAM, seconds: float = SECONDS) -> None:
        self._program = program
        self._seconds = seconds
        self._room = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._waiting: Counter[int] = Counter()

    @asynccontextmanager
    async def turn(self, person: int) -> AsyncIterator[None]:
        """Wait until the person's earlier files are finished. Raises ``TooManyFiles``.

        Each person has a separate line, so that nobody's files delay those of another.
        """
        if self._waiting[person] >= MOST_WAITING:
            raise TooManyFiles
        # The dictionary is weak: a lock disappears once nobody holds or awaits it.
        lock = self._turns.get(person) or self._turns.setdefault(person, asyncio.Lock())
        self._waiting[person] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[person] -= 1
            if not self._waiting[person]:
                del self._waiting[person]

    async def read(self, content: bytes, name: str, vocabulary: Vocabulary) -> Pack:
        """Return the pack in a file. Raises ``PackRefused``."""
        request = msgspec.json.encode(Request(name.encode("utf-8", "replace").decode(), vocabulary))
        async with self._room:
            answer = await self._answer(request + b"\n" + content)
        try:
            reply = msgspec.json.decode(answer, type=Reply)
        except msgspec.MsgspecError:
            # No valid answer: the process was killed, or ran out of memory or time.
            reply = Reply(mistakes=(Mistake(0, "", "too-complex"),))
        if reply.pack is None:
            raise PackRefused(reply.mistakes, more=reply.more)
        return reply.pack

    async def _answer(self, told: bytes) -> bytes:
        """Return the answer of a process; empty if it was killed or has failed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *self._program,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd=ROOT, env={name: os.environ[name] for name in INHERITED if name in os.environ},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._seconds):
                answer, complaint = await process.communicate(told)
        except TimeoutError:
            logger.warning("a file took longer than {} s to read", self._seconds)
            return b""
        finally:
            # Cancellation ends up here too: no reading process may outlive its caller.
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            logger.error(
                "the process that reads a file exited with status {}: {}",
                process.returncode,
                complaint[-2000:].decode(errors="replace"),
            )
            return b""
        return answer
