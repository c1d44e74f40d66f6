"""Signatures of drand's beacons, checked with published rounds of its mainnet; and signatures of tree heads."""

import hashlib
import subprocess
import sys
from typing import Any

import pytest
from nacl.signing import SigningKey

from bot.signatures import is_genuine_round, is_signed_head
from fsm import draw, proof
from tests.draw.beacons import CHAINED_KEY, PUBLIC_KEY, PUBLISHED, signed

ROUNDS = [(chain, found) for chain, rounds in PUBLISHED.items() for found in rounds]
every_round = pytest.mark.parametrize(("chain", "found"), ROUNDS)


@every_round
def test_a_round_that_drand_has_published_is_genuine(chain: str, found: dict[str, Any]) -> None:
    pinned = proof.PINNED[chain]
    signature, previous = found["signature"], found["previous_signature"]
    assert is_genuine_round(pinned["scheme"], pinned["public_key"], found["round"], signature, previous)
    assert draw.is_signed(found["randomness"], signature)


@every_round
def test_nothing_else_is(chain: str, found: dict[str, Any]) -> None:
    pinned = proof.PINNED[chain]
    scheme, key = pinned["scheme"], pinned["public_key"]
    round_, signature, previous = found["round"], found["signature"], found["previous_signature"]
    flipped = f"{signature[:-1]}{int(signature[-1], 16) ^ 1:x}"
    made_up = hashlib.sha512(b"made up").hexdigest()
    for wrong in (
        flipped,
        made_up[: len(signature)],
        "c0" + "00" * (len(signature) // 2 - 1),
        "",
        "zz",
        signature[:-2],
    ):
        assert not is_genuine_round(scheme, key, round_, wrong, previous)
    assert not is_genuine_round(scheme, key, round_ + 1, signature, previous)
    assert not is_genuine_round(scheme, key, 2**64, signature, previous)
    assert not is_genuine_round(scheme, key, -1, signature, previous)
    if previous:
        assert not is_genuine_round(scheme, key, round_, signature, previous[:-2] + "00")


def test_the_identity_is_no_key() -> None:
    for scheme, digits in ((proof.UNCHAINED, 192), (proof.CHAINED, 96)):
        nothing = "c0" + "00" * (digits // 2 - 1)
        assert not is_genuine_round(scheme, nothing, 1, "c0" + "00" * (proof.LENGTHS[scheme][1] // 2 - 1), "00" * 32)


@pytest.mark.parametrize(("scheme", "key"), [(proof.UNCHAINED, PUBLIC_KEY), (proof.CHAINED, CHAINED_KEY)])
def test_a_chain_of_ones_own_is_checked_by_its_own_key(scheme: str, key: str) -> None:
    for round_ in (1, 2, 77):
        found = signed(round_, scheme=scheme)
        assert is_genuine_round(scheme, key, round_, found["signature"], found["previous_signature"])
        other = signed(round_ + 1, scheme=scheme)
        assert not is_genuine_round(scheme, key, round_, other["signature"], other["previous_signature"])


def test_a_head_is_signed_by_its_key_and_a_key_of_small_order_signs_nothing() -> None:
    key = SigningKey.generate()
    signature = key.sign(b"head").signature
    assert is_signed_head(bytes(key.verify_key), signature, b"head")
    assert not is_signed_head(bytes(key.verify_key), signature, b"hood")
    identity = b"\x01" + bytes(31)
    for message in (b"head", b"anything"):
        assert not is_signed_head(identity, identity + bytes(32), message)


def test_neither_library_is_loaded_before_a_signature_is_checked() -> None:
    code = "import sys, bot.signatures; print([m for m in sys.modules if m.startswith(('py_arkworks', 'nacl'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
