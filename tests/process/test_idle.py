"""An idle bot sleeps: none of its tasks is woken by a timer more often than once a second.

The wake-ups of the whole process are counted by `python -m benchmarks --only idle`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest
from pydantic import SecretStr

from bot import process
from bot.settings import Database, Redis, Settings, Telegram, Web
from sandbox.app import serve
from tests.e2e.conftest import free_port

TURNS = 4
"""Wake-ups of the task that measures the loop's lag each second, after which all tasks' wake-ups are compared."""
SANDBOX = "sandbox server"
"""Task of Telegram's end of the conversation, which runs in the same loop."""


class Timers:
    """Counts the timers of a loop that come due, by the task that waits for them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.due: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._call_at = loop.call_at

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer, as the loop does."""
        task = asyncio.current_task()
        name = task.get_name() if task is not None else callback.__qualname__

        def note() -> None:
            self.due[name] += 1
            self._changed.set()
            callback(*args)

        return self._call_at(when, note, context=context)

    async def come(self, name: str, times: int) -> None:
        """Wait until the timers of a task have come due this many times."""
        while self.due[name] < times:
            self._changed.clear()
            await self._changed.wait()


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_no_task_of_an_idle_bot_wakes_up_more_than_once_a_second(
    mode: str, postgres_dsn: str, redis_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    port = free_port()
    async with serve() as box:
        settings = Settings(
            telegram=Telegram(
                token=SecretStr(box.token),
                api_base=box.url,
                mode="webhook" if mode == "webhook" else "polling",
                webhook_url=f"http://127.0.0.1:{port}/telegram/webhook" if mode == "webhook" else "",
                webhook_secret=SecretStr("a-secret-of-two"),
            ),
            database=Database(dsn=SecretStr(postgres_dsn)),
            redis=Redis(dsn=SecretStr(redis_dsn)),
            web=Web(port=port),
        )
        async with process.running(settings):
            timers = Timers(loop)
            monkeypatch.setattr(loop, "call_at", timers.call_at)
            began = loop.time()
            async with asyncio.timeout(60):
                await timers.come("loop lag", TURNS)
            # A late timer is set again later: on a busy machine the tasks wake up less often, never more often.
            most = loop.time() - began + 2
            assert {name: count for name, count in timers.due.items() if count > most and name != SANDBOX} == {}
