"""Redis by TLS: an untrusted certificate is reported within seconds, and each way to trust it works."""

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot import doctor, process
from bot.settings import Database, Redis, Settings, SettingsError, Web
from tests.servers import servers

Capture = pytest.CaptureFixture[str]
SECONDS = 10
"""Limit in seconds for a refusal. The bot waits 30 seconds for an unavailable server."""


@dataclass
class Encrypted:
    """A Redis with its own certificate: its port with TLS, and the certificate."""

    tls: int
    certificate: Path


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory)


@pytest_asyncio.fixture
async def encrypted(folder: Path) -> AsyncIterator[Encrypted]:
    if servers.REDIS is None:
        pytest.skip("no redis-server (Debian: redis-server)")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls, plain = servers.free_port(), servers.free_port()
    async with servers.redis(
        servers.REDIS, folder / "redis", plain, tls_port=str(tls), tls_cert_file=str(certificate),
        tls_key_file=str(key), tls_ca_cert_file=str(certificate), tls_auth_clients="no",
    ):  # fmt: skip
        yield Encrypted(tls, certificate)


def settings(dsn: str, postgres_dsn: str) -> Settings:
    return Settings(web=Web(port=0), redis=Redis(dsn=SecretStr(dsn)), database=Database(dsn=SecretStr(postgres_dsn)))


async def test_a_certificate_that_is_not_trusted_is_told_within_seconds(
    encrypted: Encrypted, postgres_dsn: str, capsys: Capture
) -> None:
    found = settings(f"rediss://127.0.0.1:{encrypted.tls}/0", postgres_dsn)
    with pytest.raises(SettingsError, match=r"^redis\.dsn: refused there: .*certificate verify failed"):
        async with process.running(found):
            pass
    assert await doctor.doctor(found) == 1
    assert "redis: refused: " in capsys.readouterr().out


@pytest.mark.parametrize("trust", ["ssl_cert_reqs=none", "ssl_cert_reqs=CERT_NONE", "ssl_ca_certs={certificate}"])
async def test_each_way_to_trust_a_certificate_works(
    trust: str, encrypted: Encrypted, postgres_dsn: str, capsys: Capture
) -> None:
    dsn = f"rediss://127.0.0.1:{encrypted.tls}/0?{trust.format(certificate=encrypted.certificate)}"
    assert await doctor.doctor(settings(dsn, postgres_dsn)) == 0, capsys.readouterr().out
