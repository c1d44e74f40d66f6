"""A small client of the Bot API: one keep-alive session, JSON, typed errors, a circuit breaker.

The token is part of every URL, so no URL may reach a log. Errors carry only the method and Telegram's text. They are
raised outside the `except` blocks, so that the HTTP library's exception, which holds the URL, is not chained to them.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OpenedState

from storage.breakers import forgive_steps
from storage.wrong_address import lasting

if TYPE_CHECKING:
    from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker

TELEGRAM = "https://api.telegram.org"
CONNECTIONS = 64
"""Maximum number of kept-alive connections. The sending rates never need more calls at once."""


class ApiError(Exception):
    """A call that Telegram refused or that did not reach it. `str(error)` is safe to log."""

    def __init__(self, method: str, text: str, code: int = 0) -> None:
        super().__init__(f"{method}: {text}")
        self.method = method
        self.text = text
        self.code = code


class RetryAfter(ApiError):
    """429: too many calls. Another call is allowed after `seconds`."""

    seconds: float = 1.0


class Migrated(ApiError):
    """The group became a supergroup whose id is `chat_id`."""

    chat_id: int = 0


class NotModified(ApiError):
    """The message already has this content."""


class MessageGone(ApiError):
    """The message to edit, delete or reply to does not exist, or can no longer be edited or deleted."""


class ChatGone(ApiError):
    """The bot cannot write to this chat: it is unknown or deleted, or the person blocked or never started the bot."""


class NoRights(ApiError):
    """The bot is in the chat but lacks the right to make this call."""


class TopicGone(ApiError):
    """The forum topic is closed or deleted."""


class QueryTooOld(ApiError):
    """The tap was answered already, or it is too old to answer."""


class Conflict(ApiError):
    """409: another process polls, or a webhook is set."""


class Unauthorized(ApiError):
    """The token is wrong or revoked."""


class BadCall(ApiError):
    """The parameters of the call are wrong, which is a bug in this program."""


class ServerDown(ApiError):
    """No usable answer: network error, timeout, 5xx or unreadable content. Telegram may have carried out the call."""


class NotTelegram(ServerDown):
    """The address leads to no Bot API: unknown host, TLS refused, or another program answers. Waiting seldom helps."""


class CircuitOpen(ServerDown):
    """A call refused without trying, because the previous calls failed. The next probe is due after `seconds`."""

    seconds: float = 1.0


_TEXTS: tuple[tuple[type[ApiError], tuple[str, ...]], ...] = (
    (NotModified, ("message is not modified", "topic_not_modified", "chat_not_modified")),
    (QueryTooOld, ("query is too old", "query id is invalid")),
    (
        TopicGone,
        ("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid", "the chat is not a forum"),
    ),
    (
        MessageGone,
        (
            "message to edit not found",
            "message to delete not found",
            "message to be replied not found",
            "message to pin not found",
            "message to unpin not found",
            "message to copy not found",
            "message to forward not found",
            "message can't be edited",
            "message can't be deleted",
            "there is no text in the message to edit",
            "there is no caption in the message to edit",
            "message_id_invalid",
        ),
    ),
    (
        NoRights,
        (
            "not enough rights",
            "need administrator rights",
            "have no rights",
            "chat_admin_required",
            "chat_write_forbidden",
            "chat_restricted",
            "user_restricted",
        ),
    ),
    (
        ChatGone,
        (
            "chat not found",
            "bot was blocked by the user",
            "user is deactivated",
            "bot can't initiate conversation",
            "can't send messages to the bot",
            "can't send messages to bots",
            "bot was kicked",
            "bot is not a member",
            "group chat was deleted",
            "group chat is deactivated",
            "peer_id_invalid",
            "user_is_blocked",
            "input_user_deactivated",
        ),
    ),
)
"""Fragments of Telegram's error texts, in lower case, and the error that each means. The first match decides."""


class _Parameters(msgspec.Struct):
    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Envelope(msgspec.Struct):
    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    description: str = ""
    parameters: _Parameters | None = None


_decode = msgspec.json.Decoder(_Envelope).decode


def error_of(method: str, code: int, envelope: _Envelope) -> ApiError:
    """Return the typed error for an answer of Telegram."""
    text, parameters = envelope.description, envelope.parameters or _Parameters()
    if code == 429 or parameters.retry_after is not None:
        limited = RetryAfter(method, text, code)
        limited.seconds = max(parameters.retry_after or 1.0, 1.0)
        return limited
    if parameters.migrate_to_chat_id is not None:
        moved = Migrated(method, text, code)
        moved.chat_id = parameters.migrate_to_chat_id
        return moved
    return _kind_of(code, text.lower())(method, text, code)


def _kind_of(code: int, low: str) -> type[ApiError]:
    if code >= 500:
        return ServerDown
    # Telegram answers a malformed token with a bare 404, like any unknown path.
    if code == 401 or (code == 404 and "method not found" not in low):
        return Unauthorized
    if code == 409:
        return Conflict
    named = (kind for kind, texts in _TEXTS if any(each in low for each in texts))
    # Telegram adds new reasons for a 403. All of them mean that this chat does not accept this message.
    return next(named, NoRights if code == 403 else BadCall)


UNKNOWN_BUTTON = "text buttons are unallowed in the inline keyboard"
"""Refusal of a disabled button by a Bot API server older than 10.3, in lower case."""
INSTEAD_OF_DISABLED = "n:"
"""Callback data of a button on such a server that is disabled on others."""


def without_disabled(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters with a callback button in place of each disabled one."""
    markup = params.get("reply_markup")
    if not isinstance(markup, dict) or "inline_keyboard" not in markup:
        return params
    rows = [
        [{"text": key["text"], "callback_data": INSTEAD_OF_DISABLED} if "disabled" in key else key for key in row]
        for row in markup["inline_keyboard"]
    ]
    return {**params, "reply_markup": {**markup, "inline_keyboard": rows}}


class BotApi:
    """A client of the Bot API. It sends callback buttons in place of disabled ones to a server that has none.

    Args:
        token: the bot's token from BotFather.
        base: address of the Bot API server.
        seconds: total time limit of one call. Long polling passes its own.
        failures: consecutive failed calls that open the circuit.
        pause: seconds for which the open circuit refuses calls. Then one call is let through as a probe.
    """

    def __init__(
        self,
        token: str,
        base: str = TELEGRAM,
        *,
        seconds: float = 20.0,
        failures: int = 5,
        pause: float = 5.0,
    ) -> None:
        self._root = f"{base.rstrip('/')}/bot{token}/"
        self._files = f"{base.rstrip('/')}/file/bot{token}/"
        self._token = token
        self._seconds = seconds
        self._pause = pause
        self._session: aiohttp.ClientSession | None = None
        self._circuits = AsyncCircuitBreakerFactory(default_threshold=failures, default_ttl=pause)
        self._breaker: AsyncCircuitBreaker | None = None
        self._probing = False
        self._disables = True
        """False once the server has refused a disabled button."""
        self.calls = Counter[str]()
        """Number of answered calls by method. Counted below the sender, so that its figures can be checked."""
        self.latency_ms = 0.0
        """Duration of the last answered call, without long polls."""

    @property
    def state(self) -> str:
        """State of the circuit: `closed` (normal), `opened` or `half-opened`."""
        return CLOSED if self._breaker is None else str(self._breaker.context.state)

    async def close(self) -> None:
        """Close all connections to the Bot API."""
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        *,
        seconds: float | None = None,
    ) -> Any:
        """Call a method and return its decoded result. Takes the arguments and raises the errors of `call_raw`."""
        return msgspec.json.decode(await self.call_raw(method, params, files, seconds=seconds))

    async def download(self, file_id: str, limit: int) -> bytes:
        """Return the content of a file that a person sent.

        Raises:
            ApiError: the download failed, or the file has more than `limit` bytes.
        """
        path = (await self.call("getFile", {"file_id": file_id})).get("file_path", "")
        down: ServerDown
        content = bytearray()
        try:
            timeout = aiohttp.ClientTimeout(total=self._seconds, sock_connect=min(self._seconds, 5.0))
            async with self._open().get(self._files + path, timeout=timeout) as response:
                response.raise_for_status()
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > limit:
                        break
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            down = ServerDown("getFile", type(problem).__name__)
        else:
            if len(content) > limit:
                raise BadCall("getFile", f"the file has more than {limit} bytes")
            return bytes(content)
        raise down

    async def call_raw(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        *,
        seconds: float | None = None,
    ) -> msgspec.Raw:
        """Call a method and return its result as JSON text.

        Args:
            method: name of a method of the Bot API.
            params: JSON-able parameters. Those that are None are omitted.
            files: field name -> (file name, content). The call is sent as multipart.
            seconds: time limit of this call, if it differs from the usual one.

        Raises:
            ApiError: the call failed; its subclass says why.
        """
        if not self._disables:
            params = without_disabled(params or {})
        try:
            return await self._called(method, params, files, seconds)
        except BadCall as refused:
            enabled = without_disabled(params or {})
            if not self._disables or UNKNOWN_BUTTON not in refused.text.lower() or enabled == params:
                raise
        self._disables = False
        return await self._called(method, enabled, files, seconds)

    async def _called(
        self,
        method: str,
        params: Mapping[str, Any] | None,
        files: Mapping[str, tuple[str, bytes]] | None,
        seconds: float | None,
    ) -> msgspec.Raw:
        """Make one call through the circuit breaker. Raises ApiError."""
        if self._breaker is None:
            self._breaker = await self._circuits.get_breaker("telegram")
        probe = self.state != CLOSED
        if probe and self._probing:
            raise self._refused(method, 0.5)
        failure: ApiError
        forgive_steps(self._breaker)
        try:
            async with self._breaker:
                self._probing = probe
                result = await self._exchange(method, params or {}, files, seconds or self._seconds)
        except OpenedState as opened:
            failure = self._refused(method, opened.opened_at + self._pause - time.time())
        except ServerDown as down:
            failure = down
        else:
            if isinstance(result, ApiError):
                raise result
            return result
        finally:
            if probe:
                self._probing = False
        raise failure

    async def _exchange(
        self, method: str, params: Mapping[str, Any], files: Mapping[str, tuple[str, bytes]] | None, seconds: float
    ) -> msgspec.Raw | ApiError:
        """Return the result or Telegram's refusal. The circuit counts both as success. Raises ServerDown."""
        down: ServerDown
        given = {name: value for name, value in params.items() if value is not None}
        began = time.perf_counter()
        try:
            limit = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 5.0))
            async with self._open().post(self._root + method, timeout=limit, **_body(given, files)) as response:
                code, content = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            fault = lasting(problem)
            down = NotTelegram(method, str(fault)) if fault else ServerDown(method, type(problem).__name__)
        else:
            self.calls[method] += 1
            if method != "getUpdates":
                self.latency_ms = (time.perf_counter() - began) * 1000
            return self._read(method, code, content)
        raise down

    def _read(self, method: str, code: int, content: bytes) -> msgspec.Raw | ApiError:
        envelope: _Envelope | None = None
        with contextlib.suppress(msgspec.DecodeError):
            envelope = _decode(content)
        if envelope is None:
            kind = ServerDown if code >= 500 else NotTelegram
            raise kind(method, f"not an answer of Telegram's: HTTP {code}, {len(content)} bytes", code)
        if envelope.ok:
            return envelope.result
        envelope.description = envelope.description.replace(self._token, "***")
        error = error_of(method, code, envelope)
        if isinstance(error, ServerDown):
            raise error
        return error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session

    def _refused(self, method: str, seconds: float) -> CircuitOpen:
        error = CircuitOpen(method, "not tried, the server is down")
        error.seconds = max(seconds, 0.1)
        return error

    def __repr__(self) -> str:
        return f"BotApi(circuit={self.state})"


def _body(params: dict[str, Any], files: Mapping[str, tuple[str, bytes]] | None) -> dict[str, Any]:
    """Return the keyword arguments of the POST request: JSON, or multipart if there are files."""
    if not files:
        return {"data": msgspec.json.encode(params), "headers": {"Content-Type": "application/json"}}
    form = aiohttp.FormData()
    for name, value in params.items():
        form.add_field(name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
    for name, (file_name, content) in files.items():
        form.add_field(name, content, filename=file_name, content_type="application/octet-stream")
    return {"data": form}
