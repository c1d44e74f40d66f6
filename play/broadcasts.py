"""Broadcasts: an operator's message to all chats, sent by a job."""

from dataclasses import dataclass
from html import escape
from typing import Any

import msgspec

from fsm.engine import Clock
from fsm.kind import Rejected
from play.access import Access, Actor, Needs
from play.texts import Texts
from storage.audit import wrote
from storage.job_runner import JobKind, Run
from storage.jobs import Jobs, NewJob
from storage.people import People
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

KIND = "broadcast"
LONGEST = 3000
"""Longest text in UTF-16 units. With the text around it, it must fit a message, which has room for 4096."""
CHATS_AT_ONCE = 500
FIRST = -(2**63)
"""A number below every chat id."""


@dataclass(unsafe_hash=True)
class BroadcastTooLong(Rejected):
    """The text is too long for a message. `limit` counts UTF-16 units."""

    limit: int


class _Order(msgspec.Struct, frozen=True):
    text: str


class _Progress(msgspec.Struct, frozen=True):
    after: int = FIRST
    """The last chat that has the message in its queue."""
    count: int = 0


class Broadcasts:
    """Sends broadcasts. The messages have a priority below that of games, and each chat gets them once."""

    def __init__(
        self, *, jobs: Jobs, people: People, outbox: Outbox, access: Access, texts: Texts, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._people = people
        self._outbox = outbox
        self._access = access
        self._texts = texts
        self._clock = clock

    async def begin(self, actor: Actor, text: str, key: str) -> int | None:
        """Begin a broadcast. Returns the id of its job, or None if one with this key was begun before.

        Raises the errors of ``Access.authorise``.
        """
        await self._access.authorise(actor, None, Needs.OPERATE)
        ids = await self._jobs.enqueue(NewJob(KIND, key, msgspec.json.encode(_Order(text)), asked_by=actor.id))
        if not ids:
            return None
        wrote("broadcast", target=ids[0])
        return ids[0]

    @property
    def kind(self) -> JobKind:
        """The kind of job that sends them."""
        return JobKind(name=KIND, work=self._work, at_once=1)

    async def _work(self, run: Run) -> None:
        """Put the message into the queues of all active chats, a page of chats at a time.

        After a crash a page may be put again: the outbox knows the ids of its items and takes each once.
        """
        order = msgspec.json.decode(run.job.data, type=_Order)
        progress = msgspec.json.decode(run.job.progress, type=_Progress)
        while chats := await self._people.chats_active(progress.after, CHATS_AT_ONCE):
            run.check()
            await self._outbox.put_many([self._outgoing(run, chat.id, message_of(order.text)) for chat in chats])
            progress = _Progress(chats[-1].id, progress.count + len(chats))
            await run.record(msgspec.json.encode(progress))
        await self._tell(run, progress.count)

    async def _tell(self, run: Run, count: int) -> None:
        if run.job.asked_by <= 0:
            return
        locale = await self._people.locale_of_player(run.job.asked_by) or self._texts.LOCALES[0]
        html = self._texts.html(locale, "dlg-admin-cast-done", count=count)
        await self._outbox.put(self._outgoing(run, run.job.asked_by, html_message(html), "done"))

    def _outgoing(self, run: Run, chat_id: int, params: dict[str, Any], part: str = "cast") -> Outgoing:
        return Outgoing(
            id=f"{part}:{run.job.id}:{chat_id}",
            chat_id=chat_id,
            method="sendMessage",
            params=params,
            priority=Priority.COSMETIC,
            created_at=self._clock.now(),
        )


def message_of(text: str) -> dict[str, Any]:
    """Return the parameters of a message with an operator's text, as it was written."""
    return html_message(escape(text, quote=False))


def html_message(html: str) -> dict[str, Any]:
    """Return the parameters of a message in Telegram's HTML, without a keyboard."""
    return {"text": str(html), "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
