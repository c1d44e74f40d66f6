"""Ids of traces, computed from a game and the eight digits that logs and calls carry. Needs no OpenTelemetry."""

import hashlib
from collections.abc import Callable
from typing import Final

SPACE: Final = 1 << 32
"""Number of values of ``trace_of``."""


def trace_id(game_id: str, short: str) -> int:
    """Return the id of a trace, 128 bits, from the game and the eight digits that logs and calls carry."""
    return int.from_bytes(hashlib.blake2b(f"{game_id}:{short}".encode(), digest_size=16).digest()) or 1


def root_id(whole: int) -> int:
    """Return the id of a trace's root span, 64 bits."""
    return int.from_bytes(hashlib.blake2b(whole.to_bytes(16), digest_size=8).digest()) or 1


def sampling(ratio: float) -> Callable[[str], bool]:
    """Return a function that tells if the trace with these eight digits is recorded. Every process answers the same."""
    below = round(ratio * SPACE)

    def sampled(short: str) -> bool:
        return bool(short) and int(short, 16) < below

    return sampled
