"""Signatures of webhooks by Standard Webhooks 1.0.0, for calls in both directions.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsm.kind import Rejected

PREFIX = "whsec_"
SECRET_BYTES = 32
TOLERANCE_SECONDS = 300
"""Largest difference between the time in a call and our own. An older call is refused, as it may be a replay."""
MAX_ID = 128
MAX_SIGNATURES = 10
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


@dataclass(unsafe_hash=True)
class BadSignature(Rejected):
    """The headers of a signed call are missing or malformed, or no signature is right."""


@dataclass(unsafe_hash=True)
class StaleCall(Rejected):
    """The time in a signed call is too far from our own."""


def new_secret() -> bytes:
    """Return a new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """Return a secret as receivers configure it. For the one time that it is shown."""
    return PREFIX + base64.b64encode(secret).decode()


def signed(secrets_: Sequence[bytes], id_: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers of a signed call. While a secret is being rotated, the old one signs too."""
    signatures = " ".join(f"v1,{_signature(secret, id_, seconds, body)}" for secret in secrets_)
    return {ID: id_, TIMESTAMP: str(seconds), SIGNATURE: signatures}


def verify(secrets_: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_seconds: float) -> str:
    """Check a signed call and return its id. Raises ``BadSignature`` and ``StaleCall``.

    The names in ``headers`` are lower-case.
    """
    id_, stamp, given = headers.get(ID, ""), headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not 0 < len(id_) <= MAX_ID or not id_.isascii() or not re.fullmatch("[0-9]{1,12}", stamp):
        raise BadSignature
    # The signature first: an answer about the time is for those who know the secret.
    right = [_signature(secret, id_, int(stamp), body).encode() for secret in secrets_]
    found = False
    for each in given.split(" ")[:MAX_SIGNATURES]:
        version, _, signature = each.partition(",")
        candidate = signature.encode("utf-8", "replace")
        matches = [hmac.compare_digest(candidate, expected) for expected in right]  # all: the time tells nothing
        found = found or (version == "v1" and any(matches))
    if not found:
        raise BadSignature
    if abs(now_seconds - int(stamp)) > TOLERANCE_SECONDS:
        raise StaleCall
    return id_


def secret_of(text: str) -> bytes | None:
    """Return the secret that a text stands for; None if it is none."""
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if 24 <= len(secret) <= 64 else None


def _signature(secret: bytes, id_: str, seconds: int, body: bytes) -> str:
    signed_text = f"{id_}.{seconds}.".encode() + body
    return base64.b64encode(hmac.digest(secret, signed_text, "sha256")).decode()
