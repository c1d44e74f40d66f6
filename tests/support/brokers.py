"""Brokers for tests of the bridge, each with an outage and with a reader that is no code of ours."""

import asyncio
import ctypes
import os
import shutil
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import aio_pika
import nats
import stamina
from aio_pika.exceptions import AMQPError
from confluent_kafka import Consumer, cimpl
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from tests.servers.servers import free_port, process

NATS_SERVER = Path(sys.executable).with_name("nats-server")
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD = shutil.which("epmd")
TOPIC = "tombola.games"
START_SECONDS = 120
PARTITIONS = 32
"""Number of partitions of Kafka's mock cluster, which keeps the latest 5 MB of each."""


@dataclass(frozen=True)
class Received:
    """A message as a reader of the broker gets it."""

    id: str
    address: str
    headers: Mapping[str, str]
    body: bytes


class BrokerForTests(ABC):
    """A broker that a test can take away, with everything that it has stored."""

    url: str

    @abstractmethod
    async def take_away(self) -> None:
        """Let the broker vanish without a word."""

    @abstractmethod
    async def bring_back(self) -> None:
        """Let it come back with the messages that it has confirmed."""

    @abstractmethod
    async def empty(self) -> None:
        """Delete the stream or queue, with its messages, while clients stay connected."""

    @abstractmethod
    async def received(self) -> list[Received]:
        """Return all messages that the broker has, in its order."""


class Program(BrokerForTests):
    """A broker that is a program, killed by SIGKILL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._stack = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None

    @abstractmethod
    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and its environment."""

    @abstractmethod
    async def answer(self) -> None:
        """Raise an error unless the broker answers."""

    async def bring_back(self) -> None:
        command, environment = self.command()
        started = process(*command, log=self.folder / "log", env=os.environ | environment, start_new_session=True)
        self._process = await self._stack.enter_async_context(started)
        gone = (OSError, NatsError, AMQPError, TimeoutError)
        async for attempt in stamina.retry_context(
            on=gone, timeout=START_SECONDS, attempts=None, wait_initial=0.02, wait_max=0.5
        ):
            with attempt:
                await self.answer()

    async def take_away(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.take_away()
        await self._stack.aclose()


class NatsBroker(Program):
    """A NATS server with JetStream on files. If it is not `synced`, a kill loses the latest confirmed messages."""

    synced = True

    @property
    def url(self) -> str:  # type: ignore[override]
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> tuple[list[str], dict[str, str]]:
        # By default the server confirms messages that it still has in memory alone.
        sync = "always" if self.synced else "2m"
        (self.folder / "nats.conf").write_text(
            f'jetstream {{ store_dir: "{self.folder}", sync_interval: {sync} }}\nhost: 127.0.0.1\nport: {self.port}\n'
        )
        return [str(NATS_SERVER), "-c", str(self.folder / "nats.conf")], {}

    async def answer(self) -> None:
        client = await nats.connect(self.url, connect_timeout=5, allow_reconnect=False, error_cb=_ignored)
        try:
            await client.jetstream().account_info()
        finally:
            await client.close()

    async def empty(self) -> None:
        client = await nats.connect(self.url)
        try:
            stream = client.jetstream()
            await stream.delete_stream(await stream.find_stream_name_by_subject(f"{TOPIC}.>"))
        finally:
            await client.close()

    async def received(self) -> list[Received]:
        client = await nats.connect(self.url)
        try:
            stream = client.jetstream()
            try:
                name = await stream.find_stream_name_by_subject(f"{TOPIC}.>")
            except NotFoundError:
                return []
            count = (await stream.stream_info(name)).state.messages
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)  # else the server would deliver some again
            reader = await stream.pull_subscribe(f"{TOPIC}.>", stream=name, config=config)
            found: list[Received] = []
            while len(found) < count:
                for each in await reader.fetch(min(256, count - len(found)), timeout=30):
                    headers = each.headers or {}
                    found.append(Received(headers["Nats-Msg-Id"], each.subject, headers, each.data))
            return found
        finally:
            await client.close()


class RabbitBroker(Program):
    """A node of RabbitMQ with an epmd of its own."""

    @property
    def url(self) -> str:  # type: ignore[override]
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def command(self) -> tuple[list[str], dict[str, str]]:
        folder = self.folder
        (folder / "enabled_plugins").write_text("[].")
        return [str(RABBITMQ)], {
            "HOME": str(folder), "RABBITMQ_NODENAME": f"tombola{self.port}@localhost", "RABBITMQ_LOGS": "-",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution), "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "none"), "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }  # fmt: skip

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._distribution, self._names = free_port(), free_port()
        self._first = True

    async def bring_back(self) -> None:
        if self._first:
            self._first = False
            assert EPMD is not None
            await self._stack.enter_async_context(
                process(EPMD, "-address", "127.0.0.1", "-port", str(self._names), log=self.folder / "epmd")
            )
        await super().bring_back()

    async def answer(self) -> None:
        await (await aio_pika.connect(self.url, timeout=5)).close()

    async def empty(self) -> None:
        connection = await aio_pika.connect(self.url)
        try:
            await (await connection.channel()).queue_delete(TOPIC)
        finally:
            await connection.close()

    async def received(self) -> list[Received]:
        connection = await aio_pika.connect(self.url)
        try:
            channel = await connection.channel()
            queue = await channel.declare_queue(TOPIC, durable=True)
            found: list[Received] = []
            while (each := await queue.get(fail=False, timeout=30)) is not None:
                headers = {name: str(value) for name, value in each.headers.items()}
                headers["content-type"] = each.content_type or ""
                found.append(Received(each.message_id or "", each.routing_key or "", headers, each.body))
            return found  # unacknowledged: they are there again when the connection has closed
        finally:
            await connection.close()


class KafkaBroker(BrokerForTests):
    """The mock cluster that the Kafka client's library has, of one broker, which keeps messages in memory."""

    def __init__(self) -> None:
        # Python's client has no method for the cluster's outages, but its library has the functions.
        self._library = library = ctypes.CDLL(str(_librdkafka()))
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
        for name, result, arguments in (
            ("rd_kafka_conf_new", pointer, []),
            ("rd_kafka_conf_set", number, [pointer, text, text, text, ctypes.c_size_t]),
            ("rd_kafka_new", pointer, [number, pointer, text, ctypes.c_size_t]),
            ("rd_kafka_mock_cluster_new", pointer, [pointer, number]),
            ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
            ("rd_kafka_mock_topic_create", number, [pointer, text, number, number]),
            ("rd_kafka_mock_broker_set_down", number, [pointer, ctypes.c_int32]),
            ("rd_kafka_mock_broker_set_up", number, [pointer, ctypes.c_int32]),
            ("rd_kafka_mock_cluster_destroy", None, [pointer]),
            ("rd_kafka_destroy", None, [pointer]),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        quiet = library.rd_kafka_conf_new()
        library.rd_kafka_conf_set(quiet, b"log_level", b"0", None, 0)
        self._client = library.rd_kafka_new(0, quiet, None, 0)
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, 1)
        library.rd_kafka_mock_topic_create(self._cluster, TOPIC.encode(), PARTITIONS, 1)
        self.url = f"kafka://{library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()}"

    async def take_away(self) -> None:
        self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    async def bring_back(self) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)

    async def empty(self) -> None:
        raise NotImplementedError("the mock cluster has no function that deletes a topic")

    async def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        await asyncio.to_thread(self._library.rd_kafka_destroy, self._client)

    async def received(self) -> list[Received]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[Received]:
        options = {"auto.offset.reset": "earliest", "enable.auto.commit": False, "log_level": 0}
        found: list[Received] = []
        for partition in range(PARTITIONS):
            reader = Consumer({"bootstrap.servers": self.url.removeprefix("kafka://"), "group.id": "test", **options})
            place = cimpl.TopicPartition(TOPIC, partition, 0)
            _, end = reader.get_watermark_offsets(place, timeout=30)
            reader.assign([place])
            while (end := max(end, 0)) and place.offset < end:
                each = reader.poll(30)
                assert each is not None
                assert each.error() is None
                offset, pairs, key, body = each.offset(), list(each.headers() or ()), each.key(), each.value()
                assert offset is not None
                assert isinstance(key, bytes)
                assert isinstance(body, bytes)
                place.offset = offset + 1
                headers = {str(name): value.decode() for name, value in pairs if isinstance(value, bytes)}
                found.append(Received(headers["message-id"], key.decode(), headers, body))
            reader.close()
        return found


def _librdkafka() -> Path:
    files = metadata.files("confluent-kafka") or []
    return next(Path(str(each.locate())) for each in files if "librdkafka-" in each.name)


async def _ignored(_: Exception) -> None:
    """Ignore an error: the caller gets it too."""


@asynccontextmanager
async def running_broker(name: str, folder: Path, *, synced: bool = True) -> AsyncIterator[BrokerForTests]:
    """Run a broker until the end of the block."""
    made: NatsBroker | RabbitBroker | KafkaBroker
    if name == "kafka":
        made = KafkaBroker()
    else:
        made = (NatsBroker if name == "nats" else RabbitBroker)(folder)
        if isinstance(made, NatsBroker):
            made.synced = synced
        try:
            await made.bring_back()
        except BaseException:
            await made.close()
            raise
    try:
        yield made
    finally:
        await made.close()
