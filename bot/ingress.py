"""The ingress role: receives updates and passes them to the dispatcher, with aiogram for all but taps."""

import asyncio
import gc
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import stamina

from bot.importing import imported
from bot.ingest.dispatcher import UpdateDispatcher
from bot.ingest.fair_queue import WAITING
from bot.ingest.peers import PeerWorkers, WorkerSlot
from bot.ingest.polling import MOST_STORED, Poller
from bot.ingest.set_webhook import set_webhook
from bot.observe.logs import TRACE
from bot.runtime import Runtime
from bot.settings import SECTIONS
from handlers.boards import Boards
from handlers.flood_control import Floods
from handlers.tap_calls import TapCalls
from handlers.taps import Taps
from storage.connections import REDIS_GONE
from storage.keys import published_key
from storage.own_boards import OwnBoardIndex
from storage.unhandled_updates import UnhandledUpdates
from telegram.client import RetryAfter, ServerDown

if TYPE_CHECKING:
    from handlers.routing import AiogramPath, Deps  # imported on first use, because it imports aiogram

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member", "chat_member", "poll_answer", "poll")
PUBLISHED_SECONDS = 3600
"""Time for which the published commands are not published again."""
WARM_SECONDS = 0.5
"""Delay after which a start imports aiogram unless an update needed it earlier. Taps do not need it."""

HealthWords = Callable[[], Awaitable[Mapping[str, str]]]


class Ingress:
    """The receiver of updates.

    Args:
        runtime: the shared services.
        me: the bot's own account.
        boards: the living messages.
        health: returns the words that the operators' dialog shows.
        ready: set once aiogram is imported, so that every kind of update can be handled.
        slot: position of this process among the workers of this machine; None if it is the only one.
    """

    def __init__(
        self,
        runtime: Runtime,
        me: Mapping[str, Any],
        boards: Boards,
        health: HealthWords,
        ready: asyncio.Event,
        slot: WorkerSlot | None = None,
    ) -> None:
        self._runtime = runtime
        self._me = me
        self._boards = boards
        self._health = health
        self._ready = ready
        self._taking: list[asyncio.Task[None]] = []
        self._poller: asyncio.Task[None] | None = None
        self._floods = Floods()
        self._taps = Taps(
            engine=runtime.play.engine,
            texts=runtime.play.texts,
            people=runtime.stores.people,
            access=runtime.play.access,
            openings=runtime.play.openings,
            boards=boards,
            archive=runtime.stores.archive,
            bot_username=me["username"],
        )
        self._slow: asyncio.Task[AiogramPath] | None = None
        self._peers = PeerWorkers(slot) if slot is not None else None
        self.dispatcher = UpdateDispatcher(
            taps=self._taps,
            floods=self._floods,
            slow=self._aiogram_path,
            tap_calls=TapCalls(
                runtime.telegram.api,
                runtime.telegram.limits,
                runtime.telegram.outbox,
                OwnBoardIndex(runtime.stores.redis),
            ),
            redis=runtime.stores.redis,
            clock=runtime.play.clock,
            tasks=runtime.tasks,
            metrics=runtime.metrics,
            peers=self._peers,
            aside=runtime.aside,
            detailed=runtime.settings.log.level in {"TRACE", "DEBUG"},
            traced=None if runtime.tracing is None else runtime.tracing.shown,
            # A stored update cannot be refused, because Telegram would not deliver it again.
            waiting=MOST_STORED + WAITING if runtime.settings.telegram.mode == "polling" else WAITING,
        )

    async def start(self) -> None:
        """Start to receive updates. Taps are answered at once, other updates as soon as aiogram is imported."""
        runtime, telegram = self._runtime, self._runtime.settings.telegram
        runtime.tasks.spawn("aiogram first", self._warm(), vital=False)
        if self._peers is not None:
            self._taking.append(runtime.tasks.spawn("peers", self._peers.run(self.dispatcher.handle)))
        allowed = list(ALLOWED_UPDATES)
        if telegram.mode == "polling":
            poller = Poller(
                api=runtime.telegram.api,
                dispatcher=self.dispatcher,
                unhandled=UnhandledUpdates(runtime.stores.redis),
                allowed_updates=allowed,
            )
            self._poller = runtime.tasks.spawn("poller", runtime.lease("{poller}").run(poller.lead))
            return
        webhook = {
            "url": telegram.webhook_address,
            "secret_token": telegram.webhook_secret.get_secret_value(),
            "allowed_updates": allowed,
            "max_connections": 100,
        }
        runtime.tasks.spawn("webhook", set_webhook(runtime.telegram.api, runtime.stores.redis, webhook), vital=False)

    async def stop_polling(self) -> None:
        """Stop polling. The poller first finishes and confirms its current batch."""
        await self._runtime.tasks.stop(self._poller)

    async def stop_taking(self) -> None:
        """Stop receiving updates, both by polling and from other workers."""
        await self._runtime.tasks.stop(self._poller, *self._taking)

    async def close(self) -> None:
        """Close aiogram's connections."""
        if self._slow is not None and self._slow.done() and not _failed(self._slow):
            await self._slow.result().close()

    async def _warm(self) -> None:
        await asyncio.sleep(WARM_SECONDS)
        await self._aiogram_path()
        gc.freeze()  # aiogram's hundreds of models live as long as the process: exclude them from garbage collection

    async def _aiogram_path(self) -> "AiogramPath":
        """Return aiogram's handlers, created on first use because importing them takes seconds."""
        if self._slow is None or (self._slow.done() and _failed(self._slow)):
            self._slow = self._runtime.tasks.spawn("aiogram", self._make_aiogram_path(), vital=False)
        return await asyncio.shield(self._slow)

    async def _make_aiogram_path(self) -> "AiogramPath":
        await imported("bot.lazy_aiogram")
        routing = await imported("handlers.routing")
        runtime, settings = self._runtime, self._runtime.settings
        deps = routing.Deps(
            stores=runtime.stores,
            telegram=runtime.telegram,
            play=runtime.play,
            boards=self._boards,
            taps=self._taps,
            floods=self._floods,
            pictures=runtime.pictures,
            sections={name: settings.games.of(name) for name in SECTIONS},
            bot_id=self._me["id"],
            bot_username=self._me["username"],
            health=self._health,
            dashboard_url=settings.dashboard.url,
            count_error=self._count_error,
            trace=TRACE.get,
        )
        telegram = settings.telegram
        path: AiogramPath = routing.AiogramPath(deps, telegram.token.get_secret_value(), telegram.api_base)
        self._ready.set()
        runtime.tasks.spawn("publish commands", self._publish(routing, deps), vital=False)
        return path

    async def _publish(self, routing: Any, deps: "Deps") -> None:
        """Publish the command menus unless another process did so within the last hour. Retries until it succeeds."""
        told = msgspec.json.encode([list(routing.calls(deps)), sorted(deps.play.access.operators)])
        digest, key = hashlib.sha256(told).hexdigest().encode(), published_key(deps.bot_id)
        redis = self._runtime.stores.redis
        async for attempt in stamina.retry_context(
            on=(ServerDown, RetryAfter, *REDIS_GONE), attempts=None, timeout=None, wait_initial=1, wait_max=60
        ):
            with attempt:
                if await redis.get(key) != digest:
                    await routing.publish(deps)
                    await redis.set(key, digest, ex=PUBLISHED_SECONDS)

    def _count_error(self, where: str) -> None:
        self._runtime.metrics.errors[where] += 1


def _failed(task: "asyncio.Task[AiogramPath]") -> bool:
    """Return whether a finished task has no result."""
    return task.cancelled() or task.exception() is not None
