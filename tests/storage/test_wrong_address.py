"""Addresses that lead to no usable server: run and doctor report the fault without waiting for a server that starts.

No time is measured: the limits of waiting are ten minutes here, so a fault that is waited for ends in another error.
"""

import asyncio
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import doctor, identity, process
from bot.settings import Database, Redis, Settings, SettingsError, Telegram, Web

Capture = pytest.CaptureFixture[str]
TOKEN = f"123456:{'x' * 35}"
NO_TLS_POSTGRES = "the server speaks without TLS, which sslmode requires"
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def certificate() -> Iterator[ssl.SSLContext]:
    """Return a server's context with a certificate that nobody trusts."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        key, file = Path(folder) / "key.pem", Path(folder) / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(file)],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        yield context


def answer_of_redis(question: bytes) -> bytes:
    """Answer as Redis does: a line that is incomplete in its protocol, such as a TLS handshake, gets no answer."""
    return b"+PONG\r\n" if b"PING" in question else b""


def answer_of_http(question: bytes) -> bytes:
    return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nNo" if question else b""


def answer_of_postgres(question: bytes) -> bytes:
    """Answer as a PostgreSQL without TLS does: N to SSLRequest, nothing to other programs' questions."""
    return b"N" if question == bytes.fromhex("0000000804d2162f") else b""


SERVERS: dict[str, Callable[[bytes], bytes]] = {
    "redis": answer_of_redis,
    "http": answer_of_http,
    "postgres": answer_of_postgres,
}


@asynccontextmanager
async def serving(kind: str, certificate: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run a server of this kind, by TLS if it has a certificate. Yields its port."""
    open_connections = set[asyncio.StreamWriter]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        try:
            while question := await reader.read(4096):
                writer.write(SERVERS[kind](question))
                if kind == "http":
                    break
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=certificate)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in open_connections:
            writer.close()


@pytest.fixture(autouse=True)
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a start wait for its servers for longer than the test does."""
    monkeypatch.setattr(process, "REDIS_SECONDS", 10 * PATIENCE_SECONDS)
    monkeypatch.setattr(identity, "TELEGRAM_SECONDS", 10 * PATIENCE_SECONDS)


def settings(
    folder: Path, redis: str = "", postgres: str = "", api_base: str = "http://127.0.0.1:1", token: str = TOKEN
) -> Settings:
    return Settings(
        web=Web(port=0),
        redis=Redis(dsn=SecretStr(redis)),
        database=Database(dsn=SecretStr(postgres)),
        telegram=Telegram(api_base=api_base, token=SecretStr(token)),
        data_dir=folder,
    )


async def refused(found: Settings) -> str:
    """Return the line with which a start ends."""
    with pytest.raises(SettingsError) as error:
        async with asyncio.timeout(PATIENCE_SECONDS), process.running(found):
            pass
    return str(error.value)


@pytest.mark.parametrize(
    ("kind", "encrypted", "dsn", "told"),
    [
        (
            "redis",
            False,
            "rediss://127.0.0.1:{}/0",
            "the server does not use TLS at this port: write redis://",
        ),
        ("redis", True, "redis://127.0.0.1:{}/0", "the server uses TLS: write rediss://"),
        ("redis", True, "rediss://127.0.0.1:{}/0", "certificate verify failed: self-signed certificate"),
        ("http", False, "redis://127.0.0.1:{}/0", "an HTTP server answers there instead of Redis"),
        ("http", False, "rediss://:a-password@127.0.0.1:{}/0", "the TLS handshake failed: wrong version number"),
        ("http", True, "rediss://127.0.0.1:{}/0?ssl_cert_reqs=none", "another program answers there instead of Redis"),
        ("postgres", False, "redis://127.0.0.1:{}/0", "PostgreSQL answers there instead of Redis"),
        ("redis", False, "redis://no-such-host.invalid:{}/0", "its host is unknown"),
    ],
)
async def test_a_wrong_address_of_redis_is_told_before_any_store_has_started(
    kind: str, encrypted: bool, dsn: str, told: str,  # noqa: FBT001 - a column of the table
    certificate: ssl.SSLContext, tmp_path: Path, postgres_dsn: str, capsys: Capture,
) -> None:  # fmt: skip
    async with serving(kind, certificate if encrypted else None) as port:
        assert await refused(settings(tmp_path, redis=dsn.format(port))) == f"redis.dsn: refused there: {told}"
        assert not list(tmp_path.iterdir()), "the embedded PostgreSQL has not been started"
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await doctor.doctor(settings(tmp_path, redis=dsn.format(port), postgres=postgres_dsn, token="")) == 1
    assert f"redis: refused: {told}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "dsn", "told"),
    [
        ("postgres", "postgresql://joe:a-password@127.0.0.1:{}/a?sslmode=require", NO_TLS_POSTGRES),
        ("http", "postgresql://joe@127.0.0.1:{}/a", "an HTTP server answers there instead of PostgreSQL"),
        ("redis", "postgresql://joe@127.0.0.1:{}/a", "Redis answers there instead of PostgreSQL"),
        ("redis", "postgresql://joe@no-such-host.invalid:{}/a", "its host is unknown"),
    ],
)  # fmt: skip
async def test_a_wrong_address_of_postgresql_is_told_instead_of_a_start_without_it(
    kind: str, dsn: str, told: str, tmp_path: Path, redis_dsn: str, capsys: Capture
) -> None:
    async with serving(kind) as port:
        found = settings(tmp_path, redis=redis_dsn, postgres=dsn.format(port), token="")
        assert await refused(found) == f"database.dsn: refused there: {told}"
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await doctor.doctor(found) == 1
    assert f"postgresql: refused: {told}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "encrypted", "base", "told"),
    [
        ("http", False, "http://127.0.0.1:{}", "getMe: not an answer of Telegram's: HTTP 400, 2 bytes"),
        ("http", False, "https://127.0.0.1:{}", "getMe: the TLS handshake failed: wrong version number"),
        ("http", True, "https://127.0.0.1:{}", "getMe: certificate verify failed: self-signed certificate"),
        ("http", False, "http://no-such-host.invalid:{}", "getMe: its host is unknown"),
    ],
)
async def test_a_wrong_address_of_the_bot_api_is_told_by_the_first_start(  # noqa: PLR0917 - columns of the table
    kind: str, encrypted: bool, base: str, told: str,  # noqa: FBT001 - a column of the table
    certificate: ssl.SSLContext, tmp_path: Path, postgres_dsn: str, redis_dsn: str, capsys: Capture,
) -> None:  # fmt: skip
    async with serving(kind, certificate if encrypted else None) as port:
        found = settings(tmp_path, redis=redis_dsn, postgres=postgres_dsn, api_base=base.format(port))
        assert await refused(found) == f"telegram.api_base: no Bot API answers there ({told})"
        assert await doctor.doctor(found) == 1
    assert f"telegram: {told}" in capsys.readouterr().out
