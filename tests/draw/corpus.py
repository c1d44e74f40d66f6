"""Proofs of both formats, and thousands of mutations of them, the same in every run."""

import copy
import hashlib
import importlib.util
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from nacl.signing import SigningKey

from fsm import merkle, proof
from fsm.lobby import Cancel, DeadlinePassed, Join, StartNow
from fsm.pick_number import KIND, Beacon, BeaconSignal, PickNumber, PickNumberGame, PublishBeacon, prove
from storage.public_log import leaf_of
from storage.seeds import SeedTree
from tests.draw import beacons
from tests.rules.given_when_then import OPENED, given, opened, opening, play
from tests.support.games import HOST

ROOT = Path(__file__).parents[2]
SALT = hashlib.sha256(b"salt").digest()


def verifier() -> ModuleType:
    """Return ``verify.py`` as a module that remembers the signatures it has checked."""
    spec = importlib.util.spec_from_file_location("verify", ROOT / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check, known = module.is_genuine_round, dict[str, bool]()

    def remembered(chain: Any, beacon: Any) -> bool:
        key = json.dumps([chain["scheme"], chain["public_key"], beacon])
        if key not in known:
            known[key] = check(chain, beacon)
        return known[key]

    module.is_genuine_round = remembered  # type: ignore[attr-defined]
    return module


def played(number: int, *, first: bool = False, beacon: Beacon | None = None, **rules: Any) -> PickNumberGame:
    """Return a game whose draw is over. ``number`` selects its seed."""
    if first:
        state: PickNumberGame = KIND.fold(None, opened(first_format=True, beacon=beacon, **rules))
    else:
        seed = SeedTree.of(b"corpus", 16).numbered(number % 16 + 1) if number % 3 else None
        command = opening(rules=given(opened(beacon=beacon, **rules)).state.rules, content=seed)
        state = KIND.fold(None, KIND.decide(None, command, OPENED, "5eed" * 16))
    for player in range(1, 6):
        state = play(state, Join(player, f"P{player}"), OPENED + player)
    state = play(state, StartNow(HOST.id), OPENED + 10)
    for player in range(1, 6 - number % 3):
        state = play(state, PickNumber(player, player * 4 - number % 4), OPENED + 20)
    while state.phase == "number_selection":
        assert state.deadline is not None
        state = play(state, DeadlinePassed(state.deadline), state.deadline)
    if beacon is not None and number % 7 == 6 and not first:
        return play(state, Cancel(5, "operator"), OPENED + 400_000)
    if beacon is not None and state.beacon_round is not None:
        found = beacons.signed(state.beacon_round, scheme=beacon.scheme)
        state = play(state, PublishBeacon(BeaconSignal(beacon.chain, **found)), OPENED + 500_000)
    while state.deadline is not None:
        state = play(state, DeadlinePassed(state.deadline), state.deadline)
    return state


def logged(state: PickNumberGame) -> dict[str, Any]:
    """Return the proof of a game with its place in a log of thirteen leaves."""
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(13)]
    indexes = {"opening": 3, "closing": 7, "outcome": 12}
    for name, note in (("opening", "opening"), ("closing", "closing"), ("outcome", "end")):
        leaf = leaf_of(state, note, SALT)
        assert leaf is not None
        leaves[indexes[name]] = merkle.leaf_hash(leaf[1])
    head = {"at": OPENED, "root": merkle.root(leaves).hex(), "size": 13}
    key = SigningKey(SALT)
    places = {
        name: {"index": index, "path": [node.hex() for node in merkle.inclusion_path(leaves, index)]}
        for name, index in indexes.items()
    }
    signature = key.sign(proof.head_statement(head)).signature.hex()
    return prove(
        state,
        {"head": head, "key": bytes(key.verify_key).hex(), "signature": signature, "salt": SALT.hex(), **places},
    )


def documents() -> list[dict[str, Any]]:
    """Return valid proofs of every kind."""
    unchained, chained = (beacons.chain(OPENED - 60_000, scheme=scheme) for scheme in proof.SCHEMES)
    old = Beacon("ab" * 32, genesis_at=0, period_ms=3_000, wait_ms=10_000)
    some: list[dict[str, Any]] = [
        {},
        {"mode": "reverse", "winners": 3, "prize_pool": Decimal("10.01")},
        {"absent": "auto", "winners": 10, "split": "equal", "prize_pool": Decimal("0.00000007")},
        {
            "winners": 3,
            "split": "percentages",
            "percentages": (Decimal(60), Decimal("30.5"), Decimal("9.5")),
            "prize_pool": Decimal(10**12),
        },
        {"mode": "reverse", "absent": "auto", "numbers": 40},
    ]
    awarded: list[dict[str, Any]] = [
        {"currency": "EUR", "prize_pool": Decimal("100.00"), "winners": 2},
        {"winners": 10, "prize_pool": Decimal("175.005"), "amounts": (Decimal("100.005"), Decimal(50), Decimal(25))},
        {"winners": 2, "amounts": (Decimal("7.5"), Decimal(1)), "prize_pool": Decimal("8.5"), "currency": "₽"},
        {"mode": "reverse", "winners": 3, "prizes": ("Cinema ticket", "Книга 😀")},
        {"earlier_winners": (99, 7), "without_winners": True},
    ]
    found = []
    for number, rules in enumerate(some):
        found.append(prove(played(number, first=True, **rules)))
        found.append(prove(played(number + 1, **rules)))
        found.append(logged(played(number + 2, **rules)))
    found += [logged(played(number, **rules)) for number, rules in enumerate(awarded)]
    found.append(prove(played(0, first=True, beacon=old)))
    found.append(logged(played(1, beacon=unchained)))
    found.append(prove(played(2, beacon=chained, mode="reverse")))
    found.append(logged(played(6, beacon=unchained, beacon_policy="void")))
    found.append(logged(played(13, beacon=quicknet())))
    return found


def earlier(document: dict[str, Any], size: int) -> tuple[str, list[str]]:
    """Return a head of the log of ``logged`` when it had fewer leaves, and the consistency proof that leads from it."""
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(13)]
    closing = {"game": document["opening"]["game"], **document["closing"]}
    leaves[3] = merkle.leaf_hash(proof.opening_leaf(proof.canonical(document["opening"]).decode()))
    leaves[7] = merkle.leaf_hash(proof.closing_leaf(document["commitment"], closing, SALT))
    leaves[12] = merkle.leaf_hash(proof.outcome_leaf(document, SALT))
    assert merkle.root(leaves).hex() == document["log"]["head"]["root"]
    path = [merkle.root(leaves[slice(*span)]).hex() for span in merkle.consistency_spans(size, 13)]
    return f"{size}:{merkle.root(leaves[:size]).hex()}", path


def quicknet(**changes: Any) -> Beacon:
    """Return drand's quicknet, with ``changes`` that it has not."""
    known = proof.PINNED[beacons.QUICKNET]
    given: dict[str, Any] = {
        "genesis_at": known["genesis"],
        "period_ms": known["period"],
        "scheme": known["scheme"],
        "public_key": known["public_key"],
        "wait_ms": 10_000,
        **changes,
    }
    return Beacon(beacons.QUICKNET, **given)


def mutations(count: int, seed: int = 13) -> Iterator[bytes]:
    """Yield valid proofs, then mutations.

    A mutation changes bytes, changes values and seals them again, or copies parts of one proof into another.
    """
    chance, valid = random.Random(seed), documents()
    yield from (proof.canonical(document) for document in valid)
    for _ in range(count):
        document = copy.deepcopy(chance.choice(valid))
        if chance.random() < 0.3:
            raw = bytearray(proof.canonical(document))
            for _ in range(chance.choice([1, 1, 1, 3])):
                raw[chance.randrange(len(raw))] = chance.choice(
                    [*b'0123456789abcdef \n"{}[],:-.eE', chance.randrange(256)]
                )
            yield bytes(raw)
            continue
        for _ in range(chance.choice([1, 1, 2])):
            _change(document, chance, valid)
        if chance.random() < 0.7 and isinstance(document.get("opening"), dict):
            document["commitment"] = proof.commitment(document["opening"])
        yield proof.canonical(proof.seal(document) if chance.random() < 0.9 else document)


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 10**15, 2**53, 10**30, 1.5, 5.0, float("nan"),
    "", "0", "00", "0100", "1e3", "-1", "x", "0.00", "ab" * 32, "ab" * 48, "c0" + "00" * 47,
    "\x07", "é" * 64, "\ud800", "x" * 65, [], {}, [[]], [1, 2], [[1, 2]],
    "normal", "reverse", "auto", "drop", "equal", "void", "completed", "operator", "beacon", "wait", "tombola-proof/1",
]  # fmt: skip


def _change(document: dict[str, Any], chance: random.Random, valid: list[dict[str, Any]]) -> None:
    """Change one random value."""
    at: Any = document
    while True:
        names = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not names:
            return
        name = chance.choice(names)
        if isinstance(at[name], dict | list) and at[name] and chance.random() < 0.75:
            at = at[name]
            continue
        break
    old, kind = at[name], chance.random()
    if kind < 0.3 and type(old) is int:
        at[name] = old + chance.choice([-1, 1, 2, 1000])
    elif kind < 0.5 and isinstance(old, str) and old:
        index = chance.randrange(len(old))
        at[name] = old[:index] + chance.choice("0123456789abcdef.A") + old[index + 1 :]
    elif kind < 0.6 and isinstance(at, list):
        match chance.randrange(3):
            case 0:
                at.reverse()
            case 1:
                at.append(old)
            case _:
                del at[name]
    elif kind < 0.7 and isinstance(at, dict) and isinstance(name, str):
        other = chance.choice(valid)
        at[name] = copy.deepcopy(other.get(name, (other.get("opening") or {}).get(name)))
    elif kind < 0.75 and isinstance(at, dict):
        del at[name]
    else:
        at[name] = chance.choice(VALUES)
