#!/usr/bin/env python3
"""Judge a new version of Tombola while it runs beside the present one, and undo its rollout if it is bad.

    rollout.py analyse --prometheus http://127.0.0.1:9090 --for 1800 -- rollout.py undo kubernetes
    rollout.py relay --api http://127.0.0.1:8080 --source ID --flag native-polls -- rollout.py undo systemd
    rollout.py flag native-polls 10 --api http://127.0.0.1:8080 --source ID
    rollout.py undo kubernetes|compose|systemd [--all] [--dry-run]

One file, standard library only, so that it also runs where Tombola is not installed. docs/operations.md is the manual.
"""

import argparse
import base64
import hmac
import http.client
import json
import math
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROMOTE, ROLL_BACK, HOLD = "promote", "roll back", "hold"
STATUS = {PROMOTE: 0, ROLL_BACK: 1, HOLD: 3}
"""Exit status of each verdict. argparse exits with 2."""
LARGEST = 1 << 20
"""Bytes of an answer or a call that are read at most."""
PIECE = 1 << 14
CALL_SECONDS, COMMAND_SECONDS = 10.0, 300.0
TRIES = 4
NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
"""Errors of reading JSON that has another form than it should have."""

Labels = Mapping[str, str]
Series = dict[tuple[tuple[str, str], ...], float]
"""Sorted labels -> value."""


# -- Prometheus -----------------------------------------------------------------------------------------------------


class NoAnswerError(Exception):
    """Prometheus, or the API, does not answer, or refuses."""


class Prometheus:
    """Queries over the HTTP API of Prometheus, or of a server that speaks it.

    Args:
        url: its address.
        token: a bearer token; empty for none.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/") + "/api/v1/query"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, query: str, at: float) -> Series:
        """Return the values of a query at a time. Raises ``NoAnswerError``."""
        data = urllib.parse.urlencode({"query": query, "time": f"{at:.3f}"}).encode()
        body = request(self._url, data, self._headers)
        try:
            answer = json.loads(body)
            if answer["status"] != "success":
                raise NoAnswerError(str(answer.get("error"))[:200])
            found = {}
            for each in answer["data"]["result"]:
                labels = tuple(sorted((name, text) for name, text in each["metric"].items() if name != "__name__"))
                found[labels] = float(each["value"][1])
        except NOT_UNDERSTOOD:  # a proxy's page, for example, or an answer that is too long and was cut
            raise NoAnswerError(f"not an answer of Prometheus: {body[:80]!r}") from None
        return found


def request(url: str, data: bytes | None, headers: Labels) -> bytes:
    """Send a request, POST if it has data, and return the body of the answer. Raises ``NoAnswerError``."""
    asked = urllib.request.Request(url, data, dict(headers))  # noqa: S310 -- the operator gives the address
    try:
        with urllib.request.urlopen(asked, timeout=CALL_SECONDS) as answer:  # noqa: S310
            body: bytes = answer.read(LARGEST)
            return body
    except urllib.error.HTTPError as refusal:
        raise NoAnswerError(f"{refusal.code} {refusal.read(200).decode(errors='replace')}") from None
    except (OSError, http.client.HTTPException) as problem:
        raise NoAnswerError(str(problem)) from None


# -- figures --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Figures:
    """Counts of a group of processes over a time, and of histograms by upper bound."""

    counts: dict[str, Series] = field(default_factory=dict)
    buckets: dict[str, dict[float, float]] = field(default_factory=dict)

    def count(self, name: str, **patterns: str) -> float:
        """Return the sum of a counter's series whose labels match these patterns as a whole."""
        return sum(value for labels, value in self.counts.get(name, {}).items() if _match(dict(labels), patterns))

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return the sums of a counter by a label."""
        found: dict[str, float] = {}
        for labels, value in self.counts.get(name, {}).items():
            key = dict(labels).get(label, "")
            found[key] = found.get(key, 0.0) + value
        return found

    def slower(self, name: str, than: float) -> tuple[float, float]:
        """Return the number of a histogram's observations above a bound, and of all."""
        buckets = self.buckets.get(name, {})
        total = buckets.get(math.inf, 0.0)
        bound = min((each for each in buckets if each >= than), default=math.inf)
        return max(0.0, total - buckets.get(bound, total)), total

    def quantile(self, name: str, share: float) -> float:
        """Return the upper bound of the bucket in which a quantile lies; 0 without observations."""
        buckets = self.buckets.get(name, {})
        wanted = share * buckets.get(math.inf, 0.0)
        return min((bound for bound, count in buckets.items() if count >= wanted > 0), default=0.0)

    def __add__(self, other: "Figures") -> "Figures":
        names, histograms = self.counts.keys() | other.counts.keys(), self.buckets.keys() | other.buckets.keys()
        return Figures(
            {name: _sum(self.counts.get(name, {}), other.counts.get(name, {})) for name in names},
            {name: _sum(self.buckets.get(name, {}), other.buckets.get(name, {})) for name in histograms},
        )


def _sum(first: Mapping[Any, float], second: Mapping[Any, float]) -> dict[Any, float]:
    return {key: first.get(key, 0.0) + second.get(key, 0.0) for key in first.keys() | second.keys()}


def _match(labels: Labels, patterns: Labels) -> bool:
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in patterns.items())


COUNTERS = (
    *("tombola_updates_total", "tombola_commands_total", "tombola_errors_total", "tombola_sends_total"),
    *("tombola_send_errors_total", "tombola_api_requests_total", "tombola_deadlines_fired_total"),
    *("tombola_job_runs_total", "tombola_webhook_attempts_total", "tombola_commit_seconds_count"),
    *("tombola_sends_alike_total", "tombola_telegram_calls_total"),
)
HISTOGRAMS = {
    "tombola_tap_seconds": (0.05, 0.2),
    "tombola_update_seconds": (0.5, 5.0),
    "tombola_api_seconds": (0.1, 0.5),
    "tombola_commit_seconds": (0.05, 1.0),
    "tombola_query_seconds": (0.1, 1.0),
    "tombola_loop_lag_seconds": (0.05, 0.25),
    "tombola_live_lag_seconds": (0.05, 0.1),
    "tombola_send_wait_seconds": (1.0, 10.0),
    "tombola_deadline_lateness_seconds": (0.25, 1.0),
}
"""Histogram -> the least time that counts as slower than before, and the objective."""
STALL_SECONDS = 0.5
ANSWERED = {"done", "duplicate", "shown", "error", "failed", "unavailable", "set-aside"}
"""Outcomes of updates that are no refusals: they have an effect, or are counted as errors."""


def _increase(name: str, selector: str, seconds: int, by: str = "") -> str:
    """Return the query of a counter's increase. A series that did not exist before counts from 0.

    ``increase`` alone would miss the first error of a kind, whose series begins with 1.
    """
    chosen, before = f"{name}{{{selector}}}", f"{name}{{{selector}}} offset {seconds}s"
    grown = f"(increase({chosen}[{seconds}s]) and {before}) or ({chosen} unless {before})"
    return f"sum by ({by}) ({grown})" if by else f"sum without (instance, pod, job, track, component) ({grown})"


def figures(prometheus: Prometheus, selector: str, seconds: int, at: float, *, warm: int | None = None) -> Figures:
    """Read the figures of the processes that a selector chooses. Raises ``NoAnswerError``.

    ``warm``: the seconds of which times count; None for all of them.
    """
    warm = seconds if warm is None else warm
    found = Figures()
    for name in COUNTERS:
        found.counts[name] = prometheus.ask(_increase(name, selector, seconds), at)
    for name in HISTOGRAMS if warm >= 5 else ():
        rows = prometheus.ask(_increase(f"{name}_bucket", selector, warm, by="le"), at)
        found.buckets[name] = {
            float(dict(labels)["le"].replace("+Inf", "inf")): value for labels, value in rows.items()
        }
    return found


# -- the analysis ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the analysis. A TOML file can change each (``--limits``).

    Attributes:
        updates: updates that the canary must have handled before it is promoted.
        games: games of each kind that must have ended before it is promoted.
        errors: share of errors that is always allowed.
        slow: share of observations beyond an objective that is always allowed.
        worse: factor by which the canary may be worse than the stable version.
        margin: share of slow observations by which it may be worse in addition.
        refusals: share of the taps that it may refuse for the same reason in addition.
        stalls: share of the seconds in which its event loop may stand still for half a second in addition.
        messages: factor by which the new messages for each game may exceed those before.
        misplaced: share of messages, in addition, that may go to groups or topics which do not take them.
        alike: share of messages, in addition, that may say the same as one of the last in their chat.
        restarts: unexpected restarts of a canary that are allowed.
        unreachable: share of scrapes that may fail.
        memory_mb: growth of a process's memory in MB that is always allowed.
        memory_share: growth that is allowed as a share of its memory.
        warm_up: seconds after its start in which a process is slower, and grows to its usual size.
        overdue: seconds by which a deadline or the feed may be late.
        confirmations: looks in a row at which a measured symptom must be there.
        balanced: True if all processes get equal shares of the updates, so that a lower share is a symptom.
        objectives: objective of a histogram in seconds, by its name, in place of the usual ones.
    """

    updates: int = 500
    games: int = 5
    errors: float = 0.001
    slow: float = 0.001
    worse: float = 2.0
    margin: float = 0.05
    refusals: float = 0.03
    stalls: float = 0.003
    messages: float = 1.5
    misplaced: float = 0.02
    alike: float = 0.05
    restarts: int = 0
    unreachable: float = 0.1
    memory_mb: float = 16.0
    memory_share: float = 0.1
    warm_up: float = 120.0
    overdue: float = 10.0
    confirmations: int = 2
    balanced: bool = False
    objectives: Mapping[str, float] = field(default_factory=dict)


def limits_of(path: Path | None) -> Limits:
    """Read the limits of a TOML file. Raises ValueError for an unknown one."""
    given = tomllib.loads(path.read_text()) if path else {}
    unknown = given.keys() - {each.name for each in fields(Limits)}
    if unknown:
        raise ValueError(f"unknown limits: {', '.join(sorted(unknown))}")
    return Limits(**given)


@dataclass(frozen=True, slots=True)
class Symptom:
    """A reason to roll back.

    Attributes:
        name: its name, the same at each look.
        text: the figures.
        certain: True if one look is enough.
    """

    name: str
    text: str
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """The outcome of one look: symptoms, and reasons not to promote yet."""

    symptoms: Sequence[Symptom]
    doubts: Sequence[str]


def significant(bad: float, total: float, allowed: float) -> bool:
    """Return whether so many bad ones of all are more than a share that is allowed, beyond doubt.

    Chernoff's bound: if the true share were the allowed one, this would happen once in a thousand times at most.
    """
    if total <= 0 or bad < 2.5 or bad / total <= allowed:  # Prometheus extrapolates: three may be 2.97
        return False
    share, allowed = min(bad / total, 1.0), min(max(allowed, 1e-9), 1 - 1e-9)
    distance = share * math.log(share / allowed)
    if share < 1:
        distance += (1 - share) * math.log((1 - share) / (1 - allowed))
    return total * distance > math.log(1000)


class Analysis:
    """Compares the canary with the stable version, and both with the objectives.

    Args:
        prometheus: has the metrics.
        canary: selector of the canary's series.
        stable: selector of the stable version's.
        limits: the limits.
        start: the time at which the canary was ready.
        before: seconds before the start whose figures also count as the stable version's.
    """

    def __init__(
        self, *, prometheus: Prometheus, canary: str, stable: str, limits: Limits, start: float, before: int
    ) -> None:
        self._prometheus = prometheus
        self._canary = canary
        self._stable = stable
        self._limits = limits
        self._start = start
        self._before = before
        self._history: Figures | None = None
        self._at_start: dict[str, float] = {}
        self._completed: Series = {}
        self._ended_before: Series = {}

    def look(self, at: float) -> Look:
        """Look at the metrics. Raises ``NoAnswerError``."""
        seconds = max(5, round(at - self._start))
        # A process that has just started is slow for a while: it imports modules, and opens connections.
        warm = round(seconds - self._limits.warm_up)
        canary = figures(self._prometheus, self._canary, seconds, at, warm=warm)
        stable = figures(self._prometheus, self._stable, seconds, at, warm=warm)
        if self._history is None:
            self._history = figures(self._prometheus, self._stable, self._before, self._start)
        known = stable + self._history
        symptoms = [
            *self._alive(seconds, at),
            *self._results(seconds, at),
            *self._shared(at),
            *self._growth(seconds, at),
            *errors(canary, known, self._limits),
            *answers(canary, known, self._limits),
            *slowness(canary, known, self._limits),
            *stalls(canary, known, self._limits),
            *self._messages(canary + stable, seconds, at),
            *doubled(canary + stable, self._history, self._limits),
            *unmade(canary),
            *self._share(canary, stable, seconds, at),
            *self._kinds(_traffic(canary + stable, self._history), seconds, at),
        ]
        return Look(symptoms, [*self._doubts(canary, seconds, at), *objectives(canary, self._limits)])

    def _value(self, query: str, at: float) -> float | None:
        return next(iter(self._prometheus.ask(query, at).values()), None)

    def _alive(self, seconds: int, at: float) -> Iterator[Symptom]:
        canary, limits = self._canary, self._limits
        restarts = self._value(f"sum(changes(tombola_started_seconds{{{canary}}}[{seconds}s]))", at) or 0.0
        if restarts > limits.restarts:
            yield Symptom("restarts", f"the canary has restarted {restarts:.0f} times", certain=True)
        reached = self._value(f"min(avg_over_time(up{{{canary}}}[{seconds}s]))", at)
        if reached is not None and reached < 1 - limits.unreachable:
            yield Symptom("unreachable", f"a canary answers {reached:.0%} of the scrapes")
        elif reached is None:
            yield Symptom("missing", "Prometheus knows no canary")

    def _results(self, seconds: int, at: float) -> Iterator[Symptom]:
        # Each worker checks each result, so the canary also checks the stable version and the other way round.
        query = f'max by (kind) (increase(tombola_results_total{{verdict="wrong"}}[{seconds}s]))'
        for labels, count in self._prometheus.ask(query, at).items():
            if count > 0:
                yield Symptom("wrong results", f"{count:.0f} wrong results of {dict(labels).get('kind')}", certain=True)

    def _shared(self, at: float) -> Iterator[Symptom]:
        """Yield the symptoms in the figures that all workers read from the stores."""
        limit = self._limits.overdue
        for name, query, most, certain in (
            ("overdue games", "max(tombola_deadline_overdue_seconds)", limit, False),
            ("stuck games", "count(count by (game) (tombola_game_stuck > 0))", 0, True),
            ("entries set aside", "sum(max by (group) (tombola_feed_aside))", 0, True),
            ("late feed", "max(tombola_feed_lag_seconds)", limit, False),
            ("waiting messages", "max(tombola_outbox_oldest_seconds)", 6 * limit, False),
            ("lost games", "max(tombola_games_lost)", 0, True),
            ("dead jobs", 'sum(max by (kind) (tombola_jobs{status="dead"}))', 0, True),
            ("pages", 'count(ALERTS{alertstate="firing", severity="page", alertname=~"Tombola.*"})', 0, True),
        ):
            now = self._value(query, at) or 0.0
            if name not in self._at_start:
                self._at_start[name] = self._value(query, self._start) or 0.0
            if now > max(most, self._at_start[name]):
                yield Symptom(name, f"{name}: {now:g}, at the start {self._at_start[name]:g}", certain)

    def _growth(self, seconds: int, at: float) -> Iterator[Symptom]:
        """Yield the resources of which a process of the canary uses more and more."""
        limits, canary = self._limits, self._canary
        age = self._value(f"min({at:.3f} - tombola_started_seconds{{{canary}}})", at)
        watched = min(seconds, (age or 0.0) - limits.warm_up)
        if watched < 15:
            return
        for name, metric, least in (
            ("memory", "process_resident_memory_bytes", limits.memory_mb * 2**20),
            ("open files", "process_open_fds", 50.0),
            ("tasks", "tombola_tasks", 200.0),
        ):
            chosen, third = f"{metric}{{{canary}}}", max(5, int(watched / 3))
            now, middle, first = (
                self._prometheus.ask(f"min_over_time({chosen}[{third}s])", at - back) for back in (0, third, 2 * third)
            )
            for labels in now.keys() & middle.keys() & first.keys():
                grown, lately = now[labels] - first[labels], now[labels] - middle[labels]
                # Caches fill and then stay as they are; a leak goes on.
                if grown > max(least, limits.memory_share * first[labels]) and lately > grown / 4:
                    size = f"{grown / 2**20:.0f} MB" if name == "memory" else f"{grown:.0f}"
                    yield Symptom(f"growth of {name}", f"{name} grew by {size} in {2 * third} s, and goes on growing")
        busy = self._value(f"max(rate(process_cpu_seconds_total{{{canary}}}[{seconds}s]))", at) or 0.0
        usual = self._value(f"max(rate(process_cpu_seconds_total{{{self._stable}}}[{seconds}s]))", at) or 0.0
        if busy > 0.9 and busy > limits.worse * usual:
            yield Symptom("processor", f"the canary keeps {busy:.2f} of a core busy, the stable version {usual:.2f}")

    def _share(self, canary: Figures, stable: Figures, seconds: int, at: float) -> Iterator[Symptom]:
        """Yield a symptom if the canary handles far fewer updates than it gets."""
        if not self._limits.balanced:
            return
        of_each = [
            chosen.count("tombola_updates_total") / max(1.0, self._value(f"count(up{{{selector}}})", at) or 0.0)
            for chosen, selector in ((canary, self._canary), (stable, self._stable))
        ]
        due = sum(of_each) / 2
        if seconds >= 15 and due - of_each[0] > due / 2 and due > 50:
            yield Symptom(
                "few updates", f"a canary handled {of_each[0]:.0f} updates, a stable process {of_each[1]:.0f}"
            )

    def _doubts(self, canary: Figures, seconds: int, at: float) -> Iterator[str]:
        handled = canary.count("tombola_updates_total")
        if handled < self._limits.updates:
            yield f"the canary has handled {handled:.0f} of {self._limits.updates} updates"
        games = {dict(labels).get("kind", ""): count for labels, count in self._ended(seconds, at).items()}
        for kind, count in games.items():
            if count < self._limits.games:
                yield f"{count:.0f} of {self._limits.games} games of {kind} have ended"
        if not games:
            yield "no worker tells of games that have ended"

    def _messages(self, now: Figures, seconds: int, at: float) -> Iterator[Symptom]:
        """Yield a symptom if there are far more new messages for each ended game than before.

        One process at a time sends the messages of all, so a canary that sends them twice shows only while it leads.
        Broadcasts and progress have other priorities and do not count.
        """
        assert self._history is not None
        if not self._ended_before:
            self._ended_before = self._ended(self._before, self._start)
        ended = self._ended(seconds, at)
        games, games_before = sum(ended.values()), sum(self._ended_before.values())
        if min(games, games_before) < 10 or not {kind for kind in ended if ended[kind]} <= self._ended_before.keys():
            return
        # Kinds differ in their messages. Their mix alone can raise the average by this factor at most.
        mix = max(
            (count / games) / (self._ended_before[kind] / games_before)
            for kind, count in ended.items()
            if count and self._ended_before[kind]
        )
        for priority in ("urgent", "normal"):
            chosen = {"outcome": "sent", "priority": priority}
            sent, before = (each.count("tombola_sends_total", **chosen) for each in (now, self._history))
            due = before / games_before * games * self._limits.messages * max(1.0, mix)
            # The upper tail of a Poisson distribution, by Chernoff's bound.
            if due and sent > due and sent * math.log(sent / due) - sent + due > math.log(1000):
                text = f"{sent / games:.1f} new {priority} messages for each game, before {before / games_before:.1f}"
                yield Symptom(f"many {priority} messages", text)

    def _ended(self, seconds: int, at: float, outcome: str = ".*") -> Series:
        """Return the ended games by kind. Each worker counts all of them, from its start on."""
        counted = _increase("tombola_games_ended_total", f'outcome=~"{outcome}"', seconds, by="kind, instance")
        return self._prometheus.ask(f"max by (kind) ({counted})", at)

    def _kinds(self, traffic: tuple[float, float], seconds: int, at: float) -> Iterator[Symptom]:
        """Yield the kinds of which far fewer games are completed than before, for the same number of updates."""
        if not self._completed:
            self._completed = self._ended(self._before, self._start, "completed")
        completed = self._ended(seconds, at, "completed")
        for labels, before in self._completed.items():
            due, count = before * traffic[0] / max(traffic[1], 1.0), completed.get(labels, 0.0)
            # The lower tail of a Poisson distribution, by Chernoff's bound.
            if due > 0 and due - count + count * math.log(max(count, 1.0) / due) > math.log(1000) and count < due / 2:
                kind = dict(labels).get("kind", "")
                yield Symptom(f"few games of {kind}", f"{count:.0f} games of {kind} were completed, {due:.0f} were due")


def doubled(now: Figures, before: Figures, limits: Limits) -> Iterator[Symptom]:
    """Yield a symptom if more messages than before say the same as one of the last in their chat.

    One process sends the messages of all, so the messages of both versions are judged together.
    """
    sent, usual = (each.count("tombola_sends_total", outcome="sent") for each in (now, before))
    alike, known = (each.count("tombola_sends_alike_total") for each in (now, before))
    usually = known / usual if usual else 0.0
    if significant(alike, sent, usually + limits.alike):
        text = (
            f"{alike:.0f} of {sent:.0f} messages say the same as one of the last in their chat, usually {usually:.1%}"
        )
        yield Symptom("doubled messages", text)


def unmade(canary: Figures) -> Iterator[Symptom]:
    """Yield the calls that the canary's sender counts as made more often than its client has made them."""
    for outcome, methods in (("sent", "send.*"), ("edited", "edit.*")):
        counted = canary.count("tombola_sends_total", outcome=outcome)
        made = canary.count("tombola_telegram_calls_total", method=methods)
        # The two counters are read at the same instant, but a call may end between them.
        if significant(counted - made, counted, 0.02):
            yield Symptom("calls not made", f"{counted:.0f} messages count as {outcome}, with {made:.0f} calls")


def _traffic(now: Figures, before: Figures) -> tuple[float, float]:
    return now.count("tombola_updates_total"), before.count("tombola_updates_total")


def errors(canary: Figures, stable: Figures, limits: Limits) -> Iterator[Symptom]:
    """Yield the errors that the canary has more often than the stable version."""
    bad = {"outcome": "error|failed|unavailable|set-aside"}
    updates = canary.count("tombola_updates_total"), stable.count("tombola_updates_total")
    broken = canary.count("tombola_updates_total", **bad), stable.count("tombola_updates_total", **bad)
    yield from _more_often("failed updates", broken, updates, limits)
    commands = canary.by("tombola_commands_total", "command")
    known = stable.by("tombola_commands_total", "command")
    for command, count in commands.items():
        chosen = {"command": re.escape(command), "outcome": "error|unavailable"}
        raised = canary.count("tombola_commands_total", **chosen), stable.count("tombola_commands_total", **chosen)
        yield from _more_often(f"errors of {command}", raised, (count, known.get(command, 0.0)), limits)
    usual = stable.by("tombola_errors_total", "where")
    for where, count in canary.by("tombola_errors_total", "where").items():
        totals = max(updates[0], 100.0), max(updates[1], 100.0)
        yield from _more_often(f"unexpected errors ({where})", (count, usual.get(where, 0.0)), totals, limits)
    for name, counter, pattern in (
        ("refused messages", "tombola_sends_total", "refused|gave_up"),
        ("failed deadlines", "tombola_deadlines_fired_total", "error"),
        ("stalled games", "tombola_deadlines_fired_total", "stalled"),
        ("failed jobs", "tombola_job_runs_total", "failed|dead|error"),
    ):
        found = canary.count(counter, outcome=pattern), stable.count(counter, outcome=pattern)
        yield from _more_often(name, found, (canary.count(counter), stable.count(counter)), limits)
    # A version that mistakes a group or a topic for another one meets some that do not exist, or do not admit it.
    nowhere = {"outcome": "chat_gone|no_rights|topic_gone"}
    sends = canary.count("tombola_sends_total"), stable.count("tombola_sends_total")
    lost = canary.count("tombola_sends_total", **nowhere), stable.count("tombola_sends_total", **nowhere)
    usually = lost[1] / sends[1] if sends[1] else 0.0
    if significant(lost[0], sends[0], limits.worse * usually + limits.misplaced):
        text = f"{lost[0]:.0f} of {sends[0]:.0f} messages find no group or topic, usually {usually:.1%}"
        yield Symptom("misplaced messages", text)
    requests = canary.count("tombola_api_requests_total"), stable.count("tombola_api_requests_total")
    failed = [each.count("tombola_api_requests_total", status="5..") for each in (canary, stable)]
    yield from _more_often("errors of the API", (failed[0], failed[1]), requests, limits)


def _more_often(name: str, bad: tuple[float, float], totals: tuple[float, float], limits: Limits) -> Iterator[Symptom]:
    usual = bad[1] / totals[1] if totals[1] else 0.0
    if significant(bad[0], totals[0], max(limits.errors, limits.worse * usual)):
        yield Symptom(name, f"{name}: {bad[0]:.0f} of {totals[0]:.0f}, usual {usual:.2%}")


def answers(canary: Figures, stable: Figures, limits: Limits) -> Iterator[Symptom]:
    """Yield the commands and taps that the canary refuses far more often, and a lack of commits."""
    done = {"outcome": "done|duplicate|nothing"}
    for command, count in canary.by("tombola_commands_total", "command").items():
        chosen = {"command": re.escape(command)}
        known = stable.count("tombola_commands_total", **chosen)
        if count < 20 or known < 20:
            continue
        idle = [each.count("tombola_commands_total", **chosen, outcome="nothing") for each in (canary, stable)]
        # Timers and boards often find that there is nothing left to do, and two leaders in turn may both fire a
        # deadline: one without an effect leaves its game overdue. The choice of a player has an effect.
        if (
            command != "DeadlinePassed"
            and idle[1] / known < 0.3
            and significant(idle[0], count, limits.worse * idle[1] / known + 0.02)
        ):
            text = f"{command} has no effect {idle[0] / count:.0%} of the time, usually {idle[1] / known:.0%}"
            yield Symptom(f"no effect of {command}", text)
        usual = 1 - stable.count("tombola_commands_total", **chosen, **done) / known
        refused = count - canary.count("tombola_commands_total", **chosen, **done)
        if significant(refused, count, min(0.98, limits.worse * usual + 0.1)):
            text = f"{command} is refused {refused / count:.0%} of the time, usually {usual:.0%}"
            yield Symptom(f"refusals of {command}", text)
    # All taps together show what is too rare in each command. Refusals for one reason are compared with that reason's.
    taps = [each.count("tombola_updates_total", path="fast") for each in (canary, stable)]
    for code in canary.by("tombola_updates_total", "outcome").keys() - ANSWERED:
        refused, usually = (
            each.count("tombola_updates_total", path="fast", outcome=re.escape(code)) for each in (canary, stable)
        )
        usual = usually / taps[1] if taps[1] else 0.0
        if taps[1] >= 20 and significant(refused, taps[0], min(0.98, limits.worse * usual + limits.refusals)):
            text = f"{refused / taps[0]:.0%} of the taps are refused with {code}, usually {usual:.0%}"
            yield Symptom(f"refused taps ({code})", text)
    acknowledged = [each.count("tombola_commands_total", outcome="done") for each in (canary, stable)]
    commits = [each.count("tombola_commit_seconds_count") for each in (canary, stable)]
    if min(acknowledged) >= 50 and commits[0] / acknowledged[0] < commits[1] / acknowledged[1] / 2:
        yield Symptom("commits", f"{commits[0]:.0f} commits for {acknowledged[0]:.0f} acknowledged commands")


def slowness(canary: Figures, stable: Figures, limits: Limits) -> Iterator[Symptom]:
    """Yield the times of the canary that are far longer than those of the stable version."""
    for name, (least, objective) in HISTOGRAMS.items():
        for bound in {max(least, stable.quantile(name, 0.95)), limits.objectives.get(name, objective)}:
            slow, total = canary.slower(name, bound)
            usual, known = stable.slower(name, bound)
            share = usual / known if known else 0.0
            if total >= 20 and significant(slow, total, max(limits.slow, limits.worse * share + limits.margin)):
                text = f"{name}: {slow / total:.1%} take more than {bound:g} s, usually {share:.1%}"
                yield Symptom(f"slow {name}", text)


def stalls(canary: Figures, stable: Figures, limits: Limits) -> Iterator[Symptom]:
    """Yield a symptom if the canary's event loop stands still more often: rare in all taps, but each player notices."""
    slow, total = canary.slower("tombola_loop_lag_seconds", STALL_SECONDS)
    usual, known = stable.slower("tombola_loop_lag_seconds", STALL_SECONDS)
    share = usual / known if known else 0.0
    if significant(slow, total, limits.worse * share + limits.stalls):
        text = f"the loop stood still for {STALL_SECONDS:g} s in {slow:.0f} of {total:.0f} seconds, usually {share:.1%}"
        yield Symptom("loop stalls", text)


def objectives(canary: Figures, limits: Limits) -> Iterator[str]:
    """Yield the objectives that are missed by the canary, even if the stable version is no better."""
    for name in ("tombola_tap_seconds", "tombola_deadline_lateness_seconds"):
        bound = limits.objectives.get(name, HISTOGRAMS[name][1])
        slow, total = canary.slower(name, bound)
        if significant(slow, total, limits.slow):
            yield f"{name} misses its objective: {slow / total:.1%} above {bound:g} s"


def analyse(
    analysis: Analysis, *, every: float, lasting: float, confirmations: int, say: Callable[[str], object] = print
) -> str:
    """Look until there is a verdict, and return it. It is ``promote`` only at the end, and without any doubt."""
    began, seen = time.monotonic(), dict[str, int]()
    doubts: Sequence[str] = ["no look yet"]
    while True:
        left = lasting - (time.monotonic() - began)
        try:
            look = analysis.look(time.time())
        except NoAnswerError as problem:
            doubts = [f"Prometheus: {problem}"]
        else:
            doubts = look.doubts
            present = {symptom.name for symptom in look.symptoms}
            seen = {name: seen.get(name, 0) + 1 for name in present}
            proven = [each for each in look.symptoms if each.certain or seen[each.name] >= confirmations]
            for symptom in look.symptoms:
                say(f"symptom: {symptom.text}")
            if proven:
                say(f"verdict: {ROLL_BACK}: " + "; ".join(each.text for each in proven))
                return ROLL_BACK
            doubts = [*doubts, *(symptom.text for symptom in look.symptoms)]
        if left <= 0:
            verdict = HOLD if doubts else PROMOTE
            say(f"verdict: {verdict}" + "".join(f"; {doubt}" for doubt in doubts))
            return verdict
        say(f"{max(0, left):.0f} s left" + "".join(f"; {doubt}" for doubt in doubts))
        time.sleep(min(every, max(0.1, left)))


# -- flags ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlagCaller:
    """Sets feature flags by signed calls: Standard Webhooks, as docs/webhooks.md describes them.

    Attributes:
        api: the address of Tombola's API, without a path.
        source: the id of the source of signed calls.
        secret: its secret, ``whsec_...``.
    """

    api: str
    source: str
    secret: str

    def key(self) -> bytes:
        """Return the key of the secret. Raises ValueError if it has another form."""
        return base64.b64decode(self.secret.removeprefix("whsec_"), validate=True)

    def off(self, flag: str, reason: str) -> None:
        """Switch a flag off for all chats, also for those that are named. Raises ``NoAnswerError``."""
        self.set(flag, 0, reason, on_chats=[])

    def set(self, flag: str, percent: float, reason: str, **chats: Sequence[int]) -> None:
        """Set the share of the chats for which a flag is on. Raises ``NoAnswerError`` after some tries.

        ``chats``: ``on_chats`` and ``off_chats``; those that are not given stay as they are.
        """
        event = {"type": "flag.set", "data": {"flag": flag, "percent": percent, "reason": reason[:200], **chats}}
        body = json.dumps(event).encode()
        for left in reversed(range(TRIES)):
            id_, seconds = f"msg_{secrets.token_hex(12)}", str(int(time.time()))
            mac = hmac.digest(self.key(), f"{id_}.{seconds}.".encode() + body, "sha256")
            headers = {
                "webhook-id": id_,
                "webhook-timestamp": seconds,
                "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
                "content-type": "application/json",
            }
            try:
                request(f"{self.api.rstrip('/')}/api/v1/flag-hooks/{self.source}", body, headers)
            except NoAnswerError:
                if not left:
                    raise
                time.sleep(0.5 * (TRIES - left) + secrets.randbelow(500) / 1000)
            else:
                return


# -- the relay ------------------------------------------------------------------------------------------------------


class Relay:
    """Receives the calls of Alertmanager, which cannot sign, and switches flags off or undoes a deployment.

    Args:
        alerts: pattern of the names of the alerts that count.
        act: the action. It runs once for each alert that begins to fire, and is repeated while it raises.
        token: the bearer token that Alertmanager sends; empty for none.
    """

    def __init__(self, alerts: str, act: Callable[[str], None], token: str = "") -> None:
        self._alerts = re.compile(alerts)
        self._act = act
        self._token = token
        self._done: set[str] = set()
        self._lock = threading.Lock()

    def knows(self, authorization: str) -> bool:
        """Return whether a caller may call."""
        return not self._token or hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())

    def take(self, authorization: str, body: bytes) -> int:
        """Handle one call. Returns the HTTP status; Alertmanager repeats the call after a 5xx."""
        if not self.knows(authorization):
            return 401
        try:
            alerts = [(str(each["labels"]["alertname"]), str(each["status"])) for each in json.loads(body)["alerts"]]
        except NOT_UNDERSTOOD:
            return 400
        with self._lock:  # two calls for one alert must not undo twice
            self._done -= {name for name, status in alerts if status == "resolved"}
            for name, status in alerts:
                if status == "firing" and self._alerts.fullmatch(name) and name not in self._done:
                    try:
                        self._act(name)
                    except (NoAnswerError, CommandFailedError) as problem:
                        print(f"{name}: {problem}", file=sys.stderr, flush=True)
                        return 502
                    self._done.add(name)
        return 200

    def server(self, host: str, port: int) -> ThreadingHTTPServer:
        """Return an HTTP server that passes on calls of the path /alerts."""
        relay = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def do_POST(self) -> None:
                status = self._status()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _status(self) -> int:
                length, caller = self.headers.get("Content-Length", ""), self.headers.get("Authorization", "")
                if not re.fullmatch("[0-9]{1,7}", length) or int(length) > LARGEST:
                    return 413
                known = self.path == "/alerts"
                if not known or not relay.knows(caller):
                    for _ in range(0, int(length), PIECE):  # a stranger's body takes no memory
                        self.rfile.read(min(PIECE, int(length)))
                    return 401 if known else 404
                return relay.take(caller, self.rfile.read(int(length)))

            def log_message(self, *_: object) -> None:
                """Log nothing for each call: the relay logs what it does."""

        return ThreadingHTTPServer((host, port), Handler)


# -- undoing a deployment -------------------------------------------------------------------------------------------


class CommandFailedError(Exception):
    """A command of another program failed."""


def run(command: Sequence[str], environment: Labels | None = None) -> None:
    """Run a command of another program. Raises ``CommandFailedError``."""
    print("+ " + " ".join(command), flush=True)
    try:
        done = subprocess.run(command, check=False, timeout=COMMAND_SECONDS, env={**os.environ, **(environment or {})})
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CommandFailedError(str(problem)) from None
    if done.returncode:
        raise CommandFailedError(f"{command[0]} ended with {done.returncode}")


def undoing(given: argparse.Namespace) -> Iterator[tuple[Sequence[str], Labels]]:
    """Yield the commands that undo a rollout, with their environment variables: the canary's, then everything."""
    match given.backend:
        case "kubernetes":
            kubectl = ("kubectl", "--namespace", given.namespace)
            name = "app.kubernetes.io/name=tombola"
            yield (*kubectl, "scale", "deployment", "--selector", f"{name},track=canary", "--replicas=0"), {}
            for role in given.roles.split(",") if given.all else ():
                # Not `rollout undo`: a second run of it would bring the bad version back.
                yield (*kubectl, "set", "image", f"deployment/tombola-{role}", f"*={given.previous}"), {}
            for role in given.roles.split(",") if given.all else ():
                yield (*kubectl, "rollout", "status", f"deployment/tombola-{role}", "--timeout=240s"), {}
        case "compose":
            lock = Path(given.file).with_name("images.lock")
            compose = ("docker", "compose", "--env-file", str(lock), "--file", given.file)
            yield (*compose, "--profile", "canary", "stop", "canary"), {}
            if given.all:
                yield (*compose, "up", "--detach", "--no-build", "--no-deps", "bot"), {"IMAGE_TAG": given.previous}
        case _:
            yield ("systemctl", "disable", "--now", "tombola-canary.service"), {}
            if given.all:
                yield ("ln", "--symbolic", "--force", "--no-dereference", given.previous, given.current), {}
                yield ("systemctl", "restart", "tombola.service"), {}


def undo(given: argparse.Namespace) -> int:
    """Undo a rollout, step by step. Harmless to repeat. A step that fails does not keep the others from being tried."""
    if given.all and not given.previous:
        print("--all needs --previous, the version to go back to", file=sys.stderr)
        return 2
    if given.all and given.backend == "systemd" and not given.dry_run and not Path(given.previous).is_dir():
        print(f"{given.previous} is no folder: the version now would stop and none would start", file=sys.stderr)
        return 2
    failed = 0
    for command, environment in undoing(given):
        if given.dry_run:
            print(" ".join([*(f"{name}={value}" for name, value in environment.items()), *command]))
            continue
        try:
            run(command, environment)
        except CommandFailedError as problem:
            print(f"failed: {problem}", file=sys.stderr, flush=True)
            failed = 1
    return failed


# -- the command line -----------------------------------------------------------------------------------------------


def _secret(path: Path | None) -> str:
    """Return the contents of a file; empty without one. Raises ValueError if the file is empty."""
    found = path.read_text().strip() if path else ""
    if path and not found:  # an empty token would let everybody in
        raise ValueError(f"{path} is empty")
    return found


def _flags(given: argparse.Namespace) -> FlagCaller | None:
    if not given.api:
        return None
    if not given.source or not given.secret_file:
        raise ValueError("--api needs --source and --secret-file")
    caller = FlagCaller(given.api, given.source, _secret(given.secret_file))
    caller.key()  # a secret of another form is told now, and not when a version must be undone
    return caller


def _acting(given: argparse.Namespace) -> Callable[[str], None]:
    """Return the action of a rollback: switch the flags off first, which takes seconds, then run the command.

    The command also runs if the API does not answer: a bad version may be the cause. Raises ValueError for arguments
    that do not fit together.
    """
    caller = _flags(given)
    if given.flag and caller is None:
        raise ValueError("--flag needs --api")

    def act(reason: str) -> None:
        failures = []
        for flag in given.flag:
            try:
                assert caller is not None
                caller.off(flag, reason)
            except NoAnswerError as problem:
                failures.append(f"flag {flag} is not off: {problem}")
            else:
                print(f"flag {flag} is off: {reason}", flush=True)
        if given.command:
            run(given.command)
        if failures:
            raise NoAnswerError("; ".join(failures))

    return act


def _analyse(given: argparse.Namespace) -> int:
    limits, act = limits_of(given.limits), _acting(given)
    start = time.time() if given.since is None else given.since
    analysis = Analysis(
        prometheus=Prometheus(given.prometheus, _secret(given.token_file)),
        canary=given.canary,
        stable=given.stable,
        limits=limits,
        start=start,
        before=round(given.before),
    )
    verdict = analyse(
        analysis,
        every=given.every,
        lasting=given.lasting,
        confirmations=limits.confirmations,
        say=lambda line: print(line, flush=True),
    )
    if verdict == ROLL_BACK:
        act("analysis of the rollout")
    return STATUS[verdict]


def _relay(given: argparse.Namespace) -> int:
    host, _, port = given.listen.rpartition(":")
    token = _secret(given.token_file)
    if not token and host not in {"127.0.0.1", "localhost", "[::1]"}:
        raise ValueError("--listen on other addresses than this machine's own needs --token-file")
    relay = Relay(given.alerts, _acting(given), token)
    with relay.server(host, int(port)) as server:
        print(f"listening on {server.server_address[0]!s}:{server.server_address[1]}", flush=True)
        server.serve_forever()
    return 0


def _set_flag(given: argparse.Namespace) -> int:
    caller = _flags(given)
    if caller is None:
        print("--api is missing", file=sys.stderr)
        return 2
    caller.set(given.name, given.percent, given.reason)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="analyse|relay|flag|undo")

    calls = argparse.ArgumentParser(add_help=False)
    calls.add_argument("--api", default="", help="address of Tombola's API, for flags")
    calls.add_argument("--source", default="", help="id of the source of signed calls")
    calls.add_argument("--secret-file", type=Path, help="file with the source's secret")

    acts = argparse.ArgumentParser(add_help=False, parents=[calls])
    acts.add_argument("--flag", action="append", default=[], help="flag to switch off; may be repeated")
    acts.add_argument("command", nargs="*", help="after --: command that undoes the rollout")
    acts.add_argument("--token-file", type=Path, help="file with the bearer token of Prometheus or Alertmanager")

    analysis = verbs.add_parser(
        "analyse", parents=[acts], help="watch the canary: promote (0), roll back (1), hold (3)"
    )
    analysis.add_argument("--prometheus", required=True, metavar="URL")
    analysis.add_argument("--canary", default='track="canary"', help="selector of the canary's series")
    analysis.add_argument("--stable", default='track!="canary",job=~"tombola.*"', help="selector of the other series")
    analysis.add_argument("--for", dest="lasting", type=float, default=1800, help="seconds to watch (1800)")
    analysis.add_argument("--every", type=float, default=30, help="seconds between two looks (30)")
    analysis.add_argument("--before", type=float, default=3600, help="seconds before the start to compare with (3600)")
    analysis.add_argument("--since", type=float, help="unix time of the start; default: now")
    analysis.add_argument("--limits", type=Path, help="TOML file with other limits")
    analysis.set_defaults(run=_analyse)

    relay = verbs.add_parser("relay", parents=[acts], help="act on the alerts that Alertmanager sends to /alerts")
    relay.add_argument("--listen", default="127.0.0.1:9095")
    relay.add_argument("--alerts", default="Tombola(.*Burn.*|ResultWrong|GameStuck)", help="pattern of their names")
    relay.set_defaults(run=_relay)

    flag = verbs.add_parser("flag", parents=[calls], help="set the share of the chats for which a flag is on")
    flag.add_argument("name")
    flag.add_argument("percent", type=float)
    flag.add_argument("--reason", default="rollout")
    flag.set_defaults(run=_set_flag)

    back = verbs.add_parser("undo", help="remove the canary; with --all also return to the version before")
    back.add_argument("backend", choices=("kubernetes", "compose", "systemd"))
    back.add_argument("--all", action="store_true", help="every process has the new version already")
    back.add_argument("--dry-run", action="store_true", help="only print the commands")
    back.add_argument("--namespace", default="tombola", help="of Kubernetes")
    back.add_argument("--roles", default="ingress,worker,scheduler,web", help="deployments of Kubernetes")
    back.add_argument("--file", default="deploy/compose.yaml", help="of Compose")
    back.add_argument(
        "--previous",
        default="",
        help="image (Kubernetes), tag of it (Compose) or folder (systemd) of the version before",
    )
    back.add_argument("--current", default="/opt/tombola", help="systemd: the link to the folder of the version")
    back.set_defaults(run=undo)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns its exit status."""
    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
    except (NoAnswerError, CommandFailedError, ValueError, OSError) as problem:
        print(f"failed: {problem}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
