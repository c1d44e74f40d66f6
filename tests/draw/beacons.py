"""Test data for drand: rounds that its mainnet has published, a chain with a known key, and a relay."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from bot.signatures import DST_G1, DST_G2
from fsm import proof
from fsm.pick_number import Beacon

QUICKNET, DEFAULT = proof.PINNED
PUBLISHED: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "drand.json").read_text())
"""Chain -> rounds served by drand's public HTTP API, api.drand.sh."""

SECRET = Scalar(0xD5A4D)
CHAIN = "7e57" * 16
PUBLIC_KEY = (G2Point() * SECRET).to_compressed_bytes().hex()
CHAINED_KEY = (G1Point() * SECRET).to_compressed_bytes().hex()


def chain(genesis_at: int, *, scheme: str = proof.UNCHAINED, **changes: Any) -> Beacon:
    """Return the beacon of these tests, which began at ``genesis_at``."""
    key = PUBLIC_KEY if scheme == proof.UNCHAINED else CHAINED_KEY
    given: dict[str, Any] = {"period_ms": 3_000, "wait_ms": 10_000, "lead_ms": 15_000, **changes}
    return Beacon(CHAIN, genesis_at=genesis_at, scheme=scheme, public_key=key, **given)


def signed(round_: int, *, scheme: str = proof.UNCHAINED) -> dict[str, Any]:
    """Return a round as that beacon publishes it."""
    number = round_.to_bytes(8, "big")
    if scheme == proof.UNCHAINED:
        point = G1Point.hash_to_curve(hashlib.sha256(number).digest(), DST_G1) * SECRET
        signature, previous = point.to_compressed_bytes(), b""
    else:
        previous = hashlib.sha256(b"genesis").digest() if round_ == 1 else hashlib.sha384(number).digest() * 2
        message = hashlib.sha256(previous + number).digest()
        signature = (G2Point.hash_to_curve(message, DST_G2) * SECRET).to_compressed_bytes()
    return {
        "round": round_,
        "randomness": hashlib.sha256(signature).hexdigest(),
        "signature": signature.hex(),
        "previous_signature": previous.hex(),
    }


@dataclass
class Relay:
    """HTTP relay of rounds. ``answer`` returns the response for a round: a document, bytes, or None for a 404."""

    answer: Callable[[int], Any] = signed
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Relay"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        self.asked.append(path)
        answer = self.answer(int(path.rsplit("/", 1)[1]))
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        status = b"404 Not Found" if answer is None else b"200 OK"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
