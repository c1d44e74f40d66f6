"""The HTTP server: an application's response arrives whole, and so do the webhook's requests, which bypass ASGI."""

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from loguru import logger

from bot.ingest.coalescing import AT_MOST, WriteCoalescer
from bot.ingest.http import serving
from bot.ingest.reads import PlainReads
from bot.ingest.updates import MalformedUpdate, Reply, RetryLater
from bot.ingest.webhook import App, Receive, Scope, Send, Webhook
from bot.tasks import Tasks
from fsm.engine import Promise

HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def answering(*pieces: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> App:
    """Return an application that answers with these pieces."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    return app


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def connected(
    app: App, webhook: Webhook | None = None, reads: PlainReads | None = None
) -> AsyncIterator[Connection]:
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    async with serving(app, "127.0.0.1", 0, tasks, webhook=webhook, reads=reads) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        yield reader, writer
        writer.close()


async def test_requests_one_after_the_other_and_at_once_have_their_answers() -> None:
    headers = ((b"content-length", b"6"),)
    async with connected(answering(b"an", b"swer", headers=headers)) as (reader, writer):
        writer.write(HEAD)
        assert (await reader.readuntil(b"answer")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.write(HEAD * 3)
        for _ in range(3):
            assert (await reader.readuntil(b"answer")).count(b"HTTP/1.1 200 OK") == 1


async def test_a_long_answer_arrives_whole_and_then_the_connection_is_closed() -> None:
    piece = bytes(range(256)) * 4096
    headers = ((b"content-length", b"%d" % (4 * len(piece))), (b"connection", b"close"))
    async with connected(answering(*[piece] * 4, headers=headers)) as (reader, writer):
        writer.write(HEAD)
        assert (await reader.read(-1)).partition(b"\r\n\r\n")[2] == piece * 4


async def test_what_is_written_in_one_turn_goes_out_together_and_much_at_once() -> None:
    sent = list[bytes]()
    gone = False

    class Wire(asyncio.Transport):
        def is_closing(self) -> bool:
            return gone

        def write(self, data: bytes | bytearray | memoryview) -> None:
            sent.append(bytes(data))

        def close(self) -> None:
            sent.append(b"closed")

    transport = WriteCoalescer(asyncio.get_running_loop()).gathering(Wire({"peername": "somebody"}))
    assert transport.get_extra_info("peername") == "somebody"
    transport.write(b"head ")
    transport.write(b"body")
    assert sent == []
    await asyncio.sleep(0)
    assert sent == [b"head body"]
    transport.write(bytes(AT_MOST + 1))
    assert len(sent.pop()) == AT_MOST + 1
    transport.write(b"last words")
    transport.close()
    await asyncio.sleep(0)
    assert sent == [b"head body", b"last words", b"closed"]
    transport.write(b"to nobody")
    gone = True
    await asyncio.sleep(0)
    assert len(sent) == 3


async def test_who_can_not_be_written_to_holds_back_nobody() -> None:
    sent, problems = list[bytes](), list[str]()

    class Wire(asyncio.Transport):
        def is_closing(self) -> bool:
            return False

        def write(self, data: bytes | bytearray | memoryview) -> None:
            if data == b"2":
                raise RuntimeError("the handler is closed")
            sent.append(bytes(data))

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(str(context["exception"])))
    turn = WriteCoalescer(loop)
    for data in (b"1", b"2", b"3"):
        turn.gathering(Wire()).write(data)
    await asyncio.sleep(0)
    assert sent == [b"1", b"3"]
    assert problems == ["the handler is closed"]


# -- plain reads ------------------------------------------------------------------------------------------------

READ = b"GET /api/v1/x?a=b HTTP/1.1\r\nHost: test\r\n"


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the status in the path says, or with the request."""
    told = scope["path"].rpartition("/")[2]
    if told == "fails":
        raise RuntimeError("a bug")
    headers = [(b"x-evil", b"a\r\nb")] if told == "evil" else []
    status = int(told) if told.isdigit() else 200
    request = await receive()
    assert not request["more_body"]
    body = b"" if status == 304 else b"%s?%s" % (scope["path"].encode(), scope["query_string"]) + request["body"]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


READS = PlainReads(reading, "/api", lambda path: not path.endswith("stream"))


async def exchanged(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the head and the body of the next response."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")), b"content-length: 0")
    return head, await reader.readexactly(int(length.partition(b": ")[2]))


async def test_plain_reads_are_answered_in_order_also_if_they_come_at_once_or_in_pieces() -> None:
    async with connected(answering(b"by uvicorn"), reads=READS) as (reader, writer):
        writer.write(b"".join(b"GET /api/v1/%d HTTP/1.1\r\nHost: test\r\n\r\n" % n for n in (200, 304, 404, 200)))
        found = [await exchanged(reader) for _ in range(4)]
        assert [head[9:12] for head, _ in found] == [b"200", b"304", b"404", b"200"]
        assert [body for _, body in found] == [b"/api/v1/200?", b"", b"/api/v1/404?", b"/api/v1/200?"]
        assert b"content-length" not in found[1][0]  # it would be that of the body that is not sent
        for piece in (b"GET /api/v1/%C3", b"%A9?a=b HTT", b"P/1.1\r\nHo", b"st: test\r\n\r", b"\n"):
            writer.write(piece)
            await asyncio.sleep(0)
        assert (await exchanged(reader))[1] == "/api/v1/é?a=b".encode()
        writer.write(READ + b"Connection: keep-alive, not-closed\r\n\r\n")
        assert b"connection: close" not in (await exchanged(reader))[0]
        writer.write(READ + b"Connection: other, Close\r\n\r\n")
        rest = await reader.read(-1)
        assert b"\r\nconnection: close\r\n" in rest
        assert rest.endswith(b"/api/v1/x?a=b")


@pytest.mark.parametrize(
    "request_",
    [
        READ + b"Content-Length: 0\r\n\r\n",
        READ + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        READ + b"Expect: 100-continue\r\n\r\n",
        READ + b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"GET /api/v1/x HTTP/1.0\r\nHost: test\r\n\r\n",
        b"GET /api/v1/stream HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /apis HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET http://test/api/v1/x HTTP/1.1\r\nHost: test\r\n\r\n",
        b"POST /api/v1/x HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
        b"HEAD /api/v1/x HTTP/1.1\r\nHost: test\r\n\r\n",
    ],
)
async def test_any_other_request_goes_to_uvicorn_and_so_do_those_after_it(request_: bytes) -> None:
    async with connected(answering(b"by uvicorn"), reads=READS) as (reader, writer):
        writer.write(READ + b"\r\n")
        assert (await exchanged(reader))[1] == b"/api/v1/x?a=b"
        writer.write(request_)
        if b"Expect" not in request_ and b"HEAD" not in request_:
            assert b"by uvicorn" in await reader.readuntil(b"by uvicorn")
        else:
            await reader.readuntil(b"\r\n\r\n")


async def test_a_head_with_two_hosts_or_none_is_no_plain_read() -> None:
    for head in (b"GET /api/v1/x HTTP/1.1\r\n\r\n", READ + b"Host: other\r\n\r\n"):
        async with connected(answering(b"by uvicorn"), reads=READS) as (reader, writer):
            writer.write(head)
            assert b" 400 " in await reader.readline()


async def test_a_read_that_fails_is_a_500_and_the_connection_stays() -> None:
    async with connected(answering(b"by uvicorn"), reads=READS) as (reader, writer):
        for told in (b"fails", b"evil"):  # a header with a line break would be two headers
            writer.write(b"GET /api/v1/%s HTTP/1.1\r\nHost: test\r\n\r\n" % told)
            head, body = await exchanged(reader)
            assert (head[9:12], body) == (b"500", b"Internal Server Error")
        writer.write(READ + b"\r\n")
        assert (await exchanged(reader))[1] == b"/api/v1/x?a=b"


# -- the webhook ------------------------------------------------------------------------------------------------


class HeldDispatcher:
    """Dispatcher that answers on command."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.senders: asyncio.Queue[Promise[Reply]] = asyncio.Queue()

    def take(self, raw: bytes, sender: Promise[Reply]) -> None:
        """Record the waiting sender."""
        self.taken.append(raw)
        self.senders.put_nowait(sender)

    async def answer(self, reply: Reply | Exception) -> None:
        """Answer the sender that has waited longest."""
        sender = await self.senders.get()
        assert not sender.done()
        if isinstance(reply, Exception):
            sender.set_exception(reply)
        else:
            sender.set_result(reply)
        assert sender.done()


@contextlib.asynccontextmanager
async def hooked() -> AsyncIterator[tuple[HeldDispatcher, asyncio.StreamReader, asyncio.StreamWriter]]:
    dispatcher = HeldDispatcher()
    webhook = Webhook(frozenset({"/hook", "/a b"}), b"secret", cast("Any", dispatcher))
    async with connected(answering(b"app", headers=((b"content-length", b"3"),)), webhook) as (reader, writer):
        yield dispatcher, reader, writer


def request(
    body: bytes, *headers: str, path: str = "/hook", method: str = "POST", secret: str = "secret", version: str = "1.1"
) -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: test", f"X-Telegram-Bot-Api-Secret-Token: {secret}", *headers]
    if not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def response(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the next response."""
    async with asyncio.timeout(60):
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = dict(line.lower().split(": ") for line in lines)
        return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def test_an_update_arrives_whole_however_it_is_cut_and_is_answered_with_a_call() -> None:
    large = b"x" * 300_000
    async with hooked() as (dispatcher, reader, writer):
        for byte in request(b'{"update_id":1}'):
            writer.write(bytes([byte]))
            await writer.drain()
        await dispatcher.answer({"method": "answerCallbackQuery", "callback_query_id": "7"})
        status, headers, body = await response(reader)
        assert (status, headers["content-type"]) == (200, "application/json")
        assert body == b'{"method":"answerCallbackQuery","callback_query_id":"7"}'
        writer.write(request(b"4\r\nin t\r\n6\r\nhree p\r\n5\r\narts.\r\n0\r\n\r\n", "Transfer-Encoding: chunked"))
        await dispatcher.answer(None)
        status, headers, body = await response(reader)
        assert (status, headers, body) == (200, {"content-length": "0"}, b"")
        writer.write(request(large))
        await dispatcher.answer(None)
        assert (await response(reader))[0] == 200
        assert dispatcher.taken == [b'{"update_id":1}', b"in three parts.", large]


async def test_what_can_not_be_answered_has_a_status_that_says_why() -> None:
    async with hooked() as (dispatcher, reader, writer):
        problems = {400: MalformedUpdate("x"), 503: RetryLater("y"), 500: ZeroDivisionError("a bug")}
        logged = list[str]()
        sink = logger.add(logged.append, format="{message} {exception}")
        for status, problem in problems.items():
            writer.write(request(b"{}"))
            await dispatcher.answer(problem)
            found = await response(reader)
            assert found[0] == status
            assert found[1].get("retry-after") == ("1" if status == 503 else None)
        logger.remove(sink)
        assert [line for line in logged if "ZeroDivisionError: a bug" in line]


async def test_what_is_not_for_the_webhook_or_not_from_telegram_is_not_taken() -> None:
    async with hooked() as (dispatcher, reader, writer):
        for path in ("/", "/hooks", "/hook/", "/HOOK", "/a+b", "//hook", "/%ff", "/health?/hook"):
            writer.write(request(b"{}", path=path))
            assert (await response(reader))[2] == b"app", path
        for wrong in ({"method": "GET"}, {"method": "PUT"}, {"secret": ""}, {"secret": "secrets"}):
            writer.write(request(b"{}" * 50_000, **wrong))
            assert (await response(reader))[0] == (405 if "method" in wrong else 401)
        writer.write(request(b"x" * 1_500_000))
        assert (await response(reader))[0] == 413
        assert dispatcher.taken == []
        for path in ("/hook?a=b", "/%68ook", "/a%20b", "http://example.org/hook"):
            writer.write(request(path.encode(), path=path))
            await dispatcher.answer(None)
            assert (await response(reader))[0] == 200, path
        assert len(dispatcher.taken) == 4


async def test_requests_that_do_not_wait_are_answered_in_their_order() -> None:
    async with hooked() as (dispatcher, reader, writer):
        writer.write(request(b"1") + request(b"", path="/other") + request(b"2" * 100_000) + request(b"3", secret=""))
        writer.write(request(b"4"))
        await dispatcher.answer({"method": "first"})
        assert (await response(reader))[2] == b'{"method":"first"}'
        assert (await response(reader))[2] == b"app"
        await dispatcher.answer({"method": "second"})
        assert (await response(reader))[2] == b'{"method":"second"}'
        assert (await response(reader))[0] == 401
        await dispatcher.answer({"method": "fourth"})
        assert (await response(reader))[2] == b'{"method":"fourth"}'
        assert [len(raw) for raw in dispatcher.taken] == [1, 100_000, 1]


@pytest.mark.parametrize(
    "last", [("1.1", "Connection: close"), ("1.0", "X-None: 0"), ("1.0", "Connection: keep-alive")]
)
async def test_who_wants_no_further_answer_is_hung_up_on(last: tuple[str, str]) -> None:
    async with hooked() as (dispatcher, reader, writer):
        writer.write(request(b"{}", last[1], version=last[0]))
        await dispatcher.answer({"method": "bye"})
        status, headers, body = await response(reader)
        assert (status, headers["connection"], body) == (200, "close", b'{"method":"bye"}')
        assert await reader.read() == b""


async def test_who_asks_before_sending_a_body_is_told_to_go_on() -> None:
    async with hooked() as (dispatcher, reader, writer):
        head, _, body = request(b"{}", "Expect: 100-continue").partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        await dispatcher.answer(None)
        assert (await response(reader))[0] == 200


async def test_a_request_that_is_over_leaves_the_collector_nothing() -> None:
    async with hooked() as (dispatcher, reader, writer):
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                writer.write(request(b"{}"))
                await dispatcher.answer({"method": "done"})
                await response(reader)
            kept = Counter(type(each).__name__ for each in gc.get_objects())
        finally:
            gc.enable()
        assert kept["_UpdateReply"] == 0


async def test_half_an_update_is_none_and_an_answer_to_nobody_harms_nobody() -> None:
    dispatcher = HeldDispatcher()
    webhook = Webhook(frozenset({"/hook"}), b"secret", cast("Any", dispatcher))
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    async with serving(answering(b""), "127.0.0.1", 0, tasks, webhook=webhook) as port, asyncio.timeout(60):
        for sent in (request(b"{}")[:-1], request(b"whole")):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        await dispatcher.answer({"method": "too late"})
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(b"next"))
        await dispatcher.answer(None)
        assert (await response(reader))[0] == 200
        writer.close()
    assert dispatcher.taken == [b"whole", b"next"]


async def test_a_server_that_stops_answers_what_it_has_taken_and_hangs_up() -> None:
    dispatcher = HeldDispatcher()
    webhook = Webhook(frozenset({"/hook"}), b"secret", cast("Any", dispatcher))
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(answering(b""), "127.0.0.1", 0, tasks, webhook=webhook))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(b"{}"))
        sender: Any = await dispatcher.senders.get()
        stopping = asyncio.create_task(stack.aclose())
        while not sender.connection.stopping:  # noqa: ASYNC110 -- no task could set an event
            await asyncio.sleep(0.01)
        sender.set_result({"method": "done"})
        status, headers, body = await response(reader)
        assert (status, headers["connection"], body) == (200, "close", b'{"method":"done"}')
        await stopping
        assert await reader.read() == b""
        writer.close()
