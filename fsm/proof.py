"""The proof of a draw: a document that anyone can check without trusting the server that wrote it."""

import hashlib
import json
import re
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
LARGEST = 1 << 20
"""Bytes. The proof of a game of a thousand players with the longest range has less than half of it."""
FIELDS = frozenset(
    {
        "format", "game", "kind", "title", "mode", "winners", "highest", "commitment", "seed", "picked",
        "absent_policy", "absent", "assigned", "digest", "beacon", "beacon_expected", "drawn", "pool", "split",
        "percentages", "places", "checksum",
    }
)  # fmt: skip
PLACE_FIELDS = frozenset({"place", "player", "number", "prize"})
BEACON_FIELDS = frozenset({"chain", "round", "randomness", "signature"})
HASH, GAME, AMOUNT = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-z]+"), re.compile(r"[0-9]+(\.[0-9]+)?")
ANYTHING = re.compile(".*", re.DOTALL)


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
    if len(raw) > LARGEST:
        raise NotAProof("too-large")
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
        Check("absent", _absent_right(proof, picked, assigned), {"count": len(assigned)}),
        Check("digest", draw.digest(proof["game"], highest, owners) == proof["digest"], {"hash": proof["digest"]}),
        *_beacon_checks(beacon, proof["beacon_expected"]),
        Check("order", list(drawn) == proof["drawn"], {"count": len(drawn)}),
        Check("places", [[n, owners[n]] for n in numbers] == _places(proof), {"count": len(numbers)}),
        Check("prizes", _amounts(proof, len(numbers)) == [place["prize"] for place in proof["places"]],
              {"pool": proof["pool"]}),
    ]  # fmt: skip


def _refuse_nonsense(proof: Mapping[str, Any]) -> None:
    """Raise where a value is of no game at all: ``LookupError``, ``TypeError``, ``ValueError`` or ``BadRule``.

    Whatever passes is written in the one way that the format has, so that no two texts claim the same. It also bounds
    what a forged document can cost.
    """
    beacon, places = proof["beacon"], proof["places"]
    _only(proof, FIELDS)
    for place in places:
        _only(place, PLACE_FIELDS)
    _whole(proof["highest"], proof["winners"], *proof["absent"], *proof["drawn"])
    _whole(*(part for pair in (*proof["picked"], *proof["assigned"]) for part in pair))
    _whole(*(place[name] for place in places for name in ("place", "player", "number")))
    _text(HASH, proof["commitment"], proof["seed"], proof["digest"], proof["checksum"])
    _text(GAME, proof["game"])
    _text(AMOUNT, proof["pool"], *proof["percentages"])
    _text(ANYTHING, proof["title"], *(place["prize"] for place in places))
    if beacon is not None:
        _only(beacon, BEACON_FIELDS)
        _text(HASH, beacon["chain"])
        _text(ANYTHING, beacon["randomness"], beacon["signature"])
        _whole(beacon["round"])
    if proof["beacon_expected"] is not None:
        _whole(proof["beacon_expected"])
    check_choice("kind", proof["kind"], ("pick_number",))
    check_choice("mode", proof["mode"], MODES)
    check_choice("absent", proof["absent_policy"], ABSENT_POLICIES)
    check_bounds("numbers", proof["highest"], 1, draw.HIGHEST_NUMBER)
    percentages = [Decimal(p) for p in proof["percentages"]]
    prizes.check_prizes(Decimal(proof["pool"]), proof["split"], percentages, proof["winners"])


def _only(document: Mapping[str, Any], fields: frozenset[str]) -> None:
    if document.keys() != fields:
        raise ValueError("a field too many, or too few")


def _whole(*values: Any) -> None:
    if any(type(value) is not int for value in values):
        raise TypeError("whole numbers are written as such")


def _text(form: re.Pattern[str], *values: Any) -> None:
    if not all(type(value) is str and form.fullmatch(value) for value in values):
        raise ValueError(f"text is written as {form.pattern}")


def _owners(pairs: Sequence[Sequence[int]]) -> dict[int, int]:
    return {number: player for number, player in pairs}  # noqa: C416 -- a pair of three is refused


def _assigned(proof: Mapping[str, Any], picked: Mapping[int, int]) -> dict[int, int]:
    if proof["absent_policy"] != "auto":
        return {}
    return draw.assign_absent(proof["game"], proof["highest"], picked, proof["absent"], proof["seed"])


def _one_each(proof: Mapping[str, Any], owners: Mapping[int, int], highest: int) -> bool:
    """Every number once, in the range, in order, and nobody with two."""
    listed = len(proof["picked"]) + len(proof["assigned"])
    one_each = listed == len(owners) == len(set(owners.values())) and all(1 <= number <= highest for number in owners)
    return one_each and list(proof["picked"]) == sorted(proof["picked"])


def _absent_right(proof: Mapping[str, Any], picked: Mapping[int, int], assigned: Mapping[int, int]) -> bool:
    """Each of them absent once, none with a number picked, and the numbers that they were given, in their order."""
    absent = proof["absent"]
    once = len(absent) == len({*absent}) and not {*absent} & {*picked.values()}
    return once and proof["assigned"] == [[player, number] for player, number in assigned.items()]


def _places(proof: Mapping[str, Any]) -> list[list[int]]:
    ordered = [place["place"] for place in proof["places"]]
    if ordered != list(range(1, len(ordered) + 1)):
        return []
    return [[place["number"], place["player"]] for place in proof["places"]]


def _amounts(proof: Mapping[str, Any], count: int) -> list[str]:
    percentages = [Decimal(p) for p in proof["percentages"]]
    amounts = prizes.for_places(Decimal(proof["pool"]), proof["split"], range(1, count + 1), percentages)
    return [f"{amount:f}" for amount in amounts]


def _beacon_checks(beacon: Mapping[str, Any] | None, expected: int | None) -> list[Check]:
    """That the beacon's round is the one announced, and its randomness that of its signature.

    The signature itself is checked against the beacon by hand. A round that did not come in time is no false claim,
    but it is said.
    """
    if beacon is None:
        return [] if expected is None else [Check("beacon-missing", passed=True, parameters={"round": expected})]
    genuine = beacon["round"] == expected and draw.is_signed(beacon["randomness"], beacon["signature"])
    return [Check("beacon", genuine, {"round": beacon["round"], "chain": beacon["chain"]})]
