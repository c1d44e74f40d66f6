"""Questions in PostgreSQL: the packs of hosts, and the questions that each chat has had, to avoid repetition.

The methods raise asyncpg's errors. The built-in bank needs no PostgreSQL.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom

import asyncpg

from fsm.kind import Instant, PlayerId
from fsm.question import CHOICE, ONE_TAP, TRUE_FALSE, Question
from questions.bank import bank
from questions.choice import Shuffle, choose
from questions.packs import MAX_QUESTIONS
from questions.similarity import Gist, fingerprint, gist
from storage.audit import wrote
from storage.connections import Connection, Pool, in_transaction
from storage.jobs import NewJob, enqueue

MAX_PACKS = 20
"""Maximum number of packs that a host may keep."""
MAX_NAME = 64
MOST_ASKED = 5000
"""Maximum number of questions from a chat's past that a choice considers, newest first."""
KEEP_ASKED_DAYS = 365
BY_CHANCE: Shuffle = SystemRandom().shuffle
BATCH = 1000

_PACKS = """
SELECT p.id, p.owner_id, p.name, p.locale, count(q.id) AS size
FROM question_packs p LEFT JOIN pack_questions q ON q.pack_id = p.id
"""
_QUESTIONS = """
SELECT position, id, text, answers, difficulty, category, photo, type, rights, number, tolerance, explanation, source
FROM pack_questions WHERE pack_id = $1
"""
_ADD = """
INSERT INTO pack_questions (
    pack_id, position, id, text, answers, difficulty, category, photo,
    type, rights, number, tolerance, explanation, source
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_CHANGE = """
UPDATE pack_questions SET id = $3, text = $4, answers = $5, difficulty = $6, category = $7, photo = $8,
    type = $9, rights = $10, number = $11, tolerance = $12, explanation = $13, source = $14
WHERE pack_id = $1 AND position = $2
"""
_ASKED = """
SELECT question_id, text, answer, photo, asked_at FROM asked_questions WHERE chat_id = $1
ORDER BY asked_at DESC LIMIT $2
"""
_MARK = """
INSERT INTO asked_questions (chat_id, question_id, text, answer, photo, asked_at, game_id)
SELECT $1, asked.*, $6, $7 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS asked
ON CONFLICT (chat_id, question_id) DO UPDATE SET asked_at = excluded.asked_at, game_id = excluded.game_id
"""
_RELEASE = """
DELETE FROM asked_questions WHERE chat_id = $1 AND game_id = $2 AND question_id <> ALL($3::text[])
"""
_PRUNE = """
DELETE FROM asked_questions WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM asked_questions WHERE asked_at < $1 ORDER BY asked_at LIMIT $2
)) AND asked_at < $1
"""


class TooManyPacks(Exception):
    """A refusal: the host has the most packs allowed."""


class PackFull(Exception):
    """A refusal: the pack has, or would have, more questions than allowed."""


class NameTaken(Exception):
    """A refusal: the host has a pack of that name already, or the pack has that question already."""


@dataclass(frozen=True, slots=True)
class PackTitle:
    """A pack without its questions; ``size`` counts them."""

    id: int
    owner_id: PlayerId
    name: str
    locale: str
    size: int


@dataclass(frozen=True, slots=True)
class Filter:
    """The questions that a quiz may have, by category and difficulty; empty means any. Categories ignore case."""

    categories: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()

    def passes(self, question: Question) -> bool:
        """Return True if a question matches."""
        wanted = {category.casefold() for category in self.categories}
        return (not wanted or question.category.casefold() in wanted) and (
            not self.difficulties or question.difficulty in self.difficulties
        )


ANY = Filter()


class Questions:
    """Repository of packs, which also chooses questions for a chat. ``shuffle`` shuffles a list in place."""

    def __init__(self, pool: Pool, *, shuffle: Shuffle = BY_CHANCE) -> None:
        self._pool = pool
        self._shuffle = shuffle

    # -- packs --------------------------------------------------------------------------------------------------

    async def packs(self, owner_id: PlayerId) -> list[PackTitle]:
        """Return a host's packs, by name."""
        rows = await self._pool.fetch(
            f"{_PACKS} WHERE owner_id = $1 GROUP BY p.id ORDER BY p.name LIMIT $2", owner_id, MAX_PACKS
        )
        return [PackTitle(*row) for row in rows]

    async def pack(self, pack_id: int, owner_id: PlayerId) -> PackTitle | None:
        """Return a pack, or None if the host has no such pack."""
        row = await self._pool.fetchrow(f"{_PACKS} WHERE p.id = $1 AND owner_id = $2 GROUP BY p.id", pack_id, owner_id)
        return None if row is None else PackTitle(*row)

    async def add_pack(self, owner_id: PlayerId, name: str, locale: str, questions: Sequence[Question]) -> PackTitle:
        """Store a new pack, whole or not at all. Raises ``TooManyPacks``, ``PackFull``, ``NameTaken``."""

        async def work(connection: Connection) -> int:
            return await self.add_pack_in(connection, owner_id, name, locale, questions)

        pack_id = await in_transaction(self._pool, work)
        wrote("add-pack", target=pack_id)
        return PackTitle(pack_id, owner_id, name[:MAX_NAME], locale, len(questions))

    async def add_pack_in(
        self, connection: Connection, owner_id: PlayerId, name: str, locale: str, questions: Sequence[Question]
    ) -> int:
        """Store a new pack in the caller's transaction, and return its id.

        Raises ``TooManyPacks``, ``PackFull``, ``NameTaken``; then the transaction must be undone.
        """
        if len(questions) > MAX_QUESTIONS:
            raise PackFull
        await _lock(connection, f"packs/{owner_id}")
        count = await connection.fetchval("SELECT count(*) FROM question_packs WHERE owner_id = $1", owner_id)
        if count >= MAX_PACKS:
            raise TooManyPacks
        try:
            pack_id: int = await connection.fetchval(
                "INSERT INTO question_packs (owner_id, name, locale) VALUES ($1, $2, $3) RETURNING id",
                owner_id, name[:MAX_NAME], locale,
            )  # fmt: skip
            await connection.executemany(_ADD, [(pack_id, *_row(at, each)) for at, each in enumerate(questions, 1)])
        except asyncpg.UniqueViolationError:
            raise NameTaken from None
        return pack_id

    async def rename_pack(self, pack_id: int, owner_id: PlayerId, name: str) -> bool:
        """Rename a pack. Returns False if the host has no such pack. Raises ``NameTaken``."""
        statement = "UPDATE question_packs SET name = $3, updated_at = now() WHERE id = $1 AND owner_id = $2"
        try:
            done = _did(await self._pool.execute(statement, pack_id, owner_id, name[:MAX_NAME]))
        except asyncpg.UniqueViolationError:
            raise NameTaken from None
        if done:
            wrote("rename-pack", target=pack_id)
        return done

    async def delete_pack(self, pack_id: int, owner_id: PlayerId) -> bool:
        """Delete a pack with its questions. Returns False if the host has no such pack."""
        statement = "DELETE FROM question_packs WHERE id = $1 AND owner_id = $2"
        done = _did(await self._pool.execute(statement, pack_id, owner_id))
        if done:
            wrote("delete-pack", target=pack_id)
        return done

    async def questions(
        self, pack_id: int, *, limit: int = MAX_QUESTIONS, offset: int = 0
    ) -> list[tuple[int, Question]]:
        """Return a page of a pack's questions with their positions, in order, the right answer of each first."""
        rows = await self._pool.fetch(f"{_QUESTIONS} ORDER BY position LIMIT $2 OFFSET $3", pack_id, limit, offset)
        return [(row["position"], _question(row, pack_id)) for row in rows]

    async def question(self, pack_id: int, position: int) -> Question | None:
        """Return a question of a pack, or None."""
        row = await self._pool.fetchrow(f"{_QUESTIONS} AND position = $2", pack_id, position)
        return None if row is None else _question(row, pack_id)

    async def add_question(self, pack_id: int, owner_id: PlayerId, question: Question) -> int | None:
        """Append a question. Returns its position, or None if the host has no such pack.

        Raises ``PackFull`` and ``NameTaken``.
        """

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
            position = await in_transaction(self._pool, work)
        except asyncpg.UniqueViolationError:
            raise NameTaken from None
        if position is not None:
            wrote("add-question", target=pack_id)
        return position

    async def change_question(self, pack_id: int, owner_id: PlayerId, position: int, question: Question) -> bool:
        """Replace a question. Returns False if the host has no such question. Raises ``NameTaken``."""
        statement = f"{_CHANGE} AND EXISTS (SELECT FROM question_packs WHERE id = $1 AND owner_id = $15)"
        try:
            done = _did(await self._pool.execute(statement, pack_id, *_row(position, question), owner_id))
        except asyncpg.UniqueViolationError:
            raise NameTaken from None
        if done:
            wrote("change-question", target=pack_id)
        return done

    async def delete_question(self, pack_id: int, owner_id: PlayerId, position: int) -> bool:
        """Delete a question; the others keep their positions. Returns False if the host has no such question."""
        statement = """
            DELETE FROM pack_questions WHERE pack_id = $1 AND position = $3
            AND EXISTS (SELECT FROM question_packs WHERE id = $1 AND owner_id = $2)
        """
        done = _did(await self._pool.execute(statement, pack_id, owner_id, position))
        if done:
            wrote("delete-question", target=pack_id)
        return done

    # -- questions for a chat -----------------------------------------------------------------------------------

    async def choose(
        self,
        chat_id: int,
        count: int,
        now: Instant,
        *,
        locale: str = "en",
        pack_id: int | None = None,
        only: Filter = ANY,
        game_id: str = "",
        job: NewJob | None = None,
    ) -> tuple[Question, ...]:
        """Choose up to ``count`` questions for a chat from a pack, or the bank in ``locale``, and mark them as asked.

        Returns fewer if there are not enough, which may be none. Give back those that the quiz does not ask in the end.
        The game with ``game_id`` holds them. The job, which releases them if that game is never opened, is enqueued in
        the same transaction.
        An advisory lock serializes the choices for a chat.
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
            await _mark(connection, chat_id, chosen, now, game_id)
            if chosen and job is not None:
                await enqueue(connection, job, anew=True)
            return chosen

        return await in_transaction(self._pool, work)

    async def asked(self, chat_id: int, limit: int = 500) -> list[Gist]:
        """Return the questions that a chat had last, oldest first, for a question writer to avoid."""
        rows = await self._pool.fetch(_ASKED, chat_id, limit)
        return [Gist(row["text"], row["answer"], row["photo"]) for row in reversed(rows)]

    async def note_asked(self, chat_id: int, questions: Iterable[Question], now: Instant, game_id: str = "") -> None:
        """Mark questions from another source as asked, held by a game."""
        await _mark(self._pool, chat_id, tuple(questions), now, game_id)

    async def give_back(self, chat_id: int, questions: Iterable[Question], game_id: str = "") -> None:
        """Unmark questions that were chosen for a chat but not asked, unless another game holds them by now."""
        statement = """
            DELETE FROM asked_questions WHERE chat_id = $1 AND question_id = ANY($2::text[]) AND game_id IN ('', $3)
        """
        await self._pool.execute(statement, chat_id, [question.id for question in questions], game_id)

    async def release(self, chat_id: int, game_id: str, keep: Iterable[Question]) -> None:
        """Unmark all questions that a game holds, except those to keep."""
        await self._pool.execute(_RELEASE, chat_id, game_id, [question.id for question in keep])

    async def knows_game(self, game_id: str) -> bool:
        """Return whether a game is in the archive, so that it certainly was opened."""
        return bool(await self._pool.fetchval("SELECT true FROM games WHERE id = $1", game_id))

    async def prune(self, now: Instant) -> int:
        """Delete marks older than ``KEEP_ASKED_DAYS``, in small batches. Returns the number of deleted rows."""
        before = _moment(now) - timedelta(days=KEEP_ASKED_DAYS)
        gone = 0
        while batch := int((await self._pool.execute(_PRUNE, before, BATCH)).split()[-1]):
            gone += batch
        return gone


def categories(questions: Iterable[Question]) -> dict[str, int]:
    """Count the questions of each category, the largest first."""
    counts: dict[str, int] = {}
    for question in questions:
        counts[question.category] = counts.get(question.category, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _row(position: int, question: Question) -> tuple[object, ...]:
    """Return a question's columns, from ``position`` on. The right answer of a choice comes first."""
    answers, rights = question.answers, question.rights
    if question.type == CHOICE:
        right = gist(question).answer
        answers, rights = (right, *(answer for answer in answers if answer != right)), (0,)
    elif question.type == TRUE_FALSE:
        assert question.right is not None
        rights = (question.right,)
    return (
        position,
        fingerprint(gist(question)),
        question.text,
        list(answers),
        question.difficulty,
        question.category,
        question.photo,
        question.type,
        list(rights),
        question.number,
        question.tolerance,
        question.explanation,
        question.source,
    )


def _question(row: asyncpg.Record, pack_id: int) -> Question:
    rights = tuple(row["rights"])
    one = row["type"] in ONE_TAP
    return Question(
        id=row["id"],
        text=row["text"],
        answers=tuple(row["answers"]),
        right=rights[0] if one else None,
        rights=() if one else rights,
        number=row["number"],
        tolerance=row["tolerance"],
        difficulty=row["difficulty"],
        category=row["category"],
        photo=row["photo"],
        type=row["type"],
        explanation=row["explanation"],
        source=row["source"],
        pack=str(pack_id),
    )


async def _mark(
    connection: "Connection | Pool", chat_id: int, questions: Sequence[Question], now: Instant, game_id: str
) -> None:
    ordered = sorted(questions, key=lambda question: question.id)  # in one order for all processes: no deadlock
    gists = [gist(question) for question in ordered]
    await connection.execute(
        _MARK,
        chat_id,
        [question.id for question in ordered],
        [each.text for each in gists],
        [each.answer for each in gists],
        [each.photo for each in gists],
        _moment(now),
        game_id,
    )


async def _lock(connection: Connection, what: str) -> None:
    """Take an advisory lock on a name until the transaction ends."""
    key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", key)


def _did(status: str) -> bool:
    """Return True if a statement touched a row, by its status, such as ``UPDATE 0``."""
    return not status.endswith(" 0")


def _moment(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _instant(moment: datetime) -> Instant:
    return int(moment.timestamp() * 1000)
