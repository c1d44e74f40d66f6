"""Addresses and signatures of wallets on Ethereum and its kin: who has signed a text. Values in, values out.

A wallet signs a text as EIP-191 says (``personal_sign``), and its address is a hash of its public key. The key is
recovered from the signature, and then the library verifies the signature with it.
"""

import re
from dataclasses import dataclass
from typing import Final

from Crypto.Hash import keccak
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from fsm.kind import Rejected

CURVE: Final = "secp256k1"
ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Of the curve's group."""
BASE: Final = ECC.construct(curve=CURVE, d=1).pointQ
"""The point that keys are multiples of."""
COMPRESSED: Final = {0: b"\x02", 1: b"\x03", 27: b"\x02", 28: b"\x03"}
"""How a point is written, by a signature's last byte: whether its other coordinate is even or odd."""
EITHER: Final = "deterministic-rfc6979"
"""The library's mode that takes Keccak; how the wallet found its nonce is seen from no signature."""
ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
SIGNATURE: Final = re.compile(r"0x[0-9a-fA-F]{130}")


@dataclass(unsafe_hash=True)
class WrongChecksum(Rejected):
    """The capitals of an address are not those of its checksum (EIP-55): some character is wrong."""


@dataclass(unsafe_hash=True)
class MalformedSignature(Rejected):
    """No wallet signs like that, whatever the text."""


@dataclass(unsafe_hash=True)
class AlteredSignature(Rejected):
    """The second of the two forms that a signature has: no wallet gives it, and anybody can make it of the first."""


def read_address(text: str) -> str | None:
    """The address that a text is, in small letters; None where it is none. Raises ``WrongChecksum``."""
    if not ADDRESS.fullmatch(text):
        return None
    digits, address = text[2:], text.lower()
    if digits not in {digits.lower(), digits.upper()} and text != checksummed(address):
        raise WrongChecksum
    return address


def checksummed(address: str) -> str:
    """An address with the capitals of EIP-55, as wallets show it."""
    digits = address.lower().removeprefix("0x")
    marks = _hash(digits.encode()).hexdigest()
    return "0x" + "".join(digit.upper() if mark > "7" else digit for digit, mark in zip(digits, marks, strict=False))


def read_signature(text: str) -> bytes | None:
    """The 65 bytes that a signature is: r, s and v; None where the text is none."""
    return bytes.fromhex(text[2:]) if SIGNATURE.fullmatch(text) else None


def signer(statement: str, signature: bytes) -> str:
    """The address, in small letters, whose wallet has signed the statement.

    Raises ``MalformedSignature`` and ``AlteredSignature``.
    """
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    if ORDER // 2 < s < ORDER:
        raise AlteredSignature
    signed = statement.encode()
    digest = _hash(b"\x19Ethereum Signed Message:\n%d" % len(signed) + signed)
    try:
        mark = ECC.import_key(COMPRESSED[signature[64]] + signature[:32], curve_name=CURVE).pointQ
        inverse = pow(r, -1, ORDER)
        point = mark * (s * inverse % ORDER) + BASE * (-int.from_bytes(digest.digest()) * inverse % ORDER)
        key = ECC.construct(curve=CURVE, point_x=point.x, point_y=point.y)
        DSS.new(key, EITHER, low_s=True).verify(digest, signature[:64])
    except (KeyError, ValueError) as error:
        raise MalformedSignature from error
    if point.is_point_at_infinity():  # it satisfies the equation, and is nobody's key
        raise MalformedSignature
    return address_of(point.x, point.y)


def address_of(x: int, y: int) -> str:
    """The address, in small letters, of a public key."""
    return "0x" + _hash(x.to_bytes(32) + y.to_bytes(32)).hexdigest()[-40:]


def _hash(content: bytes) -> keccak.Keccak_Hash:
    return keccak.new(digest_bits=256, data=content)
