"""The end of a season: a job for each month and quarter stores the podiums of its chats, and announces each once."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from fsm.engine import Clock
from handlers.audience import audience_of
from handlers.views import lobby
from handlers.views.message import Button, Message, send_params
from play.seasons import season_name
from play.telling import MESSAGES, NO, QUIET, SEASON, SEASON_MONTH
from play.texts import Markup, Texts, name_html
from storage.archive import Row
from storage.connections import Connection
from storage.figures import Figures
from storage.job_runner import JobKind, Run
from storage.jobs import DONE, Jobs, NewJob, enqueue
from storage.people import People
from storage.periods import MONTH, QUARTER, bounds, length_of, period_at
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

KIND: Final = "season"
LAG: Final = timedelta(minutes=10)
"""Time after the end in which the results of the last games reach PostgreSQL."""
LATE: Final = timedelta(days=3)
"""Time after the end of a season in which its podium is still news. After a longer outage it is stored, not sent."""
CHATS_A_STEP: Final = 50
LEAST: Final = -(2**62)
"""A number below the id of every chat."""
STEPS: Final = 3


class _Progress(msgspec.Struct, frozen=True):
    after: int = LEAST
    """The last chat whose podium is stored, and whose message is in its queue."""


class Seasons:
    """Ends seasons. `begin` enqueues the jobs of the current month and quarter; each job enqueues its successor."""

    def __init__(
        self, *, jobs: Jobs, figures: Figures, people: People, outbox: Outbox, texts: Texts, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._figures = figures
        self._people = people
        self._outbox = outbox
        self._texts = texts
        self._clock = clock

    @property
    def kind(self) -> JobKind:
        """The kind of job that ends a season."""
        return JobKind(name=KIND, work=self._work, at_once=1, attempts=100)

    async def begin(self) -> None:
        """Enqueue the ends of the current month and quarter, unless they are queued."""
        await self._jobs.enqueue(*(self._end_of(period_at(length, self._now())) for length in (MONTH, QUARTER)))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC)

    def _end_of(self, season: str) -> NewJob:
        due = bounds(season)[1] + LAG
        return NewJob(KIND, season, delay=max(0.0, (due - self._now()).total_seconds()))

    async def _work(self, run: Run) -> None:
        """Crown the best of each chat, a page of chats at a time.

        After a crash a page may be done again: a podium that is stored does not change, and the outbox knows the ids of
        its items and takes each once.
        """
        season = run.job.key
        end = bounds(season)[1]
        if self._now() < end:
            await run.again((end + LAG - self._now()).total_seconds())
            return
        progress = msgspec.json.decode(run.progress, type=_Progress)
        while chats := await self._figures.chats_of(season, progress.after, CHATS_A_STEP):
            run.check()
            messages = []
            async with run.transaction() as connection:
                for chat_id in chats:
                    messages += await self._crown(connection, chat_id, season)
                await self._outbox.put_many(messages)
                progress = _Progress(chats[-1])
                await run.record(msgspec.json.encode(progress), connection)
        async with run.transaction() as connection:
            await enqueue(connection, self._end_of(period_at(length_of(season), end)))
            await run.end(DONE, connection=connection)

    async def _crown(self, connection: Connection, chat_id: int, season: str) -> list[Outgoing]:
        """Store the podium of a chat whose seasons have this length. Returns its message, if the chat wants one."""
        audience = await audience_of(self._people, chat_id)
        monthly = audience.wants(SEASON, SEASON_MONTH)
        if audience.wants(SEASON, NO) or monthly != (length_of(season) == MONTH):
            return []
        rows = [row for row in await self._figures.leaderboard(chat_id, season, STEPS) if row.wins or row.points]
        if not rows:
            return []
        end = bounds(season)[1]
        await self._figures.crown(connection, chat_id, season, rows, end)
        chat = await self._people.chat(chat_id)
        there = chat is not None and chat.active
        if not there or audience.wants(MESSAGES, QUIET) or self._now() > end + LATE:
            return []
        return [self._outgoing(chat_id, season, self._message(chat_id, season, rows, audience.locale))]

    def _message(self, chat_id: int, season: str, rows: list[Row], locale: str) -> Message:
        html, plain = self._texts.html, self._texts.plain
        lines = [html(locale, "season-over", season=season_name(locale, season))]
        lines += [
            html(
                locale,
                "cmd-best-line",
                mark=Markup(lobby.mark(row.place, won=row.wins > 0)),
                name=name_html(row.name),
                wins=row.wins,
                games=row.games,
            )
            for row in rows
        ]
        button = Button(plain(locale, "season-next"), data=f"top:{chat_id}:s:0")
        return Message("\n".join(lines), ((button,),))

    def _outgoing(self, chat_id: int, season: str, message: Message) -> Outgoing:
        return Outgoing(
            id=f"season:{season}:{chat_id}",
            chat_id=chat_id,
            method="sendMessage",
            params=send_params(message),
            priority=Priority.COSMETIC,
            created_at=self._clock.now(),
        )
