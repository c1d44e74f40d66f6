"""Delivery of updates to the webhook: in order within a chat, chats in parallel, repeated until accepted."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import msgspec

from sandbox.changes import Changes
from sandbox.errors import ApiError
from sandbox.state import Json
from sandbox.updates import Update, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 -- the name of a header
LONGEST_WAIT = 60.0
ANSWER_SECONDS = 60.0
NOT_IN_REPLIES = ("get", "setwebhook", "deletewebhook", "close", "logout")
"""Prefixes of the methods that a webhook's reply cannot call."""


@dataclass(slots=True)
class Webhook:
    """Address of the webhook, and the last failure (unix seconds, text)."""

    url: str
    secret: str
    max_connections: int
    ip_address: str | None = None
    last_error: str = ""
    last_error_date: int = 0


class Delivery:
    """Owner of the tasks that post updates. `backoff`: seconds before the second repetition, doubled each time."""

    def __init__(
        self,
        updates: Updates,
        changes: Changes,
        now: Callable[[], float],
        execute: Callable[[str, Json], Awaitable[object]],
        *,
        backoff: float = 2.0,
    ) -> None:
        self.webhook: Webhook | None = None
        self._updates = updates
        self._changes = changes
        self._now = now
        self._execute = execute
        self._backoff = backoff
        self._queues: dict[int, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(1)
        self._session: aiohttp.ClientSession | None = None

    async def start(self, webhook: Webhook) -> None:
        """Start delivery with the pending updates."""
        await self.stop()
        self.webhook = webhook
        self._updates.webhook_active = True
        self._slots = asyncio.Semaphore(webhook.max_connections)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=webhook.max_connections),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        )
        for update in list(self._updates.pending.values()):
            self._enqueue(update)
        self._updates.on_new = self._enqueue

    async def stop(self) -> None:
        """Stop delivery; unaccepted updates stay pending."""
        self._updates.on_new = None
        self._updates.webhook_active = False
        self.webhook = None
        self._queues.clear()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()
            self._session = None

    def _enqueue(self, update: Update) -> None:
        if queue := self._queues.get(update.key):
            queue.append(update)
            return
        self._queues[update.key] = deque([update])
        task = asyncio.create_task(self._deliver_all(update.key), name=f"webhook {update.key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_all(self, key: int) -> None:
        queue = self._queues[key]
        updates = self._updates
        while queue:
            if updates.reorder and len(queue) > 1:
                updates.reorder -= 1
                queue.rotate(-1)
            update = queue[0]
            async with self._slots:
                await self._deliver(update)
            if updates.duplicates:
                updates.duplicates -= 1
                async with self._slots:
                    await self._deliver(update)
            queue.remove(update)
            updates.discard(update)
            self._changes.tell("delivered", update=update.id)
        # A restart of the delivery may have made another queue for this key.
        if self._queues.get(key) is queue:
            del self._queues[key]

    async def _deliver(self, update: Update) -> None:
        """Post one update until it is accepted or expires: again at once, then after growing waits."""
        attempt = 0
        while update.expires_at > self._now():
            accepted, wait = await self._post(update)
            if accepted:
                return
            attempt += 1
            if wait is None:
                wait = 0.0 if attempt == 1 else min(LONGEST_WAIT, self._backoff * 2 ** (attempt - 2))
            await asyncio.sleep(wait)

    async def _post(self, update: Update) -> tuple[bool, float | None]:
        """Make one attempt. Returns whether it was accepted, and the seconds that the bot asked to wait, or None."""
        webhook, session = self.webhook, self._session
        assert webhook is not None
        assert session is not None
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers[SECRET_HEADER] = webhook.secret
        try:
            async with session.post(webhook.url, data=msgspec.json.encode(update.body), headers=headers) as response:
                if 200 <= response.status < 300:
                    await self._reply(await response.read())
                    return True, None
                self._failed(webhook, f"Wrong response from the webhook: {response.status} {response.reason}")
                asked = response.headers.get("Retry-After", "")
                return False, min(LONGEST_WAIT, float(asked)) if asked.isdecimal() else None
        except TimeoutError:
            self._failed(webhook, "Read timeout expired")
        except aiohttp.ClientError as problem:
            self._failed(webhook, f"Connection failed: {type(problem).__name__}")
        return False, None

    def _failed(self, webhook: Webhook, text: str) -> None:
        webhook.last_error, webhook.last_error_date = text, int(self._now())
        self._changes.tell("webhook", error=text)

    async def _reply(self, body: bytes) -> None:
        """Carry out a method call in the body of the answer. Its result is discarded."""
        try:
            call = msgspec.json.decode(body) if body.strip() else {}
        except msgspec.DecodeError:
            return
        if not isinstance(call, dict) or not isinstance(method := call.pop("method", None), str):
            return
        if method.lower().startswith(NOT_IN_REPLIES):
            return
        try:
            await self._execute(method, call)
        except ApiError as problem:
            self._changes.tell("reply", method=method, error=problem.description)
