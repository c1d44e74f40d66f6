"""The Prometheus families of a process's services, and samples of the stores. A scrape reads only memory."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import asyncpg
from loguru import logger
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from bot.bridge.bridge import Bridge
from bot.clock import SystemClock
from bot.consumers import Consumers
from bot.deadlines import Deadlines
from bot.observe.result_checks import ResultChecks
from bot.runtime import ALL_ROLES, Runtime
from fsm.engine import Unavailable
from play.webhooks import WebhookCaller
from storage.connections import POSTGRES_GONE, REDIS_GONE
from storage.games import Overdue
from storage.job_runner import Runner
from storage.leases import jitter
from storage.processes import Process
from storage.projector import Projector
from storage.query_cache import QueryCache
from storage.set_aside import SHOWN
from storage.unpublished import Waiting
from telegram.limits import Priority
from telegram.sender import WAIT_BUCKETS_MS, Sender

if TYPE_CHECKING:
    from api.live.hub import Hub
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
        self.deliveries: dict[str, int] = {}
        """Status -> number of deliveries of webhooks; pending and failed alone."""
        self.processes: dict[tuple[str, str], int] = {}
        """(role, version) -> number of processes; every role has an entry, with an empty version if none runs."""
        self.unpublished = Waiting(0, 0.0)
        self.dropped = 0
        """Number of items dropped because a chat's queue was full, since Redis was set up."""
        self.overdue = Overdue(0, {})

    async def keep(self) -> None:
        """Take samples every 15 seconds, with jitter, until cancelled."""
        while True:
            try:
                await self.take()
            except AWAY as problem:
                logger.debug("cannot sample the stores: {}", type(problem).__name__)
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
        self.deliveries = await runtime.stores.webhooks.counts()
        if runtime.settings.bridge.url.get_secret_value():
            self.unpublished = await runtime.stores.unpublished.waiting()
        self.processes = _by_role(await runtime.stores.processes.listed())


def export(
    runtime: Runtime, deadlines: Deadlines, consumers: Consumers | None, samples: Samples, checks: ResultChecks
) -> Iterator[Metric]:
    """Yield all families of a process."""
    yield GaugeMetricFamily(
        "tombola_games_in_memory", "Games in the memory of this process.", runtime.play.engine.games_in_memory
    )
    yield GaugeMetricFamily("tombola_tasks", "Background tasks of this process.", len(runtime.tasks))
    breaker = GaugeMetricFamily(
        "tombola_breaker_open", "1 if the circuit breaker is not closed, else 0.", labels=("service",)
    )
    for service, guard in runtime.breakers.items():
        breaker.add_metric((service,), 0 if guard.state == "closed" else 1)
    yield breaker
    calls = CounterMetricFamily(
        "tombola_telegram_calls", "Calls that Telegram answered, as the client counts them.", labels=("method",)
    )
    for method, count in runtime.telegram.api.calls.items():
        calls.add_metric((method,), count)
    yield calls
    yield from _deadlines(deadlines)
    if isinstance(runtime.play.clock, SystemClock):
        yield from _clock(runtime.play.clock)
    yield from _history(runtime.stores.projector)
    if runtime.stores.archive.cache is not None:
        yield from _query_cache(runtime.stores.archive.cache)
    if consumers is not None:
        yield from _sender(consumers.sender)
        yield from _samples(samples)
        yield from _results(checks)
        yield from _processes(samples)
        if consumers.runner is not None:
            yield from _jobs(consumers.runner, samples)
        yield from _webhooks(consumers.webhooks, samples)
        yield from _bridge(consumers.bridge, samples)


def _bridge(bridge: Bridge | None, samples: Samples) -> Iterator[Metric]:
    """Yield the families of the bridge; zeros without one."""
    published, failures = (bridge.published, bridge.failures) if bridge is not None else (0, 0)
    yield CounterMetricFamily("tombola_bridge_published", "Events that the broker has confirmed.", published)
    yield CounterMetricFamily("tombola_bridge_failures", "Attempts to publish without a confirmation.", failures)
    games, seconds = samples.unpublished
    yield GaugeMetricFamily("tombola_bridge_waiting_games", "Games with events that are not published yet.", games)
    yield GaugeMetricFamily("tombola_bridge_lag_seconds", "Age of the oldest of these events.", seconds)


def _by_role(listed: Iterable[Process]) -> dict[tuple[str, str], int]:
    """Count processes by role and version. A role that nobody has gets a 0, for the alert on it."""
    found = Counter((role, each.version) for each in listed for role in each.roles)
    missing = ALL_ROLES - {role for role, _ in found}
    return {**found, **{(role, ""): 0 for role in missing}}


def _processes(samples: Samples) -> Iterator[Metric]:
    processes = GaugeMetricFamily("tombola_processes", "Processes on these stores.", labels=("role", "version"))
    for (role, version), count in samples.processes.items():
        processes.add_metric((role, version), count)
    yield processes


def live_families(hub: "Hub") -> Iterator[Metric]:
    """Yield the families of live updates."""
    connections = GaugeMetricFamily("tombola_live_connections", "Clients of live updates.", labels=("transport",))
    for transport, count in hub.figures.open.items():
        connections.add_metric((transport,), count)
    yield connections
    yield GaugeMetricFamily("tombola_live_followed_games", "Games that live clients watch.", hub.games_followed)
    yield CounterMetricFamily("tombola_live_messages", "Batches passed on to live clients.", hub.figures.messages)
    yield CounterMetricFamily(
        "tombola_live_slow", "Times that a slow client was moved to the next snapshot.", hub.figures.slow
    )
    resumed = CounterMetricFamily("tombola_live_resumed", "Games resumed from a cursor.", labels=("outcome",))
    for outcome, count in hub.figures.resumed.items():
        resumed.add_metric((outcome,), count)
    yield resumed
    closed = CounterMetricFamily("tombola_live_closed", "Live connections that the server ended.", labels=("reason",))
    for reason, count in hub.figures.closed.items():
        closed.add_metric((reason,), count)
    yield closed


def _results(checks: ResultChecks) -> Iterator[Metric]:
    checked = CounterMetricFamily("tombola_results", "Rechecked results of games.", labels=("kind", "verdict"))
    for (kind, verdict), count in list(checks.checked.items()):
        checked.add_metric((kind, verdict), count)
    yield checked
    ended = CounterMetricFamily("tombola_games_ended", "Games that ended.", labels=("kind", "outcome"))
    for (kind, outcome), count in list(checks.ended.items()):
        ended.add_metric((kind, outcome), count)
    yield ended


def _webhooks(caller: WebhookCaller, samples: Samples) -> Iterator[Metric]:
    attempts = CounterMetricFamily("tombola_webhook_attempts", "Calls of webhooks.", labels=("outcome",))
    for outcome, count in caller.attempts.items():
        attempts.add_metric((outcome,), count)
    yield attempts
    deliveries = GaugeMetricFamily("tombola_webhook_deliveries", "Deliveries of webhooks.", labels=("status",))
    for status, count in samples.deliveries.items():
        deliveries.add_metric((status,), count)
    yield deliveries


def _jobs(runner: Runner, samples: Samples) -> Iterator[Metric]:
    runs = CounterMetricFamily("tombola_job_runs", "Attempts at jobs.", labels=("kind", "outcome"))
    for (kind, outcome), count in list(runner.outcomes.items()):
        runs.add_metric((kind, outcome), count)
    yield runs
    jobs = GaugeMetricFamily("tombola_jobs", "Unfinished and dead jobs.", labels=("kind", "status"))
    overdue = GaugeMetricFamily("tombola_job_overdue_seconds", "Delay of the most overdue job.", labels=("kind",))
    for each in samples.jobs:
        jobs.add_metric((each.kind, each.status), each.count)
        if each.status == "queued":
            overdue.add_metric((each.kind,), max(0.0, each.overdue))
    yield jobs
    yield overdue


def _history(projector: Projector) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "tombola_postgres_rewound", "Number of times that PostgreSQL had lost transactions.", projector.rewound
    )
    yield GaugeMetricFamily(
        "tombola_games_lost",
        "Games whose events are missing from PostgreSQL and cannot be recovered.",
        len(projector.lost),
    )


def _query_cache(cache: QueryCache) -> Iterator[Metric]:
    asked = CounterMetricFamily("tombola_query_cache", "Queries of figures.", labels=("outcome",))
    for outcome, count in cache.outcomes.items():
        asked.add_metric((outcome,), count)
    yield asked
    yield GaugeMetricFamily("tombola_query_cache_rows", "Rows that the query cache keeps.", cache.rows)


def _clock(clock: SystemClock) -> Iterator[Metric]:
    off = GaugeMetricFamily("tombola_clock_off_seconds", "Lead of a clock over Redis's.", labels=("clock",))
    off.add_metric(("machine",), clock.off_ms / 1000)
    off.add_metric(("postgres",), clock.postgres_off_ms / 1000)
    yield off
    yield GaugeMetricFamily(
        "tombola_clock_shift_seconds", "Lead of the games' shared time over Redis's clock.", clock.shift_ms / 1000
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
    entries = GaugeMetricFamily(
        "tombola_feed_entries", "Entries that a consumer group has not handled yet.", labels=("group",)
    )
    age = GaugeMetricFamily("tombola_feed_lag_seconds", "Age of the oldest unhandled entry.", labels=("group",))
    for group, lag in samples.lags.items():
        entries.add_metric((group,), lag.entries)
        age.add_metric((group,), lag.ms / 1000)
    yield entries
    yield age
    aside = GaugeMetricFamily(
        "tombola_feed_aside", "Entries set aside by a group that could not handle them.", labels=("group",)
    )
    for group, count in samples.aside.items():
        aside.add_metric((group,), count)
    yield aside
    waiting = GaugeMetricFamily("tombola_outbox_chats", "Chats with waiting items.", labels=("priority",))
    oldest = GaugeMetricFamily("tombola_outbox_oldest_seconds", "Age of the oldest waiting item.", labels=("priority",))
    for priority, (count, ms) in samples.outbox.items():
        waiting.add_metric((priority,), count)
        oldest.add_metric((priority,), ms / 1000)
    yield waiting
    yield oldest
    yield GaugeMetricFamily("tombola_outbox_dropped", "Items dropped because a chat's queue was full.", samples.dropped)
    overdue = samples.overdue.ms / 1000
    yield GaugeMetricFamily("tombola_deadline_overdue_seconds", "Delay of the most overdue deadline.", overdue)
    stuck = GaugeMetricFamily("tombola_game_stuck", "1 for a game whose rules raise at its deadline.", labels=("game",))
    for game_id in list(samples.overdue.stuck)[:SHOWN]:
        stuck.add_metric((game_id,), 1)
    yield stuck


def _deadlines(deadlines: Deadlines) -> Iterator[Metric]:
    stats = deadlines.stats
    fired = CounterMetricFamily("tombola_deadlines_fired", "Deadlines reported to games.", labels=("outcome",))
    for outcome, count in stats.fired.items():
        fired.add_metric((outcome,), count)
    yield fired
    yield GaugeMetricFamily("tombola_deadline_jobs", "Scheduled deadlines.", stats.jobs)
    late = HistogramMetricFamily("tombola_deadline_lateness_seconds", "Time from a deadline to its commit.")
    late.add_metric([], stats.lateness.buckets(), stats.lateness.total)
    yield late


def _sender(sender: Sender) -> Iterator[Metric]:
    stats = sender.stats
    settled = CounterMetricFamily("tombola_sends", "Calls to Telegram.", labels=("outcome", "priority"))
    for (outcome, priority), count in stats.settled.items():
        settled.add_metric((outcome.value, priority.name.lower()), count)
    yield settled
    errors = CounterMetricFamily(
        "tombola_send_errors", "Errors from Telegram, including retried calls.", labels=("error",)
    )
    for error, count in stats.errors.items():
        errors.add_metric((error,), count)
    yield errors
    waits = HistogramMetricFamily(
        "tombola_send_wait_seconds", "Time from entering the outbox to the result.", labels=("priority",)
    )
    for priority, wait in stats.waits.items():
        rows, running = [], 0
        bounds = (*(str(ms / 1000) for ms in WAIT_BUCKETS_MS), "+Inf")
        for bound, count in zip(bounds, wait.buckets, strict=True):
            running += count
            rows.append((bound, float(running)))
        waits.add_metric((priority.name.lower(),), rows, wait.sum_ms / 1000)
    yield waits
    yield GaugeMetricFamily("tombola_sender_leading", "1 in the process that sends, else 0.", int(stats.leading))
    yield GaugeMetricFamily("tombola_send_in_flight", "Calls that wait for Telegram's answer.", stats.in_flight)
    repeated = "Calls repeated because the previous sender stopped before their answers."
    yield CounterMetricFamily("tombola_sends_repeated", repeated, stats.repeated)
    left = "Answers to one person not repeated after the previous sender stopped, because they were too old."
    yield CounterMetricFamily("tombola_answers_left", left, stats.left)
    alike = "New messages with the same content as one of the last in their chat."
    yield CounterMetricFamily("tombola_sends_alike", alike, stats.alike)
