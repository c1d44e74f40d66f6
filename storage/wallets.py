"""Wallets that players have proved to own, in PostgreSQL, and the challenges for those proofs, in Redis.

The methods raise the errors of asyncpg and redis-py.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import msgspec
from redis.asyncio import Redis

from fsm.kind import Instant, PlayerId
from storage.audit import wrote
from storage.connections import Pool
from storage.keys import challenge_key
from storage.scripts import script

VALID_MS = 15 * 60_000
"""Time in which a challenge must be signed, in milliseconds."""
KEPT_MS = 4 * VALID_MS
"""Lifetime of a challenge: a late signature is answered with "expired" rather than "unknown"."""

_PUT = """
INSERT INTO wallets (player_id, address, verified_at) VALUES ($1, $2, $3)
ON CONFLICT (player_id) DO UPDATE SET address = excluded.address, verified_at = excluded.verified_at
"""
_ASK = script("storage", "wallet_ask")
_ANSWERED = script("storage", "wallet_answered")


class WalletTaken(Exception):
    """A wallet that another player has proved to own."""


class Challenge(msgspec.Struct, frozen=True):
    """A statement that a wallet must sign, word for word, before it expires.

    `command_id` is the command that asked for it.
    """

    address: str
    statement: str
    expires_at: Instant
    command_id: str


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet that a player has proved to own. The address is in lower case."""

    address: str
    verified_at: Instant


class Wallets:
    """Repository of wallets: a player has at most one wallet, and a wallet at most one player."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis
        self._ask = redis.register_script(_ASK)
        self._answered = redis.register_script(_ANSWERED)

    async def of(self, player_id: PlayerId) -> Wallet | None:
        """Return the wallet of a player, or None."""
        row = await self._pool.fetchrow("SELECT address, verified_at FROM wallets WHERE player_id = $1", player_id)
        return None if row is None else Wallet(row["address"], round(row["verified_at"].timestamp() * 1000))

    async def put(self, player_id: PlayerId, address: str, verified_at: Instant) -> None:
        """Store a player's wallet, replacing an earlier one. Raises ``WalletTaken``."""
        try:
            await self._pool.execute(_PUT, player_id, address, datetime.fromtimestamp(verified_at / 1000, UTC))
        except asyncpg.UniqueViolationError as error:
            raise WalletTaken from error
        wrote("put-wallet", target=address)

    async def remove(self, player_id: PlayerId) -> bool:
        """Delete a player's wallet and open challenge. Returns True if there was a wallet."""
        await self._redis.delete(challenge_key(player_id))
        done = await self._pool.execute("DELETE FROM wallets WHERE player_id = $1", player_id)
        removed = bool(done == "DELETE 1")
        if removed:
            wrote("remove-wallet")
        return removed

    # -- challenges ---------------------------------------------------------------------------------------------

    async def ask(self, player_id: PlayerId, challenge: Challenge) -> Challenge:
        """Store a challenge for a player, replacing an earlier one, and return the one in force.

        A repeated command gets its first challenge back, because the player may have seen that already.
        """
        encoded = msgspec.json.encode(challenge)
        kept = await self._ask(keys=[challenge_key(player_id)], args=[encoded, challenge.command_id, KEPT_MS])
        return msgspec.json.decode(kept, type=Challenge)

    async def asked(self, player_id: PlayerId) -> Challenge | None:
        """Return a player's challenge, or None. An expired challenge stays readable for a while."""
        found = await self._redis.get(challenge_key(player_id))
        return None if found is None else msgspec.json.decode(found, type=Challenge)

    async def answered(self, player_id: PlayerId, challenge: Challenge) -> None:
        """Delete an answered challenge, unless a newer one has replaced it."""
        await self._answered(keys=[challenge_key(player_id)], args=[msgspec.json.encode(challenge)])
