"""The Prometheus families of a process's services, and samples of the stores. A scrape reads only memory."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import asyncpg
from loguru import logger
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from bot.clock import SystemClock
from bot.deadlines import Deadlines
from bot.runtime import Runtime
from fsm.engine import Unavailable
from storage.connections import POSTGRES_GONE, REDIS_GONE
from storage.games import Overdue
from storage.job_runner import Runner
from storage.leases import jitter
from storage.projector import Projector
from storage.set_aside import SHOWN
from telegram.limits import Priority
from telegram.sender import WAIT_BUCKETS_MS, Sender

if TYPE_CHECKING:
    from storage.feed import Lag
    from storage.jobs import JobCount

EVERY_SECONDS = 15.0
AWAY = (*POSTGRES_GONE, *REDIS_GONE, asyncpg.PostgresError, RedisError, Unavailable)


class Samples:
    """The latest figures of the stores. While a store is away, its last figures remain."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.live: dict[str, tuple[int, int]] = {}
        """Kind -> (live games, players in them)."""
        self.lags: dict[str, Lag] = {}
        self.aside: dict[str, int] = {}
        """Group -> number of entries that it set aside because it could not handle them."""
        self.outbox: dict[str, tuple[int, int]] = {}
        """Priority -> (chats with waiting items, longest wait in ms)."""
        self.jobs: list[JobCount] = []
        self.dropped = 0
        """Number of items dropped because a chat's queue was full, since Redis was set up."""
        self.overdue = Overdue(0, {})

    async def keep(self) -> None:
        """Take samples every 15 seconds, with jitter, until cancelled."""
        while True:
            try:
                await self.take()
            except AWAY as problem:
                logger.debug("no samples: {}", type(problem).__name__)
            except Exception as bug:  # noqa: BLE001 -- missing figures must not stop a process
                self._runtime.aside.add("samples", "all", bug)
            await asyncio.sleep(jitter(EVERY_SECONDS))

    async def take(self) -> None:
        """Take one sample of every store. Raises one of ``AWAY``."""
        runtime = self._runtime
        feeds = {group: runtime.feed(group) for group in runtime.groups}
        self.lags = {group: await feed.lag() for group, feed in feeds.items()}
        self.aside = {group: await feed.aside() for group, feed in feeds.items()}
        depth = await runtime.telegram.outbox.depth()
        self.dropped = depth.dropped
        rows = zip(Priority, depth.ready, depth.oldest_ms, strict=True)
        self.outbox = {priority.name.lower(): (count, ms) for priority, count, ms in rows}
        now = runtime.play.clock.now()
        self.overdue = await runtime.stores.games.overdue(now)
        self.live = await runtime.stores.archive.live_counts()
        self.jobs = await runtime.stores.jobs.counts()


def export(
    runtime: Runtime, deadlines: Deadlines, sender: Sender | None, runner: Runner | None, samples: Samples
) -> Iterator[Metric]:
    """Yield all families of a process."""
    yield GaugeMetricFamily("tombola_games_in_memory", "Games this process holds.", runtime.play.engine.games_in_memory)
    yield GaugeMetricFamily("tombola_tasks", "Detached tasks of this process.", len(runtime.tasks))
    breaker = GaugeMetricFamily("tombola_breaker_open", "1 where the circuit is not closed.", labels=("service",))
    for service, guard in runtime.breakers.items():
        breaker.add_metric((service,), 0 if guard.state == "closed" else 1)
    yield breaker
    yield from _deadlines(deadlines)
    if isinstance(runtime.play.clock, SystemClock):
        yield from _clock(runtime.play.clock)
    yield from _history(runtime.stores.projector)
    if sender is not None:
        yield from _sender(sender)
        yield from _samples(samples)
    if runner is not None:
        yield from _jobs(runner, samples)


def _jobs(runner: Runner, samples: Samples) -> Iterator[Metric]:
    runs = CounterMetricFamily("tombola_job_runs", "Attempts at jobs.", labels=("kind", "outcome"))
    for (kind, outcome), count in list(runner.outcomes.items()):
        runs.add_metric((kind, outcome), count)
    yield runs
    jobs = GaugeMetricFamily("tombola_jobs", "Unfinished and dead jobs.", labels=("kind", "status"))
    overdue = GaugeMetricFamily("tombola_job_overdue_seconds", "How overdue the most overdue job is.", labels=("kind",))
    for each in samples.jobs:
        jobs.add_metric((each.kind, each.status), each.count)
        if each.status == "queued":
            overdue.add_metric((each.kind,), max(0.0, each.overdue))
    yield jobs
    yield overdue


def _history(projector: Projector) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "tombola_postgres_rewound", "Times that PostgreSQL was found to have lost transactions.", projector.rewound
    )
    yield GaugeMetricFamily(
        "tombola_games_lost", "Games of which PostgreSQL lacks events that nothing has.", len(projector.lost)
    )


def _clock(clock: SystemClock) -> Iterator[Metric]:
    off = GaugeMetricFamily("tombola_clock_off_seconds", "What a clock is ahead of Redis's.", labels=("clock",))
    off.add_metric(("machine",), clock.off_ms / 1000)
    off.add_metric(("postgres",), clock.postgres_off_ms / 1000)
    yield off
    yield GaugeMetricFamily(
        "tombola_clock_shift_seconds", "What the time of the games is ahead of Redis's.", clock.shift_ms / 1000
    )


def _samples(samples: Samples) -> Iterator[Metric]:
    """Yield the samples of the stores. All workers export the same values, so alerts use the maximum."""
    games = GaugeMetricFamily("tombola_live_games", "Live games in PostgreSQL.", labels=("kind",))
    players = GaugeMetricFamily("tombola_live_players", "Players of live games in PostgreSQL.", labels=("kind",))
    for kind, (count, people) in samples.live.items():
        games.add_metric((kind,), count)
        players.add_metric((kind,), people)
    yield games
    yield players
    entries = GaugeMetricFamily("tombola_feed_entries", "Entries that a group has not handled.", labels=("group",))
    age = GaugeMetricFamily("tombola_feed_lag_seconds", "Age of the oldest of them.", labels=("group",))
    for group, lag in samples.lags.items():
        entries.add_metric((group,), lag.entries)
        age.add_metric((group,), lag.ms / 1000)
    yield entries
    yield age
    aside = GaugeMetricFamily("tombola_feed_aside", "Entries that a group could not handle.", labels=("group",))
    for group, count in samples.aside.items():
        aside.add_metric((group,), count)
    yield aside
    waiting = GaugeMetricFamily("tombola_outbox_chats", "Chats with something to send.", labels=("priority",))
    oldest = GaugeMetricFamily("tombola_outbox_oldest_seconds", "Age of the longest waiting.", labels=("priority",))
    for priority, (count, ms) in samples.outbox.items():
        waiting.add_metric((priority,), count)
        oldest.add_metric((priority,), ms / 1000)
    yield waiting
    yield oldest
    yield GaugeMetricFamily("tombola_outbox_dropped", "Items that a chat's queue had no room for.", samples.dropped)
    overdue = samples.overdue.ms / 1000
    yield GaugeMetricFamily("tombola_deadline_overdue_seconds", "How overdue the most overdue deadline is.", overdue)
    stuck = GaugeMetricFamily("tombola_game_stuck", "1 for a game whose rules raise at its deadline.", labels=("game",))
    for game_id in list(samples.overdue.stuck)[:SHOWN]:
        stuck.add_metric((game_id,), 1)
    yield stuck


def _deadlines(deadlines: Deadlines) -> Iterator[Metric]:
    stats = deadlines.stats
    fired = CounterMetricFamily("tombola_deadlines_fired", "Deadlines told to games.", labels=("outcome",))
    for outcome, count in stats.fired.items():
        fired.add_metric((outcome,), count)
    yield fired
    yield GaugeMetricFamily("tombola_deadline_jobs", "Jobs that wait for a deadline.", stats.jobs)
    late = HistogramMetricFamily("tombola_deadline_lateness_seconds", "From a deadline to the commit after it.")
    late.add_metric([], stats.lateness.buckets(), stats.lateness.total)
    yield late


def _sender(sender: Sender) -> Iterator[Metric]:
    stats = sender.stats
    settled = CounterMetricFamily("tombola_sends", "Calls to Telegram.", labels=("outcome", "priority"))
    for (outcome, priority), count in stats.settled.items():
        settled.add_metric((outcome.value, priority.name.lower()), count)
    yield settled
    errors = CounterMetricFamily("tombola_send_errors", "Refusals of Telegram's, retried ones too.", labels=("error",))
    for error, count in stats.errors.items():
        errors.add_metric((error,), count)
    yield errors
    waits = HistogramMetricFamily("tombola_send_wait_seconds", "From put to settled.", labels=("priority",))
    for priority, wait in stats.waits.items():
        rows, running = [], 0
        bounds = (*(str(ms / 1000) for ms in WAIT_BUCKETS_MS), "+Inf")
        for bound, count in zip(bounds, wait.buckets, strict=True):
            running += count
            rows.append((bound, float(running)))
        waits.add_metric((priority.name.lower(),), rows, wait.sum_ms / 1000)
    yield waits
    yield GaugeMetricFamily("tombola_sender_leading", "1 in the process that sends.", int(stats.leading))
    yield GaugeMetricFamily("tombola_send_in_flight", "Calls in flight.", stats.in_flight)
    repeated = "Calls that were in flight when a sender stopped, made again by this one."
    yield CounterMetricFamily("tombola_sends_repeated", repeated, stats.repeated)
    left = "Old answers to one person that were in flight when a sender stopped, and are not sent again."
    yield CounterMetricFamily("tombola_answers_left", left, stats.left)
