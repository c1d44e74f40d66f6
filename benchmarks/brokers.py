"""Speed of brokers: confirmed messages by the bridge's own clients, and the same number of entries in a Redis stream.

python -m benchmarks.brokers [--messages 5000] [--runs 3]

Each broker runs on this machine with its data on its disk: Redis with an fsync for each write, NATS with and without
one, a durable queue of RabbitMQ (Debian: rabbitmq-server), and the mock cluster in the library of Kafka's client, which
keeps everything in memory. 64 senders each wait for the confirmation of a message before they send the next one, as the
bridge does with games. Messages have the size of an event. Prints the medians, and the load of the machine.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from loguru import logger
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.bridge.broker import Message
from bot.bridge.brokers import broker_of
from bot.settings import BridgeSection
from storage.connections import redis_client
from storage.embedded import embedded_redis
from tests.support.brokers import EPMD, NATS_SERVER, RABBITMQ, running_broker

SENDERS = 64
BODY = b'{"specversion":"1.0","data":"' + b"x" * 500 + b'"}'


async def _sent(count: int, send: Callable[[int], Awaitable[object]]) -> float:
    """Let all senders send. Returns the messages that were confirmed in a second."""

    async def one(sender: int) -> None:
        for number in range(sender, count, SENDERS):
            await send(number)

    began = time.perf_counter()
    await asyncio.gather(*(one(sender) for sender in range(SENDERS)))
    return count / (time.perf_counter() - began)


async def _page(redis: Redis, start: str) -> Any:
    return await redis.xrange("stream", start, count=256)


async def _redis(count: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        async with embedded_redis(Path(folder)) as dsn, redis_client(dsn, pool_size=SENDERS) as redis:
            sent = await _sent(count, lambda _: redis.xadd("stream", {"e": BODY}))
            began, position, read = time.perf_counter(), "0", 0
            while rows := await _page(redis, f"({position}" if read else "-"):
                position, read = str(rows[-1][0], "ascii"), read + len(rows)
            return sent, read / (time.perf_counter() - began)


async def _broker(name: str, count: int, *, synced: bool = True) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        async with running_broker(name, Path(folder), synced=synced) as running:
            client = await broker_of(BridgeSection(url=SecretStr(running.url)))
            await client.open()

            async def send(number: int) -> None:
                id_ = f"game{number % SENDERS}/{number}"
                await client.publish(Message(id_, f"game{number % SENDERS}", "quiz.event", "text/plain", BODY, {}))

            sent = await _sent(count, send)
            await client.close()
            began = time.perf_counter()
            read = len(await running.received())
            return sent, read / (time.perf_counter() - began)


async def main(count: int, runs: int) -> None:
    """Measure each broker that is here."""
    logger.remove()
    measured: list[tuple[str, bool, Callable[[], Awaitable[tuple[float, float]]]]] = [
        ("Redis Streams, fsync for each write", True, lambda: _redis(count)),
        ("NATS JetStream, default sync", NATS_SERVER.exists(), lambda: _broker("nats", count, synced=False)),
        ("NATS JetStream, sync_interval: always", NATS_SERVER.exists(), lambda: _broker("nats", count)),
        ("RabbitMQ, durable queue", RABBITMQ.exists() and EPMD is not None, lambda: _broker("rabbitmq", count)),
        ("Kafka's protocol, mock cluster in memory", True, lambda: _broker("kafka", count)),
    ]
    for title, here, measure in measured:
        if not here:
            print(f"{title:42} not installed")
            continue
        found = [await measure() for _ in range(runs)]
        sent, read = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{title:42} {sent:8,.0f}/s confirmed {read:8,.0f}/s read   load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000, help="messages of each run (default 5000)")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the median counts (default 3)")
    given = parser.parse_args()
    asyncio.run(main(given.messages, given.runs))
