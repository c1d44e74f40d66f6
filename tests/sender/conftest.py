"""Outbox, limits, sender and client on real Redis and real HTTP, with a simulated clock."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from storage.leases import Bell, Lease
from telegram.client import BotApi
from telegram.limits import Limits, Priority
from telegram.outbox import Outbox, Outgoing, bell_channel
from telegram.sender import SENDER_LEASE, Outcome, Sender, Settled
from tests.support.clock import TurnedClock
from tests.support.telegram import TOKEN, Telegram, serving


class LoudBell(Bell):
    """Bell that also notifies the test, and also rings at the end of each call."""

    heard: Callable[[], None]

    def ring(self) -> None:
        super().ring()
        self.heard()


@dataclass
class Pipeline:
    """The parts between the outbox and Telegram, and the outcomes that the sender has reported."""

    redis: Redis
    clock: TurnedClock
    telegram: Telegram
    limits: Limits
    outbox: Outbox
    api: BotApi
    reports: list[tuple[Outgoing, Outcome]] = field(default_factory=list)
    stir: asyncio.Event = field(default_factory=asyncio.Event)
    senders: list[tuple[Sender, list[asyncio.Task[None]]]] = field(default_factory=list)
    ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def message(self, text: str, chat: int = 11, priority: Priority = Priority.NORMAL, **fields: Any) -> Outgoing:
        given = {"id": f"id-{next(self.ids)}", "method": "sendMessage", "params": {"text": text}} | fields
        return Outgoing(chat_id=chat, priority=priority, **given)

    async def report(self, out: Outgoing, outcome: Outcome) -> None:
        self.reports.append((out, outcome))
        self.stir.set()

    def build(self, name: str = "one", *, ttl_ms: int = 3000, **parts: Any) -> Sender:
        bell = LoudBell(self.redis, bell_channel())
        bell.heard = self.stir.set
        lease = Lease(self.redis, SENDER_LEASE, name, ttl_ms=ttl_ms)
        given: dict[str, Any] = {
            "outbox": self.outbox,
            "limits": self.limits,
            "api": self.api,
            "clock": self.clock,
        } | parts
        return Sender(**given, on_settled=self.report, lease=lease, bell=bell)

    def start(self, name: str = "one", **parts: Any) -> Sender:
        sender = self.build(name, **parts)
        tasks = [asyncio.create_task(sender.run()), asyncio.create_task(sender._bell.listen())]
        self.senders.append((sender, tasks))
        return sender

    async def stop(self, sender: Sender) -> None:
        for each, tasks in self.senders:
            if each is sender:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    @property
    def ends(self) -> list[Settled]:
        return [outcome.settled for _, outcome in self.reports]

    async def until(self, done: Callable[[], bool]) -> None:
        """Turn the clock whenever everybody waits for it and no call is under way, until the condition is true."""
        while not done():
            self.stir.clear()
            flying = sum(sender.stats.in_flight for sender, _ in self.senders)
            if self.clock.asleep and not flying:
                self.clock.jump()
                await asyncio.sleep(0)
            else:
                await self.stir.wait()

    async def called(self, count: int) -> None:
        """Wait for this many calls, and let the clock stand."""
        while len(self.telegram.calls) < count:
            self.stir.clear()
            await self.stir.wait()

    async def settled(self, count: int) -> list[Settled]:
        await self.until(lambda: len(self.reports) >= count)
        return self.ends


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """Run a server on the simulated clock."""
    async with serving(Telegram(TurnedClock())) as telegram:
        yield telegram


@pytest.fixture
async def api(telegram: Telegram) -> AsyncIterator[BotApi]:
    """Return a client of that server, whose circuit breaker opens late and closes soon."""
    api = BotApi(TOKEN, telegram.base, failures=1000)
    yield api
    await api.close()


@pytest.fixture
async def pipeline(redis: Redis, telegram: Telegram, api: BotApi) -> AsyncIterator[Pipeline]:
    """Return the environment, without a running sender."""
    limits = Limits(redis, now=telegram.clock.now)
    pipeline = Pipeline(redis, telegram.clock, telegram, limits, Outbox(redis, limits), api)
    telegram.clock.stirred = telegram.stirred = pipeline.stir.set
    yield pipeline
    for sender, _ in pipeline.senders:
        await pipeline.stop(sender)
