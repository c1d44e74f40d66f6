"""The public log of draws: an append-only Merkle tree by RFC 9162, in PostgreSQL.

The projector queues notes in the transaction that stores the events; ``append`` turns the notes into leaves, in one
process at a time. Leaves name no player: their hashes are keyed with a secret of the game, and the log stays valid when
that secret is deleted.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from loguru import logger
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from fsm import draw, merkle, proof
from fsm.kind import Instant
from fsm.lobby import COMPLETED
from fsm.pick_number import KIND, PickNumberGame, is_void, prove
from storage.archive import Archive
from storage.codec import Codec, UnreadableGame
from storage.connections import Connection, Pool, bounded_transaction
from storage.seeds import SIZE as TREE_SIZE

LOCK = 0x746F6D626F6C61_10
"""Key of the advisory lock under which leaves are appended."""
BATCH = 200
"""Maximum number of notes that one transaction turns into leaves."""
PAGE = 1000
"""Maximum number of leaves that a check loads in one read."""
_PENDING = """
SELECT id, game_id, event, data FROM log_pending ORDER BY id LIMIT $1
"""
_NODES = """
SELECT level, position, hash FROM log_nodes
JOIN unnest($1::smallint[], $2::bigint[]) AS asked(level, position) USING (level, position)
"""
_PUT_LEAVES = """
INSERT INTO log_leaves (index, game_id, type, data)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[])
"""
_PUT_NODES = """
INSERT INTO log_nodes (level, position, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
"""
_OF_GAME = """
SELECT index, type FROM log_leaves WHERE game_id = $1 AND game_id <> ''
"""
_THERE = """
SELECT game_id, type FROM log_leaves WHERE game_id = ANY($1::text[]) AND game_id <> ''
"""
_HEADS = """
SELECT size, at, root, signature FROM log_heads WHERE (size, at) > ($1, $2) ORDER BY size, at LIMIT $3
"""
_SALT = """
INSERT INTO log_salts (game_id, salt) VALUES ($1, $2) ON CONFLICT (game_id) DO UPDATE SET salt = log_salts.salt
RETURNING salt
"""
_HEAD = """
INSERT INTO log_heads (size, at, root, signature) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_KEY = """
INSERT INTO log_key (seed) VALUES ($1) ON CONFLICT DO NOTHING
"""
_FORGET = """
DELETE FROM log_salts WHERE game_id = ANY (ARRAY(
    SELECT p.game_id FROM game_participants p JOIN log_leaves l ON l.game_id = p.game_id AND l.game_id <> ''
    WHERE p.player_id = $1 AND l.type IN ('outcome', 'unused')
))
"""


@dataclass(frozen=True, slots=True)
class Head:
    """A signed tree head. ``at`` is in milliseconds; ``root``, ``key`` and ``signature`` are hex."""

    size: int
    root: str
    at: Instant
    key: str
    signature: str

    @property
    def statement(self) -> bytes:
        """Return the bytes that are signed."""
        return proof.head_statement({"at": self.at, "root": self.root, "size": self.size})


class _SeedLeaf(msgspec.Struct):
    """The fields of a leaf that name seeds; each type of leaf has some of them."""

    root: str = ""
    size: int = 0
    seeds: str | None = None
    number: int | None = None


class SeedAudit:
    """The reserved seeds as the leaves tell of them. An operator must not pick a game's seed among several.

    Attributes:
        troubles: one line for each seed whose use cannot be honest.
    """

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self._sizes: dict[str, int] = {}
        self._used: dict[str, set[int]] = {}

    def add(self, index: int, type_: str, leaf: bytes) -> None:
        """Note the next leaf."""
        if type_ not in {"seeds", "opening", "unused"}:
            return
        try:
            told = msgspec.json.decode(leaf, type=_SeedLeaf)
        except (msgspec.DecodeError, UnicodeDecodeError):  # somebody has rewritten it
            self.troubles.append(f"leaf {index} cannot be read")
            return
        if type_ == "seeds":
            # Bounded, as a rewritten leaf may hold any number, up to which `gaps` would count.
            self._sizes[told.root] = min(told.size, TREE_SIZE)
            if told.size != TREE_SIZE:
                self.troubles.append(f"leaf {index}: a tree of {told.size} seeds instead of {TREE_SIZE}")
            return
        root, number = told.seeds, told.number or 0
        if root is None:
            return
        used = self._used.setdefault(root, set())
        if not 1 <= number <= self._sizes.get(root, 0):
            self.troubles.append(f"leaf {index}: seed {number} is of no tree that the log had before: {root}")
            return
        if number in used:
            self.troubles.append(f"leaf {index}: seed {number} of the tree {root} is used a second time")
        used.add(number)

    def gaps(self) -> list[tuple[str, int]]:
        """Return root and number of each seed that was passed over: of a game still in its lobby, or a missing game."""
        return [
            (root, number)
            for root, used in self._used.items()
            for number in range(1, max(used, default=1))
            if number not in used
        ]


class PublicLog:
    """The log's writer and prover. Its methods raise asyncpg's errors."""

    def __init__(self, pool: Pool, codec: Codec) -> None:
        self._pool = pool
        self._codec = codec

    # -- appending ----------------------------------------------------------------------------------------------

    async def append(self) -> int:
        """Turn notes into leaves until none is left. Returns the number of added leaves."""
        added = 0
        if not await self._pool.fetchval("SELECT EXISTS (SELECT FROM log_pending)"):
            return added  # as nearly always: one statement, without a transaction and the lock
        while True:
            done, leaves = await self._append_some()
            added += leaves
            if done < BATCH:
                return added

    async def _append_some(self) -> tuple[int, int]:
        """Turn a batch of notes into leaves. Returns the numbers of processed notes and of added leaves."""
        async with bounded_transaction(self._pool) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            notes = await connection.fetch(_PENDING, BATCH)
            wanted: list[tuple[str, str, bytes]] = []
            for note in notes:
                if note["data"] is not None:
                    wanted.append(("", note["event"], note["data"]))
                else:
                    wanted += await self._leaves_of(connection, note["game_id"], note["event"])
            new = await _not_there_yet(connection, wanted)
            await _grow(connection, new)
            await connection.execute("DELETE FROM log_pending WHERE id = ANY($1::bigint[])", [n["id"] for n in notes])
        return len(notes), len(new)

    async def _leaves_of(self, connection: Connection, game_id: str, note: str) -> list[tuple[str, str, bytes]]:
        """Return the leaf of a note about a game: game, type, data. Empty for games without an opening statement."""
        try:
            # On the same connection: a second one might never come free while others wait for the lock with theirs.
            stored = await Archive(cast("Pool", connection), self._codec).folded(game_id, KIND.name)
        except UnreadableGame as error:
            stored = None
            logger.bind(game=game_id).error("the game cannot be read, so the public log lacks its {}: {}", note, error)
        if stored is None or not isinstance(stored.state, PickNumberGame) or stored.state.format == 1:
            return []
        game = stored.state
        types = {row["type"] for row in await connection.fetch(_OF_GAME, game_id)}
        if types & {"outcome", "unused"}:  # a repeated note: a key that was deleted meanwhile must not be made anew
            return []
        salt = await connection.fetchval(_SALT, game_id, secrets.token_bytes(32))
        leaf = leaf_of(game, note, salt)
        return [] if leaf is None else [(game_id, *leaf)]

    # -- heads --------------------------------------------------------------------------------------------------

    async def sign(self, now: Instant) -> Head:
        """Sign the present tree and store the head."""
        async with self._reading() as connection:
            size, root = await _size(connection), await _root(connection)
        key = await self._key()
        head = Head(size, root.hex(), now, bytes(key.verify_key).hex(), "")
        signature = key.sign(head.statement).signature
        await self._pool.execute(_HEAD, size, now, root, signature)
        return Head(size, root.hex(), now, head.key, signature.hex())

    async def last_head(self) -> Head | None:
        """Return the newest signed head, or None."""
        row = await self._pool.fetchrow("SELECT size, at, root, signature FROM log_heads ORDER BY at DESC LIMIT 1")
        if row is None:
            return None
        key = bytes((await self._key()).verify_key).hex()
        return Head(row["size"], row["root"].hex(), row["at"], key, row["signature"].hex())

    async def _key(self) -> SigningKey:
        seed = await self._pool.fetchval("SELECT seed FROM log_key")
        if seed is None:
            await self._pool.execute(_KEY, secrets.token_bytes(32))
            seed = await self._pool.fetchval("SELECT seed FROM log_key")
        return SigningKey(seed)

    # -- proofs -------------------------------------------------------------------------------------------------

    async def proof_of(self, game_id: str, now: Instant) -> dict[str, Any] | None:
        """Return a game's place in the log, as the proof of its draw carries it.

        None if the log does not hold it yet.
        """
        salt = await self._pool.fetchval("SELECT salt FROM log_salts WHERE game_id = $1", game_id)
        rows = await self._pool.fetch(_OF_GAME, game_id)
        indexes = {row["type"]: row["index"] for row in rows}
        if salt is None or not {"opening", "closing", "outcome"} <= indexes.keys():
            return None
        head = await self.last_head()
        if head is None or head.size <= max(indexes.values()):
            head = await self.sign(now)
        async with self._reading() as connection:
            places = {
                name: {"index": indexes[name], "path": await _path(connection, indexes[name], head.size)}
                for name in ("opening", "closing", "outcome")
            }
        return {
            "head": {"at": head.at, "root": head.root, "size": head.size},
            "key": head.key,
            "signature": head.signature,
            "salt": salt.hex(),
            **places,
        }

    async def consistency(self, old: int, new: int) -> list[str]:
        """Return the proof that the tree of ``new`` leaves begins with that of ``old``. Raises ValueError."""
        async with self._reading() as connection:
            size = await _size(connection)
            if not 0 <= old <= new <= size:
                raise ValueError(f"sizes rise, and {size} is the largest")
            if old in {0, new}:
                return []
            spans = merkle.consistency_spans(old, new)
            return [(await _span(connection, *span)).hex() for span in spans]

    async def leaves(self, first: int, limit: int = PAGE) -> list[tuple[int, str, bytes]]:
        """Return index, type and data of a page of leaves, in order."""
        rows = await self._pool.fetch(
            "SELECT index, type, data FROM log_leaves WHERE index >= $1 ORDER BY index LIMIT $2", first, limit
        )
        return [(row["index"], row["type"], row["data"]) for row in rows]

    async def check(self, kept: Sequence[tuple[int, str]] = ()) -> list[str]:
        """Recompute the tree from its leaves. Returns the faults found, one line each; empty if there are none.

        ``kept`` holds sizes and roots of heads that somebody kept.
        """
        troubles: list[str] = []
        heads = await self._heads(troubles)
        for size, root in kept:
            heads.setdefault(size, set()).add(root)
        frontier = merkle.Frontier()
        _compare(frontier, heads, troubles)
        while rows := await self.leaves(frontier.size):
            nodes: list[tuple[int, int, bytes]] = []
            for index, _, data in rows:
                if index != frontier.size:
                    troubles.append(f"leaf {frontier.size} is missing")
                    return troubles
                nodes += frontier.append(merkle.leaf_hash(data))
                _compare(frontier, heads, troubles)
            troubles += await self._changed(nodes)
        troubles += [f"leaf {frontier.size} is missing: a head has {size}" for size in heads if size > frontier.size]
        return troubles

    async def seeds(self) -> SeedAudit:
        """Read which reserved seeds the log accounts for."""
        audit, first = SeedAudit(), 0
        while rows := await self.leaves(first):
            for index, type_, data in rows:
                audit.add(index, type_, data)
                first = index + 1
        return audit

    async def _heads(self, troubles: list[str]) -> dict[int, set[str]]:
        """Return the roots of the signed heads, by size. Add heads with a wrong signature to ``troubles``."""
        heads: dict[int, set[str]] = {}
        verifying, size, at = (await self._key()).verify_key, -1, 0
        while rows := await self._pool.fetch(_HEADS, size, at, PAGE):
            for row in rows:
                head = Head(size := row["size"], row["root"].hex(), at := row["at"], "", "")
                heads.setdefault(head.size, set()).add(head.root)
                if not _signed(verifying, head.statement, row["signature"]):
                    troubles.append(f"the head of {head.size} leaves is not signed by the log's key")
        return heads

    async def _changed(self, nodes: Sequence[tuple[int, int, bytes]]) -> list[str]:
        """Compare nodes, computed anew, with the stored ones, from which heads and proofs are made."""
        rows = await self._pool.fetch(_NODES, [level for level, _, _ in nodes], [position for _, position, _ in nodes])
        stored = {(row["level"], row["position"]): row["hash"] for row in rows}
        return [
            f"leaf {position} is not the one that was logged"
            if level == 0
            else f"the stored hash of leaves {position << level} to {((position + 1) << level) - 1} is not theirs"
            for level, position, hash_ in nodes
            if stored.get((level, position)) != hash_
        ]

    # -- people -------------------------------------------------------------------------------------------------

    async def forget(self, player_id: int) -> int:
        """Delete the keys of all ended games that a player took part in. Returns how many games these were.

        Their leaves stay, and name nobody any more. A live game keeps its key: with another one its next leaves would
        not fit its first ones.
        """
        done = await self._pool.execute(_FORGET, player_id)
        return int(done.rpartition(" ")[2])

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        """Open one consistent view of the log, while others append to it."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            yield connection


def leaf_of(game: PickNumberGame, note: str, salt: bytes) -> tuple[str, bytes] | None:
    """Return type and data of the leaf that a note about a game leads to; None if there is none."""
    seed = game.reserved
    if not game.statement:  # it ended in its lobby, so its seed stays unused
        if note != "end" or seed is None:
            return None
        return "unused", proof.unused_leaf(seed.root, seed.number, game.id, game.cancel_reason or "")
    if note == "opening":
        return note, proof.opening_leaf(game.statement)
    if note == "closing" and game.closed_at is not None:
        return note, proof.closing_leaf(game.commitment or "", prove_closing(game), salt)
    if game.phase == COMPLETED or is_void(game):
        return "outcome", proof.outcome_leaf(prove(game), salt)
    return "outcome", proof.cancelled_leaf(game.id, game.commitment or "", game.seed or "", game.cancel_reason or "")


def prove_closing(game: PickNumberGame) -> Mapping[str, Any]:
    """Return the facts that were published when selection closed."""
    digest = draw.digest(game.id, game.highest, game.owners)
    return {"game": game.id, "at": game.closed_at, "digest": digest, "round": game.beacon_round}


async def _not_there_yet(
    connection: Connection, wanted: Sequence[tuple[str, str, bytes]]
) -> list[tuple[str, str, bytes]]:
    """Leave out leaves that the log has already: a repeated batch of the feed repeats its notes."""
    games = [game_id for game_id, _, _ in wanted if game_id]
    rows = await connection.fetch(_THERE, games)
    there = {(row["game_id"], row["type"]) for row in rows}
    new = []
    for game_id, type_, data in wanted:
        if not game_id or (game_id, type_) not in there:
            there.add((game_id, type_))
            new.append((game_id, type_, data))
    return new


async def _grow(connection: Connection, leaves: Sequence[tuple[str, str, bytes]]) -> None:
    """Append leaves, and the nodes that they complete."""
    if not leaves:
        return
    size = await _size(connection)
    frontier = merkle.Frontier(size, await _hashes(connection, merkle.subtrees_of(size)))
    nodes = [node for _, _, data in leaves for node in frontier.append(merkle.leaf_hash(data))]
    games, types, data = (list(column) for column in zip(*leaves, strict=True))
    await connection.execute(_PUT_LEAVES, list(range(size, frontier.size)), games, types, data)
    await connection.execute(_PUT_NODES, *(list(column) for column in zip(*nodes, strict=True)))


async def _size(connection: Connection) -> int:
    size: int | None = await connection.fetchval("SELECT max(index) + 1 FROM log_leaves")
    return size or 0


async def _root(connection: Connection) -> bytes:
    size = await _size(connection)
    return merkle.Frontier(size, await _hashes(connection, merkle.subtrees_of(size))).root()


async def _hashes(connection: Connection, asked: Sequence[tuple[int, int]]) -> list[bytes]:
    """Return the hashes of complete subtrees, in the order asked."""
    rows = await connection.fetch(_NODES, [level for level, _ in asked], [position for _, position in asked])
    found = {(row["level"], row["position"]): row["hash"] for row in rows}
    return [found[one] for one in asked]


async def _span(connection: Connection, begin: int, end: int) -> bytes:
    """Return the hash over leaves ``begin`` to ``end``, a subtree of some tree."""
    subtrees = merkle.subtrees_of_span(begin, end)
    return merkle.Frontier(end - begin, await _hashes(connection, subtrees)).root()


async def _path(connection: Connection, index: int, size: int) -> list[str]:
    return [(await _span(connection, *span)).hex() for span in merkle.inclusion_spans(index, size)]


def _signed(key: VerifyKey, statement: bytes, signature: bytes) -> bool:
    try:
        key.verify(statement, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def _compare(frontier: merkle.Frontier, heads: Mapping[int, set[str]], troubles: list[str]) -> None:
    others = heads.get(frontier.size, set()) - {frontier.root().hex()}
    troubles += [f"the first {frontier.size} leaves are not those of the head {root}" for root in sorted(others)]
