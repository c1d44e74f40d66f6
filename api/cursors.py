"""Opaque cursors: the position in a list, signed together with the list and its filters."""

import base64
import binascii
import hashlib
import hmac
from typing import Any, Final

import msgspec

from api.problems import BadCursor

SIGNATURE_BYTES: Final = 12


class Cursors:
    """Writes and reads cursors.

    Args:
        key: the secret of the signatures, which all processes share.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, listing: str, position: tuple[Any, ...]) -> str:
        """Return the cursor of a position in a list. `listing` is the list's address with its filters."""
        told = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._signature(listing, told) + told).decode().rstrip("=")

    def read(self, listing: str, cursor: str) -> tuple[Any, ...]:
        """Return the position in a cursor. Raises ``BadCursor`` if it was not made for this list."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (ValueError, binascii.Error):
            raise BadCursor from None
        signature, told = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(listing, told)):
            raise BadCursor
        return tuple(msgspec.json.decode(told, type=list[Any]))

    def _signature(self, listing: str, told: bytes) -> bytes:
        message = listing.encode() + b"\0" + told
        return hmac.digest(self._key, b"cursor\0" + message, hashlib.sha256)[:SIGNATURE_BYTES]
