"""The worker role: consumes the feed (PostgreSQL, chats), sends to Telegram, and prunes the stores."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import partial

import asyncpg
from loguru import logger
from redis.exceptions import RedisError

from bot.bridge.bridge import Bridge
from bot.importing import imported
from bot.public_log_keeper import PublicLogKeeper
from bot.runtime import Runtime
from fsm.engine import Unavailable
from fsm.kind import Game
from handlers.boards import Boards
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.registry import CONSUMERS
from handlers.moments import Moments
from handlers.reminders import Reminders
from play.webhooks import WebhookCaller
from storage import keys, migrate
from storage.connections import POSTGRES_GONE
from storage.event_recovery import replay
from storage.feed import Entry
from storage.job_runner import JobKind, Runner
from storage.leases import STORE_GONE, Bell, jitter
from storage.polls import Polls
from storage.rebuild import bring_forward, forgotten
from storage.retention import prune
from telegram.outbox import Outgoing, bell_channel
from telegram.sender import SENDER_LEASE, Outcome, Sender, Settled

POSTGRES_SECONDS = 5.0
"""Longest time for which a start waits until lost games are restored from PostgreSQL."""
AGAIN_SECONDS = 1.0
RESULT_MS = 600_000
"""Age up to which a result is shown again after Redis was lost, because nobody knows whether it was shown before."""
PRUNE_SECONDS = 86_400
PRUNE_AGAIN_SECONDS = 600
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError, RedisError)
"""Errors of rebuilding and pruning while a store is unavailable."""


class Consumers:
    """The consumers of the feed and the sender.

    Args:
        runtime: the shared services.
        boards: the living messages.
        moments: the messages of games beside their boards.
        reminders: the reminders of late players.
        late_dsn: address of PostgreSQL, if its schema could not be migrated because it was unavailable; else empty.
        bridge: publishes events to a broker; None without one.
    """

    def __init__(
        self,
        runtime: Runtime,
        boards: Boards,
        moments: Moments,
        reminders: Reminders,
        late_dsn: str = "",
        bridge: Bridge | None = None,
    ) -> None:
        self._runtime = runtime
        self._boards = boards
        self._moments = moments
        self._reminders = reminders
        self._member_checks = runtime.member_checks()
        self._late_dsn = late_dsn
        self._untold = list[Game]()
        """Games that were restored by attempts that did not end: their chats are told after the next one."""
        self.bridge = bridge
        self._of_kinds: dict[str, KindConsumer] = {}
        self._doorbell = Bell(runtime.stores.listening, bell_channel())
        self._job_bell = Bell(runtime.stores.listening, keys.JOBS_ENQUEUED)
        self.seasons = runtime.seasons()
        self.runner: Runner | None = None
        """Does jobs, once the consumers have started."""
        self.webhooks = WebhookCaller(
            webhooks=runtime.stores.webhooks,
            http=runtime.play.http,
            outbox=runtime.telegram.outbox,
            people=runtime.stores.people,
            texts=runtime.play.texts,
            clock=runtime.play.clock,
            operators=runtime.play.access.operators,
        )
        self.sender = Sender(
            outbox=runtime.telegram.outbox,
            limits=runtime.telegram.limits,
            api=runtime.telegram.api,
            clock=runtime.play.clock,
            on_settled=self._settled if runtime.tracing is None else runtime.tracing.sending(self._settled),
            lease=runtime.lease(SENDER_LEASE),
            bell=self._doorbell,
            aside=runtime.aside,
        )

    async def start(self) -> None:
        """Restore lost games, then start the consumers and the sender."""
        runtime, spawn = self._runtime, self._runtime.tasks.spawn
        if self._late_dsn or not await self._rebuilt():
            spawn("rebuilding", self._rebuild_later(), vital=False)
        await self._make_consumers()
        spawn("doorbell", self._doorbell.listen())
        spawn("sender", self.sender.run())
        self.runner = Runner(
            runtime.stores.jobs, self._job_kinds(), runtime.owner, self._job_bell, partial(spawn, vital=False)
        )
        spawn("bell of jobs", self._job_bell.listen())
        spawn("jobs", self.runner.run())
        spawn("seasons", self._begin_seasons(), vital=False)
        spawn("board progress", self._boards.keep_showing())
        projector = runtime.stores.projector
        feed = runtime.feed("projector", renewed=self._rebuild, check=projector.check, caught_up=self._replay)
        spawn("projector", feed.run(runtime.handling("projector", projector.handle)))
        spawn("reminders", self._reminders.keep_reminding())
        spawn("member checks", self._member_checks.run())
        boards = runtime.feed("boards", begun=self._take_over_boards)
        spawn("boards", boards.run(runtime.handling("boards", self._show)))
        for kind, consumer in self._of_kinds.items():
            spawn(f"consumer of {kind}", runtime.feed(kind).run(runtime.handling(kind, consumer.handle)))
        keeper = PublicLogKeeper(
            runtime.stores.log, runtime.play.clock, runtime.telegram.outbox, runtime.settings.games.draw.log_channel
        )
        spawn("public log", runtime.lease("{log}").run(keeper.keep))
        if self.bridge is not None:
            runtime.breakers["bridge"] = self.bridge.circuit
            spawn("bridge", runtime.lease("{bridge}").run(self.bridge.run))
        spawn("retention", runtime.lease("{retention}").run(self._prune_daily))
        if runtime.play.beacon is not None:
            beacon = await imported("bot.beacon")
            listener = beacon.Listener(
                runtime.play.engine,
                runtime.stores.games,
                runtime.settings.games.draw.beacon_url,
                runtime.play.clock,
                partial(spawn, vital=False),
            )
            runtime.breakers["beacon"] = listener.circuit
            spawn("beacon", runtime.feed("beacon", begun=listener.take_over).run(listener.handle))

    async def _take_over_boards(self) -> None:
        await self._boards.take_over()
        await self._moments.take_over()

    async def _show(self, entries: Sequence[Entry]) -> None:
        """Bring boards and the messages beside them up to date, then note players to check, in one group of the feed.

        A group of their own would begin with old entries after an update, and send the results of games long over.
        """
        for kind, consumer in self._of_kinds.items():
            if consumer.before_board is not None:
                await self._before_board(kind, consumer.before_board, entries)
        await self._boards.handle(entries)
        await self._moments.handle(entries)
        await self._member_checks.handle(entries)

    async def _before_board(
        self, kind: str, handle: Callable[[Sequence[Entry]], Awaitable[None]], entries: Sequence[Entry]
    ) -> None:
        try:
            await handle(entries)
        except (Unavailable, *STORE_GONE):
            raise
        except Exception as bug:  # noqa: BLE001 -- one kind's bug must not keep all boards from their chats
            self._runtime.aside.add(f"consumer of {kind}, before boards", entries[0].game_id, bug)

    async def close(self) -> None:
        """Close the connections that the consumers of kinds have opened."""
        for consumer in self._of_kinds.values():
            await consumer.close()

    def _job_kinds(self) -> list[JobKind]:
        """Return the kinds of job that a worker does."""
        of_kinds = [kind for consumer in self._of_kinds.values() for kind in consumer.jobs]
        play = self._runtime.play
        return [
            play.broadcasts.kind,
            play.occurrences.kind,
            play.next_games.kind,
            play.imports.kind,
            play.privacy.kind,
            self.seasons.kind,
            self.webhooks.kind,
            *of_kinds,
        ]

    async def _make_consumers(self) -> None:
        """Create the consumers of the kinds that show more than their board, each with its section of the settings."""
        runtime = self._runtime
        for kind, make in CONSUMERS.items():
            consumer = await make(
                ConsumerContext(
                    engine=runtime.play.engine,
                    outbox=runtime.telegram.outbox,
                    texts=runtime.play.texts,
                    people=runtime.stores.people,
                    questions=runtime.stores.questions,
                    jobs=runtime.stores.jobs,
                    polls=Polls(runtime.stores.redis),
                    clock=runtime.play.clock,
                    spawn=partial(runtime.tasks.spawn, vital=False),
                    settings=runtime.settings.games.of(kind),
                )
            )
            self._of_kinds[kind] = consumer
            runtime.breakers.update(consumer.breakers)

    async def _settled(self, outgoing: Outgoing, outcome: Outcome) -> None:
        if outcome.settled is Settled.CHAT_GONE:
            await self._boards.chat_gone(outgoing)
        elif outcome.settled is Settled.MIGRATED and outcome.chat_id is not None:
            await self._boards.chat_migrated(outgoing, outcome.chat_id)
        await self._boards.settled(outgoing, outcome)
        await self._moments.settled(outgoing, outcome)
        await self._runtime.play.next_games.settled(outgoing, outcome)
        await self._runtime.play.broadcasts.settled(outgoing, outcome)
        for kind, consumer in self._of_kinds.items():
            try:
                await consumer.settled(outgoing, outcome)
            except Exception as bug:  # noqa: BLE001 -- one consumer's bug must not affect the others
                self._runtime.aside.add(f"consumer of {kind}", outgoing.id, bug)

    async def _rebuild(self) -> None:
        """Restore live games that Redis has lost and tell their chats, then show recent results again."""
        runtime = self._runtime
        await self._put_back()
        recent = min(RESULT_MS, int(runtime.settings.games.keep_finished_seconds * 500))
        stores, since = runtime.stores, runtime.play.clock.now() - recent
        for stored in await forgotten(stores.pool, stores.redis, stores.codec, since=since):
            await self._one(stored.state.id, self._boards.show_again(stored.state, stored.version))

    async def _put_back(self) -> None:
        """Restore live games that Redis has lost, and tell their chats."""
        runtime = self._runtime
        rebuilt = await bring_forward(
            runtime.stores.pool, runtime.stores.redis, runtime.stores.codec, runtime.stores.games, self._untold
        )
        self._untold.clear()
        if rebuilt.games:  # a task of its own, because the limit of a start may end this one
            telling = self._boards.tell_of_restored(rebuilt.games)
            runtime.tasks.spawn("telling of restored games", telling, vital=False)

    async def _one(self, game_id: str, showing: Awaitable[object]) -> None:
        """Show one game. If its view raises, the other games are still shown."""
        try:
            await showing
        except (*AWAY, Unavailable):
            raise
        except Exception as bug:  # noqa: BLE001
            self._runtime.aside.add("showing restored games", game_id, bug)

    async def _begin_seasons(self) -> None:
        """Enqueue the ends of the current seasons, as soon as PostgreSQL is there."""
        while True:
            try:
                await self.seasons.begin()
            except AWAY as problem:
                logger.debug("cannot enqueue the end of the season yet: {}", type(problem).__name__)
                await asyncio.sleep(jitter(10 * AGAIN_SECONDS))
            else:
                return

    async def _replay(self) -> None:
        """Write back events that PostgreSQL has lost and the feed no longer holds, and games that Redis lacks.

        An older Redis may have unread events. Until these are read, a start can't restore the games that Redis lacks.
        """
        stores = self._runtime.stores
        await replay(stores.pool, stores.redis, stores.codec, stores.games, stores.projector)
        await self._put_back()

    async def _rebuilt(self) -> bool:
        """Rebuild within the time limit of a start. Return False if a store is unavailable."""
        try:
            await asyncio.wait_for(self._rebuild(), POSTGRES_SECONDS)
        except (Unavailable, *AWAY):
            return False
        return True

    async def _rebuild_later(self) -> None:
        """Do the work that a start without PostgreSQL had to skip: the schema, then the live games."""
        while True:
            await asyncio.sleep(jitter(2 * AGAIN_SECONDS))
            try:
                if self._late_dsn:
                    await migrate.upgrade(self._late_dsn)
                await self._rebuild()
            except (Unavailable, *AWAY) as problem:
                logger.debug("PostgreSQL is still away: {}", type(problem).__name__)
            else:
                return

    async def _prune_daily(self, _fence: int) -> None:
        runtime, games = self._runtime, self._runtime.settings.games
        while True:
            pause: float = PRUNE_SECONDS
            try:
                pruned = await prune(
                    runtime.stores.pool,
                    runtime.play.clock.now(),
                    keep_events_days=games.keep_events_days,
                    keep_results_days=games.keep_results_days,
                    keep_audit_days=runtime.settings.audit.keep_days,
                )
                await runtime.stores.questions.prune(runtime.play.clock.now())
                await runtime.stores.webhooks.reseal()
                if counts := ", ".join(f"{count} of {table}" for table, count in asdict(pruned).items() if count):
                    logger.info("deleted old rows: {}", counts)
            except AWAY as problem:
                logger.warning("cannot delete old rows yet: {}", type(problem).__name__)
                pause = PRUNE_AGAIN_SECONDS
            except Exception as bug:  # noqa: BLE001 -- a bug must not stop the process, nor be retried at once
                self._runtime.aside.add("retention", "all", bug)
                pause = PRUNE_AGAIN_SECONDS
            await asyncio.sleep(pause)
