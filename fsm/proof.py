"""The proof of a draw: a document that anyone can check without trusting the server that wrote it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fsm import draw, prizes
from fsm.lobby import BadRule, check_bounds, check_choice

FORMAT = "tombola-proof/1"
UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, BadRule)
"""What reading a document raises that has the format's name and not its shape."""
MODES = ("normal", "reverse")
ABSENT_POLICIES = ("drop", "auto")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked. ``code`` names its sentence in the locales."""

    code: str
    passed: bool
    parameters: Mapping[str, Any]


class NotAProof(ValueError):
    """The document is not a proof at all. ``str()`` is a code of the locales."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one way to write a proof: sorted keys, two spaces, ASCII, a line feed at the end."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n").encode()


def seal(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the checksum of everything else in it."""
    return {**document, "checksum": _checksum(document)}


def _checksum(document: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in document.items() if key != "checksum"}
    return hashlib.sha256(canonical(rest)).hexdigest()


def verify(raw: bytes) -> tuple[Check, ...]:
    """Recompute a draw from its proof. Raises ``NotAProof`` where it can't be read; a false claim is a failed check."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotAProof("not-json") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NotAProof("unknown-format")
    try:
        return tuple(_checks(raw, document))
    except UNREADABLE as error:
        raise NotAProof("incomplete") from error


def _checks(raw: bytes, proof: Mapping[str, Any]) -> list[Check]:
    _refuse_nonsense(proof)
    highest, winners, beacon = proof["highest"], proof["winners"], proof["beacon"]
    picked = _owners(proof["picked"])
    assigned = _assigned(proof, picked)
    owners = {**picked, **{number: player for player, number in assigned.items()}}
    randomness = beacon["randomness"] if beacon else ""
    full = draw.order(proof["game"], highest, owners, proof["seed"], randomness)
    reverse = proof["mode"] == "reverse"
    drawn = draw.drawn_in_reverse(full, owners) if reverse else draw.drawn_normally(full, owners, winners)
    numbers = draw.winners_in_reverse(drawn, owners, winners) if reverse else draw.winners_normally(drawn, owners)
    return [
        Check("document", raw == canonical(proof) and proof["checksum"] == _checksum(proof), {}),
        Check("commitment", draw.commitment(proof["seed"]) == proof["commitment"], {"hash": proof["commitment"]}),
        Check("entries", _one_each(proof, owners, highest), {"count": len(owners), "highest": highest}),
        Check("absent", assigned == dict(proof["assigned"]), {"count": len(assigned)}),
        Check("digest", draw.digest(proof["game"], highest, owners) == proof["digest"], {"hash": proof["digest"]}),
        *_beacon_checks(beacon, proof["beacon_expected"]),
        Check("order", list(drawn) == proof["drawn"], {"count": len(drawn)}),
        Check("places", [[n, owners[n]] for n in numbers] == _places(proof), {"count": len(numbers)}),
        Check("prizes", _amounts(proof, len(numbers)) == [Decimal(p["prize"]) for p in proof["places"]],
              {"pool": proof["pool"]}),
    ]  # fmt: skip


def _refuse_nonsense(proof: Mapping[str, Any]) -> None:
    """Raise where a value is of no game at all: ``TypeError``, ``ValueError`` or ``BadRule``.

    It also bounds what a forged document can cost.
    """
    pairs = [*proof["picked"], *proof["assigned"]]
    whole = [proof["highest"], proof["winners"], *proof["absent"], *(part for pair in pairs for part in pair)]
    if any(type(number) is not int for number in whole):
        raise TypeError("whole numbers are written as such")
    if any(type(proof[name]) is not str for name in ("game", "kind", "title")):
        raise TypeError("what it is called is text")
    check_choice("mode", proof["mode"], MODES)
    check_choice("absent", proof["absent_policy"], ABSENT_POLICIES)
    check_bounds("numbers", proof["highest"], 1, draw.HIGHEST_NUMBER)
    percentages = [Decimal(p) for p in proof["percentages"]]
    prizes.check_prizes(Decimal(proof["pool"]), proof["split"], percentages, proof["winners"])


def _owners(pairs: Sequence[Sequence[int]]) -> dict[int, int]:
    return {number: player for number, player in pairs}  # noqa: C416 -- a pair of three is refused


def _assigned(proof: Mapping[str, Any], picked: Mapping[int, int]) -> dict[int, int]:
    if proof["absent_policy"] != "auto":
        return {}
    return draw.assign_absent(proof["game"], proof["highest"], picked, proof["absent"], proof["seed"])


def _one_each(proof: Mapping[str, Any], owners: Mapping[int, int], highest: int) -> bool:
    """Every number once, in the range, and nobody with two."""
    listed = len(proof["picked"]) + len(proof["assigned"])
    return listed == len(owners) == len(set(owners.values())) and all(1 <= number <= highest for number in owners)


def _places(proof: Mapping[str, Any]) -> list[list[int]]:
    ordered = [place["place"] for place in proof["places"]]
    if ordered != list(range(1, len(ordered) + 1)):
        return []
    return [[place["number"], place["player"]] for place in proof["places"]]


def _amounts(proof: Mapping[str, Any], count: int) -> list[Decimal]:
    percentages = [Decimal(p) for p in proof["percentages"]]
    places = range(1, count + 1)
    return list(prizes.for_places(Decimal(proof["pool"]), proof["split"], places, percentages))


def _beacon_checks(beacon: Mapping[str, Any] | None, expected: int | None) -> list[Check]:
    """That the beacon's round is the one announced, and its randomness that of its signature.

    The signature itself is checked against the beacon by hand. A round that did not come in time is no false claim,
    but it is said.
    """
    if beacon is None:
        return [] if expected is None else [Check("beacon-missing", passed=True, parameters={"round": expected})]
    genuine = beacon["round"] == expected and draw.is_signed(beacon["randomness"], beacon["signature"])
    return [Check("beacon", genuine, {"round": beacon["round"], "chain": beacon["chain"]})]
