"""Wallets that players have proved to be theirs, in PostgreSQL; and what a wallet is to sign for that, in Redis.

Raises what asyncpg and redis-py raise.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import msgspec
from redis.asyncio import Redis

from fsm.kind import Instant, PlayerId
from storage.connections import Pool
from storage.keys import challenge_key

VALID_MS = 15 * 60_000
"""How long a signature may take."""
KEPT_MS = 4 * VALID_MS
"""How long it is known that something was to be signed: whoever comes too late is told that."""

_PUT = """
INSERT INTO wallets (player_id, address, verified_at) VALUES ($1, $2, $3)
ON CONFLICT (player_id) DO UPDATE SET address = excluded.address, verified_at = excluded.verified_at
"""
_ASK = """
local before = redis.call('GET', KEYS[1])
if before and cjson.decode(before).command_id == ARGV[2] then return before end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]
"""
_ANSWERED = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class WalletTaken(Exception):
    """Another player has proved that the wallet is theirs."""


class Challenge(msgspec.Struct, frozen=True):
    """What the wallet of that address is to sign, to the letter; until when; and which command asked for it."""

    address: str
    statement: str
    expires_at: Instant
    command_id: str


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet that is its player's. The address is in small letters."""

    address: str
    verified_at: Instant


class Wallets:
    """A player has one wallet at most, and a wallet one player."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis
        self._ask = redis.register_script(_ASK)
        self._answered = redis.register_script(_ANSWERED)

    async def of(self, player_id: PlayerId) -> Wallet | None:
        """The wallet of a player."""
        row = await self._pool.fetchrow("SELECT address, verified_at FROM wallets WHERE player_id = $1", player_id)
        return None if row is None else Wallet(row["address"], round(row["verified_at"].timestamp() * 1000))

    async def put(self, player_id: PlayerId, address: str, verified_at: Instant) -> None:
        """Note a player's wallet, in place of an earlier one. Raises ``WalletTaken``."""
        try:
            await self._pool.execute(_PUT, player_id, address, datetime.fromtimestamp(verified_at / 1000, UTC))
        except asyncpg.UniqueViolationError as error:
            raise WalletTaken from error

    async def remove(self, player_id: PlayerId) -> bool:
        """Forget a player's wallet, and what was to be signed. Whether there was a wallet."""
        await self._redis.delete(challenge_key(player_id))
        return bool(await self._pool.execute("DELETE FROM wallets WHERE player_id = $1", player_id) == "DELETE 1")

    # -- what is to be signed -----------------------------------------------------------------------------------

    async def ask(self, player_id: PlayerId, challenge: Challenge) -> Challenge:
        """Keep what a player's wallet is to sign, in place of what it was to sign before.

        What is in force now: for a command that came before, what was kept then, as the player may have seen that.
        """
        encoded = msgspec.json.encode(challenge)
        kept = await self._ask(keys=[challenge_key(player_id)], args=[encoded, challenge.command_id, KEPT_MS])
        return msgspec.json.decode(kept, type=Challenge)

    async def asked(self, player_id: PlayerId) -> Challenge | None:
        """What a player's wallet is to sign; for a while also when it is too late."""
        found = await self._redis.get(challenge_key(player_id))
        return None if found is None else msgspec.json.decode(found, type=Challenge)

    async def answered(self, player_id: PlayerId, challenge: Challenge) -> None:
        """Let that be signed no more; what has been asked since stays."""
        await self._answered(keys=[challenge_key(player_id)], args=[msgspec.json.encode(challenge)])
