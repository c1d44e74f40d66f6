"""Differential fuzzer of the HTTP server: it and plain uvicorn get the same bytes, for the same application.

python -m tests.e2e.fuzz_http [--cases 200000] [--seed 1]

Requests are concatenated on a connection, damaged, and cut into pieces. The server may refuse more than uvicorn does.
It must not see a request that uvicorn does not see (no smuggling), must answer each accepted request once and in order
(no duplicates), and must not wait for bytes if both of uvicorn's parsers have seen complete requests (no hanging).
"""

import argparse
import asyncio
import logging
import re
import socket
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any, cast

import uvicorn
import uvloop
from loguru import logger
from uvicorn.server import ServerState

from bot.ingest.http import HttpServer
from bot.ingest.updates import Reply
from bot.ingest.webhook import App, Receive, Scope, Send, Webhook, WebhookApp, respond
from fsm.engine import Promise

SEEDS = range(1, 5)
"""Seeds of the cases that every run plays."""
LANES = 50
"""Cases that run concurrently."""
TURNS = 12
"""Turns of the event loop that a server may take for a piece: nothing here waits for anything but the loop."""
SECRET = b"X-Telegram-Bot-Api-Secret-Token: secret\r\n"
PLAIN = (
    b"POST /hook HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 15\r\n\r\n" + b'{"update_id":1}',
    b"POST /hook HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 3\r\nContent-Type: application/json\r\n\r\nabc",
    b"POST /hook HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 0\r\n\r\n",
    b"POST /hook HTTP/1.1\r\nHost: t\r\n"
    + SECRET
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    b"POST /%68ook?x=1 HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 2\r\n\r\n{}",
    b"POST http://t/hook HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 2\r\n\r\n[]",
    b"POST /hook HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nnope",
    b"GET /hook HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n",
    b"HEAD /health HTTP/1.1\r\nHost: t\r\n\r\n",
    b"OPTIONS /hook HTTP/1.1\r\nHost: t\r\n\r\n",
    b"POST /other HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nother",
    b"PUT /other HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;e=f\r\nx\r\n0\r\nTrailer: y\r\n\r\n",
)
"""Requests after which the connection stays open."""
LAST = (
    b"POST /hook HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
    b"POST /hook HTTP/1.0\r\n" + SECRET + b"Content-Length: 2\r\n\r\n{}",
    b"GET /health HTTP/1.0\r\n\r\n",
    b"POST /hook HTTP/1.1\r\nHost: t\r\n" + SECRET + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
    b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
)
"""Requests after which the connection mostly closes."""
TOKENS = (
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b" ", b"\t", b":", b"\0", b"\x0b", b"\xff", b",", b"chunked",
    b"0\r\n\r\n", b"+", b"-", b"_", b"0", b"9", b"f", b"//", b"%00", b"#", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0",
    b"GET ", b"POST ", b" folded\r\n", SECRET, b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: 15\r\n", b"content-length:3\r\n", b"Content-Length : 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: xchunked\r\n",
    b"Host: u\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Expect: 100-continue\r\n",
)  # fmt: skip
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass
class Seen:
    """A server's view of a case."""

    taken: list[bytes] = field(default_factory=list)
    """Complete requests, in the form that the application saw."""
    output: bytes = b""
    closed: bool = False

    def told(self, kind: bytes, body: bytes) -> bytes:
        """Record a request. Returns a word that only its response contains."""
        self.taken.append(kind + b" " + body)
        return b"[%d %d]" % (len(self.taken), zlib.crc32(self.taken[-1]))


class Dispatcher:
    """Dispatcher that replies to updates at once."""

    def __init__(self, seen: Callable[[], Seen]) -> None:
        self._seen = seen

    def take(self, raw: bytes, sender: Promise[Reply]) -> None:
        """Reply to one update."""
        sender.set_result({"method": self._seen().told(b"update", raw).decode()})


def application(seen: Callable[[], Seen]) -> App:
    """Return the application beside the webhook: it reads the whole body and answers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await respond(send, 200, seen().told(scope["method"].encode() + b" app", body))

    return app


class Arena:
    """The server and both of uvicorn's parsers, each on a separate socket pair."""

    def __init__(self) -> None:
        self._seen = Seen()
        webhook = Webhook(frozenset({"/hook"}), b"secret", cast("Any", Dispatcher(lambda: self._seen)))
        app = application(lambda: self._seen)
        server = HttpServer(app, webhook)
        self.ours: Callable[[], asyncio.Protocol] = server.connection
        self.references = [self._plain(name, WebhookApp(webhook, app)) for name in ("httptools", "h11")]

    @staticmethod
    def _plain(name: str, app: App) -> Callable[[], asyncio.Protocol]:
        config = uvicorn.Config(app, http=cast("Any", name), lifespan="off", log_config=None, server_header=False)
        config.load()
        made: Any = config.http_protocol_class
        return lambda: made(config=config, server_state=ServerState(), app_state={})

    async def play(self, make: Callable[[], asyncio.Protocol], pieces: list[bytes]) -> Seen:
        """Send the pieces on a new connection."""
        self._seen = seen = Seen()
        here, there = socket.socketpair()
        here.setblocking(False)
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(make, there)
        try:
            for piece in pieces:
                if not seen.closed:
                    await self._exchange(here, piece, seen)
        finally:
            here.close()
            transport.abort()
            await asyncio.sleep(0)
        return seen

    async def _exchange(self, here: socket.socket, piece: bytes, seen: Seen) -> None:
        try:
            here.sendall(piece)
        except OSError:
            seen.closed = True
        quiet = 0
        while quiet < TURNS and not seen.closed:
            await asyncio.sleep(0)
            try:
                data = here.recv(1 << 16)
            except BlockingIOError:
                quiet += 1
            except OSError:
                seen.closed = True
            else:
                quiet = 0
                seen.output += data
                seen.closed = not data


def case(rng: Random) -> tuple[list[bytes], bool]:
    """Return the pieces of a case, and whether it is damaged."""
    requests = [rng.choice(PLAIN) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.3:
        requests.append(rng.choice(LAST))
    data = bytearray(b"".join(requests))
    damages = rng.choice((0, 1, 1, 1, 2, 3))
    for _ in range(damages):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice((1, 1, 2, 8, 40)))
        match rng.randrange(6):
            case 0:
                del data[at:to]
            case 1:
                data[at:at] = rng.choice(TOKENS)
            case 2:
                data[at:to] = rng.choice(TOKENS)
            case 3:
                data[at:at] = data[at:to]
            case 4 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case _:
                # Insert between two lines, in the headers.
                ends = [found.end() for found in re.finditer(rb"\r\n", data)]
                if ends:
                    place = rng.choice(ends)
                    data[place:place] = rng.choice(TOKENS)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice((0, 0, 1, 3))))
    edges = [0, *cuts, len(data)]
    return [bytes(data[a:b]) for a, b in pairwise(edges) if a < b], bool(damages)


def answers(seen: Seen) -> list[tuple[int, bytes]]:
    """Return status and body of each final response. Raises AssertionError for any other output."""
    found, rest, number = list[tuple[int, bytes]](), seen.output, 0
    while rest:
        status = STATUS.match(rest)
        assert status is not None, f"no response begins with {rest[:80]!r}"
        head, blank, rest = rest.partition(b"\r\n\r\n")
        assert blank, f"half a head: {head!r}"
        code = int(status[1])
        if code == 100:
            continue
        length = LENGTH.search(head)
        size = int(length[1]) if length is not None else len(rest)  # without a length, the body lasts until the close
        kind = seen.taken[number] if number < len(seen.taken) else b""
        if code == 200 and kind.startswith(b"HEAD "):
            found.append((code, b""))
        else:
            assert len(rest) >= size, f"half a body: {rest!r}"
            found.append((code, rest[:size]))
            rest = rest[size:]
        number += code == 200
    return found


def compare(ours: Seen, references: list[Seen], *, damaged: bool) -> str:
    """Return the kind of outcome. Raises AssertionError if the server violates a rule."""
    given = answers(ours)
    done = [body for code, body in given if code == 200]
    assert len(done) == len(ours.taken), f"{len(ours.taken)} requests taken, {len(done)} answered"
    for number, (taken, body) in enumerate(zip(ours.taken, done, strict=True), 1):
        if not taken.startswith(b"HEAD "):
            assert b"[%d %d]" % (number, zlib.crc32(taken)) in body, "an answer belongs to another request"
    assert any(ours.taken == seen.taken[: len(ours.taken)] for seen in references), "a request that uvicorn never saw"
    refusals = [code for code, _ in given if code in (400, 431)]
    assert len(refusals) <= 1, "refused twice"
    assert not refusals or ours.closed, "the connection goes on after a refusal"
    agreed = all(seen.taken == references[0].taken for seen in references)
    if agreed and not ours.closed:
        assert ours.taken == references[0].taken, "waits where both parsers of uvicorn have seen whole requests"
    if not damaged:
        assert ours.taken in [seen.taken for seen in references], "refuses a request that nobody damaged"
    if ours.taken == references[0].taken:
        return "the same requests"
    return "refused earlier"


async def fuzz(cases: int, seed: int, *, say: Callable[[str], object] = lambda _: None) -> Counter[str]:
    """Play a number of cases. Returns the counts of outcomes. Raises AssertionError with the case that failed."""
    outcomes, numbers = Counter[str](), iter(range(cases))

    async def play() -> None:
        arena = Arena()
        for number in numbers:
            outcomes[await played(arena, f"{seed}/{number}")] += 1
            if number % 10_000 == 9_999:
                say(f"{number + 1} cases: {dict(outcomes)}")

    # Concurrently, as a case spends most of its time on turns of the loop.
    await asyncio.gather(*(play() for _ in range(min(LANES, cases))))
    return outcomes


async def played(arena: Arena, name: str) -> str:
    """Play the case of that name. Returns the kind of its outcome. Raises AssertionError with the whole case."""
    pieces, damaged = case(Random(name))
    ours = await arena.play(arena.ours, pieces)
    references = list[Seen]()
    for make in arena.references:  # the second parser runs only if the first one differs from our server
        if not references or ours.taken != references[0].taken:
            references.append(await arena.play(make, pieces))
    try:
        return compare(ours, references, damaged=damaged)
    except AssertionError as problem:
        raise AssertionError(f"case {name}: {problem}\n{pieces}\nours: {ours}\nuvicorn: {references}") from None


def main() -> None:
    """Play many cases."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.fuzz_http")
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logger.remove()
    logging.disable()
    print(dict(uvloop.run(fuzz(given.cases, given.seed, say=print))))  # noqa: T201


if __name__ == "__main__":
    main()
