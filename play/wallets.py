"""Addresses and signatures of Ethereum wallets: pure functions that find the address that has signed a text.

A wallet signs a text as EIP-191 specifies (``personal_sign``); its address is a hash of its public key. The key is
recovered from the signature, and the library then verifies the signature with that key.
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
"""Order of the curve's group."""
BASE: Final = ECC.construct(curve=CURVE, d=1).pointQ
"""Generator of the curve's group; a public key is a multiple of it."""
COMPRESSED: Final = {0: b"\x02", 1: b"\x03", 27: b"\x02", 28: b"\x03"}
"""Last byte of a signature (v) -> prefix of the compressed point, which gives the parity of its y coordinate."""
EITHER: Final = "deterministic-rfc6979"
"""The only mode of the library that accepts Keccak. Verification does not depend on the choice of the nonce."""
ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
SIGNATURE: Final = re.compile(r"0x[0-9a-fA-F]{130}")


@dataclass(unsafe_hash=True)
class WrongChecksum(Rejected):
    """The capitals of an address do not match its EIP-55 checksum, so some character is wrong."""


@dataclass(unsafe_hash=True)
class MalformedSignature(Rejected):
    """A signature that is not valid for any key."""


@dataclass(unsafe_hash=True)
class AlteredSignature(Rejected):
    """A signature with a high s. No wallet produces it, and anybody can compute it from the normal form."""


def read_address(text: str) -> str | None:
    """Return the address in lower case; None if the text is not an address. Raises ``WrongChecksum``."""
    if not ADDRESS.fullmatch(text):
        return None
    digits, address = text[2:], text.lower()
    if digits not in {digits.lower(), digits.upper()} and text != checksummed(address):
        raise WrongChecksum
    return address


def checksummed(address: str) -> str:
    """Return an address with the capitals of its EIP-55 checksum, as wallets show it."""
    digits = address.lower().removeprefix("0x")
    marks = _hash(digits.encode()).hexdigest()
    return "0x" + "".join(digit.upper() if mark > "7" else digit for digit, mark in zip(digits, marks, strict=False))


def read_signature(text: str) -> bytes | None:
    """Return the 65 bytes of a signature (r, s and v); None if the text is not a signature."""
    return bytes.fromhex(text[2:]) if SIGNATURE.fullmatch(text) else None


def signer(statement: str, signature: bytes) -> str:
    """Return the address, in lower case, of the wallet that has signed the statement.

    Public key recovery follows SEC 1, section 4.1.6. Raises ``MalformedSignature`` and ``AlteredSignature``.
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
    if point.is_point_at_infinity():  # it satisfies the equation, but is not a public key
        raise MalformedSignature
    return address_of(point.x, point.y)


def address_of(x: int, y: int) -> str:
    """Return the address, in lower case, of the public key with these coordinates."""
    return "0x" + _hash(x.to_bytes(32) + y.to_bytes(32)).hexdigest()[-40:]


def _hash(content: bytes) -> keccak.Keccak_Hash:
    return keccak.new(digest_bits=256, data=content)
