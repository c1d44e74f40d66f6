"""Kafka as a broker: one topic, the game's id as the key, so that a game's events share a partition."""

import asyncio
import threading
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from confluent_kafka import KafkaError, KafkaException, Producer
from loguru import logger

from bot.bridge.broker import ANSWER_SECONDS, CONNECT_SECONDS, BrokerAway, Message, MessageRefused

POLL_SECONDS = 0.5
REFUSED = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE, KafkaError.INVALID_MSG)
CONFIG = {
    "client.id": "tombola",
    "acks": "all",
    # The client's own retries make no duplicates.
    "enable.idempotence": True,
    "linger.ms": 1,
    "message.timeout.ms": int(ANSWER_SECONDS * 1000 * 0.9),
    "socket.connection.setup.timeout.ms": int(CONNECT_SECONDS * 1000),
    "reconnect.backoff.max.ms": 1000,
    "partitioner": "murmur2_random",
    "log_level": 0,
}
"""Settings of the client; options of the URL override them. The partitioner is that of Kafka's own Java client."""


class Kafka:
    """A topic of Kafka.

    Args:
        config: settings of librdkafka.
        topic: name of the topic.
    """

    def __init__(self, config: dict[str, Any], topic: str) -> None:
        self._config = config
        self._topic = topic
        self._producer: Producer | None = None
        self._closing = threading.Event()
        self._lost = False

    async def open(self) -> str:
        """Make a client and wait for the cluster's answer, unless that was done before."""
        if self._producer is not None and not self._lost:
            return "connected"
        await self.close()
        try:
            producer = self._producer = Producer(self._config, logger=None, error_cb=self._note)
            self._closing = threading.Event()
            # The client is a C library with threads of its own, whose reports some thread must collect.
            threading.Thread(target=_poll, args=(producer, self._closing), name="kafka", daemon=True).start()
            found = await asyncio.to_thread(producer.list_topics, self._topic, CONNECT_SECONDS)
        except KafkaException as problem:
            await self.close()
            raise BrokerAway(str(problem)) from problem
        self._lost = False
        return f"Kafka, {len(found.brokers)} brokers, topic {self._topic}"

    async def publish(self, message: Message) -> None:
        """Return when all in-sync replicas have the message."""
        producer = self._producer
        if producer is None:
            raise BrokerAway("not connected")
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()

        def report(error: KafkaError | None, _: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, stored, error)

        headers = {"message-id": message.id, "content-type": message.content_type}
        headers |= {f"ce_{name}": value for name, value in message.attributes.items()}
        try:
            producer.produce(
                self._topic, message.body, message.key.encode(), headers=list(headers.items()), on_delivery=report
            )
        except KafkaException as problem:
            raise _problem(problem.args[0]) from problem
        except BufferError as problem:
            raise BrokerAway("the client's queue is full") from problem
        await stored

    async def close(self) -> None:
        """Forget the client, with the messages that it has not sent."""
        producer, self._producer = self._producer, None
        self._closing.set()
        if producer is not None:
            producer.purge()

    def _note(self, error: KafkaError) -> None:
        """Note an error of the client. After a fatal one only a new client can produce."""
        logger.debug("Kafka: {}", error)
        if error.fatal():
            self._lost = True


def _poll(producer: Producer, closing: threading.Event) -> None:
    while not closing.is_set():
        producer.poll(POLL_SECONDS)
    producer.flush(0)


def _settle(stored: "asyncio.Future[None]", error: KafkaError | None) -> None:
    if stored.done():
        return  # its waiter has given up
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(_problem(error))


def _problem(error: KafkaError) -> Exception:
    return MessageRefused(str(error)) if error.code() in REFUSED else BrokerAway(str(error))


def broker(url: str, topic: str, *, create: bool) -> Kafka:  # noqa: ARG001 -- the cluster's own setting decides
    """Return the broker of a URL such as `kafka://user:password@a:9092,b:9092?security.protocol=SASL_SSL`.

    Raises ValueError if an option is none of librdkafka's.
    """
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    config: dict[str, Any] = {**CONFIG, "bootstrap.servers": hosts}
    if login:
        user, _, password = login.partition(":")
        config |= {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512"}
        config |= {"sasl.username": unquote(user), "sasl.password": unquote(password)}
    config |= dict(parse_qsl(parts.query))
    try:
        Producer(config).purge()
    except KafkaException as error:
        raise ValueError(f"Kafka's client rejects it: {error.args[0].str()}") from None
    return Kafka(config, topic)
