"""A sampler of the main thread, weighted by processor time.

A timer of the operating system sends a signal after each hundredth of a second of processor time that the process has
used. The handler notes the functions that are under way. A process that waits uses no time, so it has no samples, and
a process without a profile under way pays nothing.
"""

import signal
import sys
import time
from collections import Counter
from types import CodeType, FrameType
from typing import Final

INTERVAL: Final = 0.01
"""Processor time between two samples, in seconds."""
DEEPEST: Final = 128
MOST_STACKS: Final = 5_000
"""Maximum number of different stacks. Further ones are counted together."""
OTHER_THREADS: Final = ("(other threads)",)
OTHER_STACKS: Final = ("(further stacks)",)
SUPPORTED: Final = hasattr(signal, "setitimer")
"""False on Windows."""


class Profiler:
    """Samples the process until it is stopped. Only the main thread may start and stop it, and only one may run."""

    def __init__(self) -> None:
        self._stacks: Counter[tuple[CodeType | str, ...]] = Counter()
        self._own = self._all = 0

    @property
    def samples(self) -> int:
        """The number of different stacks so far."""
        return len(self._stacks)

    @property
    def samples_of_others(self) -> int:
        """The nanoseconds that other threads have used so far."""
        return self._stacks[OTHER_THREADS]

    def start(self) -> None:
        """Begin to sample."""
        self._own, self._all = time.thread_time_ns(), time.process_time_ns()
        signal.signal(signal.SIGPROF, self._sample)
        signal.siginterrupt(signal.SIGPROF, False)  # calls of the operating system go on after a signal
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def stop(self) -> str:
        """End. Return a line for each stack: its functions, outermost first, and its microseconds.

        Speedscope and flamegraph.pl read this format.
        """
        signal.setitimer(signal.ITIMER_PROF, 0)
        # A signal may be on its way, and the default action would end the process.
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        stacks = ((";".join(map(_label, stack)), spent // 1000) for stack, spent in self._stacks.most_common())
        return "".join(f"{stack} {spent}\n" for stack, spent in stacks if spent)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        own, whole = time.thread_time_ns(), time.process_time_ns()
        spent, elsewhere = own - self._own, whole - self._all - (own - self._own)
        self._own, self._all = own, whole
        stack: list[CodeType | str] = []
        while frame is not None and len(stack) < DEEPEST:
            stack.append(frame.f_code)
            frame = frame.f_back
        self._add(tuple(reversed(stack)), spent)
        if elsewhere > 0:
            self._add(OTHER_THREADS, elsewhere)

    def _add(self, stack: tuple[CodeType | str, ...], spent: int) -> None:
        if stack not in self._stacks and len(self._stacks) >= MOST_STACKS:
            stack = OTHER_STACKS
        self._stacks[stack] += spent


def _label(code: CodeType | str) -> str:
    """Return a function's name and place, without the characters that have a meaning in the format."""
    if isinstance(code, str):
        return code
    file = code.co_filename
    for folder in sorted(sys.path, key=len, reverse=True):
        if folder and file.startswith(folder):
            file = file[len(folder) :].lstrip("/\\")
            break
    return f"{code.co_qualname} ({file}:{code.co_firstlineno})".replace(";", ",").replace("\n", " ")
