"""NATS JetStream as a broker: a subject for each kind and event, ids in `Nats-Msg-Id`, which the server compares."""

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import nats
from loguru import logger
from nats.errors import Error, MaxPayloadError
from nats.js.api import StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import NoStreamResponseError, NotFoundError

from bot.bridge.broker import ANSWER_SECONDS, CONNECT_SECONDS, BrokerAway, Message, MessageRefused

if TYPE_CHECKING:
    from nats.aio.client import Client

DUPLICATE_SECONDS = 600.0
"""Time for which a stream that the bridge makes drops messages with a known id."""


class NatsJetStream:
    """A stream of NATS JetStream.

    Args:
        servers: addresses of the cluster, with user and password or token.
        topic: beginning of the subjects.
        create: True to make a stream for the subjects if there is none.
        credentials: path of a file with credentials, or None.
    """

    def __init__(self, servers: list[str], topic: str, *, create: bool, credentials: str | None = None) -> None:
        self._servers = servers
        self._topic = topic
        self._create = create
        self._credentials = credentials
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    async def open(self) -> str:
        """Connect, unless connected. Returns the server's version and the stream's name."""
        if self._client is not None and self._client.is_connected and self._stream is not None:
            return "connected"
        await self.close()
        try:
            self._client = await nats.connect(
                self._servers,
                name="tombola",
                connect_timeout=int(CONNECT_SECONDS),
                # One attempt at each server: the bridge tries again by its own rules.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=_note,
                user_credentials=self._credentials,
            )
            stream = self._client.jetstream(timeout=ANSWER_SECONDS)
            name = await self._found(stream)
        except (Error, OSError, TimeoutError, ValueError) as problem:
            raise BrokerAway(f"{type(problem).__name__}: {problem}") from problem
        self._stream = stream
        return f"NATS {self._client.connected_server_version}, stream {name}"

    async def publish(self, message: Message) -> None:
        """Return when the stream has stored the message."""
        if self._stream is None or self._client is None or not self._client.is_connected:
            raise BrokerAway("not connected")
        headers = {"Nats-Msg-Id": message.id, "Content-Type": message.content_type}
        headers |= {f"ce-{name}": value for name, value in message.attributes.items()}
        subject = f"{self._topic}.{message.name}"
        try:
            await self._stream.publish(subject, message.body, timeout=ANSWER_SECONDS, headers=headers)
        except MaxPayloadError as problem:
            raise MessageRefused(f"{len(message.body)} bytes are too many for the server") from problem
        except (Error, OSError, TimeoutError) as problem:
            if isinstance(problem, NoStreamResponseError):
                self._stream = None  # deleted while the connection lasted: `open` looks for it, or makes it again
            raise BrokerAway(f"{type(problem).__name__}: {problem}") from problem

    async def close(self) -> None:
        """Close the connection."""
        client, self._client, self._stream = self._client, None, None
        if client is not None:
            with contextlib.suppress(Error, OSError, TimeoutError):
                await client.close()

    async def _found(self, stream: JetStreamContext) -> str:
        """Return the name of the stream for the subjects, made if it is missing."""
        subjects = f"{self._topic}.>"
        try:
            return await stream.find_stream_name_by_subject(subjects)
        except NotFoundError:
            if not self._create:
                raise
        config = StreamConfig(
            name=self._topic.replace(".", "_"),
            subjects=[subjects],
            storage=StorageType.FILE,
            duplicate_window=DUPLICATE_SECONDS,
        )
        made = await stream.add_stream(config)
        return str(made.config.name)


async def _note(error: Exception) -> None:
    logger.debug("NATS: {}: {}", type(error).__name__, error)


def broker(url: str, topic: str, *, create: bool) -> NatsJetStream:
    """Return the broker of a URL such as `nats://user:password@a:4222,b:4222`. Raises ValueError."""
    parts = urlsplit(url)
    options: dict[str, Any] = parse_qs(parts.query)
    credentials = options.pop("credentials", [None])[0]
    if options:
        raise ValueError(f"NATS has no option {', '.join(sorted(options))}; credentials is one")
    login, _, hosts = parts.netloc.rpartition("@")
    start = f"{parts.scheme}://{login}@" if login else f"{parts.scheme}://"
    return NatsJetStream([start + host for host in hosts.split(",")], topic, create=create, credentials=credentials)
