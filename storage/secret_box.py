"""Encryption of secrets that PostgreSQL stores, such as those that sign webhooks.

A stored secret is ``MARK``, the id of its key, a nonce, and the secret under XChaCha20-Poly1305. Its context, the row
that it belongs to, is authenticated, so that a secret copied to another row can't be opened there. Without a key,
secrets are stored as they are.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from loguru import logger
from nacl import bindings
from nacl.exceptions import CryptoError

MARK: Final = b"sealed1:"
"""Beginning of an encrypted secret: the version of the format."""
KEY_ID_BYTES: Final = 4
NONCE_BYTES: Final = 24


class SecretBox:
    """Seals and opens secrets.

    Args:
        keys: the configured texts from which keys are derived. The first one seals; the others only open.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        derived = [hashlib.blake2b(key.encode(), digest_size=32, person=b"tombola secrets").digest() for key in keys]
        self._keys = {hashlib.sha256(key).digest()[:KEY_ID_BYTES]: key for key in derived}
        self.current = MARK + next(iter(self._keys)) if self._keys else b""
        """Beginning of each secret that is sealed with the first key; empty without keys."""

    def seal(self, secret: bytes, context: str) -> bytes:
        """Return a secret as it is stored."""
        if not self._keys:
            return secret
        nonce, key = secrets.token_bytes(NONCE_BYTES), next(iter(self._keys.values()))
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(secret, context.encode(), nonce, key)
        return self.current + nonce + sealed

    def open(self, stored: bytes, context: str) -> bytes | None:
        """Return a stored secret; None if no key opens it."""
        if not stored.startswith(MARK):
            return stored  # stored before a key was configured
        at = len(MARK) + KEY_ID_BYTES
        key = self._keys.get(stored[len(MARK) : at])
        if key is not None:
            nonce, sealed = stored[at : at + NONCE_BYTES], stored[at + NONCE_BYTES :]
            try:
                return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, context.encode(), nonce, key)
            except CryptoError:
                pass
        logger.error("the secret of {} can't be decrypted with the keys in web.secret_keys", context)
        return None
