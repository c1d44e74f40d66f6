"""The limit of HTTP: the server that the bot runs on, and an application that only reads the update and says thanks.

python -m benchmarks.baselines.echo PORT
"""

import asyncio
import sys
from collections.abc import MutableMapping
from typing import Any

import uvloop

from bot.ingest import http as web
from bot.tasks import Tasks

BODY = b'{"method":"answerCallbackQuery","callback_query_id":"1","text":"You have 7."}'
HEADERS = [(b"content-length", b"%d" % len(BODY)), (b"content-type", b"application/json")]


async def echo(_scope: MutableMapping[str, Any], receive: web.Receive, send: web.Send) -> None:
    """Answer one request."""
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def main(port: int) -> None:
    """Serve until killed."""
    tasks = Tasks(lambda name, error: sys.exit(f"{name}: {error}"))
    async with web.serving(echo, "127.0.0.1", port, tasks):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
