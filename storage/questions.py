"""Questions in PostgreSQL: the packs of hosts, and what each chat was asked, so that it is asked something else.

Raises what asyncpg raises; the built-in bank is there without PostgreSQL too.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom

import asyncpg

from fsm.kind import Instant, PlayerId
from fsm.quiz import Question
from questions.bank import bank
from questions.choice import Shuffle, choose
from questions.likeness import Gist, fingerprint, gist
from questions.packs import MAX_QUESTIONS
from storage.connections import Connection, Pool, in_transaction

MAX_PACKS = 20
"""Packs of one host."""
MAX_NAME = 64
MOST_ASKED = 5000
"""Of the questions that a chat was asked, the newest so many are looked at."""
KEEP_ASKED_DAYS = 365
BY_CHANCE: Shuffle = SystemRandom().shuffle
BATCH = 1000

_PACKS = """
SELECT p.id, p.owner_id, p.name, p.locale, count(q.id) AS size
FROM question_packs p LEFT JOIN pack_questions q ON q.pack_id = p.id
"""
_QUESTIONS = """
SELECT position, id, text, answers, difficulty, category, photo FROM pack_questions WHERE pack_id = $1
"""
_ADD = """
INSERT INTO pack_questions (pack_id, position, id, text, answers, difficulty, category, photo)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_CHANGE = """
UPDATE pack_questions SET id = $3, text = $4, answers = $5, difficulty = $6, category = $7, photo = $8
WHERE pack_id = $1 AND position = $2
"""
_ASKED = """
SELECT question_id, text, answer, photo, asked_at FROM asked_questions WHERE chat_id = $1
ORDER BY asked_at DESC LIMIT $2
"""
_MARK = """
INSERT INTO asked_questions (chat_id, question_id, text, answer, photo, asked_at)
SELECT $1, asked.*, $6 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS asked
ON CONFLICT (chat_id, question_id) DO UPDATE SET asked_at = excluded.asked_at
"""
_PRUNE = """
DELETE FROM asked_questions WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM asked_questions WHERE asked_at < $1 ORDER BY asked_at LIMIT $2
)) AND asked_at < $1
"""


class TooManyPacks(Exception):
    """A host has as many packs as a host may."""


class PackFull(Exception):
    """A pack has as many questions as a pack may."""


class NameTaken(Exception):
    """A host has a pack of that name already, or a pack that question."""


@dataclass(frozen=True, slots=True)
class PackTitle:
    """A pack without its questions. ``size``: how many they are."""

    id: int
    owner_id: PlayerId
    name: str
    locale: str
    size: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which questions a quiz may have; empty: any. Compared without regard to case."""

    categories: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()

    def passes(self, question: Question) -> bool:
        """Whether a question is one of them."""
        wanted = {category.casefold() for category in self.categories}
        return (not wanted or question.category.casefold() in wanted) and (
            not self.difficulties or question.difficulty in self.difficulties
        )


ANY = Filter()


class Questions:
    """Packs, and questions chosen for a chat. ``shuffle`` puts a list in a random order."""

    def __init__(self, pool: Pool, *, shuffle: Shuffle = BY_CHANCE) -> None:
        self._pool = pool
        self._shuffle = shuffle

    # -- packs --------------------------------------------------------------------------------------------------

    async def packs(self, owner_id: PlayerId) -> list[PackTitle]:
        """A host's packs, by name."""
        rows = await self._pool.fetch(
            f"{_PACKS} WHERE owner_id = $1 GROUP BY p.id ORDER BY p.name LIMIT $2", owner_id, MAX_PACKS
        )
        return [PackTitle(*row) for row in rows]

    async def pack(self, pack_id: int, owner_id: PlayerId) -> PackTitle | None:
        """One pack, if it is that host's."""
        row = await self._pool.fetchrow(f"{_PACKS} WHERE p.id = $1 AND owner_id = $2 GROUP BY p.id", pack_id, owner_id)
        return None if row is None else PackTitle(*row)

    async def add_pack(self, owner_id: PlayerId, name: str, locale: str, questions: Sequence[Question]) -> PackTitle:
        """Keep a new pack, whole or not at all. Raises ``TooManyPacks``, ``PackFull``, ``NameTaken``."""
        if len(questions) > MAX_QUESTIONS:
            raise PackFull

        async def work(connection: Connection) -> int:
            await _lock(connection, f"packs/{owner_id}")
            count = await connection.fetchval("SELECT count(*) FROM question_packs WHERE owner_id = $1", owner_id)
            if count >= MAX_PACKS:
                raise TooManyPacks
            pack_id: int = await connection.fetchval(
                "INSERT INTO question_packs (owner_id, name, locale) VALUES ($1, $2, $3) RETURNING id",
                owner_id, name[:MAX_NAME], locale,
            )  # fmt: skip
            await connection.executemany(_ADD, [(pack_id, *_row(at, each)) for at, each in enumerate(questions, 1)])
            return pack_id

        try:
            pack_id = await in_transaction(self._pool, work)
        except asyncpg.UniqueViolationError:
            raise NameTaken from None
        return PackTitle(pack_id, owner_id, name[:MAX_NAME], locale, len(questions))

    async def rename_pack(self, pack_id: int, owner_id: PlayerId, name: str) -> bool:
        """Call a pack otherwise; whether there was one. Raises ``NameTaken``."""
        statement = "UPDATE question_packs SET name = $3, updated_at = now() WHERE id = $1 AND owner_id = $2"
        try:
            return _did(await self._pool.execute(statement, pack_id, owner_id, name[:MAX_NAME]))
        except asyncpg.UniqueViolationError:
            raise NameTaken from None

    async def delete_pack(self, pack_id: int, owner_id: PlayerId) -> bool:
        """Delete a pack with its questions; whether there was one."""
        statement = "DELETE FROM question_packs WHERE id = $1 AND owner_id = $2"
        return _did(await self._pool.execute(statement, pack_id, owner_id))

    async def questions(
        self, pack_id: int, *, limit: int = MAX_QUESTIONS, offset: int = 0
    ) -> list[tuple[int, Question]]:
        """A pack's questions with their positions, in order, the right answer of each first."""
        rows = await self._pool.fetch(f"{_QUESTIONS} ORDER BY position LIMIT $2 OFFSET $3", pack_id, limit, offset)
        return [(row["position"], _question(row, pack_id)) for row in rows]

    async def question(self, pack_id: int, position: int) -> Question | None:
        """One question of a pack."""
        row = await self._pool.fetchrow(f"{_QUESTIONS} AND position = $2", pack_id, position)
        return None if row is None else _question(row, pack_id)

    async def add_question(self, pack_id: int, owner_id: PlayerId, question: Question) -> int | None:
        """Add one at the end; its position, or None without such a pack. Raises ``PackFull``, ``NameTaken``."""

        async def work(connection: Connection) -> int | None:
            owned = "SELECT id FROM question_packs WHERE id = $1 AND owner_id = $2 FOR UPDATE"
            if await connection.fetchval(owned, pack_id, owner_id) is None:
                return None
            count, last = await connection.fetchrow(  # type: ignore[misc]  # an aggregate always gives a row
                "SELECT count(*), coalesce(max(position), 0) FROM pack_questions WHERE pack_id = $1", pack_id
            )
            if count >= MAX_QUESTIONS:
                raise PackFull
            await connection.execute(_ADD, pack_id, *_row(last + 1, question))
            return int(last + 1)

        try:
            return await in_transaction(self._pool, work)
        except asyncpg.UniqueViolationError:
            raise NameTaken from None

    async def change_question(self, pack_id: int, owner_id: PlayerId, position: int, question: Question) -> bool:
        """Put another question in the place of one; whether there was one. Raises ``NameTaken``."""
        statement = f"{_CHANGE} AND EXISTS (SELECT FROM question_packs WHERE id = $1 AND owner_id = $9)"
        try:
            return _did(await self._pool.execute(statement, pack_id, *_row(position, question), owner_id))
        except asyncpg.UniqueViolationError:
            raise NameTaken from None

    async def delete_question(self, pack_id: int, owner_id: PlayerId, position: int) -> bool:
        """Take one out; the others keep their positions. Whether there was one."""
        statement = """
            DELETE FROM pack_questions WHERE pack_id = $1 AND position = $3
            AND EXISTS (SELECT FROM question_packs WHERE id = $1 AND owner_id = $2)
        """
        return _did(await self._pool.execute(statement, pack_id, owner_id, position))

    # -- what a chat is asked -----------------------------------------------------------------------------------

    async def choose(
        self,
        chat_id: int,
        count: int,
        now: Instant,
        *,
        locale: str = "en",
        pack_id: int | None = None,
        only: Filter = ANY,
    ) -> tuple[Question, ...]:
        """Up to ``count`` questions for a chat, of a pack or of the bank in ``locale``, and note them as asked.

        Fewer where there are not so many, none where there are none. Those that a quiz does not ask in the end are to
        be given back. While a choice is made no other is made for that chat.
        """
        pool = [question for _, question in await self.questions(pack_id)] if pack_id is not None else bank(locale)
        wanted = [question for question in pool if only.passes(question)]

        async def work(connection: Connection) -> tuple[Question, ...]:
            await _lock(connection, f"asked/{chat_id}")
            asked = {
                row["question_id"]: (_instant(row["asked_at"]), Gist(row["text"], row["answer"], row["photo"]))
                for row in await connection.fetch(_ASKED, chat_id, MOST_ASKED)
            }
            chosen = choose(wanted, asked, count, self._shuffle)
            await _mark(connection, chat_id, chosen, now)
            return chosen

        return await in_transaction(self._pool, work)

    async def asked(self, chat_id: int, limit: int = 500) -> list[Gist]:
        """What a chat was asked last, oldest first: for a writer to avoid."""
        rows = await self._pool.fetch(_ASKED, chat_id, limit)
        return [Gist(row["text"], row["answer"], row["photo"]) for row in reversed(rows)]

    async def note_asked(self, chat_id: int, questions: Iterable[Question], now: Instant) -> None:
        """Note questions from elsewhere as asked."""
        await _mark(self._pool, chat_id, tuple(questions), now)

    async def give_back(self, chat_id: int, questions: Iterable[Question]) -> None:
        """Forget that a chat was asked these: it was not, after all."""
        statement = "DELETE FROM asked_questions WHERE chat_id = $1 AND question_id = ANY($2::text[])"
        await self._pool.execute(statement, chat_id, [question.id for question in questions])

    async def prune(self, now: Instant) -> int:
        """Forget what was asked longer ago than ``KEEP_ASKED_DAYS``, in small batches; how many rows went."""
        before = _moment(now) - timedelta(days=KEEP_ASKED_DAYS)
        gone = 0
        while batch := int((await self._pool.execute(_PRUNE, before, BATCH)).split()[-1]):
            gone += batch
        return gone


def categories(questions: Iterable[Question]) -> dict[str, int]:
    """How many questions each category has, the largest first."""
    counts: dict[str, int] = {}
    for question in questions:
        counts[question.category] = counts.get(question.category, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _row(position: int, question: Question) -> tuple[int, str, str, list[str], str, str, str | None]:
    """A question as its columns, from ``position`` on."""
    right = gist(question)
    others = [answer for answer in question.answers if answer != right.answer]
    return (
        position,
        fingerprint(right),
        question.text,
        [right.answer, *others],
        question.difficulty,
        question.category,
        question.photo,
    )


def _question(row: asyncpg.Record, pack_id: int) -> Question:
    return Question(
        id=row["id"],
        text=row["text"],
        answers=tuple(row["answers"]),
        right=0,
        difficulty=row["difficulty"],
        category=row["category"],
        photo=row["photo"],
        pack=str(pack_id),
    )


async def _mark(connection: "Connection | Pool", chat_id: int, questions: Sequence[Question], now: Instant) -> None:
    ordered = sorted(questions, key=lambda question: question.id)  # one order for all, so that nobody waits in a ring
    gists = [gist(question) for question in ordered]
    await connection.execute(
        _MARK,
        chat_id,
        [question.id for question in ordered],
        [each.text for each in gists],
        [each.answer for each in gists],
        [each.photo for each in gists],
        _moment(now),
    )


async def _lock(connection: Connection, what: str) -> None:
    """Let nobody else do the same until the transaction ends."""
    key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", key)


def _did(status: str) -> bool:
    """Whether a statement touched a row, by what PostgreSQL says of it."""
    return not status.endswith(" 0")


def _moment(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _instant(moment: datetime) -> Instant:
    return int(moment.timestamp() * 1000)
