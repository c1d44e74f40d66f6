"""A receiver of error reports that speaks Sentry's envelope protocol."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.telegram import listening

KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Envelopes:
    """The events that were received.

    Attributes:
        dsn: address and key.
        events: the events.
        raw: the decompressed requests.
        answering: cleared to leave requests without an answer.
        asked: number of requests that have come.
    """

    dsn: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def take(self, request: Request) -> Response:
        """Take one envelope: a header, and items of a header and a payload of the given length."""
        self.asked += 1
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        await self.answering.wait()
        assert f"sentry_key={KEY}" in request.headers["x-sentry-auth"]
        self.raw.append(body)
        header, _, rest = body.partition(b"\n")
        while rest.strip():
            line, _, rest = rest.partition(b"\n")
            item = json.loads(line)
            payload, rest = rest[: item["length"]], rest[item["length"] :].removeprefix(b"\n")
            if item["type"] == "event":
                self.events.append(json.loads(payload))
        return JSONResponse({"id": json.loads(header).get("event_id")})

    async def from_line(self, file: str) -> dict[str, Any]:
        """Wait for an event whose error was logged in a file. Returns the first one."""
        async with asyncio.timeout(120):
            while True:
                for event in self.events:
                    if event["tags"]["logged_by"].startswith(f"{file}:"):
                        return event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def receiving() -> AsyncIterator[Envelopes]:
    """Run a receiver on a free port."""
    found = Envelopes()
    found.answering.set()
    async with listening(Starlette(routes=[Route("/api/7/envelope/", found.take, methods=["POST"])])) as url:
        found.dsn = f"{url.replace('http://', f'http://{KEY}@')}/7"
        yield found
