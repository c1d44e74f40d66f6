"""The HTTP server with incorrect, slow, greedy and hostile clients: each is refused, without effect on others."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from loguru import logger

from bot.ingest import connection, http
from bot.ingest.http import serving
from bot.ingest.updates import Reply
from bot.ingest.webhook import App, Receive, Scope, Send, Webhook, respond
from bot.tasks import Tasks
from fsm.engine import Promise
from tests.e2e.test_http import Connection, HeldDispatcher, answering, hooked, request, response

GET = b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n"
APP = answering(b"app", headers=((b"content-length", b"3"),))


class Prompt:
    """Dispatcher that replies to updates at once with their number."""

    def __init__(self, padding: int = 0) -> None:
        self.taken: list[bytes] = []
        self._more = {"padding": "x" * padding} if padding else {}

    def take(self, raw: bytes, sender: Promise[Reply]) -> None:
        """Reply to one update."""
        self.taken.append(raw)
        sender.set_result({"number": len(self.taken), **self._more})


Connect = Callable[[], Any]


@contextlib.asynccontextmanager
async def served(dispatcher: object, app: App = APP) -> AsyncIterator[Connect]:
    """Serve during the block. Yields a function that connects."""
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    webhook = Webhook(frozenset({"/hook"}), b"secret", cast("Any", dispatcher))
    writers = list[asyncio.StreamWriter]()
    async with asyncio.timeout(60), serving(app, "127.0.0.1", 0, tasks, webhook=webhook) as port:

        async def connect() -> Connection:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            return reader, writer

        yield connect
        for writer in writers:
            writer.close()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """Return the rest of a connection's bytes."""
    received = b""
    # a reset instead of a close: the server closed while some of our bytes were unread
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            received += data
    return received


@pytest.fixture
def lines() -> Any:
    """Return all lines of the log, including those of uvicorn and asyncio."""
    found = list[str]()
    sink = logger.add(found.append, format="{message} {exception}", level="INFO")

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler = Handler()
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)
    logger.remove(sink)


# -- pipelined requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("updates", [1, 300, 3000])
async def test_pipelined_requests_after_a_get_are_all_answered_in_order_and_few_lines_are_logged(
    lines: list[str], updates: int
) -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        reader, writer = await connect()
        writer.write(GET + request(b"{}") * updates + GET)
        assert (await response(reader))[2] == b"app"
        for number in range(1, updates + 1):
            assert (await response(reader))[2] == b'{"number":%d}' % number
        assert (await response(reader))[2] == b"app"
    assert len(lines) < 5, lines


async def test_pipelined_updates_are_all_answered_in_order_also_those_before_and_after_a_get(lines: list[str]) -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        reader, writer = await connect()
        writer.write(request(b"{}") * 3000 + GET + request(b"{}") * 300)
        for number in range(1, 3001):
            assert (await response(reader))[2] == b'{"number":%d}' % number
        assert (await response(reader))[2] == b"app"
        for number in range(3001, 3301):
            assert (await response(reader))[2] == b'{"number":%d}' % number
    assert len(lines) < 5, lines


async def test_a_client_that_reads_no_answer_is_not_read_from_either() -> None:
    prompt = Prompt(padding=20_000)
    async with served(prompt) as connect:
        _, writer = await connect()
        sent = 0
        # The answers fill the buffers of both sides. The server then accepts no more requests, and finally none can be
        # sent, or the client is disconnected.
        while writer.transport.get_write_buffer_size() < 1 << 22 and not writer.transport.is_closing():
            writer.write(request(b"{}") * 1000)
            sent += 1000
            await asyncio.sleep(0)
        taken = len(prompt.taken)
        reader, other = await connect()
        other.write(request(b"{}"))
        assert (await response(reader))[0] == 200
        assert len(prompt.taken) == taken + 1 < sent
        writer.transport.abort()


async def test_an_update_waits_for_the_one_before_it_on_the_same_connection() -> None:
    async with hooked() as (dispatcher, reader, writer):
        writer.write(request(b"1") + request(b"2"))
        await dispatcher.answer({"method": "one"})
        assert dispatcher.taken == [b"1", b"2"]
        assert (await response(reader))[2] == b'{"method":"one"}'
        await dispatcher.answer({"method": "two"})
        assert (await response(reader))[2] == b'{"method":"two"}'


async def test_a_large_update_behind_others_is_read_to_its_end() -> None:
    async with hooked() as (dispatcher, reader, writer):
        bodies = [b"first", b"x" * 600_000, b"y" * 300_000, b"last"]
        for body in bodies:
            writer.write(request(body))
        await writer.drain()
        for _ in bodies:
            await dispatcher.answer(None)
            assert (await response(reader))[0] == 200
        assert dispatcher.taken == bodies


async def test_a_second_answer_to_an_update_does_not_reach_the_next_one() -> None:
    async with hooked() as (dispatcher, reader, writer):
        writer.write(request(b"1"))
        first = await dispatcher.senders.get()
        first.set_result({"method": "one"})
        assert (await response(reader))[2] == b'{"method":"one"}'
        writer.write(request(b"2"))
        second = await dispatcher.senders.get()
        first.set_result({"method": "again"})
        first.set_exception(ValueError("again"))
        second.set_result({"method": "two"})
        assert (await response(reader))[2] == b'{"method":"two"}'


# -- one connection for both ------------------------------------------------------------------------------------


async def test_a_proxy_may_mix_updates_and_other_requests_on_one_connection() -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        for order in ([GET, request(b"{}")] * 3, [request(b"{}"), GET] * 3):
            reader, writer = await connect()
            for each in order:
                writer.write(each)
                body = (await response(reader))[2]
                assert body == (b"app" if each is GET else b'{"number":%d}' % len(prompt.taken))


# -- methods, forms and expectations ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "HEAD"])
async def test_another_method_is_told_which_one_is_allowed(method: str) -> None:
    async with served(Prompt()) as connect:
        reader, writer = await connect()
        writer.write(request(b"", method=method))
        status, headers, _ = await response(reader)
        assert (status, headers["allow"]) == (405, "post")


async def test_go_on_is_not_said_before_the_requests_before_have_their_answers() -> None:
    async with hooked() as (dispatcher, reader, writer):
        head, _, body = request(b"{}", "Expect: 100-continue").partition(b"\r\n\r\n")
        writer.write(request(b"first") + head + b"\r\n\r\n")
        await dispatcher.answer({"method": "first"})
        assert (await response(reader))[2] == b'{"method":"first"}'
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        await dispatcher.answer({"method": "second"})
        assert (await response(reader))[2] == b'{"method":"second"}'


async def test_the_application_sees_the_path_of_an_absolute_target() -> None:
    async def path(scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 200, scope["path"].encode())

    async with served(Prompt(), path) as connect:
        reader, writer = await connect()
        for target, expected in {"http://test/a%20b?c": b"/a b", "//hook": b"//hook", "/hook/..": b"/hook/.."}.items():
            writer.write(request(b"", path=target, method="GET"))
            assert (await response(reader))[2] == expected


# -- requests that two servers could read in two ways -----------------------------------------------------------

SECRET = "X-Telegram-Bot-Api-Secret-Token: secret"


@pytest.mark.parametrize("before", [b"", request(b"{}"), GET], ids=["first", "after an update", "after a get"])
@pytest.mark.parametrize("path", ["/hook", "/health"])
@pytest.mark.parametrize(
    "lines_",
    [
        ["Host: t", "Content-Length: 2", "Content-Length: 3"],
        ["Host: t", "Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Host: t", "Transfer-Encoding: chunked", "Content-Length: 2"],
        ["Host: t", "Content-Length: +2"],
        ["Host: t", "Content-Length: 0x2"],
        ["Host: t", "Content-Length: 2, 3"],
        ["Host: t", "Content-Length: -2"],
        ["Host: t", "Content-Length : 2"],
        ["Host: t", "Transfer-Encoding: xchunked"],
        ["Content-Length: 2"],
        ["Host: t", "Content-Length: 99999999999999999999999999"],
        ["Host: t", "A: b\x00", "Content-Length: 2"],
    ],
    ids=lambda found: ", ".join(found).replace("\x00", "NUL"),
)
async def test_an_ambiguous_request_is_refused_and_the_connection_closed(
    lines_: list[str], path: str, before: bytes
) -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        reader, writer = await connect()
        writer.write(before + "\r\n".join([f"POST {path} HTTP/1.1", *lines_, SECRET, "", ""]).encode())
        if before:
            assert (await response(reader))[0] == 200
        writer.write(b"{}" + request(b"smuggled"))
        received = await until_closed(reader)
        assert b"HTTP/1.1 200" not in received
        assert received.count(b"HTTP/1.1 ") <= 1
    assert prompt.taken == [b"{}"] * before.startswith(b"POST")


@pytest.mark.parametrize(
    "head",
    [
        f"POST /hook HTTP/1.1\r\nHost: t\r\n folded\r\n{SECRET}\r\nContent-Length: 2\r\n\r\n",
        f"POST /hook HTTP/1.1\nHost: t\n{SECRET}\nContent-Length: 2\n\n",
        f"POST /hook HTTP/1.1\r\nHost: t\r\n{SECRET}\r\nContent-Length: 2\r\n\n",
        f"POST /hook HTTP/1.1\r\nHost: t\rX: y\r\n{SECRET}\r\nContent-Length: 2\r\n\r\n",
        f"POST /hook\r\nHost: t\r\n{SECRET}\r\nContent-Length: 2\r\n\r\n",
        f"POST /hook HTTP/3.0\r\nHost: t\r\n{SECRET}\r\nContent-Length: 2\r\n\r\n",
        f"POST  /hook  HTTP/1.1\r\nHost: t\r\n{SECRET}\r\nContent-Length: 2\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
        "\r\n\r\n",
    ],
)
async def test_a_malformed_head_is_refused_and_the_connection_closed(head: str) -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        reader, writer = await connect()
        writer.write(head.encode("latin-1") + b"{}")
        received = await until_closed(reader)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert received.count(b"HTTP/1.1 ") == 1
    assert prompt.taken == []


@pytest.mark.parametrize("secrets", [["secret", "wrong"], ["wrong", "secret"], ["secret", "secret"]])
async def test_a_repeated_secret_is_refused(secrets: list[str]) -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        reader, writer = await connect()
        repeated = [f"X-Telegram-Bot-Api-Secret-Token: {secrets[0]}"]
        writer.write(request(b"{}", *repeated, secret=secrets[1]))
        assert (await response(reader))[0] == 401
    assert prompt.taken == []


# -- greedy and slow clients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [b"", request(b"{}"), GET], ids=["first", "after an update", "after a get"])
async def test_an_endless_head_is_refused_after_a_few_kilobytes(before: bytes, lines: list[str]) -> None:
    prompt = Prompt()
    async with served(prompt) as connect:
        reader, writer = await connect()
        writer.write(before)
        if before:
            assert (await response(reader))[0] == 200
        writer.write(b"GET /health HTTP/1.1\r\nHost: t\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while not writer.transport.is_closing() and sent < 100_000_000:
                writer.write(b"X-Header: " + b"x" * 10_000 + b"\r\n")
                await writer.drain()
                sent += 10_012
        assert sent < 20_000_000, "what the buffers of two sockets hold is sent; no more"
        received = await until_closed(reader)
        assert received[:12] in (b"", b"HTTP/1.1 431", b"HTTP/1.1 400")
    assert len(lines) < 5, lines


async def test_of_too_many_connections_those_are_cut_that_bring_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_CONNECTIONS", 40)
    dispatcher = HeldDispatcher()
    async with served(dispatcher) as connect:
        kept = await connect()  # brings updates, and is idle meanwhile: it stays
        kept[1].write(request(b"first"))
        await dispatcher.answer(None)
        assert (await response(kept[0]))[0] == 200
        busy = await connect()  # waits for an answer: it stays open
        busy[1].write(request(b"busy"))
        waiting = await dispatcher.senders.get()
        half_sent = [await connect() for _ in range(400)]
        for _, writer in half_sent:
            writer.write(b"POST /hook HTTP/1.1\r\n")
        cut = [asyncio.create_task(until_closed(reader)) for reader, _ in half_sent]
        while sum(task.done() for task in cut) < 400 - 38:
            await asyncio.wait([task for task in cut if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        assert sum(task.done() for task in cut) == 400 - 38
        kept[1].write(request(b"second"))
        await dispatcher.answer({"method": "kept"})
        assert (await response(kept[0]))[2] == b'{"method":"kept"}'
        waiting.set_result({"method": "busy"})
        assert (await response(busy[0]))[2] == b'{"method":"busy"}'
        for task in cut:
            task.cancel()


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /hook HTTP/1.1\r\nHost: t\r\n",
        b"G",
        request(b"half a body")[:-1],
        request(b"{}", "X-Chunked: no", secret="wrong", path="/other")[:-1],
        GET + b"GET /hea",
        GET + request(b"half a body")[:-1],
        request(b"6\r\nhalf a", "Transfer-Encoding: chunked"),
        request(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 9"),
        b"",
    ],
    ids=range(9),
)
async def test_a_client_that_stops_in_the_middle_is_cut_in_time(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    for module, name in (
        (connection, "HEAD_SECONDS"),
        (connection, "REQUEST_SECONDS"),
        (connection, "IDLE_SECONDS"),
        (http, "HEAD_SECONDS"),
        (http, "REQUEST_SECONDS"),
        (http, "KEEP_ALIVE_SECONDS"),
        (http, "TICK_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0.05)

    async def reads(_scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            more = message.get("more_body", False)
        await respond(send, 200, b"app")

    prompt = Prompt()
    async with served(prompt, reads) as connect:
        reader, writer = await connect()
        writer.write(sent)
        await until_closed(reader)
    assert prompt.taken == []


async def test_a_byte_now_and_then_gives_a_client_no_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(http, "TICK_SECONDS", 0.05)
    async with served(Prompt()) as connect:
        reader, writer = await connect()
        closed = asyncio.create_task(until_closed(reader))
        for byte in request(b"x" * 100_000):
            if closed.done():
                break
            with contextlib.suppress(ConnectionError):
                writer.write(bytes([byte]))
                await writer.drain()
            await asyncio.wait({closed}, timeout=0.01)
        await closed


async def test_a_client_that_does_not_read_a_long_response_is_cut_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "UNREAD_SECONDS", 0.1)
    monkeypatch.setattr(http, "TICK_SECONDS", 0.05)
    ended = asyncio.Event()

    async def long(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for _ in range(100):
                await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        finally:
            ended.set()

    async with served(Prompt(), long) as connect:
        reader, writer = await connect()
        reader._limit = 1  # stop reading from the socket
        writer.write(GET)
        await ended.wait()
