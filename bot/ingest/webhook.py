"""The webhook: its address and secret, and its endpoint as an ASGI application.

Nearly all updates take the fast path of ``bot.ingest.connection``, which consults ``bot.ingest.heads`` about each head.
The ASGI endpoint answers the same requests in the same way if they are chunked, announce a body (Expect), carry a wrong
secret, or follow another request on a connection that uvicorn already serves.
"""

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec
from loguru import logger

from bot.ingest.dispatcher import UpdateDispatcher
from bot.ingest.updates import MalformedUpdate, Reply, RetryLater

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

SECRET_HEADER = b"x-telegram-bot-api-secret-token"
MAX_UPDATE = 1 << 20
"""Maximum size of an update in bytes. Telegram's updates stay far below it."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The endpoint that Telegram's server calls.

    Attributes:
        paths: paths of the URL, unquoted.
        secret: the token that Telegram sends in a header.
        dispatcher: handles the updates.
    """

    paths: frozenset[str]
    secret: bytes
    dispatcher: UpdateDispatcher

    def is_at(self, target: bytes) -> bool:
        """Return whether a request's target, in any of its forms, is the webhook."""
        with contextlib.suppress(httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            path: bytes | None = httptools.parse_url(target).path  # None for "http://host", contrary to its annotation
            return path is not None and unquote(path.decode("ascii")) in self.paths
        return False

    def refusal(self, method: bytes, headers: Iterable[Header]) -> int:
        """Return the status that refuses a request, or 0 if it may pass. The names of headers must be in lower case."""
        if method != b"POST":
            return 405
        # Refuse a repeated header: a proxy in front may check one copy while this code checks the other.
        given = [value for name, value in headers if name == SECRET_HEADER]
        return 0 if len(given) == 1 and hmac.compare_digest(given[0], self.secret) else 401


def status_of(problem: BaseException) -> int:
    """Return the status that explains a missing reply. Log the problem if it is a bug."""
    match problem:
        case MalformedUpdate():
            return 400
        case RetryLater():
            return 503
        case bug:
            logger.opt(exception=bug).error("an update failed")
            return 500


class WebhookApp:
    """The webhook's endpoint as an ASGI application. Other requests go to another application.

    Args:
        webhook: the endpoint.
        app: the application for all other requests.
    """

    def __init__(self, webhook: Webhook, app: App) -> None:
        self._webhook = webhook
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not self._webhook.is_at(scope["raw_path"]):
            await self._app(scope, receive, send)
            return
        status = self._webhook.refusal(scope["method"].encode(), scope["headers"])
        if status == 405:
            await respond(send, status, headers=[(b"allow", b"POST")])
        elif status:
            await respond(send, status)
        else:
            await self._take(receive, send)

    async def _take(self, receive: Receive, send: Send) -> None:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client disconnected before the update was complete
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_UPDATE:
                await respond(send, 413)
                return
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._webhook.dispatcher.take(bytes(body), reply)
        try:
            call = await reply
        except Exception as problem:  # noqa: BLE001 -- the status reports the error, and bugs are logged
            status = status_of(problem)
            await respond(send, status, headers=[(b"retry-after", b"1")] if status == 503 else [])
            return
        if call:
            await respond(send, 200, msgspec.json.encode(call), [(b"content-type", b"application/json")])
        else:
            await respond(send, 200)


async def respond(send: Send, status: int, body: bytes = b"", headers: Iterable[Header] = ()) -> None:
    """Send a complete response."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
