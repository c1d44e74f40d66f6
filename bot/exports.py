"""What the parts of a process count, as Prometheus families. Reads memory only."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bot.deadlines import Deadlines
from bot.parts import Parts
from bot.sender import WAIT_BUCKETS_MS, Sender


def export(parts: Parts, deadlines: Deadlines, sender: Sender | None) -> Iterator[Metric]:
    """All families of a process's parts."""
    yield GaugeMetricFamily("tombola_games_in_memory", "Games this process holds.", parts.engine.games_in_memory)
    yield GaugeMetricFamily("tombola_tasks", "Detached tasks of this process.", len(parts.tasks))
    breaker = GaugeMetricFamily("tombola_breaker_open", "1 where the circuit is not closed.", labels=("service",))
    breaker.add_metric(("telegram",), 0 if parts.api.state == "closed" else 1)
    yield breaker
    yield from _deadlines(deadlines)
    if sender is not None:
        yield from _sender(sender)


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
