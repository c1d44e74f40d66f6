"""Deadlines: APScheduler holds one job for each live game; Redis holds the index from which the jobs are built.

The index is read at start and compared with the jobs every second. In between, each commit that moves a deadline
publishes it. A job sends ``DeadlinePassed``. A late, early or repeated command is harmless, because the rules compare
the deadline that it names with the game's.
"""

import asyncio
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from loguru import logger
from redis.asyncio import Redis

from bot.observe.metrics import Histogram
from bot.tasks import Tasks
from fsm.engine import Clock, Engine, Outcome, Unavailable
from fsm.kind import Game, Instant, Rejected, UnknownGame
from fsm.lobby import DeadlinePassed
from storage.feed import trace_of
from storage.games import RedisGames
from storage.keys import deadlines_key
from storage.leases import STORE_GONE, Lease, jitter
from storage.set_aside import SetAside
from storage.ticks import next_tick

LOOK_AHEAD_MS = 10_000
"""Range of the comparison that runs every second. It makes up for messages that pub/sub lost."""
FULL_EVERY = 60
"""Number of comparisons after which one covers all deadlines."""
OVERDUE_MS = 1000
"""Delay after which a job is considered lost and its deadline is fired directly."""
DAY_MS = 86_400_000
FIRING_AT_ONCE = 256
FIRING = "deadlines"
MOST_STANDING = 10_000
"""Number of games of which it is known that their last deadline left them standing."""
STEP_MS = 20
"""Smallest change of this machine's clock that moves the jobs."""


@dataclass(slots=True)
class DeadlineStats:
    """Counters, read by the exporter."""

    fired: Counter[str] = field(default_factory=Counter)
    """Number of fired deadlines by outcome.

    ``moved`` a game; ``postponed``: it stands where it stood, with a later deadline, such as after a reminder;
    ``stalled``: the same a second time, as while a draw waits for its public random number; ``nothing``: another
    command was first; ``gone``, ``unavailable``, ``error``.
    """
    lateness: Histogram = field(default_factory=Histogram)
    """Seconds from a deadline to the commit that follows it."""
    jobs: int = 0


class Deadlines:
    """The scheduler of deadlines. It fires those of live games while this process leads.

    ``step`` returns the place of a game in its course, which changes whenever the game goes on.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        games: RedisGames,
        redis: Redis,
        clock: Clock,
        tasks: Tasks,
        fit: Callable[[], bool] = lambda: True,
        step: Callable[[Game], Hashable] = lambda game: game.phase,
        aside: SetAside | None = None,
    ) -> None:
        self.stats = DeadlineStats()
        self._engine = engine
        self._games = games
        self._redis = redis
        self._clock = clock
        self._tasks = tasks
        self._fit = fit
        self._step = step
        self._stood: OrderedDict[str, Hashable] = OrderedDict()
        """Game -> the step at which its last deadline left it standing."""
        self._aside = aside or SetAside()
        self._jobs: dict[str, Instant] = {}
        """Game -> the deadline that its job waits for."""
        self._wall_ahead_ms = 0
        """Milliseconds by which this machine's clock, which APScheduler uses, is ahead of the time of the deadlines."""
        self._leading = False
        self._firing: set[str] = set()
        self._room = asyncio.Semaphore(FIRING_AT_ONCE)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    async def run(self, lease: Lease) -> None:
        """Lead while this process holds the lease and its clock is fit, and stand by otherwise, until cancelled."""
        while True:
            while not self._fit():  # noqa: ASYNC110 -- the clock is compared every two seconds; no event tells
                await asyncio.sleep(1)
            await lease.run(self.lead)

    async def lead(self, _fence: int = 0) -> None:
        """Keep a job for each deadline, until cancelled or until the clock is no longer fit."""
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._scheduler.start()
        self._leading = True
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._listen())
                await self._reconcile_while_fit()
                listening.cancel()
        finally:
            self._leading = False  # commits that are still in progress must not add jobs that nobody runs
            self._scheduler.shutdown(wait=False)
            self._jobs.clear()

    # -- from the index to jobs ----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Follow the deadlines that commits publish."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(*(deadlines_key(shard) for shard in self._games.shards))
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=30)
                        if message is not None:
                            self._heard(message["data"])
            except STORE_GONE as problem:
                logger.debug("cannot receive moved deadlines: {}", type(problem).__name__)
                await asyncio.sleep(jitter(0.5))

    def _heard(self, told: bytes) -> None:
        try:
            game_id, deadline = told.decode().split(" ")
            self.expect(game_id, int(deadline))
        # a message from a foreign sender: only the commit script publishes on this channel
        except ValueError as problem:
            self._aside.add("deadlines heard", repr(told[:64]), problem)

    async def _reconcile_while_fit(self) -> None:
        round_ = 0
        while self._fit():
            try:
                self._follow_wall()
                await self.reconcile(DAY_MS * 2 if round_ % FULL_EVERY == 0 else LOOK_AHEAD_MS)
                round_ += 1
            except Unavailable as problem:
                logger.warning("cannot read the index of deadlines: {}", problem)
            await next_tick(1)

    async def reconcile(self, ahead_ms: int) -> None:
        """Compare the deadlines of the next `ahead_ms` with the jobs. Raises ``Unavailable``."""
        for game_id, deadline in await self._games.deadlines(self._clock.now() + ahead_ms):
            self.expect(game_id, deadline)
        self.stats.jobs = len(self._jobs)

    def _follow_wall(self) -> None:
        """Recreate all jobs after a step of this machine's clock. APScheduler would run them too early or too late."""
        ahead = _wall_ms() - self._clock.now()
        if abs(ahead - self._wall_ahead_ms) > STEP_MS:
            self._wall_ahead_ms = ahead
            for game_id, deadline in list(self._jobs.items()):
                self._drop(game_id)
                self.expect(game_id, deadline)

    def expect(self, game_id: str, deadline: Instant) -> None:
        """Ensure a job for a deadline, or fire it at once if it is due. Does nothing while another process leads."""
        if not self._leading:
            return
        if self._jobs.get(game_id) == deadline and deadline > self._clock.now() - OVERDUE_MS:
            return
        self._drop(game_id)
        if deadline <= self._clock.now():
            self._fire_soon(game_id, deadline)
            return
        self._jobs[game_id] = deadline
        self._scheduler.add_job(
            self._due,
            DateTrigger(datetime.fromtimestamp((deadline + self._wall_ahead_ms) / 1000, UTC)),
            args=(game_id, deadline),
            id=f"{game_id}:{deadline}",
            replace_existing=True,
        )

    def _drop(self, game_id: str) -> None:
        previous = self._jobs.pop(game_id, None)
        if previous is not None:
            try:
                self._scheduler.remove_job(f"{game_id}:{previous}")
            except JobLookupError:
                logger.trace("the job of {} has just run", game_id)

    # -- firing --------------------------------------------------------------------------------------------------

    async def _due(self, game_id: str, deadline: Instant) -> None:
        if self._jobs.get(game_id) == deadline:
            del self._jobs[game_id]
        self._fire_soon(game_id, deadline)

    def _fire_soon(self, game_id: str, deadline: Instant) -> None:
        if game_id not in self._firing and not self._aside.waits(
            FIRING, game_id
        ):  # otherwise the next comparison returns to it
            self._firing.add(game_id)
            self._tasks.spawn(f"deadline of {game_id}", self._fire_one(game_id, deadline), vital=False)

    async def _fire_one(self, game_id: str, deadline: Instant) -> None:
        try:
            async with self._room:
                await self.fire(game_id, deadline)
        finally:
            self._firing.discard(game_id)

    async def fire(self, game_id: str, deadline: Instant) -> None:
        """Send ``DeadlinePassed`` to a game."""
        command_id = f"deadline:{deadline}:{secrets.token_hex(3)}"
        with logger.contextualize(trace=trace_of(command_id), game=game_id):
            await self._tell(game_id, deadline, command_id)

    async def _tell(self, game_id: str, deadline: Instant, command_id: str) -> None:
        before = self._engine.known(game_id)
        try:
            outcome = await self._engine.execute(game_id, DeadlinePassed(deadline), command_id=command_id)
        except UnknownGame:
            self.stats.fired["gone"] += 1
            await self._forget(game_id)
        except (Unavailable, Rejected) as problem:
            self.stats.fired["unavailable"] += 1
            logger.warning("cannot report a deadline to its game: {}", problem)
        except Exception as bug:  # noqa: BLE001 -- a game whose rules raise must not stop the deadlines of others
            self.stats.fired["error"] += 1
            self._aside.add(FIRING, game_id, bug)
            with suppress(Unavailable):
                await self._games.note_stuck(game_id, type(bug).__name__)
        else:
            if self._aside.done(FIRING, game_id):
                with suppress(Unavailable):
                    await self._games.clear_stuck(game_id)
            self.stats.fired[self._effect(before, outcome)] += 1
            if outcome.events:
                self.stats.lateness.add((self._clock.now() - deadline) / 1000)
            self._firing.discard(game_id)  # its next deadline may already be due
            if outcome.state.deadline is not None:
                self.expect(game_id, outcome.state.deadline)
            elif not outcome.events:
                await self._forget(game_id)

    def _effect(self, before: Game | None, outcome: Outcome) -> str:
        game, step = outcome.state, self._step(outcome.state)
        stood = self._stood.pop(game.id, None)
        if not outcome.events:
            return "nothing"
        if before is None or self._step(before) != step:
            return "moved"
        self._stood[game.id] = step
        if len(self._stood) > MOST_STANDING:
            self._stood.popitem(last=False)
        return "stalled" if stood == step else "postponed"

    async def _forget(self, game_id: str) -> None:
        try:
            await self._games.forget_deadline(game_id)
        except Unavailable as problem:
            logger.debug("game {} remains in the index of deadlines for now: {}", game_id, problem)

    async def fire_due(self) -> int:
        """Fire deadlines until none is due. Return the number fired. For tests and simulations with their own clock."""
        fired = 0
        while due := await self._games.due(self._clock.now()):
            await asyncio.gather(*(self.fire(game_id, deadline) for game_id, deadline in due))
            fired += len(due)
        return fired


def _wall_ms() -> int:
    """Return this machine's time, which may be wrong."""
    return time.time_ns() // 1_000_000
