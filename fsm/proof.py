"""The proof of a draw: a document that anyone can check without trusting the server that wrote it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from fsm import draw, prizes

FORMAT = "tombola-proof/1"


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
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, InvalidOperation) as error:
        raise NotAProof("incomplete") from error


def _checks(raw: bytes, proof: Mapping[str, Any]) -> list[Check]:
    highest, winners = int(proof["highest"]), int(proof["winners"])
    picked = _owners(proof["picked"])
    assigned = _assigned(proof, picked)
    owners = {**picked, **{number: player for player, number in assigned.items()}}
    beacon = proof["beacon"]
    randomness = beacon["randomness"] if beacon else ""
    full = draw.order(proof["game"], highest, owners, proof["seed"], randomness)
    reverse = proof["mode"] == "reverse"
    drawn = draw.drawn_in_reverse(full, owners) if reverse else draw.drawn_normally(full, owners, winners)
    numbers = draw.winners_in_reverse(drawn, owners, winners) if reverse else draw.winners_normally(drawn, owners)
    return [
        Check("document", raw == canonical(proof) and proof["checksum"] == _checksum(proof), {}),
        Check("commitment", draw.commitment(proof["seed"]) == proof["commitment"], {"hash": proof["commitment"]}),
        Check("entries", _one_each(proof, owners, highest), {"count": len(owners), "highest": highest}),
        Check("absent", assigned == {p: n for p, n in proof["assigned"]}, {"count": len(assigned)}),
        Check("digest", draw.digest(proof["game"], highest, owners) == proof["digest"], {"hash": proof["digest"]}),
        *([_beacon_check(beacon)] if beacon else []),
        Check("order", list(drawn) == proof["drawn"], {"count": len(drawn)}),
        Check("places", [[n, owners[n]] for n in numbers] == _places(proof), {"count": len(numbers)}),
        Check("prizes", _amounts(proof, len(numbers)) == [Decimal(p["prize"]) for p in proof["places"]],
              {"pool": proof["pool"]}),
    ]  # fmt: skip


def _owners(pairs: Sequence[Sequence[int]]) -> dict[int, int]:
    return {int(number): int(player) for number, player in pairs}


def _assigned(proof: Mapping[str, Any], picked: Mapping[int, int]) -> dict[int, int]:
    if proof["absent_policy"] != "auto":
        return {}
    return draw.assign_absent(proof["game"], int(proof["highest"]), picked, proof["absent"], proof["seed"])


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


def _beacon_check(beacon: Mapping[str, Any]) -> Check:
    """A drand beacon's randomness is the SHA-256 of its signature; the round is checked against the beacon by hand."""
    signed = hashlib.sha256(bytes.fromhex(beacon["signature"])).hexdigest() == beacon["randomness"]
    return Check("beacon", signed, {"round": beacon["round"], "chain": beacon["chain"]})
