"""Troubles to order: what the next calls of the bot meet instead of an answer."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, get_args

# "drop" loses the call, "lost" carries it out and loses the answer
FaultKind = Literal["502", "500", "429", "hang", "garbage", "drop", "lost"]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(slots=True)
class Fault:
    """One trouble; `method`, in lower case, limits it; `seconds`: retry_after, or how long it hangs."""

    kind: FaultKind
    method: str = ""
    seconds: float = 1.0


@dataclass(slots=True)
class Faults:
    """Troubles waiting for calls. `always` stays until it is set to None."""

    planned: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    met: int = 0

    def add(self, kind: FaultKind, times: int = 1, *, method: str = "", seconds: float = 1.0) -> None:
        """The next `times` calls (of `method`, or any) meet `kind`. Raises ValueError for an unknown kind."""
        if kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(FAULT_KINDS)}")
        self.planned.extend(Fault(kind, method.lower(), seconds) for _ in range(times))

    def take(self, method: str) -> Fault | None:
        """The trouble that this call meets, if any."""
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
        """No more trouble."""
        self.planned.clear()
        self.always = None
