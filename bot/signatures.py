"""Checks of public signatures: rounds of drand's beacons (BLS12-381) and heads of the public log (Ed25519).

The libraries are imported when a signature is first checked, because a process without a beacon needs none.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from fsm import proof

DST_G1 = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
DST_G2 = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_"


def is_genuine_round(scheme: str, public_key: str, round_: int, signature: str, previous: str = "") -> bool:
    """Check a beacon's signature of one round. All strings are hex.

    Returns False also for a value that is no point of its group. The identity is refused as a key, because every
    signature would match it.
    """
    from py_arkworks_bls12381 import GT, G1Point, G2Point  # noqa: PLC0415

    chained = scheme == proof.CHAINED
    try:
        message = hashlib.sha256(bytes.fromhex(previous) * chained + round_.to_bytes(8, "big")).digest()
        key, signed = bytes.fromhex(public_key), bytes.fromhex(signature)
        if chained:
            g1_key, point = G1Point.from_compressed_bytes(key), G2Point.from_compressed_bytes(signed)
            if g1_key == G1Point.identity():
                return False
            return bool(GT.pairing_check([G1Point(), -g1_key], [point, G2Point.hash_to_curve(message, DST_G2)]))
        g2_key, low_point = G2Point.from_compressed_bytes(key), G1Point.from_compressed_bytes(signed)
        if g2_key == G2Point.identity():
            return False
        return bool(GT.pairing_check([low_point, -G1Point.hash_to_curve(message, DST_G1)], [G2Point(), g2_key]))
    except (ValueError, OverflowError):
        return False


def is_signed_head(key: bytes, signature: bytes, message: bytes) -> bool:
    """Check an Ed25519 signature. libsodium refuses keys of small order, for which one signature fits all messages."""
    from nacl.exceptions import BadSignatureError  # noqa: PLC0415
    from nacl.signing import VerifyKey  # noqa: PLC0415

    try:
        VerifyKey(key).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def _beacon(chain: Mapping[str, Any], signed: Mapping[str, Any]) -> bool:
    return is_genuine_round(
        chain["scheme"], chain["public_key"], signed["round"], signed["signature"], signed["previous_signature"]
    )


SIGNATURES = proof.Signatures(beacon=_beacon, head=is_signed_head)
"""Signature checks for verifying a proof."""
