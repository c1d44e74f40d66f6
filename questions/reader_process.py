"""Program of the process that reads one uploaded file: ``python -m questions.reader_process``.

Standard input: one line of JSON (``Request``), then the file. Standard output: a ``Reply`` in JSON. It imports none of
the bot's large dependencies, so it starts in a tenth of a second.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from questions.pack_reader import read_pack
from questions.packs import Mistake, Pack, PackRefused, Vocabulary

MEMORY = 64 << 20
"""Limit of bytes that reading may use beyond the process's initial memory. The largest good pack takes a third."""
SECONDS = 5
"""Limit of processor seconds. The largest file takes a fifth."""
NICE = 10


class Request(msgspec.Struct):
    """Name of the file, and the vocabulary to read it with."""

    name: str
    vocabulary: Vocabulary


class Reply(msgspec.Struct):
    """The pack, or every mistake."""

    pack: Pack | None = None
    mistakes: tuple[Mistake, ...] = ()
    more: bool = False


def reply_of(request: Request, content: bytes) -> Reply:
    """Read a file."""
    try:
        return Reply(read_pack(content, request.name, request.vocabulary))
    except PackRefused as refused:
        return Reply(mistakes=tuple(map(_encodable, refused.mistakes)), more=refused.more)
    except (MemoryError, RecursionError):
        return Reply(mistakes=(Mistake(0, "", "too-complex"),))


def _encodable(mistake: Mistake) -> Mistake:
    """Return a mistake without lone surrogates, which JSON can contain and UTF-8 can't."""

    def whole(value: Any) -> Any:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    parameters = {name: whole(value) for name, value in mistake.parameters.items()}
    return Mistake(mistake.line, whole(mistake.column), mistake.code, parameters, mistake.number, mistake.by_field)


def confine() -> None:
    """Restrict this process: memory, time, files, and its priority."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICE)
    with contextlib.suppress(OSError):
        # if memory runs out, the kernel must kill this process, not the bot
        Path("/proc/self/oom_score_adj").write_text("1000")
    try:
        import resource  # noqa: PLC0415 -- Windows has none
    except ImportError:
        return
    limits = {
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_CORE: 0,
        # No file may be written.
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_AS: _address_space() + MEMORY,
    }
    for limit, value in limits.items():
        with contextlib.suppress(OSError, ValueError):  # a lower limit may be set already
            resource.setrlimit(limit, (value, value))


def _address_space() -> int:
    """Return the process's address space in bytes; a large number if the system does not report it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 1 << 30


def main() -> None:
    """Read one file."""
    confine()
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=Request)
    sys.stdout.buffer.write(msgspec.json.encode(reply_of(request, sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
