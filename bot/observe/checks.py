"""What ``/health`` asks of each dependency."""

from collections.abc import Mapping
from typing import Any

from bot.observe.health import Check
from bot.runtime import Breaker, Runtime

OVERDUE_MS = 5_000
"""A deadline that is overdue for longer says that nobody fires them."""


def breaker_check(guard: Breaker) -> Check:
    """The check of a service that is known by its circuit alone."""

    async def check() -> Mapping[str, Any]:
        return _breaker(guard)

    return check


def _breaker(guard: Breaker) -> Mapping[str, Any]:
    return {"ok": guard.state == "closed", "breaker": guard.state}


def checks(parts: Runtime, roles: frozenset[str]) -> dict[str, Check]:
    """The checks of a process with these roles, by name."""

    async def redis() -> Mapping[str, Any]:
        await parts.redis.ping()
        return {"breaker": parts.breakers["redis"].state}

    async def postgres() -> Mapping[str, Any]:
        await parts.pool.fetchval("SELECT 1")
        return {
            "pool": parts.pool.get_size(),
            "idle": parts.pool.get_idle_size(),
            "breaker": parts.breakers["postgres"].state,
        }

    async def telegram() -> Mapping[str, Any]:
        return {"latency_ms": round(parts.api.latency_ms, 2), **_breaker(parts.api)}

    async def outbox() -> Mapping[str, Any]:
        depth = await parts.outbox.depth()
        return {
            "ready": sum(depth.ready),
            "delayed": depth.delayed,
            "in_flight": depth.in_flight,
            "oldest_ms": max(depth.oldest_ms),
            "dropped": depth.dropped,
        }

    async def deadlines() -> Mapping[str, Any]:
        now = parts.clock.now()
        due = await parts.games.due(now, limit=1)
        overdue = max(0, now - due[0][1]) if due else 0
        return {"ok": overdue < OVERDUE_MS, "oldest_overdue_ms": overdue}

    async def feed() -> Mapping[str, Any]:
        lags = {group: await parts.feed(group).lag() for group in parts.groups}
        return {group: {"entries": lag.entries, "oldest_ms": lag.ms} for group, lag in lags.items()}

    found: dict[str, Check] = {
        "redis": redis,
        "postgres": postgres,
        "telegram": telegram,
        "outbox": outbox,
        "deadlines": deadlines,
    }
    return {**found, "feed": feed} if "worker" in roles else found
