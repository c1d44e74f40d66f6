"""A wallet for tests, with valid signatures and with impossible ones."""

from collections.abc import Callable
from dataclasses import dataclass

from Crypto.Hash import keccak

from play.wallets import BASE, ORDER, address_of, checksummed


def digest(statement: str) -> int:
    """Return the digest of a text that ``personal_sign`` signs (EIP-191)."""
    signed = statement.encode()
    hashed = keccak.new(digest_bits=256, data=b"\x19Ethereum Signed Message:\n" + str(len(signed)).encode() + signed)
    return int.from_bytes(hashed.digest())


def encoded(r: int, s: int, v: int) -> str:
    return "0x" + (r.to_bytes(32) + s.to_bytes(32) + bytes([v])).hex()


@dataclass(frozen=True)
class Wallet:
    """A private key, fixed so that a test is always the same."""

    key: int
    nonce: int = 0xC0FFEE

    @property
    def address(self) -> str:
        return checksummed(address_of(*(BASE * self.key).xy))

    def sign(self, statement: str) -> str:
        return encoded(*self.parts(statement))

    def parts(self, statement: str) -> tuple[int, int, int]:
        """Return r, s and v, with s in its lower form."""
        mark = BASE * self.nonce
        r, odd = mark.x % ORDER, mark.y & 1
        s = pow(self.nonce, -1, ORDER) * (digest(statement) + r * self.key) % ORDER
        if s > ORDER // 2:
            s, odd = ORDER - s, 1 - odd
        return r, s, 27 + odd


def altered(parts: tuple[int, int, int]) -> str:
    """Return the other form of the same signature, which is also mathematically valid."""
    r, s, v = parts
    return encoded(r, ORDER - s, 55 - v)


def of_nobody(statement: str) -> str:
    """Return a signature that the point at infinity satisfies: it fits the equation of every text, without any key."""
    return Wallet(0).sign(statement)


Spoil = Callable[[int, int, int], str]
SPOILT: dict[str, Spoil] = {
    "nothing but zeros": lambda _r, _s, _v: encoded(0, 0, 27),
    "r is 0": lambda _r, s, v: encoded(0, s, v),
    "s is 0": lambda r, _s, v: encoded(r, 0, v),
    "r is the order": lambda _r, s, v: encoded(ORDER, s, v),
    "r is too large": lambda _r, s, v: encoded(2**256 - 1, s, v),
    "r is of no point": lambda _r, s, v: encoded(5, s, v),
    "s is the order": lambda r, _s, v: encoded(r, ORDER, v),
    "s is too large": lambda r, s, v: encoded(r, min(ORDER + s, 2**256 - 1), v),
    "v is unknown": lambda r, s, _v: encoded(r, s, 29),
    "v is of a transaction": lambda r, s, _v: encoded(r, s, 37),
}
"""Changes that turn a signature into one that no wallet creates."""
