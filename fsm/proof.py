"""The proof of a draw: a document that anyone can check without trusting the server that wrote it.

``docs/fairness.md`` specifies the document. There are two formats. The first one is for games that were opened before
the second was introduced; its commitment binds only the seed. The second binds everything that decides the draw. Both
must stay readable for good.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fsm import draw, merkle, prizes
from fsm.lobby import MAX_EARLIER_WINNERS, MAX_PLAYERS, MAX_TITLE, BadRule

FIRST, SECOND = "tombola-proof/1", "tombola-proof/2"
OPENING = "tombola-opening/2"
HEAD = "tombola-head/1"
KIND = "pick_number"
MODES = NORMAL, REVERSE = ("normal", "reverse")
ABSENT_POLICIES = DROP, ASSIGN = ("drop", "auto")
POLICIES = WAIT, VOID = ("wait", "void")
"""Policies for a beacon that does not come in time."""
COMPLETED, VOIDED = OUTCOMES = ("completed", "void")
REASONS = ("operator", "beacon")
"""Reasons for a void draw."""
UNCHAINED, CHAINED = SCHEMES = ("bls-unchained-g1-rfc9380", "pedersen-bls-chained")
LENGTHS = {UNCHAINED: (192, 96), CHAINED: (96, 192)}
"""Number of hex digits of a beacon's public keys and signatures, by scheme."""
LARGEST = 1 << 20
"""Largest proof, in bytes: over twice the proof of a game of a thousand players with the longest range."""
LARGEST_NUMBER = (1 << 53) - 1
"""Largest whole number that every JSON reader keeps exactly."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """The checks of the signatures in a proof. The rules contain no elliptic curves, so the caller passes them.

    Each function returns None if it can't check the signature.
    """

    beacon: Callable[[Mapping[str, Any], Mapping[str, Any]], bool | None]
    """Function ``(chain, round) -> genuine``; both arguments as in the proof."""
    head: Callable[[bytes, bytes, bytes], bool | None]
    """Function ``(key, signature, message) -> genuine``, by Ed25519."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. ``code`` names its sentence in the locales."""

    code: str
    passed: bool
    parameters: Mapping[str, Any]


class NotAProof(ValueError):
    """A document that is not a proof. ``str()`` is a code of the locales."""


# -- writing ----------------------------------------------------------------------------------------------------


def canonical(document: Mapping[str, Any]) -> bytes:
    """Encode a document in its canonical form: sorted keys, two spaces, ASCII, a line feed at the end."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n").encode()


def seal(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with a checksum over all of its other fields."""
    return {**document, "checksum": _checksum(document)}


def _checksum(document: Mapping[str, Any]) -> str:
    return _sha256(canonical({key: value for key, value in document.items() if key != "checksum"}))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def commitment(opening: Mapping[str, Any]) -> str:
    """Return the commitment to an opening statement: SHA-256 of its canonical form, hex."""
    return _sha256(canonical(opening))


def opening_leaf(statement: str) -> bytes:
    """Return the leaf of the public log for an opening statement."""
    opening = json.loads(statement)
    seeds = opening["seeds"]
    return canonical(
        {
            "type": "opening",
            "game": opening["game"],
            "commitment": _sha256(statement.encode()),
            "at": opening["at"],
            "seeds": None if seeds is None else seeds["root"],
            "number": None if seeds is None else seeds["number"],
        }
    )


def closing_leaf(commitment_: str, closing: Mapping[str, Any], salt: bytes) -> bytes:
    """Return the leaf for a closing. It holds the entries as a hash keyed with the game's ``salt``."""
    return canonical(
        {
            "type": "closing",
            "game": closing["game"],
            "commitment": commitment_,
            "at": closing["at"],
            "round": closing["round"],
            "entries": hmac.digest(salt, bytes.fromhex(closing["digest"]), "sha256").hex(),
        }
    )


def outcome_leaf(proof: Mapping[str, Any], salt: bytes) -> bytes:
    """Return the leaf for the outcome that a proof claims. It holds numbers and winners as a keyed hash."""
    result = canonical({"drawn": proof["drawn"], "places": proof["places"]})
    return _end_leaf(
        proof["opening"]["game"],
        proof["commitment"],
        proof["seed"],
        (proof["outcome"], proof["reason"], hmac.digest(salt, result, "sha256").hex()),
    )


def cancelled_leaf(game: str, commitment_: str, seed: str, reason: str) -> bytes:
    """Return the leaf for a game that was cancelled while numbers were being picked."""
    return _end_leaf(game, commitment_, seed, ("cancelled", reason, None))


def _end_leaf(game: str, commitment_: str, seed: str, end: tuple[str, str | None, str | None]) -> bytes:
    outcome, reason, result = end
    shared = {"type": "outcome", "game": game, "commitment": commitment_, "seed": seed}
    return canonical({**shared, "outcome": outcome, "reason": reason, "result": result})


def unused_leaf(root: str, number: int, game: str, reason: str) -> bytes:
    """Return the leaf for a seed that no draw has used."""
    return canonical({"type": "unused", "seeds": root, "number": number, "game": game, "reason": reason})


# -- verifying --------------------------------------------------------------------------------------------------


def verify(raw: bytes, signatures: Signatures | None = None) -> tuple[Check, ...]:
    """Recompute a draw from its proof. A false claim is a failed check, not an error.

    Raises ``NotAProof`` if the bytes are not a document of a known format in its canonical form.
    """
    if len(raw) > LARGEST:
        raise NotAProof("too-large")
    try:
        document = json.loads(raw)
        written = canonical(document) if isinstance(document, dict) else b""
    except (ValueError, RecursionError) as error:
        raise NotAProof("not-json") from error
    if not isinstance(document, dict) or document.get("format") not in (FIRST, SECOND):
        raise NotAProof("unknown-format")
    if written != raw:
        raise NotAProof("not-canonical")
    first = document["format"] == FIRST
    try:
        (_check_first if first else _check_second)(document)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, BadRule) as error:
        raise NotAProof("incomplete") from error
    whole = Check("document", document["checksum"] == _checksum(document), {})
    return (whole, *(_checks_of_first(document) if first else _checks_of_second(document, signatures)))


@dataclass(frozen=True, slots=True)
class _Claims:
    """The claims about a draw that both formats make."""

    game: str
    seed: str
    mode: str
    winners: int
    highest: int
    picked: Sequence[Sequence[int]]
    absent_policy: str
    absent: Sequence[int]
    assigned: Sequence[Sequence[int]]
    digest: str
    randomness: str
    drawn: Sequence[int]
    pool: str
    split: str
    percentages: Sequence[str]
    places: Sequence[Mapping[str, Any]]
    amounts: Sequence[str] = ()
    """Amounts by place; empty if the pool is split."""
    currency: str = ""
    texts: Sequence[str] = ()
    """Prizes by place in words, which the commitment binds; empty if prizes are amounts."""
    excluded: Sequence[int] = ()
    """The people who could not join, because they had won an earlier game."""

    @property
    def numbers(self) -> dict[int, int]:
        """Return the picked entries: players by number, without assigned numbers."""
        return {number: player for number, player in self.picked}  # noqa: C416 -- the shape of each pair was checked

    @property
    def owners(self) -> dict[int, int]:
        """Return all entries: players by number, with assigned numbers."""
        return self.numbers | {number: player for player, number in self.assigned}


def _checks_of_first(proof: Mapping[str, Any]) -> Iterator[Check]:
    beacon = proof["beacon"]
    claims = _Claims(**{name: proof[name] for name in _SHARED}, randomness=beacon["randomness"] if beacon else "")
    yield Check("commitment", draw.commitment(proof["seed"]) == proof["commitment"], {"hash": proof["commitment"]})
    yield from _entries(claims)
    expected = proof["beacon_expected"]
    if beacon is not None:
        genuine = beacon["round"] == expected and draw.is_signed(beacon["randomness"], beacon["signature"])
        yield Check("beacon", genuine, {"round": beacon["round"], "chain": beacon["chain"]})
    elif expected is not None:
        yield Check("beacon-missing", passed=True, parameters={"round": expected})
    yield from _outcome(claims)


def _checks_of_second(proof: Mapping[str, Any], signatures: Signatures | None) -> Iterator[Check]:
    opening, closing, beacon = proof["opening"], proof["closing"], proof["beacon"]
    shared = {name: {**opening, **proof}[name] for name in _SHARED if name != "digest"}
    claims = _Claims(
        **shared,
        digest=closing["digest"],
        randomness=beacon["randomness"] if beacon else "",
        excluded=opening.get("excluded", ()),
        **opening.get("award", {}),
    )
    yield Check("opening", commitment(opening) == proof["commitment"], {"hash": proof["commitment"]})
    yield Check("seed", draw.commitment(proof["seed"]) == opening["seed_hash"], {"hash": opening["seed_hash"]})
    yield _seeds(opening, proof["seed_path"])
    yield from _entries(claims)
    yield Check("closing", _closed_as_promised(opening, closing), {"round": closing["round"] or 0})
    if beacon is not None:
        yield _beacon(opening["beacon"], closing["round"], beacon, signatures)
    if proof["outcome"] == COMPLETED:
        if beacon is None and opening["beacon"] is not None:
            yield Check("beacon-absent", passed=False, parameters={"round": closing["round"] or 0})
        yield from _outcome(claims)
    else:
        possible = proof["reason"] != "beacon" or opening["beacon"] is not None
        nothing = possible and beacon is None and not proof["drawn"] and not proof["places"]
        yield Check("void", nothing, {"reason": proof["reason"]})
    if proof["log"] is not None:
        yield from _log(proof, proof["log"], signatures)


def _seeds(opening: Mapping[str, Any], path: Sequence[str]) -> Check:
    """Check that the seed is the one of its number among those fixed in advance for the chat."""
    seeds = opening["seeds"]
    if seeds is None:
        return Check("seed-alone", not path, {})
    leaf = merkle.leaf_hash(bytes.fromhex(opening["seed_hash"]))
    nodes = [bytes.fromhex(node) for node in path]
    there = merkle.is_included(leaf, seeds["number"] - 1, seeds["size"], nodes, bytes.fromhex(seeds["root"]))
    return Check("seeds", there, {"number": seeds["number"], "size": seeds["size"], "root": seeds["root"]})


def _closed_as_promised(opening: Mapping[str, Any], closing: Mapping[str, Any]) -> bool:
    """Return True if selection closed after it opened, and the round is the one that the opening statement leads to.

    A known chain must have its published figures, even in a void draw, or they could name a round that never comes.
    """
    chain = opening["beacon"]
    if closing["at"] < opening["at"] or (chain is None) != (closing["round"] is None):
        return False
    if chain is not None and not _is_as_published(chain):
        return False
    return chain is None or closing["round"] == round_after(
        chain["genesis"], chain["period"], closing["at"] + max(chain["lead"], chain["period"])
    )


def _is_as_published(chain: Mapping[str, Any]) -> bool:
    """Return True if the chain is none of ``PINNED``, or has the scheme, key, genesis and period published for it."""
    return all(chain[name] == value for name, value in PINNED.get(chain["chain"], {}).items())


def round_after(genesis: int, period: int, moment: int) -> int:
    """Return the first round that is published later than ``moment``. All times in milliseconds."""
    return max(1, (moment - genesis) // period + 2)


def _beacon(
    chain: Mapping[str, Any] | None, expected: int | None, beacon: Mapping[str, Any], signatures: Signatures | None
) -> Check:
    told = {"round": beacon["round"], "chain": chain["chain"] if chain else ""}
    if chain is None or beacon["round"] != expected or not draw.is_signed(beacon["randomness"], beacon["signature"]):
        return Check("beacon-signed", passed=False, parameters=told)
    if not _is_as_published(chain):
        return Check("beacon-signed", passed=False, parameters=told)
    genuine = None if signatures is None else signatures.beacon(chain, beacon)
    if genuine is None:
        return Check("beacon-unchecked", passed=True, parameters=told)
    return Check("beacon-signed" if chain["chain"] in PINNED else "beacon-unpinned", genuine, told)


def _entries(claims: _Claims) -> Iterator[Check]:
    """Check the entries: one number for each player, the absent players' numbers from the seed, and the digest.

    An entry of a person whom the opening statement excludes fails the first check.
    """
    owners, highest = claims.owners, claims.highest
    listed = len(claims.picked) + len(claims.assigned)
    one_each = 0 < listed == len(owners) == len(set(owners.values())) and max(owners) <= highest
    in_order = list(claims.numbers) == sorted(claims.numbers)
    allowed = not {*owners.values(), *claims.absent} & {*claims.excluded}
    yield Check("entries", one_each and in_order and allowed, {"count": len(owners), "highest": highest})
    yield Check("absent", _absent_right(claims), {"count": len(claims.assigned)})
    yield Check("digest", draw.digest(claims.game, highest, owners) == claims.digest, {"hash": claims.digest})


def _absent_right(claims: _Claims) -> bool:
    """Return True if no player is absent twice or has picked too, and the assigned numbers follow from the seed."""
    absent, picked = claims.absent, claims.numbers
    if len(absent) != len({*absent}) or {*absent} & {*picked.values()}:
        return False
    if claims.absent_policy != ASSIGN:
        return not claims.assigned
    free = sum(number not in picked for number in range(1, claims.highest + 1))
    given = draw.assign_absent(claims.game, claims.highest, picked, absent, claims.seed)
    return len(absent) <= free and claims.assigned == [[player, number] for player, number in given.items()]


def _outcome(claims: _Claims) -> Iterator[Check]:
    """Check the drawn numbers, the places and the prizes, all recomputed."""
    owners = claims.owners
    full = draw.order(claims.game, claims.highest, owners, claims.seed, claims.randomness)
    if claims.mode == REVERSE:
        drawn = draw.drawn_in_reverse(full, owners)
        numbers = draw.winners_in_reverse(drawn, owners, claims.winners)
    else:
        drawn = draw.drawn_normally(full, owners, claims.winners)
        numbers = draw.winners_normally(drawn, owners)
    percentages = [Decimal(percentage) for percentage in claims.percentages]
    by_place = [Decimal(amount) for amount in claims.amounts]
    ranks = range(1, len(numbers) + 1)
    amounts = prizes.for_places(Decimal(claims.pool), claims.split, ranks, percentages, amounts=by_place)
    places = [(place["place"], place["number"], place["player"]) for place in claims.places]
    right = [(place, number, owners[number]) for place, number in enumerate(numbers, start=1)]
    paid = [place["prize"] for place in claims.places]
    yield Check("order", list(drawn) == claims.drawn, {"count": len(drawn)})
    yield Check("places", places == right, {"count": len(numbers)})
    right_amounts = [f"{amount:f}" for amount in amounts] == paid
    if claims.texts:
        yield Check("prizes-words", right_amounts, {"prizes": "; ".join(claims.texts)})
    else:
        yield Check("prizes", right_amounts, {"pool": f"{claims.pool} {claims.currency}".strip()})


def head_statement(head: Mapping[str, Any]) -> bytes:
    """Return the bytes of a tree head that are signed."""
    return canonical({"format": HEAD, **head})


def _log(proof: Mapping[str, Any], log: Mapping[str, Any], signatures: Signatures | None) -> Iterator[Check]:
    """Check that the log holds the opening, the closing and the outcome, in this order, under a signed head."""
    head, indexes, there = log["head"], [], True
    root = bytes.fromhex(head["root"])
    opening, salt = proof["opening"], bytes.fromhex(log["salt"])
    leaves = {
        "opening": opening_leaf(canonical(opening).decode()),
        "closing": closing_leaf(proof["commitment"], {"game": opening["game"], **proof["closing"]}, salt),
        "outcome": outcome_leaf(proof, salt),
    }
    for name, data in leaves.items():
        place = log[name]
        path = [bytes.fromhex(node) for node in place["path"]]
        indexes.append(place["index"])
        there = there and merkle.is_included(merkle.leaf_hash(data), place["index"], head["size"], path, root)
    told = {"size": head["size"], "root": head["root"], "key": log["key"]}
    yield Check("log", there and indexes == sorted({*indexes}), told)
    key, signature = bytes.fromhex(log["key"]), bytes.fromhex(log["signature"])
    genuine = None if signatures is None else signatures.head(key, signature, head_statement(head))
    yield Check("head-unchecked" if genuine is None else "head", genuine is not False, told)


def compare(
    raw: bytes, commitment_: str | None, head: tuple[int, str] | None, path: Sequence[str] = ()
) -> Iterator[Check]:
    """Compare a verified proof with the commitment, and the size and root of a log's head, that a player kept.

    ``path`` is a consistency proof between that head and the proof's own. If it is needed and not given, the check says
    so instead of calling the log false.
    """
    document = json.loads(raw)
    if commitment_ is not None:
        yield Check("kept-commitment", document["commitment"] == commitment_.strip().lower(), {"hash": commitment_})
    if head is not None:
        log = document.get("log")
        grown = alone = False
        if log is not None:
            (old, old_root), (new, new_root) = sorted([head, (log["head"]["size"], log["head"]["root"])])
            nodes = [bytes.fromhex(node) for node in path]
            grown = merkle.is_consistent(old, bytes.fromhex(old_root), new, bytes.fromhex(new_root), nodes)
            alone = not nodes and 0 < old < new
        told = {"size": head[0], "root": head[1], "now": log["head"]["size"] if log else 0}
        yield Check("kept-head-alone" if alone else "kept-head", grown, told)


# -- the shape of a document --------------------------------------------------------------------------------------

_SHARED = (
    "game", "seed", "mode", "winners", "highest", "picked", "absent_policy", "absent", "assigned", "digest", "drawn",
    "pool", "split", "percentages", "places",
)  # fmt: skip
_HEX = re.compile("(?:[0-9a-f]{2})*")
_GAME = re.compile("[0-9a-z]{1,64}")
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,8})?")
_PRIZE = re.compile(r"(?:0|[1-9][0-9]{0,12})\.[0-9]{2,8}")
_RULES = ("mode", "winners", "highest", "absent_policy", "pool", "split", "percentages")
_DRAW = ("seed", "picked", "absent", "assigned", "drawn", "places")
_FIRST_FIELDS = frozenset(
    {
        "format",
        "game",
        "kind",
        "title",
        "commitment",
        "digest",
        "beacon",
        "beacon_expected",
        "checksum",
        *_RULES,
        *_DRAW,
    }
)
_SECOND_FIELDS = frozenset(
    {
        "format",
        "opening",
        "commitment",
        "seed_path",
        "closing",
        "beacon",
        "outcome",
        "reason",
        "log",
        "checksum",
        *_DRAW,
    }
)
_OPENING_FIELDS = frozenset(
    {"format", "game", "kind", "title", "chat", "topic", "at", "beacon", "seed_hash", "seeds", *_RULES}
)


def _check_first(proof: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or ``BadRule`` if the document does not have the shape of the first format."""
    _only(proof, _FIRST_FIELDS)
    _check_game(proof)
    _check_draw(proof)
    _hex(proof["commitment"], 64)
    _hex(proof["digest"], 64)
    _hex(proof["checksum"], 64)
    beacon = proof["beacon"]
    if beacon is not None:
        _only(beacon, frozenset({"chain", "round", "randomness", "signature"}))
        _whole(beacon["round"], 1, LARGEST_NUMBER)
        _hex(beacon["chain"], 64)
        _hex(beacon["randomness"], 64)
        _hex(beacon["signature"], 2, 192)
    if proof["beacon_expected"] is not None:
        _whole(proof["beacon_expected"], 1, LARGEST_NUMBER)


def _check_second(proof: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or ``BadRule`` if the document does not have the shape of the second format."""
    _only(proof, _SECOND_FIELDS)
    opening, closing, beacon = proof["opening"], proof["closing"], proof["beacon"]
    _check_opening(opening)
    _check_draw(proof)
    _hex(proof["commitment"], 64)
    _hex(proof["checksum"], 64)
    _hexes(proof["seed_path"])
    _only(closing, frozenset({"at", "digest", "round"}))
    _whole(closing["at"], 0, LARGEST_NUMBER)
    _hex(closing["digest"], 64)
    if closing["round"] is not None:
        _whole(closing["round"], 1, LARGEST_NUMBER)
    if beacon is not None:
        _only(beacon, frozenset({"round", "randomness", "signature", "previous_signature"}))
        _whole(beacon["round"], 1, LARGEST_NUMBER)
        _hex(beacon["randomness"], 64)
        scheme = opening["beacon"]["scheme"] if opening["beacon"] is not None else UNCHAINED
        _hex(beacon["signature"], LENGTHS[scheme][1])
        if scheme == UNCHAINED:
            _hex(beacon["previous_signature"], 0)
        elif beacon["round"] == 1:
            _hex(beacon["previous_signature"], 64)  # the chain's genesis seed
        else:
            _hex(beacon["previous_signature"], LENGTHS[scheme][1])
    _one_of(proof["outcome"], OUTCOMES)
    if proof["outcome"] == COMPLETED:
        _none(proof["reason"])
    else:
        _one_of(proof["reason"], REASONS)
    if proof["log"] is not None:
        _check_log(proof["log"])


def _check_opening(opening: Mapping[str, Any]) -> None:
    given = frozenset(opening.keys() & {"award", "excluded"} if type(opening) is dict else ())
    _only(opening, _OPENING_FIELDS | given)
    _one_of(opening["format"], (OPENING,))
    _check_game(opening)
    if "award" in given:
        _check_award(opening["award"], opening)
    if "excluded" in given:
        _check_excluded(opening["excluded"])
    _whole(opening["chat"], -LARGEST_NUMBER, LARGEST_NUMBER)
    _whole(opening["topic"], 0, LARGEST_NUMBER)
    _whole(opening["at"], 0, LARGEST_NUMBER)
    _hex(opening["seed_hash"], 64)
    beacon, seeds = opening["beacon"], opening["seeds"]
    if beacon is not None:
        _only(beacon, frozenset({"chain", "scheme", "public_key", "genesis", "period", "lead", "wait", "policy"}))
        _hex(beacon["chain"], 64)
        _one_of(beacon["scheme"], SCHEMES)
        _hex(beacon["public_key"], LENGTHS[beacon["scheme"]][0])
        _whole(beacon["genesis"], 0, LARGEST_NUMBER)
        for name in ("period", "wait"):
            _whole(beacon[name], 1, LARGEST_NUMBER)
        _whole(beacon["lead"], 0, LARGEST_NUMBER)
        _one_of(beacon["policy"], POLICIES)
    if seeds is not None:
        _only(seeds, frozenset({"root", "size", "number"}))
        _hex(seeds["root"], 64)
        _whole(seeds["size"], 1, LARGEST_NUMBER)
        _whole(seeds["number"], 1, seeds["size"])


def _check_game(rules: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or ``BadRule`` if these are not the rules of a game."""
    _text(rules["game"], _GAME)
    _one_of(rules["kind"], (KIND,))
    _line(rules["title"], MAX_TITLE)
    _one_of(rules["mode"], MODES)
    _one_of(rules["absent_policy"], ABSENT_POLICIES)
    _one_of(rules["split"], prizes.SPLITS)
    _whole(rules["winners"], 1, prizes.MAX_WINNERS)
    _whole(rules["highest"], 1, draw.HIGHEST_NUMBER)
    _text(rules["pool"], _AMOUNT)
    percentages = _list(rules["percentages"], prizes.MAX_WINNERS)
    for percentage in percentages:
        _text(percentage, _AMOUNT)
    if percentages and rules["split"] != prizes.PERCENTAGES:
        raise ValueError("percentages of a split that has none")
    shares = [Decimal(percentage) for percentage in percentages]
    prizes.check_prizes(Decimal(rules["pool"]), rules["split"], shares, rules["winners"])


def _check_award(award: Any, opening: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or ``BadRule`` unless the field ``award`` fits its table in ``docs/fairness.md``."""
    _only(award, frozenset({"currency", "amounts", "texts"}))
    _line(award["currency"], prizes.MAX_CURRENCY)
    for amount in _list(award["amounts"], prizes.MAX_WINNERS):
        _text(amount, _AMOUNT)
    for text in _list(award["texts"], prizes.MAX_WINNERS):
        _line(text, prizes.MAX_TEXT)
    amounts = [Decimal(amount) for amount in award["amounts"]]
    if not (award["currency"] or amounts or award["texts"]) or (amounts and opening["split"] != prizes.AUTO):
        raise ValueError("an award that says nothing, or a split of amounts that are by place")
    prizes.check_by_place(Decimal(opening["pool"]), award["currency"], amounts, award["texts"], opening["winners"])


def _check_excluded(players: Any) -> None:
    """Raise ValueError unless these are ids of people, in rising order, at least one."""
    for player in _list(players, MAX_EARLIER_WINNERS):
        _whole(player, 1, LARGEST_NUMBER)
    if not players or players != sorted({*players}):
        raise ValueError("nobody, or not in rising order")


def _check_draw(proof: Mapping[str, Any]) -> None:
    """Raise ValueError or TypeError if entries, drawn numbers or places have the wrong shape."""
    _hex(proof["seed"], 64)
    for number, player in _pairs(proof["picked"]):
        _whole(number, 1, draw.HIGHEST_NUMBER)
        _whole(player, 1, LARGEST_NUMBER)
    for player, number in _pairs(proof["assigned"]):
        _whole(number, 1, draw.HIGHEST_NUMBER)
        _whole(player, 1, LARGEST_NUMBER)
    for player in _list(proof["absent"], MAX_PLAYERS):
        _whole(player, 1, LARGEST_NUMBER)
    for number in _list(proof["drawn"], draw.HIGHEST_NUMBER):
        _whole(number, 1, draw.HIGHEST_NUMBER)
    for place in _list(proof["places"], prizes.MAX_WINNERS):
        _only(place, frozenset({"place", "player", "number", "prize"}))
        _whole(place["place"], 1, prizes.MAX_WINNERS)
        _whole(place["number"], 1, draw.HIGHEST_NUMBER)
        _whole(place["player"], 1, LARGEST_NUMBER)
        _text(place["prize"], _PRIZE)


def _check_log(log: Mapping[str, Any]) -> None:
    _only(log, frozenset({"head", "key", "signature", "salt", "opening", "closing", "outcome"}))
    _only(log["head"], frozenset({"at", "root", "size"}))
    _whole(log["head"]["at"], 0, LARGEST_NUMBER)
    _whole(log["head"]["size"], 1, LARGEST_NUMBER)
    _hex(log["head"]["root"], 64)
    _hex(log["key"], 64)
    _hex(log["signature"], 128)
    _hex(log["salt"], 64)
    for name in ("opening", "closing", "outcome"):
        _only(log[name], frozenset({"index", "path"}))
        _whole(log[name]["index"], 0, LARGEST_NUMBER)
        _hexes(log[name]["path"])


def _only(document: Any, fields: frozenset[str]) -> None:
    if type(document) is not dict or document.keys() != fields:
        raise ValueError("not an object, a field too many, or too few")


def _whole(value: Any, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ValueError("not a whole number, or out of bounds")


def _text(value: Any, form: re.Pattern[str]) -> None:
    if type(value) is not str or form.fullmatch(value) is None:
        raise ValueError(f"text is written as {form.pattern}")


def _hex(value: Any, least: int, most: int = 0) -> None:
    _text(value, _HEX)
    if not least <= len(value) <= (most or least):
        raise ValueError("hex of another length")


def _hexes(values: Any) -> None:
    for value in _list(values, merkle.MOST_LEVELS):
        _hex(value, 64)


def _one_of(value: Any, allowed: Sequence[str]) -> None:
    if type(value) is not str or value not in allowed:
        raise ValueError("not one of the values that there are")


def _none(value: Any) -> None:
    if value is not None:
        raise ValueError("not null")


def _list(value: Any, most: int) -> list[Any]:
    if type(value) is not list or len(value) > most:
        raise ValueError("not a list, or too long a one")
    return value


def _pairs(value: Any) -> list[list[Any]]:
    pairs = _list(value, draw.HIGHEST_NUMBER)
    if any(type(pair) is not list or len(pair) != 2 for pair in pairs):
        raise ValueError("not a list of pairs")
    return pairs


def _line(value: Any, most: int) -> None:
    """Raise ValueError unless a text has at most ``most`` code points, none a control, a surrogate or a line end."""
    if type(value) is not str or len(value) > most or any(map(_breaks_a_line, value)):
        raise ValueError("not a line, or too long a one")


def _breaks_a_line(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0 or code in (0x2028, 0x2029) or 0xD800 <= code < 0xE000


PINNED: Mapping[str, Mapping[str, Any]] = {
    "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971": {  # drand's quicknet
        "scheme": UNCHAINED,
        "public_key": "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
        "genesis": 1692803367000,
        "period": 3000,
    },
    "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce": {  # drand's default chain
        "scheme": CHAINED,
        "public_key": "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a5699"
        "37c529eeda66c7293784a9402801af31",
        "genesis": 1595431050000,
        "period": 30000,
    },
}
"""The known chains, by hash, as published by the League of Entropy. Times in milliseconds."""
