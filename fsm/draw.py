"""The draw: committed to before anybody picks, and recomputable by anyone afterwards.

The complete algorithm (``docs/fairness.md`` explains it):

1. SHA-256 of the 32-byte secret ``seed`` is bound by the statement published when selection opens (``fsm/proof.py``).
2. The *digest* is SHA-256 of the entries' canonical text (``canonical_entries``), fixed when selection closes.
3. ``key`` = HMAC-SHA256(seed, label || digest || beacon); the beacon's bytes are empty if none is mixed in.
4. A stream of 64-bit big-endian words: the blocks HMAC-SHA256(key, counter as 8 bytes big-endian), counter 0, 1, ...
5. Fisher-Yates from the end over the range, each index by rejection sampling, so that it has no bias.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fsm.kind import PlayerId

DRAW = b"tombola/draw/1"
ABSENT = b"tombola/absent/1"
WORD = 1 << 64
HIGHEST_NUMBER = 10_000
"""Largest upper end of a range."""
MOST_FRAMES, SINGLE_FRAMES = 14, 10
"""Maximum number of steps of a show, and the number of last steps that hold a single hit each.

Telegram allows a group 20 messages and edits a minute. A show at the usual pace fits into one minute together with the
messages before and after it, so that it never stops in the middle.
"""


def commitment(seed: str) -> str:
    """Return SHA-256 of the 32 bytes of a seed. Both are lower-case hex."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def canonical_entries(game_id: str, highest: int, owners: Mapping[int, PlayerId]) -> bytes:
    """Return the canonical text of the entries: a header line, then ``number player`` by number, each ending in LF."""
    lines = [f"tombola-entries/1 {game_id} 1..{highest}", *(f"{n} {owners[n]}" for n in sorted(owners))]
    return ("\n".join(lines) + "\n").encode()


def digest(game_id: str, highest: int, owners: Mapping[int, PlayerId]) -> str:
    """Return SHA-256 of the canonical entries, hex."""
    return hashlib.sha256(canonical_entries(game_id, highest, owners)).hexdigest()


def shuffle(items: Iterable[int], seed: str, label: bytes, entries_digest: str, beacon: str = "") -> tuple[int, ...]:
    """Return the items in the order that seed, label, entries and beacon determine. All orders are equally likely."""
    order = list(items)
    key = hmac.digest(bytes.fromhex(seed), label + bytes.fromhex(entries_digest) + bytes.fromhex(beacon), "sha256")
    words = _words(key)
    for last in range(len(order) - 1, 0, -1):
        other = _below(last + 1, words)
        order[last], order[other] = order[other], order[last]
    return tuple(order)


def _words(key: bytes) -> Iterator[int]:
    """Yield uniform 64-bit words, endlessly."""
    counter = 0
    while True:
        block = hmac.digest(key, counter.to_bytes(8, "big"), "sha256")
        counter += 1
        for start in range(0, 32, 8):
            yield int.from_bytes(block[start : start + 8], "big")


def _below(bound: int, words: Iterator[int]) -> int:
    """Return a uniform number in ``0..bound-1``, skipping words in the incomplete last multiple of ``bound``."""
    limit = WORD - WORD % bound
    return next(word for word in words if word < limit) % bound


def order(game_id: str, highest: int, owners: Mapping[int, PlayerId], seed: str, beacon: str = "") -> tuple[int, ...]:
    """Return the whole range in the order of the draw."""
    return shuffle(range(1, highest + 1), seed, DRAW, digest(game_id, highest, owners), beacon)


def assign_absent(
    game_id: str, highest: int, owners: Mapping[int, PlayerId], absent: Sequence[PlayerId], seed: str
) -> dict[PlayerId, int]:
    """Return a random free number for each absent player, in their joining order."""
    free = [number for number in range(1, highest + 1) if number not in owners]
    return dict(zip(absent, shuffle(free, seed, ABSENT, digest(game_id, highest, owners)), strict=False))


def is_signed(randomness: str, signature: str) -> bool:
    """Check that a beacon's randomness is SHA-256 of its signature, as drand's is. Both are lower-case hex."""
    try:
        signed = bytes.fromhex(signature)
    except ValueError:
        return False
    return bool(signed) and signed.hex() == signature and hashlib.sha256(signed).hexdigest() == randomness


def drawn_normally(full: Sequence[int], owners: Mapping[int, PlayerId], winners: int) -> tuple[int, ...]:
    """Return the draws of normal mode, up to the one that fills the last place.

    There are at most as many places as entries.
    """
    wanted = min(winners, len(owners))
    hits = 0
    for count, number in enumerate(full, start=1):
        hits += number in owners
        if hits == wanted:
            return tuple(full[:count])
    return ()


def drawn_in_reverse(full: Sequence[int], owners: Mapping[int, PlayerId]) -> tuple[int, ...]:
    """Return the draws of reverse mode, up to the one that leaves a single number."""
    return drawn_normally(full, owners, len(owners) - 1) if len(owners) > 1 else ()


def winners_normally(drawn: Sequence[int], owners: Mapping[int, PlayerId]) -> tuple[int, ...]:
    """Return the winning numbers, first place first: the drawn numbers that have an owner."""
    return tuple(number for number in drawn if number in owners)


def winners_in_reverse(drawn: Sequence[int], owners: Mapping[int, PlayerId], winners: int) -> tuple[int, ...]:
    """Return the winning numbers, first place first: the one that was never drawn, then the ones drawn last."""
    eliminated = winners_normally(drawn, owners)
    standing = [number for number in owners if number not in set(eliminated)]
    return (*standing, *reversed(eliminated))[:winners]


def frames(drawn: Sequence[int], owners: Mapping[int, PlayerId]) -> tuple[int, ...]:
    """Return the number of draws shown after each step of the show, ascending; the last is all of them.

    A step ends with a hit, a number that has an owner: misses are shown with the hit that follows them. If there are
    more than ``MOST_FRAMES`` hits, the first steps hold several, so that the last ones, which decide, are shown one by
    one.
    """
    hits = [count for count, number in enumerate(drawn, start=1) if number in owners]
    early, single = hits[:-SINGLE_FRAMES], hits[-SINGLE_FRAMES:]
    stride = max(1, -(-len(early) // (MOST_FRAMES - SINGLE_FRAMES)))
    return (*early[stride - 1 :: stride], *single)
