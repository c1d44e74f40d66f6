"""Health: what each dependency says, how far behind we are, and whether to send us traffic."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loguru import logger

CHECK_SECONDS = 2.0
"""A dependency that takes longer to answer is down."""
FRESH_SECONDS = 1.0
"""A report is given again for so long: a probe costs little, however often it is made."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One dependency."""

    well: bool
    latency_ms: float
    detail: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"ok": self.well, "latency_ms": round(self.latency_ms, 2), **self.detail}


@dataclass(frozen=True, slots=True)
class Report:
    """All dependencies. ``ready``: those that updates can't be handled without are well."""

    ready: bool
    checks: Mapping[str, Checked]
    started_at: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        well = all(check.well for check in self.checks.values())
        return {
            "status": "ok" if well else "degraded" if self.ready else "down",
            "uptime_seconds": round(time.time() - self.started_at, 1),
            "checks": {name: check.as_dict() for name, check in self.checks.items()},
        }


Check = Callable[[], Awaitable[Mapping[str, Any]]]
"""Raises where the dependency is down; returns details. ``ok: False`` in them says degraded."""


class Health:
    """Asks all dependencies, side by side. ``needed`` are those without which there is nothing to serve."""

    def __init__(self, checks: Mapping[str, Check], *, needed: frozenset[str]) -> None:
        self._checks = checks
        self._needed = needed
        self._started_at = time.time()
        self._last: tuple[float, Report] | None = None
        self._lock = asyncio.Lock()
        self.stopping = False
        """Set when the process stops taking traffic."""

    async def report(self) -> Report:
        """The state of everything, at most a second old."""
        async with self._lock:
            if self._last is not None and time.monotonic() - self._last[0] < FRESH_SECONDS and not self.stopping:
                return self._last[1]
            found = await asyncio.gather(*(_ask(name, check) for name, check in self._checks.items()))
            checks = dict(zip(self._checks, found, strict=True))
            ready = not self.stopping and all(checks[name].well for name in self._needed if name in checks)
            report = Report(ready, checks, self._started_at)
            self._last = (time.monotonic(), report)
            return report


async def _ask(name: str, check: Check) -> Checked:
    began = time.perf_counter()
    try:
        detail = dict(await asyncio.wait_for(check(), CHECK_SECONDS))
    except Exception as error:  # noqa: BLE001 -- whatever it is, the dependency is not well
        logger.debug("{} is not well: {}", name, error)
        return Checked(False, (time.perf_counter() - began) * 1000, {"error": type(error).__name__})
    return Checked(bool(detail.pop("ok", True)), (time.perf_counter() - began) * 1000, detail)
