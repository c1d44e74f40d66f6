"""PostgreSQL as providers host it: TLS by an own authority, forms of addresses, a standby, a restricted role."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
import pytest_asyncio
import stamina
from pydantic import SecretStr

from bot import doctor
from bot.settings import Database, Redis, Settings, Web
from storage import migrate
from storage.connections import POSTGRES_REFUSES, postgres_pool
from tests.servers import servers

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql"))
PASSWORD = "p@ss/w:rd?#%"
PERCENT = quote(PASSWORD, safe="")

pytestmark = pytest.mark.skipif(
    not (PROGRAMS / "initdb").exists(), reason="no PostgreSQL with TLS (Debian: postgresql)"
)


@dataclass
class Hosted:
    """A primary and a standby that take connections by TLS with a password alone.

    Attributes:
        port: of the primary.
        standby: port of the standby.
        authority: file of the authority that has signed the certificate of `localhost`.
        stranger: file of another authority.
    """

    port: int
    standby: int
    authority: Path
    stranger: Path

    def dsn(self, parameters: str = "", *, host: str = "", scheme: str = "postgresql") -> str:
        """Return an address with the role's name and password."""
        return f"{scheme}://app:{PERCENT}@{host or f'localhost:{self.port}'}/games?{parameters}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosted(folder: Path) -> AsyncIterator[Hosted]:
    """Run the servers, as the system's account `postgres`, because PostgreSQL refuses to run as root."""
    authority, stranger = certificates(folder)
    home, other = folder / "primary", folder / "standby"
    port, standby = servers.free_port(), servers.free_port()
    run("initdb", "-D", str(home), "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "-N")
    (home / "pg_hba.conf").write_text(
        "local all all trust\nlocal replication all trust\nhostssl all app 127.0.0.1/32 scram-sha-256\n"
        "host all all all reject\n"
    )
    with (home / "postgresql.conf").open("a") as file:
        file.write(
            f"unix_socket_directories = '{folder}'\nlisten_addresses = '127.0.0.1'\nssl = on\n"
            f"ssl_cert_file = '{folder}/server.pem'\nssl_key_file = '{folder}/server.key'\nfsync = off\n"
        )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(postgres(home, port))
        await answers(folder, port)
        await prepared(folder, port)
        run("pg_basebackup", "-h", str(folder), "-p", str(port), "-U", "postgres", "-D", str(other), "-R", "-c", "fast")
        await stack.enter_async_context(postgres(other, standby))
        await answers(folder, standby)
        yield Hosted(port, standby, authority, stranger)


def certificates(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost, signed by an authority. Returns the files of it and of another authority."""
    for name in ("authority", "stranger"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run(
        ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
         "/CN=localhost", "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.csr"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    subprocess.run(
        ["openssl", "x509", "-req", "-in", f"{folder}/server.csr", "-CA", f"{folder}/authority.pem", "-CAkey",
         f"{folder}/authority.key", "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/names",
         "-out", f"{folder}/server.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    account = pwd.getpwnam("postgres")
    for path in (folder, folder / "server.key"):
        os.chown(path, account.pw_uid, account.pw_gid)
    (folder / "server.key").chmod(0o600)
    return folder / "authority.pem", folder / "stranger.pem"


def as_postgres() -> dict[str, Any]:
    """Return the options with which a program runs as `postgres`."""
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}


def run(program: str, *arguments: str) -> None:
    subprocess.run([str(PROGRAMS / program), *arguments], check=True, capture_output=True, cwd="/", **as_postgres())


def postgres(home: Path, port: int) -> Any:
    """Run a server until the end of the block."""
    command = (str(PROGRAMS / "postgres"), "-D", str(home), "-p", str(port))
    return servers.process(*command, log=home.with_suffix(".log"), cwd="/", **as_postgres())


async def answers(folder: Path, port: int) -> None:
    """Wait until the server answers."""
    async for attempt in stamina.retry_context(on=(OSError, asyncpg.PostgresError), timeout=60, attempts=None):
        with attempt:
            await (await asyncpg.connect(f"postgresql://postgres@/postgres?host={folder}&port={port}")).close()


async def prepared(folder: Path, port: int) -> None:
    """Create the database and a role that owns one schema in it, and may do nothing else."""
    admin = await asyncpg.connect(f"postgresql://postgres@/postgres?host={folder}&port={port}")
    await admin.execute(f"CREATE ROLE app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{PASSWORD}'")
    await admin.execute("CREATE DATABASE games")
    await admin.close()
    admin = await asyncpg.connect(f"postgresql://postgres@/games?host={folder}&port={port}")
    await admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE SCHEMA app AUTHORIZATION app")
    await admin.execute("REVOKE CREATE, TEMPORARY ON DATABASE games FROM PUBLIC")
    await admin.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_role_that_owns_a_schema_alone_migrates_and_the_doctor_is_content(
    hosted: Hosted, redis_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dsn = hosted.dsn(f"sslmode=verify-full&sslrootcert={hosted.authority}")
    async with postgres_pool(dsn) as pool:
        assert await pool.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("CREATE TABLE public.x (y int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("CREATE EXTENSION pg_trgm")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("CREATE SCHEMA another")
    assert await migrate.upgrade(dsn) == migrate.head()
    await migrate.downgrade(dsn, "base")
    assert await migrate.upgrade(dsn) == migrate.head()
    settings = Settings(web=Web(port=0), redis=Redis(dsn=SecretStr(redis_dsn)), database=Database(dsn=SecretStr(dsn)))
    assert await doctor.doctor(settings) == 0
    told = capsys.readouterr().out
    assert "postgresql: ok, version" in told
    assert PASSWORD not in told
    assert PERCENT not in told


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("scheme", "hosts", "parameters"),
    [
        ("postgres", "", "sslmode=require"),
        ("postgresql", "", "sslmode=require&channel_binding=require"),
        ("postgresql", "", "sslmode=verify-ca&sslrootcert={authority}"),
        ("postgresql", "", "sslmode=require&options=-c%20search_path%3Dapp%20-c%20work_mem%3D8MB"),
        ("postgresql", "", "sslmode=no-verify&schema=app&connect_timeout=5"),
        ("postgresql", "localhost:{closed},localhost:{port}", "sslmode=require&target_session_attrs=read-write"),
        ("postgresql", "localhost:{standby},localhost:{port}", "sslmode=require&target_session_attrs=primary"),
        ("postgresql", "localhost:{standby},localhost:{port}", "sslmode=require&target_session_attrs=read-write"),
    ],
)
async def test_each_form_of_an_address_leads_to_a_server_that_takes_writes(
    scheme: str, hosts: str, parameters: str, hosted: Hosted
) -> None:
    host = hosts.format(port=hosted.port, standby=hosted.standby, closed=servers.free_port())
    dsn = hosted.dsn(parameters.format(authority=hosted.authority), host=host, scheme=scheme)
    async with postgres_pool(dsn, start_timeout_seconds=20) as pool:
        assert await pool.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert not await pool.fetchval("SELECT pg_is_in_recovery()")
        assert await pool.fetchval("SELECT current_schema()") == "app"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("host", "parameters"),
    [
        ("", "sslmode=verify-full&sslrootcert={stranger}"),
        ("127.0.0.1:{port}", "sslmode=verify-full&sslrootcert={authority}"),
        ("", "sslmode=disable"),
    ],
)
async def test_an_address_without_trust_is_refused_at_once(host: str, parameters: str, hosted: Hosted) -> None:
    dsn = hosted.dsn(
        parameters.format(authority=hosted.authority, stranger=hosted.stranger), host=host.format(port=hosted.port)
    )
    with pytest.raises(POSTGRES_REFUSES) as refused:
        async with postgres_pool(dsn, start_timeout_seconds=600):
            pass
    assert PASSWORD not in str(refused.value)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_standby_alone_is_refused_by_the_doctor(
    hosted: Hosted, redis_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dsn = hosted.dsn("sslmode=require", host=f"localhost:{hosted.standby}")
    settings = Settings(web=Web(port=0), redis=Redis(dsn=SecretStr(redis_dsn)), database=Database(dsn=SecretStr(dsn)))
    assert await doctor.doctor(settings) == 1
    assert "the server is a standby, which takes no writes: give the primary's address" in capsys.readouterr().out
