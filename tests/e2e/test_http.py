"""The HTTP server: what an application sends arrives whole, and a response in one piece."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.gathering import AT_MOST, Turn
from bot.tasks import Tasks
from bot.web import App, Receive, Scope, Send, serving

HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def answering(*pieces: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> App:
    """An application that answers with these pieces."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    return app


@contextlib.asynccontextmanager
async def connected(app: App) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    async with serving(app, "127.0.0.1", 0, tasks) as port:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(ConnectionRefusedError):  # it is about to listen
                    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
                    break
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

    transport = Turn(asyncio.get_running_loop()).gathering(Wire({"peername": "somebody"}))
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
