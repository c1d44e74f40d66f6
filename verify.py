#!/usr/bin/env python3
"""Verify the proof of a Tombola draw: one file, standard library only, no network.

    python3 verify.py proof.json
    python3 verify.py --commitment HEX --head SIZE:ROOT [--consistency FILE] proof.json

Written from docs/fairness.md alone; it shares no code with the bot. Exits 0 if the proof holds, 1 if not.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import sys
from fractions import Fraction

LARGEST, LARGEST_NUMBER = 1 << 20, (1 << 53) - 1
FIRST, SECOND = "tombola-proof/1", "tombola-proof/2"
UNCHAINED, CHAINED = "bls-unchained-g1-rfc9380", "pedersen-bls-chained"
LENGTHS = {UNCHAINED: (192, 96), CHAINED: (96, 192)}
PINNED = {
    "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971": {
        "scheme": UNCHAINED,
        "public_key": "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
        "genesis": 1692803367000,
        "period": 3000,
    },
    "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce": {
        "scheme": CHAINED,
        "public_key": "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a5699"
        "37c529eeda66c7293784a9402801af31",
        "genesis": 1595431050000,
        "period": 30000,
    },
}


class NotAProof(Exception):
    """A document that is not a proof. ``str()`` is one of the codes in docs/fairness.md."""


# -- the document -------------------------------------------------------------------------------------------------


def canonical(document):
    """Encode a document in its one canonical form."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n").encode("ascii")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(raw):
    """Parse and return the document. Raises NotAProof unless it has the shape of a proof."""
    if len(raw) > LARGEST:
        raise NotAProof("too-large")
    try:
        document = json.loads(raw)
        written = canonical(document) if isinstance(document, dict) else b""
    except (ValueError, RecursionError):
        raise NotAProof("not-json") from None
    if not isinstance(document, dict) or document.get("format") not in (FIRST, SECOND):
        raise NotAProof("unknown-format")
    if written != raw:
        raise NotAProof("not-canonical")
    if not (is_first if document["format"] == FIRST else is_second)(document):
        raise NotAProof("incomplete")
    return document


def has(value, *names):
    return type(value) is dict and set(value) == set(names)


def whole(value, low, high=LARGEST_NUMBER):
    return type(value) is int and low <= value <= high


def text(value, form):
    return type(value) is str and re.fullmatch(form, value) is not None


def hexes(value, *lengths):
    return text(value, "(?:[0-9a-f]{2})*") and len(value) in lengths


def listed(value, most, fits):
    return type(value) is list and len(value) <= most and all(map(fits, value))


AMOUNT = r"(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,8})?"
RULES = ("mode", "winners", "highest", "absent_policy", "pool", "split", "percentages")
DRAW = ("seed", "picked", "absent", "assigned", "drawn", "places")


def is_line(value, most):
    def breaks(character):
        code = ord(character)
        return code < 0x20 or 0x7F <= code < 0xA0 or code in (0x2028, 0x2029) or 0xD800 <= code < 0xE000

    return type(value) is str and len(value) <= most and not any(map(breaks, value))


def are_rules(rules):
    if not (
        text(rules["game"], "[0-9a-z]{1,64}")
        and rules["kind"] == "pick_number"
        and is_line(rules["title"], 64)
        and rules["mode"] in ("normal", "reverse")
        and rules["absent_policy"] in ("drop", "auto")
        and rules["split"] in ("auto", "equal", "percentages")
        and whole(rules["winners"], 1, 10)
        and whole(rules["highest"], 1, 10_000)
        and text(rules["pool"], AMOUNT)
        and Fraction(rules["pool"]) <= 10**12
        and listed(rules["percentages"], 10, lambda share: text(share, AMOUNT))
    ):
        return False
    shares = [Fraction(share) for share in rules["percentages"]]
    if rules["split"] != "percentages":
        return not shares
    return len(shares) == rules["winners"] and all(share > 0 for share in shares) and sum(shares) == 100


def is_draw(proof):
    def is_pair(pair, number, player):
        return type(pair) is list and len(pair) == 2 and whole(pair[number], 1, 10_000) and whole(pair[player], 1)

    def is_place(place):
        return (
            has(place, "place", "player", "number", "prize")
            and whole(place["place"], 1, 10)
            and whole(place["number"], 1, 10_000)
            and whole(place["player"], 1)
            and text(place["prize"], r"(?:0|[1-9][0-9]{0,12})\.[0-9]{2,8}")
        )

    return (
        hexes(proof["seed"], 64)
        and listed(proof["picked"], 10_000, lambda pair: is_pair(pair, 0, 1))
        and listed(proof["assigned"], 10_000, lambda pair: is_pair(pair, 1, 0))
        and listed(proof["absent"], 1000, lambda player: whole(player, 1))
        and listed(proof["drawn"], 10_000, lambda number: whole(number, 1, 10_000))
        and listed(proof["places"], 10, is_place)
    )


def is_first(proof):
    names = ("format", "game", "kind", "title", "commitment", "digest", "beacon", "beacon_expected", "checksum")
    if not (has(proof, *RULES, *DRAW, *names) and are_rules(proof) and is_draw(proof)):
        return False
    if not all(hexes(proof[name], 64) for name in ("commitment", "digest", "checksum")):
        return False
    beacon, expected = proof["beacon"], proof["beacon_expected"]
    if beacon is not None and not (
        has(beacon, "chain", "round", "randomness", "signature")
        and whole(beacon["round"], 1)
        and hexes(beacon["chain"], 64)
        and hexes(beacon["randomness"], 64)
        and hexes(beacon["signature"], *range(2, 193))
    ):
        return False
    return expected is None or whole(expected, 1)


def is_second(proof):
    names = (
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
    )
    if not (has(proof, *DRAW, *names) and is_opening(proof["opening"]) and is_draw(proof)):
        return False
    closing, beacon, chain = proof["closing"], proof["beacon"], proof["opening"]["beacon"]
    if not (
        hexes(proof["commitment"], 64)
        and hexes(proof["checksum"], 64)
        and listed(proof["seed_path"], 64, lambda node: hexes(node, 64))
        and has(closing, "at", "digest", "round")
        and whole(closing["at"], 0)
        and hexes(closing["digest"], 64)
        and (closing["round"] is None or whole(closing["round"], 1))
        and (proof["log"] is None or is_log(proof["log"]))
    ):
        return False
    if beacon is not None:
        scheme = chain["scheme"] if chain is not None else UNCHAINED
        if not (
            has(beacon, "round", "randomness", "signature", "previous_signature")
            and whole(beacon["round"], 1)
            and hexes(beacon["randomness"], 64)
            and hexes(beacon["signature"], LENGTHS[scheme][1])
        ):
            return False
        before = 0 if scheme == UNCHAINED else 64 if beacon["round"] == 1 else 192
        if not hexes(beacon["previous_signature"], before):
            return False
    if proof["outcome"] == "completed":
        return proof["reason"] is None
    return proof["outcome"] == "void" and proof["reason"] in ("operator", "beacon")


def is_award(award, rules):
    """Return True if the prizes by place, in words or with a currency fit the other rules."""
    if not (
        has(award, "currency", "amounts", "texts")
        and is_line(award["currency"], 16)
        and listed(award["amounts"], rules["winners"], lambda amount: text(amount, AMOUNT))
        and listed(award["texts"], rules["winners"], lambda prize: is_line(prize, 100) and prize)
    ):
        return False
    pool, amounts = Fraction(rules["pool"]), [Fraction(amount) for amount in award["amounts"]]
    if amounts and (rules["split"] != "auto" or min(amounts) == 0 or sum(amounts) != pool):
        return False
    if award["texts"] and pool:
        return False
    return bool((award["currency"] and pool) or (not award["currency"] and (amounts or award["texts"])))


def are_excluded(players):
    """Return True if these are at most 1000 ids of people, at least one, in rising order."""
    return listed(players, 1000, lambda player: whole(player, 1)) and bool(players) and players == sorted({*players})


def is_opening(opening):
    names = ["format", "game", "kind", "title", "chat", "topic", "at", "beacon", "seed_hash", "seeds"]
    awarded = type(opening) is dict and "award" in opening
    excluding = type(opening) is dict and "excluded" in opening
    names += ["award"] * awarded + ["excluded"] * excluding
    if not (has(opening, *RULES, *names) and opening["format"] == "tombola-opening/2" and are_rules(opening)):
        return False
    if awarded and not is_award(opening["award"], opening):
        return False
    if excluding and not are_excluded(opening["excluded"]):
        return False
    chain, seeds = opening["beacon"], opening["seeds"]
    if not (
        whole(opening["chat"], -LARGEST_NUMBER)
        and whole(opening["topic"], 0)
        and whole(opening["at"], 0)
        and hexes(opening["seed_hash"], 64)
    ):
        return False
    if chain is not None and not (
        has(chain, "chain", "scheme", "public_key", "genesis", "period", "lead", "wait", "policy")
        and hexes(chain["chain"], 64)
        and chain["scheme"] in (UNCHAINED, CHAINED)
        and hexes(chain["public_key"], LENGTHS[chain["scheme"]][0])
        and whole(chain["genesis"], 0)
        and whole(chain["period"], 1)
        and whole(chain["wait"], 1)
        and whole(chain["lead"], 0)
        and chain["policy"] in ("wait", "void")
    ):
        return False
    return seeds is None or (
        has(seeds, "root", "size", "number")
        and hexes(seeds["root"], 64)
        and whole(seeds["size"], 1)
        and whole(seeds["number"], 1, seeds["size"])
    )


def is_log(log):
    return (
        has(log, "head", "key", "signature", "salt", "opening", "closing", "outcome")
        and has(log["head"], "at", "root", "size")
        and whole(log["head"]["at"], 0)
        and whole(log["head"]["size"], 1)
        and hexes(log["head"]["root"], 64)
        and hexes(log["key"], 64)
        and hexes(log["signature"], 128)
        and hexes(log["salt"], 64)
        and all(
            has(log[name], "index", "path")
            and whole(log[name]["index"], 0)
            and listed(log[name]["path"], 64, lambda node: hexes(node, 64))
            for name in ("opening", "closing", "outcome")
        )
    )


# -- the draw -------------------------------------------------------------------------------------------------------


def digest_of(game, highest, entries):
    lines = [f"tombola-entries/1 {game} 1..{highest}"] + [f"{number} {entries[number]}" for number in sorted(entries)]
    return sha256("".join(line + "\n" for line in lines).encode("ascii"))


def shuffled(numbers, seed, label, digest, randomness):
    key = hmac.digest(bytes.fromhex(seed), label + bytes.fromhex(digest) + bytes.fromhex(randomness), "sha256")
    numbers, words, counter = list(numbers), [], 0
    for last in range(len(numbers) - 1, 0, -1):
        bound = last + 1
        while True:
            if not words:
                block = hmac.digest(key, counter.to_bytes(8, "big"), "sha256")
                words = [int.from_bytes(block[at : at + 8], "big") for at in (24, 16, 8, 0)]
                counter += 1
            word = words.pop()
            if word < 2**64 - 2**64 % bound:
                break
        other = word % bound
        numbers[last], numbers[other] = numbers[other], numbers[last]
    return numbers


def prizes(rules, winners):
    """Return the prizes of the places, best first, as a proof writes them."""
    pool, split, percentages = rules["pool"], rules["split"], rules["percentages"]
    amounts = rules["award"]["amounts"] if "award" in rules else []
    decimals = max(2, *(len(amount.partition(".")[2]) for amount in (pool, *amounts)))
    if amounts:
        paid = [int(Fraction(amount) * 10**decimals) for amount in amounts[:winners]]
        paid += [0] * (winners - len(paid))
        return [f"{amount // 10**decimals}.{amount % 10**decimals:0{decimals}}" for amount in paid]
    if split == "percentages":
        shares = [Fraction(share) for share in percentages[:winners]]
    elif split == "equal" or winners <= 1:
        shares = [Fraction(1)] * winners
    else:
        falling = range(winners - 1, 0, -1)
        shares = [Fraction(1)] + [Fraction(part, sum(falling)) for part in falling]
    units = int(Fraction(pool) * 10**decimals)
    exact = [units * share / sum(shares) for share in shares]
    paid = [int(part) for part in exact]
    for place in sorted(range(winners), key=lambda index: (paid[index] - exact[index], index))[: units - sum(paid)]:
        paid[place] += 1
    return [f"{amount // 10**decimals}.{amount % 10**decimals:0{decimals}}" for amount in paid]


def checks(proof):
    """Yield the checks: a code, True if it passes, and a detail for the sentence."""
    yield "document", proof["checksum"] == sha256(canonical({k: v for k, v in proof.items() if k != "checksum"})), ""
    first = proof["format"] == FIRST
    rules = proof if first else proof["opening"]
    digest = proof["digest"] if first else proof["closing"]["digest"]
    yield from (checks_of_first if first else checks_of_second)(proof)
    yield from entries_checks(rules, proof, digest)
    if not first and proof["outcome"] == "void":
        nothing = proof["beacon"] is None and not proof["drawn"] and not proof["places"]
        yield "void", nothing and (proof["reason"] != "beacon" or rules["beacon"] is not None), proof["reason"]
    else:
        yield from outcome_checks(rules, proof, digest)
    if not first and proof["log"] is not None:
        yield from log_checks(proof, proof["log"])


def checks_of_first(proof):
    yield "commitment", sha256(bytes.fromhex(proof["seed"])) == proof["commitment"], proof["commitment"]
    beacon, expected = proof["beacon"], proof["beacon_expected"]
    if beacon is not None:
        fits = sha256(bytes.fromhex(beacon["signature"])) == beacon["randomness"] and beacon["round"] == expected
        yield "beacon", fits, f"{beacon['round']} {beacon['chain']}"
    elif expected is not None:
        yield "beacon-missing", True, expected


def checks_of_second(proof):
    opening, closing, beacon = proof["opening"], proof["closing"], proof["beacon"]
    chain, seeds = opening["beacon"], opening["seeds"]
    yield "opening", sha256(canonical(opening)) == proof["commitment"], proof["commitment"]
    yield "seed", sha256(bytes.fromhex(proof["seed"])) == opening["seed_hash"], opening["seed_hash"]
    if seeds is None:
        yield "seed-alone", not proof["seed_path"], ""
    else:
        leaf = leaf_hash(bytes.fromhex(opening["seed_hash"]))
        there = included(leaf, seeds["number"] - 1, seeds["size"], proof["seed_path"], seeds["root"])
        yield "seeds", there, f"{seeds['number']}/{seeds['size']} {seeds['root']}"
    right = closing["at"] >= opening["at"] and (chain is None) == (closing["round"] is None)
    if right and chain is not None:
        right = is_as_published(chain)
    if right and chain is not None:
        moment = closing["at"] + max(chain["lead"], chain["period"])
        right = closing["round"] == max(1, (moment - chain["genesis"]) // chain["period"] + 2)
    yield "closing", right, closing["round"] or ""
    if beacon is not None:
        yield beacon_check(chain, closing["round"], beacon)
    elif chain is not None and proof["outcome"] == "completed":
        yield "beacon-absent", False, closing["round"] or ""


def is_as_published(chain):
    """Return True if the chain is not pinned, or has the scheme, key, genesis and period that were published for it."""
    return all(chain[name] == value for name, value in PINNED.get(chain["chain"], {}).items())


def beacon_check(chain, expected, beacon):
    told = f"{beacon['round']} {chain['chain'] if chain else ''}"
    if chain is None or beacon["round"] != expected:
        return "beacon-signed", False, told
    if sha256(bytes.fromhex(beacon["signature"])) != beacon["randomness"]:
        return "beacon-signed", False, told
    if not is_as_published(chain):
        return "beacon-signed", False, told
    return "beacon-signed" if chain["chain"] in PINNED else "beacon-unpinned", is_genuine_round(chain, beacon), told


def entries_checks(rules, proof, digest):
    picked = {number: player for number, player in proof["picked"]}
    entries = {**picked, **{number: player for player, number in proof["assigned"]}}
    count = len(proof["picked"]) + len(proof["assigned"])
    each_once = 0 < count == len(entries) == len(set(entries.values())) and max(entries) <= rules["highest"]
    allowed = not {*entries.values(), *proof["absent"]} & set(rules.get("excluded", ()))
    yield "entries", each_once and list(picked) == sorted(picked) and allowed, count
    absent, right = proof["absent"], proof["assigned"] == []
    if rules["absent_policy"] == "auto":
        free = [number for number in range(1, rules["highest"] + 1) if number not in picked]
        order = shuffled(
            free, proof["seed"], b"tombola/absent/1", digest_of(rules["game"], rules["highest"], picked), ""
        )
        right = len(absent) <= len(free) and proof["assigned"] == [list(pair) for pair in zip(absent, order)]
    once = len(set(absent)) == len(absent) and not set(absent) & set(picked.values())
    yield "absent", right and once, len(proof["assigned"])
    yield "digest", digest_of(rules["game"], rules["highest"], entries) == digest, digest


def outcome_checks(rules, proof, digest):
    entries = {number: player for number, player in proof["picked"]}
    entries.update({number: player for player, number in proof["assigned"]})
    randomness = proof["beacon"]["randomness"] if proof["beacon"] else ""
    every = digest_of(rules["game"], rules["highest"], entries)
    order = shuffled(range(1, rules["highest"] + 1), proof["seed"], b"tombola/draw/1", every, randomness)
    hits = [number for number in order if number in entries]
    reverse = rules["mode"] == "reverse"
    wanted = len(entries) - 1 if reverse else min(rules["winners"], len(entries))
    enough = 0 < wanted <= len(hits)
    drawn = order[: order.index(hits[wanted - 1]) + 1] if enough else []
    if reverse:
        out = [number for number in drawn if number in entries]
        standing = [number for number in entries if number not in set(out)]
        winning = (standing + out[::-1])[: rules["winners"]]
    else:
        winning = [number for number in drawn if number in entries]
    amounts = prizes(rules, len(winning))
    places = [(place["place"], place["number"], place["player"]) for place in proof["places"]]
    yield "order", drawn == proof["drawn"], len(drawn)
    yield "places", places == [(at, n, entries[n]) for at, n in enumerate(winning, 1)], len(winning)
    award = rules.get("award", {"currency": "", "texts": []})
    given = "; ".join(award["texts"]) or f"{rules['pool']} {award['currency']}".strip()
    yield "prizes", [place["prize"] for place in proof["places"]] == amounts, given


# -- the public log -------------------------------------------------------------------------------------------------


def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(leaf, index, size, path, root):
    """Check an inclusion proof (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, current = index, size - 1, leaf
    for sibling in map(bytes.fromhex, path):
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current.hex() == root


def consistent(old, old_root, new, new_root, path):
    """Check a consistency proof (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == sha256(b"")
    if not 0 < old < new or not path:
        return False
    nodes = [bytes.fromhex(node) for node in path]
    if old & (old - 1) == 0:
        nodes.insert(0, bytes.fromhex(old_root))
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first.hex() == old_root and second.hex() == new_root


def log_checks(proof, log):
    opening, closing, salt = proof["opening"], proof["closing"], bytes.fromhex(log["salt"])
    shared, seeds = {"game": opening["game"], "commitment": proof["commitment"]}, opening["seeds"]
    entries = hmac.digest(salt, bytes.fromhex(closing["digest"]), "sha256").hex()
    result = hmac.digest(salt, canonical({"drawn": proof["drawn"], "places": proof["places"]}), "sha256").hex()
    leaves = {
        "opening": {
            "game": opening["game"],
            "commitment": sha256(canonical(opening)),
            "at": opening["at"],
            "seeds": seeds and seeds["root"],
            "number": seeds and seeds["number"],
        },
        "closing": {**shared, "at": closing["at"], "round": closing["round"], "entries": entries},
        "outcome": {
            **shared,
            "seed": proof["seed"],
            "outcome": proof["outcome"],
            "reason": proof["reason"],
            "result": result,
        },
    }
    head, indexes, there = log["head"], [log[name]["index"] for name in leaves], True
    for name, leaf in leaves.items():
        data = canonical({**leaf, "type": name})
        there = there and included(leaf_hash(data), log[name]["index"], head["size"], log[name]["path"], head["root"])
    there = there and indexes == sorted(set(indexes))
    yield "log", there, f"{head['size']}:{head['root']}"
    signed = canonical({"format": "tombola-head/1", **head})
    yield "head", is_signed(bytes.fromhex(log["key"]), bytes.fromhex(log["signature"]), signed), log["key"]


def kept_checks(proof, commitment, head, path):
    """Compare with the commitment and the head of the log that a player kept."""
    if commitment is not None:
        yield "kept-commitment", proof["commitment"] == commitment.strip().lower(), commitment
    if head is not None:
        size, root = head
        log = proof.get("log")
        if log is None:
            yield "kept-head", False, f"{size}:{root}"
            return
        if size != log["head"]["size"] and not path and size:
            yield "kept-head-alone", False, f"{size}:{root}"
            return
        smaller, larger = sorted([(size, root), (log["head"]["size"], log["head"]["root"])])
        yield "kept-head", consistent(*smaller, *larger, path), f"{size}:{root}"


# -- Ed25519 (RFC 8032) -----------------------------------------------------------------------------------------------

Q = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q


def edwards_add(first, second):
    (x, y), (v, w) = first, second
    product = D * x * y * v * w % Q
    return (x * w + v * y) * pow(1 + product, -1, Q) % Q, (y * w + x * v) * pow(1 - product, -1, Q) % Q


def edwards_times(number, point):
    result = (0, 1)
    while number:
        if number & 1:
            result = edwards_add(result, point)
        point, number = edwards_add(point, point), number >> 1
    return result


def edwards_point(data):
    """Decode a point from 32 bytes. Returns None if there is none, or if its order is small."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if (x * x - square) % Q:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    if y >= Q or (x * x - square) % Q or (x == 0 and sign):
        return None
    point = (Q - x if x & 1 != sign else x, y)
    return None if edwards_times(8, point) == (0, 1) else point


def is_signed(key, signature, message):
    point, commitment = edwards_point(key), edwards_point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    y = 4 * pow(5, -1, Q) % Q
    base = edwards_point(y.to_bytes(32, "little"))
    return edwards_times(scalar, base) == edwards_add(commitment, edwards_times(challenge, point))


# -- BLS12-381 (signatures as drand makes them; hashing to the curve by RFC 9380) ------------------------------------

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
LOOP = 0xD201000000010000


class F:
    """An element of Fp2: ``a + b i``. Elements of Fp are those with ``b = 0``."""

    __slots__ = ("a", "b")

    def __init__(self, a, b=0):
        self.a, self.b = a % P, b % P

    def __add__(self, other):
        return F(self.a + other.a, self.b + other.b)

    def __sub__(self, other):
        return F(self.a - other.a, self.b - other.b)

    def __neg__(self):
        return F(-self.a, -self.b)

    def __mul__(self, other):
        if not self.b and not other.b:
            return F(self.a * other.a)
        return F(self.a * other.a - self.b * other.b, self.a * other.b + self.b * other.a)

    def __eq__(self, other):
        return self.a == other.a and self.b == other.b

    def __bool__(self):
        return bool(self.a or self.b)

    def inverse(self):
        norm = pow(self.a * self.a + self.b * self.b, -1, P)
        return F(self.a * norm, -self.b * norm)

    def power(self, exponent):
        result, base = F(1), self
        while exponent:
            if exponent & 1:
                result = result * base
            base, exponent = base * base, exponent >> 1
        return result

    def sign(self):
        return self.a & 1 if self.a else self.b & 1

    def root(self, extended):
        """Return a square root, in Fp or (``extended``) Fp2; None if there is none."""
        if not extended:
            root = F(pow(self.a, (P + 1) // 4, P))
            return root if root * root == self else None
        if not self.b:
            root = F(pow(self.a, (P + 1) // 4, P))
            return root if root * root == self else F(0, root.a)
        norm = pow(self.a * self.a + self.b * self.b, (P + 1) // 4, P)
        for half in ((self.a + norm) * pow(2, -1, P) % P, (self.a - norm) * pow(2, -1, P) % P):
            real = pow(half, (P + 1) // 4, P)
            if real and real * real % P == half:
                root = F(real, self.b * pow(2 * real, -1, P))
                if root * root == self:
                    return root
        return None


def add(first, second):
    """Add two points of y^2 = x^3 + b. None is the point at infinity."""
    if first is None or second is None:
        return first or second
    (x, y), (v, w) = first, second
    if x == v:
        if y != w or not y:
            return None
        slope = (x * x * F(3)) * (y * F(2)).inverse()
    else:
        slope = (w - y) * (v - x).inverse()
    third = slope * slope - x - v
    return third, slope * (x - third) - y


def times(number, point):
    result = None
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def point_of(data, extended, known=False):
    """Decode a compressed point of the right order.

    Returns None if there is none; ``known`` skips the check of the order.
    """
    if len(data) != (96 if extended else 48) or data[0] >> 6 != 2:
        return None
    largest, numbers = (
        bool(data[0] & 0x20),
        [int.from_bytes(data[at : at + 48], "big") for at in range(0, len(data), 48)],
    )
    numbers[0] &= (1 << 381) - 1
    if max(numbers) >= P:
        return None
    x = F(numbers[1], numbers[0]) if extended else F(numbers[0])
    y = (x * x * x + (F(4, 4) if extended else F(4))).root(extended)
    if y is None:
        return None
    if ((y.b or y.a) > (P - 1) // 2) != largest:
        y = -y
    return (x, y) if known or times(R, (x, y)) is None else None


def expand(message, tag, length):
    tag += bytes([len(tag)])
    start = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\0" + tag).digest()
    block = hashlib.sha256(start + b"\1" + tag).digest()
    blocks = [block]
    for number in range(2, -(-length // 32) + 1):
        block = hashlib.sha256(bytes(a ^ b for a, b in zip(start, block)) + bytes([number]) + tag).digest()
        blocks.append(block)
    return b"".join(blocks)[:length]


def hash_to_curve(message, extended):
    group = b"G2" if extended else b"G1"
    tag, parts = b"BLS_SIG_BLS12381" + group + b"_XMD:SHA-256_SSWU_RO_NUL_", 2 if extended else 1
    data = expand(message, tag, 2 * parts * 64)
    numbers = [int.from_bytes(data[at : at + 64], "big") for at in range(0, len(data), 64)]
    elements = [F(*numbers[at : at + parts]) for at in range(0, len(numbers), parts)]
    cofactor = COFACTOR2 if extended else LOOP + 1
    return times(cofactor, add(*(map_to_curve(element, extended) for element in elements)))


def map_to_curve(u, extended):
    """Apply the simplified Shallue-van de Woestijne-Ulas map, and the isogeny to the curve."""
    a, b, z = (F(0, 240), F(1012, 1012), F(-2, -1)) if extended else (A11, B11, F(11))
    square = z * u * u
    tail = square * square + square
    x = -b * a.inverse() * (F(1) + tail.inverse()) if tail else b * (z * a).inverse()
    y = (x * x * x + a * x + b).root(extended)
    if y is None:
        x = square * x
        y = (x * x * x + a * x + b).root(extended)
    if u.sign() != y.sign():
        y = -y
    return isogenous(x, y, ISOGENY3 if extended else ISOGENY11)


def isogenous(x, y, polynomials):
    def value(coefficients):
        result = F(0)
        for coefficient in reversed(coefficients):
            result = result * x + coefficient
        return result

    up, down, left, right = map(value, polynomials)
    return up * down.inverse(), y * left * right.inverse()


def times12(first, second):
    """Multiply in Fp12 = Fp[w] / (w^12 - 2 w^6 + 2), where w^6 = 1 + i; elements are lists of twelve integers.

    Each polynomial is packed into one large integer, so that Python multiplies only once.
    """
    packed = [
        int.from_bytes(b"".join(number.to_bytes(96, "little") for number in f), "little") for f in (first, second)
    ]
    product = (packed[0] * packed[1]).to_bytes(2304, "little")
    result = [int.from_bytes(product[at : at + 96], "little") for at in range(0, 2208, 96)]
    for at in range(22, 11, -1):
        result[at - 6] += 2 * result[at]
        result[at - 12] -= 2 * result[at]
    return [number % P for number in result[:12]]


def line(slope, at, low):
    """Return the line through a point of G2 with a slope, evaluated at a point of G1, as an element of Fp12."""
    constant, linear, result = slope * at[0] - at[1], -slope * low[0], [0] * 12
    result[0], result[6] = constant.a - constant.b, constant.b
    result[2], result[8] = linear.a - linear.b, linear.b
    result[3] = low[1].a
    return [number % P for number in result]


def pairs_cancel(pairs):
    """Return True if the product of the pairings of points of G1 and G2 is one."""
    product, points = [1] + [0] * 11, [high for _, high in pairs]
    for bit in bin(LOOP)[3:]:
        product = times12(product, product)
        for index, (low, high) in enumerate(pairs):
            x, y = points[index]
            product = times12(product, line((x * x * F(3)) * (y * F(2)).inverse(), points[index], low))
            points[index] = add(points[index], points[index])
            if bit == "1":
                x, y = points[index]
                product = times12(product, line((high[1] - y) * (high[0] - x).inverse(), points[index], low))
                points[index] = add(points[index], high)
    # The exponent is (p^12 - 1) / r = (p^6 - 1) (p^2 + 1) (p^4 - p^2 + 1) / r. To the power p^2, w becomes a root of
    # unity times w; to the power p^6 it becomes -w, so the first factor turns the test into: all odd coefficients are
    # zero.
    unity = F(1, 1).power((P * P - 1) // 6).a
    product = times12(product, [number * pow(unity, at, P) % P for at, number in enumerate(product)])
    powers = [[1] + [0] * 11, product]
    while len(powers) < 16:
        powers.append(times12(powers[-1], product))
    result = powers[0]
    for digit in f"{(P**4 - P**2 + 1) // R:x}":
        for _ in range(4):
            result = times12(result, result)
        result = times12(result, powers[int(digit, 16)])
    return not any(result[1::2])


def is_genuine_round(chain, beacon):
    """Check a beacon's signature. Takes half a second."""
    chained = chain["scheme"] == CHAINED
    before = bytes.fromhex(beacon["previous_signature"]) if chained else b""
    if beacon["round"] >= 2**64:
        return False
    message = hashlib.sha256(before + beacon["round"].to_bytes(8, "big")).digest()
    key = point_of(bytes.fromhex(chain["public_key"]), not chained)
    signature = point_of(bytes.fromhex(beacon["signature"]), chained)
    if key is None or signature is None:
        return False
    hashed = hash_to_curve(message, chained)
    if chained:
        return pairs_cancel([((G1[0], -G1[1]), signature), (key, hashed)])
    return pairs_cancel([((signature[0], -signature[1]), G2), (hashed, key)])


COFACTOR2 = int(
    "bc69f08f2ee75b3584c6a0ea91b352888e2a8e9145ad7689986ff031508ffe1329c2f178731db956d82bf015d1212b02"
    "ec0ec69d7477c1ae954cbc06689f6a359894c0adebbf6b4e8020005aaa95551",
    16,
)
A11 = F(0x144698A3B8E9433D693A02C96D4982B0EA985383EE66A8D8E8981AEFD881AC98936F8DA0E0F97F5CF428082D584C1D)
B11 = F(0x12E2908D11688030018B12E8753EEE3B2016C1F0F24F4070A0B9C14FCEF35EF55A23215A316CEAA5D1CC48E98E172BE0)
_ELEVEN = (
    "11a05f2b1e833340b809101dd99815856b303e88a2d7005ff2627b56cdb4e2c85610c2d5f2e62d6eaeac1662734649b717294ed3e943ab2f"
    "0588bab22147a81c7c17e75b2f6a8417f565e33c70d1e86b4838f2a6f318c356e834eef1b3cb83bb0d54005db97678ec1d1048c5d10a9a1b"
    "ce032473295983e56878e501ec68e25c958c3e3d2a09729fe0179f9dac9edcb01778e7166fcc6db74e0609d307e55412d7f5e4656a8dbf25"
    "f1b33289f1b330835336e25ce3107193c5b388641d9b68610e99726a3199f4436642b4b3e4118e5499db995a1257fb3f086eeb65982fac18"
    "985a286f301e77c451154ce9ac8895d91630c3250d7313ff01d1201bf7a74ab5db3cb17dd952799b9ed3ab9097e68f90a0870d2dcae73d19"
    "cd13c1c66f6529830d6ed6553fe44d296a3726c38ae652bfb11586264f0f8ce19008e218f9c86b2a8da25128c1052ecaddd7f225a139ed84"
    "17b81e7701abdbe2e8743884d1117e53356de5ab275b4db1a682c62ef0f2753339b7c8f8c8f475af9ccb5618e3f0c88e080d3cf1f9a78fc4"
    "7b90b33563be990dc43b756ce79f5574a2c596c928c5d1de4fa295f296b74e956d71986a8497e317169b1f8e1bcfa7c42e0c37515d138f22"
    "dd2ecb803a0c5c99676314baf4bb1b7fa3190b2edc0327797f241067be390c9e10321da079ce07e272d8ec09d2565b0dfa7dccdde6787f96"
    "d50af36003b14866f69b771f8c285decca67df3f1605fb7b06e08c248e260e70bd1e962381edee3d31d79d7e22c837bc23c0bf1bc24c6b68"
    "c24b1b80b64d391fa9c8ba2e8ba2d22908ca8d548cff19ae18b2e62f4bd3fa6f01d5ef4ba35b48ba9c9588617fc8ac62b558d681be343df8"
    "993cf9fa40d21b1c12561a5deb559c4348b4711298e536367041e8ca0cf0800c0126c2588c48bf5713daa8846cb026e9e5c8276ec82b3bff"
    "0b2962fe57a3225e8137e629bff2991f6f89416f5a718cd1fca64e00b11aceacd6a3d0967c94fedcfcc239ba5cb83e1903425581a58ae2fe"
    "c83aafef7c40eb545b08243f16b1655154cca8abc28d6fd04976d5243eecf5c4130de8938dc62cd813a8e162022914a80a6f1d5f43e7a07d"
    "ffdfc759a12062bb8d6b44e833b306da9bd29ba81f35781d539d395b3532a21e0e7355f8e4e667b955390f7f0506c6e9395735e9ce9cad4d"
    "0a43bcef24b8982f7400d24bc4228f11c02df9a29f6304a50772caacf16936190f3e0c63e0596721570f5799af53a1894e2e073062aede9c"
    "ea73b3538f0de06cec2574496ee84a3a14a7ac2a9d64a8b230b3f5b074cf01996e7f63c21bca68a81996e1cdf9822c580fa5b9489d11e2d3"
    "11f7d99bbdcc5a5e0a10ecf6ada54f825e920b3dafc7a3cce07f8d1d7161366b74100da67f39883503826692abba43704776ec3a79a1d641"
    "095fc13ab9e92ad4476d6e3eb3a56680f682b4ee96f7d03776df533978f31c1593174e4b4b7865002d6384d168ecdd0a0000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000001090d97c81ba24ee0259d1f094980dcfa"
    "11ad138e48a869522b52af6c956543d3cd0c7aee9b3ba3c2be9845719707bb33134996a104ee5811d51036d776fb46831223e96c254f383d"
    "0f906343eb67ad34d6c56711962fa8bfe097e75a2e41c69600cc786baa966e66f4a384c86a3b49942552e2d658a31ce2c344be4b91400da7"
    "d26d521628b00523b8dfe240c72de1f601f86376e8981c217898751ad8746757d42aa7b90eeb791c09e4a3ec03251cf9de405aba9ec61dec"
    "a6355c77b0e5f4cb08cc03fdefe0ff135caf4fe2a21529c4195536fbe3ce50b879833fd221351adc2ee7f8dc099040a841b6daecf2e8fedb"
    "16603fca40634b6a2211e11db8f0a6a074a7d0d4afadb7bd76505c3d3ad5544e203f6326c95a807299b23ab13633a5f004ab0b9bcfac1bbc"
    "b2c977d027796b3ce75bb8ca2be184cb5231413c4d634f3747a87ac2460f415ec961f8855fe9d6f20987c8d5333ab86fde9926bd2ca6c674"
    "170a05bfe3bdd81ffd038da6c26c842642f64550fedfe935a15e4ca31870fb2909fc4018bd96684be88c9e221e4da1bb8f3abd16679dc26c"
    "1e8b6e6a1f20cabe69d65201c78607a360370e577bdba5870e1bba7a1186bdb5223abde7ada14a23c42a0ca7915af6fe06985e7ed1e4d43b"
    "9b3f7055dd4eba6f2bafaaebca731c3019713e47937cd1be0dfd0b8f1d43fb93cd2fcbcb6caf493fd1183e416389e61031bf3a5cce3fbafc"
    "e813711ad011c13218b46a908f36f6deb918c143fed2edcc523559b8aaf0c2462e6bfe7f911f643249d9cdf41b44d606ce07c8a4d0074d8e"
    "0b182cac101b9399d155096004f53f447aa7b12a3426b08ec02710e807b4633f06c851c1919211f20d4c04f00b971ef80245a394ad1eca9b"
    "72fc00ae7be315dc757b3b080d4c158013e6632d3c40659cc6cf90ad1c232a6442d9d3f5db98013305c129645e44cf1102a159f748c4a3fc"
    "5e673d81d7e86568d9ab0f5d396a7ce46ba1049b6579afb7866b1e715475224b15e6be4e990f03ce4ea50b3b42df2eb5cb181d8f84965a39"
    "57add4fa95af01b2b665027efec01c7704b456be69c8b60416112c4c3a9c98b252181140fad0eae9601a6de578980be6eec3232b5be72e7a"
    "07f3688ef60c206d01479253b03663c11962d75c2381201e1a0cbd6c43c348b885c84ff731c4d59ca4a10356f453e01f78a4260763529e35"
    "32f6102c2e49a03d058df3306640da276faaae7d6e8eb15778c4855551ae7f310c35a5dd279cd2eca6757cd636f96f891e2538b53dbf67f2"
    "16b7d288798e5395f20d23bf89edb4d1d115c5dbddbcd30e123da489e726af41727364f2c28297ada8d26d98445f54160be0e079545f43e4"
    "b00cc912f8228ddcc6d19c9f0f69bbb0542eda0fc9dec916a20b15dc0fd2ededda39142311a5001d08d9e5297186db2d9fb266eaac783182"
    "b70152c65550d881c5ecd87b6f0f5a6449f38db9dfa9cce202c6477faaf9b7ac166007c08a99db2fc3ba8734ace9824b5eecfdfa8d0cf8ef"
    "5dd365bc400a0051d5fa9c01a58b1fb93d1a1399126a775c16a3ef08be3ea7ea03bcddfabba6ff6ee5a4375efa1f4fd7feb34fd206357132"
    "b920f5b00801dee460ee415a15812ed91866c8ed336c61231a1be54fd1d74cc4f9fb0ce4c6af5920abc5750c4bf39b4852cfe2f7bb924883"
    "6b233d9d55535d4a167a55cda70a6e1cea820597d94a84903216f763e13d87bb5308592e7ea7d4fbc7385ea3d529b35e346ef48bb8913f55"
    "04d2f259eea405bd48f010a01ad2911d9c6dd039bb61a6290e591b36e636a5c871a5c29f4f83060400f8b49cba8f6aa80accbb67481d033f"
    "f5852c1e48c50c477f94ff8aefce42d28c0f9a88cea7913516f968986f7ebbea9684b529e25610920ad6b9514c767fe3c3613144b45f1496"
    "543346d98adf02267d5ceef9a00d9b8693000763e3b90ac11e99b138573345cc02660400eb2e4f3b628bdd0d53cd76f2bf565b94e72927c1"
    "cb748df27942480e420517bd8714cc80d1fadc1326ed06f70e0fa1d816ddc03e6b24255e0d7819c171c40f65e273b853324efcd6356caa20"
    "5ca2f570f13497804415473a1d634b8f00000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000001"
)
_THREE = (
    "05c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d605c759507e8e333e"
    "bb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d600000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000011560bf17baa99bc32126fced787c88f984f87adf7ae0c7f"
    "9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71a11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a418"
    "1472aaa9cb8d555526a9ffffffffc71e08ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa"
    "9354ffffffffe38d171d6541fa38ccfaed6dea691f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f671c7188e2aaaaaaaa5ed1"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"
    "64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa63000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000c1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624"
    "1eabfffeb153ffffb9feffffffffaa9f00000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000001530477c7ab4113b59a4c18b076d1193"
    "0f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d7061530477c7ab4113b59a4c18b076d11930f7da5d4a07f649b"
    "f54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d7060000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000005c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c"
    "6238aaaaaaaa97be11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71c"
    "08ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f124c9ad43b6cf79b"
    "fbf7043de3811ad0761b0f37a1e26286b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b1000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf"
    "6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa8fb1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624"
    "1eabfffeb153ffffb9feffffffffa8fb00000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa9d3"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000121a0111ea397fe69a"
    "4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa9900000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000"
)


def _polynomials(digits, lengths, extended):
    """Parse the isogeny's numerators and denominators, lowest coefficient first, from 96 hex digits for each number."""
    numbers = iter([int(digits[at : at + 96], 16) for at in range(0, len(digits), 96)])
    return [[F(next(numbers), next(numbers) if extended else 0) for _ in range(length)] for length in lengths]


ISOGENY11 = _polynomials(_ELEVEN, (12, 11, 16, 16), extended=False)
ISOGENY3 = _polynomials(_THREE, (4, 4, 4, 4), extended=True)
G1 = point_of(
    bytes.fromhex("97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"),
    False,
    known=True,
)
G2 = point_of(
    bytes.fromhex(
        "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
    ),
    True,
    known=True,
)


# -- the command line -------------------------------------------------------------------------------------------------

WORDS = {
    "en": {
        "ok": "ok",
        "failed": "FAILED",
        "holds": "The proof holds",
        "fails": "The proof does NOT hold",
        "unreadable": "cannot be read",
        "too-large": "This is not a proof: it is too large for one.",
        "not-json": "This is not a proof: it is not JSON.",
        "unknown-format": "This is not a proof of a known format.",
        "not-canonical": "This is not a proof: it is not in canonical form.",
        "incomplete": "This proof is incomplete: a field is missing or has a value of the wrong type.",
        "document": "the document is intact",
        "commitment": "the seed is the one promised before anybody picked",
        "opening": "rules, game, chat and seed are those promised before anybody picked",
        "seed": "the seed is the one that was promised",
        "seeds": "it is the seed of that number among those fixed in advance for the chat",
        "seed-alone": "the seed was made for this game: none had been fixed in advance",
        "closing": "picking closed as promised, and the round follows from when",
        "beacon": "the randomness fits its signature; compare the round with the public beacon",
        "beacon-missing": "this round did not come in time, so the draw was made without it",
        "beacon-signed": "the round is signed by the beacon, whose key is known",
        "beacon-unpinned": "the round is signed with the key in the promise, which this program does not know: compare it",
        "beacon-absent": "the draw used this round of the beacon",
        "entries": "every player has one number, and every number one player",
        "absent": "absent players have the numbers that follow from the seed",
        "digest": "the digest of the entries matches",
        "order": "the numbers were drawn in the order that follows from seed, entries and beacon",
        "places": "the winners follow from the draw",
        "prizes": "the prizes are split by the rules",
        "void": "the draw is void: no number was drawn, and nobody won",
        "log": "the public log contains opening, closing and outcome",
        "head": "the log’s head is signed with this key",
        "kept-commitment": "it is the commitment that you kept",
        "kept-head": "the log has grown from the head that you kept",
        "kept-head-alone": "not compared: for a head of another size, ask the operator for a consistency file",
    },
    "es": {
        "ok": "bien",
        "failed": "FALLO",
        "holds": "La prueba es válida",
        "fails": "La prueba NO es válida",
        "unreadable": "no se puede leer",
        "too-large": "Esto no es una prueba: el archivo es demasiado grande.",
        "not-json": "Esto no es una prueba: el archivo no es JSON.",
        "unknown-format": "El formato de esta prueba es desconocido.",
        "not-canonical": "Esto no es una prueba: no tiene la forma canónica.",
        "incomplete": "Esta prueba está incompleta: falta un campo o tiene un valor del tipo equivocado.",
        "document": "el documento está intacto",
        "commitment": "la semilla es la prometida antes de que nadie eligiera",
        "opening": "reglas, partida, chat y semilla son los prometidos antes de que nadie eligiera",
        "seed": "la semilla es la prometida",
        "seeds": "es la semilla con ese número entre las fijadas de antemano para el chat",
        "seed-alone": "la semilla se creó para esta partida: no había ninguna fijada de antemano",
        "closing": "la elección se cerró según lo prometido, y de la hora de cierre resulta la ronda",
        "beacon": "el valor aleatorio corresponde a su firma; compara la ronda con la baliza pública",
        "beacon-missing": "esta ronda no llegó a tiempo, así que el sorteo se hizo sin ella",
        "beacon-signed": "la ronda está firmada por la baliza con una clave conocida",
        "beacon-unpinned": "la ronda está firmada con la clave de la promesa, que este programa no conoce: compárala",
        "beacon-absent": "el sorteo usó esta ronda de la baliza",
        "entries": "cada jugador tiene un número y cada número un jugador",
        "absent": "los ausentes tienen los números que resultan de la semilla",
        "digest": "el resumen de las participaciones coincide",
        "order": "los números salieron en el orden que resulta de semilla, participaciones y baliza",
        "places": "los ganadores resultan del sorteo",
        "prizes": "los premios están repartidos según las reglas",
        "void": "el sorteo es nulo: no salió ningún número y no ganó nadie",
        "log": "el registro público contiene apertura, cierre y resultado",
        "head": "la cabecera del registro está firmada con esta clave",
        "kept-commitment": "es el sello que guardaste",
        "kept-head": "el registro ha crecido desde la cabecera que guardaste",
        "kept-head-alone": "sin comparar: para una cabecera de otro tamaño, pide al operador un archivo de consistencia",
    },
    "ru": {
        "ok": "верно",
        "failed": "ОШИБКА",
        "holds": "Доказательство верно",
        "fails": "Доказательство НЕВЕРНО",
        "unreadable": "не удалось прочитать",
        "too-large": "Это не доказательство: файл слишком велик.",
        "not-json": "Это не доказательство: файл не в формате JSON.",
        "unknown-format": "Формат этого доказательства неизвестен.",
        "not-canonical": "Это не доказательство: файл записан не в канонической форме.",
        "incomplete": "Доказательство неполное: какого-то поля нет или его значение не того типа.",
        "document": "документ не повреждён",
        "commitment": "секрет тот, что был обещан до выбора",
        "opening": "правила, игра, чат и секрет те, что были обещаны до выбора",
        "seed": "секрет тот, что был обещан",
        "seeds": "это секрет с этим номером из созданных заранее для чата",
        "seed-alone": "секрет создан для этой игры: созданного заранее не было",
        "closing": "выбор закрыт, как обещано, и раунд следует из времени закрытия",
        "beacon": "случайность соответствует подписи; сверьте раунд с публичным маяком",
        "beacon-missing": "этот раунд не вышел вовремя, розыгрыш проведён без него",
        "beacon-signed": "раунд подписан маяком, ключ которого известен",
        "beacon-unpinned": "раунд подписан ключом из обещания, программе он неизвестен: сверьте его",
        "beacon-absent": "в розыгрыше использован этот раунд маяка",
        "entries": "у каждого одно число, у каждого числа один игрок",
        "absent": "отсутствовавшие получили числа, которые следуют из секрета",
        "digest": "список чисел соответствует отпечатку",
        "order": "числа вытянуты в порядке, который следует из секрета, списка и маяка",
        "places": "победители следуют из розыгрыша",
        "prizes": "призы разделены по правилам",
        "void": "розыгрыш недействителен: числа не тянули, победителей нет",
        "log": "в публичном журнале есть открытие, закрытие и исход",
        "head": "корень журнала подписан этим ключом",
        "kept-commitment": "это печать, которую вы сохранили",
        "kept-head": "журнал вырос из корня, который вы сохранили",
        "kept-head-alone": "не сверено: для корня другого размера попросите у оператора файл согласованности",
    },
}


def run(given, say):
    """Verify a proof and report each check through ``say``. Returns True if the proof holds."""
    words = WORDS[given.language]
    try:
        proof = read(bytes_of(given.proof))
    except NotAProof as error:
        say(words[str(error)])
        return False
    made = [*checks(proof), *kept_checks(proof, given.commitment, given.head, path_of(given.consistency))]
    for code, passed, told in made:
        say(f"[{words['ok' if passed else 'failed']}] {words[code]} {told}".rstrip())
    holds = all(passed for _, passed, _ in made)
    say(f"{words['holds' if holds else 'fails']}: {(proof if proof['format'] == FIRST else proof['opening'])['game']}")
    return holds


def bytes_of(path):
    """Read a file, or standard input for ``-``, up to one byte beyond the limit, which shows that it is too large."""
    if path != "-":
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer.read(LARGEST + 1)


def path_of(name):
    """Read the path of a consistency proof, as ``python -m bot log consistency`` prints it."""
    if name is None:
        return []
    try:
        document = json.loads(bytes_of(name))
    except (ValueError, RecursionError):
        document = None
    except OSError as error:
        raise ValueError(f"consistency file: {error}") from None
    path = document.get("path") if isinstance(document, dict) else None
    if not listed(path, 128, lambda node: hexes(node, 64)):
        raise ValueError(f"{name} is no consistency proof")
    return path


def kept_head(given):
    found = re.fullmatch("([0-9]{1,15}):([0-9a-f]{64})", given.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError("a head is written SIZE:ROOT")
    return int(found[1]), found[2]


def main(arguments=None):
    """Run the command. Returns the exit status; bad input ends in a one-line verdict, never in a traceback."""
    parser = argparse.ArgumentParser(description="Verify the proof of a Tombola draw, offline.")
    parser.add_argument("proof", help="a JSON file; - reads standard input")
    parser.add_argument("--commitment", metavar="HEX", help="the seal in the message that you kept")
    parser.add_argument("--head", type=kept_head, metavar="SIZE:ROOT", help="a head of the public log, saved earlier")
    parser.add_argument("--consistency", metavar="FILE", help="proof that the log has grown from that head")
    parser.add_argument("--language", choices=sorted(WORDS), default="en")
    given = parser.parse_args(arguments)
    lines = []
    try:
        holds = run(given, lines.append)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        holds = False
        lines.append(f"{given.proof} {WORDS[given.language]['unreadable']}: {error}")
    try:
        encoding = sys.stdout.encoding or "utf-8"
        text_of = "".join("".join(c if c.isprintable() else "?" for c in line) + "\n" for line in lines)
        sys.stdout.write(text_of.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):  # a closed pipe, a full disk, no standard output: the status tells
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        except OSError:
            pass
        return 1
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
