"""What the parts of a process count, as Prometheus families. Reads memory only."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bot.deadlines import Deadlines
from bot.observe.sampling import Samples
from bot.runtime import Runtime
from telegram.sender import WAIT_BUCKETS_MS, Sender


def export(parts: Runtime, deadlines: Deadlines, sender: Sender | None, samples: Samples) -> Iterator[Metric]:
    """All families of a process's parts."""
    yield GaugeMetricFamily("tombola_games_in_memory", "Games this process holds.", parts.engine.games_in_memory)
    yield GaugeMetricFamily("tombola_tasks", "Detached tasks of this process.", len(parts.tasks))
    breaker = GaugeMetricFamily("tombola_breaker_open", "1 where the circuit is not closed.", labels=("service",))
    for service, guard in parts.breakers.items():
        breaker.add_metric((service,), 0 if guard.state == "closed" else 1)
    yield breaker
    yield from _deadlines(deadlines)
    if sender is not None:
        yield from _sender(sender)
        yield from _samples(samples)


def _samples(samples: Samples) -> Iterator[Metric]:
    """What the stores said last; the same from every worker, so alerts take the maximum."""
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
    overdue = samples.overdue_ms / 1000
    yield GaugeMetricFamily("tombola_deadline_overdue_seconds", "How overdue the most overdue deadline is.", overdue)


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
