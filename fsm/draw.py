"""The draw. It is committed to before anybody picks, and anyone can recompute it afterwards.

The algorithm, complete (``docs/fairness.md`` says it in prose):

1. SHA-256 of the 32-byte secret ``seed`` is bound by what is published when selection opens (``fsm/proof.py``).
2. The *digest* is SHA-256 of the entries' canonical text (``canonical_entries``), which exists when selection closes.
3. ``key`` = HMAC-SHA256(seed, label || digest || beacon), the beacon's bytes being empty where none is mixed in.
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
"""No range is longer."""
MOST_FRAMES, SINGLE_FRAMES = 20, 10
"""Limit of the steps of a show, and the number of last steps that hold a single hit each."""


def commitment(seed: str) -> str:
    """Return SHA-256 of the 32 bytes of a seed. Both are lower-case hex."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def canonical_entries(game_id: str, highest: int, owners: Mapping[int, PlayerId]) -> bytes:
    """The entries as everybody must write them: a header line, then ``number player`` by number, each ending in LF."""
    lines = [f"tombola-entries/1 {game_id} 1..{highest}", *(f"{n} {owners[n]}" for n in sorted(owners))]
    return ("\n".join(lines) + "\n").encode()


def digest(game_id: str, highest: int, owners: Mapping[int, PlayerId]) -> str:
    """SHA-256 of the canonical entries, hex."""
    return hashlib.sha256(canonical_entries(game_id, highest, owners)).hexdigest()


def shuffle(items: Iterable[int], seed: str, label: bytes, entries_digest: str, beacon: str = "") -> tuple[int, ...]:
    """The items in the order that the seed, the entries and the beacon give, each order equally likely."""
    order = list(items)
    key = hmac.digest(bytes.fromhex(seed), label + bytes.fromhex(entries_digest) + bytes.fromhex(beacon), "sha256")
    words = _words(key)
    for last in range(len(order) - 1, 0, -1):
        other = _below(last + 1, words)
        order[last], order[other] = order[other], order[last]
    return tuple(order)


def _words(key: bytes) -> Iterator[int]:
    """Uniform 64-bit words, without end."""
    counter = 0
    while True:
        block = hmac.digest(key, counter.to_bytes(8, "big"), "sha256")
        counter += 1
        for start in range(0, 32, 8):
            yield int.from_bytes(block[start : start + 8], "big")


def _below(bound: int, words: Iterator[int]) -> int:
    """A uniform number in ``0..bound-1``: a word in the incomplete last multiple of ``bound`` is thrown away."""
    limit = WORD - WORD % bound
    return next(word for word in words if word < limit) % bound


def order(game_id: str, highest: int, owners: Mapping[int, PlayerId], seed: str, beacon: str = "") -> tuple[int, ...]:
    """The whole range in the order drawn."""
    return shuffle(range(1, highest + 1), seed, DRAW, digest(game_id, highest, owners), beacon)


def assign_absent(
    game_id: str, highest: int, owners: Mapping[int, PlayerId], absent: Sequence[PlayerId], seed: str
) -> dict[PlayerId, int]:
    """A random free number for each absent player, in their joining order."""
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
    """The draws of normal mode: up to the one that gives the last place. Not more places than entries."""
    wanted = min(winners, len(owners))
    hits = 0
    for count, number in enumerate(full, start=1):
        hits += number in owners
        if hits == wanted:
            return tuple(full[:count])
    return ()


def drawn_in_reverse(full: Sequence[int], owners: Mapping[int, PlayerId]) -> tuple[int, ...]:
    """The draws of reverse mode: up to the one that leaves a single number standing."""
    return drawn_normally(full, owners, len(owners) - 1) if len(owners) > 1 else ()


def winners_normally(drawn: Sequence[int], owners: Mapping[int, PlayerId]) -> tuple[int, ...]:
    """Winning numbers, first place first: those drawn that belong to someone."""
    return tuple(number for number in drawn if number in owners)


def winners_in_reverse(drawn: Sequence[int], owners: Mapping[int, PlayerId], winners: int) -> tuple[int, ...]:
    """Winning numbers, first place first: the one never drawn, then the ones drawn last."""
    eliminated = winners_normally(drawn, owners)
    standing = [number for number in owners if number not in set(eliminated)]
    return (*standing, *reversed(eliminated))[:winners]


def frames(drawn: Sequence[int], owners: Mapping[int, PlayerId]) -> tuple[int, ...]:
    """Return the number of draws shown after each step of the show, ascending; the last is all of them.

    A step ends with a number that belongs to someone: a run of misses is shown with the hit that ends it. Where there
    are more than ``MOST_FRAMES`` hits, the first steps hold several, so that the last ones, which matter, come one by
    one.
    """
    hits = [count for count, number in enumerate(drawn, start=1) if number in owners]
    early, single = hits[:-SINGLE_FRAMES], hits[-SINGLE_FRAMES:]
    stride = max(1, -(-len(early) // (MOST_FRAMES - SINGLE_FRAMES)))
    return (*early[stride - 1 :: stride], *single)
