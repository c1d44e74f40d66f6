"""The file of a backup: a gzipped tar of small parts, written and read in one pass, as `age` if it is encrypted.

A tar needs no index and no temporary copy, and any machine can look into it. Its first member describes the backup; its
last one has the number of rows and the digest of each table, so a file that was cut off is never taken for a whole one.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import stat
import tarfile
import threading
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from storage.feed import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FORMAT: Final = 1
HEAD: Final = "tombola-backup.json"
FOOT: Final = "contents.json"
TABLE: Final = "postgres/"
FEED: Final = "redis/feed/"
PART_BYTES: Final = 4 << 20
"""Size at which a part of a table is written."""
LARGEST_PART: Final = 64 << 20
"""Limit of a part that is read, in bytes: a row is in one message of PostgreSQL's, which is added to a part whole."""
AGE: Final = b"age-encryption.org/"
"""Beginning of each file that is encrypted by age."""
LEVEL: Final = 1
"""Level of gzip: the highest one takes six times as long for a tenth less."""


class BackupError(Exception):
    """A file that can't be written, or is no whole backup. The text is one line for the operator."""


class Table(msgspec.Struct, frozen=True):
    """A table: its columns, in the order of the copied rows."""

    columns: list[str]


class Head(msgspec.Struct, frozen=True):
    """The description of a backup.

    Attributes:
        format: version of the file's format.
        version: version of the program that wrote it.
        schema: revision of PostgreSQL's schema.
        taken_at: the time, in ISO 8601.
        tables: the tables, in an order in which they can be filled.
    """

    format: int
    version: str
    schema: str
    taken_at: str
    tables: dict[str, Table]


class Filled(msgspec.Struct, frozen=True):
    """The contents of a table: the number of rows, and SHA-256 of its rows in PostgreSQL's text format."""

    rows: int
    digest: str


class Foot(msgspec.Struct, frozen=True):
    """The contents of a backup.

    Attributes:
        tables: by name.
        sequences: the next value of each sequence, by name.
        entries: number of entries of the feed that PostgreSQL did not have yet.
    """

    tables: dict[str, Filled]
    sequences: dict[str, int]
    entries: int


@dataclass(slots=True)
class _Counted:
    """The rows of a table that have passed."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        self.rows += data.count(b"\n")  # the text format escapes the newlines in values
        self.digest.update(data)

    def total(self) -> Filled:
        return Filled(self.rows, self.digest.hexdigest())


# -- writing -----------------------------------------------------------------------------------------------------


class Writer:
    """The writer of a file. Its methods block."""

    def __init__(self, stream: IO[bytes], head: Head) -> None:
        self._gzip = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=LEVEL, mtime=0)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._tables: dict[str, _Counted] = {name: _Counted() for name in head.tables}
        self._pending = bytearray()
        self._parts = self._entries = 0
        self._add(HEAD, msgspec.json.format(msgspec.json.encode(head), indent=2))

    def rows(self, table: str, data: bytes) -> None:
        """Add rows of a table. Its parts are written as they fill, and the last one by ``end_of``."""
        self._tables[table].add(data)
        self._pending += data
        if len(self._pending) >= PART_BYTES:
            self._part(table)

    def end_of(self, table: str) -> None:
        """Write the last rows of a table."""
        if self._pending:
            self._part(table)
        self._parts = 0

    def entries(self, shard: str, entries: list[Entry]) -> None:
        """Add entries of the feed."""
        self._add(f"{FEED}{shard}/{self._entries:08}.msgpack", msgspec.msgpack.encode(entries))
        self._entries += len(entries)

    def finish(self, sequences: dict[str, int]) -> Foot:
        """Write the end. Returns the contents."""
        foot = Foot({name: each.total() for name, each in self._tables.items()}, sequences, self._entries)
        self._add(FOOT, msgspec.json.format(msgspec.json.encode(foot), indent=2))
        self._tar.close()
        self._gzip.close()
        return foot

    def _part(self, table: str) -> None:
        self._add(f"{TABLE}{table}/{self._parts:06}.copy", bytes(self._pending))
        self._pending.clear()
        self._parts += 1

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), stat.S_IRUSR
        self._tar.addfile(member, io.BytesIO(data))


@contextlib.contextmanager
def new_file(path: Path, recipients: list[str]) -> Iterator[IO[bytes]]:
    """Open a file for a backup. It gets its name at the end of the block, whole and on the disk, or not at all.

    Only its owner may read it. Raises ``BackupError`` if the file exists.

    Args:
        path: the file.
        recipients: the public keys of age that it is encrypted for; without any it is not encrypted.
    """
    if path.exists():
        raise BackupError(f"{path} exists already: a backup never overwrites a file")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with _encrypted(file, recipients) if recipients else contextlib.nullcontext(file) as stream:
                yield stream
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)  # fails if the name was taken meanwhile, which a rename would overwrite
    except FileExistsError:
        raise BackupError(f"{path} exists already: a backup never overwrites a file") from None
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


@contextlib.contextmanager
def _encrypted(file: IO[bytes], recipients: list[str]) -> Iterator[IO[bytes]]:
    """Encrypt what is written to the stream, in a thread: age reads a stream to its end."""
    age = _age()
    try:
        keys = [age.x25519.Recipient.from_str(key) for key in recipients]
    except age.RecipientError as error:
        raise BackupError(f"not a public key of age (age1...): {error}") from None
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream, _in_thread(lambda: _encrypt(age, reading, file, keys), stream):
        yield stream


def _encrypt(age: Any, reading: int, file: IO[bytes], keys: list[Any]) -> None:
    with os.fdopen(reading, "rb") as source:
        age.encrypt_io(source, file, keys)


@contextlib.contextmanager
def _in_thread(work: Callable[[], object], stream: IO[bytes]) -> Iterator[None]:
    """Run work at the other end of a pipe. Close this end after the block, wait, and raise the work's error if any."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- raised again by the other thread
            failed.append(error)

    thread = threading.Thread(target=run, name="backup", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(BrokenPipeError):
            stream.close()
        thread.join()
        if failed and not isinstance(failed[0], BrokenPipeError):  # the reader went first, for a reason of its own
            raise failed[0]


# -- reading -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a backup: rows of a table, or entries of the feed."""

    table: str = ""
    rows: bytes = b""
    entries: tuple[Entry, ...] = ()


class Reader:
    """The reader of a file, in one pass. Its methods block, and raise ``BackupError`` if the file is damaged."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tables: dict[str, _Counted] = {}
        self._entries = 0
        self.foot: Foot | None = None
        """The contents, once all parts were read."""
        with _damage():
            self._gzip = gzip.GzipFile(fileobj=stream, mode="rb")
            self._tar = tarfile.open(fileobj=self._gzip, mode="r|")  # noqa: SIM115 -- ends with the stream
            name, data = self._next()
            if name != HEAD:
                raise BackupError("this is no backup of Tombola")
            self.head = msgspec.json.decode(data, type=Head)
        if self.head.format != FORMAT:
            raise BackupError(f"the backup has format {self.head.format}, this Tombola reads {FORMAT}")

    def parts(self) -> Iterator[Part]:
        """Yield all parts. Raises at the end if anything is missing or differs from the digests."""
        with _damage():
            while self.foot is None:
                name, data = self._next()
                if name == FOOT:
                    self.foot = msgspec.json.decode(data, type=Foot)
                elif name.startswith(TABLE):
                    table = name.split("/")[1]
                    self._tables.setdefault(table, _Counted()).add(data)
                    yield Part(table=table, rows=data)
                elif name.startswith(FEED):
                    entries = msgspec.msgpack.decode(data, type=tuple[Entry, ...])
                    self._entries += len(entries)
                    yield Part(entries=entries)
                else:
                    raise BackupError(f"the backup holds {name[:100]!r}, which this Tombola does not know")
            while self._gzip.read(PART_BYTES):  # its end has a checksum
                pass
        found = {name: self._tables.get(name, _Counted()).total() for name in self.head.tables}
        differing = sorted({name for name in found | self.foot.tables if found.get(name) != self.foot.tables.get(name)})
        if differing or self._tables.keys() - self.head.tables.keys() or self._entries != self.foot.entries:
            raise BackupError(f"the backup is damaged: {', '.join(differing) or 'the feed'} differs from its digest")

    def _next(self) -> tuple[str, bytes]:
        member = self._tar.next()
        if member is None:
            raise BackupError("the backup is cut off")
        if not member.isreg() or member.size > LARGEST_PART:
            raise BackupError(f"the backup is damaged: {member.name[:100]!r} is no part of one")
        source = self._tar.extractfile(member)
        data = b"" if source is None else source.read()
        if len(data) != member.size:
            raise BackupError("the backup is cut off")
        self._tar.members.clear()  # type: ignore[attr-defined]  # else a tar remembers each part
        return member.name, data


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    # ValueError: damaged text, which msgspec leaves to Python, and sizes that are no numbers
    except (tarfile.TarError, EOFError, zlib.error, msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise BackupError(f"the backup is damaged or cut off: {error}") from error
    except OSError as error:  # gzip's own errors too
        raise BackupError(f"the backup can't be read: {error.strerror or error}") from error


@contextlib.contextmanager
def opened(path: Path, identity: Path | None) -> Iterator[Reader]:
    """Open a backup.

    Args:
        path: the file.
        identity: the file with the private keys of age; only needed if the backup is encrypted.

    Raises:
        BackupError: the file is no backup, or can't be decrypted.
    """
    try:
        with path.open("rb") as file:
            encrypted = file.read(len(AGE)) == AGE
            file.seek(0)
            with _decrypted(file, identity) if encrypted else contextlib.nullcontext(file) as stream:
                yield Reader(stream)
    except OSError as error:
        raise BackupError(f"{path} can't be read: {error.strerror}") from error


@contextlib.contextmanager
def _decrypted(file: IO[bytes], identity: Path | None) -> Iterator[IO[bytes]]:
    """Decrypt a file in a thread. A stream that does not fail until its end is authentic."""
    if identity is None:
        raise BackupError("the backup is encrypted: give the file of the private key, --identity FILE")
    age = _age()
    try:
        lines = [line.strip() for line in identity.read_text("utf-8").splitlines()]
        keys = [age.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except OSError as error:
        raise BackupError(f"{identity} can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, age.IdentityError):
        raise BackupError(f"{identity} holds no private key of age (AGE-SECRET-KEY-1...)") from None
    reading, writing = os.pipe()
    try:
        with os.fdopen(reading, "rb") as stream, _in_thread(lambda: _decrypt(age, file, writing, keys), stream):
            yield stream
            while stream.read(PART_BYTES):  # the last block may be the one that is not authentic
                pass
    except (age.DecryptError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise BackupError(f"the backup can't be decrypted with this key, or is damaged: {reason}") from error


def _decrypt(age: Any, file: IO[bytes], writing: int, keys: list[Any]) -> None:
    with os.fdopen(writing, "wb") as target:
        age.decrypt_io(file, target, keys)


def new_identity(path: Path) -> str:
    """Write a new private key of age into a file that only its owner may read. Returns the public key.

    Raises:
        BackupError: the file exists, or can't be written.
    """
    identity = _age().x25519.Identity.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}") from error
    return str(identity.to_public())


def _age() -> Any:
    try:
        import pyrage  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError:
        raise BackupError("encryption needs the extra `age`: pip install 'tombola[age]'") from None
    return pyrage
