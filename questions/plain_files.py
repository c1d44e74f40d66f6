"""Reading of files that operators name in the settings: regular files of a limited size, without waiting."""

import os
import stat
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 1 << 20


class UnusableFileError(OSError):
    """The path names no regular file, or one that is too large."""


def read_plain(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the contents of a regular file.

    Raises OSError, and ``UnusableFileError`` for a directory, pipe or device, and for more than ``most`` bytes.
    """
    # Without O_NONBLOCK, opening a named pipe would wait until some program opens its other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnusableFileError(None, "not a regular file")
        found = file.read(most + 1)
    if len(found) > most:
        raise UnusableFileError(None, f"larger than {most} bytes")
    return found
