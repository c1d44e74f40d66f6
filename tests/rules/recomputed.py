"""Second implementation of the draw, from ``docs/fairness.md`` alone, without any of the bot's code."""

import json
from fractions import Fraction
from hashlib import sha256
from hmac import digest as hmac_digest
from itertools import count
from typing import Any

Steps = dict[str, str]
"""Intermediate values, by their names in the documentation's example."""


def entries_text(game: str, highest: int, entries: dict[int, int]) -> str:
    """Return the canonical text of entries."""
    text = f"tombola-entries/1 {game} 1..{highest}\n"
    for number, player in sorted(entries.items()):
        text += f"{number} {player}\n"
    return text


def shuffled(
    numbers: list[int], seed: bytes, label: str, digest: bytes, randomness: bytes, steps: Steps, prefix: str
) -> list[int]:
    """Return the shuffled numbers."""
    key = hmac_digest(seed, label.encode("ascii") + digest + randomness, "sha256")
    steps[f"{prefix}.key"] = key.hex()
    steps[f"{prefix}.block 0"] = hmac_digest(key, b"\0" * 8, "sha256").hex()
    stream = (
        int.from_bytes(hmac_digest(key, counter.to_bytes(8, "big"), "sha256")[8 * i : 8 * i + 8], "big")
        for counter in count()
        for i in range(4)
    )
    numbers = list(numbers)
    last = len(numbers) - 1
    while last >= 1:
        bound = last + 1
        word = next(stream)
        while word >= 2**64 - (2**64 % bound):
            word = next(stream)
        other = word % bound
        numbers[last], numbers[other] = numbers[other], numbers[last]
        last -= 1
    steps[f"{prefix}.shuffled"] = " ".join(str(number) for number in numbers)
    return numbers


def prize_amounts(pool: str, split: str, percentages: list[str], winners: int) -> list[str]:
    """Return the prizes of ``winners`` places, best first."""
    if split == "equal":
        shares = [Fraction(1, winners)] * winners
    elif split == "percentages":
        taken = [Fraction(percentage) for percentage in percentages[:winners]]
        shares = [percentage / sum(taken) for percentage in taken]
    elif winners == 1:
        shares = [Fraction(1)]
    else:
        below = range(winners - 1, 0, -1)
        shares = [Fraction(1, 2)] + [Fraction(part, 2 * sum(below)) for part in below]
    decimals = max(2, len(pool.partition(".")[2]))
    unit = Fraction(1, 10**decimals)
    exact = [Fraction(pool) * share / unit for share in shares]
    units = [part.numerator // part.denominator for part in exact]
    left = int(Fraction(pool) / unit) - sum(units)
    order = sorted(range(winners), key=lambda place: (units[place] - exact[place], place))
    for place in order[:left]:
        units[place] += 1
    return [f"{n // unit.denominator}.{n % unit.denominator:0{decimals}}" for n in units]


def written(document: dict[str, Any]) -> bytes:
    """Return the canonical bytes of a proof."""
    return (json.dumps(document, sort_keys=True, indent=2, separators=(",", ": ")) + "\n").encode("ascii")


def recompute(proof: dict[str, Any]) -> tuple[dict[str, Any], Steps]:
    """Return the document that the proof should be, and the steps to it."""
    steps: Steps = {}
    seed, game, highest = bytes.fromhex(proof["seed"]), proof["game"], proof["highest"]
    picked = {number: player for number, player in proof["picked"]}  # noqa: C416
    steps["commitment"] = sha256(seed).hexdigest()
    assigned: list[list[int]] = []
    if proof["absent_policy"] == "auto":
        digest = sha256(entries_text(game, highest, picked).encode("ascii")).digest()
        steps["absent.digest"] = digest.hex()
        free = [number for number in range(1, highest + 1) if number not in picked]
        free = shuffled(free, seed, "tombola/absent/1", digest, b"", steps, "absent")
        assigned = [[player, free[i]] for i, player in enumerate(proof["absent"])]
    entries = picked | {number: player for player, number in assigned}
    digest = sha256(entries_text(game, highest, entries).encode("ascii")).digest()
    steps["draw.digest"] = digest.hex()
    randomness = bytes.fromhex(proof["beacon"]["randomness"]) if proof["beacon"] else b""
    order = shuffled(list(range(1, highest + 1)), seed, "tombola/draw/1", digest, randomness, steps, "draw")
    hits = [number for number in order if number in entries]
    wanted = len(hits) - 1 if proof["mode"] == "reverse" else min(proof["winners"], len(hits))
    drawn = order[: order.index(hits[wanted - 1]) + 1] if wanted else []
    ranking = hits[::-1] if proof["mode"] == "reverse" else hits
    winners = ranking[: proof["winners"]]
    amounts = prize_amounts(proof["pool"], proof["split"], proof["percentages"], len(winners))
    claims = {
        "commitment": steps["commitment"],
        "assigned": assigned,
        "digest": digest.hex(),
        "drawn": drawn,
        "places": [
            {"place": place, "number": number, "player": entries[number], "prize": amount}
            for place, (number, amount) in enumerate(zip(winners, amounts, strict=True), start=1)
        ],
        "checksum": sha256(written({k: v for k, v in proof.items() if k != "checksum"})).hexdigest(),
    }
    return claims, steps
