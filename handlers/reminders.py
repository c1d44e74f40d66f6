"""Reminders: shortly before a choice closes, the players who have not made it are reminded once.

Those who have a private chat with the bot are reminded there, on their own board. The others are named in one message
in the group. A reminder's id in the outbox is derived from the game, so that no crash repeats it.
"""

import asyncio
from collections.abc import Sequence

from fsm.engine import Clock, Engine, Unavailable
from fsm.kind import Game, Instant, PlayerId, UnknownGame
from handlers.audience import audience_of, reply_to_board
from handlers.kinds import registry
from handlers.own_boards import own_id
from handlers.views import lobby
from handlers.views.message import Button, Message, send_params
from play.telling import MESSAGES, QUIET
from play.texts import Texts
from storage.games import LIVE_TTL_MS, RedisGames
from storage.leases import STORE_GONE
from storage.people import People
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

LONGEST_MS = 60_000
"""Longest time before the end at which a reminder is sent; of a short choice, a third of its time is left."""
SHORTEST_MS = 10_000
"""Time that a player needs to see the reminder and to choose. No reminder leaves less."""
AGAIN_MS = 2_000
NAMED = 400
"""Room for the names in the group's reminder, in UTF-16 units."""


class Reminders:
    """Reminds late players. ``keep_reminding`` is a task; the consumer of the feed calls the other methods."""

    def __init__(
        self, *, engine: Engine, games: RedisGames, outbox: Outbox, texts: Texts, people: People, clock: Clock
    ) -> None:
        self._engine = engine
        self._games = games
        self._outbox = outbox
        self._texts = texts
        self._people = people
        self._clock = clock
        self._due: dict[str, Instant] = {}
        """Game -> the time of its reminder."""
        self._changed = asyncio.Event()

    def note(self, game: Game) -> None:
        """Schedule a game's reminder, or drop it if nobody is late."""
        self._due.pop(game.id, None)
        if game.ends_at is not None and registry.of_state(game).late(game):
            left = game.ends_at - self._clock.now()
            before = min(LONGEST_MS, left // 3)
            if before >= SHORTEST_MS:
                self._due[game.id] = game.ends_at - before
        self._changed.set()

    async def take_over(self) -> None:
        """Schedule the reminders of live games, whose previous consumer may have died before it sent them."""
        for game_id, _ in await self._games.deadlines(self._clock.now() + LIVE_TTL_MS):
            try:
                self.note((await self._engine.look(game_id)).state)
            except UnknownGame:
                continue

    async def keep_reminding(self) -> None:
        """Send each reminder when it is due, until cancelled."""
        while True:
            self._changed.clear()
            if not self._due:
                await self._changed.wait()
                continue
            wait = min(self._due.values()) - self._clock.now()
            if wait > 0:
                await self._until_changed(wait)
                continue
            await self.remind()

    async def _until_changed(self, wait_ms: int) -> None:
        """Wait for a time, or until a reminder was scheduled or dropped."""
        waits = {asyncio.ensure_future(self._clock.sleep(wait_ms / 1000)), asyncio.ensure_future(self._changed.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def remind(self) -> None:
        """Send the reminders that are due. If a store is unavailable, they are tried again shortly."""
        now = self._clock.now()
        for game_id in [game_id for game_id, at in self._due.items() if at <= now]:
            del self._due[game_id]
            try:
                game = (await self._engine.look(game_id)).state  # another replica may have taken the choices
                await self._outbox.put_many(await self._reminders(game))
            except UnknownGame:
                continue
            except (Unavailable, *STORE_GONE):
                self._due.setdefault(game_id, now + AGAIN_MS)

    async def _reminders(self, game: Game) -> list[Outgoing]:
        """Return the reminders of a game; none if nobody is late any more, or the time is up."""
        late = registry.of_state(game).late(game)
        if game.ends_at is None or game.ends_at <= self._clock.now():
            return []
        private = [player for player in late if await self._has_chat(player)]
        reminders = [await self._private(game, player) for player in private]
        others = [player for player in late if player not in private]
        audience = await audience_of(self._people, game.place.chat_id)
        if others and not audience.wants(MESSAGES, QUIET):
            reminders.append(await self._group(game, others, audience.locale))
        return reminders

    async def _has_chat(self, player: PlayerId) -> bool:
        chat = await self._people.chat(player)
        return chat is not None and chat.active

    async def _private(self, game: Game, player: PlayerId) -> Outgoing:
        """Return a player's own board with the reminder above it."""
        locale = await self._people.locale_of_player(player)
        locale = locale or (await audience_of(self._people, game.place.chat_id)).locale
        board = registry.of_state(game).own_board(game, player, self._texts, locale)
        text = lobby.paragraphs(self._texts.html(locale, "late-private"), board.text)
        return self._outgoing(game, own_id(game.id, f"late-{player}"), player, Message(text, board.keyboard), {})

    async def _group(self, game: Game, players: Sequence[PlayerId], locale: str) -> Outgoing:
        """Return the message that mentions the players who cannot be reached in private."""
        mentions = (lobby.mention_of(game.players[player]) for player in players)
        names = self._texts.listing(locale, mentions, len(players), budget=NAMED)
        at = lobby.moment(game.ends_at or 0, "T")
        button = Button(self._texts.plain(locale, "button-pick"), f"o:{game.id}", style="primary")
        message = Message(self._texts.html(locale, "late-group", names=names, time=at), ((button,),))
        reply = await reply_to_board(self._outbox, game)
        return self._outgoing(game, f"late:{game.id}", game.place.chat_id, message, reply)

    def _outgoing(self, game: Game, id_: str, chat_id: int, message: Message, reply: dict[str, object]) -> Outgoing:
        return Outgoing(
            id=id_,
            chat_id=chat_id,
            topic_id=(game.place.topic_id or None) if chat_id == game.place.chat_id else None,
            method="sendMessage",
            params={**send_params(message), **reply},
            priority=Priority.NORMAL,
            created_at=self._clock.now(),
            expires_at=game.ends_at,
        )
