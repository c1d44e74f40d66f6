"""Broadcasts: an operator's message to all chats, sent by a saga.

The chats are listed once. Then their messages are queued, a bounded number at a time, and the sender's reports are
collected; the state of each chat is stored before and after each of these steps. A crash at any point therefore skips
no chat, and no chat gets the message twice, because the outbox takes each item once. If the broadcast is cancelled, the
messages that are not on their way are withdrawn. Sent again, it goes to the chats that have not had it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import msgspec

from fsm.engine import Clock
from fsm.kind import Rejected
from play.access import Access, Actor, Needs
from play.jobs import JobEnded, UnknownJob
from play.sagas import Later, Notes, Saga, Step
from play.texts import Markup, Texts
from storage.audit import wrote
from storage.broadcast_chats import (
    CROWDED,
    LEAVING,
    OPEN,
    QUEUED,
    QUEUING,
    SENT,
    SKIPPED,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    BroadcastChats,
)
from storage.job_runner import JobKind, Run
from storage.jobs import MAX_PAGE, Job, Jobs, NewJob
from storage.people import People
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome, Settled

KIND = "broadcast"
LONGEST = 3000
"""Longest text in UTF-16 units. With the text around it, it must fit a message, which has room for 4096."""
AT_ONCE: Final = 1000
"""Maximum number of a broadcast's messages in the outbox: less than a minute of sending, and little to withdraw."""
PAGE: Final = 250
LOOK_SECONDS: Final = 1.0
"""Time between two looks at the queue."""
LATE_SECONDS: Final = 10.0
"""Time for which a message that has left the queue waits for the sender's report, which a crash may have lost."""
ITEM: Final = "cast:"
"""Beginning of the ids of the messages in the outbox: ``cast:<job>:<chat>``."""
REASONS: Final = ("blocked", "removed", "no_rights", "expired", SKIPPED, CROWDED, "refused", UNKNOWN)
"""The reasons for which a chat did not get the message."""
_STATES: Final[Mapping[Settled, str]] = {
    Settled.SENT: SENT,
    Settled.NO_RIGHTS: "no_rights",
    Settled.TOPIC_GONE: "no_rights",
    Settled.EXPIRED: "expired",
}


@dataclass(unsafe_hash=True)
class BroadcastTooLong(Rejected):
    """The text is too long for a message. `limit` counts UTF-16 units."""

    limit: int


class _Order(msgspec.Struct, frozen=True):
    text: str


class _Noted(msgspec.Struct, frozen=True):
    """The part of the saga's progress with the final counts."""

    notes: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A broadcast and its progress, in numbers of chats.

    Attributes:
        job: its job.
        text: the operator's text.
        waiting: those whose message is to be queued.
        queued: those whose message is queued, or on its way.
        sent: those that have the message.
        withdrawn: those from which the message was withdrawn when the broadcast was cancelled.
        failed: those that did not get the message, by reason, in the order of `REASONS`.
    """

    job: Job
    text: str
    waiting: int
    queued: int
    sent: int
    withdrawn: int
    failed: Mapping[str, int]

    @property
    def total(self) -> int:
        """Number of all its chats."""
        return self.waiting + self.queued + self.sent + self.withdrawn + sum(self.failed.values())


class Broadcasts:
    """Sends broadcasts. The messages have a priority below that of games, and each chat gets them once.

    Args:
        jobs: the jobs that send them.
        chats: the chats of broadcasts.
        people: the languages of operators.
        outbox: sends the messages.
        access: authorises operators.
        texts: the texts for operators.
        clock: the wall clock.
        late_seconds: time for which a message that has left the queue waits for the sender's report.
    """

    def __init__(
        self,
        *,
        jobs: Jobs,
        chats: BroadcastChats,
        people: People,
        outbox: Outbox,
        access: Access,
        texts: Texts,
        clock: Clock,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        self._jobs = jobs
        self._chats = chats
        self._people = people
        self._outbox = outbox
        self._access = access
        self._texts = texts
        self._clock = clock
        self._late_seconds = late_seconds
        self.saga = Saga(
            KIND,
            (
                Step("list", self._list, self._tell_cancelled),
                Step("send", self._send, self._withdraw),
                Step("count", self._count),
                Step("tell", self._finish),
            ),
            at_once=2,
        )

    @property
    def kind(self) -> JobKind:
        """The kind of job that sends them."""
        return self.saga.kind

    # -- operators ----------------------------------------------------------------------------------------------

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

    async def page(self, actor: Actor, before: int | None = None, limit: int = MAX_PAGE) -> list[Broadcast]:
        """Return a page of broadcasts, latest first. Raises the errors of ``Access.authorise``."""
        await self._access.authorise(actor, None, Needs.OPERATE)
        return await self._shown(await self._jobs.page(kind=KIND, before=before, limit=limit))

    async def get(self, actor: Actor, job_id: int) -> Broadcast:
        """Return a broadcast. Raises ``UnknownJob`` and the errors of ``Access.authorise``."""
        await self._access.authorise(actor, None, Needs.OPERATE)
        job = await self._jobs.get(job_id)
        if job is None or job.kind != KIND:
            raise UnknownJob
        return (await self._shown([job]))[0]

    async def cancel(self, actor: Actor, job_id: int) -> None:
        """Cancel a broadcast: messages that are not on their way are withdrawn.

        Raises ``UnknownJob``, ``JobEnded`` and the errors of ``Access.authorise``.
        """
        await self.get(actor, job_id)
        if not await self._jobs.cancel(job_id):
            raise JobEnded

    async def _shown(self, jobs: list[Job]) -> list[Broadcast]:
        final = {job.id: msgspec.json.decode(job.progress, type=_Noted).notes.get("count") for job in jobs}
        counted = await self._chats.counts([job_id for job_id, counts in final.items() if counts is None])
        return [_broadcast(job, final[job.id] or counted.get(job.id, {})) for job in jobs]

    # -- the sender ---------------------------------------------------------------------------------------------

    async def settled(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Report the result of a message, if it belongs to a broadcast."""
        if not outgoing.id.startswith(ITEM) or outcome.settled is Settled.MIGRATED:
            return
        # The id names the chat as it was listed; the item may have moved to its supergroup since.
        job_id, chat_id = map(int, outgoing.id.removeprefix(ITEM).split(":"))
        if outcome.settled is Settled.CHAT_GONE:
            state = "blocked" if chat_id > 0 else "removed"
        else:
            state = _STATES.get(outcome.settled, "refused")
        await self._chats.report(job_id, chat_id, state)

    # -- steps --------------------------------------------------------------------------------------------------

    async def _list(self, run: Run, _: Notes) -> None:
        """List the chats."""
        await self._chats.list_active(run.job.id)

    async def _send(self, run: Run, _: Notes) -> None:
        """Queue messages while there is room, and collect reports, until all chats are settled."""
        job_id = run.job.id
        await self._collect(run)
        await self._put(run)  # again, if a process died while it queued them
        room = AT_ONCE - len(await self._chats.unsettled(job_id))
        while room > 0:
            async with run.transaction() as connection:
                if not await self._chats.take(connection, job_id, min(PAGE, room)):
                    break
            room -= await self._put(run)
        counts = (await self._chats.counts([job_id])).get(job_id, {})
        if any(counts.get(state) for state in OPEN):
            raise Later(LOOK_SECONDS)

    async def _put(self, run: Run) -> int:
        """Queue the messages that are recorded as about to be queued. Returns their number."""
        recipients = await self._chats.queuing(run.job.id)
        there = [each for each in recipients if each.active]
        text = message_of(msgspec.json.decode(run.job.data, type=_Order).text)
        run.check()
        answers = await self._outbox.put_many([self._outgoing(_id(run, each.chat_id), each.to, text) for each in there])
        states = dict.fromkeys((each.chat_id for each in recipients), SKIPPED)
        states |= {
            each.chat_id: CROWDED if answer == "dropped" else QUEUED
            for each, answer in zip(there, answers, strict=True)
        }
        await self._chats.mark(run.job.id, states, (QUEUING,))
        return len(there)

    async def _collect(self, run: Run) -> None:
        """Store the sender's reports. If there are none, look for messages that have left the queue without one."""
        if await self._chats.collect(run.job.id):
            return
        unsettled = [each for each in await self._chats.unsettled(run.job.id) if each.state != QUEUING]
        waiting = await self._outbox.waiting([_id(run, each.chat_id) for each in unsettled])
        left = [each for each in unsettled if _id(run, each.chat_id) not in waiting]
        # The sender removes an item before it reports a success, so the report may still come.
        lost = {each.chat_id for each in left if each.state == LEAVING and each.seconds >= self._late_seconds}
        states = {each.chat_id: UNKNOWN if each.chat_id in lost else LEAVING for each in left}
        changed = {each.chat_id: states[each.chat_id] for each in left if states[each.chat_id] != each.state}
        await self._chats.mark(run.job.id, changed, (QUEUED, LEAVING))

    async def _withdraw(self, run: Run, _: Notes) -> None:
        """Withdraw the messages that are not on their way, and wait for the reports about the others."""
        job_id = run.job.id
        await self._chats.keep_back(job_id)
        await self._collect(run)
        unsettled = await self._chats.unsettled(job_id)
        answers = await self._outbox.withdraw([_id(run, each.chat_id) for each in unsettled])
        # An item that the outbox has never seen was withdrawn before a crash, or was not put.
        gone = {
            each.chat_id: WITHDRAWN
            for each, answer in zip(unsettled, answers, strict=True)
            if answer in {"withdrawn", "unknown"}
        }
        await self._chats.mark(job_id, gone, (QUEUING, QUEUED, LEAVING))
        if len(gone) < len(unsettled):
            # Those that perhaps were queued when a process died have been, or they would be withdrawn now.
            rest = {each.chat_id: QUEUED for each in unsettled if each.chat_id not in gone}
            await self._chats.mark(job_id, rest, (QUEUING,))
            raise Later(LOOK_SECONDS)

    async def _count(self, run: Run, _: Notes) -> dict[str, int]:
        """Count the chats by their final states, so that nobody counts them again for each list of broadcasts."""
        return (await self._chats.counts([run.job.id])).get(run.job.id, {})

    async def _finish(self, run: Run, notes: Notes) -> None:
        """Tell the operator the result."""
        await self._tell(run, _broadcast(run.job, notes["count"]), "done")

    async def _tell_cancelled(self, run: Run, _: Notes) -> None:
        """Tell the operator how many chats have the message although the broadcast was cancelled."""
        counts = (await self._chats.counts([run.job.id])).get(run.job.id, {})
        await self._tell(run, _broadcast(run.job, counts), "cancelled")

    async def _tell(self, run: Run, broadcast: Broadcast, end: str) -> None:
        if run.job.asked_by <= 0:
            return
        locale = await self._people.locale_of_player(run.job.asked_by) or self._texts.LOCALES[0]
        lines = [self._texts.html(locale, f"dlg-admin-cast-{end}", count=broadcast.sent)]
        lines += failures_html(self._texts, locale, broadcast)
        # With the number, because a broadcast that is sent again may be cancelled again.
        id_ = f"{KIND}:{run.job.id}:{end}:{broadcast.sent}"
        await self._outbox.put(self._outgoing(id_, run.job.asked_by, html_message("\n".join(lines))))

    def _outgoing(self, id_: str, chat_id: int, params: dict[str, Any]) -> Outgoing:
        return Outgoing(
            id=id_,
            chat_id=chat_id,
            method="sendMessage",
            params=params,
            priority=Priority.COSMETIC,
            created_at=self._clock.now(),
        )


def _id(run: Run, chat_id: int) -> str:
    return f"{ITEM}{run.job.id}:{chat_id}"


def _broadcast(job: Job, counts: Mapping[str, int]) -> Broadcast:
    failed = {state: count for state, count in counts.items() if state not in {*OPEN, SENT, WITHDRAWN}}
    return Broadcast(
        job=job,
        text=msgspec.json.decode(job.data, type=_Order).text,
        waiting=counts.get(WAITING, 0),
        queued=sum(counts.get(state, 0) for state in (QUEUING, QUEUED, LEAVING)),
        sent=counts.get(SENT, 0),
        withdrawn=counts.get(WITHDRAWN, 0),
        failed={reason: failed[reason] for reason in REASONS if failed.get(reason)},
    )


def failures_html(texts: Texts, locale: str, broadcast: Broadcast) -> list[Markup]:
    """Return a line with the numbers of chats that did not get the message, by reason; none if all got it."""
    counts = {**broadcast.failed, **({WITHDRAWN: broadcast.withdrawn} if broadcast.withdrawn else {})}
    if not counts:
        return []
    parts = [
        texts.html(locale, "dlg-admin-cast-reason", reason=reason, count=count) for reason, count in counts.items()
    ]
    return [texts.html(locale, "dlg-admin-cast-failed", reasons=Markup("; ".join(parts)))]


def message_of(text: str) -> dict[str, Any]:
    """Return the parameters of a message with an operator's text, as it was written."""
    return html_message(escape(text, quote=False))


def html_message(html: str) -> dict[str, Any]:
    """Return the parameters of a message in Telegram's HTML, without a keyboard."""
    return {"text": str(html), "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
