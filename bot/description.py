"""The description of a running process, for the registry of processes."""

import socket
import time

import msgspec

from bot import VERSION
from bot.runtime import Runtime
from storage.leases import held_by
from storage.processes import Load, Process


class Description:
    """Describes a process: each call gives its load since the call before."""

    def __init__(self, runtime: Runtime, roles: frozenset[str], port: int) -> None:
        self._runtime = runtime
        self._process = Process(
            runtime.owner,
            tuple(sorted(roles)),
            VERSION,
            port,
            runtime.play.clock.now(),
            host=socket.gethostname(),
        )
        self._at, self._busy, self._updates = time.monotonic(), time.process_time(), 0

    def __call__(self) -> Process:
        """Return the process as it is now."""
        at, busy, updates = time.monotonic(), time.process_time(), sum(self._runtime.metrics.updates.values())
        seconds = max(at - self._at, 0.001)
        load = Load(
            processor=round((busy - self._busy) / seconds, 3),
            updates=round((updates - self._updates) / seconds, 1),
            tasks=len(self._runtime.tasks),
            games=self._runtime.play.engine.games_in_memory,
        )
        self._at, self._busy, self._updates = at, busy, updates
        return msgspec.structs.replace(self._process, load=load, leases=tuple(held_by(self._runtime.owner)))
