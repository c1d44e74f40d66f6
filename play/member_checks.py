"""Checks in the background whether the players of running games are still in their group.

Telegram tells a bot without administrator rights little about people who leave. So the players of a game are looked up
when its first choice opens, again before a choice of more than a minute closes, and whenever one of them has made a
move. A move itself never waits for a check: checks follow the feed, and are few, in turn and droppable.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from loguru import logger

from fsm.engine import Clock, Engine, Unavailable
from fsm.kind import Game, Instant, PlayerId, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED, PLAYERS_JOINING, WAITING_FOR_PLAYERS, Remove
from fsm.registry import kind_of
from play.departures import Departures
from play.members import Members
from storage.chat_members import FRESH_MS
from storage.connections import POSTGRES_GONE
from storage.feed import Entry
from storage.leases import STORE_GONE, jitter
from storage.set_aside import SetAside

PACE_SECONDS: Final = 0.25
"""Longest pause between two questions to Telegram: with its jitter, four to eight a second."""
MOST_WAITING: Final = 5000
"""Number of people who may wait for their check. Others are checked after their next move."""
REMEMBERED: Final = 50_000
"""Number of games, and of people, that are kept in memory."""
LEAD_MS: Final = 5_000
"""Time before the end of a choice at which its last round begins; the questions of the round come on top."""
AGAIN_MS: Final = 2_000
"""Time after which a round is begun again that met an unavailable store."""
UNWATCHED: Final = frozenset({WAITING_FOR_PLAYERS, PLAYERS_JOINING, COMPLETED, CANCELLED})
"""Phases without moves to check: each join is checked itself."""


class _Fields(msgspec.Struct):
    """The fields of any event that matter here."""

    player_id: PlayerId = 0
    chat_id: int = 0


class _Record(msgspec.Struct):
    e: list[tuple[str, _Fields]]


_read = msgspec.json.Decoder(list[_Record]).decode


@dataclass(slots=True)
class _Watched:
    """A game in which choices are open or to come: its chat, and the phase and deadline that were last seen."""

    chat_id: int
    scene: tuple[str, Instant | None]


class MemberChecks:
    """Checks players. ``run`` is a task; the consumer of the feed calls ``handle``.

    Args:
        engine: knows the players of games.
        members: asks Telegram.
        departures: is told of the people who are gone.
        clock: the clock of deadlines.
        aside: collects unexpected errors.
    """

    def __init__(
        self, *, engine: Engine, members: Members, departures: Departures, clock: Clock, aside: SetAside
    ) -> None:
        self._engine = engine
        self._members = members
        self._departures = departures
        self._clock = clock
        self._aside = aside
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._rounds: dict[str, Instant] = {}
        """Game -> the time of its last round."""
        self._waiting: OrderedDict[int, dict[PlayerId, None]] = OrderedDict()
        """Chat -> the people to check. The chat whose turn is next comes first."""
        self._count = 0
        self._checked: OrderedDict[tuple[int, PlayerId], float] = OrderedDict()
        """Chat and person -> the monotonic time at which their last check was asked for."""
        self._stirred = asyncio.Event()

    # -- the feed ------------------------------------------------------------------------------------------------

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Ask for the checks that follow from a batch of the feed. Raises ``Unavailable``."""
        for entry in entries:
            if entry.phase in UNWATCHED:
                self._watched.pop(entry.game_id, None)
                self._rounds.pop(entry.game_id, None)
            else:
                await self._follow(entry)
        self._stirred.set()

    async def _follow(self, entry: Entry) -> None:
        watched, scene = self._watched.get(entry.game_id), (entry.phase, entry.deadline)
        if watched is None or watched.scene != scene:
            try:
                game = (await self._engine.at_least(entry.game_id, entry.first_version)).state
            except UnknownGame:
                return
            if watched is None:
                self._ask(game.place.chat_id, game.players)
            self._plan(game)
            watched = self._watched[entry.game_id] = _Watched(game.place.chat_id, scene)
            self._watched.move_to_end(entry.game_id)
            if len(self._watched) > REMEMBERED:
                self._rounds.pop(self._watched.popitem(last=False)[0], None)
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):  # the projector reports such records
            for record in _read(entry.records):
                for _, fields in record.e:
                    watched.chat_id = fields.chat_id or watched.chat_id  # the group has become a supergroup
                    if fields.player_id:
                        self._ask(watched.chat_id, (fields.player_id,))

    def _plan(self, game: Game) -> None:
        """Plan the last round of a choice. The answers of the first round are new enough for a short one."""
        self._rounds.pop(game.id, None)
        left = 0 if game.ends_at is None else game.ends_at - self._clock.now()
        if left > FRESH_MS and kind_of(game).machine.permits(game.phase, Remove):
            before = min(LEAD_MS + round(len(game.players) * PACE_SECONDS * 1000), left // 2)
            self._rounds[game.id] = self._clock.now() + left - before

    def _ask(self, chat_id: int, player_ids: Iterable[PlayerId]) -> None:
        """Queue people whose last check is older than a minute, as far as the queue has room."""
        if chat_id > 0:
            return
        now = time.monotonic()
        for player_id in player_ids:
            key = chat_id, player_id
            if self._count >= MOST_WAITING or self._checked.get(key, -FRESH_MS) > now - FRESH_MS / 1000:
                continue
            self._checked[key] = now
            self._checked.move_to_end(key)
            if len(self._checked) > REMEMBERED:
                self._checked.popitem(last=False)
            self._waiting.setdefault(chat_id, {})[player_id] = None
            self._count += 1

    # -- the task ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Check one person after the other, the chats in turn, until cancelled."""
        while True:
            self._stirred.clear()
            await self._begin_rounds()
            if not self._waiting:
                await self._rest()
                continue
            chat_id, people = self._waiting.popitem(last=False)
            player_id = next(iter(people))
            del people[player_id]
            self._count -= 1
            if people:
                self._waiting[chat_id] = people  # at the end: the other chats come first
            await self._check(chat_id, player_id)
            await asyncio.sleep(jitter(PACE_SECONDS))

    async def _rest(self) -> None:
        """Wait until there are new checks, or the next round is due."""
        wait = (min(self._rounds.values()) - self._clock.now()) / 1000 if self._rounds else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._stirred.wait()

    async def _begin_rounds(self) -> None:
        """Ask for the checks of the rounds that are due."""
        now = self._clock.now()
        for game_id in [game_id for game_id, at in self._rounds.items() if at <= now]:
            del self._rounds[game_id]
            try:
                game = (await self._engine.look(game_id)).state
            except UnknownGame:
                continue
            except (Unavailable, *STORE_GONE):
                self._rounds[game_id] = now + AGAIN_MS
                continue
            self._ask(game.place.chat_id, game.players)

    async def _check(self, chat_id: int, player_id: PlayerId) -> None:
        """Check a person. If Telegram does not answer, the other checks of the chat are dropped."""
        try:
            here = await self._members.check(chat_id, player_id)
            if here is None:
                self._count -= len(self._waiting.pop(chat_id, ()))
            elif not here:
                now = self._clock.now()
                logger.info("user {} is no longer in chat {}", player_id, chat_id)
                await self._departures.went(chat_id, player_id, f"gone:{player_id}:{now}", now)
        except (Unavailable, *STORE_GONE, *POSTGRES_GONE) as problem:
            logger.warning("user {} of chat {} stays unchecked: {}", player_id, chat_id, type(problem).__name__)
        except Exception as bug:  # noqa: BLE001 -- one person must not end the checks of all others
            self._aside.add("member checks", f"{chat_id} {player_id}", bug)
