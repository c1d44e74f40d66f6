"""The role that takes updates: the two doors, aiogram behind the slow one, and how updates come to them."""

import asyncio
import gc
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import stamina

from bot.game_defaults import rules_of
from bot.importing import imported
from bot.ingest.dispatcher import AiogramPath, UpdateDispatcher
from bot.ingest.peers import PeerWorkers, WorkerSlot
from bot.ingest.polling import Poller
from bot.ingest.set_webhook import set_webhook
from bot.observe.logs import TRACE
from bot.runtime import Runtime
from fsm.pick_number import Beacon
from handlers.boards import Boards
from handlers.floods import Floods
from handlers.tap_calls import TapCalls
from handlers.taps import Taps
from play.hosts import Hosts
from storage.connections import REDIS_GONE
from telegram.client import RetryAfter, ServerDown

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member", "chat_member", "poll_answer", "poll")
PUBLISHED_SECONDS = 3600
"""How long it is remembered that Telegram was told of the commands."""
WARM_SECONDS = 0.5
"""A start imports aiogram so much later, if nothing has needed it by then: taps are answered first."""

HealthWords = Callable[[], Awaitable[Mapping[str, str]]]


class Ingress:
    """Takes updates.

    Args:
        parts: of the process.
        me: the bot's own account.
        boards: the living messages.
        beacon: of the draws, where one is configured.
        health: what the operators' dialog shows.
        seat: which of this machine's workers this process is, where there are several.
    """

    def __init__(
        self,
        parts: Runtime,
        me: Mapping[str, Any],
        boards: Boards,
        beacon: Beacon | None,
        health: HealthWords,
        seat: WorkerSlot | None = None,
    ) -> None:
        self._parts = parts
        self._me = me
        self._boards = boards
        self._health = health
        self._floods = Floods()
        self._hosts = Hosts(parts.api, parts.redis)
        self._defaults = rules_of(parts.settings, beacon)
        self._taps = Taps(
            engine=parts.engine,
            texts=parts.texts,
            people=parts.people,
            hosts=self._hosts,
            boards=boards,
            archive=parts.archive,
            ids=parts.games,
            bot_username=me["username"],
            max_live=parts.settings.games.max_live_per_chat,
            supplies=parts.supplies,
        )
        self._slow: asyncio.Task[AiogramPath] | None = None
        self._siblings = PeerWorkers(seat) if seat is not None else None
        self.doors = UpdateDispatcher(
            taps=self._taps,
            floods=self._floods,
            slow=self._slow_door,
            carrier=TapCalls(parts.api, parts.limits, parts.outbox),
            redis=parts.redis,
            clock=parts.clock,
            tasks=parts.tasks,
            metrics=parts.metrics,
            siblings=self._siblings,
            detailed=parts.settings.log.level in {"TRACE", "DEBUG"},
        )

    async def start(self) -> None:
        """Begin to take updates. What is hot is answered at once; the rest when aiogram has been imported."""
        parts, telegram = self._parts, self._parts.settings.telegram
        parts.tasks.spawn("aiogram first", self._warm())
        if self._siblings is not None:
            parts.tasks.spawn("siblings", self._siblings.run(self.doors.handle))
        allowed = list(ALLOWED_UPDATES)
        if telegram.mode == "polling":
            poller = Poller(api=parts.api, doors=self.doors, allowed_updates=allowed)
            parts.tasks.spawn("poller", parts.lease("{poller}").run(poller.lead))
            return
        webhook = {
            "url": telegram.webhook_address,
            "secret_token": telegram.webhook_secret.get_secret_value(),
            "allowed_updates": allowed,
            "max_connections": 100,
        }
        parts.tasks.spawn("webhook", set_webhook(parts.api, parts.redis, webhook))

    async def check(self) -> Mapping[str, Any]:
        """For readiness: taps are answered from the start, everything else when aiogram has been imported."""
        return {"ok": self._slow is not None and self._slow.done() and not _failed(self._slow)}

    async def close(self) -> None:
        """Close aiogram's connections."""
        if self._slow is not None and self._slow.done() and not _failed(self._slow):
            await self._slow.result().close()

    async def _warm(self) -> None:
        await asyncio.sleep(WARM_SECONDS)
        await self._slow_door()
        gc.freeze()  # its hundreds of models live for ever: the collector need not look at them

    async def _slow_door(self) -> AiogramPath:
        """aiogram's road, made when it is first needed: importing it takes seconds."""
        if self._slow is None or (self._slow.done() and _failed(self._slow)):
            self._slow = self._parts.tasks.spawn("aiogram", self._make_slow_door())
        return await asyncio.shield(self._slow)

    async def _make_slow_door(self) -> AiogramPath:
        await imported("bot.lazy_aiogram")
        routing = await imported("handlers.routing")
        parts, settings = self._parts, self._parts.settings
        deps = routing.Deps(
            engine=parts.engine,
            games=parts.games,
            people=parts.people,
            archive=parts.archive,
            hosts=self._hosts,
            boards=self._boards,
            taps=self._taps,
            outbox=parts.outbox,
            limits=parts.limits,
            api=parts.api,
            texts=parts.texts,
            clock=parts.clock,
            floods=self._floods,
            redis=parts.redis,
            defaults=self._defaults,
            questions=parts.questions,
            wallets=parts.wallets,
            supplies=parts.supplies,
            download=parts.api.download,
            writes=bool(settings.games.quiz.model.base_url),
            bot_id=self._me["id"],
            bot_username=self._me["username"],
            operators=frozenset(settings.telegram.operators),
            max_live=settings.games.max_live_per_chat,
            health=self._health,
            count_error=self._count_error,
            trace=TRACE.get,
        )
        telegram = settings.telegram
        door: AiogramPath = routing.AiogramPath(deps, telegram.token.get_secret_value(), telegram.api_base)
        parts.tasks.spawn("publish commands", self._publish(routing, deps))
        return door

    async def _publish(self, routing: Any, deps: Any) -> None:
        """Tell Telegram of the commands, when it is there, unless another process has told it the same of late."""
        told = msgspec.json.encode([list(routing.calls(deps)), sorted(deps.operators)])
        digest, key = hashlib.sha256(told).hexdigest().encode(), f"tombola:published:{deps.bot_id}"
        redis = self._parts.redis
        async for attempt in stamina.retry_context(
            on=(ServerDown, RetryAfter, *REDIS_GONE), attempts=None, timeout=None, wait_initial=1, wait_max=60
        ):
            with attempt:
                if await redis.get(key) != digest:
                    await routing.publish(deps)
                    await redis.set(key, digest, ex=PUBLISHED_SECONDS)

    def _count_error(self, where: str) -> None:
        self._parts.metrics.errors[where] += 1


def _failed(task: asyncio.Task[AiogramPath]) -> bool:
    """Whether a task that is done has no result."""
    return task.cancelled() or task.exception() is not None
