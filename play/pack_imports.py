"""Import of a pack of questions from an address: a job fetches the file, a child process reads it, the pack is stored.

The address is a stranger's, so it is called as webhooks call theirs (`play/guarded_http.py`): no private network, no
redirect, 1 MB at most. The pack is stored in the transaction that records the progress of the job, so that a crash
stores it neither twice nor never.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from fsm.engine import Clock
from fsm.kind import PlayerId, Rejected
from play.broadcasts import html_message
from play.guarded_http import AnswerTooLarge, CallFailed, GuardedHttp
from play.pack_texts import mistake_html, remarks
from play.packs import vocabulary
from play.texts import Markup, Texts, tidy
from questions.isolation import FileReader, TooManyFiles
from questions.packs import Pack, PackRefused
from storage.audit import wrote
from storage.job_runner import JobKind, Run, TryAgain
from storage.jobs import CANCELLED, UNFINISHED, Jobs, NewJob
from storage.questions import MAX_NAME, MAX_PACKS, NameTaken, Questions, TooManyPacks
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

KIND = "pack_import"
MOST_WAITING = 3
"""Limit of unfinished imports of one owner."""
MAX_BYTES = 1 << 20
"""Longest file; the reading process has the same limit."""
FETCH_SECONDS = 20.0
ATTEMPTS = 5
BUSY_SECONDS = 5.0
MISTAKES_SHOWN = 5


@dataclass(unsafe_hash=True)
class TooManyImports(Rejected):
    """The owner has too many imports waiting."""

    limit: int


class _Order(msgspec.Struct, frozen=True):
    url: str
    name: str
    locale: str
    owner_id: int
    tell: int = 0
    """The chat that is told of the result; 0 for none."""


class _Progress(msgspec.Struct, frozen=True):
    pack_id: int = 0
    count: int = 0
    remarks: str = ""
    """HTML about the content of the file that was lost."""


class NotImported(Exception):
    """The end of an import that the file or its address is to blame for. The text is HTML for the owner."""

    def __init__(self, reason: str, html: str) -> None:
        super().__init__(reason)
        self.html = html


class PackImports:
    """Imports packs. A face has decided before that the owner may have packs."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        questions: Questions,
        http: GuardedHttp,
        outbox: Outbox,
        texts: Texts,
        clock: Clock,
        files: FileReader | None = None,
    ) -> None:
        self.kind = JobKind(name=KIND, work=self._work, undo=self._undo, at_once=2, attempts=ATTEMPTS)
        self._jobs = jobs
        self._questions = questions
        self._http = http
        self._outbox = outbox
        self._texts = texts
        self._clock = clock
        self._files = files or FileReader()

    async def begin(
        self, owner_id: PlayerId, url: str, *, key: str, name: str = "", locale: str, tell: int = 0
    ) -> int | None:
        """Enqueue an import. Returns the id of its job, or None if one with this key was begun before.

        Args:
            owner_id: the person or chat that is to have the pack.
            url: the address of the file.
            key: identity of the request.
            name: name of the pack; empty for that of the file.
            locale: the language of the file's words and of the notice.
            tell: the chat that is told of the result; 0 for none.

        Raises:
            BadUrl, ForbiddenAddress: the address may not be called.
            TooManyImports: the owner has too many imports waiting.
        """
        self._http.guard.check_url(url)
        waiting = await self._jobs.page(statuses=UNFINISHED, kind=KIND, chats=[owner_id], limit=MOST_WAITING)
        if len(waiting) >= MOST_WAITING:
            raise TooManyImports(MOST_WAITING)
        title = tidy(name or PurePosixPath(_file_of(url)).stem)[:MAX_NAME].strip() or KIND
        order = _Order(url, title, locale, owner_id, tell)
        job = NewJob(KIND, key, msgspec.json.encode(order), owner_id, asked_by=max(0, owner_id))
        ids = await self._jobs.enqueue(job)
        if not ids:
            return None
        wrote("import-pack", chat_id=owner_id, target=url)
        return ids[0]

    async def _work(self, run: Run) -> None:
        order = msgspec.json.decode(run.job.data, type=_Order)
        progress = msgspec.json.decode(run.progress, type=_Progress)
        try:
            if not progress.pack_id:
                progress = await self._store(run, order, await self._read(order))
        except NotImported as problem:
            await self._tell(run, order, problem.html)
            await run.end(CANCELLED, str(problem))
            return
        await self._tell_stored(run, order, progress)

    async def _undo(self, run: Run, reason: str) -> None:
        """Tell the owner that nothing was stored, after a cancellation or the last attempt. A stored pack stays."""
        order = msgspec.json.decode(run.job.data, type=_Order)
        progress = msgspec.json.decode(run.progress, type=_Progress)
        if progress.pack_id:
            await self._tell_stored(run, order, progress)
            return await run.end()
        why = "pack-import-cancelled" if run.cancelling else "pack-import-unreachable"
        await self._tell(run, order, self._failure(order, why).html)
        return await run.end(CANCELLED, reason)

    async def _tell_stored(self, run: Run, order: _Order, progress: _Progress) -> None:
        shown = self._texts.html(order.locale, "pack-imported", name=order.name, count=progress.count)
        await self._tell(run, order, "\n\n".join(filter(None, [shown, progress.remarks])))

    async def _read(self, order: _Order) -> Pack:
        """Fetch and read the file. Raises ``NotImported``, and ``TryAgain`` where another attempt may help."""
        try:
            answer = await self._http.call("GET", order.url, most=MAX_BYTES, whole=True, seconds=FETCH_SECONDS)
        except AnswerTooLarge:
            raise self._failure(order, "pack-import-too-big", limit=MAX_BYTES >> 10) from None
        except Rejected as refusal:
            raise NotImported(refusal.code, self._texts.refusal_html(order.locale, refusal)) from None
        except CallFailed as problem:
            raise OSError(str(problem)) from None
        if answer.status >= 500 or answer.status in {408, 425, 429}:
            raise OSError(f"status {answer.status}")
        if answer.status != 200:
            raise self._failure(order, "pack-import-status", status=answer.status)
        words = vocabulary(self._texts, order.locale)
        try:
            async with self._files.turn(order.owner_id):
                return await self._files.read(answer.body, _file_of(order.url), words)
        except TooManyFiles:
            raise TryAgain("files are waiting", BUSY_SECONDS) from None
        except PackRefused as refused:
            raise NotImported(f"{len(refused.mistakes)} mistakes", self._mistakes(order, refused)) from None

    async def _store(self, run: Run, order: _Order, pack: Pack) -> _Progress:
        """Store the pack, together with the progress."""
        try:
            async with run.transaction() as connection:
                pack_id = await self._questions.add_pack_in(
                    connection, order.owner_id, order.name, order.locale, pack.questions
                )
                told = "\n\n".join(remarks(self._texts, order.locale, pack))
                progress = _Progress(pack_id, len(pack.questions), told)
                await run.record(msgspec.json.encode(progress), connection)
        except TooManyPacks:
            raise self._failure(order, "pack-too-many", limit=MAX_PACKS) from None
        except NameTaken:
            raise self._failure(order, "pack-name-taken") from None
        return progress

    def _failure(self, order: _Order, text_id: str, **arguments: Any) -> NotImported:
        reason = Markup(self._texts.html(order.locale, text_id, **arguments))
        html = self._texts.html(order.locale, "pack-not-imported", name=order.name, reason=reason)
        return NotImported(text_id, html)

    def _mistakes(self, order: _Order, refused: PackRefused) -> str:
        texts, locale = self._texts, order.locale
        lines = [str(texts.html(locale, "pack-refused", name=order.name, count=len(refused.mistakes))), ""]
        lines += [str(mistake_html(texts, locale, mistake)) for mistake in refused.mistakes[:MISTAKES_SHOWN]]
        more = len(refused.mistakes) - MISTAKES_SHOWN
        return "\n".join([*lines, *([str(texts.html(locale, "pack-and-more", count=more))] if more > 0 else [])])

    async def _tell(self, run: Run, order: _Order, html: str) -> None:
        if order.tell:
            await self._outbox.put(
                Outgoing(
                    id=f"import:{run.job.id}",
                    chat_id=order.tell,
                    method="sendMessage",
                    params=html_message(html),
                    priority=Priority.NORMAL,
                    created_at=self._clock.now(),
                )
            )


def _file_of(url: str) -> str:
    """Return the name of the file at an address, whose ending tells its format."""
    return unquote(PurePosixPath(urlsplit(url).path).name)[:255] or "pack.csv"
