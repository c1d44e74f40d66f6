"""Metrics for Prometheus. Hot counters are plain dictionaries and are exported only when scraped."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from bot import VERSION

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of the buckets. Those of the objectives are among them: 0.1 (live updates), 0.2 (taps), 1.0 (deadlines)."""
SERVER_ERROR = 500
OUTCOMES = {"fast": ("done", "error", "unavailable"), "slow": ("done", "failed", "unavailable", "set-aside")}
"""Path -> outcomes that are exported from the start: Prometheus sees no increase in the first value of a counter."""


class Histogram:
    """Counts observations in buckets. Cheaper on a hot path than the client library's histogram."""

    __slots__ = ("counts", "examples", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0
        self.examples: dict[int, Exemplar] = {}
        """Bucket -> its latest traced observation."""

    def add(self, seconds: float) -> None:
        """Count a duration in seconds."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def show(self, seconds: float, trace_id: str) -> None:
        """Keep a counted duration as the example of its bucket, with the trace that explains it."""
        self.examples[bisect_left(SECONDS, seconds)] = Exemplar({"trace_id": trace_id}, seconds, time.time())

    def buckets(self) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
        """Return (upper bound, cumulative count) pairs in the exposition format, with examples as a third member."""
        rows: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        running = 0
        for index, (bound, count) in enumerate(zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True)):
            running += count
            example = self.examples.get(index)
            rows.append((bound, running) if example is None else (bound, running, example))
        return rows


class Metrics(Collector):
    """All counters of this process, and the sources of further families."""

    def __init__(self) -> None:
        self.updates = Counter({(path, outcome): 0 for path, outcomes in OUTCOMES.items() for outcome in outcomes})
        """Updates by path (``fast``, ``slow``) and outcome (``done``, ``duplicate``, ``failed``, a refusal's code)."""
        self.commands: Counter[tuple[str, str]] = Counter()
        """Number of commands by name and outcome."""
        self.errors: Counter[str] = Counter()
        """Number of unexpected errors by the place where they surfaced."""
        self.api_requests: Counter[tuple[str, str]] = Counter()
        """Number of requests of the HTTP API by endpoint and status."""
        self.api_failures = 0
        """Number of these requests that were answered with 5xx."""
        self.api = Histogram()
        self.taps = Histogram()
        self.slow_updates = Histogram()
        self.commits = Histogram()
        self.queries = Histogram()
        self.loop_lag = Histogram()
        self.live_lag = Histogram()
        self.started_at = time.time()
        self.sources: list[Callable[[], Iterable[Metric]]] = []
        """Generators of further families. They run during a scrape and must not wait."""

    def command(self, name: str, outcome: str) -> None:
        """Count an answered command. The engine calls this as its ``observe``."""
        self.commands[name, outcome] += 1

    def api_request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answered request of the HTTP API."""
        self.api_requests[endpoint, str(status)] += 1
        self.api_failures += status >= SERVER_ERROR
        self.api.add(seconds)

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        yield _counted("tombola_updates", "Updates from Telegram.", ("path", "outcome"), self.updates)
        yield _counted("tombola_commands", "Commands answered.", ("command", "outcome"), self.commands)
        requests = self.api_requests
        yield _counted("tombola_api_requests", "Requests of the HTTP API.", ("endpoint", "status"), requests)
        yield CounterMetricFamily(
            "tombola_api_failures", "Requests of the HTTP API answered with 5xx.", self.api_failures
        )
        errors = {(where,): count for where, count in self.errors.items()}
        yield _counted("tombola_errors", "Unexpected errors.", ("where",), errors)
        for name, text, histogram in (
            ("tombola_tap_seconds", "Time from the receipt of a tap to its answer.", self.taps),
            ("tombola_update_seconds", "Time from the receipt of another update to its end.", self.slow_updates),
            ("tombola_api_seconds", "Time of the HTTP API from a request to its response.", self.api),
            ("tombola_commit_seconds", "Duration of commits to Redis.", self.commits),
            ("tombola_query_seconds", "Duration of queries to PostgreSQL.", self.queries),
            (
                "tombola_live_lag_seconds",
                "Time from a commit until a live client's connection has taken it.",
                self.live_lag,
            ),
            ("tombola_loop_lag_seconds", "Delay of a timer of the event loop.", self.loop_lag),
        ):
            family = HistogramMetricFamily(name, text)
            family.add_metric([], histogram.buckets(), histogram.total)
            yield family
        yield GaugeMetricFamily("tombola_started_seconds", "Start time of this process.", self.started_at)
        build = GaugeMetricFamily("tombola_build_info", "1; its label is the version.", labels=("version",))
        build.add_metric((VERSION,), 1)
        yield build
        for source in self.sources:
            yield from source()


def _counted(name: str, text: str, labels: tuple[str, ...], counts: Mapping[Any, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in list(counts.items()):
        family.add_metric(values, count)
    return family


def registry(metrics: Metrics) -> CollectorRegistry:
    """Return a registry with Tombola's metrics and those of the process."""
    found = CollectorRegistry()
    found.register(metrics)
    ProcessCollector(registry=found)
    PlatformCollector(registry=found)
    GCCollector(registry=found)
    return found
