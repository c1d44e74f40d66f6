"""Baseline: the upper limit of HTTP. The webhook's own protocol, with one fixed reply to every update.

python -m benchmarks.baselines.echo PORT
"""

import asyncio
import sys
from typing import Any, cast

import uvloop

from benchmarks.world import PATH, SECRET
from bot.ingest import http
from bot.ingest.updates import Reply
from bot.ingest.webhook import Webhook
from bot.tasks import Tasks
from fsm.engine import Promise

REPLY = {"method": "answerCallbackQuery", "callback_query_id": "1", "text": "You have 7."}


class Echo:
    """Replies to each update at once."""

    def take(self, _raw: bytes, sender: Promise[Reply]) -> None:
        """Reply to one update."""
        sender.set_result(REPLY)


async def main(port: int) -> None:
    """Serve until the process is killed."""
    tasks = Tasks(lambda name, error: sys.exit(f"{name}: {error}"))
    webhook = Webhook(frozenset({PATH}), SECRET.encode(), cast("Any", Echo()))
    async with http.serving(http.application([]), "127.0.0.1", port, tasks, webhook=webhook):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
