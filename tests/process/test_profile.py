"""Profiles on demand of a running process."""

import argparse
import asyncio
import re
import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis

from bot import profile_command
from bot.observe.profiler import MOST_STACKS, Profiler
from bot.profiles import keep_profiling
from bot.settings import Database, Settings
from bot.settings import Redis as RedisSettings
from storage.connections import Pool
from storage.processes import Process, Processes
from storage.profiles import LONGEST, Profile, ProfileRequest, Profiles

LINE = re.compile(r"^[^\n]*\S \d+$")
NAME = "machine:4242:abcdef"


def burn() -> int:
    """Use processor time."""
    return sum(number * number for number in range(20_000))


def spent_in(stacks: str, function: str) -> int:
    """Return the microseconds of stacks that contain a function."""
    return sum(int(line.rpartition(" ")[2]) for line in stacks.splitlines() if function in line)


def test_the_function_that_uses_the_processor_has_the_time() -> None:
    profiler = Profiler()
    profiler.start()
    try:
        while profiler.samples < 3:
            burn()
    finally:
        stacks = profiler.stop()
    assert all(LINE.match(line) for line in stacks.splitlines())
    assert spent_in(stacks, "burn (tests/process/test_profile.py:") > 0
    inner = next(line for line in stacks.splitlines() if "burn" in line)
    assert inner.index("test_the_function_that_uses") < inner.index("burn")


def test_the_time_of_other_threads_is_counted_apart() -> None:
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            burn()

    thread = threading.Thread(target=work)
    profiler = Profiler()
    profiler.start()
    thread.start()
    try:
        while not profiler.samples_of_others:
            ended.wait(0.01)
    finally:
        stacks = profiler.stop()
        ended.set()
        thread.join()
    assert spent_in(stacks, "(other threads)") > 0


def test_a_late_signal_does_not_end_the_process_and_stacks_are_bounded() -> None:
    profiler = Profiler()
    profiler.start()
    profiler.stop()
    signal.raise_signal(signal.SIGPROF)
    for number in range(MOST_STACKS + 100):
        profiler._add((f"function {number}",), 1000)
    assert profiler.samples == MOST_STACKS + 1


@pytest_asyncio.fixture
async def running(redis: Redis) -> AsyncIterator[None]:
    """Register this process under a name, and let it make profiles."""
    profiles = Profiles(redis)
    described = Process(NAME, ("worker",), "1", 8080, 0)
    tasks = [
        asyncio.create_task(Processes(redis).keep(lambda: described)),
        asyncio.create_task(keep_profiling(profiles, NAME)),
    ]
    async with asyncio.timeout(60):
        while not await Processes(redis).listed():  # noqa: ASYNC110 -- the other task registers it
            await asyncio.sleep(0.01)
    yield
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 2, ended


def settings(postgres_dsn: str, redis_dsn: str) -> Settings:
    return Settings(
        database=Database(dsn=SecretStr(postgres_dsn)), redis=RedisSettings(dsn=SecretStr(redis_dsn), shards=2)
    )


@pytest.mark.usefixtures("running")
async def test_the_command_asks_a_process_by_its_id_and_writes_its_stacks(
    postgres_dsn: str, redis_dsn: str, pool: Pool, tmp_path: Path
) -> None:
    output = tmp_path / "profile.txt"
    given = argparse.Namespace(process="4242", seconds=1, output=output)
    assert await profile_command.run(settings(postgres_dsn, redis_dsn), given) == 0
    assert all(LINE.match(line) for line in output.read_text().splitlines())
    [row] = await pool.fetch("SELECT face, target FROM audit_log WHERE action = 'profile'")
    assert tuple(row) == ("shell", NAME)


@pytest.mark.usefixtures("running")
async def test_an_unknown_process_is_told(
    postgres_dsn: str, redis_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = argparse.Namespace(process="17", seconds=1, output=Path("-"))
    assert await profile_command.run(settings(postgres_dsn, redis_dsn), given) == 1
    assert NAME in capsys.readouterr().out


async def test_a_process_makes_one_profile_at_a_time_and_a_long_one_is_cut_between_stacks(redis: Redis) -> None:
    profiles = Profiles(redis)
    first = await profiles.ask(NAME, 5)
    assert first is not None
    assert await profiles.ask(NAME, 5) is None
    assert await profiles.ask("machine:1:other", 5) is not None
    assert await profiles.get(first) == Profile(ready=False)
    assert await profiles.asked(NAME) == ProfileRequest(first, 5)
    await profiles.store(NAME, ProfileRequest(first, 5), "a;b 1\n" * (LONGEST // 2))
    stored = await profiles.get(first)
    assert stored is not None
    assert len(stored.stacks) <= LONGEST
    assert set(stored.stacks.splitlines()) == {"a;b 1"}
    assert await profiles.ask(NAME, 5) is not None
    assert await profiles.get("unknown") is None
