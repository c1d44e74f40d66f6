"""Seeds of draws, fixed in advance for each chat.

All seeds of a chat are derived from one secret. Their hashes are the leaves of a Merkle tree, whose root goes into the
public log before the first seed is used. A game takes the next number, so that nobody can choose a seed for a game, and
a skipped number is visible. ``docs/decisions/draws.md`` compares this with a chain of hashes and with verifiable random
functions.
"""

import hmac
import secrets
from dataclasses import dataclass

from loguru import logger

from fsm import draw, merkle, proof
from fsm.pick_number import NumberedSeed
from storage.connections import POSTGRES_GONE, Pool

SIZE = 256
"""Seeds of one tree. Building a tree takes half a millisecond; an inclusion path has eight hashes."""
ATTEMPTS = 3
"""Attempts to take a seed: other processes may use up a tree, or create one, at the same time."""

_TAKE = """
UPDATE draw_seeds SET taken = taken + 1 WHERE chat_id = $1 AND taken < size RETURNING root, secret, size, taken
"""
_NEW = """
WITH made AS (
    INSERT INTO draw_seeds AS d (chat_id, root, secret, size) VALUES ($1, $2, $3, $4)
    ON CONFLICT (chat_id) DO UPDATE SET root = excluded.root, secret = excluded.secret, size = excluded.size, taken = 0
    WHERE d.taken >= d.size RETURNING 1
)
INSERT INTO log_pending (game_id, event, data) SELECT '', 'seeds', $5 FROM made
"""
_GIVE_BACK = """
UPDATE draw_seeds SET taken = taken - 1 WHERE chat_id = $1 AND root = $2 AND taken = $3 RETURNING taken
"""
_UNUSED = """
INSERT INTO log_pending (game_id, event, data) VALUES ('', 'unused', $1)
"""


@dataclass(frozen=True, slots=True)
class SeedTree:
    """The seeds derived from one secret, and the leaves of the Merkle tree over their hashes."""

    seeds: tuple[str, ...]
    leaves: tuple[bytes, ...]

    @classmethod
    def of(cls, secret: bytes, size: int) -> "SeedTree":
        """Derive `size` seeds from a secret: HMAC-SHA-256 of the numbers 1 to `size`, 8 bytes big-endian."""
        seeds = tuple(hmac.digest(secret, number.to_bytes(8, "big"), "sha256").hex() for number in range(1, size + 1))
        return cls(seeds, tuple(merkle.leaf_hash(bytes.fromhex(draw.commitment(seed))) for seed in seeds))

    @property
    def root(self) -> str:
        """Return the root of the Merkle tree, in hex."""
        return merkle.root(self.leaves).hex()

    def numbered(self, number: int) -> NumberedSeed:
        """Return the seed with a number, counted from 1, and its inclusion path."""
        path = tuple(node.hex() for node in merkle.inclusion_path(self.leaves, number - 1))
        return NumberedSeed(self.seeds[number - 1], self.root, len(self.seeds), number, path)


class Seeds:
    """Allocator that gives out each seed of a chat once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(self, chat_id: int) -> NumberedSeed | None:
        """Take the next seed of a chat.

        Returns None if PostgreSQL is away: the game's proof then states that it has none.
        """
        try:
            for _ in range(ATTEMPTS):
                row = await self._pool.fetchrow(_TAKE, chat_id)
                if row is not None:
                    return SeedTree.of(row["secret"], row["size"]).numbered(row["taken"])
                await self._make(chat_id)
        except POSTGRES_GONE as problem:
            logger.warning("chat {}: no seed was fixed in advance: {}", chat_id, type(problem).__name__)
        return None

    async def _make(self, chat_id: int) -> None:
        secret = secrets.token_bytes(32)
        root = SeedTree.of(secret, SIZE).root
        leaf = proof.canonical({"type": "seeds", "root": root, "size": SIZE})
        await self._pool.execute(_NEW, chat_id, root, secret, SIZE, leaf)

    async def give_back(self, chat_id: int, seed: NumberedSeed | None) -> None:
        """Return the seed of a game that was not opened. If later seeds were taken since, log its number as unused."""
        if seed is None:
            return
        try:
            if await self._pool.fetchval(_GIVE_BACK, chat_id, seed.root, seed.number) is None:
                leaf = proof.unused_leaf(seed.root, seed.number, "", "not_opened")
                await self._pool.execute(_UNUSED, leaf)
        except POSTGRES_GONE as problem:
            logger.warning("seed {} of {} stays unused: {}", seed.number, seed.root, type(problem).__name__)
