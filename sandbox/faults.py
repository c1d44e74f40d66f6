"""Scheduled faults: what happens to the next calls of the bot instead of an answer."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, get_args

# "drop" loses the call; "lost" carries it out and loses the answer
FaultKind = Literal["502", "500", "429", "hang", "garbage", "drop", "lost"]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(slots=True)
class Fault:
    """One fault.

    `method`, in lower case, limits it to a method; `seconds` is retry_after, or the duration of a hang.
    """

    kind: FaultKind
    method: str = ""
    seconds: float = 1.0


@dataclass(slots=True)
class Faults:
    """Scheduled faults. `always` applies until it is set to None."""

    planned: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    met: int = 0

    def add(self, kind: FaultKind, times: int = 1, *, method: str = "", seconds: float = 1.0) -> None:
        """Schedule a fault for the next `times` calls (of `method`, or any). Raises ValueError for an unknown kind."""
        if kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(FAULT_KINDS)}")
        self.planned.extend(Fault(kind, method.lower(), seconds) for _ in range(times))

    def take(self, method: str) -> Fault | None:
        """Return the fault of this call, or None, and use it up."""
        for fault in self.planned:
            if fault.method in ("", method):
                self.planned.remove(fault)
                self.met += 1
                return fault
        if self.always and self.always.method in ("", method):
            self.met += 1
            return self.always
        return None

    def clear(self) -> None:
        """Remove all faults."""
        self.planned.clear()
        self.always = None
