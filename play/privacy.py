"""Privacy: a person's data shown, exported and erased. Erasures are jobs, so that no crash leaves one half done."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec

from fsm.engine import Clock, Engine
from fsm.kind import PlayerId, Rejected, UnknownGame
from fsm.lobby import Leave
from play.broadcasts import html_message
from play.occurrences import NO_HOST
from play.recurring import word_of
from play.texts import Texts
from storage.aliases import new_alias
from storage.audit import wrote
from storage.job_runner import JobKind, Run
from storage.jobs import DONE, Jobs, NewJob
from storage.personal_data import PersonalData
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

KIND: Final = "erasure"
WAIT_SECONDS: Final = 60.0
"""Time after which a job looks again whether the person's last game has ended."""
SETTLE_SECONDS: Final = 3.0
"""Time in which the last move of a person reaches PostgreSQL, where the job looks for live games."""
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("players", "chats", "wallets", "api_tokens", "game_subscriptions"),
    "games": ("game_participants", "games"),
    "results": ("player_stats", "player_achievements", "season_podiums"),
    "packs": ("question_packs", "chat_templates", "recurring_games"),
    "bans": ("bans",),
    "log": ("audit_log", "jobs"),
}
"""Group of data that a summary counts -> its tables; the other tables repeat the same data in other forms."""


@dataclass(unsafe_hash=True)
class ErasureUnderWay(Rejected):
    """The erasure of the person was asked for before, and has not ended."""


class _Order(msgspec.Struct, frozen=True):
    player_id: int
    tell: bool = False
    """True to tell the person at the end."""
    locale: str = "en"


class _Progress(msgspec.Struct, frozen=True):
    alias: int = 0
    at: int = 0


class Privacy:
    """Shows, exports and erases the data of people."""

    def __init__(
        self,
        *,
        personal_data: PersonalData,
        jobs: Jobs,
        engine: Engine,
        outbox: Outbox,
        texts: Texts,
        clock: Clock,
        policy_url: str = "",
    ) -> None:
        self._data = personal_data
        self._jobs = jobs
        self._engine = engine
        self._outbox = outbox
        self._texts = texts
        self._clock = clock
        self.policy_url = policy_url
        """Address of the operator's privacy policy; empty for none."""

    async def summary(self, player_id: PlayerId) -> dict[str, int]:
        """Return the number of rows about a person, by group of `GROUPS`."""
        counts = await self._data.counts(player_id)
        return {group: sum(counts.get(table, 0) for table in tables) for group, tables in GROUPS.items()}

    async def export(self, player_id: PlayerId) -> dict[str, Any]:
        """Return everything that is stored of a person."""
        return {"format": "tombola-personal-data/1", "player_id": player_id, "data": await self._data.export(player_id)}

    async def erase(self, player_id: PlayerId, *, asked_by: PlayerId, locale: str | None) -> int:
        """Enqueue the erasure of a person, and return the id of the job. With a locale, the person is told at the end.

        The person leaves lobbies; games that run are waited for. Raises ``ErasureUnderWay``.
        """
        order = msgspec.json.encode(_Order(player_id, locale is not None, locale or "en"))
        ids = await self._jobs.enqueue(NewJob(KIND, str(player_id), order, asked_by=asked_by, delay=SETTLE_SECONDS))
        if not ids:
            raise ErasureUnderWay
        wrote("erase-person", target=f"job {ids[0]}", nameless=True)
        return ids[0]

    @property
    def kind(self) -> JobKind:
        """The kind of job that erases."""
        return JobKind(name=KIND, work=self._work, at_once=1, attempts=1000)

    async def _work(self, run: Run) -> None:
        order = msgspec.json.decode(run.job.data, type=_Order)
        progress = msgspec.json.decode(run.progress, type=_Progress)
        if not progress.alias:
            if not await self._left(run, order.player_id):
                await run.again(WAIT_SECONDS)
                return
            # Recorded first: after a crash everything must go on under the same alias.
            progress = _Progress(new_alias(), self._clock.now())
            await run.record(msgspec.json.encode(progress))
        run.check()
        await self._data.begin(
            order.player_id, progress.alias, progress.at, run.job.id, partial(word_of, outcome=NO_HOST)
        )
        await self._jobs.ring()
        while await self._data.erase_games(order.player_id, progress.alias, progress.at):
            run.check()
        if order.tell:
            await self._tell(run, order)
        async with run.transaction() as connection:
            await self._data.forget_job(connection, run.job.id)
            await run.end(DONE, connection=connection)

    async def _left(self, run: Run, player_id: PlayerId) -> bool:
        """Take the person out of lobbies. Returns False if they play or host a game that has begun."""
        left = True
        for game_id in await self._data.live_games(player_id):
            try:
                game = (await self._engine.look(game_id)).state
                if player_id not in game.players:
                    left = left and game.host.id != player_id
                    continue
                await self._engine.execute(game_id, Leave(player_id), command_id=f"erase:{run.job.id}:{game_id}")
            except UnknownGame:
                continue
            except Rejected:
                left = False
        return left

    async def _tell(self, run: Run, order: _Order) -> None:
        await self._outbox.put(
            Outgoing(
                id=f"erased:{run.job.id}",
                chat_id=order.player_id,
                method="sendMessage",
                params=html_message(self._texts.html(order.locale, "privacy-erased")),
                priority=Priority.NORMAL,
                created_at=self._clock.now(),
            )
        )
