"""Health: the state of each dependency, the backlog, and whether this process should receive traffic."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loguru import logger

from bot.clock import SystemClock
from bot.runtime import Runtime
from storage.breakers import Breaker
from storage.set_aside import SHOWN

CHECK_SECONDS = 2.0
"""Time limit for a dependency's answer. After it the dependency counts as down."""
FRESH_SECONDS = 1.0
"""Age up to which a report is reused, so that frequent probes cost little."""
FEED_LATE_MS = 15_000
"""Lag beyond which a group is stuck. A takeover from a dead or frozen reader takes ten seconds."""
OVERDUE_MS = 5_000
"""Lateness of a deadline beyond which no process seems to fire deadlines."""
BRIDGE_LATE_SECONDS = 300
"""Age of an unpublished event beyond which the bridge or its broker seems to be down."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking one dependency."""

    well: bool
    latency_ms: float
    detail: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the check as JSON-able values."""
        return {"ok": self.well, "latency_ms": round(self.latency_ms, 2), **self.detail}


@dataclass(frozen=True, slots=True)
class Report:
    """The state of all dependencies. ``ready`` is True if all that updates depend on are well."""

    ready: bool
    checks: Mapping[str, Checked]
    uptime_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        well = all(check.well for check in self.checks.values())
        return {
            "status": "ok" if well else "degraded" if self.ready else "down",
            "uptime_seconds": round(self.uptime_seconds, 1),
            "checks": {name: check.as_dict() for name, check in self.checks.items()},
        }


Check = Callable[[], Awaitable[Mapping[str, Any]]]
"""A check returns details, with ``ok: False`` if the dependency is degraded. It raises if the dependency is down."""


class Health:
    """Checks all dependencies concurrently. Without those in ``needed`` the process cannot serve."""

    def __init__(self, checks: Mapping[str, Check], *, needed: frozenset[str]) -> None:
        self._checks = checks
        self._needed = needed
        self._started_at = time.monotonic()
        self._last: tuple[float, Report] | None = None
        self._lock = asyncio.Lock()
        self.stopping = False
        """True once the process stops accepting traffic."""

    async def report(self) -> Report:
        """Return the state of all dependencies, at most one second old."""
        async with self._lock:
            if self._last is not None and time.monotonic() - self._last[0] < FRESH_SECONDS and not self.stopping:
                return self._last[1]
            found = await asyncio.gather(*(_ask(name, check) for name, check in self._checks.items()))
            checks = dict(zip(self._checks, found, strict=True))
            ready = not self.stopping and all(checks[name].well for name in self._needed if name in checks)
            report = Report(ready, checks, time.monotonic() - self._started_at)
            self._last = (time.monotonic(), report)
            return report


async def _ask(name: str, check: Check) -> Checked:
    began = time.perf_counter()
    try:
        detail = dict(await asyncio.wait_for(check(), CHECK_SECONDS))
    except Exception as error:  # noqa: BLE001 -- any error means that the dependency is not well
        logger.debug("the check of {} failed: {}", name, error)
        return Checked(False, (time.perf_counter() - began) * 1000, {"error": type(error).__name__})
    return Checked(bool(detail.pop("ok", True)), (time.perf_counter() - began) * 1000, detail)


def _flag_check(flag: asyncio.Event) -> Check:
    async def check() -> Mapping[str, Any]:
        return {"ok": flag.is_set()}

    return check


def _breaker_check(guard: Breaker) -> Check:
    """Return the check of a service whose state is known only from its circuit breaker."""

    async def check() -> Mapping[str, Any]:
        return _breaker(guard)

    return check


def _breaker(guard: Breaker) -> Mapping[str, Any]:
    return {"ok": guard.state == "closed", "breaker": guard.state}


def checks(runtime: Runtime, roles: frozenset[str], accepts_everything: asyncio.Event | None) -> dict[str, Check]:
    """Return the checks of a process with these roles, by name.

    Args:
        runtime: the shared services.
        roles: the roles of the process.
        accepts_everything: set once aiogram is imported. Before that, only taps are answered. None if the process
            receives no updates.
    """

    async def redis() -> Mapping[str, Any]:
        await runtime.stores.redis.ping()
        return {"breaker": runtime.breakers["redis"].state}

    async def postgres() -> Mapping[str, Any]:
        await runtime.stores.pool.fetchval("SELECT 1")
        return {
            "pool": runtime.stores.pool.get_size(),
            "idle": runtime.stores.pool.get_idle_size(),
            "breaker": runtime.breakers["postgres"].state,
        }

    async def telegram() -> Mapping[str, Any]:
        return {"latency_ms": round(runtime.telegram.api.latency_ms, 2), **_breaker(runtime.telegram.api)}

    async def outbox() -> Mapping[str, Any]:
        depth = await runtime.telegram.outbox.depth()
        return {
            "ready": sum(depth.ready),
            "delayed": depth.delayed,
            "in_flight": depth.in_flight,
            "oldest_ms": max(depth.oldest_ms),
            "dropped": depth.dropped,
        }

    async def deadlines() -> Mapping[str, Any]:
        now = runtime.play.clock.now()
        overdue = await runtime.stores.games.overdue(now)
        stuck = dict(list(overdue.stuck.items())[:SHOWN])
        return {"ok": overdue.ms < OVERDUE_MS and not stuck, "oldest_overdue_ms": overdue.ms, "stuck": stuck}

    async def feed() -> Mapping[str, Any]:
        lags = {group: await runtime.feed(group).lag() for group in runtime.groups}
        behind = {group: {"entries": lag.entries, "oldest_ms": lag.ms} for group, lag in lags.items()}
        return {"ok": all(lag.ms < FEED_LATE_MS for lag in lags.values()), **behind}

    async def history() -> Mapping[str, Any]:
        lost = runtime.stores.projector.lost
        return {"ok": not lost, "rewound": runtime.stores.projector.rewound, "lost": dict(list(lost.items())[:SHOWN])}

    async def processes() -> Mapping[str, Any]:
        listed = await runtime.stores.processes.listed()
        shown = [{"name": each.name, "roles": each.roles, "version": each.version} for each in listed[:SHOWN]]
        return {"count": len(listed), "versions": sorted({each.version for each in listed}), "listed": shown}

    async def bridge() -> Mapping[str, Any]:
        waiting = await runtime.stores.unpublished.waiting()
        state = _breaker(runtime.breakers["bridge"])
        late = {"games": waiting.games, "oldest_seconds": round(waiting.seconds, 1)}
        return {**state, "ok": state["ok"] and waiting.seconds < BRIDGE_LATE_SECONDS, **late}

    found: dict[str, Check] = {
        "redis": redis,
        "postgres": postgres,
        "telegram": telegram,
        "outbox": outbox,
        "deadlines": deadlines,
        "processes": processes,
    }
    if "worker" in roles:
        found["feed"] = feed
        found["history"] = history
        if "bridge" in runtime.breakers:
            found["bridge"] = bridge
    found["set_aside"] = runtime.aside.check
    if isinstance(runtime.play.clock, SystemClock):
        found["clock"] = runtime.play.clock.check
    if accepts_everything is not None:
        found["updates"] = _flag_check(accepts_everything)
    return found | {name: _breaker_check(guard) for name, guard in runtime.breakers.items() if name not in found}
